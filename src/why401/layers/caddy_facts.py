"""What the directives of a Caddy site do with one request, or may do with any."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from why401.evidence import Answer, Change, Demand, Request
from why401.layers.accounts import Account
from why401.layers.caddy_match import PRIVATE, fits, named, parts_of, split_matcher
from why401.layers.model import Directive
from why401.secret import Secret

if TYPE_CHECKING:
    from why401.layers.caddy import Caddy

HOP: Final = "Caddy"
#: directives.go, defaultDirectiveOrder: those that bear on this, `handle_path` sorted with `handle`.
ORDER: Final = (
    "map vars root header copy_response_headers request_body redir method rewrite uri try_files basicauth "
    "basic_auth forward_auth request_header encode push intercept templates invoke handle route abort error "
    "copy_response respond metrics reverse_proxy php_fastcgi file_server acme_server"
).split()
_ENDS: Final = ("abort", "error", "respond", "reverse_proxy", "php_fastcgi", "file_server", "redir")


def accounts_in(login: Directive) -> list[Account]:
    """The users of a `basic_auth`; hashes of old files are in base64 once more (basicauth.go)."""
    found = []
    for line in login.block or ():
        if len(line.args) == 1:
            stored = line.args[0]
            if "{" in line.name + stored:
                continue  # a placeholder, filled in by the running server
            found.append(Account(line.name, Secret(_decoded(stored)), "caddy", line.source))
    return found


def _decoded(stored: str) -> str:
    if stored.startswith("$"):
        return stored
    try:
        return base64.b64decode(stored, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return stored


def ordered(block: Directive, own: Sequence[str] = ()) -> list[Directive]:
    """The directives of a block in the order in which Caddy applies them."""
    held = [d for d in block.block or () if not d.name.startswith("@")]
    if block.name == "route":
        return held
    order = _reordered(own)

    def key(directive: Directive) -> tuple[int, int, int]:
        name = "handle" if directive.name == "handle_path" else directive.name
        matcher, _ = split_matcher(directive)
        length = len(matcher.rstrip("*")) if matcher.startswith("/") else 0
        return order.index(name) if name in order else -1, -length, 0 if matcher not in ("", "*") else 1

    return sorted(held, key=key)


def _reordered(own: Sequence[str]) -> list[str]:
    order = list(ORDER)
    for said in own:
        words = said.split()
        if len(words) < 2:
            continue
        order = [name for name in order if name != words[0]]
        at = {"first": 0, "last": len(order)}.get(words[1], -1)
        if at < 0 and len(words) > 2 and words[2] in order:
            at = order.index(words[2]) + (words[1] == "after")
        order.insert(at if at >= 0 else len(order), words[0])
    return order


class Facts:
    """Follows the directives in order; without a request all of them are taken as possible."""

    def __init__(self, layer: Caddy, site: Directive, request: Request | None) -> None:
        self._own, self._request = layer.order(), request
        self.demands: list[Demand] = []
        self.changes: list[Change] = []
        self.answers: list[Answer] = []
        self.upstreams: list[str] = []
        self._follow(site, request.path if request else "/")
        for tls in site.all("tls"):
            for client in tls.all("client_auth"):
                mode = client.first("mode")
                if mode is None or mode.args[:1] in (("require",), ("require_and_verify",)):
                    self._demand("certificate", "on", client)

    def _demand(self, respect: str, value: str, at: Directive) -> None:
        self.demands.append(Demand(respect, value, at.source, hop=HOP))

    def _follow(self, block: Directive, path: str) -> bool:
        """Whether a directive of the block surely answers."""
        handled = False
        for directive in ordered(block, self._own):
            grouped = directive.name in ("handle", "handle_path")
            takes = fits(directive, self._request, path) if not (grouped and handled) else False
            if takes is False:
                continue
            if grouped or directive.name == "route":
                handled = handled or (grouped and takes is True)
                if self._follow(directive, _stripped(directive, path)) and takes is True:
                    return True
                continue
            self._apply(directive)
            if self._request is not None and takes is True and _answers(directive):
                return True
        return False

    def _apply(self, directive: Directive) -> None:
        _, args = split_matcher(directive)
        if directive.name in ("basicauth", "basic_auth"):
            self._demand("scheme", "Basic", directive)
            self._demand("realm", args[1] if len(args) > 1 else "restricted", directive)
            self._demand("user", "valid-user", directive)
        elif directive.name == "forward_auth" and args:
            uri = directive.first("uri")
            target = args[0] if "://" in args[0] else f"http://{args[0]}"
            self._demand("subrequest", target + (uri.args[0] if uri and uri.args else ""), directive)
        elif directive.name == "request_header":
            lines = list(directive.block or ())
            for at, words in [(directive, args)] if args else [(d, (d.name, *d.args)) for d in lines]:
                self.changes += _changed(at, words)
        elif directive.name in ("respond", "error", "abort"):
            self._answer(directive, args)
        elif directive.name in ("reverse_proxy", "php_fastcgi"):
            self._pass(directive, args)

    def _answer(self, directive: Directive, args: Sequence[str]) -> None:
        status = next((int(a) for a in reversed(args) if a in ("401", "403", "407", "429")), None)
        if status is None:
            return
        matcher, _ = split_matcher(directive)
        definition = named(directive, matcher) if matcher.startswith("@") else None
        if definition is not None and self._addresses(definition):
            return
        for name in _fields(definition) if definition is not None else ():
            self._demand("field", name, directive)
        self.answers.append(Answer(HOP, status, directive.source))

    def _addresses(self, definition: Directive) -> bool:
        """State the networks of a refusal by address alone (`not remote_ip …`)."""
        parts = [p for p in parts_of(definition) if p.name not in ("path", "method", "host")]
        if len(parts) != 1:
            return False
        inner = parts_of(parts[0])[0] if parts[0].name == "not" and parts_of(parts[0]) else parts[0]
        if inner.name not in ("remote_ip", "client_ip"):
            return False
        listed = parts[0].name == "not"
        networks = [n for a in inner.args for n in (PRIVATE if a == "private_ranges" else (a,))]
        rules = [f"{'allow' if listed else 'deny'} {n}" for n in networks if n != "forwarded"]
        self._demand("address", ", ".join([*rules, "deny all" if listed else "allow all"]), definition)
        return True

    def _pass(self, directive: Directive, args: Sequence[str]) -> None:
        for line in directive.all("header_up"):
            self.changes += _changed(line, line.args)
        to = [*args, *(a for d in directive.all("to") for a in d.args)]
        if to:
            address = to[0].replace("unix//", "unix:/")
            prefix = "fastcgi:" if directive.name == "php_fastcgi" else "" if "://" in address else "http://"
            prefix = "" if address.startswith("unix:") and prefix == "http://" else prefix
            self.upstreams.append(
                prefix + (address if not address.startswith(":") else "localhost" + address)
            )


def _answers(directive: Directive) -> bool:
    """Whether the directive ends the chain; `file_server` with `pass_thru` does not."""
    passes = any(d.name == "pass_thru" for d in directive.block or ())
    return directive.name in _ENDS and not passes


def _changed(at: Directive, words: Sequence[str]) -> Iterator[Change]:
    """`-Name` drops, `Name value` overwrites, `+Name value` adds; with three words it replaces within."""
    if not words:
        return
    name, value = words[0], words[1] if len(words) > 1 else ""
    if name.startswith("-"):
        yield Change("drops", name[1:], at.source, HOP)
    elif name.startswith("+"):
        yield Change("adds", name[1:], at.source, HOP)
    elif len(words) == 2 and value.lower() not in _SAME.format(name.lower()):
        shown = value if value.startswith("{") else "a fixed value" if value else ""
        yield Change("overwrites" if value else "drops", name, at.source, HOP, value=shown)


_SAME: Final = "{{header.{0}}} {{http.request.header.{0}}}"


def _stripped(directive: Directive, path: str) -> str:
    matcher, _ = split_matcher(directive)
    prefix = matcher.rstrip("*").rstrip("/")
    if directive.name == "handle_path" and path.lower().startswith(prefix.lower()):
        return path[len(prefix) :] or "/"
    return path


def _fields(definition: Directive) -> Iterator[str]:
    """The request's fields that a matcher reads."""
    for part in parts_of(definition):
        if part.name == "not":
            yield from _fields(part)
        elif part.name == "header" and part.args:
            yield part.args[0].lstrip("!")
