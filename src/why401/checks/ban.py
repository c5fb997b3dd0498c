"""Checks of the family `ban`: the credential does not matter, for the client is held back.

Limits announce themselves by 429 and Retry-After (RFC 6585, section 4; RFC 9110, section 10.2.3) or by
RateLimit fields; lockouts and bans often do not, and look like a wrong password. What tells them is what came
before: a run of failures, a change of address that cures it, a cache that was emptied.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import troubled, where
from why401.evidence import REFUSALS, Evidence, Record
from why401.findings import CLEAR, HINT, STRONG, Finding, Where

_REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")


@check
def limited(evidence: Evidence) -> Iterator[Finding]:
    """429, Retry-After or an empty budget beside the refusal."""
    for exchange in evidence.exchanges:
        if exchange.response is None:
            continue
        fields = exchange.response.fields
        empty = next((name for name in _REMAINING if (fields.get(name) or "").strip() == "0"), None)
        if exchange.refused and "retry-after" in fields:
            says = "The refusal carries Retry-After: it is for a while."
            yield Finding(
                "retry-after",
                says,
                {"too-many-attempts": STRONG, "client-banned": 5.0},
                Where.at(exchange, "Retry-After"),
                group="limited",
            )
        elif empty and (exchange.refused or exchange.status == 429):
            yield Finding(
                "budget-empty",
                "The budget of requests is used up.",
                {"too-many-attempts": STRONG},
                Where.at(exchange, empty),
                group="limited",
            )
        elif exchange.status == 429:
            says = "Requests were answered 429 (too many)."
            yield Finding(
                "too-many-requests", says, {"too-many-attempts": 13.0}, Where.at(exchange), group="limited"
            )


@check
def run_of_failures(evidence: Evidence) -> Iterator[Finding]:
    """In the log: failures of one address, then another kind of refusal for all it asks."""
    by_address: dict[str, list[Record]] = defaultdict(list)
    for record in evidence.records:
        if record.status is not None and record.address:
            by_address[record.address].append(record)
    for address, records in by_address.items():
        turned = _turn(records)
        if turned is not None:
            count, record = turned
            says = f"After {count} failed logins from {address} the answer turns to {record.status}."
            weights = {"too-many-attempts": 16.0, "client-banned": 12.0}
            yield Finding(
                "turned-after-failures", says, weights, Where.of(record.source), group="run-of-failures"
            )
            return
    for address, records in by_address.items():
        failures = [record for record in records if record.status in (401, 403)]
        if len(failures) >= 8 and len(failures) == len(records):
            says = f"All {len(failures)} requests from {address} were refused."
            yield Finding(
                "run-of-failures",
                says,
                {"too-many-attempts": 4.0, "client-banned": 4.0, "stored-credential-stale": 4.0},
                Where.of(failures[0].source),
                group="run-of-failures",
            )
            return


def _turn(records: list[Record]) -> tuple[int, Record] | None:
    """How many 401 came before the answer turned to 403 or 429, and the record where it turned."""
    failures = 0
    for record in records:
        if record.status == 401:
            failures += 1
        elif record.status in (403, 423, 429) and failures >= 3:
            return failures, record
        elif record.status is not None and record.status < 400:
            failures = 0
    return None


@check
def everybody_one_address(evidence: Evidence) -> Iterator[Finding]:
    """All clients seem to come from one private address: a proxy, whose ban is everybody's."""
    addresses = {record.address for record in evidence.records if record.address}
    refused = [record for record in evidence.records if record.status in REFUSALS]
    if len(addresses) != 1 or len(refused) < 3 or not _private(next(iter(addresses))):
        return
    if evidence.search(r"(?i)\bban|lock|throttl|blocked|attempts|axes|fail2ban"):
        says = "All requests seem to come from one private address, that of a proxy or bridge."
        weights = {"client-banned": HINT, "too-many-attempts": HINT}
        yield Finding("one-address", says, weights, Where.of(refused[0].source))


def _private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False


_NETWORK = {"client-banned": 15.0, "too-many-attempts": 9.0, "edge-protection": 3.0}


@check
def network_contrast(evidence: Evidence) -> Iterator[Finding]:
    """It works from another address."""
    for contrast in evidence.contrasts:
        if contrast.axis == "network":
            says = "It works from another address or network."
            yield Finding(
                "other-network-works", says, _NETWORK, Where.of(contrast.source), group="other-network"
            )
            return


# What people tell that points to a counter, a ban or a limit.
_TOLD: tuple[tuple[str, str, str, dict[str, float]], ...] = (
    ("other-network", r"(?i)(?:another|other|different|new|my phone'?s?|mobile|home|office|changing (?:my|the))[^.\n]{0,20}\b(?:ip|ip address|address|network|connection|hotspot|data|vpn|location|isp)\b[^.\n]{0,60}(?:works?|fine|can (?:connect|log|reach)|ok\b|succe|connect)|(?:works?|fine|can (?:connect|log in|reach))[^.\n]{0,50}(?:from|on|over|via|with|using|through) (?:another|a different|other|mobile|my phone|4g|5g|lte|a vpn|vpn|home)[^.\n]{0,20}",
     "It works from another address or network.", _NETWORK),
    ("counter-emptied", r"(?i)(?:flush(?:all|ed|ing|db)?|clear(?:ed|ing)?|empt(?:y|ied)|delet(?:e|ed|ing)|truncat\w+|reset\w*)[^.\n]{0,50}(?:redis|cache|flood|throttle|attempts|counter|ban|lock|memcache|access_?attempt)\w*|redis-cli flushall|axes_reset|ip_bans",
     "Emptying a counter or cache helps for a while.", {"too-many-attempts": 13.0, "client-banned": 9.0, "cached-response": -3.0}),
    ("waiting-helps", r"(?i)(?:after|wait(?:ing|ed)?|in|within)[^.\n]{0,25}(?:\d+|a few|some|an?|several|half an?|couple of) ?(?:minutes?|min|hours?|h\b|days?|while)[^.\n]{0,50}(?:works? again|it works|can log ?in again|is fine again|goes away|recovers|resolves itself|lets me in)|next day[^.\n]{0,30}works",
     "Waiting helps.", {"too-many-attempts": 14.0, "client-banned": 5.0, "wrong-password": -10.0}),
    ("many-tries", r"(?i)(?:mistyped|tried|typed|entered|wrong password|failed log(?:in|ged))[^.\n]{0,50}(?:several|many|multiple|few|\d+|number of) ?times|after (?:\d+|several|many|multiple|a few|three|five) (?:failed |wrong |unsuccessful |bad )?(?:log ?ins?|attempts|tries|passwords)",
     "Several tries went before.", {"too-many-attempts": 11.0, "client-banned": 5.0, "account-disabled": 4.0}),
    ("banned", r"(?i)\b(?:banned|blacklisted|blocklisted|ip[- ]?bans?|unban\w*|deny ?list|allow ?list|white ?list)\b", "A ban or list of addresses is named.", {"client-banned": 13.0, "too-many-attempts": 5.0}),
    ("other-client-closed", r"(?i)(?:clos(?:e|ed|ing)|stop(?:ped|ping)?|quit|kill(?:ed|ing)?|disconnect\w*|disabl\w*|log(?:ged)? ?out|shut(?:ting)? down|turn(?:ed)? off)[^.\n]{0,60}\b(?:viewer|app|stream|client|nvr|recorder|session|tab|other|second|first|browser|vlc|frigate|blue iris|instance)s?\b[^.\n]{0,60}(?:works?|fine|connects?|ok\b|goes away|comes? back|plays?|succe)|\b(?:second|third|fourth|another|2nd|3rd) (?:stream|viewer|client|connection|device|session|player|camera view)\b[^.\n]{0,50}(?:40[13]|fail|refus|unauthori|gets?|gives?)|only (?:one|two|three|\d+)[^.\n]{0,30}(?:at (?:a|the same) time|simultaneous|concurrent|can (?:connect|log|view))|(?:as soon as|when|once|if)[^.\n]{0,30}\b(?:second|third|fourth|fifth|another|more than)\b[^.\n]{0,40}\b(?:viewer|stream|client|connection|user|app|session|instance|device|login)",
     "It works while fewer others are connected.", {"connection-limit": 17.0, "wrong-password": -8.0}),
    ("logins-pile-up", r"(?i)\b(?:never|not|without|no|forgets? to|missing)\b[^.\n]{0,20}\b(?:log(?:s|ged|ging)?[ -]?out|clos(?:e|es|ed|ing) (?:the |its |old )?(?:session|connection)s?|end the session)|(?:new|another|fresh) (?:login|session|connection)s? (?:for|with|on|at|per|is opened for) (?:each|every)|(?:after|about|some|around) (?:\d+|many|several|multiple|a number of) (?:logins|sessions|connections|polls)\b",
     "Each run logs in anew and none logs out: the places fill up.", {"connection-limit": 14.0, "too-many-attempts": 4.0}),
    ("device-restarted", r"(?i)(?:reboot|restart|power[- ]cycl)\w*[^.\n]{0,30}\b(?:camera|cam|nvr|dvr|device|recorder|printer|router|modem|gateway|box|switch|idrac|ilo|bmc)\b[^.\n]{0,60}(?:works?|fine|help|fix|cure|while|again|ok\b)",
     "Restarting the device helps for a while.", {"connection-limit": 14.0, "too-many-attempts": 4.0, "session-unknown": -2.0}),
    ("other-agent", r"(?i)(?:with|using|setting|changing|if|when|as)[^.\n]{0,40}(?:browser|another|different|custom|mozilla|chrome|other|own)\W{0,3}\w{0,10} ?user[- ]agent[^.\n]{0,80}(?:works?|200|ok\b|fine|passes|accept)|user[- ]agent[^.\n]{0,40}(?:40[13]|fails?|refused|blocked)",
     "With another user agent it works.", {"client-banned": 15.0, "edge-protection": 11.0, "wrong-password": -8.0}),
)  # fmt: skip


@check
def told_about_limits(evidence: Evidence) -> Iterator[Finding]:
    """What people tell of bans, counters and limits."""
    if not troubled(evidence):
        return
    groups = {"other-network": "other-network"}
    for id, pattern, says, weights in _TOLD:
        if re.search(pattern, evidence.prose):
            found = where(evidence, pattern)
            yield Finding(
                f"told-{id}",
                says,
                weights,
                found[1] if found else Where(),
                group=groups.get(id, f"told-{id}"),
            )


@check
def line_in_use(evidence: Evidence) -> Iterator[Finding]:
    """Counts of connections beside their limit, as players of streams report them."""
    limit = where(
        evidence,
        r"[\"']?(?:max_connections|max_sessions|maxSessions|max_streams|maxUsers|session_limit)[\"']?\s*[:=]\s*[\"']?(\d+)",
    )
    used = where(
        evidence,
        r"[\"']?(?:active_cons|active_connections|active_sessions|activeSessions|current_sessions|current_users|sessions_in_use|sessions|in_use)[\"']?\s*[:=]\s*[\"']?(\d+)",
    )
    if limit and used and int(used[0].group(1)) >= int(limit[0].group(1)) > 0 and troubled(evidence):
        says = f"{used[0].group(1)} of {limit[0].group(1)} connections are taken."
        yield Finding(
            "line-in-use", says, {"connection-limit": 22.0}, used[1], group="named:connection-limit"
        )


@check
def one_session_setting(evidence: Evidence) -> Iterator[Finding]:
    """A setting that limits the sessions of a user."""
    found = where(
        evidence,
        r"(?i)maximumSessions\(\s*1\s*\)|max_?(?:concurrent_?)?sessions[\"']?\s*[:=]\s*[\"']?[12]\b|maxSessionsPreventsLogin\(\s*true|limit_concurrent_sessions|single[-_]session[\"']?\s*[:=]\s*[\"']?true",
    )
    if found and troubled(evidence):
        says = "A setting limits how many sessions a user may have."
        yield Finding(
            "session-limit-set",
            says,
            {"connection-limit": CLEAR, "session-expired": 3.0, "session-unknown": 3.0},
            found[1],
        )
