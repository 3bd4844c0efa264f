"""How much curvature of the score stays inside each security: what makes the bound tight.

A diagonal D with H - D positive semidefinite: -z'Dz is then taken exactly, security by security,
and only the rest is replaced by a tangent.
"""

from __future__ import annotations

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.planning.score.model import ScoreModel

SHARES = (0.5, 0.25, 0.125, 0.0625, 0.03125)
"""Shares of the diagonal that are tried where parts declare none."""
LARGEST = 200
"""Securities up to which they are: each costs a factorisation."""
MARGIN = 1e-9
"""Of the diagonal: less than this is not told from 0."""


def inside(model: ScoreModel) -> FloatArray:
    """(n + 1,) the diagonal D, >= 0: what parts declare; where that leaves a security without any,
    a share of the whole diagonal.
    """
    declared, H = model.separable, model.curvature
    if (declared[:-1] > 0).all() or not isinstance(H, np.ndarray) or len(H) > LARGEST + 1:
        return declared
    diagonal = np.maximum(np.diag(H), 0.0)
    for share in SHARES:
        if semidefinite(H - np.diag((share + MARGIN) * diagonal), MARGIN * diagonal):
            return np.asarray(share * diagonal)
    return declared


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
