"""Which exceptions of Python and its libraries are kinds of which, by their names, and the status they answer."""

from __future__ import annotations

import builtins
from typing import Any, Final

from why401.layers.python_values import UNKNOWN, Class, Instance, Thing

#: Name → the next more general name, of PyJWT (jwt.exceptions), python-jose, Django and Django REST framework.
_PARENTS: Final = {
    "ExpiredSignatureError": ("InvalidTokenError", "JWTError"),
    "InvalidSignatureError": ("DecodeError",),
    "DecodeError": ("InvalidTokenError",),
    "InvalidAudienceError": ("InvalidTokenError",),
    "InvalidIssuerError": ("InvalidTokenError",),
    "InvalidIssuedAtError": ("InvalidTokenError",),
    "ImmatureSignatureError": ("InvalidTokenError",),
    "InvalidKeyError": ("PyJWTError",),
    "InvalidAlgorithmError": ("InvalidTokenError",),
    "InvalidSubjectError": ("InvalidTokenError",),
    "InvalidJTIError": ("InvalidTokenError",),
    "MissingRequiredClaimError": ("InvalidTokenError",),
    "InvalidTokenError": ("PyJWTError",),
    "PyJWTError": ("Exception",),
    "JWTClaimsError": ("JWTError",),
    "JWTError": ("JOSEError",),
    "JOSEError": ("Exception",),
    "NotAuthenticated": ("APIException",),
    "AuthenticationFailed": ("APIException",),
    "PermissionDenied": ("APIException",),
    "APIException": ("Exception",),
    "InvalidToken": ("AuthenticationFailed",),
    "Unauthorized": ("HTTPException",),
    "Forbidden": ("HTTPException",),
    "abort": ("HTTPException",),
    "HTTPException": ("Exception",),
    "Error": ("ValueError",),  # binascii.Error
    "HttpError": ("Exception",),
}
#: Names under which one exception is also known.
_ALIASES: Final = {"InvalidAudience": "InvalidAudienceError", "InvalidIssuer": "InvalidIssuerError",
                   "ExpiredSignature": "ExpiredSignatureError"}  # fmt: skip

_STATUS: Final = {
    "NotAuthenticated": 401,
    "AuthenticationFailed": 401,
    "InvalidToken": 401,
    "Unauthorized": 401,
    "Forbidden": 403,
    "PermissionDenied": 403,
    "HttpResponseForbidden": 403,
}


def is_a(value: Any, kind: Any) -> bool | None:
    """Whether an exception is of a kind; None where that is not known."""
    wanted = kind.name if isinstance(kind, Class) else getattr(kind, "kind", None)
    if wanted in ("Exception", "BaseException"):
        return True
    if value is UNKNOWN or wanted is None:
        return None
    return bool({_ALIASES.get(wanted, wanted)} & _names(value))


def _names(value: Any) -> set[str]:
    """The names of an exception and of all that it is a kind of."""
    todo = _own(value)
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        todo += _PARENTS.get(name, ())
        builtin = getattr(builtins, name, None)
        if isinstance(builtin, type):
            todo += [base.__name__ for base in builtin.__mro__[1:]]
    return found


def _own(value: Any) -> list[str]:
    if isinstance(value, Instance):
        return [c.name if isinstance(c, Class) else getattr(c, "kind", "") for c in value.cls.line()]
    return [_ALIASES.get(value.kind, value.kind)] if isinstance(value, Thing) else []


def status_of(value: Any) -> int | None:
    """The status of an answer or of an exception that becomes one; None where it has none or it is unknown."""
    if isinstance(value, tuple | list) and len(value) > 1:
        return value[1] if isinstance(value[1], int) else None
    if isinstance(value, Instance):
        return _status_of_instance(value)
    if not isinstance(value, Thing):
        return None
    for name in ("status_code", "status", "code"):
        held = value.kwargs.get(name, value.attributes.get(name))
        if isinstance(held, int) and not isinstance(held, bool):
            return held
    if value.kind in ("HTTPException", "abort", "HttpError") and value.args:
        return value.args[0] if isinstance(value.args[0], int) else None
    if value.kind in ("jsonify", "make_response") and len(value.args) > 1:
        return value.args[1] if isinstance(value.args[1], int) else None
    if value.kind in ("Response", "JSONResponse", "PlainTextResponse") and len(value.args) > 1:
        return value.args[1] if isinstance(value.args[1], int) else None
    return _STATUS.get(value.kind)


def _status_of_instance(value: Instance) -> int | None:
    held = value.attributes.get("status_code") or value.cls.get("status_code") or value.cls.get("code")
    if isinstance(held, int):
        return held
    return next((_STATUS[name] for name in _own(value) if name in _STATUS), None)
