"""What a score term may answer; the rest of `contract`.

Everything here raises ModuleError for what breaks the contract: how, by how much, and what is due.
n securities; an end state z = (weights, cash) is (n + 1,)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from steelyard.arrays import (
    LARGEST_DENSE,
    Factored,
    FloatArray,
    Matrix,
    dense,
    diagonal_of,
    finite,
    frozen,
    product,
    written_out,
)
from steelyard.errors import ModuleError
from steelyard.modules.context import Context
from steelyard.modules.terms import (
    LEAST_VARIANCE,
    BlackBox,
    Linear,
    Norm,
    Part,
    Quadratic,
    Raw,
    Separable,
    Shape,
    Term,
)

SHARES_WITHIN = 1e-9
SPLIT = 1e-9
"""Most that the formula of a part and its arrays may differ; of the figure where that is over 1."""
CONVEX_WITHIN = 1e-10
"""Least eigenvalue that counts as positive semidefinite, relative to the largest entry."""
STEEPEST = 1e5
"""Largest figure of a part in units of its span: beyond it rounding would change the score."""


def term(ctx: Context, name: str, answer: Any, *, proven: bool = True) -> Term:
    """A score term of that module, the formula of each part checked whenever it answers.

    proven   are its matrices known to be positive semidefinite? Asked otherwise: it costs n^3
    """
    if not isinstance(answer, Term):
        raise ModuleError(
            f"it returns a {type_name(answer)} where a Term is due",
            code="not_a_term",
            value=type_name(answer),
        )
    if answer.name != name:
        raise ModuleError(
            f"its term is called {answer.name!r}; the name of the module is due",
            code="term_name",
            value=answer.name,
        )
    total = math.fsum(part.share for part in answer.parts)
    if not abs(total - 1) <= SHARES_WITHIN or any(part.share < 0 for part in answer.parts):
        raise ModuleError(
            f"the shares of its parts sum to {total:.6g}; they must sum to 1",
            code="shares_sum",
            value=f"{total:.6g}",
            limit=1,
        )
    checked = (_part(ctx, part, proven=proven) for part in answer.parts)
    return replace(answer, parts=tuple(checked))


def _part(ctx: Context, part: Part, *, proven: bool) -> Part:
    if not -math.inf < part.lo < part.hi < math.inf:
        raise ModuleError(
            f"the anchors of its part {part.name} are {part.lo:g} and {part.hi:g}; they must "
            "increase",
            code="anchors_order",
            place=part.name,
            value=f"{part.lo:g}",
            limit=f"{part.hi:g}",
        )
    figures = _figures(part, ctx.n + 1)
    if not all(map(finite, figures)):
        raise ModuleError(
            f"an array or the constant of its part {part.name} is not finite",
            code="part_not_finite",
            place=part.name,
        )
    for figure in (part.lo, part.hi, *(_largest(array) for array in figures)):
        _flat(part, abs(figure))
    if not proven:
        _convex(part)
    arrays, formula = by_arrays(part.shape), part.raw
    raw = _finite(part, arrays if formula is None else formula)
    _same(part, raw, arrays, ctx.n)
    return replace(part, raw=raw)


def _figures(part: Part, size: int) -> list[Matrix]:
    """What a shape is made of, each of n + 1 entries a side."""
    match part.shape:
        case Linear(constant, slope):
            constants, slopes, matrices = [constant], {"slope": slope}, {}
        case Quadratic(constant, slope, curvature):
            constants, slopes, matrices = [constant], {"slope": slope}, {"curvature": curvature}
        case Norm(variance):
            constants, slopes, matrices = [], {}, {"variance": variance}
        case Separable() | BlackBox():
            return []
        case _:
            raise ModuleError(
                f"its part {part.name} is a {type_name(part.shape)}; a part is Linear, Quadratic, "
                "Norm or BlackBox",
                code="part_shape",
                place=part.name,
                value=type_name(part.shape),
            )
    for what, array in slopes.items():
        exactly(array, f"the {what} of its part {part.name}", (size,), np.float64)
    for what, matrix in matrices.items():
        _matrix(matrix, f"the {what} of its part {part.name}", size)
    return [np.array(constants), *slopes.values(), *matrices.values()]


def _matrix(matrix: Matrix, what: str, size: int) -> None:
    """Raises ModuleError for a matrix of another size or form than is due."""
    if isinstance(matrix, Factored):
        k = len(matrix.weights)
        exactly(matrix.diagonal, f"the diagonal of {what}", (size,), np.float64)
        exactly(matrix.factors, f"the factors of {what}", (size, k), np.float64)
        exactly(matrix.weights, f"the weights of {what}", (k,), np.float64)
        return
    exactly(matrix, what, (size, size), np.float64)
    if not written_out(size - 1):
        raise ModuleError(
            f"{what} is an array of {size:,} rows; of more than {LARGEST_DENSE} securities "
            "a Factored is due",
            code="matrix_not_factored",
            place=what,
            value=size,
            limit=LARGEST_DENSE,
        )


def _largest(matrix: Matrix) -> float:
    """Largest entry; of factors that of the diagonal, which is the largest of a concave part."""
    array = diagonal_of(matrix) if isinstance(matrix, Factored) else matrix
    return float(np.abs(array).max(initial=0.0))


def _flat(part: Part, figure: float) -> None:
    """Raises ModuleError for a figure so large beside the anchors that rounding would decide."""
    span = part.hi - part.lo
    if not figure <= STEEPEST * span:
        raise ModuleError(
            f"its part {part.name} has the figure {figure:g}, more than {STEEPEST:g} times what "
            f"lies between its anchors, {span:g}",
            code="part_too_steep",
            place=part.name,
            value=f"{figure:g}",
            limit=f"{STEEPEST * span:g}",
        )


def _convex(part: Part) -> None:
    """Raises ModuleError unless the part is concave: proofs rest on that."""
    match part.shape:
        case Quadratic(_, _, matrix) | Norm(matrix):
            if isinstance(matrix, Factored) and _sum_of_squares(matrix):
                return
            written = dense(matrix) if written_out(len(matrix) - 1) else None
        case Separable():
            raise ModuleError(
                f"its part {part.name} is a Separable, of which nobody knows that it is concave; a "
                "plugin's part is Linear, Quadratic, Norm or BlackBox",
                code="separable_of_plugin",
                place=part.name,
            )
        case _:
            return
    if written is None or not _semidefinite((written + written.T) / 2):
        raise ModuleError(
            f"the matrix of its part {part.name} is not positive semidefinite, so the part is not "
            "concave",
            code="matrix_not_psd",
            place=part.name,
            hint="of many securities, give a diagonal and weights that are not negative",
        )


def _sum_of_squares(matrix: Factored) -> bool:
    """Is it positive semidefinite as anybody can see?"""
    return bool((matrix.diagonal >= 0).all() and (matrix.weights >= 0).all())


def _semidefinite(even: FloatArray) -> bool:
    slack = CONVEX_WITHIN * max(1.0, _largest(even))
    try:
        np.linalg.cholesky(even + 2 * slack * np.eye(len(even)))
    except np.linalg.LinAlgError:
        return False
    return True


def by_arrays(shape: Shape) -> Raw | None:
    """The formula of a part, written from its arrays; None for a black box, which has none."""
    match shape:
        case Linear(constant, slope):
            return lambda weights, cash: _sum(constant, slope, None, np.append(weights, cash))
        case Quadratic(constant, slope, curvature):
            return lambda weights, cash: _sum(constant, slope, curvature, np.append(weights, cash))
        case Norm(variance):
            return lambda weights, cash: _root(variance, np.append(weights, cash))
        case Separable(each, _):
            return lambda weights, _: float(each(weights).sum())
        case BlackBox():
            return None


def _sum(constant: float, slope: FloatArray, bend: Matrix | None, z: FloatArray) -> float:
    bent = [] if bend is None else (-z * product(bend, z)).tolist()
    return math.fsum([constant, *(slope * z).tolist(), *bent])


def _root(variance: Matrix, z: FloatArray) -> float:
    return -math.sqrt(max(math.fsum((z * product(variance, z)).tolist()), LEAST_VARIANCE))


def _finite(part: Part, formula: Any) -> Raw:
    """The formula, each figure of it finite, and of a black box not drowning its anchors.

    What has arrays is as flat as they are; debts near all that is held make weights of any size.
    """
    ask, is_black_box = function_of(formula), isinstance(part.shape, BlackBox)

    def raw(weights: FloatArray, cash: float) -> float:
        figure = float(ask(weights, cash))
        if not math.isfinite(figure):
            raise ModuleError(
                f"its part {part.name} gives {figure}",
                code="formula_value",
                place=part.name,
                value=figure,
            )
        if is_black_box:
            _flat(part, abs(figure))
        return figure

    return raw


def _same(part: Part, raw: Raw, by_shape: Raw | None, n: int) -> None:
    """Asks the formula for two plain end states; ModuleError where it differs from the arrays.

    Then the search would look for something else than what is published.
    """
    for invested in (0.0, 0.5):
        weights = frozen(np.full(n, invested / max(n, 1)))
        cash = 1 - float(weights.sum())
        formula = raw(weights, cash)
        arrays = formula if by_shape is None else by_shape(weights, cash)
        if not abs(formula - arrays) <= SPLIT * max(1.0, abs(formula)):
            raise ModuleError(
                f"its part {part.name}, with {invested:.0%} invested evenly: the formula gives "
                f"{formula:.12g} and the arrays {arrays:.12g}. It was not scored",
                code="formula_and_arrays",
                place=part.name,
                value=f"{arrays:.12g}",
                limit=f"{formula:.12g}",
            )


def type_name(answer: object) -> str:
    """What something is, for a message."""
    return type(answer).__name__


def function_of(answer: Any) -> Callable[..., Any]:
    """The answer, if it is a function."""
    if not callable(answer):
        raise ModuleError(
            f"it returns a {type_name(answer)} where a function is due",
            code="not_a_function",
            value=type_name(answer),
        )
    return answer  # type: ignore[no-any-return]


def exactly(answer: Any, what: str, shape: tuple[int, ...], dtype: type[np.generic]) -> Any:
    """An array of that shape and type."""
    array = np.asarray(answer)
    if array.shape != shape or array.dtype != dtype:
        raise ModuleError(
            f"{what} of shape {array.shape} and type {array.dtype}; {shape} of type "
            f"{np.dtype(dtype)} is due",
            code="array_form",
            place=what,
            value=f"{array.shape} {array.dtype}",
            limit=f"{shape} {np.dtype(dtype)}",
        )
    return array
