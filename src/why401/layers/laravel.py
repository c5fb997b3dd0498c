"""Laravel: its routes with their middleware, guards, Sanctum, sessions and CORS.

Which guard `auth:NAME` asks is in `config/auth.php`: `session` reads the session's cookie, `sanctum` a token in
Authorization or the session of a stateful domain, `passport`, `jwt` and `token` a token. Sources: laravel.com/docs,
"Authentication", "Sanctum", "Passport"; laravel/sanctum `Guard.php`, `EnsureFrontendRequestsAreStateful.php`.

Respects beside the common ones: `guard` (its name and driver), `signed`, `verified`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from why401.evidence import Demand, Request, Source
from why401.layers.applications import Application, Piece, below, folder_of
from why401.layers.laravel_config import Settings
from why401.layers.laravel_routes import Given, Registered, routes
from why401.layers.model import Route
from why401.layers.syntax import Code, parse
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

HOP = "Laravel"
_OWN = lazy(
    r"\bRoute::(?:get|post|middleware|group|apiResource)\s*\(|Application::configure\(|extends HttpKernel"
    r"|SANCTUM_STATEFUL_DOMAINS|'guards'\s*=>|'stateful'\s*=>"
)
#: The schemes that a guard's driver reads.
DRIVERS = {"sanctum": "Bearer", "passport": "Bearer", "jwt": "Bearer", "token": "Bearer"}


def roots(tree: Tree) -> Iterable[Document]:
    """The first file of each project that only Laravel's projects have."""
    seen: set[str] = set()
    for document in tree.given.values():
        if not document.name.endswith(".php") or not _OWN.search(document.text):
            continue
        folder = folder_of(document.name, "app", "config", "routes", "bootstrap")
        if folder not in seen:
            seen.add(folder)
            yield document


def read(tree: Tree, root: Document) -> Laravel:
    """The project of a file. Raises Damaged where PHP's grammar is missing."""
    folder = folder_of(root.name, "app", "config", "routes", "bootstrap")
    return Laravel(HOP, tree, root, files=below(tree, folder))


@dataclass(eq=False)
class Laravel(Application):
    """One project; `files` are those that were given of it."""

    files: Sequence[Document] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        env = next((d for d in self.files if d.name.rpartition("/")[2] == ".env"), None)
        self.env = env
        self.settings = Settings.of(
            [d for d in self.files if _in(d, "config") and d.name.endswith(".php")], env
        )
        named = [d for d in self.files if d.name.endswith(("bootstrap/app.php", "Http/Kernel.php"))]
        self.kernel: Code | None = parse(named[0]) if named else None
        models = [d for d in self.files if d.name.endswith("/User.php") or d.name == "User.php"]
        self.user: Code | None = parse(models[0]) if models else None

    @cached_property
    def registered(self) -> list[Registered]:
        """Every route of the files of `routes/`."""
        found: list[Registered] = []
        for document in self.files:
            stem = document.name.rpartition("/")[2].removesuffix(".php")
            if document.name.endswith(".php") and (_in(document, "routes") or stem in ("api", "web")):
                prefix = self.api_prefix if stem == "api" else ""
                found += routes(parse(document), stem, prefix)
        return found

    @cached_property
    def api_prefix(self) -> str:
        """`apiPrefix: 'v1'` of bootstrap/app.php; "api" unless it says otherwise."""
        for call in self.kernel.calls("withRouting") if self.kernel else ():
            for arg in call.args:
                said = arg.parent if arg.parent is not None and arg.parent.type == "argument" else arg
                text = (said.text or b"").decode("utf-8", "replace")
                if text.replace(" ", "").startswith("apiPrefix:"):
                    return text.partition(":")[2].strip(" '\"")
        return "api"

    @property
    def stateful(self) -> bool:
        """Whether requests of the first-party frontend get a session on API routes."""
        if self.kernel is None:
            return True  # unknown
        return (
            bool(self.kernel.calls("statefulApi"))
            or "EnsureFrontendRequestsAreStateful" in self.kernel.document.text
        )

    @property
    def domains(self) -> list[str]:
        """The stateful domains; [] where no file says them."""
        return [part.strip() for part in self.settings.text("sanctum.stateful").split(",") if part.strip()]

    def driver(self, guard: str) -> str:
        """The driver of a guard; "" where no file says it. Sanctum registers its own guard."""
        name = guard or self.settings.text("auth.defaults.guard")
        return "sanctum" if name == "sanctum" else self.settings.text(f"auth.guards.{name}.driver")

    def pieces(self) -> Iterable[Piece]:
        for one in self.registered:
            yield Piece(self._route(one), partial(_fits, one))

    def meets(self, request: Request) -> tuple[Route, ...]:
        """The first route that fits, as the router takes it."""
        return super().meets(request)[:1]

    def _route(self, one: Registered) -> Route:
        demands = [demand for given in one.middleware for demand in self._demands(given)]
        return Route(HOP, one.call.source, f"{one.call.name} /{one.path}", tuple(demands), (), (), "", self)

    def _demands(self, given: Given) -> Iterator[Demand]:
        name, _, argument = given.name.partition(":")
        source = given.call.source
        if name in ("auth", "Authenticate"):
            for guard in argument.split(",") if argument else [""]:
                yield from self._guarded(guard.strip(), source)
        elif name == "auth.basic":
            yield Demand("scheme", "Basic", source, hop=HOP)
        elif name in ("ability", "abilities", "scope", "scopes"):
            yield Demand("scope", argument.replace(",", " "), source, hop=HOP)
        elif name in ("role", "permission", "can"):
            yield Demand("role", argument, source, hop=HOP)
        elif name in ("signed", "verified"):
            yield Demand(name, "on", source, hop=HOP)
        elif name == "throttle":
            yield Demand("rate", argument or "api", source, hop=HOP)

    def _guarded(self, guard: str, source: Source) -> Iterator[Demand]:
        driver = self.driver(guard)
        yield Demand("guard", f"{guard or 'default'} ({driver or 'unknown'})", source, hop=HOP)
        if driver in DRIVERS:
            yield Demand("scheme", DRIVERS[driver], source, hop=HOP)
        elif driver == "session":
            yield Demand("cookie", self.settings.text("session.cookie") or "laravel_session", source, hop=HOP)


def _fits(one: Registered, request: Request) -> bool:
    return one.fits(request.method or "GET", request.path)


def _in(document: Document, folder: str) -> bool:
    return f"/{folder}/" in "/" + document.name
