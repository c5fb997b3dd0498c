"""Edits of Python files, for the rules on applications: a line replaced, inserted, or moved."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from why401.evidence import Evidence, Source
from why401.layers.model import Edit
from why401.layers.python_app import Application
from why401.layers.tree import Document
from why401.path import routes


def applications(evidence: Evidence, kind: type[Application]) -> Iterator[Application]:
    """The applications of a framework that the request at hand reaches; all of them where there is none."""
    if evidence.exchanges or evidence.records:
        met = {id(route.layer) for route in routes(evidence)}
        yield from (x for x in evidence.layers if isinstance(x, kind) and id(x) in met)
    else:
        yield from (layer for layer in evidence.layers if isinstance(layer, kind))


def document(layer: Application, name: str) -> Document | None:
    """A file of the application by its name."""
    return next((m.document for m in layer.program.project.modules if m.document.name == name), None)


def line(layer: Application, source: Source) -> str:
    """The text of a line, without its end."""
    held = document(layer, source.name)
    if held is None or not source.line or source.line > len(held.lines):
        return ""
    return held.lines[source.line - 1].rstrip("\r\n")


def replaced(layer: Application, source: Source, old: str, new: str) -> tuple[Edit, ...]:
    """One text in a line becomes another; () where it does not stand there just once."""
    held, written = document(layer, source.name), line(layer, source)
    if held is None or source.line is None or written.count(old) != 1 or "\n" in new:
        return ()
    return (Edit(held, source.line, source.line, (written.replace(old, new),)),)


def inserted(layer: Application, source: Source, *new: str) -> tuple[Edit, ...]:
    """Lines put before a line, indented as it is."""
    held, written = document(layer, source.name), line(layer, source)
    if held is None or source.line is None:
        return ()
    indent = written[: len(written) - len(written.lstrip())]
    return (Edit(held, source.line, source.line - 1, tuple(indent + one for one in new)),)


def moved(layer: Application, first: int, last: int, after: int, name: str) -> tuple[Edit, ...]:
    """The lines `first` to `last` moved behind the line `after`, with an empty line between."""
    held = document(layer, name)
    if held is None or first <= after <= last or max(last, after) > len(held.lines):
        return ()
    lines = tuple(text.rstrip("\r\n") for text in held.lines[first - 1 : last])
    return (Edit(held, first, last, ()), Edit(held, after + 1, after, ("", *lines)))


def statement(layer: Application, source: Source) -> ast.stmt | None:
    """The outermost statement of a module that holds a line."""
    module = next((m for m in layer.program.project.modules if m.document.name == source.name), None)
    for node in module.tree.body if module is not None and source.line else ():
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        if start <= (source.line or 0) <= (node.end_lineno or node.lineno):
            return node
    return None


def body_start(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda) -> int:
    """The line of the first statement of a body, after its docstring."""
    if isinstance(node, ast.Lambda):
        return node.lineno
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1
    return node.body[1].lineno if documented else first.lineno


def call_at(layer: Application, source: Source, method: str) -> ast.Call | None:
    """The call of a method that begins at a line."""
    module = next((m for m in layer.program.project.modules if m.document.name == source.name), None)
    for node in ast.walk(module.tree) if module is not None else ():
        if isinstance(node, ast.Call) and node.lineno == source.line:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == method:
                return node
    return None
