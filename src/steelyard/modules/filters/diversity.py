"""Diversity: keep the proposals that are good and varied, where the plan is the best proposal."""

from __future__ import annotations

import numpy as np

from steelyard.arrays import FloatArray, IntArray, padded
from steelyard.modules.candidates import Candidates, Ranking
from steelyard.modules.context import Context, Grouping
from steelyard.modules.registry import ModuleParams, sequence_filter
from steelyard.modules.tables import evaluate
from steelyard.settings import setting

SHARES = (0.4, 0.3, 0.3)
"""Of diversity: spread over sectors, spread over countries, variety of calculators."""


class Params(ModuleParams):
    """How many proposals stay, and how much near ones gain by variety.

    A proposal ranks by its net score. Diversity moves it past another only where their net scores
    are within `diversity_weight` x `near_tie`: no plan is left out that is better by more.
    Diversity is 40 % spread over sectors, 30 % spread over countries, each 1 less the share of the
    largest group in the orders, and 30 % the number of calculators that sized the orders, per
    order.
    """

    diversity_weight: float = setting(
        0.3, "share of `near_tie` that full diversity is worth in the rank", ge=0, le=1
    )
    near_tie: float = setting(
        0.001,
        "net score by which two proposals are near a tie; .001 is a tenth of a point",
        ge=0,
        le=0.1,
    )
    max_sequences: int = setting(50, "proposals that stay", ge=1, le=100_000)
    min_diversity_score: float = setting(
        0.0, "least diversity of a proposal that stays", ge=0, le=1
    )


@sequence_filter(
    "diversity", form="rank", version="2.0.0", params=Params, tags=("buy", "sell"), on=False
)
def diversity(ctx: Context, candidates: Candidates, params: Params) -> Ranking:
    """Rank proposals by their net score, near ties by how varied their orders are; the first
    stay.
    """

    def value(rows: IntArray) -> FloatArray:
        varied = variety(ctx, candidates, rows)
        rank = evaluate(candidates.tables, rows) + worth * varied
        return np.where(varied >= params.min_diversity_score, rank, -np.inf)

    worth = params.diversity_weight * params.near_tie
    return Ranking(value, params.max_sequences)


def variety(ctx: Context, candidates: Candidates, rows: IntArray) -> FloatArray:
    """Diversity of each row, 0..1; each row's own, whatever batch it comes in.

    rows      (k, d)
    returns   (k,)
    """
    sources = sorted({proposals[0].source for proposals in candidates.proposals})
    asked = np.zeros((candidates.m, len(sources)))
    for row, proposals in enumerate(candidates.proposals):
        asked[row, sources.index(proposals[0].source)] = 1.0
    count = np.maximum((rows >= 0).sum(axis=1), 1)
    calculators = np.minimum(_sums(asked, rows), 1.0).sum(axis=1) / count
    sectors, countries, sized = SHARES
    spread = sectors * _spread(ctx.sectors, candidates, rows, count)
    spread += countries * _spread(ctx.countries, candidates, rows, count)
    return np.asarray(spread + sized * calculators)


def _spread(
    grouping: Grouping, candidates: Candidates, rows: IntArray, count: IntArray
) -> FloatArray:
    """(k,) 1 less the share of the largest group in the orders; 0 for one group or none."""
    if not grouping.counts:
        return np.zeros(len(rows))
    return np.asarray(1 - _sums(grouping.shares[candidates.security], rows).max(axis=1) / count)


def _sums(values: FloatArray, rows: IntArray) -> FloatArray:
    """(k, g) sums over each row of values (m, g), column by column."""
    lifted = padded(values)
    total = np.zeros((len(rows), values.shape[1]))
    for column in rows.T:
        total += lifted[column]
    return total
