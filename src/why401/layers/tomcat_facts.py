"""What the constraints of a web application demand (Jakarta Servlet, chapter 13; Tomcat's valves)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from why401.evidence import Answer, Demand
from why401.layers.model import Route
from why401.layers.xml_lines import Element

if TYPE_CHECKING:
    from why401.layers.tomcat import Application, Tomcat

HOP: Final = "Tomcat"
_SCHEMES: Final = {"BASIC": "Basic", "DIGEST": "Digest", "SPNEGO": "Negotiate"}
#: What Tomcat's own applications ask for, by path (manager-howto, host-manager-howto).
_MANAGER: Final = (
    ("/manager/text", "manager-script"),
    ("/manager/jmxproxy", "manager-jmx"),
    ("/manager/status", "manager-gui manager-script manager-jmx manager-status"),
    ("/manager/html", "manager-gui"),
    ("/host-manager/text", "admin-script"),
    ("/host-manager/html", "admin-gui"),
)


class Facts:
    """The demands of the constraints that apply to a request."""

    def __init__(self, layer: Tomcat, application: Application, constraints: Sequence[Element]) -> None:
        self._layer, self._application, self._constraints = layer, application, constraints
        self.demands: list[Demand] = []
        self.answers: list[Answer] = []

    @staticmethod
    def of_manager(layer: Tomcat, path: str) -> Route | None:
        """The route of Tomcat's manager, whose own web.xml is seldom at hand."""
        for prefix, roles in _MANAGER:
            if layer.users is not None and (path == prefix or path.startswith(prefix + "/")):
                at = layer.users.source
                demands = [("scheme", "Basic"), ("user", f"group {roles}"), ("userlist", at.name)]
                stated = tuple(Demand(respect, value, at, hop=HOP) for respect, value in demands)
                return Route(HOP, at, prefix, stated, layer=layer)
        return None

    @staticmethod
    def constraints(layer: Tomcat, application: Application, path: str, method: str | None) -> list[Element]:
        """The constraints that a request to the application's `path` comes under."""
        held = [*application.web.all("security-constraint")]
        held += layer.defaults.all("security-constraint") if layer.defaults is not None else []
        ranked = [
            (rank, constraint)
            for constraint in held
            for collection in constraint.all("web-resource-collection")
            if (rank := _rank(collection, path)) is not None
            for _ in range(_covers(collection, method))
        ]
        best = max((rank for rank, _ in ranked), default=None)
        return list(dict.fromkeys(constraint for rank, constraint in ranked if rank == best))

    def read(self) -> None:
        self._valves()
        asking = [c for c in self._constraints if c.first("auth-constraint") is not None]
        for constraint in self._constraints:
            for guarantee in constraint.walk():
                if guarantee.name == "transport-guarantee" and guarantee.text.strip() != "NONE":
                    self._demand("https", "on", guarantee)
        if not asking or len(asking) < len(self._constraints):
            return  # one without auth-constraint lets everybody in
        roles = [r for c in asking for a in c.all("auth-constraint") for r in a.all("role-name")]
        if not roles:
            refusing = asking[0].first("auth-constraint") or asking[0]
            self.answers.append(Answer(HOP, 403, refusing.source))
            return
        self._login(roles)

    def _login(self, roles: Sequence[Element]) -> None:
        config = self._application.web.first("login-config")
        if config is None and self._layer.defaults is not None:
            config = self._layer.defaults.first("login-config")
        if config is None:
            if not self._by_valve():
                self.answers.append(Answer(HOP, 403, roles[0].source, words="no login-config says how"))
            return
        method = config.said("auth-method").upper()
        at = config.first("auth-method") or config
        if method in _SCHEMES:
            self._demand("scheme", _SCHEMES[method], at)
            self._demand("realm", config.said("realm-name") or "Authentication required", at)
        elif method == "FORM":
            form = next((e for e in config.walk() if e.name == "form-login-page"), at)
            self._demand("login", form.text.strip(), form)
        elif method == "CLIENT-CERT":
            self._demand("certificate", "on", at)
        self._demand("user", self._users(roles), roles[0])
        if self._layer.users is not None:
            self._demand("userlist", self._layer.users.document.name, self._layer.users)
        self._realm()

    def _users(self, roles: Sequence[Element]) -> str:
        names = [r.text.strip() for r in roles]
        if "**" in names:
            return "valid-user"
        if "*" in names:
            names = [r.said("role-name") for r in self._application.web.all("security-role")]
        return "group " + " ".join(names)

    def _realm(self) -> None:
        realm = self._layer.realm(self._application)
        for element in realm.walk() if realm is not None else ():
            kind = element.attributes.get("className", "").rpartition(".")[2]
            if kind == "LockOutRealm":
                self._demand("locks-out", element.attributes.get("failureCount", "5"), element)
            elif kind == "JNDIRealm":
                self._demand("directory", element.attributes.get("connectionURL", ""), element)

    def _by_valve(self) -> bool:
        """Whether a valve brings a login of its own."""
        held = [v for c in self._application.contexts for v in c.all("Valve")]
        return any("Authenticator" in v.attributes.get("className", "") for v in held)

    def _valves(self) -> None:
        for context in [*self._application.contexts, *self._hosts()]:
            for valve in context.all("Valve"):
                kind = valve.attributes.get("className", "").rpartition(".")[2]
                lists = [
                    (verb, valve.attributes[verb]) for verb in ("deny", "allow") if verb in valve.attributes
                ]
                if kind == "RemoteAddrValve":
                    for verb, pattern in lists:
                        self._demand("address-pattern", f"{verb} {pattern}", valve)
                elif kind == "RemoteCIDRValve":
                    rules = [f"{verb} {n.strip()}" for verb, text in lists for n in text.split(",")]
                    last = "deny all" if "allow" in valve.attributes else "allow all"
                    self._demand("address", ", ".join([*rules, last]), valve)

    def _hosts(self) -> Iterator[Element]:
        for element in self._layer.server.walk() if self._layer.server is not None else ():
            if element.name in ("Engine", "Host"):
                yield element

    def _demand(self, respect: str, value: str, at: Element) -> None:
        self.demands.append(Demand(respect, value, at.source, hop=HOP))


def _rank(collection: Element, path: str) -> tuple[int, int] | None:
    """How well the collection's patterns fit: exact before the longest folder, extension and `/`."""
    best: tuple[int, int] | None = None
    for pattern in (e.text.strip() for e in collection.all("url-pattern")):
        rank: tuple[int, int] | None = None
        if pattern == path or (pattern == "" and path == "/"):
            rank = (4, 0)
        elif pattern.endswith("/*") and (path == pattern[:-2] or path.startswith(pattern[:-1])):
            rank = (3, len(pattern))
        elif pattern.startswith("*.") and path.rpartition("/")[2].endswith(pattern[1:]):
            rank = (2, 0)
        elif pattern == "/":
            rank = (1, 0)
        if rank is not None and (best is None or rank > best):
            best = rank
    return best


def _covers(collection: Element, method: str | None) -> bool:
    named = {e.text.strip().upper() for e in collection.all("http-method")}
    omitted = {e.text.strip().upper() for e in collection.all("http-method-omission")}
    if method is None or not (named or omitted):
        return True
    return method.upper() in named if named else method.upper() not in omitted
