"""Statements of Python code, followed on every way that cannot be excluded: what is returned, what is raised.

A module is executed once, as an import would. A function is executed for one request: where a condition is not
known, both ways are followed, and what comes of them is possible, not sure.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from why401.layers.python_define import Definitions
from why401.layers.python_modules import Module
from why401.layers.python_scopes import QUIET, Flow, Raised, Scope
from why401.layers.python_values import (
    UNKNOWN,
    Class,
    Function,
    Instance,
    Thing,
    known,
    truth,
)
from why401.layers.python_words import condition

MOST_WAYS = 24  # ways through a function that are followed at once


class Statements(Definitions):
    """Follows statements; modules and functions are the subclass's."""

    maybe: list[Flow]  # raised in calls on ways that are not sure
    left: int  # statements that may still be followed

    @property
    def importing(self) -> bool:
        """Whether a module is being imported: there is no request then."""
        return self.hooks is QUIET

    # statements

    def run(self, body: list[ast.stmt], scope: Scope, *, module_level: bool = False) -> list[Flow]:
        """Every way through statements; the ways that come to their end "fall"."""
        ways = [Flow("falls", scope)]
        ended: list[Flow] = []
        for statement in body:
            going: list[Flow] = []
            for way in ways:
                for end in self._follow(statement, way, module_level=module_level):
                    (going if end.kind == "falls" else ended).append(end)
            ways = going[:MOST_WAYS]
            if not ways:
                break
            if module_level and (len(ways) > 1 or ways[0].scope is not scope):
                ways = [Flow("falls", _merged([way.scope for way in ways], scope))]
        return [*ended, *ways]

    def _follow(self, statement: ast.stmt, way: Flow, *, module_level: bool) -> Iterator[Flow]:
        self.left -= 1
        if self.left <= 0:
            return
        before = len(self.maybe)
        try:
            ends = list(self._step(statement, way.scope, module_level=module_level))
        except Raised as raised:
            if module_level:
                ends = [Flow("falls", way.scope)]
            else:
                inner = next((m for m in reversed(self.maybe[before:]) if m.value is raised.value), None)
                because, test = (inner.because, inner.test) if inner else ((), None)
                ends = [Flow("raises", way.scope, raised.value, raised.source, True, because, test)]
                self.maybe[before:] = [m for m in self.maybe[before:] if m.value is not raised.value]
        for end in ends:
            because = (*way.because, *end.because)
            yield replace(end, sure=end.sure and way.sure, because=because, test=end.test or way.test)

    def _step(self, node: ast.stmt, scope: Scope, *, module_level: bool = False) -> Iterator[Flow]:
        handler = getattr(self, f"_do_{type(node).__name__}", None)
        if handler is None:
            yield Flow("falls", scope)
            return
        found = handler(node, scope)
        if found is None:
            yield Flow("falls", scope)
        else:
            yield from found

    def _do_Expr(self, node: ast.Expr, scope: Scope) -> None:
        self.evaluate(node.value, scope)

    def _do_Assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self.evaluate(node.value, scope)
        for target in node.targets:
            self.assign(target, value, scope)

    def _do_AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value, scope), scope)

    def _do_AugAssign(self, node: ast.AugAssign, scope: Scope) -> None:
        whole = ast.BinOp(_loaded(node.target), node.op, node.value)
        self.assign(node.target, self.evaluate(ast.copy_location(whole, node), scope), scope)

    def _do_Return(self, node: ast.Return, scope: Scope) -> Iterator[Flow]:
        yield Flow("returns", scope, self.evaluate(node.value, scope), scope.module.at(node))

    def _do_Raise(self, node: ast.Raise, scope: Scope) -> Iterator[Flow]:
        value = self.evaluate(node.exc, scope) if node.exc else scope.names.get("@handled", UNKNOWN)
        if isinstance(value, Class):
            value = Instance(value, scope.module.at(node))
        yield Flow("raises", scope, value, scope.module.at(node))

    def _do_Assert(self, node: ast.Assert, scope: Scope) -> Iterator[Flow]:
        held = truth(self.evaluate(node.test, scope))
        if held is not False:
            yield Flow("falls", scope)
        else:
            yield Flow("raises", scope, Thing("builtins.AssertionError()"), scope.module.at(node))

    def _do_If(self, node: ast.If, scope: Scope) -> Iterator[Flow]:
        held = truth(self.evaluate(node.test, scope))
        for taken, body in ((True, node.body), (False, node.orelse)):
            if held is not None and held is not taken:
                continue
            inner = scope if held is not None else scope.copy()
            words = condition(node.test, taken=taken)
            for end in self.run(body, inner) if body else [Flow("falls", inner)]:
                conditions = (words, *end.because) if body else ()
                test = end.test or (node.test if end.kind != "falls" else None)
                yield replace(end, sure=end.sure and held is not None, because=conditions, test=test)

    def _do_For(self, node: ast.For | ast.AsyncFor, scope: Scope) -> Iterator[Flow]:
        items = self.evaluate(node.iter, scope)
        if isinstance(items, (list, tuple)) and len(items) <= 50:
            ways = [Flow("falls", scope)]
            for item in items:
                going: list[Flow] = []
                for way in ways:
                    self.assign(node.target, item, way.scope)
                    for end in self.run(node.body, way.scope):
                        merged = replace(end, sure=end.sure and way.sure)
                        if end.kind in ("falls", "stops"):
                            going.append(replace(merged, kind="falls"))
                        else:
                            yield merged
                ways = going[:MOST_WAYS]
            yield from ways
            return
        self.assign(node.target, UNKNOWN, scope)
        yield from self._perhaps(node.body, scope)
        yield Flow("falls", scope)

    _do_AsyncFor = _do_For

    def _do_While(self, node: ast.While, scope: Scope) -> Iterator[Flow]:
        yield from self._perhaps(node.body, scope)
        yield Flow("falls", scope)

    def _perhaps(self, body: list[ast.stmt], scope: Scope) -> Iterator[Flow]:
        """The ends of statements that may not be reached at all."""
        for end in self.run(body, scope.copy()):
            if end.kind not in ("falls", "stops"):
                yield replace(end, sure=False)

    def _do_Break(self, node: ast.Break, scope: Scope) -> Iterator[Flow]:
        yield Flow("stops", scope)

    _do_Continue = _do_Break

    def _do_Match(self, node: ast.Match, scope: Scope) -> Iterator[Flow]:
        for case in node.cases:
            yield from self._perhaps(case.body, scope)
        yield Flow("falls", scope)

    def _do_With(self, node: ast.With | ast.AsyncWith, scope: Scope) -> Iterator[Flow]:
        for item in node.items:
            value = self.evaluate(item.context_expr, scope)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, scope)
        yield from self.run(node.body, scope)

    _do_AsyncWith = _do_With

    def _do_Try(self, node: ast.Try, scope: Scope) -> Iterator[Flow]:
        before, followed = len(self.maybe), self.open
        inner = scope.copy()
        for end in self.run(node.body, inner):
            if end.kind == "raises":
                yield from self._handled(node, end)
            elif end.kind == "falls":
                yield from self._then(node.orelse, end)
            else:
                yield end
        risen, self.maybe[before:] = self.maybe[before:], []
        for end in risen:
            yield from self._handled(node, replace(end, scope=scope.copy(), sure=False))
        if not risen and self.open > followed and not self.importing:
            for handler in node.handlers:
                if _breaks(handler.body):
                    unsure = Flow("raises", scope.copy(), UNKNOWN, scope.module.at(handler), sure=False)
                    yield from self._handle(handler, unsure)

    _do_TryStar = _do_Try

    def _then(self, body: list[ast.stmt], way: Flow) -> Iterator[Flow]:
        for end in self.run(body, way.scope):
            because = (*way.because, *end.because)
            yield replace(end, sure=end.sure and way.sure, because=because, test=end.test or way.test)

    def _handled(self, node: ast.Try, end: Flow) -> Iterator[Flow]:
        for handler in node.handlers:
            kinds = self.tried(handler.type, end.scope) if handler.type else None
            fits = self.catches(kinds, end.value)
            if fits:
                yield from self._handle(handler, end)
                return
            if fits is None:
                yield from self._handle(handler, replace(end, sure=False))
        yield end

    def _handle(self, handler: ast.ExceptHandler, end: Flow) -> Iterator[Flow]:
        scope = end.scope
        scope.names["@handled"] = end.value
        if handler.name:
            scope.names[handler.name] = end.value
        name = ast.unparse(handler.type) if handler.type else "any exception"
        for inner in self.run(handler.body, scope):
            cause = inner.value
            if inner.kind == "raises" and isinstance(cause, Thing):
                cause.attributes.setdefault("@cause", end.value)
            if inner.kind == "returns":
                scope.names["@cause"] = end.value
            because = (*end.because, f"{name} is raised", *inner.because)
            yield replace(inner, sure=inner.sure and end.sure, because=because, test=inner.test or end.test)

    def catches(self, kinds: Any, value: Any) -> bool | None:
        """Whether `except kinds` takes an exception; None where that is not known."""
        if kinds is None:
            return True
        if isinstance(kinds, (list, tuple)):
            found = [self.catches(kind, value) for kind in kinds]
            return True if True in found else None if None in found else False
        from why401.layers.python_exceptions import is_a

        return is_a(value, kinds)


def _merged(scopes: list[Scope], into: Scope) -> Scope:
    """One scope for several ways: a name that differs between them is unknown, one that only some have is kept."""
    names = {name for scope in scopes for name in scope.names}
    for name in names:
        values = [scope.names[name] for scope in scopes if name in scope.names]
        into.places.update({n: p for scope in scopes for n, p in scope.places.items() if n == name})
        same = all(value is values[0] or (known(value) and value == values[0]) for value in values)
        things = [value for value in values if isinstance(value, (Thing, Function, Class, Module))]
        into.names[name] = values[0] if same else things[0] if len(things) == len(values) else UNKNOWN
    return into


def _loaded(target: ast.expr) -> ast.expr:
    """The target of `+=` as an expression that is read."""
    made: ast.expr = ast.parse(ast.unparse(target), mode="eval").body
    for node in ast.walk(made):
        ast.copy_location(node, target)
    return made


def _breaks(body: list[ast.stmt]) -> bool:
    """Whether statements raise or return anywhere."""
    return any(isinstance(node, (ast.Raise, ast.Return)) for part in body for node in ast.walk(part)) or any(
        isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "abort"
        for part in body
        for node in ast.walk(part)
    )
