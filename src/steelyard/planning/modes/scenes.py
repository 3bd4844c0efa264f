"""The score of many scenarios at once, without making any of them a portfolio.

A scenario multiplies every security by a number. What a list ends in differs from another list in
few columns, so that all share one matrix product: with u = that list x multipliers (s, a) and one
that has d more in columns C,

    z = (u + d) / V,  V = sum of u + d,  and  z' M z V^2 = u' M u + 2 d' (M u)_C + d' M_CC d

s scenarios · a active columns, the last of them cash
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, IntArray, block
from steelyard.modules.terms import LEAST_VARIANCE
from steelyard.planning.score.model import ScoreModel

MANY = 2
"""One of so many columns differs: then a list is made anew."""
LEAST_VALUE = 0.01
"""Of value: what borrowed money leaves less of is counted as worth this; weights stay finite."""


@dataclass(frozen=True)
class Score:
    """The arrays of a score over the active columns.

    slope        (a,)
    curvature    (a, a)
    norms        pairs of k and (a, a)
    """

    constant: float
    slope: FloatArray
    curvature: FloatArray
    norms: tuple[tuple[float, FloatArray], ...]

    @classmethod
    def of(cls, model: ScoreModel, columns: IntArray) -> Score:
        """Of a model, over some columns; its separable parts are not in it."""
        return cls(
            model.constant,
            model.slope[columns],
            np.ascontiguousarray(block(model.curvature, columns, columns)),
            tuple((k, np.ascontiguousarray(block(V, columns, columns))) for k, V in model.norms),
        )

    @property
    def matrices(self) -> tuple[FloatArray, ...]:
        """The curvature, then each norm's."""
        return self.curvature, *(V for _, V in self.norms)


@dataclass(frozen=True)
class Scene:
    """A list in s scenarios, and what others share with it there.

    each      (s, a)  what each column is worth
    worth     (s,)    all of it
    linear    (s,)    slope . u
    pulls     of each matrix M: M u (s, a), and u' M u (s,)
    """

    score: Score
    each: FloatArray
    worth: FloatArray
    linear: FloatArray
    pulls: tuple[tuple[FloatArray, FloatArray], ...]

    @classmethod
    def of(cls, score: Score, each: FloatArray) -> Scene:
        """A list where each of its columns is worth (s, a)."""
        pulls = tuple((pull := each @ M, (each * pull).sum(axis=1)) for M in score.matrices)
        return cls(score, each, each.sum(axis=1), each @ score.slope, pulls)

    def scores(self, columns: IntArray, added: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(s,) scores and (s,) values of a list that has (s, c) more in some columns."""
        if MANY * len(columns) > self.each.shape[1]:
            return self._whole(columns, added)
        value = np.maximum(self.worth + added.sum(axis=1), LEAST_VALUE)
        total = self.linear + added @ self.score.slope[columns]
        score = self.score.constant + total / value
        matrices = zip(self.score.matrices, self.pulls, strict=True)
        for n, (matrix, (pull, square)) in enumerate(matrices):
            moved = added @ matrix[np.ix_(columns, columns)]
            whole = square + 2 * (added * pull[:, columns]).sum(axis=1)
            whole = whole + (moved * added).sum(axis=1)
            if n == 0:
                score = score - whole / value**2
            else:
                k = self.score.norms[n - 1][0]
                score = score - k * np.sqrt(np.maximum(whole / value**2, LEAST_VARIANCE))
        return score, value

    def _whole(self, columns: IntArray, added: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The same of a list that differs in most columns."""
        each = self.each.copy()
        each[:, columns] += added
        other = Scene.of(self.score, each)
        return other.scores(columns[:0], added[:, :0])
