"""Names, attributes, items and calls of Python code, and the scopes in which names have their values."""

from __future__ import annotations

import ast
from http import HTTPStatus
from typing import Any

from why401.evidence import Source
from why401.layers import python_operations as operations
from why401.layers.python_modules import Module, Project
from why401.layers.python_scopes import Hooks, Method, Raised, Scope
from why401.layers.python_values import (
    NOWHERE,
    UNKNOWN,
    Class,
    Function,
    Instance,
    Table,
    Thing,
    known,
)


class Objects:
    """What values are made of; expressions are the subclass's, statements those of the next."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.hooks = Hooks()
        self.open = 0  # calls and items so far of which it is not known whether they raise
        self.made: list[Thing] = []  # every instance and result of a library, in order

    def space(self, module: Module) -> Scope:
        raise NotImplementedError

    def invoke(self, function: Function, args: list[Any], kwargs: dict[str, Any], source: Source) -> Any:
        raise NotImplementedError

    def evaluate(self, node: ast.AST | None, scope: Scope) -> Any:
        """The value of an expression; raises Raised where it surely raises."""
        if node is None:
            return None
        handler = getattr(self, f"_{type(node).__name__}", None)
        if handler is None:
            return UNKNOWN
        try:
            return handler(node, scope)
        except operations.Fails as problem:
            raise Raised(Thing(f"builtins.{problem}()"), scope.module.at(node)) from None

    def tried(self, node: ast.AST | None, scope: Scope) -> Any:
        """The value of an expression; UNKNOWN where it raises."""
        try:
            return self.evaluate(node, scope)
        except Raised:
            return UNKNOWN

    # places

    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Give a name, an attribute, an item, or several of these a value."""
        if isinstance(target, ast.Name):
            scope.names[target.id] = value
            scope.places[target.id] = scope.module.at(target)
        elif isinstance(target, (ast.Tuple, ast.List)):
            same = isinstance(value, (list, tuple)) and len(value) == len(target.elts)
            if isinstance(value, (list, tuple)) and not same and known(value):
                raise Raised(Thing("builtins.ValueError()"), scope.module.at(target))
            for at, part in enumerate(target.elts):
                self.assign(part, value[at] if same else UNKNOWN, scope)
        elif isinstance(target, ast.Attribute):
            self._assign_attribute(
                self.evaluate(target.value, scope), target.attr, value, scope.module.at(target)
            )
        elif isinstance(target, ast.Subscript):
            held, key = self.evaluate(target.value, scope), self.evaluate(target.slice, scope)
            if isinstance(held, dict) and isinstance(key, (str, int)):
                held[key] = value
                if isinstance(held, Table):
                    held.places[key] = scope.module.at(target)
            elif isinstance(held, Thing) and isinstance(key, str):
                held.attributes[f"[{key}]"] = value
                held.places[f"[{key}]"] = scope.module.at(target)

    def _assign_attribute(self, held: Any, name: str, value: Any, source: Source) -> None:
        if isinstance(held, (Thing, Instance, Class)):
            held.attributes[name] = value
        if isinstance(held, (Thing, Class)):
            held.places[name] = source

    def _Attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        return self.attribute(self.evaluate(node.value, scope), node.attr, scope.module.at(node))

    def attribute(self, value: Any, name: str, source: Source = NOWHERE) -> Any:
        """The attribute of a value."""
        if isinstance(value, Module):
            held = self.space(value).get(name)
            return held[0] if held else UNKNOWN
        if isinstance(value, Thing):
            return self._attribute_of_thing(value, name, source)
        if isinstance(value, Instance):
            if name in value.attributes:
                return value.attributes[name]
            return self._bound(value.cls.get(name), value, source)
        if isinstance(value, Class):
            held = value.get(name)
            return Thing(f"@class.{name}", source, owner=value) if held is None else held
        if value is None or value is UNKNOWN or isinstance(value, Function):
            return UNKNOWN
        return Method(value, name)

    def _bound(self, held: Any, owner: Instance, source: Source) -> Any:
        if not isinstance(held, Function):
            return UNKNOWN if held is None else held
        bound = Function(held.node, held.module, held.scope, owner, held.decorators)
        if any(isinstance(d, Thing) and d.kind in ("property", "cached_property") for d in held.decorators):
            return self.invoke(bound, [], {}, source)
        return bound

    def _attribute_of_thing(self, value: Thing, name: str, source: Source) -> Any:
        hooked = self.hooks.attribute(value, name)
        if hooked is not None:
            return hooked[0]
        if name not in value.attributes:
            code = _status(value.name, name)
            value.attributes[name] = code or Thing(f"{value.name}.{name}", source, owner=value)
        return value.attributes[name]

    def _Subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        value, key = self.evaluate(node.value, scope), self.evaluate(node.slice, scope)
        if isinstance(value, Thing):
            hooked = self.hooks.subscript(value, key)
            if hooked is not None:
                return hooked[0]
            if value.name == "os.environ" and isinstance(key, str):
                return self.environment(key, None)
            if isinstance(key, str):
                return value.attributes.get(f"[{key}]", UNKNOWN)
            return value if value.package in ("typing", "builtins") else UNKNOWN
        found = operations.subscript(value, key)
        self.open += found is UNKNOWN
        return found

    def _Slice(self, node: ast.Slice, scope: Scope) -> Any:
        parts = [self.evaluate(part, scope) for part in (node.lower, node.upper, node.step)]
        return UNKNOWN if UNKNOWN in parts else slice(*parts)

    def environment(self, name: str, default: Any) -> Any:
        raise NotImplementedError

    # calls

    def _Call(self, node: ast.Call, scope: Scope) -> Any:
        target = self.evaluate(node.func, scope)
        args: list[Any] = []
        for item in node.args:
            value = self.evaluate(item.value if isinstance(item, ast.Starred) else item, scope)
            if isinstance(item, ast.Starred):
                args += value if isinstance(value, (list, tuple)) else []
            else:
                args.append(value)
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, scope)
            if keyword.arg:
                kwargs[keyword.arg] = value
            elif isinstance(value, dict):
                kwargs.update(value)
        return self.call(target, args, kwargs, scope.module.at(node), node)

    def call(
        self,
        target: Any,
        args: list[Any],
        kwargs: dict[str, Any],
        source: Source,
        node: ast.Call | None = None,
    ) -> Any:
        """The value of a call."""
        if isinstance(target, Function):
            return self.invoke(target, args, kwargs, source)
        if isinstance(target, Class):
            return self._instance(target, args, kwargs, source)
        if isinstance(target, Instance):
            method = self.attribute(target, "__call__", source)
            return self.invoke(method, args, kwargs, source) if isinstance(method, Function) else UNKNOWN
        if isinstance(target, Method):
            result = operations.method(target.value, target.name, args, kwargs)
        elif isinstance(target, Thing):
            result = self._call_thing(target, args, kwargs, source, node)
        else:
            result = UNKNOWN
        self.open += result is UNKNOWN or (isinstance(result, Thing) and result.name.endswith("()"))
        return result

    def _call_thing(
        self, target: Thing, args: list[Any], kwargs: dict[str, Any], source: Source, node: ast.Call | None
    ) -> Any:
        hooked = self.hooks.call(target, args, kwargs, source)
        if hooked is not None:
            return hooked[0]
        if target.name in _ENVIRONMENT and args and isinstance(args[0], str):
            return self.environment(args[0], args[1] if len(args) > 1 else kwargs.get("default"))
        if target.name == "builtins.getattr" and len(args) > 1 and isinstance(args[1], str):
            found = self.attribute(args[0], args[1], source)
            missing = isinstance(args[0], (Instance, Module)) and found is UNKNOWN and len(args) > 2
            return args[2] if missing else found
        if target.name == "builtins.super":
            return UNKNOWN
        computed = operations.function(target.name, args, kwargs)
        if computed is not None:
            return computed
        owner = target.owner
        made = Thing(f"{target.name}()", source, tuple(args), kwargs, owner, node=node)
        self.made.append(made)
        if isinstance(owner, Thing):
            owner.uses.append(made)
        return made

    def _instance(self, cls: Class, args: list[Any], kwargs: dict[str, Any], source: Source) -> Any:
        made = Instance(cls, source)
        setup = cls.get("__init__")
        if isinstance(setup, Function):
            self.invoke(Function(setup.node, setup.module, setup.scope, made), args, kwargs, source)
        else:
            made.attributes.update(kwargs)
            made.attributes["@args"] = args
        if cls.derives("BaseSettings"):
            for name, value in cls.attributes.items():
                if isinstance(value, str) and name not in kwargs:
                    made.attributes[name] = self.environment(name.upper(), value)
        return made


_ENVIRONMENT = frozenset(
    {"os.environ.get", "os.getenv", "decouple.config", "environ.Env().str", "environ.Env()"}
)


def _status(owner: str, name: str) -> int | None:
    """The number of a status constant: `status.HTTP_401_UNAUTHORIZED`, `HTTPStatus.UNAUTHORIZED`."""
    if name.startswith("HTTP_") and name[5:8].isdigit():
        return int(name[5:8])
    if owner == "http.HTTPStatus" and name in HTTPStatus.__members__:
        return int(HTTPStatus[name])
    return None
