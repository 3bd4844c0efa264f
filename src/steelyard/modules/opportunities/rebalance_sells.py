"""Rebalance sells: sell out of a group that is over its target, or trim a concentrated holding."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from steelyard.arrays import flags
from steelyard.modules.candidates import Candidate
from steelyard.modules.context import Context
from steelyard.modules.groups import NOISE, group_gaps, standing, widest
from steelyard.modules.opportunities import SELL_LADDER, PriorityWeight, sales, sizes
from steelyard.modules.registry import ModuleParams, opportunity_calculator
from steelyard.orders import Side
from steelyard.sentences import Sentence, say
from steelyard.settings import setting


class Params(ModuleParams):
    """When a group or a holding is too large, and how much of a holding may go at once."""

    overweight_threshold: float = setting(
        0.02, "group weight over its target that is left alone", ge=0, le=0.2
    )
    max_sell_pct: float = setting(
        0.5, "largest part of a holding sold at once; half of it is tried too", gt=0, le=1
    )
    concentration_factor: float | None = setting(
        None,
        "without target weights: times an even share of the holdings above which one is trimmed "
        "too; off when absent, for buys know the position cap alone",
        ge=1,
        le=10,
    )
    priority_weight: PriorityWeight = 0.8

    def most_sizes(self) -> int:
        """The ladder of a trim, and all of it."""
        return len(SELL_LADDER) + 1


@opportunity_calculator("rebalance_sells", version="2.0.0", params=Params, tags=("sell",))
def rebalance_sells(ctx: Context, params: Params) -> list[Candidate]:
    """Sell out of sectors and countries over target; without target weights trim what is over the
    position cap back to it.
    """
    over = list(_overweight(ctx, params))
    if ctx.target_weights is not None:
        return over
    trims = {trim.symbol: trim for trim in _concentrated(ctx, params)}
    # what is over the cap may always come back to it, whatever its group says
    symbols = {c.symbol for c in over} - {s for s in trims if ctx.over_cap[ctx.place[s]] > 0}
    rest = [trim for symbol, trim in trims.items() if symbol not in symbols]
    return [c for c in over if c.symbol in symbols] + rest


def _overweight(ctx: Context, params: Params) -> Iterator[Candidate]:
    """Part of each holding of a group over its target, never more than the excess of the group."""
    over = [gap for gap in group_gaps(ctx) if gap.gap > params.overweight_threshold + NOISE]
    for i in np.flatnonzero(ctx.held & ctx.can_sell):
        group = widest(over, int(i))
        if group is None:
            continue
        most = params.max_sell_pct * float(ctx.weights[i])
        yield Candidate(
            Side.SELL,
            ctx.symbols[i],
            sales(sizes((most / 2, most), most=group.gap)),
            params.priority_weight,
            standing(group),
            ("rebalance", f"overweight_{group.label.lower()}"),
        )


def _concentrated(ctx: Context, params: Params) -> Iterator[Candidate]:
    """Holdings over the position cap, back to it and no further; far over an even share if asked.

    Funds are exempt, and a type that nobody knows is left alone: it may be a fund.
    """
    even = 1 / max(1, int(ctx.held.sum()))
    factor = params.concentration_factor
    unknown = flags(security.is_unknown for security in ctx.securities)
    for i in np.flatnonzero(ctx.held & ctx.can_sell & ~unknown):
        weight, over = float(ctx.weights[i]), float(ctx.over_cap[i])
        over_even = factor is not None and weight > factor * even + NOISE
        if over > 0:
            # in whole lots under the cap, not over it
            most = math.ceil(over / float(ctx.lot_weight[i]) - NOISE) * float(ctx.lot_weight[i])
            why = _why_over(weight, float(ctx.caps[i]))
        elif over_even:
            most = params.max_sell_pct * weight
            why = _why_uneven(weight, even, factor or 0.0)
        else:
            continue
        ladder = [step * ctx.base_weight for step in SELL_LADDER]
        yield Candidate(
            Side.SELL,
            ctx.symbols[i],
            sales(sorted({most, *(size for size in ladder if size < most)})),
            params.priority_weight,
            why,
            ("rebalance", "concentration"),
        )


def _why_over(weight: float, cap: float) -> Sentence:
    return say(
        "{weight:pct} of value, {over:pp} over the position cap of {cap:pct}",
        weight=weight,
        over=weight - cap,
        cap=cap,
    )


def _why_uneven(weight: float, even: float, factor: float) -> Sentence:
    return say(
        "{weight:pct} of value, over {factor:ratio} times an even share of {even:pct}",
        weight=weight,
        factor=factor,
        even=even,
    )
