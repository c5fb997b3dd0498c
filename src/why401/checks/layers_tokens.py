"""The token of a refused request against what the application that it comes to asks of tokens.

The order is that of the libraries: algorithm, signature, then the claims. A symmetric key that stands in the
owner's files is tried here, which proves that the signature is another's.
"""

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import check
from why401.evidence import Demand, Evidence
from why401.findings import AGAINST, NAMED, Finding, Where
from why401.layers.applications import Application, authorization
from why401.layers.model import Route
from why401.path import walks
from why401.protocol.jwt import Jwt, decode


@check
def token_against_application(evidence: Evidence) -> Iterator[Finding]:
    """The first demand on the way that the token does not meet."""
    for one in walks(evidence):
        given = authorization(one.request)
        if given is None or given[0] not in ("bearer", "jwt", "token") or given[1].count(".") != 2:
            continue
        token = decode(given[1])
        for route in one.routes:
            found = next(iter(_unmet(route, token, given[1])), None) if token.claims else None
            if found is not None:
                yield found
                return


def _unmet(route: Route, token: Jwt, raw: str) -> Iterator[Finding]:
    algorithm = route.demand("algorithm")
    if algorithm is not None and token.algorithm and token.algorithm not in algorithm.value.split():
        says = f"The token is signed with {token.algorithm}; {route.hop} accepts {algorithm.value}."
        yield _finding("wrong-algorithm", says, algorithm, route)
    yield from _signature(route, raw)
    issuer = route.demand("issuer")
    claimed = token.claims.get("iss")
    if issuer is not None and issuer.value not in (claimed, ""):
        said = f"issued by {claimed}" if isinstance(claimed, str) else "without an issuer (`iss`)"
        yield _finding(
            "wrong-issuer", f"The token is {said}; {route.hop} trusts {issuer.value}.", issuer, route
        )
    wanted = route.all("audience")
    values = [value for demand in wanted for value in demand.value.split()]
    if values and not set(values) & set(token.audiences):
        said = f"for {', '.join(token.audiences)}" if token.audiences else "without an audience (`aud`)"
        yield _finding(
            "wrong-audience",
            f"The token is {said}; {route.hop} wants {' or '.join(values)}.",
            wanted[0],
            route,
        )


def _signature(route: Route, raw: str) -> Iterator[Finding]:
    from why401.protocol.jws import verify

    layer = route.layer
    for demand in route.all("keys"):
        key = layer.keys.get(demand.source) if isinstance(layer, Application) else None
        if key is None:
            continue
        result = verify(raw, key.reveal())
        if result.kind in ("bad-signature", "variant"):
            says = f"The token's signature does not verify with the key that {route.hop} uses here."
            if result.kind == "variant":
                says = f"{says[:-1]} as it stands, only read in another way: {result.variant}."
            yield Finding(
                "signature-by-application",
                says,
                {"bad-signature": NAMED, "wrong-password": AGAINST, "token-expired": AGAINST},
                Where.of(demand.source),
                group="signature",
                stack=route.hop,
                proves="bad-signature",
                fix="Sign and verify with one key: read it from the same setting on both sides.",
            )


def _finding(cause: str, says: str, demand: Demand, route: Route) -> Finding:
    return Finding(
        f"{cause}-by-application",
        says,
        {cause: NAMED, "wrong-password": AGAINST, "bad-signature": AGAINST},
        Where.of(demand.source),
        group=f"token-{demand.respect}",
        stack=route.hop,
        proves=cause,  # both the claim and what the code asks for are written down
    )
