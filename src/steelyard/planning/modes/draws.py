"""Normals in antithetic pairs, drawn in blocks, and the factor that makes them move together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, frozen
from steelyard.errors import InternalError

BLOCK = 1_024
"""Pairs drawn at a time: so few that they stay near the processor. Part of what a seed means."""
NEGATIVE = 1e-8
"""Of the largest eigenvalue: a smaller negative one is rounding."""


@dataclass(frozen=True, slots=True)
class Block:
    """Pairs `first` to `first + pairs` of a run of draws; normals (pairs, periods, a)."""

    first: int
    normals: FloatArray

    @property
    def pairs(self) -> int:
        """How many; each stands for two paths, its normals and their negatives."""
        return len(self.normals)


def blocks(seed: int, paths: int, periods: int, width: int) -> Iterator[Block]:
    """Half as many pairs as `paths`, rounded up; more paths go on where fewer end."""
    rng = np.random.Generator(np.random.PCG64(seed))
    pairs = pairs_of(paths)
    for first in range(0, pairs, BLOCK):
        # a whole block is drawn, also where fewer are asked for: the next is then the same
        normals = rng.standard_normal((BLOCK, periods, width))
        yield Block(first, normals[: pairs - first])


def pairs_of(paths: int) -> int:
    """Antithetic pairs of so many paths."""
    return (paths + 1) // 2


def factor_of(covariance: FloatArray) -> FloatArray:
    """L (a, a) with L L' = the covariance (a, a), which may be singular.

    Raises InternalError where it is not positive semidefinite by more than rounding, or not finite.
    """
    if not len(covariance):
        return frozen(np.zeros((0, 0)))
    if not np.isfinite(covariance).all():
        raise InternalError(
            "The covariance of the securities has an entry that is no number. No scenario was "
            "drawn and no plan was made. Please report this.",
            code="covariance_not_finite",
        )
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    least, largest = float(values[0]), max(float(values[-1]), 0.0)
    if least < -NEGATIVE * max(largest, 1e-12):
        raise InternalError(
            f"The covariance of the securities has the eigenvalue {least:.3g}, {-least:.3g} under "
            "0: no prices can move like that. No scenario was drawn and no plan was made. Please "
            "report this.",
            code="covariance_not_semidefinite",
            value=f"{least:.3g}",
            limit=0,
        )
    # of either sign an eigenvector is one; a fixed sign makes a seed mean the same paths
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(values))])
    return frozen(vectors * signs * np.sqrt(np.clip(values, 0.0, None)))
