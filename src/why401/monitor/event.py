"""An event as every protocol's receiver gives it: plain mappings and lists, so that one walk can scrub it whole.

Keys are left out where a client said nothing: absent is not empty.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

#: `refusal`: an exchange that was refused, without an exception; `message`: a text alone, such as a log record.
Kind = Literal["exception", "refusal", "message"]


class Frame(TypedDict, total=False):
    """One call of a stack."""

    file: str
    function: str
    module: str
    line: int
    column: int
    source: dict[str, str]  # line number → source line
    vars: dict[str, Any]
    in_app: bool


class Raised(TypedDict, total=False):
    """One exception of a chain. `frames`: innermost first."""

    type: str
    message: str
    frames: list[Frame]
    handled: bool


class Exchange(TypedDict, total=False):
    """A request, and its answer as far as it is known. `role`: who reports it."""

    role: Literal["client", "server"]
    method: str
    url: str
    route: str  # template, such as /users/{id}
    status: int
    fields: list[list[str]]  # of the request: [name, value]
    answered: list[list[str]]  # fields of the response
    body: Any
    answer: Any
    milliseconds: float
    complete: bool  # False: fields may have been sent that are not listed


class Event(TypedDict, total=False):
    """What happened once."""

    id: str  # the client's, 32 hexadecimal digits; made here where the client gave none
    time: float  # seconds since 1970, by the client's clock
    kind: Kind
    message: str
    level: str
    raised: list[Raised]  # outermost first
    exchange: Exchange
    breadcrumbs: list[dict[str, Any]]
    environment: str
    release: str
    server: str
    transaction: str
    user: dict[str, Any]
    tags: dict[str, str]
    params: dict[str, Any]
    session: dict[str, Any]
    context: dict[str, Any]
    trace: str
    span: str
    sdk: str
    language: str
    fingerprint: list[str]  # set by the client, replaces ours
