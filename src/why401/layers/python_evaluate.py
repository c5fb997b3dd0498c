"""Expressions of Python code, evaluated as far as their values can be known."""

from __future__ import annotations

import ast
from typing import Any

from why401.layers import python_operations as operations
from why401.layers.python_objects import Objects
from why401.layers.python_scopes import Scope
from why401.layers.python_values import (
    UNKNOWN,
    Configured,
    Function,
    Listed,
    Table,
    Thing,
    known,
    truth,
)


class Evaluator(Objects):
    """Evaluates expressions; statements and calls of the project's functions are the subclass's."""

    # names and literals

    def _Constant(self, node: ast.Constant, scope: Scope) -> Any:
        return node.value

    def _Name(self, node: ast.Name, scope: Scope) -> Any:
        held = scope.get(node.id)
        if held is not None:
            return held[0]
        return Thing(f"builtins.{node.id}") if node.id in _BUILTINS else UNKNOWN

    def _List(self, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Any:
        found = Listed()
        for item in node.elts:
            if isinstance(item, ast.Starred):
                inner = self.evaluate(item.value, scope)
                if not isinstance(inner, (list, tuple)):
                    return UNKNOWN
                found.extend(inner)
                found.places += getattr(inner, "places", None) or [scope.module.at(item)] * len(inner)
            else:
                found.append(self.evaluate(item, scope))
                found.places.append(scope.module.at(item))
        return found

    _Tuple = _Set = _List

    def _Dict(self, node: ast.Dict, scope: Scope) -> Any:
        found = Table()
        for key, value in zip(node.keys, node.values, strict=True):
            held = self.evaluate(value, scope)
            if key is None:
                if isinstance(held, Table):
                    found.update(held)
                    found.places.update(held.places)
                continue
            name = self.evaluate(key, scope)
            if isinstance(name, (str, int, bytes)):
                found[name] = held
                found.places[name] = scope.module.at(key)
        return found

    def _JoinedStr(self, node: ast.JoinedStr, scope: Scope) -> Any:
        parts = [self.evaluate(part, scope) for part in node.values]
        whole: Any = ""
        for part in parts:
            whole = operations.binary(ast.Add(), whole, part if isinstance(part, str) else UNKNOWN)
        return whole

    def _FormattedValue(self, node: ast.FormattedValue, scope: Scope) -> Any:
        value = self.evaluate(node.value, scope)
        if node.format_spec is not None or node.conversion != -1 or not known(value):
            return UNKNOWN
        return value if isinstance(value, str) else str(value)

    def _Lambda(self, node: ast.Lambda, scope: Scope) -> Any:
        return Function(node, scope.module, scope)

    def _Await(self, node: ast.Await, scope: Scope) -> Any:
        return self.evaluate(node.value, scope)

    def _NamedExpr(self, node: ast.NamedExpr, scope: Scope) -> Any:
        value = self.evaluate(node.value, scope)
        scope.names[node.target.id] = value
        return value

    # operators

    def _BinOp(self, node: ast.BinOp, scope: Scope) -> Any:
        return operations.binary(node.op, self.evaluate(node.left, scope), self.evaluate(node.right, scope))

    def _UnaryOp(self, node: ast.UnaryOp, scope: Scope) -> Any:
        value = self.evaluate(node.operand, scope)
        if isinstance(node.op, ast.Not):
            return operations.negate(value)
        return -value if isinstance(node.op, ast.USub) and isinstance(value, (int, float)) else UNKNOWN

    def _BoolOp(self, node: ast.BoolOp, scope: Scope) -> Any:
        decides = isinstance(node.op, ast.Or)
        unknown: Any = None
        for part in node.values:
            value = self.evaluate(part, scope)
            held = truth(value)
            if held is None:
                unknown = unknown or (value,)
            elif held is decides or part is node.values[-1]:
                if unknown is None:
                    return value
                if decides and isinstance(value, str) and _environment(unknown[0]):
                    return Configured.of(value, str(unknown[0].args[0]))
                return decides if held is decides and not decides else UNKNOWN
        return UNKNOWN if unknown is not None else None

    def _Compare(self, node: ast.Compare, scope: Scope) -> Any:
        left = self.evaluate(node.left, scope)
        result: Any = True
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(right_node, scope)
            one = self._contains(op, left, right)
            if one is None:
                one = operations.compare(op, left, right)
            if one is not UNKNOWN:
                self.hooks.compared(node, left, right)
            if one is False:
                return False
            result = UNKNOWN if one is UNKNOWN else result
            left = right
        return result

    def _contains(self, op: ast.cmpop, left: Any, right: Any) -> bool | None:
        """Whether something of the request holds a name: `"X-Key" in request.headers`."""
        if (
            not isinstance(op, (ast.In, ast.NotIn))
            or not isinstance(right, Thing)
            or not isinstance(left, str)
        ):
            return None
        held = self.hooks.contains(right, left)
        return None if held is None else held == isinstance(op, ast.In)

    def _IfExp(self, node: ast.IfExp, scope: Scope) -> Any:
        held = truth(self.evaluate(node.test, scope))
        if held is None:
            return UNKNOWN
        return self.evaluate(node.body if held else node.orelse, scope)

    def _ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope) -> Any:
        first = node.generators[0]
        items = self.evaluate(first.iter, scope)
        if len(node.generators) > 1 or not isinstance(items, (list, tuple)) or len(items) > 200:
            return UNKNOWN
        inner, found = Scope(scope.module, outer=scope), Listed()
        for item in items:
            self.assign(first.target, item, inner)
            held = [truth(self.evaluate(test, inner)) for test in first.ifs]
            if None in held:
                return UNKNOWN
            if all(held):
                found.append(self.evaluate(node.elt, inner))
                found.places.append(scope.module.at(node.elt))
        return found

    _SetComp = _GeneratorExp = _ListComp


_BUILTINS = frozenset(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)


def _environment(value: Any) -> bool:
    return isinstance(value, Thing) and value.name == "@environment" and bool(value.args)
