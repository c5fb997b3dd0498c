"""What Apache httpd is set up to refuse in any case: another realm, old rules beside new, .htaccess, groups.

Sources: howto/auth, mod_authz_core, mod_authn_core, mod_auth_basic, mod_auth_digest, mod_access_compat and "Upgrading
to 2.4 from 2.2" of the documentation; each rule was seen to hold on a real httpd 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import apache_edits as edit
from why401.checks import rule
from why401.checks.apache_logins import LOGIN, met, once
from why401.evidence import Evidence
from why401.findings import AGAINST, HINT, NAMED, RULED_OUT, STRONG, Finding, Where
from why401.layers.apache import HOP, ApacheRoute
from why401.layers.apache_files import is_htaccess
from why401.layers.model import Directive
from why401.layers.tree import Absence, Document

#: The override class that a directive needs to stand in .htaccess ("AllowOverride").
_CLASSES = {
    **dict.fromkeys(LOGIN, "AuthConfig"),
    **dict.fromkeys(("require", "requireall", "requireany", "requirenone", "satisfy", "cgipassauth"), "AuthConfig"),
    **dict.fromkeys(("order", "allow", "deny"), "Limit"),
}  # fmt: skip


@rule
def digest_of_another_realm(evidence: Evidence) -> Iterator[Finding]:
    """No entry of the htdigest file is of the realm that AuthName says: the hash holds the realm, so none can fit."""
    yield from once(pair for route in met(evidence) for pair in _realms(route))


def _realms(route: ApacheRoute) -> Iterator[tuple[Directive, Finding]]:
    demand, named = route.demand("digest-file"), route.chain.last("authname")
    document = route.layer.open(demand.value) if demand and route.layer else None
    if not isinstance(document, Document) or named is None or not named.args:
        return
    realms = {parts[1] for line in document.lines if len(parts := line.strip().split(":")) == 3}
    if not realms or named.args[0] in realms:
        return
    other = ", ".join(sorted(realms)[:3])
    yield (
        named,
        Finding(
            "apache-digest-realm",
            f"AuthName says {named.args[0]!r}, and the file {document.name} has entries only of the realm {other}: the "
            "stored hash holds the realm, so no password can fit.",
            {
                "auth-setting-wrong": NAMED + 4,
                "digest-mismatch": HINT,
                "unknown-user": AGAINST,
                "wrong-password": AGAINST,
            },
            Where.of(named.source),
            group="apache-digest-realm",
            stack=HOP,
            fix="Give AuthName the realm of the file, or make the entries anew: htdigest FILE REALM USER.",
            edits=(edit.instead(named, f'AuthName "{next(iter(realms))}"'),) if len(realms) == 1 else (),
        ),
    )


@rule
def old_rules_beside_new(evidence: Evidence) -> Iterator[Finding]:
    """`Deny from all` of 2.2 stands beside `Require`, which does not replace it: nobody gets in."""
    yield from once(pair for route in met(evidence) for pair in _shut_by_old(route))


def _shut_by_old(route: ApacheRoute) -> Iterator[tuple[Directive, Finding]]:
    old, new = route.facts.old, route.facts.rule
    if old is None or new is None or old.satisfy_any or new.shut:
        return
    if not old.shut or not (new.open or route.facts.users):
        return
    lines = [line for line in old.lines if line.name != "satisfy"]
    yield (
        old.source,
        Finding(
            "apache-old-rules-beside-new",
            "`Deny from all` is in force beside `Require`: both have to be met, so httpd refuses everybody here.",
            {"auth-rule-unintended": NAMED + 8, "not-permitted": RULED_OUT, "wrong-password": AGAINST},
            Where.of(old.source.source),
            group="answered-here",
            stack=HOP,
            fix="Take the Order, Allow and Deny lines out; Require says it all since 2.4.",
            edits=tuple(edit.instead(line) for line in lines),
            opens=route.chain.path if new.open else "",
        ),
    )


@rule
def not_allowed_in_htaccess(evidence: Evidence) -> Iterator[Finding]:
    """An .htaccess holds directives whose class AllowOverride leaves out: httpd answers 500 to everything there."""
    yield from once(pair for route in met(evidence) for pair in _not_allowed(route))


def _not_allowed(route: ApacheRoute) -> Iterator[tuple[Directive, Finding]]:
    override: Directive | None = None
    for section in route.chain.sections:
        override = section.last("allowoverride") or override
        if not is_htaccess(section.document) or override is None or section.last("allowoverridelist"):
            continue
        allowed = {arg.lower().partition("=")[0] for arg in override.args}
        if allowed & {"all", "none", "nonfatal"} or route.chain.last("allowoverridelist"):
            continue
        for directive in section.block or ():
            wanted = _CLASSES.get(directive.name)
            if wanted is None or wanted.lower() in allowed:
                continue
            yield (
                directive,
                Finding(
                    "apache-not-allowed-in-htaccess",
                    f"{directive.document.name} holds a directive of the class {wanted}, which AllowOverride "
                    f"({override.document.name}:{override.line}) leaves out: httpd answers 500 here.",
                    {"auth-setting-wrong": STRONG, "auth-not-wired": HINT},
                    Where.of(directive.source),
                    group="apache-htaccess",
                    stack=HOP,
                    fix=f"Add {wanted} to AllowOverride.",
                    edits=edit.longer(override, wanted),
                ),
            )
            return


@rule
def group_file_missing(evidence: Evidence) -> Iterator[Finding]:
    """The file with the groups that a directive names is not there: nobody is in any group."""
    for route in met(evidence):
        demand, named = route.demand("group-file"), route.chain.last("authgroupfile")
        found = route.layer.open(demand.value) if demand and route.layer else None
        if named is None or not isinstance(found, Absence) or found.kind == "unseen":
            continue
        state = "does not exist" if found.kind == "missing" else "cannot be opened"
        yield Finding(
            "apache-group-file-absent",
            f"The file with the groups, {found.name}, {state}, so nobody is in the group that is asked for.",
            {"auth-setting-wrong": NAMED, "password-file-problem": STRONG, "wrong-password": AGAINST},
            Where.of(named.source),
            group="apache-group-file",
            stack=HOP,
            fix="Name the file that is there, or make it: a line `group: user user`.",
        )
        return
