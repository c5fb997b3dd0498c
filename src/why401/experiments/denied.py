"""What counts as the protected answer, and what as a refusal: a login page is one, whatever its status."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from why401.evidence import REFUSALS, Exchange

_LOGIN_PAGE = re.compile(r"""(?i)<input[^>]+type=["']?password|name=["']?(?:password|passwd|pwd)["']?""")
_LOGIN_PATH = re.compile(
    r"(?i)/(?:wp-)?(?:log-?in|sign-?in|log_?on|sso|saml|oauth2?|accounts/login|session/new)\b"
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def reached(exchange: Exchange | None) -> bool:
    """Whether an answer is the protected one: 2xx, and not a page that asks for a password."""
    if exchange is None or exchange.status is None or not 200 <= exchange.status < 300:
        return False
    return not shows_login(exchange)


def shows_login(exchange: Exchange) -> bool:
    """Whether an answer is a page with a field for a password."""
    response = exchange.response
    kind = (response.fields.get("content-type") or "") if response else ""
    return bool("html" in kind and response and _LOGIN_PAGE.search(response.body or ""))


def asks_to_log_in(sent: Sequence[Exchange]) -> bool:
    """Whether a request for something else was turned to a login page by redirects."""
    first = sent[0].request.split.path
    if _LOGIN_PATH.search(first) or sent[0].request.method not in ("GET", "HEAD"):
        return False
    if sent[-1].refused or not any(_turns_to_login(exchange) for exchange in sent):
        return False
    return sent[-1].status in _REDIRECTS or shows_login(sent[-1])


def _turns_to_login(exchange: Exchange) -> bool:
    location = exchange.response.fields.get("location") if exchange.response else None
    if location is None or exchange.status not in _REDIRECTS:
        return False
    return bool(_LOGIN_PATH.search(urlsplit(urljoin(exchange.request.url or "", location)).path))


def denied(exchange: Exchange | None) -> bool:
    """Whether an answer is a refusal: 401, 403, 407, a login page, or a redirect to one."""
    if exchange is None:
        return False
    return exchange.status in REFUSALS or shows_login(exchange) or _turns_to_login(exchange)
