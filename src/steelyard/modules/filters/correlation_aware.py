"""Correlation aware: no two buys that move alike, and no buy that moves like a large holding."""

from __future__ import annotations

from typing import Literal

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, block, frozen
from steelyard.modules.candidates import Candidates, Ruling
from steelyard.modules.context import Context
from steelyard.modules.filters import Rule, ruling
from steelyard.modules.registry import ModuleParams, sequence_filter
from steelyard.sentences import Sentence, say
from steelyard.settings import setting

AT_ONCE = 512
"""Buys that are compared with all others at a time."""


class Params(ModuleParams):
    """Above which correlation two securities are too alike, and which holdings count.

    Correlations are those of the estimates, over three years, and only between securities whose
    history is known. Securities that move against each other are never too alike.
    """

    correlation_threshold: float = setting(
        0.7,
        "two buys of a higher correlation than this do not go together; at it they may",
        ge=0,
        le=1,
    )
    large_holding: float = setting(
        0.10,
        "weight from which a holding keeps out buys that move like it, whatever the plan sells of "
        "it",
        gt=0,
        le=1,
    )
    on_missing: Literal["allow", "deny"] = setting(
        "allow", "what to do with a buy whose correlations are unknown"
    )


@sequence_filter(
    "correlation_aware", form="pairs", version="1.0.0", params=Params, tags=("buy",), on=False
)
def correlation_aware(
    ctx: Context, candidates: Candidates, params: Params
) -> tuple[BoolArray, Ruling]:
    """Keep apart two buys that move alike, and out what moves like a large holding."""
    pairs = _alike(ctx, candidates, params.correlation_threshold)
    return frozen(pairs), ruling(ctx, candidates, [_like_a_holding(ctx, params)], params.on_missing)


def known_correlations(ctx: Context, rows: IntArray, columns: IntArray) -> FloatArray:
    """(r, c) correlations between two known histories; -inf elsewhere, above no threshold."""
    history = ~ctx.estimates.missing["correlation"]
    usable = history[rows][:, None] & history[columns] & (rows[:, None] != columns)
    return np.where(usable, block(ctx.estimates.correlation, rows, columns), -np.inf)


def _alike(ctx: Context, candidates: Candidates, threshold: float) -> BoolArray:
    """(m, m) True for two buys whose correlation is above it."""
    buys = np.flatnonzero(candidates.is_buy)
    security = candidates.security[buys]
    pairs = np.zeros((candidates.m, candidates.m), dtype=np.bool_)
    for start in range(0, len(buys), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        alike = known_correlations(ctx, security[some], security) > threshold
        pairs[np.ix_(buys[some], buys)] = alike
    return pairs


def _like_a_holding(ctx: Context, params: Params) -> Rule:
    """Buys of what moves like a large holding in another security."""
    large = np.flatnonzero(ctx.weights >= params.large_holding)
    nearest, highest = np.zeros(ctx.n, dtype=np.int64), np.full(ctx.n, -np.inf)
    if len(large):
        closeness = known_correlations(ctx, np.arange(ctx.n), large)
        nearest, highest = large[closeness.argmax(axis=1)], closeness.max(axis=1)

    def why(security: int) -> Sentence:
        holding = nearest[security]
        return say(
            "correlation of {correlation:ratio} with {holding:text}, which is {weight:pct} of "
            "value; more than {limit:ratio} is too alike",
            correlation=float(highest[security]),
            holding=ctx.symbols[holding],
            weight=float(ctx.weights[holding]),
            limit=params.correlation_threshold,
        )

    return Rule(
        name="correlation_threshold",
        buys=True,
        metric="correlation",
        value=highest,
        unknown=ctx.estimates.missing["correlation"],
        broken=highest > params.correlation_threshold,
        limit=params.correlation_threshold,
        why=why,
    )
