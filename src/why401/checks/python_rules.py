"""Checks of applications in Python: the line that refuses the request, and why.

The layer follows the request through the code (`Application.refusals`); what it finds is put into a cause here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from why401.checks import check
from why401.evidence import Evidence, Request
from why401.findings import AGAINST, HINT, NAMED, STRONG, Finding, Where
from why401.layers.python_app import Application, Refusal
from why401.layers.python_values import Configured, Sent
from why401.path import Walk, walks

#: Why a token is refused → cause, and what is wrong in words.
_TOKENS: dict[str, tuple[str, str]] = {
    "expired": ("token-expired", "its lifetime is over"),
    "early": ("clock-skew", "it is not valid yet by this clock"),
    "audience": ("wrong-audience", "its audience is not the one that is asked for here"),
    "issuer": ("wrong-issuer", "its issuer is not the one that is asked for here"),
    "algorithm": ("wrong-algorithm", "its algorithm is not in the list here"),
    "signature": ("bad-signature", "its signature does not fit the key that is used here"),
    "malformed": ("malformed-token", "it is no whole JSON Web Token"),
    "algorithms": ("auth-setting-wrong", "PyJWT 2 refuses to decode without `algorithms`"),
}
_CARRIERS = (
    "authorization",
    "cookie",
    "x-api-key",
    "authentication",
    "x-auth-token",
    "token",
    "x-access-token",
)
_SCHEME = r"startswith\(b?['\"](\w+) ?['\"]|[!=]= ['\"](\w+)['\"]"
_SCHEMES = frozenset({"bearer", "basic", "token", "digest", "jwt", "apikey", "api-key", "dpop"})


def followed(evidence: Evidence) -> Iterator[tuple[Walk, Application, list[Refusal]]]:
    """Each refused request with the application it reaches and what refuses it there with the status seen."""
    for one in walks(evidence):
        layer = next((r.layer for r in one.routes if isinstance(r.layer, Application)), None)
        if layer is None or _stopped(one, layer):
            continue
        time = one.exchange.time if one.exchange else one.record.time if one.record else None
        found = layer.refusals(one.request, time)
        fitting = [r for r in found if one.status is None or r.status in (None, one.status)]
        yield one, layer, fitting


def _stopped(one: Walk, layer: Application) -> bool:
    """Whether a server in front asks for another credential itself, or passes on less than it got."""
    given = (one.request.fields.get("authorization") or "").partition(" ")[0].lower()
    for route in one.routes:
        if route.layer is layer:
            return False
        schemes = {d.value.lower() for d in route.all("scheme")}
        lost = any(
            c.what in ("drops", "overwrites") and c.name.lower() == "authorization" for c in route.changes
        )
        if (schemes and given not in schemes) or (lost and given):
            return True
    return False


@check
def refused_by_code(evidence: Evidence) -> Iterator[Finding]:
    """The line that refuses the request, with the condition on which it is reached."""
    for one, layer, refusals in followed(evidence):
        sure = next((r for r in refusals if r.sure), None)
        if sure is not None:
            unmet = [r for r in refusals if r.wants and r.guard == sure.guard]
            yield _finding(one, layer, sure, unmet)
            continue
        code = [r for r in refusals if r.wants is None]
        for refusal in code[:1] if len(code) == 1 else ():
            yield _possible(one, layer, refusal)


def _finding(one: Walk, layer: Application, refusal: Refusal, unmet: list[Refusal]) -> Finding:
    request = one.request
    if request.method == "OPTIONS" and "access-control-request-method" in request.fields:
        says = "The preflight, which can carry no credential, is refused here."
        weights = {"cors-preflight-rejected": NAMED, "no-credentials": AGAINST}
        return _made(layer, "python-preflight-refused", says, weights, refusal)
    why = getattr(refusal.exception, "kwargs", {}).get("@why", "")
    if why in _TOKENS:
        return _token(layer, refusal, why)
    wants = [r for r in (unmet or [refusal]) if r.wants]
    if wants:
        return _unmet(request, layer, wants, refusal)
    return _by_condition(request, layer, refusal)


def _made(
    layer: Application, slug: str, says: str, weights: dict[str, float], refusal: Refusal, **rest: Any
) -> Finding:
    where = Where.of(refusal.source)
    return Finding(slug, says, weights, where, rest.pop("group", "answered-here"), layer.hop, **rest)


def _token(layer: Application, refusal: Refusal, why: str) -> Finding:
    cause, words = _TOKENS[why]
    at = refusal.exception.kwargs.get("@at", refusal.source)
    where = refusal.source if layer.hop == "Django" else at
    line = f" (answered at line {refusal.source.line})" if refusal.source != where else ""
    says = f"The token is refused here{line}: {words}."
    weights = {cause: NAMED, "wrong-password": AGAINST, "no-credentials": AGAINST, "wrong-scheme": AGAINST}
    proves = cause if refusal.sure and why not in ("malformed", "algorithms") else ""
    return Finding("python-token-refused", says, weights, Where.of(where), "token-refused", layer.hop, proves)


def _unmet(request: Request, layer: Application, wants: list[Refusal], refusal: Refusal) -> Finding:
    """A built-in guard asks for something that the request does not carry."""
    respects = {r.wants[0] for r in wants if r.wants}
    values = list(
        dict.fromkeys(
            r.wants[1] for r in wants if r.wants and r.wants[0] in ("scheme", "field", "query", "cookie")
        )
    )
    names = " or ".join(value for value in values if value) or "a credential"
    given = request.fields.get("authorization")
    at = wants[0]
    if "csrf" in respects:
        says = "The request changes something and carries no CSRF token: Django's middleware refuses it here."
        return _made(layer, "python-csrf-refused", says, {"csrf-rejected": NAMED}, refusal)
    if "form" in respects:
        scheme = at.wants[1] if at.wants else ""
        says = f"The Authorization field has the scheme that is asked for ({scheme}), but not one value after it."
        return _made(layer, "python-malformed", says, {"malformed-authorization": NAMED}, refusal)
    if "token type" in respects:
        says = "The token is a good one of another kind: an access token is asked for here."
        return _made(layer, "python-token-type", says, {"wrong-token-type": NAMED}, refusal)
    if "scheme" in respects and given:
        scheme = given.strip().partition(" ")[0]
        shown = scheme if scheme.lower() in _SCHEMES else "no scheme of that kind"
        says = f"{layer.hop} asks for {names} here; the Authorization field has {shown}."
        weights = {
            "wrong-scheme": NAMED,
            "wrong-password": AGAINST,
            "no-credentials": AGAINST,
            "wrong-header": AGAINST,
        }
        return _made(layer, "python-other-scheme", says, weights, at, group="demanded-scheme")
    return _missing(request, layer, names, at if "scheme" in respects or "field" in respects else refusal)


def _missing(request: Request, layer: Application, names: str, refusal: Refusal) -> Finding:
    carried = [
        f.name for f in request.fields if f.name.lower() in _CARRIERS and f.name.lower() not in names.lower()
    ]
    carried = [name for name in carried if name.lower() != "cookie"]
    lacks = "none" if names == "a credential" else f"no {names}"
    says = f"{layer.hop} refuses here because the request carries {lacks}"
    if carried:
        says += f"; it carries {', '.join(carried)}, which is not read."
        weights = {"wrong-header": NAMED, "no-credentials": AGAINST, "wrong-password": AGAINST}
    else:
        weights = {"no-credentials": NAMED, "wrong-password": AGAINST, "auth-rule-unintended": 0.0}
        says += "."
    return _made(layer, "python-nothing-carried", says, weights, refusal)


def _by_condition(request: Request, layer: Application, refusal: Refusal) -> Finding:
    """The application's own code refuses: by what it read and compared."""
    on = f" on the condition {' and '.join(refusal.because)}" if refusal.because else ""
    missing = [r for r in refusal.reads if not r.found]
    found = [r for r in refusal.reads if r.found]
    if missing and (not found or missing[-1] is refusal.reads[-1]):
        names = " or ".join(dict.fromkeys(r.name for r in missing))
        return _missing(request, layer, names, refusal)
    wanted = _wanted_scheme(refusal)
    given = (request.fields.get("authorization") or "").strip().partition(" ")[0]
    if wanted and given and given != wanted:
        case = " (the comparison minds upper and lower case)" if given.lower() == wanted.lower() else ""
        says = f"The code refuses here{on}: it asks for the scheme {wanted}{case}."
        weights = {"wrong-scheme": NAMED, "wrong-password": AGAINST, "no-credentials": AGAINST}
        return _made(layer, "python-other-scheme", says, weights, refusal)
    if refusal.status == 403:
        says = f"The code refuses here{on}."
        return _made(
            layer,
            "python-not-permitted",
            says,
            {"not-permitted": STRONG, "insufficient-scope": HINT},
            refusal,
        )
    cause, words = _compared(refusal)
    weights = {cause: NAMED if cause != "wrong-password" else STRONG, "no-credentials": AGAINST}
    if cause != "wrong-password":
        weights["wrong-password"] = AGAINST
    return _made(layer, "python-value-refused", f"The code refuses here{on}{words}.", weights, refusal)


def _wanted_scheme(refusal: Refusal) -> str:
    found = [a or b for because in refusal.because for a, b in re.findall(_SCHEME, because)]
    return next((name for name in reversed(found) if name.lower() in _SCHEMES), "")


def _compared(refusal: Refusal) -> tuple[str, str]:
    """The cause by the last comparison of something sent with something known."""
    for _, left, right in reversed(refusal.comparisons):
        sent, wanted = (left, right) if isinstance(left, Sent) else (right, left)
        if not isinstance(sent, Sent) or not isinstance(wanted, str):
            continue
        if sent.strip() == wanted.strip():
            return "stray-whitespace", f": {sent.origin} differs by white space alone"
        if sent.strip("'\" ") == wanted.strip("'\" "):
            return "mangled-in-config", f": {sent.origin} differs by quotes alone"
        doubt = f" (unless {wanted.variable} is set)" if isinstance(wanted, Configured) else ""
        return "wrong-password", f": {sent.origin} is not the value that is known here{doubt}"
    return "wrong-password", ""


def _possible(one: Walk, layer: Application, refusal: Refusal) -> Finding:
    on = f" where {' and '.join(refusal.because)}" if refusal.because else ""
    says = f"The only line of this route's own code that answers {refusal.status} is here{on}."
    cause = "not-permitted" if refusal.status == 403 else "wrong-password"
    missing = [r for r in refusal.reads if not r.found]
    if missing and not one.request.fields.all("authorization"):
        cause = "no-credentials"
    return _made(layer, "python-may-refuse", says, {cause: HINT}, refusal)
