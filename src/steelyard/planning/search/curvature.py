"""How much curvature of the score stays inside each security: what makes the bound tight.

A diagonal D with H - D positive semidefinite: -z'Dz is then taken exactly, security by security,
and only the rest is replaced by a tangent.
"""

from __future__ import annotations

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.planning.score.model import ScoreModel

FINE = 64
"""A share of the diagonal is a whole number of these parts."""
LARGEST = 120
"""Securities up to which a share is looked for where parts declare a diagonal; it costs a few
factorisations and brings little. Where they declare none it brings all there is.
"""
LARGEST_BARE = 250
MARGIN = 1e-9
"""Of the diagonal: less than this is not told from 0."""


def inside(model: ScoreModel) -> FloatArray:
    """(n + 1,) the diagonal D, >= 0: what parts declare, or a share of the whole diagonal where
    that leaves more to the securities.
    """
    declared, H = model.separable, model.curvature
    most = LARGEST if (declared[:-1] > 0).all() else LARGEST_BARE
    if not isinstance(H, np.ndarray) or len(H) > most + 1:
        return declared
    diagonal = np.maximum(np.diag(H), 0.0)
    shared = _share(H, diagonal) * diagonal
    return declared if declared[:-1].sum() >= shared[:-1].sum() else np.asarray(shared)


def _share(H: FloatArray, diagonal: FloatArray) -> float:
    """The largest share that leaves the rest semidefinite, by halving."""
    low, high = 0, FINE
    while high - low > 1:
        middle = (low + high) // 2
        rest = H - np.diag((middle / FINE + MARGIN) * diagonal)
        low, high = (middle, high) if semidefinite(rest, MARGIN * diagonal) else (low, middle)
    return low / FINE


def semidefinite(matrix: FloatArray, least: FloatArray) -> bool:
    """Is a symmetric matrix positive definite, every pivot over `least`? By elimination, in plain
    numpy: alike on every machine. A row of zeros is passed over.
    """
    rest = np.array(matrix)
    for k in range(len(rest)):
        pivot = rest[k, k]
        if pivot <= least[k]:
            if least[k] == 0 and not rest[k, k:].any():
                continue
            return False
        below = rest[k + 1 :, k] / pivot
        rest[k + 1 :, k + 1 :] -= np.multiply.outer(below, rest[k, k + 1 :])
    return True
