"""Correlation aware: no two buys that move alike, and no buy that moves like a large holding."""

from __future__ import annotations

from typing import Literal

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, frozen
from steelyard.modules.candidates import Candidates, Ruling
from steelyard.modules.context import Context
from steelyard.modules.filters import Rule, ruling
from steelyard.modules.registry import ModuleParams, sequence_filter
from steelyard.sentences import Sentence, say
from steelyard.settings import setting


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
    correlation = known_correlation(ctx)
    alike = correlation > params.correlation_threshold
    security, is_buy = candidates.security, candidates.is_buy
    pairs = is_buy[:, None] & is_buy[None, :] & alike[security[:, None], security[None, :]]
    like_a_holding = _like_a_holding(ctx, correlation, params)
    return frozen(pairs), ruling(ctx, candidates, [like_a_holding], params.on_missing)


def known_correlation(ctx: Context) -> FloatArray:
    """(n, n) correlations between two known histories; -inf elsewhere, above no threshold."""
    history = ~ctx.estimates.missing["correlation"]
    usable = history[:, None] & history[None, :] & ~np.eye(ctx.n, dtype=np.bool_)
    return np.where(usable, ctx.estimates.correlation, -np.inf)


def _like_a_holding(ctx: Context, correlation: FloatArray, params: Params) -> Rule:
    """Buys of what moves like a large holding in another security."""
    large = ctx.weights >= params.large_holding
    closeness = np.where(large[None, :], correlation, -np.inf)
    nearest = closeness.argmax(axis=1) if ctx.n else np.zeros(0, dtype=np.int64)
    highest = closeness[np.arange(ctx.n), nearest]

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
