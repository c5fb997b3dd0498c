"""Checks of users whose passwords stand in the configuration itself, against the request's Basic credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from why401.checks import check, rule
from why401.checks.layers_changes import document_of
from why401.checks.layers_passwords import credentials
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, NAMED, PROVED, RULED_OUT, STRONG, Finding, Where
from why401.layers.accounts import Account, KeepsAccounts, verify
from why401.layers.model import Edit, Route
from why401.layers.password_check import Outcome, Verification
from why401.layers.password_kinds import Kind, recognise
from why401.layers.password_servers import can_check
from why401.path import routes, walks

#: How each product's hash is made anew.
_MAKE = {
    "haproxy": "mkpasswd -m sha-512",
    "caddy": "caddy hash-password",
    "tomcat-digest": "digest.sh -a SHA-256 PASSWORD",
}
_GROUP = "account"


@check
def account_compared(evidence: Evidence) -> Iterator[Finding]:
    """The first route that asks for Basic and keeps its users in the configuration: what it makes of the request's."""
    for one in walks(evidence):
        given = credentials(one.request)
        for route in one.routes:
            scheme = route.demand("scheme")
            if scheme is None:
                continue
            known = route.layer.accounts(route) if isinstance(route.layer, KeepsAccounts) else None
            if given and known is not None and scheme.value.lower() == "basic":
                yield compared(route, known, *given)
            break


def compared(route: Route, known: Sequence[Account], user: str, password: str) -> Finding:
    """What the users of a route say of a user and a password."""
    account = next((a for a in known if a.user == user and a.active), None)
    if account is None:
        return _unknown(route, known, user)
    found = verify(account, password)
    if found.outcome is Outcome.ACCEPTED:
        return _accepted(route, account)
    if found.outcome is Outcome.WRONG_PASSWORD:
        return _wrong(route, account, password, found)
    return _unusable(route, account, found)


def _unknown(route: Route, known: Sequence[Account], user: str) -> Finding:
    place = route.demand("userlist") or route.demand("scheme")
    where = Where.of(place.source) if place else Where.of(route.source)
    hidden = next((a for a in known if a.user == user), None)
    near = next((a for a in known if a.user.casefold() == user.casefold() and a.active), None)
    if hidden is not None:
        return Finding(
            "account-commented-out",
            f"The user stands only inside a comment; {route.hop} does not see the entry.",
            {"password-file-problem": PROVED, "unknown-user": STRONG, "wrong-password": AGAINST},
            Where.of(hidden.source),
            _GROUP,
            route.hop,
            proves="password-file-problem",
            fix="Take the entry out of the comment.",
        )
    says = (
        f"{route.hop} knows {len(known)} user{'s' * (len(known) != 1)} here, and this one is not among them"
    )
    says += "; one differs only in upper and lower case." if near else "."
    return Finding(
        "account-unknown",
        says,
        {"unknown-user": PROVED, "wrong-password": AGAINST, "password-file-problem": AGAINST},
        Where.of(near.source) if near else where,
        _GROUP,
        route.hop,
        proves="unknown-user",
        fix="Write the user's name exactly as it stands there, or add the user.",
    )


def _accepted(route: Route, account: Account) -> Finding:
    wanted = [d for d in route.all("user") if d.value.startswith("group ")]
    against = {"wrong-password": RULED_OUT, "unknown-user": RULED_OUT, "password-file-problem": AGAINST}
    for demand in wanted:
        groups = demand.value.split()[1:]
        if not account.roles & set(groups):
            own = ", ".join(sorted(account.roles)) or "none"
            return Finding(
                "account-lacks-group",
                f"The password is right; {route.hop} asks for {' or '.join(groups)} here, and the user has {own}.",
                {"not-permitted": PROVED, "insufficient-scope": CLEAR, **against},
                Where.of(demand.source),
                _GROUP,
                route.hop,
                proves="not-permitted",
                fix=f"Give the user {groups[0]} ({account.source.name}:{account.source.line}).",
                edits=_granted(route, account, groups[0]),
            )
    return Finding(
        "account-fits",
        f"User and password are those that {route.hop} knows.",
        against,
        Where.of(account.source),
        _GROUP,
        route.hop,
    )


def _granted(route: Route, account: Account, group: str) -> tuple[Edit, ...]:
    """The role added to the user's `roles="…"`, where that stands on the entry's first line."""
    document, line = document_of(route, account.source.name), account.source.line
    if document is None or not line or not account.server.startswith("tomcat"):
        return ()
    text = document.lines[line - 1].rstrip("\r\n")
    roles = re.findall(r"\broles=\"([^\"]*)\"", text)
    if len(roles) != 1:
        return ()
    new = f"{roles[0]},{group}" if roles[0] else group
    return (Edit(document, line, line, (text.replace(f'roles="{roles[0]}"', f'roles="{new}"'),)),)


def _wrong(route: Route, account: Account, password: str, found: Verification) -> Finding:
    if account.written is not None:
        import dataclasses

        whole = dataclasses.replace(account, stored=account.written)
        if verify(whole, password).outcome is Outcome.ACCEPTED:
            return Finding(
                "account-cut-off",
                f"A # in the stored password begins a comment to {route.hop}: it knows only what stands before.",
                {"mangled-in-config": PROVED, "wrong-password": AGAINST},
                Where.of(account.source),
                _GROUP,
                route.hop,
                proves="mangled-in-config",
                fix="Put the password between single quotes.",
                edits=_replaced(route, account, account.written.reveal(), f"'{account.written.reveal()}'"),
            )
    if found.variant:
        return Finding(
            "account-of-another-reading",
            found.says,
            {"mangled-in-config": NAMED, "wrong-password": CLEAR},
            Where.of(account.source),
            _GROUP,
            route.hop,
            fix="Make the hash anew from the password alone.",
            command=_MAKE.get(account.server, ""),
        )
    return Finding(
        "account-password-differs",
        f"{found.says[:-1]} that {route.hop} has for the user.",
        {"wrong-password": PROVED, "unknown-user": RULED_OUT, "mangled-in-config": AGAINST},
        Where.of(account.source),
        _GROUP,
        route.hop,
        proves="wrong-password",
        fix="Use the password that the entry was made from, or make the entry anew.",
        command=_MAKE.get(account.server, ""),
    )


def _unusable(route: Route, account: Account, found: Verification) -> Finding:
    stored = account.stored.reveal()
    mended = recognise(stored).mended
    if found.outcome is Outcome.DAMAGED:
        edits = _replaced(route, account, stored, mended.reveal()) if mended is not None else ()
        weights = {"mangled-in-config": NAMED, "password-file-problem": STRONG, "wrong-password": AGAINST}
    else:
        edits = _other_kind(route, account, found)
        weights = {"password-file-problem": NAMED, "mangled-in-config": CLEAR, "wrong-password": AGAINST}
    if found.matches:
        weights[max(weights, key=lambda cause: weights[cause])] = PROVED
    weights = weights if found.outcome is not Outcome.UNDECIDABLE else {"wrong-password": 0.0}
    return Finding(
        "account-unusable",
        found.says,
        weights,
        Where.of(account.source),
        _GROUP,
        route.hop,
        proves=max(weights, key=lambda cause: weights[cause]) if found.matches else "",
        fix="Make the stored hash anew, in a kind that the server can check.",
        command=_MAKE.get(account.server, ""),
        edits=edits,
    )


def _other_kind(route: Route, account: Account, found: Verification) -> tuple[Edit, ...]:
    """HAProxy has a word for each kind of password: the edit that puts the right one."""
    if not found.matches:
        return ()
    if account.server == "haproxy" and found.kind is Kind.PLAIN:
        return _replaced(route, account, " password ", " insecure-password ")
    if account.server == "haproxy-insecure" and found.kind and can_check("haproxy", found.kind):
        return _replaced(route, account, " insecure-password ", " password ")
    return ()


def _replaced(route: Route, account: Account, old: str, new: str) -> tuple[Edit, ...]:
    document = document_of(route, account.source.name)
    line = account.source.line
    if document is None or not line:
        return ()
    text = document.lines[line - 1].rstrip("\r\n")
    return (Edit(document, line, line, (text.replace(old, new, 1),)),) if text.count(old) == 1 else ()


@rule
def account_never_fits(evidence: Evidence) -> Iterator[Finding]:
    """A stored password that no password can fit: cut off, damaged, or of a kind that the product cannot check."""
    seen: set[tuple[str, int | None]] = set()
    for route in routes(evidence):
        known = route.layer.accounts(route) if isinstance(route.layer, KeepsAccounts) else None
        for account in known or ():
            place = account.source.name, account.source.line
            says = "" if place in seen or not account.active else _never(account, route.hop)
            if says:
                seen.add(place)
                yield Finding(
                    "account-never-fits",
                    says,
                    {"mangled-in-config": CLEAR, "password-file-problem": CLEAR},
                    Where.of(account.source),
                    _GROUP,
                    route.hop,
                    fix="Make the entry anew.",
                    command=_MAKE.get(account.server, ""),
                )


def _never(account: Account, hop: str) -> str:
    if account.written is not None:
        return f"A # begins a comment to {hop}, and stands in the middle of this user's password."
    stored = account.stored.reveal()
    found = recognise(stored)
    if account.algorithm or account.server in ("haproxy-insecure", "tomcat", "tomcat-digest"):
        return ""
    if found.damage and "{" not in stored:
        return found.says
    if not can_check(account.server, found.kind) and not stored.startswith("{"):
        return f"The stored password of this user is {found.kind.value}, which {hop} cannot check."
    return ""
