"""A project in Python, followed as far as it can be known: its modules, applications and functions.

A module is executed once, as an import would. A function is executed for one request: where a condition is not
known, both ways are followed, and what comes of them is possible, not sure.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from why401.evidence import Source
from why401.layers.python_modules import Module, Project
from why401.layers.python_scopes import QUIET, Flow, Raised, Scope
from why401.layers.python_statements import Statements
from why401.layers.python_values import (
    UNKNOWN,
    Class,
    Configured,
    Function,
    Instance,
    Thing,
)

DEEPEST = 10  # calls within calls
MOST_STEPS = 60_000  # statements of a whole project


class Program(Statements):
    """A project's code, executed as far as it can be known."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self._spaces: dict[Module, Scope] = {}
        self._depth = 0
        self.left = MOST_STEPS
        self.known: dict[str, Thing] = {}  # names of libraries whose attributes the project sets
        self.maybe: list[Flow] = []  # raised in calls on ways that are not sure
        self.values = _settings(project)

    def space(self, module: Module) -> Scope:
        """The names of a module after its import."""
        if module not in self._spaces:
            scope = self._spaces[module] = Scope(module)
            hooks, self.hooks, maybe, self.maybe = self.hooks, QUIET, self.maybe, []
            try:
                self.run(module.tree.body, scope, module_level=True)
            except RecursionError:
                pass
            finally:
                self.hooks, self.maybe = hooks, maybe
        return self._spaces[module]

    def library(self, dotted: str) -> Thing:
        return self.known.get(dotted) or Thing(dotted)

    def named(self, dotted: str) -> Any:
        """What a dotted name in a setting stands for: a module, class or function of the project, or a Thing."""
        root = self.project.module(self.project.root)
        module = self.project.imported(dotted, 0, root) if root else None
        if module is not None:
            return module
        package, _, name = dotted.rpartition(".")
        holder = self.project.imported(package, 0, root) if root and package else None
        held = self.space(holder).get(name) if holder else None
        return held[0] if held else UNKNOWN if holder else Thing(dotted)

    def environment(self, name: str, default: Any) -> Any:
        if name in self.values:
            return Configured.of(self.values[name], name)
        if isinstance(default, str):
            return Configured.of(default, name)
        return Thing("@environment", args=(name,)) if default is None else UNKNOWN

    def applications(self, kind: str) -> list[Thing]:
        """The instances of a framework's class (`FastAPI`, `Flask`) that the root makes, also in factories."""
        module = self.project.module(self.project.root)
        if module is None:
            return []
        scope = self.space(module)
        if not self._instances(kind):
            for value in list(scope.names.values()):
                makes = isinstance(value, Function) and f"{kind}(" in ast.unparse(value.node)
                if makes and value.module is module and not self._instances(kind):
                    self.flows(value)
        return self._instances(kind)

    def _instances(self, kind: str) -> list[Thing]:
        return [made for made in self.made if made.kind == kind and made.package in ("fastapi", "flask")]

    # functions

    def flows(
        self, function: Function, args: Iterable[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> list[Flow]:
        """Every way through a function with these arguments."""
        if self._depth >= DEEPEST or self.left <= 0:
            return []
        scope = Scope(function.module, outer=function.scope or self.space(function.module))
        self._bind(function, list(args), dict(kwargs or {}), scope)
        self._depth += 1
        try:
            if isinstance(function.node, ast.Lambda):
                value = self.evaluate(function.node.body, scope)
                return [Flow("returns", scope, value, function.source)]
            return self.run(function.node.body, scope)
        except Raised as raised:
            return [Flow("raises", scope, raised.value, raised.source)]
        except RecursionError:
            return []
        finally:
            self._depth -= 1

    def _bind(self, function: Function, args: list[Any], kwargs: dict[str, Any], scope: Scope) -> None:
        given = function.node.args
        names = [a.arg for a in (*given.posonlyargs, *given.args)]
        values = [function.bound, *args] if function.bound is not None else list(args)
        outer = function.scope or self.space(function.module)
        defaults = dict(zip(reversed(names), reversed(given.defaults), strict=False))
        defaults |= {a.arg: d for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d}
        for name in [*names, *(a.arg for a in given.kwonlyargs)]:
            scope.names[name] = self.tried(defaults[name], outer) if name in defaults else UNKNOWN
        scope.names.update(zip(names, values, strict=False))
        scope.names.update(kwargs)
        if given.vararg:
            scope.names[given.vararg.arg] = UNKNOWN
        if given.kwarg:
            scope.names[given.kwarg.arg] = UNKNOWN

    def invoke(self, function: Function, args: list[Any], kwargs: dict[str, Any], source: Source) -> Any:
        """The value of a call: known where every way ends alike. Raises Raised where it surely raises."""
        ends = self.flows(function, args, kwargs)
        raised = [end for end in ends if end.kind == "raises"]
        if raised and raised[0].sure:
            self.maybe += [replace(raised[0])]
            raise Raised(raised[0].value, raised[0].source)
        self.maybe += [replace(end, sure=False) for end in raised]
        values = [end.value if end.kind == "returns" else None for end in ends if end.kind != "raises"]
        if not values:
            return UNKNOWN
        first = values[0]
        if all(value is first for value in values) or (len(values) == 1 and not raised):
            return first
        things = [value for value in values if isinstance(value, (Thing, Function, Class, Instance))]
        return things[0] if len(things) == len(values) == 1 or self.importing else UNKNOWN


def _settings(project: Project) -> dict[str, str]:
    """The variables of the `.env` files beside the code."""
    found: dict[str, str] = {}
    for name in project.tree.given:
        if not name.endswith((".env", ".flaskenv")):
            continue
        for line in project.tree.given[name].lines:
            variable, equals, value = line.strip().removeprefix("export ").partition("=")
            if equals and variable.strip().isidentifier():
                found[variable.strip()] = value.strip().strip("'\"")
    return found
