"""Laravel's settings: the arrays of `config/*.php`, and `.env`, by which most of them are filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from why401.evidence import Source
from why401.layers.applications import Value, flat
from why401.layers.syntax import Call, Code, members, parse, string, walk
from why401.layers.syntax_nodes import text
from why401.layers.tree import Document

if TYPE_CHECKING:
    from tree_sitter import Node

#: `config` key → the default of Laravel's own skeleton, where the file is not at hand.
DEFAULTS = {
    "auth.defaults.guard": "web",
    "auth.guards.web.driver": "session",
    "session.same_site": "lax",
    "session.path": "/",
}
#: Which variable of `.env` fills a key, as the skeleton's files have it.
VARIABLES = {
    "session.domain": "SESSION_DOMAIN",
    "session.secure": "SESSION_SECURE_COOKIE",
    "session.same_site": "SESSION_SAME_SITE",
    "session.driver": "SESSION_DRIVER",
    "session.cookie": "SESSION_COOKIE",
    "sanctum.stateful": "SANCTUM_STATEFUL_DOMAINS",
    "app.url": "APP_URL",
    "auth.defaults.guard": "AUTH_GUARD",
}


@dataclass
class Settings:
    """Settings by dotted key, as `config('auth.guards.api.driver')` names them."""

    env: Mapping[str, Value] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)

    @classmethod
    def of(cls, configs: list[Document], env: Document | None) -> Settings:
        """Settings of the files of `config/` and of `.env`. Raises Damaged where PHP's grammar is missing."""
        found = cls(flat(env) if env is not None else {})
        for document in configs:
            name = document.name.replace("\\", "/").rpartition("/")[2].removesuffix(".php")
            code = parse(document)
            for returned in walk(code.root, "return_statement"):
                if returned.named_children:
                    found._fill(code, returned.named_children[0], name)
                break
        return found

    def _fill(self, code: Code, node: Node, key: str) -> None:
        held = members(node)
        for name, value in held.items():
            self._fill(code, value, f"{key}.{name}")
        if held:
            return
        from_env = code.calls("env", within=node)  # also in explode(',', env('…'))
        if from_env:
            self._from_env(from_env[0], key)
            return
        constant = string(node)
        said = constant if constant is not None else text(node)
        self.values[key] = Value(said, code.source(node), code.document)

    def _from_env(self, call: Call, key: str) -> None:
        name = call.string(0) or ""
        if name in self.env:
            self.values[key] = self.env[name]
            return
        default = call.string(1) if len(call.args) > 1 else ""
        said = default if default is not None else text(call.args[1])
        self.values[key] = Value(said, call.source, call.code.document)

    def get(self, key: str) -> Value | None:
        """A setting that a file says; None where only the framework's default holds."""
        found = self.values.get(key)
        return found if found is not None else self.env.get(VARIABLES.get(key, ""))

    def text(self, key: str) -> str:
        found = self.get(key)
        said = found.text if found is not None else DEFAULTS.get(key, "")
        return "" if said.lower() in ("null", "(null)") else said

    def on(self, key: str) -> bool:
        return self.text(key).lower() in ("true", "(true)", "1")

    def source(self, key: str) -> Source | None:
        found = self.get(key)
        return found.source if found is not None else None
