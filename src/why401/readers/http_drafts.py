"""Exchanges while they are being read, and their making into evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from why401.evidence import (
    Answer,
    Demand,
    Evidence,
    Exchange,
    Field,
    Fields,
    Offer,
    Request,
    Response,
    Source,
)
from why401.readers.curl_shell import OPEN
from why401.readers.http_facts import facts


def _set(words: str) -> frozenset[str]:
    """The words of a text, for tables that read as text."""
    return frozenset(words.split())


LONGEST_BODY: Final = 200_000
_REQUEST_ONLY: Final = _set(
    """
    cookie authorization proxy-authorization host user-agent accept accept-language accept-encoding
    referer origin if-none-match if-modified-since te depth x-api-key apikey x-requested-with
    x-csrf-token x-wp-nonce access-control-request-method access-control-request-headers
    upgrade-insecure-requests x-forwarded-for x-forwarded-proto x-forwarded-host x-real-ip
    sec-fetch-mode sec-fetch-site
    """
)

LONGEST_FIELD: Final = 64_000  #: characters of one value; servers take 8,000 or so
MOST_FIELDS: Final = 1000  #: of one message; servers take a hundred or two


def joined(base: str | None, url: str) -> str:
    """`url` as seen from `base`; as it is where one of them is no URL, such as `http://[x/`."""
    try:
        return urljoin(base or "", url)
    except ValueError:
        return url


@dataclass(slots=True)
class Draft:
    """One exchange as it is being read; sides that were not seen stay None."""

    line: int
    method: str | None = None
    url: str | None = field(default=None, repr=False)
    version: str | None = None
    fields: list[Field] = field(default_factory=list, repr=False)
    body: list[str] = field(default_factory=list, repr=False)
    asked: bool = False  # a request was seen
    request_complete: bool = True
    status: int | None = None
    reason: str = ""
    response_version: str | None = None
    response_fields: list[Field] = field(default_factory=list, repr=False)
    response_body: list[str] = field(default_factory=list, repr=False)
    answered: bool = False
    response_complete: bool = True
    client: str | None = None
    hop: str | None = None
    label: str = ""
    time: datetime | None = None
    provenance: str = "request"
    provenances: dict[str, str] = field(default_factory=dict)  # of single fields, by lower-case name
    offers: list[Offer] = field(default_factory=list, repr=False)
    joined: bool = False  # the URL was made absolute with that of the exchange before
    code_line: re.Pattern[str] | None = None  # what `-w` prints, with the status as group `status`
    command: bool = False  # made from a command, so that the output after it belongs to it

    def put(self, item: Field, side: str) -> None:
        """Add a field to the side `request`, `response` or, by its name, `either`."""
        if side == "either":
            pseudo = item.name.startswith(":") and item.name != ":status"
            side = "request" if pseudo or item.name.lower() in _REQUEST_ONLY else "response"
        if side == "request":
            self.asked = True
            held = self.fields
        else:
            self.answered = True
            held = self.response_fields
        if len(held) < MOST_FIELDS:
            whole = len(item.value) <= LONGEST_FIELD
            held.append(item if whole else Field.of(item.name, item.text[:LONGEST_FIELD], item.line))

    @property
    def worth(self) -> bool:
        """Whether there is more than a bare line that may be anything."""
        return self.answered or bool(self.fields) or self.command or (self.asked and self.version is not None)


def evidence(drafts: Iterable[Draft], source: Source) -> Evidence:
    """The exchanges, numbered from 1, with what they offer and demand."""
    exchanges: list[Exchange] = []
    offers: list[Offer] = []
    demands: list[Demand] = []
    answers: list[Answer] = []
    for number, draft in enumerate((d for d in drafts if d.worth), 1):
        exchange = _exchange(draft, number, source)
        said = facts(exchange)
        exchanges.append(exchange)
        offers += [_provenance(o, draft) for o in said.offers]
        offers += [replace(o, exchange=number) for o in draft.offers]
        demands += said.demands
        answers += said.answers
    return Evidence(tuple(exchanges), offers=tuple(offers), demands=tuple(demands), answers=tuple(answers))


def _provenance(offer: Offer, draft: Draft) -> Offer:
    told = draft.provenances.get(offer.name.lower())
    return replace(offer, provenance=told) if told else offer


def _exchange(draft: Draft, number: int, source: Source) -> Exchange:
    response = None
    if draft.answered:
        response = Response(
            draft.status,
            draft.reason,
            Fields(tuple(draft.response_fields)),
            _body(draft.response_body),
            draft.response_version,
            draft.response_complete,
        )
    request = Request(
        draft.method,
        absolute(draft),
        Fields(tuple(f for f in draft.fields if OPEN not in f.text)),
        _body(draft.body),
        draft.version,
        draft.request_complete and draft.asked,
    )
    return Exchange(
        number, request, response, source.at(draft.line), draft.time, draft.hop, draft.client, draft.label
    )


def absolute(draft: Draft) -> str | None:
    """The request's URL, made absolute where host and scheme are known.

    A request line has no scheme, and to guess one would make a plain-http request out of an https one, so
    the target is kept as it is where no field tells."""
    url = draft.url
    if url and draft.joined:
        return _at_host(url, draft)
    if url is None or not url.startswith("/"):
        return url
    host = next((f.text for f in draft.fields if f.name.lower() in ("host", ":authority")), None)
    scheme = _scheme(draft, host) if host and not re.search(r"[\s/]", host) else None
    return f"{scheme}://{host}{url}" if scheme else url


def _at_host(url: str, draft: Draft) -> str:
    """The URL at the host that the Host field names: a redirect may have changed it."""
    host = next((f.text for f in draft.fields if f.name.lower() == "host"), None)
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return urlunsplit(parts._replace(netloc=host)) if host and not re.search(r"[\s/]", host) else url


def _scheme(draft: Draft, host: str) -> str | None:
    for item in draft.fields:
        lower = item.name.lower()
        if lower == ":scheme":
            return item.text
        if lower in ("origin", "referer") and item.text.partition("://")[2].partition("/")[0] == host:
            return item.text.partition("://")[0]
    return "https" if host.endswith(":443") else None


def _body(lines: list[str]) -> str | None:
    text = "\n".join(lines).strip("\n")
    return text[:LONGEST_BODY] or None
