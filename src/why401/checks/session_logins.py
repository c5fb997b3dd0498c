"""Logins that hand out no session, sessions that one process knows, tokens against forgery."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from why401.checks import check
from why401.checks.session_view import handed_out, is_session_name, sent
from why401.evidence import Evidence, Exchange, Setting
from why401.findings import AGAINST, CLEAR, FAINT, HINT, STRONG, Finding, Where
from why401.prefilter import lazy

_LOGIN = lazy(r"log-?in|sign-?in|logon|authenticate|/sessions?\b|/auth\b|verify|callback|/token\b", re.I)
_TOKEN_BODY = lazy(r"token|jwt|\"?sid\"?\s*:|session_?id|\beyJ", re.I)
_COOKIE_SESSIONS = lazy(
    r"express-session|session\s*\(\s*\{|cookieSession|cookie-session|passport\.session|iron-session|SessionMiddleware"
    r"|flask[_-]session|session\[[\"']|session_start\(|connect\.sid|JSESSIONID|PHPSESSID|laravel_session|HttpSession"
    r"|AddSession\(|UseSession\(|AddCookie\(|CookieAuthentication|sessions\.Default|gorilla/sessions|NewCookieStore"
    r"|set_cookie\(|res\.cookie\(|setcookie\(|http\.SetCookie|cookies\(\)\.set|Set-Cookie|withCredentials"
    r"|credentials: ?['\"]include|\bSESSION_(COOKIE|SECRET|DRIVER)|cookie: ?\{",
)
_IN_LOGS = lazy(
    r"(?:POST|PUT)\b[^\n]{0,120}(?:log-?in|sign-?in|/sessions?\b|/auth|verify|token)[^\n]{0,80}(?<![\d.:])(?:200|201|204)\b"
    r"(?:[^\n]*\n){1,12}?[^\n]*\b(?:GET|POST|PUT|PATCH)\b[^\n]{0,160}(?<![\d.:])(?:401|403)\b",
    re.I,
)
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_CSRF_FIELDS = (
    "x-csrf-token",
    "x-csrftoken",
    "x-xsrf-token",
    "x-wp-nonce",
    "jenkins-crumb",
    "x-crumb",
    "nonce",
)


def is_login(exchange: Exchange) -> bool:
    method = (exchange.request.method or "").upper()
    return method in ("POST", "PUT", "") and bool(_LOGIN.search(exchange.request.path))


@check
def login_without_cookie(evidence: Evidence) -> Iterator[Finding]:
    """A login succeeds, but its response has no Set-Cookie although the session is a cookie's."""
    if not any(_COOKIE_SESSIONS.search(text.content) for text in evidence.texts):
        return
    for exchange in evidence.exchanges:
        response = exchange.response
        if response is None or not is_login(exchange) or not 200 <= (exchange.status or 0) < 400:
            continue
        where = Where.at(exchange, "Set-Cookie")
        if "set-cookie" in response.fields:
            if any(is_session_name(h.parsed.name) for h in handed_out(evidence) if h.exchange is exchange):
                says = "The login's response does hand out a session cookie."
                yield Finding("login-sets-cookie", says, {"cookie-not-issued": -14.0}, where)
            continue
        if not response.complete or len(response.fields) < 2 or _TOKEN_BODY.search(response.body or ""):
            continue
        says = "The login succeeds, but its response has no Set-Cookie: the session is never handed out."
        yield Finding(
            "login-without-cookie", says, {"cookie-not-issued": 20.0, "cookie-not-stored": -4.0}, where
        )


@check
def anonymous_after_the_login(evidence: Evidence) -> Iterator[Finding]:
    """A login succeeds, and the requests right after it are refused: the session got lost between the two."""
    for text in evidence.texts:
        match = _IN_LOGS.search(text.content[:200_000]) if text.kind != "code" else None
        if match is None or re.search(r"bearer|access_token|authorization:", match[0], re.I):
            continue
        plain = evidence.search(r"http://(?!localhost|127\.|\[?::1)[\w.-]+(:\d+)?") and not evidence.search(
            r"https://"
        )
        says = "The login succeeds, and the requests after it are refused: the session got lost between them."
        weights = dict.fromkeys(
            ("cookie-not-stored", "cookie-not-sent", "cookie-not-issued", "session-unknown"), 5.0
        )
        weights |= {
            "wrong-password": -8.0,
            "unknown-user": -8.0,
            "fetch-credentials-omitted": 3.0,
            "no-credentials": -6.0,
        }
        if plain:
            says += " All goes over plain http, where a browser keeps no Secure cookie."
            weights |= {"cookie-not-stored": 10.0, "https-required": 5.0}
        where = Where.of(text.source.at(text.line_at(match.start())))
        yield Finding("anonymous-after-login", says, weights, where)
        return


@check
def forged_looking(evidence: Evidence) -> Iterator[Finding]:
    """With the same cookie a GET succeeds and a writing method is refused: what lacks is the CSRF token."""
    good = {
        cookie
        for exchange in evidence.succeeded
        if (exchange.request.method or "").upper() in ("GET", "HEAD")
        for cookie in sent(exchange).pairs
        if is_session_name(cookie[0])
    }
    for exchange in evidence.refused:
        if (exchange.request.method or "").upper() not in _UNSAFE or not good.intersection(
            sent(exchange).pairs
        ):
            continue
        has_token = any(name in exchange.request.fields for name in _CSRF_FIELDS)
        says = "The same session reads, but may not write" + (
            "." if has_token else ", and no anti-forgery token is sent."
        )
        weights = {
            "csrf-rejected": HINT if has_token else CLEAR,
            "session-expired": AGAINST,
            "session-unknown": -6.0,
        }
        yield Finding("reads-but-may-not-write", says, weights, Where.at(exchange), "csrf-structure")


@check
def crumb_without_session(evidence: Evidence) -> Iterator[Finding]:
    """A crumb or token is fetched, and used without the cookie of the request that fetched it."""
    fetched = [x for x in evidence.succeeded if re.search(r"crumb|csrf|xsrf|nonce", x.request.path, re.I)]
    for exchange in evidence.refused:
        if (
            fetched
            and any(name in exchange.request.fields for name in _CSRF_FIELDS)
            and not sent(exchange).pairs
        ):
            says = "The anti-forgery token is sent without the session cookie to which it belongs."
            yield Finding(
                "token-without-session", says, {"csrf-rejected": STRONG}, Where.at(exchange), "csrf-structure"
            )


# ------------------------------------------------------------------------------ one in several processes

_LOOP = lazy(r"(?:\b(?:200|401|403)\b[\s,|>-]+){4,}", re.S)


@check
def now_and_then(evidence: Evidence) -> Iterator[Finding]:
    """The same request is answered 200 and 401 in turn: processes that do not share a secret or store."""
    where = _mixed_exchanges(evidence) or _mixed_loop(evidence)
    if where is None:
        return
    says = (
        "The same request, sent again and again, is now accepted, now refused: not all processes judge alike."
    )
    weights = {
        "secret-rotated": CLEAR + 2,
        "session-unknown": CLEAR,
        "wrong-password": AGAINST,
        "no-credentials": AGAINST,
        "token-expired": AGAINST,
        "insufficient-scope": AGAINST,
    }
    if re.search(r"bearer|\bjwt\b|eyJ", "\n".join(t.content for t in evidence.texts), re.I):
        weights |= {"secret-rotated": STRONG, "session-unknown": HINT}
    yield Finding("mixed-answers", says, weights, where, "contrast-frequency")


_RUN = lazy(
    r"(?:(?<![\d.:-])(?:200|204)\b[^\n]{0,80}\n+){3,}"
    r"(?:[^\n]{0,80}?(?<![\d.:-])401\b[^\n]{0,80}\n*){2,}"
)


@check
def worked_then_refused(evidence: Evidence) -> Iterator[Finding]:
    """The same poll succeeds for a while and then is refused to the end: a lifetime is over."""
    for text in evidence.texts:
        match = _RUN.search(text.content[:20_000]) if text.kind in ("message", "terminal", "log") else None
        if match is None:
            continue
        tokens = evidence.search(r"bearer|\bjwt\b|access_token|refresh")
        kept = evidence.search(r"requests\.Session|cookie|session|/login") and not tokens
        says = "The same call succeeds for a while, and then is refused to the end."
        weights = {"session-expired": 12.0 if kept else 4.0, "wrong-password": -8.0, "no-credentials": -6.0}
        weights |= {"session-unknown": 4.0} if kept else {"token-expired": 6.0, "refresh-failed": 4.0}
        yield Finding(
            "worked-then-refused", says, weights, Where.of(text.source.at(text.line_at(match.start())))
        )
        return


def _mixed_loop(evidence: Evidence) -> Where | None:
    for text in evidence.texts:
        if text.kind == "log":
            continue
        for match in _LOOP.finditer(text.content[:100_000]):
            codes = re.findall(r"\b(200|401|403)\b", match[0])
            changes = sum(one != two for one, two in pairwise(codes))
            if "200" in codes and changes >= 2:
                return Where.of(text.source.at(text.line_at(match.start())))
    return None


def _mixed_exchanges(evidence: Evidence) -> Where | None:
    seen: dict[tuple[object, ...], list[bool]] = defaultdict(list)
    for exchange in evidence.exchanges:
        request = exchange.request
        if exchange.status is None or exchange.label == "preflight":
            continue
        key = (
            request.method,
            request.url,
            *request.fields.all("authorization"),
            *request.fields.all("cookie"),
        )
        seen[key].append(exchange.refused)
        history = seen[key]
        if sum(one != two for one, two in pairwise(history)) >= 2:
            return Where.at(exchange)
    return None


_SECRET_KEYS = lazy(
    r"(^|[._])(app_key|app_secret|secret_key|secret_key_base|jwt_secret|session_secret|nextauth_secret|auth_secret"
    r"|cookie_secret|jwt_secret_key|airflow__webserver__secret_key|encryption_key|app_keys|validationkey)$",
    re.I,
)


@check
def secrets_that_differ(evidence: Evidence) -> Iterator[Finding]:
    """One setting, two values: two nodes, or before and after."""
    held: dict[str, Setting] = {}
    for setting in evidence.settings:
        match = _SECRET_KEYS.search(setting.key)
        if match is None or not setting.text or setting.text.startswith(("$", "{", "*", "<")):
            continue
        other = held.setdefault(match[2].lower(), setting)
        if other.text != setting.text:
            says = f"{match[2]} has two values, so what one process signs another can't verify."
            weights = {"secret-rotated": STRONG, "bad-signature": HINT}
            yield Finding("secret-two-values", says, weights, Where.of(setting.source), "secret-source")
            return


# ------------------------------------------------------------------------------------------- restarts

_RESTART = lazy(
    r"restart(ed|ing|s)?\b|re-?deploy|rebooted|new (container|pod|deployment)|server started|started server"
    r"|listening on|application startup complete|booting worker|started application|container (re)?created",
    re.I,
)


@check
def refused_since_the_restart(evidence: Evidence) -> Iterator[Finding]:
    """A session cookie is sent, and between success and refusal the process was started anew."""
    carried = any(is_session_name(n) for x in evidence.refused for n, v in sent(x).pairs if v)
    for text in evidence.texts:
        match = _RESTART.search(text.content)
        after = text.content[match.end() :] if match else ""
        before = text.content[: match.start()] if match else ""
        if match and re.search(r"\b(401|403)\b", after) and re.search(r"\b(200|302|logged in)\b", before):
            says = "Between the last success and the refusal the process was started anew."
            weights = {
                "session-unknown": CLEAR if carried else HINT,
                "secret-rotated": HINT if carried else FAINT,
            }
            where = Where.of(text.source.at(text.line_at(match.start())))
            yield Finding("refused-since-restart", says, weights, where, "contrast-restart")
            return


@check
def secret_is_fixed(evidence: Evidence) -> Iterator[Finding]:
    """The secret stands in the settings with one value: then restarts do not change it."""
    held = [
        s
        for s in evidence.settings
        if _SECRET_KEYS.search(s.key) and re.fullmatch(r"[\w+/=*.:-]{4,}", s.text)
    ]
    if held and len({s.text for s in held}) == 1:
        setting = held[0]
        says = "The secret stands in the settings, so a restart does not change it."
        yield Finding("secret-fixed", says, {"secret-rotated": -6.0}, Where.of(setting.source))
