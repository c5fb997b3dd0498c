"""What only Envoy and Istio get wrong: providers that are not there, keys that cannot be fetched, policies that no
token can meet."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from why401.checks import check, rule
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, HINT, NAMED, PROVED, STRONG, Finding, Where
from why401.layers import envoy_facts as facts
from why401.layers.envoy import Envoy
from why401.layers.envoy_facts import HOP, proto
from why401.layers.model import Edit
from why401.layers.nodes import Node, written
from why401.path import routes, walks


def _jwt(evidence: Evidence) -> Iterator[tuple[Envoy, Node]]:
    """(layer, settings) of each jwt_authn filter of the layers that matter."""
    held = {id(route.layer) for route in routes(evidence)}
    for layer in evidence.layers:
        if isinstance(layer, Envoy) and (id(layer) in held or not evidence.exchanges):
            for manager in layer.managers:
                for kind, _, settings in manager.filters:
                    if kind == "JwtAuthentication":
                        yield layer, settings


@rule
def provider_not_there(evidence: Evidence) -> Iterator[Finding]:
    """A rule of jwt_authn requires a provider that the filter does not have: Envoy does not take the configuration."""
    for _, settings in _jwt(evidence):
        providers = proto(settings, "providers").pairs
        for name in facts.names(proto(settings, "rules")) if providers else ():
            if name.value in providers or not name.value:
                continue
            near = next(iter(difflib.get_close_matches(name.value, providers, n=1, cutoff=0.6)), None)
            text = written(name)
            edit = Edit(name.document, name.line, name.line, (text.replace(name.value, near or ""),))
            yield Finding(
                "envoy-provider-not-there",
                f"This rule requires the provider {name.value}, and jwt_authn has none of that name.",
                {"auth-setting-wrong": STRONG + 2, "wrong-issuer": HINT},
                Where.of(name.source),
                "jwt-provider",
                HOP,
                fix=f"Name the provider {near}." if near else "Name a provider that is there.",
                edits=(edit,) if near and text.count(name.value) == 1 else (),
            )


@rule
def keys_out_of_reach(evidence: Evidence) -> Iterator[Finding]:
    """The keys are fetched through a cluster that is not there, or over TLS through one that speaks plain text."""
    for layer, settings in _jwt(evidence):
        for name, provider in proto(settings, "providers").pairs.items():
            fetched = proto(provider, "remote_jwks", "http_uri")
            cluster = proto(fetched, "cluster")
            node = layer.clusters.get(cluster.value)
            tls = node is not None and proto(node, "transport_socket")
            if not cluster.value or (layer.dynamic and node is None):
                continue
            if node is None:
                says = f"The provider {name} fetches its keys through the cluster {cluster.value}, which is not there."
            elif proto(fetched, "uri").value.startswith("https://") and not tls and _port(node) == "443":
                says = (
                    f"The keys of the provider {name} are fetched over https, but the cluster {cluster.value} has no "
                    "transport_socket: Envoy speaks plain text to port 443, and every token is refused."
                )
            else:
                continue
            yield Finding(
                "envoy-keys-out-of-reach",
                says,
                {"keys-unreachable": NAMED, "bad-signature": AGAINST, "wrong-issuer": AGAINST},
                Where.of(node.source if node is not None else cluster.source),
                "jwt-keys",
                HOP,
                fix="Give the cluster a transport_socket with UpstreamTlsContext and the SNI of the issuer."
                if node is not None
                else "Add the cluster, or name the one that is there.",
            )


def _port(cluster: Node) -> str:
    found = proto(cluster, "load_assignment", "endpoints", 0, "lb_endpoints", 0, "endpoint", "address")
    return proto(found, "socket_address", "port_value").value


@check
def token_against_inline_keys(evidence: Evidence) -> Iterator[Finding]:
    """The request's token against the JWK set that stands in the configuration."""
    from why401.layers.key_check import check_token
    from why401.layers.key_files import read

    causes = {
        "bad-signature": "bad-signature",
        "no-key": "unknown-signing-key",
        "wrong-alg": "wrong-algorithm",
        "wrong-key-type": "wrong-algorithm",
    }
    for one in walks(evidence):
        scheme, _, token = (one.request.fields.get("authorization") or "").partition(" ")
        for route in one.routes if scheme.lower() == "bearer" and token.count(".") == 2 else ():
            demand = route.demand("inline-keys")
            found = check_token(token.strip(), read(demand.value)) if demand else None
            cause = causes.get(found.kind) if found else None
            if demand and found and cause:
                yield Finding(
                    "token-against-inline-keys",
                    found.says,
                    {cause: PROVED, "wrong-password": AGAINST, "no-credentials": AGAINST},
                    Where.of(demand.source),
                    "signature",
                    route.hop,
                    proves=cause,
                    fix="Put the issuer's current key set there, or have it fetched from the issuer.",
                )
                return


@check
def policy_without_login(evidence: Evidence) -> Iterator[Finding]:
    """An AuthorizationPolicy asks who the token says the caller is, and no RequestAuthentication reads tokens there."""
    for one in walks(evidence):
        for route in one.routes:
            wanted = route.demand("request-principal") if route.hop == "Istio" else None
            if wanted is None or one.status not in (403, 401, None) or route.demand("jwt-rule"):
                continue
            yield Finding(
                "istio-policy-without-login",
                "This policy lets only callers with a token in, but no RequestAuthentication of this workload reads "
                "tokens: nobody is known by one, and Envoy answers 403 (RBAC: access denied).",
                {"auth-not-wired": STRONG + 3, "not-permitted": HINT, "wrong-password": AGAINST},
                Where.of(wanted.source),
                "policy",
                "Istio",
                fix="Add a RequestAuthentication whose selector has the labels of this workload.",
            )
            return


@check
def principal_not_let_in(evidence: Evidence) -> Iterator[Finding]:
    """The token's `iss/sub` is none of the principals that the policy names."""
    from why401.layers.istio import fits, principal_of

    for one in walks(evidence):
        for route in one.routes:
            wanted = [d.value for d in route.all("request-principal")] if route.hop == "Istio" else []
            own = principal_of(one.request)
            if not wanted or not own or not route.demand("issuer") or fits(wanted, own):
                continue
            if one.status in (403, 401, None):
                place = route.all("request-principal")[0]
                yield Finding(
                    "istio-principal-not-let-in",
                    f"The policy lets {' or '.join(wanted)} in; this token's issuer and subject are neither.",
                    {"not-permitted": STRONG, "wrong-issuer": CLEAR, "wrong-password": AGAINST},
                    Where.of(place.source),
                    "policy",
                    "Istio",
                )
                return


@rule
def principals_of_no_issuer(evidence: Evidence) -> Iterator[Finding]:
    """Every principal that a policy names begins with another issuer than those whose tokens are read there."""
    from why401.layers.istio import Istio

    for layer in evidence.layers:
        for policy, node, issuers in layer.misfits() if isinstance(layer, Istio) else ():
            yield Finding(
                "istio-principals-of-no-issuer",
                f"The policy {policy} lets {node.value} in; tokens are read here only from {' and '.join(issuers)} (a "
                "principal is the issuer, a slash and the subject).",
                {"wrong-issuer": STRONG, "not-permitted": STRONG, "auth-setting-wrong": CLEAR},
                Where.of(node.source),
                "policy",
                "Istio",
                fix=f"Write {issuers[0]}/*.",
                edits=_rewritten(node, f"{issuers[0]}/*"),
            )


def _rewritten(node: Node, new: str) -> tuple[Edit, ...]:
    text = written(node)
    if text.count(node.value) != 1:
        return ()
    return (Edit(node.document, node.line, node.line, (text.replace(node.value, new),)),)
