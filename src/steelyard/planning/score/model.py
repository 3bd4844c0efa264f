"""The score as one array form, for the search: F(z) = constant + slope . z - z' H z - sum of k
sqrt(z' V z).

n securities; z = (w, c) is (n + 1,). H and every V are positive semidefinite and every k >= 0, so F
is concave whatever the weights of the terms are (they are never negative).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from steelyard.arrays import (
    Factored,
    FloatArray,
    IntArray,
    Matrix,
    diagonal_of,
    dot,
    finite,
    frozen,
    times,
    total,
)
from steelyard.errors import ModuleError, PlanRefused
from steelyard.modules.terms import (
    LEAST_VARIANCE,
    BlackBox,
    Linear,
    Norm,
    Part,
    Quadratic,
    Separable,
    Term,
)

NOTHING = frozen(np.zeros(0))
MANY = 2
"""Of so many entries or fewer, rows of factors are picked before they are summed."""


@dataclass(frozen=True, slots=True)
class ScoreModel:
    """F as arrays, read-only.

    constant
    slope      (n + 1,)
    curvature  (n + 1, n + 1)  H, symmetric, positive semidefinite; factors if n is large
    norms      pairs of k >= 0 and V (n + 1, n + 1), symmetric, positive semidefinite
    separables pairs of k and a separable shape
    separable  (n + 1,)  >= 0: what parts with a diagonal matrix bring of the curvature; H less
               diag(separable) is still positive semidefinite; left out = 0
    A black box is not in it.
    """

    constant: float
    slope: FloatArray
    curvature: Matrix
    norms: tuple[tuple[float, Matrix], ...]
    separables: tuple[tuple[float, Separable], ...] = ()
    separable: FloatArray = field(default_factory=lambda: NOTHING)

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """H, then V of each norm."""
        return self.curvature, *(V for _, V in self.norms)

    def __post_init__(self) -> None:
        if not len(self.separable):
            object.__setattr__(self, "separable", frozen(np.zeros(len(self.slope))))


@dataclass(frozen=True)
class Point:
    """z (n + 1,) = (weights, cash) with what every matrix of the model makes of it.

    sums   of each matrix M: M z (n + 1,) of an array, F' z (k,) of factors
    They follow a step instead of being made again; a step moves few entries.
    """

    model: ScoreModel
    z: FloatArray
    sums: tuple[FloatArray, ...]

    @classmethod
    def at(cls, model: ScoreModel, z: FloatArray) -> Point:
        """The point with its sums."""
        moved = np.flatnonzero(z)
        return cls(model, z, tuple(_sums(M, z, moved) for M in model.matrices))

    def moved(self, d: Point, step: float) -> Point:
        """The point z + step d."""
        pairs = zip(self.sums, d.sums, strict=True)
        return Point(self.model, self.z + step * d.z, tuple(a + step * b for a, b in pairs))

    @cached_property
    def products(self) -> tuple[FloatArray, ...]:
        """M z of each matrix, (n + 1,): of factors made when it is first asked for."""
        pairs = zip(self.model.matrices, self.sums, strict=True)
        return tuple(
            M.diagonal * self.z + np.einsum("nk,k->n", M.factors, M.weights * own)
            if isinstance(M, Factored)
            else own
            for M, own in pairs
        )

    @cached_property
    def squares(self) -> tuple[float, ...]:
        """z' M z of each matrix."""
        pairs = zip(self.model.matrices, self.sums, strict=True)
        return tuple(
            dot(M.diagonal * self.z, self.z) + dot(M.weights * own, own)
            if isinstance(M, Factored)
            else dot(self.z, own)
            for M, own in pairs
        )

    @property
    def norms(self) -> list[tuple[float, FloatArray, float]]:
        """k, V z and z' V z of each norm."""
        each = zip(self.model.norms, self.products[1:], self.squares[1:], strict=True)
        return [(k, Vz, v) for (k, _), Vz, v in each]

    def value(self) -> float:
        """F(z)."""
        model, z = self.model, self.z
        smooth = model.constant + dot(model.slope, z) - self.squares[0]
        smooth += math.fsum(k * float(shape.each(z[:-1]).sum()) for k, shape in model.separables)
        pairs = zip(model.norms, self.squares[1:], strict=True)
        return smooth - math.fsum(k * math.sqrt(max(v, LEAST_VARIANCE)) for (k, _), v in pairs)

    def gradient(self) -> FloatArray:
        """Slope of F at z, (n + 1,)."""
        slope: FloatArray = self.model.slope - 2 * self.products[0]
        for k, pull, v in self.norms:
            slope -= k * pull / math.sqrt(max(v, LEAST_VARIANCE))
        for k, shape in self.model.separables:
            slope[:-1] += k * shape.slope(self.z[:-1])
        return slope


def build_model(
    terms: Sequence[Term], weights: Mapping[str, float], size: int | None = None
) -> ScoreModel:
    """Sum the parts of all terms, each times weight x share / (hi - lo).

    weights   term name -> weight
    size      n + 1; may be left out if a part has arrays to tell it
    Raises PlanRefused without any part; ModuleError for a part whose arrays are not finite or of
    another size.
    """
    parts = [
        (term, part, weights[term.name] * part.share / (part.hi - part.lo))
        for term in terms
        for part in term.parts
    ]
    if not parts:
        raise PlanRefused(
            "No score term is left, so no two portfolios can be compared. Nothing was planned: "
            "enable at least one.",
            code="no_score_term",
            hint="enable at least one",
        )
    if size is None:
        size = next(len(arrays[-1]) for _, part, _ in parts if (arrays := _arrays(part)))
    constants: list[float] = []
    slope, separable = np.zeros(size), np.zeros(size)
    curvatures: list[Matrix] = []
    norms: list[tuple[float, Matrix]] = []
    separables: list[tuple[float, Separable]] = []
    for term, part, k in parts:
        _check(term, part, size)
        constants.append(-k * part.lo)
        match part.shape:
            case Linear(constant, linear):
                constants.append(k * constant)
                slope += k * linear
            case Quadratic(constant, linear, curvature):
                constants.append(k * constant)
                slope += k * linear
                curvatures.append(times(k, curvature))
                separable += k * _if_diagonal(curvature)
            case Norm(variance):
                norms.append((k, _even(total([variance], size, size - 1))))
            case Separable():
                separables.append((k, part.shape))
            case BlackBox():
                constants.append(k * part.lo)
    return ScoreModel(
        math.fsum(constants),
        frozen(slope),
        _even(total(curvatures, size, size - 1)),
        tuple(norms),
        tuple(separables),
        frozen(separable),
    )


def _sums(matrix: Matrix, z: FloatArray, moved: IntArray) -> FloatArray:
    """M z of an array, F' z of factors; `moved` are the entries of z that are not 0."""
    if not isinstance(matrix, Factored):
        return np.asarray((matrix[moved] * z[moved, None]).sum(axis=0))
    few = MANY * len(moved) < len(z)
    factors = matrix.factors[moved] if few else matrix.factors
    return np.asarray(np.einsum("nk,n->k", factors, z[moved] if few else z))


def _even(matrix: Matrix) -> Matrix:
    """Symmetric to the last bit, and closed to writing."""
    return matrix if isinstance(matrix, Factored) else frozen((matrix + matrix.T) / 2)


def _if_diagonal(matrix: Matrix) -> FloatArray:
    """(n,) the diagonal of a matrix that has nothing beside it, else 0."""
    if isinstance(matrix, Factored):
        return matrix.diagonal * (not matrix.factors.size)
    diagonal = diagonal_of(matrix)
    return np.asarray(diagonal * (np.count_nonzero(matrix) == np.count_nonzero(diagonal)))


def _arrays(part: Part) -> tuple[Matrix, ...]:
    """Slope or matrix last, so that its length is n + 1."""
    match part.shape:
        case Linear(_, slope):
            return (slope,)
        case Quadratic(_, slope, curvature):
            return (slope, curvature)
        case Norm(variance):
            return (variance,)
        case Separable() | BlackBox():
            return ()


def _check(term: Term, part: Part, size: int) -> None:
    """One bad number would spread into every score: stop at the part that brought it."""
    constant = part.shape.constant if isinstance(part.shape, Linear | Quadratic) else 0.0
    arrays = _arrays(part)
    at = f"Score term {term.name}, part {part.name}"
    if any(set(array.shape) != {size} for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ModuleError(
            f"{at}: arrays of shape {shapes}, where {size} entries a side were due. It was not "
            "scored.",
            code="term_arrays",
            place=at,
            value=str(shapes),
            limit=size,
        )
    if not (math.isfinite(constant) and all(finite(array) for array in arrays)):
        raise ModuleError(
            f"{at}: its constant or an array is not finite. It was not scored.",
            code="term_not_finite",
            place=at,
        )
