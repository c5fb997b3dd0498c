"""Did the 401 come from a cache? (family `cache`; RFC 9111)"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from why401.checks import check
from why401.evidence import Evidence, Exchange
from why401.findings import FAINT, HINT, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol import caching


def _headers(exchange: Exchange) -> dict[str, str]:
    return {f.name: f.text for f in exchange.response.fields} if exchange.response else {}


@check
def answered_from_a_cache(evidence: Evidence) -> Iterator[Finding]:
    """Age, X-Cache and their like on the refusal itself."""
    for exchange in evidence.refused:
        facts = caching.facts(
            _headers(exchange),
            status=exchange.status or 401,
            request_authorization="authorization" in exchange.request.fields,
        )
        verdict = caching.from_cache(facts)
        told = next((f for f in facts if f.from_cache is verdict), None) if verdict is not None else None
        if told is not None:
            weight = 22.0 if verdict else -8.0
            yield Finding(
                "cache-told",
                told.says,
                {"cached-response": weight},
                Where.at(exchange, told.field),
                "cache-hit",
            )
        for fact in facts:
            if fact.kind in ("storable", "vary"):
                weights = {"cached-response": HINT if fact.kind == "storable" else FAINT}
                yield Finding(
                    f"cache-{fact.kind}", fact.says, weights, Where.at(exchange, fact.field), "cache-may"
                )


@check
def another_query_helps(evidence: Evidence) -> Iterator[Finding]:
    """The same path with another query string, which is another cache key, succeeds."""
    for bad in evidence.refused:
        for good in evidence.succeeded:
            one, two = bad.request.split, good.request.split
            unlike = one.query != two.query and (not one.query or not two.query)
            if (
                bad.request.host == good.request.host
                and one.path == two.path
                and unlike
                and _no_key(one.query)
                and _no_key(two.query)
                and {bad.request.method or "GET", good.request.method or "GET"} <= {"GET", "HEAD"}
            ):
                says = "With another query string, which a cache keeps apart, the same path succeeds."
                weights = {"cached-response": STRONG}
                yield Finding("cache-query", says, weights, Where.at(bad), "cache-said")
                return


def _no_key(query: str) -> bool:
    """Is the query no credential of its own?"""
    return not re.search(
        r"key|token|sig|auth|secret|nonce|user|pass|session|code|jwt|grant_|client_", query, re.I
    )


_HIT = lazy(
    r"^[\s<>*|\"']*(?P<field>age|x-cache|cf-cache-status|x-cache-status|x-proxy-cache|x-varnish|x-vercel-cache"
    r"|x-litespeed-cache|x-kinsta-cache|x-drupal-cache|x-nextjs-cache|cache-status)[\"']?\s*[:=]\s*[\"']?"
    r"(?P<value>[^\n\"']*)",
    re.I | re.M,
)


@check
def cache_fields_in_notes(evidence: Evidence) -> Iterator[Finding]:
    """The same fields in loose notes, beside a 401 or 403."""
    for text in evidence.texts:
        content = text.content[:200_000]
        for match in _HIT.finditer(content):
            before = content[max(0, match.start() - 500) : match.start()]
            statuses = re.findall(r"(?<![\d.:-])([1-5]\d\d)(?= |\n|\s*\()", before)
            if not statuses or statuses[-1] not in ("401", "403"):
                continue
            facts = caching.facts({match["field"]: match["value"].strip()})
            if caching.from_cache(facts):
                where = Where.of(text.source.at(text.line_at(match.start())))
                yield Finding("cache-told", facts[0].says, {"cached-response": 21.0}, where, "cache-hit")
                return


@check
def passed_by_the_cache(evidence: Evidence) -> Iterator[Finding]:
    """The server's own log shows the refused request: then it was no cache that answered."""
    paths = {urlsplit(x.request.url or "").path for x in evidence.refused}
    for record in evidence.records:
        if record.status in (401, 403) and record.path and record.path.split("?")[0] in paths:
            says = "The server's log shows the refused request, so no cache answered it."
            yield Finding("cache-passed", says, {"cached-response": -6.0}, Where.of(record.source))
            return
