"""Conditions of code in words that a report may show: literals that may be secrets are left out."""

from __future__ import annotations

import ast
import copy
from typing import Final

LONGEST: Final = 140
#: Literals that are words of the protocol, and say why a request is refused.
_PLAIN: Final = frozenset(
    "bearer basic token digest jwt apikey api-key get head options post put patch delete authorization "
    "x-api-key cookie http https exp sub aud iss access refresh admin role user".split()
)
_COMPARING: Final = ("compare_digest", "constant_time_compare", "check_password_hash", "verify", "checkpw")


class _Hidden(ast.NodeTransformer):
    """Replaces the literals that a value of the request is compared with."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        if not isinstance(node.ops[0], (ast.In, ast.NotIn)):
            node.left = _hide(node.left)
        node.comparators = [_hide(one) for one in node.comparators]
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _COMPARING:
            node.args = [_hide(one) for one in node.args]
        return self.generic_visit(node)


def _hide(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and not _plain(node.value):
        return ast.Constant("•••")
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        node.elts = [_hide(one) for one in node.elts]
    if isinstance(node, ast.Dict):
        node.values = [_hide(one) for one in node.values]
    if isinstance(node, ast.BinOp):
        node.left, node.right = _hide(node.left), _hide(node.right)
    return node


def _plain(value: str | bytes) -> bool:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text.strip().lower() in _PLAIN or text[:1] == "/" or len(text) < 2


def condition(test: ast.expr, *, taken: bool) -> str:
    """The condition under which a branch is taken: "`not auth`", "not `key == •••`"."""
    shown = ast.unparse(_Hidden().visit(copy.deepcopy(test))).replace("'•••'", "•••")
    words = f"`{shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + '…'}`"
    if taken:
        return words
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return f"`{shown[4:]}`" if len(shown) <= LONGEST else f"not {words}"
    return f"not {words}"
