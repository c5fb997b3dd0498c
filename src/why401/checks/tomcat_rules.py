"""What only Tomcat gets wrong: constraints without a login, realms that changed, valves and locked users."""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check, rule
from why401.checks.layers_passwords import credentials
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, HINT, NAMED, PROVED, STRONG, Finding, Where
from why401.layers.accounts import verify
from why401.layers.model import Edit, Route
from why401.layers.password_check import Outcome
from why401.layers.tomcat import HOP, Tomcat
from why401.layers.tomcat_digests import digest_fits
from why401.layers.tomcat_users import memory_realm
from why401.layers.xml_lines import Element
from why401.path import routes, walks


@rule
def roles_without_login(evidence: Evidence) -> Iterator[Finding]:
    """A constraint asks for roles, and no login-config says how to log in: Tomcat answers 403 to everybody."""
    basic = any(credentials(x.request) for x in evidence.exchanges)
    seen: set[str] = set()
    for route in routes(evidence):
        for answer in route.answers:
            if route.hop != HOP or answer.words != "no login-config says how" or answer.source.name in seen:
                continue
            seen.add(answer.source.name)
            yield Finding(
                "tomcat-roles-without-login",
                "This constraint asks for a role, and web.xml has no login-config: Tomcat asks nobody to log in, and "
                "answers 403 to everybody.",
                {"auth-not-wired": NAMED + 6, "not-permitted": AGAINST, "auth-rule-unintended": HINT},
                Where.of(answer.source),
                "answered-here",
                HOP,
                fix="Add <login-config> with the auth-method that is meant.",
                edits=_with_login(route, answer.source.name) if basic else (),
            )


def _with_login(route: Route, name: str) -> tuple[Edit, ...]:
    """A login-config for BASIC after the last constraint."""
    layer = route.layer
    webs = (
        [a.web for a in layer.applications if a.web.document.name == name]
        if isinstance(layer, Tomcat)
        else []
    )
    for web in webs:
        lines = web.document.text.splitlines()
        ends = [at for at, line in enumerate(lines, 1) if line.strip() == "</security-constraint>"]
        if ends:
            text = lines[ends[-1] - 1]
            indent = text[: len(text) - len(text.lstrip())]
            new = (
                f"{indent}<login-config>",
                f"{indent}  <auth-method>BASIC</auth-method>",
                f"{indent}</login-config>",
            )
            return (Edit(web.document, ends[-1] + 1, ends[-1], new),)
    return ()


@check
def realm_digest_ignored(evidence: Evidence) -> Iterator[Finding]:
    """The realm has `digest=…`, which Tomcat 9 no longer reads: stored digests are compared as if passwords."""
    for one in walks(evidence):
        given = credentials(one.request)
        for route in one.routes:
            layer = route.layer
            if not isinstance(layer, Tomcat) or given is None or route.demand("scheme") is None:
                continue
            account = next((a for a in layer.accounts(route) or () if a.user == given[0] and a.active), None)
            realm = memory_realm(layer.realm(None))
            if account is None or realm is None or account.algorithm:
                continue
            algorithm = realm.attributes.get("digest") or _kind_of(account.stored.reveal())
            if algorithm and digest_fits(given[1], account.stored.reveal(), algorithm):
                yield _digest_ignored(realm, algorithm)
                return


def _digest_ignored(realm: Element, algorithm: str) -> Finding:
    old = "digest" in realm.attributes
    says = f"The user's entry holds a {algorithm} digest of just this password, and the realm compares plain text: "
    says += "its digest attribute is not read since Tomcat 9." if old else "it has no CredentialHandler."
    weights = (
        {"upgrade-regression": PROVED, "auth-setting-wrong": STRONG}
        if old
        else {"auth-setting-wrong": PROVED}
    )
    return Finding(
        "tomcat-realm-digest-ignored",
        says,
        {**weights, "password-file-problem": STRONG, "wrong-password": -60.0},
        Where.of(realm.source),
        "realm",
        HOP,
        proves="upgrade-regression" if old else "auth-setting-wrong",
        fix="Put a CredentialHandler with this algorithm into the realm.",
        edits=_with_handler(realm, algorithm),
    )


def _kind_of(stored: str) -> str:
    """The algorithm of a bare digest, by its length."""
    length = len(stored.rpartition("$")[2]) if re.fullmatch(r"[0-9A-Fa-f$]+", stored) else 0
    return {32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}.get(length, "")


def _with_handler(realm: Element, algorithm: str) -> tuple[Edit, ...]:
    """The realm's empty tag opened, with the handler inside; only where the tag stands on lines of its own."""
    lines = realm.document.text.splitlines()
    end = next(
        (at for at in range(realm.line, min(realm.line + 8, len(lines) + 1)) if "/>" in lines[at - 1]), None
    )
    if end is None or not lines[end - 1].rstrip().endswith("/>") or realm.children:
        return ()
    head = lines[realm.line - 1]
    if not head.lstrip().startswith("<Realm"):
        return ()
    indent = head[: len(head) - len(head.lstrip())]
    handler = f'className="org.apache.catalina.realm.MessageDigestCredentialHandler" algorithm="{algorithm}"'
    opened = lines[end - 1].rstrip().removesuffix("/>").rstrip() + ">"
    new = (opened, f"{indent}  <CredentialHandler {handler} />", f"{indent}</Realm>")
    return (Edit(realm.document, end, end, new),)


@check
def address_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """RemoteAddrValve compares the client's address as text with a regular expression, as a whole."""
    for one in walks(evidence):
        client = one.record.address if one.record else _loopback(one.request.split.hostname)
        for route in one.routes:
            for demand in route.all("address-pattern"):
                verb, _, pattern = demand.value.partition(" ")
                fits = _fits(pattern, client) if client else None
                if fits is None or one.status not in (401, 403, None) or fits is (verb == "allow"):
                    continue
                yield Finding(
                    "tomcat-address-not-allowed",
                    f"RemoteAddrValve {'lets in only' if verb == 'allow' else 'refuses'} addresses that fit its "
                    f"pattern, and {client} {'does not' if verb == 'allow' else 'does'}.",
                    {"not-permitted": NAMED + 6, "client-banned": CLEAR, "wrong-password": AGAINST},
                    Where.of(demand.source),
                    "address-rule",
                    HOP,
                    fix="Add the client's address to the pattern (dots written as \\.), or ask from an allowed one.",
                )
                return


def _loopback(host: str | None) -> str | None:
    return "127.0.0.1" if host in ("127.0.0.1", "localhost") else None


def _fits(pattern: str, client: str) -> bool | None:
    try:
        return re.fullmatch(pattern, client) is not None
    except re.error:
        return None


@check
def locked_out(evidence: Evidence) -> Iterator[Finding]:
    """User and password are right, and a LockOutRealm stands in between: it refuses after some failures."""
    for one in walks(evidence):
        given = credentials(one.request)
        for route in one.routes:
            lock = route.demand("locks-out")
            if lock is None or given is None or one.status != 401 or not isinstance(route.layer, Tomcat):
                continue
            known = route.layer.accounts(route) or ()
            account = next((a for a in known if a.user == given[0] and a.active), None)
            if account is not None and verify(account, given[1]).outcome is Outcome.ACCEPTED:
                yield Finding(
                    "tomcat-locked-out",
                    f"User and password are right, so the LockOutRealm refuses: after {lock.value} failures it locks "
                    "a user for lockOutTime (300 s), and each further attempt within it counts anew.",
                    {"too-many-attempts": STRONG + 4, "wrong-password": AGAINST},
                    Where.of(lock.source),
                    "answered-here",
                    HOP,
                    fix="Stop what tries the old password, wait for lockOutTime, then log in; a restart clears it too.",
                )
                return
