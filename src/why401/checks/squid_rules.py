"""What only Squid gets wrong: its own login as a forward proxy, and what it does not hand to an origin server."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from why401.checks import accounts, check
from why401.evidence import Evidence, Exchange, Source
from why401.findings import AGAINST, CLEAR, HINT, NAMED, PROVED, STRONG, Finding, Where
from why401.layers.model import Edit, Route
from why401.layers.squid import HOP, Squid
from why401.layers.tree import Absence
from why401.path import walks
from why401.protocol import basic

LOGIN = "proxy-authorization"


def _proxied(evidence: Evidence) -> Iterator[tuple[Exchange, Route, Squid]]:
    """Refusals that a forward proxy of the owner's made. Such a proxy listens elsewhere than the URL points."""
    for exchange in evidence.exchanges:
        response = exchange.response
        own = exchange.status == 407 or (response is not None and "x-squid-error" in response.fields)
        for layer in evidence.layers if own or exchange.status is None else ():
            if isinstance(layer, Squid) and not layer.accel:
                for route in layer.meets(exchange.request):
                    yield exchange, route, layer


@check
def proxy_asks(evidence: Evidence) -> Iterator[Finding]:
    """The forward proxy asks for a login of its own: none was sent, or it is compared with the proxy's file."""
    for exchange, route, layer in _proxied(evidence):
        scheme = route.demand("proxy-scheme")
        if scheme is None or exchange.status != 407:
            continue
        given = exchange.request.fields.get(LOGIN)
        if given is None:
            other = "authorization" in exchange.request.fields
            yield Finding(
                "squid-asks",
                f"Squid asks everybody that this line is about for {scheme.value} in Proxy-Authorization; the request "
                f"carries {'only Authorization, which is for the site' if other else 'none'}.",
                {"proxy-authentication-required": NAMED, "wrong-header": HINT, "no-credentials": AGAINST},
                Where.of(scheme.source),
                "proxy-login",
                HOP,
                fix="Give the proxy its login (curl -U USER:PASSWORD), or allow this client above the line.",
            )
            return
        yield from _compared(route, layer, given)
        return


def _compared(route: Route, layer: Squid, given: str) -> Iterator[Finding]:
    file = route.demand("proxy-password-file")
    if file is not None and isinstance(found := layer.open(file.value), Absence) and found.kind != "unseen":
        yield Finding(
            "squid-password-file-absent",
            f"The password file of Squid's login {found.name} does not exist or cannot be opened.",
            {"password-file-problem": NAMED, "wrong-password": AGAINST},
            Where.of(file.source),
            "password-file",
            HOP,
            fix=f"Create it: htpasswd -c {found.name} USER",
        )
        return
    token = given.strip().partition(" ")[2].strip()
    read, known = basic.decode(token), layer.accounts(route)
    if known is not None and read.user is not None and read.password is not None:
        finding = accounts.compared(route, known, read.user, read.password)
        wrong = max(finding.weights.values(), default=0) >= STRONG
        asks = {"proxy-authentication-required": PROVED if wrong else AGAINST}
        yield dataclasses.replace(finding, weights={**finding.weights, **asks})


@check
def proxy_denies(evidence: Evidence) -> Iterator[Finding]:
    """The forward proxy refuses by `http_access`: the user is not named, or a line that asks for no login fits."""
    for exchange, route, _ in _proxied(evidence):
        if exchange.status != 403:
            continue
        demand, user = route.demand("user"), _user(exchange)
        if demand is not None and user and user not in _listed(demand.value, user):
            yield _denied(
                "squid-user-not-listed",
                "Squid lets in only the users whom this ACL names, and the one who asks is not among them.",
                {"not-permitted": PROVED, "proxy-stripped-credentials": AGAINST, "wrong-password": AGAINST},
                demand.source,
                "Name the user in the ACL, or say REQUIRED to let in all who log in.",
                "not-permitted",
            )
            return
        for answer in route.answers:
            yield _denied(
                "squid-denies",
                "This is the first http_access line that fits the request, and it denies; lines below it, also those "
                "that ask for a login, are not reached.",
                {"not-permitted": STRONG, "auth-rule-unintended": CLEAR, "wrong-password": AGAINST},
                answer.source,
                "Put the line that allows this request above it.",
            )
            return


def _denied(
    slug: str, says: str, weights: dict[str, float], source: Source, fix: str, proves: str = ""
) -> Finding:
    return Finding(slug, says, weights, Where.of(source), "answered-here", HOP, proves, fix)


def _user(exchange: Exchange) -> str:
    token = (exchange.request.fields.get(LOGIN) or "").strip().partition(" ")[2].strip()
    return (basic.decode(token).user if token else "") or ""


def _listed(value: str, user: str) -> list[str]:
    return value.split()[1:] if value.startswith("user ") else [user]


@check
def login_not_passed(evidence: Evidence) -> Iterator[Finding]:
    """An accelerator hands Authorization to its origin server only where `cache_peer … login=` says so."""
    for one in walks(evidence):
        for at, route in enumerate(one.routes):
            layer = route.layer
            if not isinstance(layer, Squid) or layer.peer is None or route.demand("scheme"):
                continue
            said = layer.passes_login()
            if said in ("PASS", "PASSTHRU", "PROXYPASS") or "authorization" not in one.request.fields:
                continue
            behind = any(r.hop != HOP and r.demands for r in one.routes[at + 1 :])
            what = "replaces Authorization by a login of its own" if said else "drops Authorization"
            line, text = layer.peer.line, layer.peer.document.lines[layer.peer.line - 1].rstrip("\r\n")
            new = text.replace(f"login={said}", "login=PASS") if said else f"{text.rstrip()} login=PASS"
            yield Finding(
                "squid-login-not-passed",
                f"Squid {what} for this originserver: it is passed on only with login=PASS or PASSTHRU.",
                {
                    "proxy-stripped-credentials": NAMED + 4 if behind else STRONG,
                    "no-credentials": AGAINST,
                    "wrong-password": AGAINST,
                },
                Where.of(layer.peer.source, field="Authorization"),
                "dropped-on-the-way",
                HOP,
                fix="Add login=PASS to the cache_peer line.",
                edits=(Edit(layer.peer.document, line, line, (new,)),) if not text.endswith("\\") else (),
            )
            return
