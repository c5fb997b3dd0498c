"""What the settings of lighttpd that hold for a request demand, change and pass on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from why401.evidence import Answer, Change, Demand, Request, Source
from why401.layers.lighttpd_tree import Assignment, Block, Value

if TYPE_CHECKING:
    from why401.layers.lighttpd import Lighttpd

HOP: Final = "lighttpd"
_SCHEMES: Final = {"basic": "Basic", "digest": "Digest", "gssapi": "Negotiate"}
#: The backend, the setting with its file, and the respect.
_FILES: Final = {
    "htpasswd": ("auth.backend.htpasswd.userfile", "password-file"),
    "htdigest": ("auth.backend.htdigest.userfile", "digest-file"),
    "plain": ("auth.backend.plain.userfile", "plain-file"),
    "ldap": ("auth.backend.ldap.hostname", "directory"),
}
_PASSES: Final = {"proxy.server": "http://", "fastcgi.server": "fastcgi:", "scgi.server": "scgi:"}
Held = tuple[Value, Source]


class Facts:
    """The settings of `blocks`, the outermost first, for one request or for one prefix of `auth.require`."""

    def __init__(
        self, layer: Lighttpd, blocks: Sequence[Block], request: Request | None, prefix: str | None = None
    ) -> None:
        self._layer, self._blocks, self._request, self._prefix = layer, blocks, request, prefix
        self.demands: list[Demand] = []
        self.changes: list[Change] = []
        self.answers: list[Answer] = []
        self.name = "the whole server"
        self.place: Source | None = None

    @classmethod
    def of_block(cls, layer: Lighttpd, block: Block) -> Iterator[Facts]:
        """Facts for each prefix that a block itself protects, or of a block that passes requests on."""
        around = [block]
        while around[0].parent is not None:
            around.insert(0, around[0].parent)
        own = block.own("auth.require")
        for prefix in [key for key, _ in own.value.items] if own is not None else ():
            yield cls(layer, around, None, prefix)
        if own is None and any(block.own(name) for name in (*_PASSES, "setenv.set-request-header")):
            yield cls(layer, around, None)

    def setting(self, name: str) -> Held | None:
        """The value in force of a setting: the last assignment, with what `+=` added."""
        found: list[Assignment] = []
        for block in self._blocks:
            for statement in block.assignments.get(name, ()):
                found = [*found, statement] if statement.adds else [statement]
        if not found:
            return None
        items = [item for one in found for item in one.value.items]
        value = Value(found[-1].value.line, found[-1].value.text, items)
        return value, found[-1].source

    def read(self) -> None:
        required = self._required()
        if required is not None:
            prefix, value, source = required
            self.name = f'auth.require "{prefix}"'
            self.place = source.at(value.line)
            self._login(value, source)
        for name, verb in (
            ("setenv.set-request-header", "overwrites"),
            ("setenv.add-request-header", "adds"),
        ):
            held = self.setting(name)
            for field, value in held[0].items if held else ():
                what = verb if value.text else "drops"
                shown = "a fixed value" if value.text else ""
                self.changes.append(Change(what, field, held[1].at(value.line), HOP, value=shown))  # type: ignore[arg-type, index]
        self._denied()

    def _required(self) -> tuple[str, Value, Source] | None:
        held = self.setting("auth.require")
        if held is None:
            return None
        for prefix, value in held[0].items:
            path = self._request.path if self._request else self._prefix
            if path is not None and (
                path.startswith(prefix) if self._request is not None else prefix == self._prefix
            ):
                return prefix, value, held[1]
        return None

    def _login(self, value: Value, source: Source) -> None:
        def state(respect: str, text: str, line: int, at: Source = source) -> None:
            self.demands.append(Demand(respect, text, at.at(line), hop=HOP))

        method, realm, require = (value.get(key) for key in ("method", "realm", "require"))
        scheme = _SCHEMES.get((method.text or "").lower()) if method else None
        if method is None or scheme is None:
            return
        state("scheme", scheme, method.line)
        if realm is not None and realm.text:
            state("realm", realm.text, realm.line)
        if require is not None and require.text:
            state("user", users(require.text), require.line)
        backend = self.setting("auth.backend")
        setting, respect = _FILES.get(backend[0].text or "", ("", "")) if backend else ("", "")
        file = self.setting(setting) if setting else None
        if file is not None and file[0].text:
            state(respect, file[0].text, file[1].line or 1, file[1])

    def _denied(self) -> None:
        held = self.setting("url.access-deny")
        if held and any(self._request and self._request.path.endswith(end) for end in held[0].words()):
            self.answers.append(Answer(HOP, 403, held[1]))
        for block in self._layer.undecided(self._request) if self._request else ():
            denied = block.own("url.access-deny")
            if (
                denied is None
                or "" not in denied.value.words()
                or block.subject not in ("remoteip", "remote-ip")
            ):
                continue
            if block.sign in ("!=", "==") and (block.parent in self._blocks):
                listed = block.sign == "!="
                rules = (
                    f"{'allow' if listed else 'deny'} {block.pattern}, {'deny' if listed else 'allow'} all"
                )
                self.demands.append(Demand("address", rules, block.source, hop=HOP))

    def upstream(self) -> str:
        for name, prefix in _PASSES.items():
            held = self.setting(name)
            for key, value in held[0].items if held else ():
                path = self._request.path if self._request else None
                if path is not None and not (path.startswith(key) if key[:1] in "/" else path.endswith(key)):
                    continue
                target = value.items[0][1] if value.items else value
                socket, host, port = (target.get(k) for k in ("socket", "host", "port"))
                if socket is not None:
                    return f"{prefix}unix:{socket.text}"
                if host is not None and (host.text or "").startswith("/"):
                    return f"{prefix if prefix != 'http://' else ''}unix:{host.text}"
                return f"{prefix}{host.text if host else '127.0.0.1'}:{port.text if port else 80}"
        return ""


def users(require: str) -> str:
    """`user=alice|user=bob` as `user alice bob`."""
    if "valid-user" in require:
        return "valid-user"
    parts = [part.partition("=") for part in require.split("|")]
    kinds = {kind.strip() for kind, _, _ in parts}
    names = " ".join(name.strip() for _, _, name in parts)
    return f"{kinds.pop()} {names}" if len(kinds) == 1 else require
