"""Tomcat: which application takes a request, which of its constraints, and which realm knows the users.

Constraints are chosen as RealmBase.findSecurityConstraints does: an exact pattern, else the longest `/x/*`, else
`*.ext`, else `/`. Of an application only `WEB-INF/web.xml` is read, not annotations in classes.

Respects beside the common ones: `userlist` (the file of the users), `address-pattern` (the regular expressions
of RemoteAddrValve, `allow` or `deny` before each), `directory` (the URL of a JNDIRealm), `locks-out` (a
LockOutRealm; its failureCount).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath

from why401.evidence import Request, Source
from why401.layers import xml_lines
from why401.layers.accounts import Account, KeepsAccounts
from why401.layers.model import Route
from why401.layers.tomcat_facts import Facts
from why401.layers.tomcat_users import accounts_in
from why401.layers.tree import Document, Tree
from why401.layers.xml_lines import Element
from why401.prefilter import lazy

HOP = "Tomcat"

_SERVER = lazy(r"<(?:Server|Service|Engine)\b[^>]*>")
_APPLICATION = lazy(r"<(?:security-constraint|login-config)\b")
_USERS = lazy(r"<tomcat-users\b")


def roots(tree: Tree) -> Iterable[Document]:
    """server.xml; without it the first web.xml that asks for a login, or tomcat-users.xml."""
    named = [d for d in tree.named("server.xml") if _SERVER.search(d.text) and "Connector" in d.text]
    named = named or [d for d in tree.named("web.xml") if _APPLICATION.search(d.text)][:1]
    return named or [d for d in tree.named("tomcat-users.xml") if _USERS.search(d.text)][:1]


def read(tree: Tree, root: Document) -> Tomcat:
    """Tomcat with what was given of its files, and those that lie beside server.xml. Raises Damaged."""
    return Tomcat(HOP, tree, root)


@dataclass(eq=False)
class Application:
    """One web application: `path` is its context path ("" for ROOT), None where it is not known."""

    path: str | None
    web: Element
    contexts: list[Element] = field(default_factory=list)


@dataclass(eq=False)
class Tomcat(KeepsAccounts):
    """A Tomcat: its server.xml where known, applications, contexts and users."""

    def __post_init__(self) -> None:
        top = xml_lines.parse(self.root)
        self.server = top if top.name in ("Server", "Service", "Engine") else None
        folder = PurePath(self.root.name).parent
        self.base = str(folder.parent) if self.server is not None else ""
        self.defaults = self._file("conf/web.xml")
        self.general = self._file("conf/context.xml")
        self.users = self._users()
        self.applications = list(self._applications())
        documents = {e.document.name for e in (self.server, self.users, self.defaults, self.general) if e}
        documents |= {e.document.name for a in self.applications for e in (a.web, *a.contexts)}
        self.whole = frozenset(documents)
        self.listens = frozenset(self._listens())
        self.syntax_check = ("catalina.sh", "configtest")
        self.reload = ("systemctl", "restart", "tomcat10")
        self.secrets = frozenset(a.stored for a in self._accounts(None) or ())
        self._by_scheme: dict[Source, Application] = {}

    def _listens(self) -> Iterator[str]:
        for connector in self._below("Connector"):
            port = connector.attributes.get("port", "")
            if port.isdigit():
                yield f"{connector.attributes.get('address', '')}:{port}"

    def _below(self, name: str) -> list[Element]:
        return [e for e in self.server.walk() if e.name == name] if self.server is not None else []

    def _file(self, name: str) -> Element | None:
        """A file below CATALINA_BASE; None where it is not at hand."""
        if not self.base and self.server is None:
            return None
        found = self.tree.open(name, self.root, self.base or ".")
        return xml_lines.parse(found) if isinstance(found, Document) else None

    def _users(self) -> Element | None:
        for resource in self._below("Resource"):
            if "MemoryUserDatabaseFactory" in resource.attributes.get("factory", ""):
                found = self._file(resource.attributes.get("pathname", "conf/tomcat-users.xml"))
                if found is not None:
                    return found
        given = next((d for d in self.tree.named("tomcat-users.xml") if _USERS.search(d.text)), None)
        return xml_lines.parse(given) if given is not None else None

    def _applications(self) -> Iterator[Application]:
        found = {d.name: d for d in self.tree.named("web.xml")}
        bases = [e.attributes.get("appBase", "webapps") for e in self._below("Host")] or ["webapps"]
        for base in bases if self.server is not None else ():
            for document in self.tree.glob(f"{base}/*/WEB-INF/web.xml", self.root, self.base or "."):
                found[document.name] = document
        for document in found.values():
            folder = PurePath(document.name).parent
            if folder.name == "WEB-INF" or self.server is None:
                web = xml_lines.parse(document)
                name = folder.parent.name
                yield Application(_context_path(folder), web, list(self._contexts(folder.parent, name)))

    def _contexts(self, folder: PurePath, name: str) -> Iterator[Element]:
        """The context's own files: META-INF/context.xml and conf/Catalina/HOST/NAME.xml, then the general one."""
        for document in [*self.tree.named("context.xml"), *self.tree.named(f"{name}.xml")]:
            place = PurePath(document.name)
            if place == folder / "META-INF" / "context.xml" or "Catalina" in place.parts:
                yield xml_lines.parse(document)
        inner = self._file(str(folder / "META-INF" / "context.xml")) if folder.is_absolute() else None
        yield from (e for e in (inner, self.general) if e is not None)

    # requests

    def routes(self) -> Sequence[Route]:
        """A route for each constraint of each application."""
        return self._all

    @cached_property
    def _all(self) -> list[Route]:
        found: list[Route] = []
        for application in self.applications:
            for constraint in application.web.all("security-constraint"):
                found.append(self._route(application, [constraint]))
        return found

    def meets(self, request: Request) -> tuple[Route, ...]:
        path = request.path
        fitting = [a for a in self.applications if _within(a.path, path)]
        if not fitting:
            builtin = Facts.of_manager(self, path)
            return (builtin,) if builtin is not None else ()
        application = max(fitting, key=lambda a: len(a.path or ""))
        inner = path[len(application.path or "") :] or "/"
        found = Facts.constraints(self, application, inner, request.method)
        if not found and application.path is None and path.count("/") > 1:
            inner = "/" + path.split("/", 2)[2]  # the context path is not known: it may be the first part
            found = Facts.constraints(self, application, inner, request.method)
        return (self._route(application, found),)

    def _route(self, application: Application, constraints: Sequence[Element]) -> Route:
        facts = Facts(self, application, constraints)
        facts.read()
        name = (
            f"the application {application.path or '/'}"
            if application.path is not None
            else "the application"
        )
        place = constraints[0].source if constraints else application.web.source
        for demand in facts.demands:
            self._by_scheme[demand.source] = application
        return Route(HOP, place, name, tuple(facts.demands), (), tuple(facts.answers), "", self)

    # users

    @cached_property
    def _general_realm(self) -> Element | None:
        """The realm of the host or the engine, the innermost first."""
        realms = [e for name in ("Host", "Engine") for at in self._below(name) for e in at.all("Realm")]
        return next(iter(realms), None)

    def realm(self, application: Application | None) -> Element | None:
        own = [r for c in (application.contexts if application else ()) for r in c.all("Realm")]
        return next(iter(own), self._general_realm)

    def accounts(self, route: Route) -> Sequence[Account] | None:
        scheme = route.demand("scheme")
        return self._accounts(self._by_scheme.get(scheme.source) if scheme else None)

    def _accounts(self, application: Application | None) -> Sequence[Account] | None:
        return accounts_in(self.users, self.realm(application))


def _context_path(folder: PurePath) -> str | None:
    """`webapps/shop/WEB-INF` is /shop, `webapps/ROOT` the root; `##2` after a name is a version, `#` a slash."""
    if "webapps" not in folder.parts and "ROOT" not in folder.parts:
        return None
    name = folder.parent.name.partition("##")[0].replace("#", "/")
    return "" if name == "ROOT" else f"/{name}"


def _within(context: str | None, path: str) -> bool:
    return not context or path == context or path.startswith(context + "/")
