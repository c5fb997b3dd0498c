"""What was observed, and what it says along the path of a request.

A request travels a **path of hops** (the client's tool, redirects, proxies, the web server, the gateway to
the application, the application, the issuer behind it). At each hop a credential may be *offered*,
*demanded*, *changed* on the way, and the request *answered*. Nearly every cause of a 401 is one sentence
about these. Readers produce the values of this module and nothing else; checks compare them.

Two things are kept apart everywhere: what is **absent** (the input shows that it was not there) and what is
**unknown** (the input cannot show it, such as the Authorization field of a sanitised HAR: `complete=False`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, urlsplit

from why401.prefilter import may_match
from why401.secret import Secret, is_sensitive_field

if TYPE_CHECKING:
    from why401.layers.model import Layer

#: Statuses that can mean "not authenticated" in the field: 403 is often a 401 by another name.
REFUSALS = frozenset({401, 403, 407})

TextKind = Literal["message", "terminal", "log", "code", "settings", "body"]
Place = Literal["field", "cookie", "query", "body", "userinfo", "tls", "unknown"]
Axis = Literal[
    "client",  # works with one client, fails with another
    "host",  # works on one machine, host name or environment, fails on another
    "scheme",  # http against https
    "path",  # one path, route or resource works, another fails
    "method",  # GET works, POST fails
    "user",  # one account works, another fails
    "credential",  # another credential works at the same place
    "network",  # one address or network works, another fails
    "frequency",  # the same request works and fails: "one in five"
    "age",  # it works for a while, then fails
    "version",  # before and after an upgrade
    "restart",  # before and after a restart or a deployment
    "change",  # before and after another change
    "parallel",  # alone it works, in parallel it fails
    "layer",  # works directly, fails through a proxy (or the other way round)
    "session",  # private window, cleared cookies, other browser profile
]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a piece of evidence stands: a file's name (or `standard input`, `argument`, `live`) and line."""

    name: str
    line: int | None = None
    live: bool = False

    def at(self, line: int | None) -> Source:
        """The same source at another line (counted from 1)."""
        return dataclasses.replace(self, line=line)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an HTTP message. The value of a sensitive field is a `Secret`; `text` reveals it."""

    name: str
    value: str | Secret
    line: int | None = None

    @classmethod
    def of(cls, name: str, text: str, line: int | None = None) -> Field:
        """Make a field, hiding the value where the name says that it is a credential."""
        return cls(name, Secret(text) if is_sensitive_field(name) else text, line)

    @property
    def text(self) -> str:
        return self.value.reveal() if isinstance(self.value, Secret) else self.value


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a message in order; names compare without regard to case."""

    items: tuple[Field, ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Fields:
        return cls(tuple(Field.of(name, value) for name, value in pairs))

    def all(self, name: str) -> list[str]:
        """Every value of the field `name`, in order."""
        lower = name.lower()
        return [f.text for f in self.items if f.name.lower() == lower]

    def get(self, name: str) -> str | None:
        """The first value of the field `name`, or None."""
        return next(iter(self.all(name)), None)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[Field]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as far as it is known; `complete` False means that an absent field may have been sent."""

    method: str | None = None
    url: str | None = field(default=None, repr=False)  # absolute where known, else the request target
    fields: Fields = Fields()
    body: str | None = field(default=None, repr=False)
    version: str | None = None
    complete: bool = True

    @property
    def split(self) -> SplitResult:
        """The URL in parts; all parts empty where the URL is unknown or cannot be split."""
        try:
            return urlsplit(self.url or "")
        except ValueError:
            return urlsplit("")

    @property
    def host(self) -> str | None:
        """The host (with port where given) that the request was meant for."""
        return self.split.netloc.rpartition("@")[2] or self.fields.get("host")

    @property
    def path(self) -> str:
        return self.split.path or "/"


@dataclass(frozen=True, slots=True)
class Response:
    """A response as far as it is known; `complete` False means that an absent field may have been there."""

    status: int | None = None
    reason: str = ""
    fields: Fields = Fields()
    body: str | None = field(default=None, repr=False)
    version: str | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its response, or both. `number` counts from 1 over the whole evidence."""

    number: int
    request: Request
    response: Response | None
    source: Source
    time: datetime | None = None
    hop: str | None = None  # which hop answered, where the input says so
    client: str | None = None  # the tool that sent it: "curl", "browser", "python-requests"
    label: str = ""  # a role the input gave it: "works", "fails", "preflight"

    @property
    def status(self) -> int | None:
        return self.response.status if self.response else None

    @property
    def refused(self) -> bool:
        return self.status in REFUSALS


@dataclass(frozen=True)
class Text:
    """A text as given: message, terminal session, log, code, settings or a body; always searched whole."""

    content: str = field(repr=False)
    source: Source
    kind: TextKind = "message"
    language: str | None = None  # "python", "java", "nginx", "yaml", "npmrc", …

    @cached_property
    def lowered(self) -> str:
        """The content in lower case, for literals that are found without regard to case."""
        return self.content.lower()

    def find(self, pattern: str, flags: int = re.IGNORECASE, stop: int | None = None) -> re.Match[str] | None:
        """The first match of a regular expression (within the first `stop` characters)."""
        return next(self.find_all(pattern, flags, stop), None)

    def find_all(
        self, pattern: str, flags: int = re.IGNORECASE, stop: int | None = None
    ) -> Iterator[re.Match[str]]:
        """Every match; the expression is compiled only where the text holds a literal that it requires."""
        if may_match(pattern, self.lowered):
            yield from re.compile(pattern, flags).finditer(self.content, 0, stop or len(self.content))

    def line_at(self, offset: int) -> int:
        """The line, in the source, of the character at `offset`."""
        return (self.source.line or 1) + self.content.count("\n", 0, offset)


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a log, with what could be read from it."""

    text: str = field(repr=False)
    source: Source
    time: datetime | None = None
    level: str | None = None
    status: int | None = None
    method: str | None = None
    path: str | None = field(default=None, repr=False)  # may hold userinfo or a key
    address: str | None = None  # of the client
    user: str | None = None
    agent: str | None = None
    hop: str | None = None  # the product that wrote it: "nginx", "Apache httpd", "HAProxy"
    message: str = field(default="", repr=False)  # the words, without time, level and process


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting or environment variable; `key` is the dotted path, lists counted from 0."""

    key: str
    value: str | Secret = field(repr=False)  # what is no secret by its name may still hold one
    source: Source

    @property
    def text(self) -> str:
        return self.value.reveal() if isinstance(self.value, Secret) else self.value


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two like situations that end differently: the strongest kind of hint that a person can give."""

    axis: Axis
    works: str  # what the user says works ("curl"), "" where unsaid
    fails: str
    source: Source
    says: str = ""  # the words themselves


@dataclass(frozen=True, slots=True)
class Offer:
    """A credential that is offered: in a request, or by a client's configuration or code."""

    place: Place
    name: str  # field, cookie or parameter name, or setting
    scheme: str | None  # as written: "Basic", "Bearer"; None where there is none or it is unknown
    value: Secret | None
    source: Source
    exchange: int | None = None
    provenance: str = ""  # "-u", ".netrc", "environment", "code", "request"
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What a hop wants: `respect` is what is compared (scheme, realm, audience, issuer, algorithm, field,
    user, scope, cookie, certificate, https, password-hash …) and `value` the wanted value."""

    respect: str
    value: str
    source: Source
    exchange: int | None = None
    hop: str | None = None
    path: str | None = None  # for which path, where limited


@dataclass(frozen=True, slots=True)
class Change:
    """A hop drops, renames, overwrites or adds what passes."""

    what: Literal["drops", "renames", "overwrites", "adds", "redirects", "caches"]
    name: str  # of the field or cookie
    source: Source
    hop: str | None = None
    exchange: int | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Which hop answered and in whose words."""

    hop: str  # product: "nginx", "Apache httpd", "Envoy"
    status: int | None
    source: Source
    exchange: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input, or a part of one, that could not be read: what, where and what to do, in one sentence."""

    says: str
    source: Source


@dataclass(frozen=True)
class Evidence:
    """All that was observed. Values of this class add up with `+`; exchanges are numbered anew."""

    exchanges: tuple[Exchange, ...] = ()
    texts: tuple[Text, ...] = ()
    records: tuple[Record, ...] = ()
    settings: tuple[Setting, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    offers: tuple[Offer, ...] = ()
    demands: tuple[Demand, ...] = ()
    changes: tuple[Change, ...] = ()
    answers: tuple[Answer, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    layers: tuple[Layer, ...] = ()  # the owner's configurations and applications, each read whole

    def __add__(self, other: Evidence) -> Evidence:
        shift = max((x.number for x in self.exchanges), default=0)
        return Evidence(
            *(
                getattr(self, part.name) + tuple(_shifted(item, shift) for item in getattr(other, part.name))
                for part in dataclasses.fields(Evidence)
            )
        )

    @cached_property
    def refused(self) -> tuple[Exchange, ...]:
        """The exchanges that ended in 401, 403 or 407."""
        return tuple(x for x in self.exchanges if x.refused)

    @cached_property
    def succeeded(self) -> tuple[Exchange, ...]:
        return tuple(x for x in self.exchanges if x.status is not None and 200 <= x.status < 300)

    @cached_property
    def searchable(self) -> tuple[Text, ...]:
        """Every text in which words of a server, tool or person may stand: what was given, then what of the
        exchanges does not stand there already."""
        held = "\n".join(text.content for text in self.texts)
        found = list(self.texts)
        for exchange in self.exchanges:
            response = exchange.response
            if response is None:
                continue
            parts = [f"{f.name}: {f.text}" for f in response.fields]
            if response.body:
                parts.append(response.body)
            fresh = "\n".join(part for part in parts if part not in held)
            if fresh:
                found.append(Text(fresh, exchange.source, "body"))
        return tuple(found)

    @cached_property
    def prose(self) -> str:
        """What a person wrote about it (messages), for cues in plain words."""
        return "\n".join(text.content for text in self.texts if text.kind in ("message", "terminal"))

    def search(self, pattern: str, flags: int = re.IGNORECASE) -> tuple[re.Match[str], Source] | None:
        """The first match of a regular expression in any text, with the source and line where it stands."""
        for text in self.searchable:
            match = text.find(pattern, flags)
            if match:
                return match, text.source.at(text.line_at(match.start()))
        return None

    def secrets(self) -> set[Secret]:
        """Every value that was read as a secret, for the redactor."""
        found: set[Secret] = set()
        for exchange in self.exchanges:
            for message in (exchange.request, exchange.response):
                if message is not None:
                    found.update(f.value for f in message.fields if isinstance(f.value, Secret))
        found.update(s.value for s in self.settings if isinstance(s.value, Secret))
        found.update(o.value for o in self.offers if o.value is not None)
        found.update(secret for layer in self.layers for secret in layer.secrets)
        return found


def _shifted(item: Any, shift: int) -> Any:
    """The item with its own number, or that of the exchange it belongs to, moved by `shift`."""
    if isinstance(item, Exchange):
        return dataclasses.replace(item, number=item.number + shift)
    if getattr(item, "exchange", None) is None:
        return item
    return dataclasses.replace(item, exchange=item.exchange + shift)
