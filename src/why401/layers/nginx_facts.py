"""What one block of nginx demands, changes, answers and passes on, by the directives in force there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from why401.evidence import Answer, Change, Demand
from why401.layers.model import CARRIERS, Directive
from why401.layers.nginx_rewrite import PASSES, always_answers

if TYPE_CHECKING:
    from why401.layers.nginx import Nginx

HOP: Final = "nginx"

#: Modules that ask for a login: the directive that switches it on, its scheme, the directive with its file.
_LOGINS: Final = (
    ("auth_basic", "Basic", "auth_basic_user_file", "password-file"),
    ("auth_digest", "Digest", "auth_digest_user_file", "digest-file"),
    ("auth_jwt", "Bearer", "auth_jwt_key_file", "keys"),
    ("auth_gss", "Negotiate", "auth_gss_keytab", "keytab"),
    ("auth_ldap", "Basic", "auth_ldap_servers", "directory"),
    ("auth_pam", "Basic", "auth_pam_service_name", "directory"),
)
#: Directives that set a field of the request passed on, and those that hide one of the answer.
_SETS: Final = {"proxy_pass": "proxy_set_header", "grpc_pass": "grpc_set_header", "fastcgi_pass": "fastcgi_param",
                "uwsgi_pass": "uwsgi_param", "scgi_pass": "scgi_param"}  # fmt: skip


def in_force(block: Directive, *names: str) -> list[Directive]:
    """The directives of these names that hold in a block: those of the nearest enclosing block with any."""
    return next((found for at in block.enclosing() if (found := at.all(*names))), [])


class Facts:
    """The facts of one block; see `Route` for what they become."""

    def __init__(self, layer: Nginx, block: Directive) -> None:
        self._layer, self._block = layer, block

    def _in_force(self, *names: str) -> list[Directive]:
        """As `in_force`; names that stand nowhere in the configuration are not looked for."""
        return in_force(self._block, *names) if not self._layer.names.isdisjoint(names) else []

    def _one(self, name: str) -> Directive | None:
        return next(reversed(self._in_force(name)), None)

    # demands

    def demands(self) -> Iterator[Demand]:
        if not self._answered():
            yield from self._access()
        held = self._one("ssl_verify_client")
        if held is not None and held.args == ("on",):
            yield self._demand("certificate", "on", held)
        for condition in self._refusing():
            words = " ".join(condition.args)
            if "$ssl_client_" in words:
                yield self._demand("certificate", "on", condition)
            for name in self.fields_in(words):
                yield self._demand("field", name, condition)

    def _answered(self) -> bool:
        """Whether the block or its server answers before access is looked at."""
        server = next((at for at in self._block.enclosing() if at.name == "server"), self._block)
        return always_answers(self._block) or always_answers(server)

    def _access(self) -> Iterator[Demand]:
        """What the phases before and of access want."""
        for switch, scheme, file, respect in _LOGINS:
            yield from self._login(switch, scheme, file, respect)
        for directive in self._in_force("auth_request")[-1:]:
            if directive.args != ("off",):
                yield self._demand("subrequest", directive.args[0], directive)
        rules = self._in_force("allow", "deny")
        if any(rule.name == "deny" for rule in rules):
            denied = next(rule for rule in rules if rule.name == "deny")
            yield self._demand("address", ", ".join(f"{r.name} {' '.join(r.args)}" for r in rules), denied)
        held = self._one("satisfy")
        if held is not None and held.args == ("any",):
            yield self._demand("satisfy", "any", held)
        for directive in self._in_force("limit_req", "limit_conn"):
            status = self._one(f"{directive.name}_status")
            yield self._demand("rate", status.args[0] if status and status.args else "503", directive)

    def _login(self, switch: str, scheme: str, file: str, respect: str) -> Iterator[Demand]:
        held = self._one(switch)
        if held is None or not held.args or held.args[0] == "off" or self._sometimes_off(held.args[0]):
            return
        named = self._one(file)
        if named is None and switch == "auth_basic" and self._layer.complete:
            return  # without a file nginx lets everybody in (ngx_http_auth_basic_handler)
        yield self._demand("scheme", scheme, held)
        yield self._demand("realm", held.args[0], held)
        if named is not None and named.args and "$" not in named.args[0]:
            yield self._demand(respect, named.args[0], named)

    def _sometimes_off(self, value: str) -> bool:
        """Whether a variable in `auth_basic` is "off" for some requests, by its map or geo block."""
        if "$" not in value:
            return False
        for block in self._layer.http.all("map", "geo"):
            if block.args and block.args[-1] == value:
                return any(item.args == ("off",) for item in block.block or ())
        return True

    def _demand(self, respect: str, value: str, directive: Directive) -> Demand:
        return Demand(respect, value, directive.source, hop=HOP)

    # answers

    def _refusing(self) -> Iterator[Directive]:
        """Each `if` in force whose block returns a refusal: a location inherits none of another location."""
        server = next((at for at in self._block.enclosing() if at.name == "server"), self._block)
        for at in dict.fromkeys((self._block, server)):
            for condition in at.all("if"):
                if any(r.args[:1] in (("401",), ("403",), ("407",)) for r in condition.all("return")):
                    yield condition

    def answers(self) -> Iterator[Answer]:
        blocks = [self._block, *self._refusing()]
        for block in blocks:
            for directive in block.all("return"):
                if directive.args[:1] in (("401",), ("403",), ("407",)):
                    words = _without_values(" ".join(block.args)) if block.name == "if" else ""
                    yield Answer(HOP, int(directive.args[0]), directive.source, words=words)

    def fields_in(self, words: str, depth: int = 0) -> Iterator[str]:
        """The request's fields that a condition reads, also through `map`s and `set`s."""
        for name in re.findall(r"\$(\w+)", words):
            if name.startswith("http_"):
                yield name[5:].replace("_", "-").title()
            elif name.startswith("cookie_"):
                yield "Cookie"
            elif depth < 4:
                for block in self._layer.http.all("map"):
                    if len(block.args) == 2 and block.args[1] == f"${name}":
                        yield from self.fields_in(block.args[0], depth + 1)

    # changes

    def changes(self) -> Iterator[Change]:
        kind = self._passing()
        if kind is not None:
            yield from self._set(kind)
            for name in (f"{kind.name[:-5]}_pass_request_headers", "more_clear_input_headers"):
                held = self._one(name)
                if held is not None and (held.args == ("off",) or name.startswith("more")):
                    for lost in CARRIERS if held.args == ("off",) else held.args:
                        yield Change("drops", lost, held.source, HOP)
            for directive in self._in_force(f"{kind.name[:-5]}_hide_header"):
                yield Change("drops", directive.args[0] if directive.args else "", directive.source, HOP)
        yield from self._caching()
        held = self._one("underscores_in_headers")
        if held is None or held.args != ("on",):
            server = next((b for b in self._block.enclosing() if b.name == "server"), self._block)
            yield Change("drops", "*_*", held.source if held else server.source, HOP)

    def _passing(self) -> Directive | None:
        """The directive by which the block (or an `if` in it) passes the request on."""
        block = self._block.parent if self._block.name == "limit_except" else self._block
        blocks = (block, *block.all("if")) if block is not None else ()
        return next((found for one in blocks if (found := one.first(*PASSES))), None)

    def _set(self, kind: Directive) -> Iterator[Change]:
        name = _SETS[kind.name]
        held = self._in_force(name)
        for directive in held:
            if len(directive.args) < 2:
                continue
            field, value = _field_name(name, directive.args[0]), directive.args[1]
            if not field or value == f"$http_{field.lower().replace('-', '_')}":
                continue
            yield Change(
                "overwrites" if value else "drops", field, directive.source, HOP, value=_kind_of(value)
            )
        if held and name.endswith("_header"):
            yield from self._not_inherited(name, held)

    def _not_inherited(self, name: str, held: list[Directive]) -> Iterator[Change]:
        """Fields that an outer block adds, which the inner block's own list replaces."""
        inner = held[0].parent
        repeated = {d.args[0].lower() for d in held if d.args}
        for outer in list(inner.enclosing())[1:] if inner else ():
            for directive in outer.all(name):
                if (
                    len(directive.args) > 1
                    and directive.args[1]
                    and directive.args[0].lower() not in repeated
                ):
                    place = f"{directive.document.name}:{directive.line}"
                    yield Change("drops", directive.args[0], held[0].source, HOP, value=f"set at {place}")

    def _caching(self) -> Iterator[Change]:
        cache = self._one("proxy_cache") or self._one("fastcgi_cache")
        if cache is None or cache.args[:1] == ("off",):
            return
        for directive in self._in_force(cache.name + "_valid"):
            if len(directive.args) > 1 and set(directive.args[:-1]) & {"any", "401", "403"}:
                yield Change("caches", " ".join(directive.args[:-1]), directive.source, HOP)

    # upstream

    def upstream(self) -> str:
        """Where the request goes on to, with the name of an `upstream` block replaced by its first address."""
        kind = self._passing()
        if kind is None or not kind.args:
            return ""
        target = kind.args[0]
        scheme, sep, rest = target.rpartition("://") if "://" in target else ("", "", target)
        host, slash, path = rest.partition("/") if not rest.startswith("unix:") else (rest, "", "")
        host = (self._layer.upstreams.get(host) or [host])[0]
        prefix = "" if kind.name == "proxy_pass" else f"{kind.name[:-5]}:"
        return f"{prefix}{scheme}{sep}{host}{slash}{path}"


def _field_name(directive: str, name: str) -> str:
    """The request field that a parameter stands for: `HTTP_AUTHORIZATION` is Authorization to FastCGI."""
    if directive.endswith("_header"):
        return name
    return name[5:].replace("_", "-").title() if name.upper().startswith("HTTP_") else ""


def _kind_of(value: str) -> str:
    """What a field is set to, without the value itself: a variable by its name, else `a fixed value`."""
    return value if value.startswith("$") else "a fixed value" if value else ""


def _without_values(condition: str) -> str:
    """A condition with what it compares with masked, since API keys stand there."""
    return re.sub(r"((?:!?[=~]\*?)\s*).+$", r"\1•••", condition)
