"""Correlation aware: no two buys that move alike, and no buy that moves like what stays large."""

from __future__ import annotations

from typing import Literal

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, block, frozen, padded
from steelyard.modules.candidates import Candidates, RowPredicate, Ruling
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
        "weight from which a holding keeps out buys that move like it; after the plan, so what it "
        "sells below this keeps out nothing",
        gt=0,
        le=1,
    )
    on_missing: Literal["allow", "deny"] = setting(
        "allow", "what to do with a buy whose correlations are unknown"
    )


@sequence_filter(
    "correlation_aware", form="pairs", version="2.0.0", params=Params, tags=("buy",), on=False
)
def correlation_aware(
    ctx: Context, candidates: Candidates, params: Params
) -> tuple[BoolArray, Ruling, RowPredicate | None]:
    """Keep apart two buys that move alike, and out what moves like a holding that stays large."""
    pairs = _alike(ctx, candidates, params.correlation_threshold)
    large = np.flatnonzero(ctx.weights >= params.large_holding)
    least = _after(ctx, candidates, large)
    stays = large[least >= params.large_holding]
    keep_out = ruling(ctx, candidates, [_like_a_holding(ctx, params, stays)], params.on_missing)
    return frozen(pairs), keep_out, _at_the_end(ctx, candidates, params, np.setdiff1d(large, stays))


def _after(ctx: Context, candidates: Candidates, large: IntArray) -> FloatArray:
    """(l,) least weight of each large holding after any sale of the table."""
    least = ctx.weights.copy()
    np.minimum.at(least, candidates.security, ctx.weights[candidates.security] + candidates.delta)
    return np.asarray(least[large])


def _at_the_end(
    ctx: Context, candidates: Candidates, params: Params, large: IntArray
) -> RowPredicate | None:
    """(k, d) rows -> (k,) False where a row buys what moves like a holding that it leaves large.

    large   holdings that some sale makes small; None where no buy moves like one of them
    """
    like = known_correlations(ctx, candidates.security, large) > params.correlation_threshold
    if not like[candidates.is_buy].any():
        return None
    alike = padded((like & candidates.is_buy[:, None]).astype(np.float64))
    own = candidates.security[:, None] == large
    moved = padded(np.where(own, candidates.delta[:, None], 0.0))

    def permits(rows: IntArray) -> BoolArray:
        buys = moves = np.zeros((len(rows), len(large)))
        for column in rows.T:
            buys, moves = buys + alike[column], moves + moved[column]
        stays = ctx.weights[large] + moves >= params.large_holding
        return np.asarray(~(stays & (buys > 0)).any(axis=1))

    return permits


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


def _like_a_holding(ctx: Context, params: Params, large: IntArray) -> Rule:
    """Buys of what moves like a holding in another security that no sale makes small."""
    nearest, highest = np.zeros(ctx.n, dtype=np.int64), np.full(ctx.n, -np.inf)
    if len(large):
        closeness = known_correlations(ctx, np.arange(ctx.n), large)
        nearest, highest = large[closeness.argmax(axis=1)], closeness.max(axis=1)

    def why(security: int) -> Sentence:
        holding = nearest[security]
        return say(
            "correlation of {correlation:ratio} with {holding:text}, which is {weight:pct} of "
            "value and stays large; more than {limit:ratio} is too alike",
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
