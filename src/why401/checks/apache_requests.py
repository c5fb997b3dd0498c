"""Why Apache httpd refuses the user of a request at hand: Require leaves him out, or his credentials are taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from why401.checks import apache_edits as edit
from why401.checks import check
from why401.checks.layers_passwords import credentials
from why401.evidence import Evidence, Request
from why401.findings import AGAINST, NAMED, RULED_OUT, Finding, Where
from why401.layers.apache import HOP, ApacheRoute
from why401.layers.apache_access import Rule, of_address, of_request, of_user
from why401.layers.apache_tree import words
from why401.layers.maybe import Maybe, every, some
from why401.layers.model import Directive, Edit
from why401.layers.tree import Document
from why401.path import Walk, walks

if TYPE_CHECKING:
    from collections.abc import Mapping


def met(evidence: Evidence) -> Iterator[tuple[Walk, ApacheRoute]]:
    """Each refused request with the route of httpd that it meets."""
    for one in walks(evidence):
        for route in one.routes:
            if isinstance(route, ApacheRoute):
                yield one, route


def accepts(document: object, request: Request) -> bool:
    """Whether a password file lets in the user whose Basic credentials a request carries."""
    from why401.layers.password_check import Outcome, verify
    from why401.layers.passwords import parse

    given = credentials(request)
    if given is None or not isinstance(document, Document):
        return False
    return verify(*given, parse(document.text), "apache").outcome is Outcome.ACCEPTED


@check
def user_not_required(evidence: Evidence) -> Iterator[Finding]:
    """The user logs in, and no `Require` line names him or a group of his."""
    for one, route in met(evidence):
        given = credentials(one.request)
        user = given[0] if given else one.record.user if one.record else None
        rule = route.facts.rule
        if not user or rule is None or not route.facts.users or one.status not in (401, 403, None):
            continue
        if _lets(rule, user, route) is not False:
            continue
        line = route.facts.users[0]
        named = " ".join(line.args)
        yield Finding(
            "apache-user-not-required",
            f"`Require {named}` lets in others than {user}; whom it leaves out gets the 401 of a wrong password.",
            {
                "not-permitted": NAMED,
                "wrong-password": AGAINST,
                "unknown-user": AGAINST,
                "no-credentials": RULED_OUT,
            },
            Where.of(line.source),
            group="apache-require",
            stack=HOP,
            fix=f"Let {user} in too.",
            edits=_named_too(line, user, route),
        )
        return


def _lets(rule: Rule, user: str, route: ApacheRoute) -> Maybe:
    """Whether the rules let a user in, whatever the address; None where that is not known."""
    held = [
        _lets(item, user, route) if isinstance(item, Rule) else _fits(item, user, route)
        for item in rule.items
        if isinstance(item, Rule) or not of_address(item)
    ]
    if not held or rule.joined == "none":
        return None
    return some(held) if rule.joined == "any" else every(held)


def _fits(require: Directive, user: str, route: ApacheRoute) -> Maybe:
    kind, rest = require.args[0].lower(), require.args[1:]
    if kind == "valid-user":
        return True
    if kind == "user":
        return user in rest
    if kind == "group":
        groups = _groups(route)
        return None if groups is None else any(user in groups.get(name, ()) for name in rest)
    if kind == "all":
        return rest[:1] == ("granted",)
    return None if of_user(require) or of_request(require) else False


def _groups(route: ApacheRoute) -> Mapping[str, tuple[str, ...]] | None:
    """The users of each group, by the file in force; None where it is not at hand."""
    document = _group_file(route)
    if document is None:
        return None
    pairs = (line.split(":", 1) for line in document.lines if ":" in line and not line.startswith("#"))
    return {name.strip(): words(users) for name, users in pairs}


def _group_file(route: ApacheRoute) -> Document | None:
    demand = route.demand("group-file")
    found = route.layer.open(demand.value) if demand and route.layer else None
    return found if isinstance(found, Document) else None


def _named_too(line: Directive, user: str, route: ApacheRoute) -> tuple[Edit, ...]:
    kind = line.args[0].lower()
    if kind == "user":
        return edit.longer(line, user if user.isprintable() and " " not in user else f'"{user}"')
    document = _group_file(route)
    for number, text in enumerate(document.lines if document and kind == "group" else (), 1):
        if document is not None and text.split(":", 1)[0].strip() in line.args[1:]:
            return (Edit(document, number, number, (f"{text.rstrip()} {user}",)),)
    return ()


@check
def removed_early(evidence: Evidence) -> Iterator[Finding]:
    """`RequestHeader … early` takes Authorization away before httpd itself looks at it."""
    for one, route in met(evidence):
        if "authorization" not in {f.name.lower() for f in one.request.fields}:
            continue
        for directive in route.chain.every("requestheader"):
            args = [arg.lower() for arg in directive.args]
            if args[:1] in (["unset"], ["set"]) and args[1:2] == ["authorization"] and args[-1] == "early":
                yield Finding(
                    "apache-removed-early",
                    "RequestHeader … early takes Authorization away before httpd itself looks at the login.",
                    {
                        "proxy-stripped-credentials": NAMED,
                        "no-credentials": AGAINST,
                        "wrong-password": AGAINST,
                    },
                    Where.of(directive.source, field="Authorization"),
                    group="dropped-on-the-way",
                    stack=HOP,
                    fix="Take the line out, or leave out `early`.",
                    edits=(edit.instead(directive),),
                )
                return
