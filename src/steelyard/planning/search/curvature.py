"""How much curvature of the score stays inside each security: what makes the bound tight.

A diagonal D with H - D positive semidefinite: -z'Dz is then taken exactly, security by security,
and only the rest is replaced by a tangent.
"""

from __future__ import annotations

import math

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.planning.score.model import ScoreModel

LARGEST_DENSE = 500
"""Names up to which eigenvalues are asked for more than the parts declare."""
STEPS = 4096
"""The share that is added is a whole number of these: the last bits of a solver cannot matter."""
MARGIN = 1e-6


def inside(model: ScoreModel) -> FloatArray:
    """(n + 1,) the diagonal D, >= 0: what the parts declare and a share of the rest, or a share of
    the whole where that leaves more to the securities.
    """
    declared, H = model.separable, model.curvature
    if not isinstance(H, np.ndarray) or len(H) > LARGEST_DENSE + 1:
        return declared
    more = declared + _share(H - np.diag(declared))
    whole = _share(H)
    return more if more[:-1].sum() >= whole[:-1].sum() else whole


def _share(H: FloatArray) -> FloatArray:
    """The largest share of the diagonal of H that leaves it positive semidefinite."""
    diagonal = np.maximum(np.diag(H), 0.0)
    some = diagonal > 0
    if not some.any():
        return np.zeros(len(H))
    scale = np.sqrt(diagonal[some])
    least = np.linalg.eigvalsh(H[np.ix_(some, some)] / np.multiply.outer(scale, scale))[0]
    share = math.floor((float(least) - MARGIN) * STEPS) / STEPS
    return np.asarray(np.maximum(0.0, share) * diagonal)
