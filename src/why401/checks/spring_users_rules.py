"""Spring Security: passwords, roles and authorities that the code gives to users, against what it asks of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import rule
from why401.checks.code_questions import applications
from why401.checks.spring_rules import chains
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers.spring import HOP, Spring
from why401.layers.syntax import name_node, text

ENCODERS = (
    "BCryptPasswordEncoder(",
    "Argon2PasswordEncoder",
    "Pbkdf2PasswordEncoder",
    "SCryptPasswordEncoder",
)
#: Links of a chain of calls that makes a user.
USERS = ("builder", "withUsername", "withUser", "username", "User")
#: What gives a token other authorities than SCOPE_….
CONVERTERS = (
    "GrantedAuthorities",
    "JwtAuthenticationConverter",
    "jwtAuthenticationConverter",
    "OpaqueTokenIntrospector",
    "authenticationManagerResolver",
)


@rule
def password_without_encoder(evidence: Evidence) -> Iterator[Finding]:
    """A password in the code says no encoder (`{noop}`), and no PasswordEncoder is declared; or the reverse."""
    for layer in applications(evidence, Spring):
        encoder = layer.says(
            "BCryptPasswordEncoder(",
            "Argon2PasswordEncoder",
            "Pbkdf2PasswordEncoder",
            "SCryptPasswordEncoder",
        )
        delegating = layer.says("DelegatingPasswordEncoder", "PasswordEncoderFactories")
        declared = layer.says("PasswordEncoder ", ": PasswordEncoder", "PasswordEncoderFactories")
        for code in layer.codes:
            if "withDefaultPasswordEncoder" in code.document.text:
                continue
            for call in code.calls("password"):
                value = call.string()
                if value is None or not any(
                    c.name in ("builder", "withUsername", "withUser", "username", "User")
                    for c in call.chain()
                ):
                    continue
                marked = re.match(r"\{[\w@.-]+\}", value)
                if not marked and not declared:
                    says = "The user's password names no encoder, and the application declares none: every login fails."
                    edits = code.replaced(
                        call.args[0], text(call.args[0])[0] + "{noop}" + text(call.args[0])[1:]
                    )
                    fix = "Store it encoded, with the encoder's name before it ({bcrypt}…); {noop} marks a plain one."
                elif marked and marked[0] == "{noop}" and encoder and not delegating:
                    says = "The user's password begins with {noop}, but the application's encoder knows no such prefix."
                    edits, fix = (
                        (),
                        "Encode the password with the application's own encoder, and leave the prefix out.",
                    )
                else:
                    continue
                yield Finding(
                    "spring-password-encoder",
                    says,
                    {"auth-setting-wrong": NAMED, "wrong-password": AGAINST},
                    Where.of(call.source),
                    group="spring-password",
                    stack=HOP,
                    fix=fix,
                    edits=edits,
                )


@rule
def roles_never_granted(evidence: Evidence) -> Iterator[Finding]:
    """A chain for tokens asks for a role, and tokens bring authorities named SCOPE_… unless a converter is set."""
    for layer, chain in chains(evidence):
        others = {c.name for c in chain.mechanisms} - {"oauth2ResourceServer", "anonymous", "securityContext"}
        set_up = any(
            key.startswith("spring.security.oauth2.resourceserver.jwt.authorit") for key in layer.settings
        )
        if chain.on("oauth2ResourceServer") is None or others or set_up or layer.says(*CONVERTERS):
            continue
        for one in chain.rules:
            if one.decision in ("hasRole", "hasAnyRole") and one.args:
                yield Finding(
                    "spring-role-of-token",
                    f"The role {one.args[0]} is asked for, but tokens bring their scopes as SCOPE_… and no roles.",
                    {"insufficient-scope": STRONG, "auth-setting-wrong": HINT, "not-permitted": HINT},
                    Where.of(one.source),
                    group="spring-role",
                    stack=HOP,
                    fix='Ask for hasAuthority("SCOPE_…"), or set a JwtGrantedAuthoritiesConverter for the roles.',
                )


@rule
def authority_without_prefix(evidence: Evidence) -> Iterator[Finding]:
    """`hasAuthority("ADMIN")` where users are given `roles("ADMIN")`, which is the authority ROLE_ADMIN."""
    for layer, chain in chains(evidence):
        granted = {r for code in layer.codes for call in code.calls("roles") for r in call.strings()}
        plain = {
            a
            for code in layer.codes
            for c in code.calls("authorities", "SimpleGrantedAuthority")
            for a in c.strings()
        }
        for one in chain.rules:
            wanted = next((a for a in one.args if a in granted and a not in plain), None)
            if one.decision in ("hasAuthority", "hasAnyAuthority") and wanted:
                name = name_node(one.call.node)
                edits = (
                    chain.code.replaced(name, one.decision.replace("Authority", "Role"))
                    if name is not None
                    else ()
                )
                yield Finding(
                    "spring-authority-prefix",
                    f'The authority {wanted} is asked for, but roles("{wanted}") gives ROLE_{wanted}.',
                    {"not-permitted": NAMED, "insufficient-scope": CLEAR},
                    Where.of(one.source),
                    group="spring-role",
                    stack=HOP,
                    fix=f'Write hasRole("{wanted}").',
                    edits=edits,
                )
