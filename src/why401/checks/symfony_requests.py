"""What only Symfony gets wrong for a request: its firewall, where the token is read, the user's claim, the cookie."""

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import check
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers.applications import authorization
from why401.layers.nodes import Node
from why401.layers.symfony import HOP, Firewall, Symfony
from why401.path import Walk, walks
from why401.protocol.jwt import decode

_LOOKALIKES = {"wrong-password": AGAINST, "token-expired": AGAINST}


def _asked(evidence: Evidence) -> Iterator[tuple[Walk, Symfony, Firewall]]:
    for one in walks(evidence):
        for layer in (route.layer for route in one.routes):
            if isinstance(layer, Symfony) and one.status in (401, 403, None):
                firewall = layer.firewall(one.request)
                if firewall is not None:
                    yield one, layer, firewall


@check
def firewall_switched_off(evidence: Evidence) -> Iterator[Finding]:
    """`security: false`: below this firewall there is never a user, whatever the request carries."""
    for one, _, firewall in _asked(evidence):
        if firewall.open and authorization(one.request) is not None:
            yield Finding(
                "symfony-firewall-off",
                f"The firewall {firewall.name} takes this path with security: false: nobody is logged in.",
                {"auth-not-wired": NAMED, **_LOOKALIKES},
                Where.of(firewall.node.at("security").source),
                "firewall-login",
                HOP,
                fix="Narrow its pattern, so that the path comes to the firewall that is meant.",
            )
            return


@check
def token_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """LexikJWTAuthenticationBundle reads the token from another field, or after another word."""
    for one, layer, firewall in _asked(evidence):
        sent = authorization(one.request)
        if "jwt" not in firewall.logins() or sent is None:
            continue
        name, named = layer.header
        prefix = layer.jwt.at("token_extractors", "authorization_header", "prefix")
        switched = layer.jwt.at("token_extractors", "authorization_header", "enabled")
        if named and name.lower() != "authorization":
            yield _elsewhere(
                named, f"The token is read from the field {name}, not from Authorization.", "wrong-header"
            )
            return
        if prefix and sent[0] != prefix.value.lower():
            word = f"after the word {prefix.value}" if prefix.value else "alone, without a scheme"
            yield _elsewhere(
                prefix, f"The token is read {word}, and the request says {sent[0].title()}.", "wrong-scheme"
            )
            return
        if switched and switched.value.lower() == "false":
            yield _elsewhere(
                switched, "Authorization is not read here; tokens come by cookie or query.", "wrong-header"
            )
            return


def _elsewhere(place: Node, says: str, cause: str) -> Finding:
    weights = {cause: NAMED, **_LOOKALIKES}
    return Finding("symfony-token-elsewhere", says, weights, Where.of(place.source), "token-place", HOP)


@check
def claim_of_the_user(evidence: Evidence) -> Iterator[Finding]:
    """The claim that names the user is not in the token, so no user is found."""
    for one, layer, firewall in _asked(evidence):
        sent = authorization(one.request)
        if "jwt" not in firewall.logins() or sent is None or sent[0] != "bearer":
            continue
        claims = decode(sent[1]).claims
        node = layer.jwt.first("user_id_claim", "user_identity_field")
        claim = node.value or "username"
        if not claim or not claims or claim in claims or not layer.jwt:
            continue
        yield Finding(
            "symfony-claim-of-the-user",
            f"The user is looked up by the claim {claim}, which the token lacks; it has "
            f"{', '.join(sorted(claims)[:6])}.",
            {"auth-setting-wrong": STRONG, "wrong-issuer": HINT, "wrong-token-type": CLEAR, **_LOOKALIKES},
            Where.of((node or layer.jwt).source),
            "token-claim",
            HOP,
            fix="Set user_id_claim to the claim that names the user in these tokens.",
        )
        return


@check
def session_cookie_kept_back(evidence: Evidence) -> Iterator[Finding]:
    """The session's cookie is bound to https, or to another host."""
    for one, layer, _ in _asked(evidence):
        secure, domain = layer.session.at("cookie_secure"), layer.session.at("cookie_domain")
        host = (one.request.split.hostname or "").lower()
        bare = domain.value.lstrip(".").lower()
        if authorization(one.request) is not None:
            continue
        if secure.value.lower() == "true" and one.request.split.scheme == "http":
            says, place, weights = (
                "is marked Secure, and this is plain http",
                secure,
                {"https-required": CLEAR},
            )
        elif bare and "%" not in bare and host and host != bare and not host.endswith("." + bare):
            says, place, weights = (
                f"is for {bare}, and the host here is {host}",
                domain,
                {"cookie-not-sent": HINT},
            )
        else:
            continue
        yield Finding(
            "symfony-session-cookie",
            f"The session's cookie {says}: no browser keeps it.",
            {"cookie-not-stored": STRONG, **weights, "session-expired": AGAINST, "wrong-password": AGAINST},
            Where.of(place.source),
            "session-cookie",
            HOP,
        )
        return
