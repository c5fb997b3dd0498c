"""What the live side alone can see: two clocks, a cookie file that stays at home, .netrc, a turn to a login page.

These are findings like those of the checks; they need the request as the user typed it, beside what was sent.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from why401.evidence import Exchange
from why401.experiments.changes_of_body import login_members
from why401.experiments.denied import asks_to_log_in
from why401.findings import AGAINST, CLEAR, FAINT, HINT, NAMED, RULED_OUT, STRONG, Finding, Where
from why401.probes.ask import Ask
from why401.protocol import jwt
from why401.secret import is_sensitive_field

CLOCKS_AGREE = 60.0  #: seconds; a Date field has whole seconds, and the way takes some


def observe(ask: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """All that is seen in the user's own request and its answer."""
    for look in (
        clocks,
        cookies_kept,
        netrc,
        sent_to_log_in,
        limited,
        nothing_sent,
        login_unread,
        token_cut,
        session_alone,
        old_timestamp,
        digest_by_curl,
    ):
        yield from look(ask, sent)


def clocks(_: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """The server's Date against this machine's clock, where the answer is fresh and a time counts."""
    last = sent[-1]
    off = _off(last)
    claims = _claims(last)
    if off is None or not last.refused or not claims:
        return
    where = Where.at(last, "Date")
    if abs(off) <= CLOCKS_AGREE:
        says = "The server's clock (Date) and this machine's agree."
        yield Finding("clocks-agree", says, {"clock-skew": -6.0}, where, group="clocks")
        return
    ahead = "ahead of" if off > 0 else "behind"
    says = f"The server's clock (Date) is {abs(off):.0f} s {ahead} this machine's"
    now = time.time()
    if _good_at(claims, now) and not _good_at(claims, now + off):
        says += "; by this machine's clock the token is good, by the server's it is not."
        weights = {"clock-skew": NAMED + HINT, "token-expired": -50.0}
    elif _good_at(claims, now) == _good_at(claims, now + off):
        says += "; for this token's times it makes no difference."
        weights = {"clock-skew": FAINT}
    else:
        says += "; by this machine's clock the token is not good, by the server's it is."
        weights = {"clock-skew": HINT}
    yield Finding("clocks-differ", says, weights, where, group="clocks")


def _off(exchange: Exchange) -> float | None:
    """Seconds by which the server's clock is ahead; a cached answer tells nothing (RFC 9111, section 4.2.3)."""
    fields = exchange.response.fields if exchange.response else None
    if fields is None or "age" in fields or exchange.time is None:
        return None
    try:
        date = parsedate_to_datetime(fields.get("date") or "")
    except ValueError:
        return None
    return (date - exchange.time).total_seconds() if date.tzinfo else None


def _claims(exchange: Exchange) -> dict[str, object]:
    """The claims of a token that was sent as `Authorization`."""
    value = (exchange.request.fields.get("authorization") or "").rpartition(" ")[2]
    return dict(jwt.decode(value).claims) if value.count(".") == 2 else {}


def _good_at(claims: dict[str, object], moment: float) -> bool:
    """Whether a token's times (RFC 7519, sections 4.1.4 to 4.1.6) hold at a moment."""
    end, *begins = (_number(claims.get(name)) for name in ("exp", "nbf", "iat"))
    return (end is None or moment < end) and all(b is None or b <= moment + 1 for b in begins)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def cookies_kept(ask: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """A cookie of the user's file did not go out, and the answer is a refusal."""
    if not (sent[-1].refused or asks_to_log_in(sent)):
        return
    gone = (sent[0].request.fields.get("cookie") or "").lower()
    for name, why in ask.kept:
        if f"{name.lower()}=" in gone:
            continue
        over = why.startswith("it ended")
        weights = {
            "cookie-not-sent": HINT if over else NAMED,
            "session-expired": STRONG + HINT if over else 0.0,
            "https-required": HINT if "https" in why else 0.0,
            "no-credentials": AGAINST,
        }
        says = f"The cookie {name} of the cookie file was not sent: {why}."
        yield Finding("cookie-kept", says, weights, Where.at(sent[0], "Cookie"), group="cookie-kept")


def netrc(ask: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """What went out as Authorization was taken from .netrc, not from the command."""
    typed = ask.user or ask.bearer or ask.get("authorization")
    reads = any(option.startswith("netrc") for option, _ in ask.transport)
    if typed or not reads or not sent[-1].refused or "authorization" not in sent[-1].request.fields:
        return
    says = "The Authorization field that was sent comes from the netrc file, not from the command."
    weights = {
        "stored-credential-stale": STRONG,
        "credentials-overridden": FAINT,
        "no-credentials": RULED_OUT,
    }
    if ask.has_credentials:
        says += " The command gives another credential beside it."
        weights |= {"credentials-overridden": STRONG, "stored-credential-stale": HINT}
    yield Finding("netrc-sent", says, weights, Where.at(sent[-1], "Authorization"))


def sent_to_log_in(ask: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """A redirect to a login page is a refusal in other words."""
    if not asks_to_log_in(sent):
        return
    says = "The answer is a redirect to a login page: the request was taken for a visitor's."
    weights = {"not-an-auth-error": -60.0}
    if ask.get("cookie"):
        weights |= {"session-expired": CLEAR, "session-unknown": HINT, "cookie-corrupted": FAINT}
    elif ask.has_credentials:
        weights |= {
            "wrong-scheme": HINT,
            "auth-not-wired": FAINT,
            "wrong-header": HINT,
            "edge-protection": FAINT,
        }
    else:
        weights |= {"no-credentials": STRONG}
    yield Finding("sent-to-log-in", says, weights, Where.at(sent[0], "Location"), group="login-page")


def limited(_: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """429 holds the client back, whoever it is (RFC 6585, section 4)."""
    if sent[-1].status == 429:
        says = "The server answers 429: it holds the client back for a while."
        weights = {"too-many-attempts": NAMED + HINT, "not-an-auth-error": -60.0}
        yield Finding("held-back", says, weights, Where.at(sent[-1]), group="limited")


#: What nobody can be told who sent nothing.
_NOT_FOR_NOBODY = ("wrong-password", "unknown-user", "token-expired", "credential-revoked", "wrong-scheme")


def nothing_sent(ask: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """The request that went out holds no credential in any place, whatever the server's page supposes."""
    asked = sent[0].request
    tls = any(option == "cert" for option, _ in ask.transport)
    names = [item.name for item in asked.fields] + [name for name, _ in parse_qsl(asked.split.query)]
    if not sent[-1].refused or sent[-1].status == 407 or ask.has_credentials or ask.kept or ask.body or tls:
        return
    if any(is_sensitive_field(name) for name in names):
        return
    says = "Nothing in the request that was sent is a credential."
    weights = {"no-credentials": CLEAR, **dict.fromkeys(_NOT_FOR_NOBODY, RULED_OUT)}
    yield Finding("nothing-sent", says, weights, Where.at(sent[0]), group="nothing-sent")


_MISSED = re.compile(
    r"(?i)(?:missing|no|required|without|provide|empty|blank)[^.\n]{0,40}"
    r"(?:user|e-?mail|login|password|credential|grant|field)"
    r"|(?:user\w*|e-?mail|login|password|grant_type)[^.\n]{0,30}"
    r"(?:missing|required|blank|empty|undefined|not (?:provided|found in))"
)


def login_unread(ask: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """A login body with user and password was sent, and the answer misses them."""
    members = login_members(ask)
    response = sent[-1].response
    if not members or len(members) < 2 or response is None or not sent[-1].refused:
        return
    if _MISSED.search(response.body or ""):
        says = "The body holds a user and a password, and the answer misses them: it was not read."
        weights = {"login-body-not-read": NAMED, "wrong-password": AGAINST, "auth-rule-unintended": -12.0}
        yield Finding("login-unread", says, weights, Where.at(sent[-1]), group="login-unread")


#: Length in base64url of a signature, by algorithm (RFC 7518, section 3.1); RSA depends on the key.
_SIGNATURES = {"HS256": 43, "HS384": 64, "HS512": 86, "ES256": 86, "ES384": 128, "EdDSA": 86}


def token_cut(_: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """The token that was sent is cut off: parts are missing, or the signature is too short."""
    last = sent[-1]
    token = (last.request.fields.get("authorization") or "").rpartition(" ")[2]
    if not last.refused or not token.startswith("eyJ"):
        return
    parts = token.split(".")
    wanted = _SIGNATURES.get(str(jwt.decode(token).header.get("alg")))
    says = ""
    if token.endswith(("...", "\u2026")):
        says = "The token ends in dots: it was copied from where it is shown shortened."
    elif len(parts) < 3:
        says = f"The token has {len(parts)} of its three parts: it is cut off."
    elif len(parts) == 3 and wanted and 0 < len(parts[2]) < wanted:
        says = f"The token's signature has {len(parts[2])} of {wanted} characters: it is cut off."
    if says:
        weights = {"malformed-token": NAMED + HINT, "bad-signature": FAINT, "token-expired": -4.0}
        yield Finding("token-cut", says, weights, Where.at(last, "Authorization"), group="token-form")


def session_alone(ask: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """A cookie is all that was sent, and it was refused: then it is about the session, not a password."""
    fields = sent[-1].request.fields
    typed = (
        ask.user or ask.bearer or any(is_sensitive_field(n) and n.lower() != "cookie" for n, _ in ask.fields)
    )
    if sent[-1].status != 401 or typed or "cookie" not in fields or "authorization" in fields or ask.body:
        return
    says = "A cookie is the only credential that was sent."
    weights = {
        "session-expired": HINT,
        "session-unknown": HINT,
        "cookie-corrupted": FAINT,
        "wrong-password": AGAINST,
    }
    yield Finding("session-alone", says, weights, Where.at(sent[-1], "Cookie"), group="session-alone")


_STAMP = re.compile(r"(?i)timestamp|request-time|^x-(?:[\w-]+-)?time$")


def old_timestamp(_: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """A signed request brings its own time, and it is not now."""
    last = sent[-1]
    for item in last.request.fields if last.refused else ():
        digits = item.text.strip()
        if not _STAMP.search(item.name) or not digits.isdigit() or len(digits) not in (10, 13):
            continue
        off = time.time() - int(digits) / (1000 if len(digits) == 13 else 1)
        if abs(off) > 300:
            says = f"The time in {item.name} is {abs(off):.0f} s {'before' if off > 0 else 'after'} now."
            weights = {"clock-skew": NAMED, "request-signature-mismatch": HINT}
            yield Finding("timestamp-off", says, weights, Where.at(last, item.name), group="timestamp")


def digest_by_curl(ask: Ask, sent: Sequence[Exchange]) -> Iterator[Finding]:
    """libcurl made the Digest answer from the challenge, so its form is right: what is left is the password."""
    last = sent[-1]
    answer = (last.request.fields.get("authorization") or "").lower()
    asked = " ".join(last.response.fields.all("www-authenticate") if last.response else []).lower()
    if ask.auth in ("digest", "anyauth") and answer.startswith("digest ") and last.status == 401:
        if "stale=true" in asked or ask.get("authorization"):
            return
        says = "The Digest answer was computed from the challenge and refused: user or password is wrong."
        weights = {"wrong-password": CLEAR, "unknown-user": FAINT, "digest-mismatch": -6.0}
        yield Finding(
            "digest-by-curl", says, weights, Where.at(last, "Authorization"), group="digest-by-curl"
        )
