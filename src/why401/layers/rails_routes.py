"""Rails' routes: which controller's action takes a request.

Source: guides.rubyonrails.org, "Rails Routing from the Outside In"; Devise's `devise_for`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from why401.layers.syntax import Call, Code, string, text

if TYPE_CHECKING:
    from tree_sitter import Node

VERBS = ("get", "post", "put", "patch", "delete", "match", "root")
#: Action → (verb, what follows the resource's path) of `resources`; of `resource` without the id.
_ACTIONS = {
    "index": ("GET", ""), "create": ("POST", ""), "new": ("GET", "/new"), "show": ("GET", "/:id"),
    "edit": ("GET", "/:id/edit"), "update": ("PATCH PUT", "/:id"), "destroy": ("DELETE", "/:id"),
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One route: verbs ("" for all), a pattern with `:parameters`, and where it leads."""

    verbs: str
    path: str
    controller: str  # "api/v1/orders"
    action: str
    call: Call

    def fits(self, method: str, path: str) -> bool:
        bare = re.sub(r"\\\(\\?\.:format\\\)|\(\.:format\)", "", self.path)
        pattern = re.sub(r"\\?:\w+", r"[^/]+", re.escape("/" + bare.strip("/")).replace(r"\*", ".*"))
        found = re.fullmatch(pattern + r"(?:\.\w+)?/?", path.partition("?")[0])
        return found is not None and (not self.verbs or method in self.verbs.split())


def options(call: Call) -> dict[str, Node]:
    """The keyword arguments."""
    found = {}
    for arg in call.args:
        if arg.type == "pair" and len(arg.named_children) > 1:
            found[text(arg.named_children[0]).strip(":\"'")] = arg.named_children[-1]
        elif arg.type == "hash":
            for pair in arg.named_children:
                if pair.type == "pair":
                    found[text(pair.named_children[0]).strip(":\"'")] = pair.named_children[-1]
    return found


def names(node: Node | None) -> list[str]:
    """A symbol or string, or the members of a list of them (`[:a]`, `%i[a b]`)."""
    if node is None:
        return []
    if node.type in ("symbol_array", "string_array"):
        return [text(child) for child in node.named_children]
    if node.type == "array":
        return [value for child in node.named_children if (value := string(child)) is not None]
    value = string(node)
    return [value] if value is not None else []


def routes(code: Code) -> Iterator[Target]:
    """The routes of one file, in order."""
    for draw in code.calls("draw"):
        for call in code.all_calls:
            if _inside(call.node, draw) and call.receiver is None:
                yield from _of(code, call)


def _inside(node: Node, outer: Call) -> bool:
    block = outer.node.child_by_field_name("block")
    return block is not None and block.start_byte < node.start_byte and node.end_byte <= block.end_byte


def _around(code: Code, call: Call) -> tuple[str, str]:
    """(path, module of controllers) that the blocks around a call put before it."""
    path, module = "", ""
    holders = code.calls("namespace", "scope", "resources", "resource", "member", "collection")
    for outer in (c for c in holders if _inside(call.node, c)):
        own, held = outer.string(0) or "", options(outer)
        if outer.name == "namespace":
            said = names(held.get("path"))
            path += "/" + (said[0] if said else own)
            module += (names(held.get("module")) or [own])[0] + "/"
        elif outer.name == "scope":
            path += "/" + ((names(held.get("path")) or [own])[0]).strip("/")
            module += "".join(f"{one}/" for one in names(held.get("module")))
        elif outer.name == "resources":
            on = any(_inside(call.node, c) for c in code.calls("collection") if _inside(c.node, outer))
            path += f"/{own}" + ("" if on or _on_collection(call) else "/:id")
        elif outer.name == "resource":
            path += f"/{own}"
    return re.sub(r"/+", "/", path), module


def _on_collection(call: Call) -> bool:
    return names(options(call).get("on")) == ["collection"]


def _of(code: Code, call: Call) -> Iterator[Target]:
    if call.name in ("resources", "resource"):
        yield from _resource(code, call)
    elif call.name in VERBS:
        yield from _single(code, call)
    elif call.name == "devise_for":
        yield from _devise(code, call)


def _resource(code: Code, call: Call) -> Iterator[Target]:
    path, module = _around(code, call)
    held = options(call)
    only, without = names(held.get("only")), names(held.get("except"))
    for name in [value for arg in call.args if (value := string(arg)) is not None]:
        own = (names(held.get("path")) or [name])[0]
        plural = name if call.name == "resources" else _plural(name)
        controller = module + (names(held.get("controller")) or [plural])[0]
        for action, (verbs, rest) in _ACTIONS.items():
            if (
                (only and action not in only)
                or action in without
                or (call.name == "resource" and action == "index")
            ):
                continue
            rest = rest if call.name == "resources" else rest.replace("/:id", "")
            yield Target(verbs, f"{path}/{own}{rest}", controller, action, call)


def _plural(name: str) -> str:
    return name if name.endswith("s") else name[:-1] + "ies" if name.endswith("y") else name + "s"


def _single(code: Code, call: Call) -> Iterator[Target]:
    around, module = _around(code, call)
    held = options(call)
    path = "" if call.name == "root" else call.string(0)
    target = next(iter(names(held.get("to"))), (call.string(0) or "") if call.name == "root" else "")
    for arg in call.args:  # get "login" => "sessions#new"
        if arg.type == "pair" and arg.named_children[0].type == "string":
            path, target = string(arg.named_children[0]), string(arg.named_children[-1]) or ""
    if path is None:
        return
    if not target:
        parts = path.strip("/").split("/")
        chosen = names(held.get("action")) or [parts[-1]]
        owner = names(held.get("controller")) or ["/".join(parts[:-1]) or _owner(code, call)]
        target = f"{owner[0]}#{chosen[0]}"
    controller, _, action = target.partition("#")
    verbs = {"match": " ".join(one.upper() for one in names(held.get("via")) if one != "all"), "root": "GET"}
    yield Target(
        verbs.get(call.name, call.name.upper()),
        f"{around}/{path.strip('/')}",
        module + controller,
        action,
        call,
    )


def _owner(code: Code, call: Call) -> str:
    """The resource in whose block a route without `to:` stands."""
    holders = [c for c in code.calls("resources", "resource") if _inside(call.node, c)]
    return (holders[-1].string(0) or "") if holders else ""


def _devise(code: Code, call: Call) -> Iterator[Target]:
    """Devise's own routes of a login and a sign-up."""
    around, _ = _around(code, call)
    held = options(call)
    own = names(held.get("path"))
    base = f"{around}/{own[0] if own else call.string(0) or ''}".rstrip("/")
    renamed = {}
    for pair in held["path_names"].named_children if "path_names" in held else ():
        if pair.type == "pair":
            renamed[text(pair.named_children[0]).strip(":\"'")] = string(pair.named_children[-1]) or ""
    for name, verbs, action in (
        ("sign_in", "GET", "new"),
        ("sign_in", "POST", "create"),
        ("sign_out", "DELETE", "destroy"),
    ):
        yield Target(verbs, f"{base}/{renamed.get(name, name)}", "devise/sessions", action, call)
    yield Target(
        "POST",
        f"{base}/{renamed.get('registration', '')}".rstrip("/"),
        "devise/registrations",
        "create",
        call,
    )
