"""What the rules of an HAProxy frontend and backend demand, change and answer for one request (or for any)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from why401.evidence import Answer, Change, Demand, Request
from why401.layers.haproxy_conditions import Known, criteria, holds
from why401.layers.model import Directive

if TYPE_CHECKING:
    from why401.layers.haproxy import HAProxy

HOP: Final = "HAProxy"
_REFUSALS = {"401", "403", "407", "429"}
#: Rules that change a field of the request, and how.
_CHANGES: Final = {"del-header": "drops", "set-header": "overwrites", "add-header": "adds",
                   "replace-header": "overwrites", "replace-value": "overwrites"}  # fmt: skip


class Facts:
    """Reads the rules of a section, and of its `defaults`, in the order in which the request passes them."""

    def __init__(self, layer: HAProxy, section: Directive, request: Request | None) -> None:
        self._layer, self._section, self._request = layer, section, request
        self.demands: list[Demand] = []
        self.changes: list[Change] = []
        self.answers: list[Answer] = []
        for held in (layer.defaults(section), section):
            if held is not None:
                self._rules(held, layer.acls(held))
        self._statistics(section)
        for bind in section.all("bind"):
            if "verify" in bind.args[:-1] and bind.args[bind.args.index("verify") + 1] == "required":
                self._demand("certificate", "on", bind)

    def upstream(self) -> str:
        for server in self._section.all("server"):
            if len(server.args) > 1:
                address = re.sub(r"^ipv[46]@", "", server.args[1])
                if address.startswith(("/", "unix@")):
                    return "unix:" + address.removeprefix("unix@")
                return f"{'https' if 'ssl' in server.args[2:] else 'http'}://{address}"
        return ""

    def _rules(self, section: Directive, known: Known) -> None:
        for line in section.all("http-request", "tcp-request"):
            args = line.args[1:] if line.name == "tcp-request" and line.args else line.args
            if not args or holds(line, known, self._request) is False:
                continue
            verb = args[0].partition("(")[0]
            if line.name == "tcp-request" and verb == "reject":
                self._addresses(line, known)
            elif verb == "auth":
                self._login(line, known)
            elif verb in ("deny", "return", "tarpit"):
                self._refusal(line, known)
            elif verb in _CHANGES:
                self._change(line, verb)

    def _demand(self, respect: str, value: str, line: Directive) -> None:
        self.demands.append(Demand(respect, value, line.source, hop=HOP))

    def _login(self, line: Directive, known: Known) -> None:
        self._demand("scheme", "Basic", line)
        realm = _after(line.args, "realm") or self._section.args[0]
        self._demand("realm", realm, line)
        self._users(line, known)

    def _users(self, line: Directive, known: Known) -> bool:
        """State whom `http_auth(list)` and `http_auth_group(list)` of the condition let in."""
        found = False
        for criterion, needed in criteria(line, known):
            if not needed or criterion.fetch not in ("http_auth", "http_auth_group"):
                continue
            found = True
            users = "valid-user" if criterion.fetch == "http_auth" else "group " + " ".join(criterion.values)
            self.demands.append(Demand("user", users, criterion.source, hop=HOP))
            self.demands.append(Demand("userlist", criterion.argument, criterion.source, hop=HOP))
        return found

    def _refusal(self, line: Directive, known: Known) -> None:
        status = _after(line.args, "deny_status") or _after(line.args, "status")
        status = status or ("403" if line.args[0] == "deny" else "500" if line.args[0] == "tarpit" else "200")
        if status not in _REFUSALS:
            return
        if self._users(line, known):
            self._demand("scheme", "Basic", line)
        addresses = self._addresses(line, known)
        for criterion, _ in criteria(line, known):
            if criterion.fetch == "hdr" and criterion.argument.lower() != "host":
                self._demand("field", criterion.argument, line)
            elif criterion.fetch == "http_auth_bearer":
                self._demand("field", "Authorization", line)
            elif re.match(r"sc\d?_|src_(?:http|conn)|table_", criterion.fetch):
                self._demand("rate", status, line)
        if not addresses or holds(line, known, self._request) is True:
            self.answers.append(Answer(HOP, int(status), line.source))

    def _addresses(self, line: Directive, known: Known) -> bool:
        """State the addresses of a refusal whose condition asks for nothing else that is unknown."""
        held = list(criteria(line, known))
        sources = [(c, needed) for c, needed in held if c.fetch == "src" and "-f" not in c.flags]
        others = [c for c, _ in held if c.fetch not in ("src", "path", "hdr", "method", "url")
                  and not c.fetch.startswith(("path_", "hdr_", "url_"))]  # fmt: skip
        if not sources or others or (self._request is None and len(held) > len(sources)):
            return False
        needed = sources[0][1]
        networks = [network for c, wants in sources if wants is needed for network in c.values]
        rules = [f"{'allow' if needed else 'deny'} {network}" for network in networks]
        self._demand("address", ", ".join([*rules, "deny all" if needed else "allow all"]), line)
        return True

    def _change(self, line: Directive, verb: str) -> None:
        if len(line.args) < 2:
            return
        name, value = line.args[1], line.args[2] if len(line.args) > 2 and verb != "del-header" else ""
        if verb == "del-header" and "-m" in line.args[2:4]:
            return
        if re.search(rf"(?i)%\[req\.hdr\({re.escape(name)}\)\]", value):
            return  # set to what it was
        shown = value if value.startswith("%") else "a fixed value" if value else ""
        self.changes.append(Change(_CHANGES[verb], name, line.source, HOP, value=shown))  # type: ignore[arg-type]

    def _statistics(self, section: Directive) -> None:
        """`stats auth` asks for Basic on the page of `stats uri`."""
        lines = section.all("stats")
        login = next((line for line in lines if line.args[:1] == ("auth",)), None)
        uri = next((line.args[1] for line in lines if line.args[:1] == ("uri",) and len(line.args) > 1), None)
        if login is None or self._request is None:
            return
        if self._request.path.startswith(uri or "/haproxy?stats".partition("?")[0]):
            self._demand("scheme", "Basic", login)


def _after(args: Sequence[str], word: str) -> str:
    return args[args.index(word) + 1] if word in args[:-1] else ""
