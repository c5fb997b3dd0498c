"""Spring Security: what its filter chains get wrong.

Reference documentation, *Servlet Applications*: Authorize HttpServletRequests, Password Storage, CSRF, CORS,
OAuth 2.0 Resource Server, Session Management.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check, rule
from why401.checks.code_questions import applications, asked
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, NAMED, STRONG, Finding, Where
from why401.layers.applications import ant, authorization
from why401.layers.model import Edit
from why401.layers.spring import FREE, HOP, Spring
from why401.layers.spring_chain import Chain, Rule
from why401.layers.syntax import string, text

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def chains(evidence: Evidence) -> Iterator[tuple[Spring, Chain]]:
    """The chains in question: those that refused requests meet, or all where no request is at hand."""
    for layer in applications(evidence, Spring):
        met = [
            chain
            for own, _, routes in asked(evidence, Spring)
            if own is layer
            for r in routes
            for chain, _ in [layer.rule_of(r) or (None, None)]
        ]
        for chain in layer.chains:
            if not met or chain in met:
                yield layer, chain


def _covers(wide: Rule, narrow: Rule) -> bool:
    """Whether every request that `narrow` matches is matched by `wide`, as far as patterns tell for sure."""
    if wide.opaque or narrow.opaque or not narrow.patterns or (wide.method and wide.method != narrow.method):
        return False
    if not wide.patterns:
        return True
    ends = [p[:-3] for p in wide.patterns if p.endswith("/**") and not re.search(r"[*{?]", p[:-3])]
    return all(any(p == e or p.startswith(e + "/") for e in ends) for p in narrow.patterns)


@rule
def shadowed_by_an_earlier_rule(evidence: Evidence) -> Iterator[Finding]:
    """A rule that lets everybody in stands behind a wider one that does not: the first that matches decides."""
    for _, chain in chains(evidence):
        for at, late in enumerate(chain.rules):
            early = next((r for r in chain.rules[:at] if r.decision not in FREE and _covers(r, late)), None)
            if late.decision != "permitAll" or early is None:
                continue
            wide, narrow = ", ".join(early.patterns) or "any request", ", ".join(late.patterns)
            yield Finding(
                "spring-rule-shadowed",
                f"{narrow} is to be open, but the rule for {wide} stands before it and matches first.",
                {"auth-rule-unintended": NAMED, "no-credentials": AGAINST},
                Where.of(early.source),
                group="answered-here",
                stack=HOP,
                fix=f"Put the rule for {narrow} before the one for {wide}.",
                edits=_before(chain, late, early),
                opens=narrow,
            )


def _before(chain: Chain, late: Rule, early: Rule) -> tuple[Edit, ...]:
    """The edits that put the later rule's line above the earlier's, where each stands on a line of its own."""
    lines = [chain.code.line_text(r.call.line).strip() for r in (late, early)]
    whole = re.compile(r"\.(?:request|ant|mvc)Matchers\(.*\)\.\w+\([^;{}]*\)|authorize\(.*\)")
    if not all(whole.fullmatch(line) for line in lines):
        return ()
    document, first, last = chain.code.document, early.call.line, late.call.line
    moved = Edit(document, first, first - 1, (chain.code.line_text(last),))
    return (moved, Edit(document, last, last, ()))


@rule
def matcher_with_context_path(evidence: Evidence) -> Iterator[Finding]:
    """Matchers see the path without the context path; one that begins with it never matches."""
    for layer, chain in chains(evidence):
        for one in chain.rules:
            if not layer.context or one.decision not in FREE or not one.patterns:
                continue
            if all(p == layer.context or p.startswith(layer.context + "/") for p in one.patterns):
                yield Finding(
                    "spring-matcher-with-context-path",
                    f"The pattern {one.patterns[0]} holds the context path {layer.context}, which matchers do not see.",
                    {"auth-rule-unintended": NAMED, "no-credentials": AGAINST},
                    Where.of(one.source),
                    group="answered-here",
                    stack=HOP,
                    fix=f"Write the pattern without {layer.context}.",
                    edits=_without_prefix(one, layer.context),
                    opens=", ".join(one.patterns),
                )


def _without_prefix(one: Rule, prefix: str) -> tuple[Edit, ...]:
    args = [arg for arg in (one.matcher.args if one.matcher else ()) if string(arg) is not None]
    if len(args) != 1 or one.matcher is None:
        return ()
    return one.matcher.code.replaced(args[0], f'"{(string(args[0]) or "")[len(prefix) :] or "/"}"')


@rule
def no_mechanism(evidence: Evidence) -> Iterator[Finding]:
    """A chain asks for a login, and nothing in it can read a credential."""
    for _, chain in chains(evidence):
        asks = next((r for r in chain.rules if r.decision not in (*FREE, "denyAll")), None)
        if (
            asks is None
            or chain.mechanisms
            or not chain.plain
            or chain.code.calls("addFilterBefore", "addFilter")
        ):
            continue
        disabled = any(chain.off(name) for name in ("httpBasic", "formLogin"))
        yield Finding(
            "spring-no-mechanism",
            f"The chain {chain.name} asks for a login, and nothing in it reads a credential: no httpBasic, "
            "formLogin, oauth2ResourceServer or filter.",
            {"auth-not-wired": STRONG if disabled else NAMED, "wrong-password": AGAINST},
            Where.of(asks.source),
            group="answered-here",
            stack=HOP,
            fix="Add the mechanism that clients use, such as `.httpBasic(Customizer.withDefaults())`.",
        )


@rule
def stateless_login(evidence: Evidence) -> Iterator[Finding]:
    """A login form, whose result nothing keeps since no session may be made."""
    for _, chain in chains(evidence):
        form = chain.on("formLogin") or chain.on("oauth2Login")
        place = chain.stateless
        if (
            form is None
            or place is None
            or chain.on("securityContext")
            or "successHandler" in text(chain.node)
        ):
            continue
        yield Finding(
            "spring-stateless-login",
            f"{form.name} keeps the login in the session, and this chain makes none (STATELESS): every next request "
            "is anonymous.",
            {"auth-setting-wrong": STRONG, "session-unknown": CLEAR},
            Where.of(chain.code.source(place)),
            group="spring-session",
            stack=HOP,
            fix="Leave sessionCreationPolicy(STATELESS) out of the chain with the login form.",
        )


@rule
def cors_not_in_chain(evidence: Evidence) -> Iterator[Finding]:
    """Spring MVC is told of other origins, the chain before it is not: it refuses the preflight."""
    for layer, chain in chains(evidence):
        told = next(
            (
                c
                for code in layer.codes
                for c in code.calls("addMapping")
                if "CorsRegistry" in code.document.text
            ),
            None,
        )
        if told is None or layer.says(".cors(", "cors {", "CorsFilter", "CorsConfigurationSource"):
            continue
        everything = next(
            (r for r in chain.rules if not r.patterns and r.decision not in FREE and not r.method), None
        )
        if everything is None or any(r.method == "OPTIONS" for r in chain.rules):
            continue
        yield Finding(
            "spring-cors-not-in-chain",
            "CORS is set up for Spring MVC but not in the filter chain, which asks the preflight for a login.",
            {"cors-preflight-rejected": STRONG},
            Where.of(everything.source),
            group="preflight",
            stack=HOP,
            fix="Add `.cors(Customizer.withDefaults())` to the chain.",
        )


@check
def csrf_token_missing(evidence: Evidence) -> Iterator[Finding]:
    """An unsafe request without a token, where protection is in force: 403, and 401 by way of /error."""
    for layer, one, routes in asked(evidence, Spring):
        chain, decides = layer.rule_of(routes[0]) or (None, None)
        request = one.request
        if chain is None or decides is None or request.method not in UNSAFE or one.status not in (401, 403):
            continue
        given = authorization(request)
        if given and given[0] == "bearer" and chain.on("oauth2ResourceServer"):
            continue
        ignoring = [p for c in chain.calls if c.name.startswith("ignoring") for p in c.strings()]
        sent = any(f.name.lower() in ("x-csrf-token", "x-xsrf-token") for f in request.fields) or "_csrf" in (
            request.body or ""
        )
        if chain.off("csrf") or sent or any(ant(p).match(request.path) for p in ignoring):
            continue
        place = chain.on("csrf")
        yield Finding(
            "spring-csrf-token-missing",
            f"CSRF protection is in force in the chain {chain.name} (it is on unless disabled), and the "
            f"{request.method} carries no token.",
            {
                "csrf-rejected": NAMED,
                "wrong-password": AGAINST,
                "not-permitted": AGAINST,
            },
            Where.of(place.source if place else chain.source),
            group="csrf",
            stack=HOP,
            fix="Send the token (X-CSRF-TOKEN); in an API without cookies: `.csrf(csrf -> csrf.disable())`.",
        )


@check
def refused_though_open(evidence: Evidence) -> Iterator[Finding]:
    """permitAll() does not switch the filters off: they refuse a bad credential before the rules are asked."""
    for layer, one, routes in asked(evidence, Spring):
        chain, decides = layer.rule_of(routes[0]) or (None, None)
        if chain is None or decides is None or decides.decision != "permitAll" or one.status != 401:
            continue
        given = authorization(one.request)
        feature = {"bearer": "oauth2ResourceServer", "basic": "httpBasic"}.get(given[0]) if given else None
        reads = chain.on(feature) if feature else None
        if given and reads is not None:
            says = f"This path is open to everybody, but {reads.name} refuses a bad credential before that is asked."
            yield Finding(
                "spring-refused-though-open",
                says,
                {"needless-credential-rejected": NAMED},
                Where.of(decides.source),
                group="answered-here",
                stack=HOP,
                fix="Send no credential to this path.",
            )
        elif not given and one.request.complete and not any("/error" in r.patterns for r in chain.rules):
            yield Finding(
                "spring-error-page-protected",
                "This path is open to everybody; what is refused is /error, to which another failure (404, 500) leads.",
                {"auth-rule-unintended": STRONG, "wrong-url": CLEAR, "no-credentials": AGAINST},
                Where.of(next((r for r in chain.rules if not r.patterns), decides).source),
                group="answered-here",
                stack=HOP,
                fix='Open "/error" as well (`.requestMatchers("/error").permitAll()`), and look at the failure behind.',
            )
