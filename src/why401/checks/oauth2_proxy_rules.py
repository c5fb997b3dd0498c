"""What only OAuth2 Proxy gets wrong: secrets of a wrong length, cookies over http, tokens that it does not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from why401.checks import check, rule
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, HINT, STRONG, Finding, Where
from why401.layers.model import Edit
from why401.layers.nodes import Node, written
from why401.layers.oauth2_proxy import HOP, OAuth2Proxy, secret_length
from why401.path import routes, walks
from why401.prefilter import lazy

#: What stands where a secret is still to be filled in.
_PLACEHOLDER = lazy(r"[<>{}$]|^[A-Z_. -]*$|\.\.\.|xxx|(?i:change|replace|your|secret|example)")


def _proxies(evidence: Evidence) -> Iterator[OAuth2Proxy]:
    """The proxies that matter, each once."""
    seen: set[int] = set()
    for route in routes(evidence):
        if isinstance(route.layer, OAuth2Proxy) and id(route.layer) not in seen:
            seen.add(id(route.layer))
            yield route.layer


@rule
def cookie_secret_length(evidence: Evidence) -> Iterator[Finding]:
    """The cookie secret is not 16, 24 or 32 bytes long: the program ends as it starts."""
    for layer in _proxies(evidence):
        node = layer.node("cookie_secret")
        if node is None or not node.value or _PLACEHOLDER.search(node.value):
            continue
        length = secret_length(node.value)
        if length not in (16, 24, 32):
            yield Finding(
                "oauth2-proxy-cookie-secret-length",
                f"The cookie secret counts {length} bytes; AES wants 16, 24 or 32, so oauth2-proxy does not start.",
                {
                    "auth-setting-wrong": STRONG,
                    "auth-backend-unreachable": CLEAR,
                    "auth-subrequest-rejected": CLEAR,
                },
                Where.of(node.source),
                "cookie-secret",
                HOP,
                fix="Make a secret of 32 bytes.",
                command="openssl rand -base64 32 | tr -- '+/' '-_'",
            )


@rule
def secure_cookie_over_http(evidence: Evidence) -> Iterator[Finding]:
    """The address that browsers come back to is plain http, and the cookie is for https only."""
    for layer in _proxies(evidence):
        node = layer.node("redirect_url")
        parts = urlsplit(node.value) if node else None
        if (
            node is None
            or parts is None
            or parts.scheme != "http"
            or not layer.on("cookie_secure", default=True)
        ):
            continue
        if re.fullmatch(r"localhost|127\.[\d.]+|::1|.*\.localhost", parts.hostname or "localhost"):
            continue  # browsers take these for secure
        place = layer.node("cookie_secure") or node
        yield Finding(
            "oauth2-proxy-secure-cookie-over-http",
            f"Browsers come back to {parts.scheme}://{parts.netloc}, and the cookie is marked Secure: they neither "
            "store nor send it there.",
            {"cookie-not-stored": STRONG, "https-required": CLEAR, "csrf-rejected": HINT},
            Where.of(place.source),
            "cookie-secure",
            HOP,
            fix="Serve it over https and write https into redirect_url; only for a test set cookie_secure to false.",
        )


@check
def token_not_read(evidence: Evidence) -> Iterator[Finding]:
    """The request carries a bearer token, and the proxy knows only its own cookie."""
    for one in walks(evidence):
        scheme = (one.request.fields.get("authorization") or "").partition(" ")[0].lower()
        for route in one.routes if scheme == "bearer" else ():
            layer = route.layer
            if not isinstance(layer, OAuth2Proxy) or not route.demand("cookie") or route.demand("bearer"):
                continue
            place = layer.node("skip_jwt_bearer_tokens") or next(iter(layer.options.values()), None)
            if place is None or one.status not in (401, 403, 302, None):
                continue
            yield Finding(
                "oauth2-proxy-token-not-read",
                "oauth2-proxy knows only its own cookie here: it reads bearer tokens only where skip_jwt_bearer_tokens "
                "is on.",
                {"wrong-scheme": STRONG, "auth-setting-wrong": STRONG + 3, "wrong-password": AGAINST,
                 "no-credentials": AGAINST, "token-expired": AGAINST},
                Where.of(place.source),
                "demanded-scheme",
                HOP,
                fix="Set skip_jwt_bearer_tokens, and name the token's audience in oidc_extra_audiences.",
                edits=_switched(layer, place),
            )  # fmt: skip
            return


def _switched(layer: OAuth2Proxy, place: Node) -> tuple[Edit, ...]:
    """The option switched on, in a configuration file."""
    if layer.service:
        return ()
    if layer.node("skip_jwt_bearer_tokens") is place:
        new = re.sub(r"\bfalse\b", "true", written(place))
        return (Edit(place.document, place.line, place.line, (new,)),)
    return (Edit(place.document, place.line, place.line - 1, ("skip_jwt_bearer_tokens = true",)),)


@check
def token_not_handed_on(evidence: Evidence) -> Iterator[Finding]:
    """The session is good, but what stands behind asks for a token, and the proxy hands none on."""
    for one in walks(evidence):
        for at, route in enumerate(one.routes):
            behind = [d for r in one.routes[at + 1 :] for d in r.all("scheme") if d.value == "Bearer"]
            layer = route.layer
            if not isinstance(layer, OAuth2Proxy) or not behind or "authorization" in one.request.fields:
                continue
            if layer.on("pass_authorization_header") or one.status not in (401, None):
                continue
            place = layer.node("pass_authorization_header") or next(iter(layer.options.values()), None)
            if place is not None and "cookie" in one.request.fields:
                yield Finding(
                    "oauth2-proxy-token-not-handed-on",
                    f"{behind[0].hop} behind oauth2-proxy asks for a bearer token; the browser has only a cookie, and "
                    "the proxy does not hand its token on.",
                    {
                        "proxy-stripped-credentials": STRONG + 3,
                        "auth-setting-wrong": STRONG,
                        "no-credentials": AGAINST,
                    },
                    Where.of(place.source),
                    "dropped-on-the-way",
                    HOP,
                    fix="Set pass_authorization_header = true.",
                    edits=_passed(layer, place),
                )
                return


def _passed(layer: OAuth2Proxy, place: Node) -> tuple[Edit, ...]:
    if layer.service:
        return ()
    if layer.node("pass_authorization_header") is place:
        new = re.sub(r"\bfalse\b", "true", written(place))
        return (Edit(place.document, place.line, place.line, (new,)),)
    return (Edit(place.document, place.line, place.line - 1, ("pass_authorization_header = true",)),)
