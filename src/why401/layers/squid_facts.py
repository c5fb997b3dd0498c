"""Which `http_access` line of Squid decides on a request, and what the login that it asks for is checked by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from why401.evidence import Answer, Change, Demand, Request, Source
from why401.layers.maybe import Maybe, every, opposite, some
from why401.layers.model import Directive

if TYPE_CHECKING:
    from why401.layers.squid import Squid

HOP: Final = "Squid"
_USERS: Final = ("proxy_auth", "proxy_auth_regex")
_ADDRESSES: Final = ("src", "client_ip")
#: ACLs that Squid defines itself (acl, "Default").
_BUILT_IN: Final = {
    "localhost": ("src", "127.0.0.1/32", "::1"),
    "CONNECT": ("method", "CONNECT"),
}
_SCHEMES: Final = {"basic": "Basic", "digest": "Digest", "ntlm": "NTLM", "negotiate": "Negotiate"}


class Facts:
    """Follows `http_access` for one request, or for any where `request` is None."""

    def __init__(self, layer: Squid, request: Request | None) -> None:
        self._layer, self._request = layer, request
        self._acls: dict[str, list[Directive]] = {}
        for acl in layer.top.all("acl"):
            if len(acl.args) > 1:
                self._acls.setdefault(acl.args[0], []).append(acl)
        self.demands: list[Demand] = []
        self.changes: list[Change] = []
        self.answers: list[Answer] = []
        self.place: Source | None = None

    def read(self) -> None:
        self._access()
        for line in self._layer.top.all("request_header_access"):
            if len(line.args) > 2 and line.args[1:3] == ("deny", "all"):
                self.changes.append(Change("drops", line.args[0], line.source, HOP))

    def upstream(self) -> str:
        peer = self._layer.peer
        if peer is not None and len(peer.args) > 2:
            scheme = "https" if any(a in ("ssl", "tls") for a in peer.args[3:]) else "http"
            return f"{scheme}://{peer.args[0]}:{peer.args[2]}"
        if self._request is None or self._layer.accel:
            return ""
        parts = self._request.split
        return f"{parts.scheme or 'http'}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""

    # who may

    def _access(self) -> None:
        networks: list[str] = []
        for line in self._layer.top.all("http_access"):
            verb, terms = line.args[0] if line.args else "", line.args[1:]
            login = self._login_in(terms)
            before = every(self._term(t) for t in (terms[: terms.index(login)] if login else terms))
            if before is False:
                continue
            if login is not None:
                self._login(line, login)
                networks = []
                continue
            addresses = self._networks(terms)
            if addresses and not self._all(terms):
                networks += [f"{verb} {network}" for network in addresses]
                continue
            if before is True:
                self._decided(line, verb, networks)
                return
            networks = []

    def _decided(self, line: Directive, verb: str, networks: Sequence[str]) -> None:
        """A line that surely fits ends the list: with addresses before it, they are what decides."""
        self.place = self.place or line.source
        asked = bool(self.demands)
        if networks and not asked:
            self._demand("address", ", ".join([*networks, f"{verb} all"]), line)
        elif verb == "deny" and not asked:
            self.answers.append(Answer(HOP, 403, line.source))

    def _all(self, terms: Sequence[str]) -> bool:
        return list(terms) == ["all"]

    def _networks(self, terms: Sequence[str]) -> list[str]:
        """The networks of a line with one ACL of addresses, the others of which the request fulfils."""
        found: list[str] = []
        for term in terms:
            kind, values, _ = self._definition(term.lstrip("!"))
            if kind in _ADDRESSES and not term.startswith("!") and not found:
                found += ["all" if v == "all" else v for v in values]
            elif self._term(term) is not True:
                return []
        return found

    def _login_in(self, terms: Sequence[str]) -> str | None:
        return next((t for t in terms if self._definition(t.lstrip("!"))[0] in _USERS), None)

    def _login(self, line: Directive, term: str) -> None:
        self.place = self.place or line.source
        prefix = "" if self._layer.accel else "proxy-"
        if any(d.respect.endswith("scheme") for d in self.demands):
            return
        params = [p for p in self._layer.top.all("auth_param") if len(p.args) > 1]
        for name in dict.fromkeys(p.args[0].lower() for p in params):
            self._demand(f"{prefix}scheme", _SCHEMES.get(name, name), line)
        for param in params:
            if param.args[1] == "realm":
                self._demand(f"{prefix}realm", " ".join(param.args[2:]), param)
            elif param.args[1] == "program" and param.args[0].lower() == "basic":
                self._file(param, prefix)
        _, values, source = self._definition(term.lstrip("!"))
        names = [v for v in values if v not in ("REQUIRED", "-i")]
        listed = names and not any(v.startswith("/") for v in names) and "REQUIRED" not in values
        self.demands.append(
            Demand(
                "user", "user " + " ".join(names) if listed else "valid-user", source or line.source, hop=HOP
            )
        )

    def _file(self, param: Directive, prefix: str) -> None:
        program = param.args[2] if len(param.args) > 2 else ""
        files = [a for a in param.args[3:] if not a.startswith("-")]
        if re.search(r"(?:^|/)(?:basic_)?ncsa_auth$", program) and files:
            self._demand(f"{prefix}password-file", files[0], param)

    def _demand(self, respect: str, value: str, line: Directive) -> None:
        self.demands.append(Demand(respect, value, line.source, hop=HOP))

    # ACLs

    def _definition(self, name: str) -> tuple[str, list[str], Source | None]:
        """Kind, values and place of an ACL; values of several lines add up."""
        lines = self._acls.get(name)
        if lines:
            return lines[0].args[1], [v for line in lines for v in line.args[2:]], lines[0].source
        kind, *values = _BUILT_IN.get(name, ("all",) if name == "all" else ("unknown",))
        return kind, values, None

    def _term(self, term: str) -> Maybe:
        said = self._fits(term.lstrip("!"))
        return opposite(said) if term.startswith("!") else said

    def _fits(self, name: str) -> Maybe:
        kind, values, _ = self._definition(name)
        if kind == "all" or (kind in _ADDRESSES and "all" in values):
            return True
        request = self._request
        if request is None or any(v.startswith("/") and kind != "urlpath_regex" for v in values):
            return None
        parts = request.split
        if kind == "method":
            return request.method in values if request.method else None
        if kind == "proto":
            return parts.scheme.upper() in values if parts.scheme else None
        if kind == "port":
            return self._port(values)
        if kind == "dstdomain":
            return some(_domain(v, parts.hostname or "") for v in values) if parts.hostname else None
        if kind in ("urlpath_regex", "url_regex"):
            return _found(values, request.path if kind == "urlpath_regex" else request.url or "")
        return None

    def _port(self, values: Sequence[str]) -> Maybe:
        parts = self._request.split if self._request else None
        try:
            port = (parts.port or {"http": 80, "https": 443}.get(parts.scheme)) if parts else None
        except ValueError:
            port = None
        if port is None or not all(re.fullmatch(r"\d+(?:-\d+)?", v) for v in values):
            return None
        spans = [v.partition("-") for v in values]
        return any(int(low) <= port <= int(high or low) for low, _, high in spans)


def _domain(wanted: str, host: str) -> bool:
    bare = wanted.lstrip(".").lower()
    return host.lower() == bare or (wanted.startswith(".") and host.lower().endswith("." + bare))


def _found(patterns: Sequence[str], text: str) -> Maybe:
    flags = re.I if "-i" in patterns else 0
    try:
        return any(re.search(p, text, flags) for p in patterns if p != "-i")
    except re.error:
        return None
