"""What a log tells of sessions: known to one node and not to another, new at every request, or left idle."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from why401.checks import check
from why401.evidence import Evidence, Record, Text
from why401.findings import FAINT, HINT, STRONG, Finding, Where
from why401.prefilter import lazy

_LINE = lazy(
    r"\b(?P<method>GET|POST|PUT|PATCH|DELETE)\b[\s\"']+(?P<path>(?:https?://[^/\s\"]+)?/[^\s\"'?]*)[^\n]*?"
    r"(?<![\d.:/-])(?P<status>[2-5]\d\d)(?![\d.:])"
)
_NODE = lazy(
    r"\b(?:upstream(?:_addr)?|pod|node|instance|backend|replica|worker|pid|dyno|container|server|host)(?:\s*[=:]\s*|\s+)"
    r"[\"'\[]?(?P<a>[\w.-]*\d[\w.-]*(?::\d+)?)"
    r"|^\[?(?:pod/)?(?P<b>[a-z][a-z0-9.]*(?:-[a-z0-9]+)*[.-][a-z0-9]+)(?:/\S+)?\]?\s*[|\]:]",
    re.I,
)
_LOGIN = lazy(r"log-?in|sign-?in|logon|/auth\b|/sessions?\b|authenticate|callback|j_security", re.I)
_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class _Seen:
    method: str
    path: str
    status: int
    node: str
    line: str
    where: Where


def _lines(text: Text) -> Iterator[_Seen]:
    first = text.source.line or 1
    for number, line in enumerate(text.content[:_BYTES].splitlines()):
        match = _LINE.search(line)
        if match is not None:
            node = _NODE.search(line[match.end() :]) or _NODE.search(line[: match.start()])
            name = (node["a"] or node["b"] or "") if node else ""
            where = Where.of(text.source.at(first + number))
            yield _Seen(match["method"], match["path"], int(match["status"]), name, line, where)


def alike(one: str, two: str) -> bool:
    """Are two names those of copies of one application? Same port of two addresses, or one stem."""
    if one == two:
        return False
    address = r"\d+\.\d+\.\d+\.\d+"
    if re.match(address, one) and re.match(address, two):
        return one.rpartition(":")[2] == two.rpartition(":")[2] or ":" not in one + two
    if one.isdigit() and two.isdigit():
        return True
    stems = [
        re.sub(r"(?:[._-]?\d+|[._-][a-z0-9]{4,10}(?:[._-][a-z0-9]{4,6})?)$", "", name) for name in (one, two)
    ]
    return stems[0] == stems[1] != "" and stems[0] not in (one, two)


@check
def known_to_one_node(evidence: Evidence) -> Iterator[Finding]:
    """A login is answered by one copy of the application and the refusal comes from another."""
    for text in evidence.texts:
        login: _Seen | None = None
        for seen in _lines(text) if text.kind not in ("code", "settings") else ():
            if seen.method in ("POST", "PUT") and _LOGIN.search(seen.path) and seen.status < 400:
                login = seen
            elif login and login.node and seen.status in (401, 403) and alike(login.node, seen.node):
                tokens = evidence.search(r"\bbearer\b|\bjwt\b|\beyJ|access_token")
                says = (
                    f"The login went to {login.node}, and {seen.node} refuses: it does not know the session."
                )
                weights = {"session-unknown": STRONG + 3, "secret-rotated": HINT}
                if tokens:
                    weights = {"session-unknown": HINT, "secret-rotated": STRONG}
                weights |= {"wrong-password": -8.0, "no-credentials": -6.0}
                yield Finding("session-of-another-node", says, weights, seen.where, "several-nodes")
                return


_SESSION_ID = lazy(
    r"\b(?:sid|session(?:[_. -]?id)?|JSESSIONID|PHPSESSID|connect\.sid)[\"']?\s*[=:]\s*[\"']?(?P<a>[\w.%-]{8,})"
    r"|\((?P<b>[\w-]{20,})\)\s*$",
    re.I,
)


@check
def a_session_for_each_request(evidence: Evidence) -> Iterator[Finding]:
    """Each logged request has another session: the client never brings the cookie back."""
    for text in evidence.texts:
        names: list[str] = []
        refused: Where | None = None
        for seen in _lines(text) if text.kind not in ("code", "settings") else ():
            match = _SESSION_ID.search(seen.line)
            if match is not None:
                names.append(match["a"] or match["b"])
                refused = seen.where if seen.status in (401, 403) else refused
        if refused is not None and len(names) >= 3 and len(set(names)) == len(names):
            says = "Each request has a session of its own: the cookie that was made is never brought back."
            yield Finding("session-each-request", says, _never_back(evidence), refused, "session-new")
            return


@check
def handed_out_each_time(evidence: Evidence) -> Iterator[Finding]:
    """The same in exchanges: each response hands out the session cookie anew, and no request brings one."""
    from why401.checks.session_view import is_session_name, sent
    from why401.protocol import cookies

    given: dict[tuple[str, str], set[str]] = defaultdict(set)
    for exchange in evidence.exchanges:
        if any(is_session_name(name) for name, _ in sent(exchange).pairs) or not exchange.request.complete:
            continue
        for line in exchange.response.fields.all("set-cookie") if exchange.response else ():
            cookie = cookies.parse_set_cookie(line)
            if is_session_name(cookie.name) and cookie.value:
                values = given[exchange.request.host or "", cookie.name]
                values.add(cookie.value)
                if len(values) >= 2 and exchange.refused:
                    says = f"The cookie {cookie.name} is handed out anew each time, and never brought back."
                    where = Where.at(exchange, "Set-Cookie")
                    yield Finding("session-each-request", says, _never_back(evidence), where, "session-new")
                    return


def _never_back(evidence: Evidence) -> dict[str, float]:
    secure = evidence.search(r"secure\s*[:=]\s*true|cookie_secure|SameSite")
    return {
        "cookie-not-stored": HINT + (2.0 if secure else 0.0),
        "cookie-not-sent": HINT,
        "cookie-not-issued": HINT + (2.0 if secure else 0.0),
        "fetch-credentials-omitted": HINT,
        "session-unknown": -12.0,
        "session-expired": -10.0,
        "wrong-password": -8.0,
        "csrf-rejected": -4.0,
    }


# ------------------------------------------------------------------------------------------- idleness

#: Settings of idle time-outs, and how many seconds their bare number counts.
_TIMEOUTS: tuple[tuple[str, int], ...] = (
    (r"gc_maxlifetime|session_cookie_age|session[._-]?max[._-]?age|session_?timeout_?seconds|ttl", 1),
    (
        r"session[._-]?lifetime|session-timeout|timeout_?in_?minutes|slidingexpiration|sessionstate.*timeout",
        60,
    ),
    (r"session[._-]?time-?out|idle[._-]?time-?out|inactiv\w*(?:duration|time-?out)?", 1),
)
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_AMOUNT = lazy(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)?(?:ec\w*|in\w*|ours?|ays?)?\s*$", re.I)
_SHORTEST = timedelta(minutes=5)


def idle_times(evidence: Evidence) -> list[timedelta]:
    """The idle time-outs that the settings name."""
    found = []
    for setting in evidence.settings:
        unit = next((unit for key, unit in _TIMEOUTS if re.search(key, setting.key, re.I)), None)
        amount = _AMOUNT.match(setting.text) if unit else None
        if unit and amount:
            seconds = float(amount[1]) * (_UNITS[amount[2].lower()] if amount[2] else unit)
            if 0 < seconds < 86400 * 400:
                found.append(timedelta(seconds=seconds))
    return found


@check
def refused_after_a_pause(evidence: Evidence) -> Iterator[Finding]:
    """In an access log a client is served, is silent for long, and is refused at its next request."""
    clients: dict[tuple[str | None, str | None, str], list[Record]] = defaultdict(list)
    for record in evidence.records:
        if record.time is not None and record.status is not None and (record.address or record.user):
            clients[record.address, record.agent, record.source.name].append(record)
    for records in clients.values():
        finding = _pause(records, idle_times(evidence))
        if finding is not None and not evidence.search(r"authorization:\s*basic|auth_basic|AuthType\s+Basic"):
            yield finding
            return


def _pause(records: Sequence[Record], idle: Sequence[timedelta]) -> Finding | None:
    longest = timedelta(0)
    for one, two in pairwise(records):
        if one.time is None or two.time is None or (one.time.tzinfo is None) != (two.time.tzinfo is None):
            return None
        gap = two.time - one.time
        if one.status is not None and one.status < 400 and two.status in (401, 403):
            if gap < _SHORTEST or gap < 2 * longest or _LOGIN.search(two.path or ""):
                return None
            over = any(timeout <= gap for timeout in idle)
            minutes = int(gap.total_seconds() // 60)
            says = f"After {minutes} minutes of silence the client's next request is refused."
            if over:
                says += " That is longer than the session's time-out."
            weights = {
                "session-expired": STRONG if over else HINT + 2,
                "token-expired": 0.0 if over else FAINT,
            }
            weights |= {"wrong-password": -6.0, "no-credentials": -4.0}
            return Finding("refused-after-pause", says, weights, Where.of(two.source), "lifetime-log")
        longest = max(longest, gap)
    return None
