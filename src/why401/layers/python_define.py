"""Definitions of Python code: functions with their decorators, classes, imports."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from why401.evidence import Source
from why401.layers.python_evaluate import Evaluator
from why401.layers.python_scopes import Scope
from why401.layers.python_values import UNKNOWN, Class, Function, Instance, Thing


class Wrapped:
    """Stands among a function's decorators for one of the project's own."""

    name = "@wrapped"
    kind = "@wrapped"

    def __init__(self, by: Any, function: Function) -> None:
        self.by, self.function = by, function


class Definitions(Evaluator):
    """Statements that give names to functions, classes and modules."""

    def library(self, dotted: str) -> Thing:
        """A name of a library."""
        return Thing(dotted)

    def run(self, body: list[ast.stmt], scope: Scope, *, module_level: bool = False) -> Any:
        raise NotImplementedError

    def _do_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        made: Any = Function(node, scope.module, scope)
        for written in reversed(node.decorator_list):
            made = self._decorated(made, self.evaluate(written, scope), scope.module.at(written))
        scope.names[node.name] = made
        scope.places[node.name] = scope.module.at(node)

    _do_AsyncFunctionDef = _do_FunctionDef

    def _decorated(self, function: Any, by: Any, source: Source) -> Any:
        if isinstance(by, Thing):
            if by.name.endswith("()"):
                by.target = function
            elif isinstance(by.owner, Thing):
                by.owner.uses.append(
                    Thing(f"{by.name}()", source, (function,), owner=by.owner, target=function)
                )
                by = Thing(by.name, source, owner=by.owner)
            else:
                by = Thing(by.name, source, owner=by.owner)
            if isinstance(function, Function):
                return replace(function, decorators=(by, *function.decorators))
            return function
        if isinstance(by, (Function, Instance)) and isinstance(function, Function):
            made = self.call(by, [function], {}, source)
            if isinstance(made, Function) and made is not function:
                return replace(made, decorators=(*made.decorators, Wrapped(by, function)))
        return function

    def _do_ClassDef(self, node: ast.ClassDef, scope: Scope) -> None:
        bases = tuple(self.evaluate(base, scope) for base in node.bases)
        inner = Scope(scope.module, outer=scope)
        self.run(node.body, inner, module_level=True)
        made = Class(node, scope.module, bases, inner.names, inner.places)
        for written in reversed(node.decorator_list):
            by = self.evaluate(written, scope)
            if isinstance(by, Thing):
                by.target = made
                if by.name.endswith("method_decorator()") and by.args:
                    made.attributes.setdefault("@decorators", []).append(by)
        scope.names[node.name] = made
        scope.places[node.name] = scope.module.at(node)

    def _do_Import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            found = self.project.imported(alias.name, 0, scope.module)
            top = alias.name.partition(".")[0]
            if found is not None and alias.asname:
                scope.names[alias.asname] = found
            elif found is not None and "." not in alias.name:
                scope.names[top] = found
            else:
                scope.names[alias.asname or top] = Thing(alias.name if alias.asname else top)

    def _do_ImportFrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        dotted = node.module or ""
        module = self.project.imported(dotted, node.level, scope.module)
        for alias in node.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                if module is not None:
                    held = self.space(module)
                    public = {n: v for n, v in held.names.items() if not n.startswith("_")}
                    scope.names.update(public)
                    scope.places.update({n: p for n, p in held.places.items() if n in public})
                continue
            value = self.space(module).get(alias.name) if module is not None else None
            if value is None:
                inner = f"{dotted}.{alias.name}" if dotted else alias.name
                below = self.project.imported(inner, node.level, scope.module)
                value = (below,) if below is not None else None
            fallback = UNKNOWN if module is not None else self.library(f"{dotted}.{alias.name}")
            scope.names[name] = value[0] if value else fallback
            if module is not None and alias.name in self.space(module).places:
                scope.places[name] = self.space(module).places[alias.name]
