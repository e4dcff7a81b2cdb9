"""A source's shape, to find near-identical ones: names and lay-out do not matter, structure does.

Short sources are left out: there are few ways to write two lines.
"""

import ast
from hashlib import sha256

__all__ = ["shape"]

SMALLEST = 40  # nodes


class _Nameless(ast.NodeTransformer):
    """Replaces every name by its first place of use, and drops docstrings."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def _name(self, name: str) -> str:
        return self._names.setdefault(name, f"n{len(self._names)}")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._name(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._name(node.arg))

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant):
            return None
        return self.generic_visit(node)


def shape(source: str) -> str:
    """Return a digest that renaming, comments and blanks do not change; empty for a short source.

    >>> shape("a = 1") == shape("b = 1")
    True
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError):
        return ""
    if sum(1 for _ in ast.walk(tree)) < SMALLEST:
        return ""
    try:
        return sha256(ast.dump(_Nameless().visit(tree)).encode()).hexdigest()[:16]
    except RecursionError:
        return ""
