"""Logins of Apache httpd that are set up by half: a directive or a module is missing without which none can be held.

Sources: howto/auth, mod_authn_core, mod_auth_basic, mod_authz_groupfile of the documentation; seen on httpd 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import apache_edits as edit
from why401.checks import rule
from why401.evidence import Evidence
from why401.findings import AGAINST, NAMED, Finding, Where
from why401.layers.apache import HOP, Apache, ApacheRoute
from why401.layers.model import Directive, Edit
from why401.path import routes

#: AuthType or provider → the module that it needs.
_MODULES = {
    "authtype": {"basic": "auth_basic", "digest": "auth_digest", "form": "auth_form", "gssapi": "auth_gssapi",
                 "openid-connect": "auth_openidc", "mellon": "auth_mellon"},
    "authbasicprovider": {"file": "authn_file", "ldap": "authnz_ldap", "dbd": "authn_dbd", "dbm": "authn_dbm",
                          "anon": "authn_anon", "socache": "authn_socache"},
}  # fmt: skip
#: What a login by mod_auth_basic and mod_auth_digest alone may hold; anything else may bring its own user store.
LOGIN = frozenset(
    "authtype authname authuserfile authgroupfile authbasicprovider authbasicauthoritative authdigestprovider "
    "authdigestqop authdigestdomain authdigestalgorithm authdigestnoncelifetime authmerging "
    "authzsendforbiddenonfailure".split()
)


def met(evidence: Evidence) -> Iterator[ApacheRoute]:
    """The routes of httpd that matter."""
    for route in routes(evidence):
        if isinstance(route, ApacheRoute):
            yield route


def once(found: Iterator[tuple[Directive, Finding]]) -> Iterator[Finding]:
    """Each finding once a directive, though many routes meet it."""
    seen: set[int] = set()
    for directive, finding in found:
        if id(directive) not in seen:
            seen.add(id(directive))
            yield finding


@rule
def login_by_half(evidence: Evidence) -> Iterator[Finding]:
    """A login is asked for, and a directive without which httpd cannot hold it is not in force."""
    yield from once(pair for route in met(evidence) if _whole(route) for pair in _lacking(route))


def _whole(route: ApacheRoute) -> bool:
    """Whether nothing outside of what was read can set the login up."""
    return isinstance(route.layer, Apache) and route.layer.complete


def _lacking(route: ApacheRoute) -> Iterator[tuple[Directive, Finding]]:
    users, chain = route.facts.users, route.chain
    if not users or any(_foreign(section) for section in chain.sections):
        return
    kind = chain.last("authtype")
    if kind is None or not kind.args or kind.args[0].lower() == "none":
        asked = " ".join(users[0].args)
        says = f"`Require {asked}` asks for a login, and no AuthType is in force: httpd can only answer 500 (AH00027)."
        yield (
            users[0],
            _half(
                "apache-no-auth-type",
                says,
                users[0],
                "auth-not-wired",
                "Add AuthType, AuthName and AuthUserFile.",
            ),
        )
        return
    scheme = kind.args[0].lower()
    if scheme not in ("basic", "digest"):
        return
    if chain.last("authname") is None:
        says = f"AuthType {kind.args[0]} stands without an AuthName: httpd answers 500 (AH01615)."
        mend = (edit.after(kind, 'AuthName "Restricted"'),)
        yield kind, _half("apache-no-auth-name", says, kind, "auth-setting-wrong", "Name the realm.", mend)
    named = chain.last(f"auth{scheme}provider")
    if chain.last("authuserfile") is None and (named is None or [a.lower() for a in named.args] == ["file"]):
        says = "The passwords are to come from a file, and no AuthUserFile is in force: httpd answers 500 (AH01619)."
        yield (
            kind,
            _half(
                "apache-no-user-file",
                says,
                kind,
                "password-file-problem",
                "Name the file: AuthUserFile /path.",
            ),
        )
    groups = [user for user in users if user.args[0].lower() == "group"]
    if groups and len(groups) == len(users) and chain.last("authgroupfile") is None:
        says = "A group is asked for, and no AuthGroupFile is in force: nobody is in it (AH01664)."
        yield (
            groups[0],
            _half(
                "apache-no-group-file",
                says,
                groups[0],
                "auth-setting-wrong",
                "Name the file: AuthGroupFile /path.",
            ),
        )


def _half(name: str, says: str, at: Directive, cause: str, fix: str, edits: tuple[Edit, ...] = ()) -> Finding:
    weights = {cause: NAMED, "wrong-password": AGAINST}
    return Finding(name, says, weights, Where.of(at.source), "apache-login-setup", HOP, fix=fix, edits=edits)


def _foreign(section: Directive) -> bool:
    """Whether a section uses a module for logins that is not known here."""
    return any(
        d.name.startswith(("auth", "perl", "lua", "krb", "gss", "oidc", "mellon", "shib", "cas"))
        and d.name not in LOGIN
        for d in section.block or ()
    )


@rule
def module_not_loaded(evidence: Evidence) -> Iterator[Finding]:
    """A login needs a module that this server does not load."""
    yield from once(pair for route in met(evidence) if route.facts.users for pair in _unloaded(route))


def _unloaded(route: ApacheRoute) -> Iterator[tuple[Directive, Finding]]:
    if not isinstance(route.layer, Apache):
        return
    parsed = route.layer.parsed
    for name, modules in _MODULES.items():
        held = route.chain.last(name)
        for word in held.args if held is not None else ():
            module = modules.get(word.lower())
            if held is None or module is None or parsed.has(module):
                continue
            yield (
                held,
                Finding(
                    "apache-module-not-loaded",
                    f"`{word}` needs mod_{module}, and no LoadModule loads it.",
                    {"auth-not-wired": NAMED, "wrong-password": AGAINST},
                    Where.of(held.source),
                    group="apache-login-setup",
                    stack=HOP,
                    fix=f"Load mod_{module}.",
                    command=f"a2enmod {module} && systemctl restart apache2",
                    edits=_loaded(parsed.modules, module),
                ),
            )


def _loaded(modules: dict[str, Directive], module: str) -> tuple[Edit, ...]:
    """A LoadModule like its neighbour's, where all are written in one file."""
    like = modules.get("authz_core")
    words = edit.written(like) if like is not None else ""
    if like is None or like.document.name.endswith(".load") or words.count("authz_core") != 2:
        return ()
    return (edit.after(like, words.replace("authz_core", module)),)
