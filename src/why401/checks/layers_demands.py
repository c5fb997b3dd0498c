"""Checks that compare what the owner's layers demand with what the refused request carried.

They follow the request through the layers (`path.walks`) and look for the first route whose demand it does not
meet: that directive answered.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from why401.checks import check
from why401.checks.server_config import PUBLIC
from why401.evidence import Demand, Evidence, Request, Source
from why401.findings import AGAINST, CLEAR, FAINT, HINT, NAMED, PROVED, RULED_OUT, STRONG, Finding, Where
from why401.layers.model import Edit, Route
from why401.layers.tree import Document
from why401.path import Walk, walks
from why401.secret import is_sensitive_field

#: Scheme as configured → the field that carries it.
FIELD = "Authorization"


def carried(request: Request) -> str | None:
    """The scheme of the Authorization field in lower case, "" for none; None where it is unknown."""
    value = request.fields.get(FIELD)
    if value is None:
        return "" if request.complete else None
    return value.strip().partition(" ")[0].lower()


def schemes(route: Route) -> list[Demand]:
    """The schemes that a route asks for."""
    return route.all("scheme")


def bare_token(request: Request) -> bool:
    """Whether Authorization holds one long word: a token whose scheme was left out."""
    value = (request.fields.get(FIELD) or "").strip()
    return len(value) > 20 and " " not in value


def lost_before(one: Walk, at: int) -> bool:
    """Whether a layer before the route `at` takes out what the request carries: then that one is at fault."""
    for route in one.routes[:at]:
        taken = (c.name.lower() for c in route.changes if c.what == "drops" and not c.value)
        sent = [f.name.lower() for f in one.request.fields]
        if any(name in sent or (name == "*_*" and any("_" in n for n in sent)) for name in taken):
            return True
    return False


@check
def asked_without_credentials(evidence: Evidence) -> Iterator[Finding]:
    """The request carries nothing, and a directive on its way asks for a credential."""
    for one in walks(evidence):
        if one.status not in (401, None) or carried(one.request) != "":
            continue
        asking = next(((r, d) for r in one.routes for d in schemes(r)), None)
        if asking is not None:
            yield _asked_nobody(one, *asking)
            return


def _asked_nobody(one: Walk, route: Route, demand: Demand) -> Finding:
    path = one.request.path.partition("?")[0]
    says = f"{route.hop} asks for {demand.value} here ({route.name}), and the request carries none."
    weights = {"no-credentials": CLEAR, "auth-rule-unintended": HINT}
    mend: dict[str, Any] = {}
    if (
        one.request.method or ""
    ).upper() == "OPTIONS" and "access-control-request-method" in one.request.fields:
        says = f"{route.hop} asks the preflight for {demand.value} ({route.name}), which can carry no credential."
        # A product's own rule, which knows what to mend, weighs a little more.
        weights = {"cors-preflight-rejected": 20.0, "no-credentials": RULED_OUT}
        mend = {"fix": "Answer OPTIONS before a login is asked for."}
    elif PUBLIC.search(path):
        says = f"{route.hop} asks for {demand.value} at {path} ({route.name}), which serves those without a login."
        weights = {"auth-rule-unintended": 20.0, "no-credentials": RULED_OUT, "wrong-password": AGAINST}
        edits = route.layer.freed(route) if route.layer else ()
        mend = {"fix": f"Free {path} from the login.", "edits": edits, "opens": path if edits else ""}
    where = Where.of(demand.source)
    return Finding("asked-without-credentials", says, weights, where, "demanded-scheme", route.hop, **mend)


@check
def asked_for_another_scheme(evidence: Evidence) -> Iterator[Finding]:
    """The first directive on the way that asks for a scheme asks for another than the request carries."""
    for one in walks(evidence):
        scheme = carried(one.request)
        if not scheme or one.status not in (401, None):
            continue
        for route in one.routes:
            wanted = schemes(route)
            if wanted and scheme not in {d.value.lower() for d in wanted}:
                yield _another(one, route, wanted, scheme)
                return
            if wanted:
                break


def _another(one: Walk, route: Route, wanted: list[Demand], scheme: str) -> Finding:
    later = any(scheme in {d.value.lower() for d in schemes(r)} for r in one.routes if r.hop != route.hop)
    names = " or ".join(d.value for d in wanted)
    if later:
        says = (
            f"{route.hop} asks for {names} here, and an inner layer for what the request carries: both read it "
            "from the one Authorization field."
        )
        weights = {"auth-layers-collide": STRONG, "wrong-scheme": HINT}
    else:
        says = f"{route.hop} asks for {names} here ({route.name}), and the request carries another scheme."
        # What stands behind a proxy and is sent a token wants that token: both read the one field.
        tokened = bool(route.upstream) and carried(one.request) in (
            "bearer",
            "token",
            "jwt",
            "dpop",
            "apikey",
            "",
        )
        tokened = tokened or (bool(route.upstream) and bare_token(one.request))
        weights = {"wrong-scheme": STRONG, "auth-layers-collide": HINT}
        if tokened and [d.value.lower() for d in wanted] == ["basic"]:
            says = says[:-1] + ", as what stands behind may want it: both read the one field."
            weights = {"auth-layers-collide": STRONG, "wrong-scheme": FAINT}
    return Finding(
        "asked-for-another-scheme", says, weights, Where.of(wanted[0].source), "demanded-scheme", route.hop
    )


@check
def host_fits_no_name(evidence: Evidence) -> Iterator[Finding]:
    """The host that was asked is the name of no server there, but nearly that of one: the default one answers."""
    for one in walks(evidence):
        host = re.sub(r":\d+$", "", one.request.fields.get("host") or one.request.host or "").lower()
        layer = one.routes[0].layer
        names = layer.names_served if layer else {}
        if not names or not host or re.fullmatch(r"[\d.:\[\]]+|localhost", host) or _served(host, names):
            continue
        near = next(iter(difflib.get_close_matches(host, names, n=1, cutoff=0.85)), None)
        if near is None:
            continue
        document = layer.open(names[near].name) if layer else None
        line = names[near].line or 0
        edits = (_respelt(document, line, near, host),) if isinstance(document, Document) else ()
        yield Finding(
            "host-fits-no-name",
            f"{one.routes[0].hop} has no server named {host}, but one named {near}; the default one answers.",
            {"wrong-server-answered": PROVED, "wrong-scheme": AGAINST, "auth-layers-collide": AGAINST},
            Where.of(names[near]),
            group="server-name",
            stack=one.routes[0].hop,
            fix=f"Write {host} in place of {near}, if that is what is meant.",
            edits=edits,
        )
        return


def _served(host: str, names: Mapping[str, Source]) -> bool:
    return any(fnmatchcase(host, name) or fnmatchcase(host, "*" + name) for name in names)


def _respelt(document: Document, line: int, old: str, new: str) -> Edit:
    words = document.lines[line - 1].rstrip("\r\n")
    return Edit(document, line, line, (words.replace(old, new),))


@check
def address_denied(evidence: Evidence) -> Iterator[Finding]:
    """The list of allowed addresses on the way leaves out the address that the log or the URL shows."""
    for one in walks(evidence):
        address = _client(evidence, one)
        for route in one.routes:
            for demand in route.all("address"):
                if address is None or one.status not in (401, 403, None) or allowed(demand.value, address):
                    continue
                yield Finding(
                    "address-denied",
                    f"{route.hop} lets only some addresses in here, and {address} is not among them.",
                    {"not-permitted": STRONG, "client-banned": CLEAR, "wrong-password": -8.0},
                    Where.of(demand.source),
                    group="address-rule",
                    stack=route.hop,
                )
                return


def _client(evidence: Evidence, one: Walk) -> str | None:
    """The client's address: by the log line, else loopback where a loopback URL was asked."""
    if one.record is not None:
        return one.record.address
    host = one.request.split.hostname or ""
    if one.exchange is not None and one.exchange.source.live and host in ("127.0.0.1", "localhost", "::1"):
        return "::1" if host == "::1" else "127.0.0.1"
    path = one.request.path
    found = {r.address for r in evidence.records if r.address and r.status == one.status and r.path == path}
    return found.pop() if len(found) == 1 else None


def allowed(rules: str, address: str) -> bool:
    """Whether `allow`/`deny` rules in order ("allow 10.0.0.0/8, deny all") let an address in."""
    try:
        client = ipaddress.ip_address(address)
    except ValueError:
        return True
    for rule in rules.split(", "):
        verb, _, network = rule.partition(" ")
        try:
            fits = network == "all" or client in ipaddress.ip_network(network, strict=False)
        except ValueError:
            fits = False
        if fits:
            return verb == "allow"
    return True


@check
def refused_by_return(evidence: Evidence) -> Iterator[Finding]:
    """The route on the way answers with a refusal of its own (`return 401`)."""
    for one in walks(evidence):
        for at, route in enumerate(one.routes):
            for answer in route.answers:
                if answer.status != one.status or lost_before(one, at):
                    continue
                fields = [d.value for d in route.all("field")]
                missing = [name for name in fields if one.request.complete and name not in one.request.fields]
                under = f" where {answer.words}" if answer.words else ""
                weights = {"auth-rule-unintended": CLEAR}
                if missing:
                    elsewhere = any(
                        is_sensitive_field(f.name) and f.name not in fields for f in one.request.fields
                    )
                    weights = {"wrong-header" if elsewhere else "no-credentials": NAMED}
                elif fields:
                    weights = {"wrong-password": CLEAR, "auth-rule-unintended": HINT}
                weights["auth-subrequest-rejected"] = -STRONG  # nobody else was asked
                says = f"{route.hop} answers {answer.status} itself here{under}"
                says += f"; it reads {', '.join(dict.fromkeys(fields))}." if fields else "."
                where = Where.of(answer.source)
                yield Finding("refused-by-return", says, weights, where, "answered-here", route.hop)
                return
