"""Operations of Python that have no effect, on known values: methods of text, comparisons, a few functions."""

from __future__ import annotations

import ast
import base64
import binascii
import hmac
import operator
from collections.abc import Callable
from typing import Any, Final

from why401.layers.python_values import (
    UNKNOWN,
    Class,
    Configured,
    Function,
    Instance,
    Listed,
    Sent,
    Table,
    Thing,
    keep_origin,
    known,
    truth,
)

LONGEST: Final = 100_000

#: Methods that compute and change nothing.
METHODS: Final = frozenset(
    "startswith endswith split rsplit partition rpartition strip lstrip rstrip lower upper casefold title "
    "capitalize replace removeprefix removesuffix encode decode join isdigit isalnum find index count format get "
    "keys values items copy union zfill".split()
)
MUTATORS: Final = frozenset("append extend insert remove update add setdefault pop".split())

_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
}
_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Fails(Exception):
    """The operation would raise: the name of the exception of Python's own."""


def binary(op: ast.operator, left: Any, right: Any) -> Any:
    function = _BINARY.get(type(op))
    if isinstance(left, Listed) and isinstance(right, Listed) and isinstance(op, ast.Add):
        return Listed([*left, *right], [*left.places, *right.places])
    if isinstance(op, ast.Add) and isinstance(left, Listed) and isinstance(right, Thing):
        return Listed([*left, right], [*left.places, right.source])
    if function is None or not known(left) or not known(right):
        return UNKNOWN
    if isinstance(op, ast.Mult) and isinstance(left, (str, bytes, list)):
        return UNKNOWN if not isinstance(right, int) or len(left) * right > LONGEST else left * right
    try:
        return keep_origin(function(left, right), left, right)
    except Exception:
        return UNKNOWN


def compare(op: ast.cmpop, left: Any, right: Any) -> Any:
    """True or False; UNKNOWN where an operand is."""
    if isinstance(op, (ast.Is, ast.IsNot)) and (left is None or right is None):
        other = right if left is None else left
        if other is UNKNOWN or (isinstance(other, Thing) and not other.attributes.get("@true")):
            return UNKNOWN
        return (other is None) == isinstance(op, ast.Is)
    if isinstance(op, (ast.Is, ast.IsNot)) and not (isinstance(left, bool) and isinstance(right, bool)):
        return UNKNOWN
    if not known(left) or (not known(right) and not _among(op, left, right)):
        return UNKNOWN
    try:
        return bool(_COMPARE[type(op)](left, right))
    except Exception:
        return UNKNOWN


def _among(op: ast.cmpop, left: Any, right: Any) -> bool:
    """Whether a membership test needs the container's known keys only."""
    return isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, dict) and known(list(right))


def subscript(value: Any, key: Any) -> Any:
    if isinstance(value, (str, bytes, list, tuple, dict)) and key is not UNKNOWN:
        try:
            found = value[key]
        except (KeyError, IndexError) as problem:
            raise Fails(type(problem).__name__) from None
        except TypeError:
            return UNKNOWN
        if isinstance(value, Listed) and isinstance(key, slice):
            return Listed(found, value.places[key])
        return keep_origin(found, value)
    return UNKNOWN


def method(value: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The result of a method of a known value."""
    if name in MUTATORS and isinstance(value, (list, dict, set)):
        return _mutated(value, name, args, kwargs)
    if name not in METHODS:
        return UNKNOWN
    if isinstance(value, dict) and name == "get":
        if not args or not known(args[0]):
            return UNKNOWN
        return value.get(args[0], args[1] if len(args) > 1 else None)
    if isinstance(value, dict) and name in ("keys", "values", "items"):
        return Listed(getattr(value, name)())
    if not known(value) or not all(known(a) for a in [*args, *kwargs.values()]):
        return UNKNOWN
    try:
        result = getattr(value, name)(*args, **kwargs)
    except (ValueError, UnicodeError) as problem:
        raise Fails(type(problem).__name__) from None
    except Exception:
        return UNKNOWN
    return keep_origin(result, value, *args)


def _mutated(value: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    try:
        if isinstance(value, Listed) and name in ("append", "insert"):
            value.places.insert(len(value) if name == "append" else args[0], value.places[-1:][0])
        if isinstance(value, Table) and name == "update" and args and isinstance(args[0], Table):
            value.places.update(args[0].places)
        if name == "extend" and not isinstance(args[0], (list, tuple, set)):
            return UNKNOWN
        return getattr(value, name)(*args, **kwargs)
    except Exception:
        return UNKNOWN


def _b64(text: Any, *_: Any) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise Fails("binascii.Error") from None


def _same(left: Any, right: Any) -> bool:
    first, second = (v.encode() if isinstance(v, str) else v for v in (left, right))
    return hmac.compare_digest(first, second)


def _int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Fails("ValueError") from None


#: Functions by their full name, for known arguments.
FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "hmac.compare_digest": _same,
    "secrets.compare_digest": _same,
    "django.utils.crypto.constant_time_compare": _same,
    "base64.b64decode": _b64,
    "base64.urlsafe_b64decode": _b64,
    "builtins.len": len,
    "builtins.str": lambda value="", *rest: value if isinstance(value, str) else str(value),
    "builtins.int": _int,
    "builtins.bool": bool,
    "builtins.list": Listed,
    "builtins.tuple": Listed,
    "builtins.set": Listed,
    "builtins.frozenset": Listed,
    "builtins.any": any,
    "builtins.all": all,
    "datetime.timedelta": lambda *a, **k: UNKNOWN,
}


def function(name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The result of a known function of known arguments; None where it is not one."""
    if name == "builtins.dict":
        return Table(args[0] if args and isinstance(args[0], dict) else {}) | kwargs
    made = FUNCTIONS.get(name)
    if made is None or not all(known(a) for a in [*args, *kwargs.values()]):
        return None
    try:
        return keep_origin(made(*args, **kwargs), *args)
    except Fails:
        raise
    except Exception:
        return UNKNOWN


def negate(value: Any) -> Any:
    held = truth(value)
    return UNKNOWN if held is None else not held


__all__ = ["Class", "Configured", "Fails", "Function", "Instance", "Sent", "binary", "compare", "function", "method", "negate", "subscript"]  # fmt: skip
