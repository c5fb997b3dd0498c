"""Redirects followed by hand, so that each hop is seen with the credentials that it was given.

The rules are curl's: credentials stay within an origin; another host, port or scheme gets none of them unless
the user typed `--location-trusted`. 303 (and a POST at 301 or 302) goes on as GET (RFC 9110, section 15.4).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from why401.evidence import Exchange
from why401.probes import wire
from why401.probes.ask import Ask, origin_of

MOST_HOPS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def ask_through(
    ask: Ask,
    *,
    number: int = 1,
    most: int = MOST_HOPS,
    stop: Callable[[], bool] = wire.never,
    notes: list[str] | None = None,
) -> tuple[Exchange, ...]:
    """Send the request and follow its redirects; all exchanges in order. Raises `Unreachable` like `send`."""
    exchanges = wire.send(ask, number=number, stop=stop, notes=notes)
    for _ in range(most):
        if not exchanges:
            break
        onward = next_ask(ask, exchanges[-1]) if ask.follow else None
        if onward is None:
            break
        ask = onward
        try:
            exchanges += wire.send(ask, number=number + len(exchanges), stop=stop)
        except wire.Unreachable:
            break
    return exchanges


def next_ask(ask: Ask, exchange: Exchange) -> Ask | None:
    """The request that follows a redirect, or None: no redirect, or one that must not be followed.

    An unsafe request is not sent a second time (307, 308), since it may already have had its effect.
    """
    response = exchange.response
    location = response.fields.get("location") if response else None
    if response is None or response.status not in _REDIRECTS or not location:
        return None
    target = urljoin(ask.url, location)
    if urlsplit(target).scheme not in ("http", "https"):
        return None
    onward = ask.at(target)
    if response.status == 303 or (response.status in (301, 302) and ask.method.upper() == "POST"):
        onward = dataclasses.replace(onward, method="GET", body=None).without(["content-type"])
    elif not ask.safe:
        return None
    if origin_of(target) == ask.origin or ask.trusted:
        return onward
    return onward.anonymous().without(["cookie", "host"])
