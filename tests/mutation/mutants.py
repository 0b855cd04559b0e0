"""Small changes of Python source: one operator, constant, condition, argument or statement each."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType

__all__ = ["Mutant", "mutants_of"]

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
# What says something to a person or to a type checker, or checks the code itself, and changes no result.
NOT_RUN = ("decorator_list", "annotation", "returns", "bases")
UNTOUCHED = (ast.Raise, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.Assert)


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        path: the file.
        number: which of its changes.
        line: where, from 1.
        text: ``function: before → after``.
    """

    path: Path
    number: int
    line: int
    text: str

    def code(self) -> CodeType:
        """The changed module, compiled under the name of the file."""
        tree = ast.parse(self.path.read_text())
        _, _, change = list(_changes(tree, ""))[self.number]
        change()
        return compile(ast.fix_missing_locations(tree), str(self.path), "exec", dont_inherit=True)


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    for number, (node, text, _) in enumerate(_changes(ast.parse(path.read_text()), "")):
        yield Mutant(path, number, node.lineno, text)


Change = tuple[ast.expr | ast.stmt, str, Callable[[], object]]


def _changes(node: ast.AST, place: str) -> Iterator[Change]:
    """The changes below a node, each with the node that has its line."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        place = f"{place}.{node.name}".lstrip(".")
    for name, value in ast.iter_fields(node):
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or name in NOT_RUN or _says(child):
                continue
            for new in _instead(child):
                ast.copy_location(new, child)
                text = f"{place}: {_short(child)} → {_short(new)}"
                yield child, text, partial(_put, node, name, index, new)  # type: ignore[misc]
            yield from _changes(child, place)


def _put(node: ast.AST, name: str, index: int, new: ast.AST) -> None:
    """Replace a field of a node, or one item of it."""
    value = getattr(node, name)
    if isinstance(value, list):
        value[index] = new
    else:
        setattr(node, name, new)


def _says(node: ast.AST) -> bool:
    """Whether it is a text for people, an annotation, an import, ``__all__``, or the check of a ``zip``."""
    if isinstance(node, ast.keyword):
        return node.arg == "strict"
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    names = [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]
    return isinstance(node, (*UNTOUCHED, ast.JoinedStr)) or "__all__" in names


def _short(node: ast.AST) -> str:
    text = ast.unparse(node).splitlines()[0]
    return text if len(text) <= 90 else f"{text[:89]}…"


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    """What else could be there."""
    match node:
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Compare(left, [operator], right) if type(operator) in COMPARISONS:
            yield ast.Compare(left, [COMPARISONS[type(operator)]()], right)
        case ast.BinOp(left, operator, right) if type(operator) in OPERATORS:
            yield ast.BinOp(left, OPERATORS[type(operator)](), right)
        case ast.AugAssign(target, operator, value) if type(operator) in OPERATORS:
            yield ast.AugAssign(target, OPERATORS[type(operator)](), value)
            yield ast.Pass()
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
            yield operand
        case _:
            yield from _instead_of_flow(node)


def _instead_of_flow(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.IfExp(test, body, other):
            yield ast.IfExp(test, other, body)
        case ast.If(test, body, other):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, other)
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.Expr(ast.Call()):
            yield ast.Pass()
        case ast.Call(function, arguments, keywords):
            for left_out in filter(lambda keyword: keyword.arg not in (None, "strict"), keywords):
                yield ast.Call(function, arguments, [one for one in keywords if one is not left_out])
