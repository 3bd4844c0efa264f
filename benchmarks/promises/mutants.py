"""Mutants of source code: the same file with one comparison, boolean, number or answer changed."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SUMS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed file.

    line, before, after   where, and what stands there instead
    """

    line: int
    before: str
    after: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"line {self.line}: {self.before} -> {self.after}"


def mutants(source: str) -> Iterator[Mutant]:
    """Every one of a file, in its order; words for people are left alone."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    for index, node in enumerate(nodes):
        for other in _others(node):
            changed = copy.deepcopy(tree)
            # a copy is walked in the same order
            place = list(ast.walk(changed))[index]
            _put(changed, place, other)
            ast.fix_missing_locations(changed)
            yield Mutant(getattr(node, "lineno", 0), ast.unparse(node), ast.unparse(other), changed)


def _others(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    yield from _branched(node)
    if isinstance(node, ast.Compare):
        yield from _compared(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    elif isinstance(node, ast.BinOp) and type(node.op) in SUMS:
        yield ast.BinOp(node.left, SUMS[type(node.op)](), node.right)
    elif isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield from _called(node)


def _branched(node: ast.AST) -> Iterator[ast.AST]:
    """Of what depends on a condition."""
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
        # without each of its parts
        for index in range(len(node.values)):
            rest = node.values[:index] + node.values[index + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.If):
        yield ast.If(ast.Constant(False), node.body, node.orelse)


def _compared(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            operators = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            yield ast.Compare(node.left, operators, node.comparators)


SWAPPED = {"min": "max", "max": "min", "all": "any", "any": "all"}


def _called(node: ast.Call) -> Iterator[ast.AST]:
    """The other answer, the other choice, or the argument itself."""
    name = getattr(node.func, "id", "")
    if name in SWAPPED:
        yield ast.Call(ast.Name(SWAPPED[name], ast.Load()), node.args, node.keywords)
    elif name == "Block" and len(node.args) > 1:
        yield ast.Call(ast.Name("Pass", ast.Load()), node.args[1:], [])
    elif name == "Pass":
        yield ast.Call(ast.Name("Block", ast.Load()), [ast.Constant("x"), *node.args], [])
    elif name == "abs":
        yield node.args[0]


def _put(tree: ast.Module, place: ast.AST, other: ast.AST) -> None:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is place:
                setattr(parent, field, other)
            elif isinstance(value, list) and any(each is place for each in value):
                setattr(parent, field, [other if each is place else each for each in value])
