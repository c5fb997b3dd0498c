"""What a chain of Apache httpd's sections demands, changes and answers.

Demands beside those that other products have: `user` ("valid-user", "user alice bob", "group admins", with the
provider's own first word), `group-file`, `directory` (mod_authnz_ldap), `login` (a form or a provider of identities).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from why401.evidence import Answer, Change, Demand
from why401.layers import apache_access as access
from why401.layers.apache_chain import Chain
from why401.layers.apache_rewrite import rules
from why401.layers.model import Directive
from why401.prefilter import lazy

if TYPE_CHECKING:
    from why401.layers.apache import Apache

HOP: Final = "Apache httpd"
#: AuthType → the scheme that it asks for; the others send to a login page or a provider.
SCHEMES: Final = {
    "basic": "Basic",
    "digest": "Digest",
    "gssapi": "Negotiate",
    "kerberos": "Negotiate",
    "negotiate": "Negotiate",
    "ntlm": "NTLM",
    "oauth20": "Bearer",
    "oauth2": "Bearer",
}
LOGINS: Final = frozenset("form openid-connect auth-openidc mellon shibboleth cas lasso".split())
_FIELD = lazy(r"(?i)%\{HTTP:([\w-]+)\}|\b(?:req|http)\(['\"]([\w-]+)['\"]\)|%\{HTTP_(COOKIE)\}")


class Facts:
    """The facts of one chain; see `Route` for what they become."""

    def __init__(self, layer: Apache, chain: Chain, method: str | None, upstream: str) -> None:
        self._layer, self._chain, self._method, self._upstream = layer, chain, method, upstream
        self.rule = access.rule_for(chain.sections, method)
        self.old = access.old_rules(chain.sections, method)

    @property
    def users(self) -> list[Directive]:
        """The `Require` lines that ask for a user; none where all may pass without."""
        if (
            self.rule is None
            or self.rule.open
            or (self.old and self.old.satisfy_any and self.old.value == "")
        ):
            return []
        return [leaf for leaf in self.rule.leaves() if access.of_user(leaf)]

    # demands

    def demands(self) -> Iterator[Demand]:
        users = self.users
        if users:
            yield from self._login()
            for leaf in users:
                yield self._demand("user", " ".join(leaf.args), leaf)
            groups = self._chain.last("authgroupfile")
            if groups is not None and groups.args and any(leaf.args[0].lower() == "group" for leaf in users):
                yield self._demand("group-file", groups.args[0], groups)
        yield from self._addresses(bool(users))
        for name, value, respect in (
            ("sslverifyclient", "require", "certificate"),
            ("sslrequiressl", "", "https"),
        ):
            held = self._chain.last(name)
            if held is not None and " ".join(held.args).lower() == value:
                yield self._demand(respect, "on", held)
        for name, source in self._fields():
            yield self._demand("field", name, source)

    def _login(self) -> Iterator[Demand]:
        kind = self._chain.last("authtype")
        if kind is None or not kind.args:
            return
        name = kind.args[0].lower()
        if name in LOGINS:
            yield self._demand("login", kind.args[0], kind)
        if name not in SCHEMES:
            return
        yield self._demand("scheme", SCHEMES[name], kind)
        realm = self._chain.last("authname")
        if realm is not None and realm.args:
            yield self._demand("realm", realm.args[0], realm)
        yield from self._stores(name)

    def _stores(self, kind: str) -> Iterator[Demand]:
        """Where the passwords are kept, by the providers in force; an alias of a provider says nothing."""
        named = self._chain.last(f"auth{kind}provider")
        providers = [arg.lower() for arg in named.args] if named else ["file"]
        file = self._chain.last("authuserfile")
        if kind in ("basic", "digest") and providers == ["file"] and file is not None and file.args:
            yield self._demand("password-file" if kind == "basic" else "digest-file", file.args[0], file)
        if "ldap" in providers:
            url = self._chain.last("authldapurl")
            if url is not None and url.args:
                yield self._demand("directory", re.sub(r"//[^/@]*@", "//", url.args[0]), url)

    def _addresses(self, users: bool) -> Iterator[Demand]:
        either = False
        if self.rule is not None and not self.rule.open and not self.rule.shut:
            found = access.addresses(self.rule)
            # beside an unknown alternative, an address alone decides nothing
            alone = self.rule.joined != "any" or not any(access.of_request(x) for x in self.rule.leaves())
            if found and alone:
                yield self._demand("address", *found)
                top = [item for item in self.rule.items if isinstance(item, Directive)]
                either = self.rule.joined == "any" and users and any(access.of_user(item) for item in top)
        if self.old is not None and self.old.value and not self.old.shut and not self._open_by_rule():
            yield self._demand("address", self.old.value, self.old.source)
            either = either or (self.old.satisfy_any and users)
        if either:
            source = self._chain.last("satisfy") or self.users[0]
            yield self._demand("satisfy", "any", source)

    def _open_by_rule(self) -> bool:
        """Whether `Satisfy Any` makes the old rules void, since `Require` lets all pass."""
        return bool(self.old and self.old.satisfy_any and (self.rule is None or self.rule.open))

    def _fields(self) -> Iterator[tuple[str, Directive]]:
        for outcome in self._chain.rewritten:
            if outcome.answer is not None:
                for name in outcome.answer.reads:
                    yield name, outcome.answer.directive
        if self.rule is not None and not self.rule.open:
            for leaf in self.rule.leaves():
                for match in _FIELD.finditer(" ".join(leaf.args)) if leaf.args[0].lower() == "expr" else ():
                    yield next(group for group in match.groups() if group).title(), leaf

    def _demand(self, respect: str, value: str, directive: Directive) -> Demand:
        return Demand(respect, value, directive.source, hop=HOP)

    # answers

    def answers(self) -> Iterator[Answer]:
        if self.rule is not None and self.rule.shut:
            yield Answer(HOP, 403, next(self.rule.leaves()).source)
        if self.old is not None and self.old.shut and not self.old.satisfy_any:
            yield Answer(HOP, 403, self.old.source.source)
        for outcome in self._chain.rewritten:
            if outcome.answer is not None and outcome.answer.status is not None:
                yield Answer(HOP, outcome.answer.status, outcome.answer.directive.source)
        for section in self._chain.sections:
            for rewrite in rules(section):
                known = any(
                    o.answer and o.answer.directive is rewrite.directive for o in self._chain.rewritten
                )
                if rewrite.status is not None and rewrite.reads and not known:
                    yield Answer(HOP, rewrite.status, rewrite.directive.source, words="a RewriteCond holds")
        for directive in self._chain.every("redirect"):
            args = directive.args
            if args[:1] in (("401",), ("403",)) and self._chain.path.startswith(args[1] if args[1:] else "/"):
                yield Answer(HOP, int(args[0]), directive.source)

    # changes

    def changes(self) -> Iterator[Change]:
        if not self._upstream:
            return
        for directive in self._chain.every("requestheader"):
            args = [arg for arg in directive.args if arg.lower() != "early"]
            if len(args) < 2 or conditional(args):
                continue
            action, name = args[0].lower(), args[1].rstrip(":")
            if action == "unset":
                yield Change("drops", name, directive.source, HOP)
            elif action == "set" and len(args) > 2 and not _itself(name, args[2]):
                value = args[2] if "%{" in args[2] else "a fixed value"
                yield Change("overwrites", name, directive.source, HOP, value=value)


def conditional(args: list[str]) -> bool:
    """Whether a RequestHeader or Header holds only under a condition (env=…, expr=…)."""
    return args[-1].lower().startswith(("env=", "expr=")) and len(args) > (
        2 if args[0].lower() == "unset" else 3
    )


def _itself(name: str, value: str) -> bool:
    """Whether a field is set to what it had: `RequestHeader set Authorization "expr=%{HTTP:Authorization}"`."""
    return re.sub(r"[\s\"']", "", value).lower() in (
        f"expr=%{{http:{name.lower()}}}",
        f"%{{http:{name.lower()}}}i",
    )
