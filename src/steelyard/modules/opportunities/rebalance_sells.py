"""Rebalance sells: sell out of a group that is over its target, or trim a concentrated holding."""

from __future__ import annotations

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
    concentration_factor: float = setting(
        1.5,
        "without target weights: times an even share of the holdings above which one is trimmed",
        ge=1,
        le=10,
    )
    priority_weight: PriorityWeight = 0.8


@opportunity_calculator("rebalance_sells", version="1.0.0", params=Params, tags=("sell",))
def rebalance_sells(ctx: Context, params: Params) -> list[Candidate]:
    """Sell out of sectors and countries over target; without target weights trim concentration."""
    candidates = list(_overweight(ctx, params))
    if ctx.target_weights is None:
        symbols = {candidate.symbol for candidate in candidates}
        concentrated = _concentrated(ctx, params)
        candidates += [trim for trim in concentrated if trim.symbol not in symbols]
    return candidates


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
    """Holdings far over an even share or over the position cap, which funds are exempt from.

    A type that nobody knows is left alone: it may be a fund.
    """
    owned = ctx.held
    even = 1 / max(1, int(owned.sum()))
    unknown = flags(security.is_unknown for security in ctx.securities)
    for i in np.flatnonzero(owned & ctx.can_sell & ~unknown):
        weight = float(ctx.weights[i])
        cap = float(ctx.caps[i])
        over_even = weight > params.concentration_factor * even + NOISE
        over_cap = weight > cap + NOISE
        if not (over_even or over_cap):
            continue
        most = params.max_sell_pct * weight
        ladder = [step * ctx.base_weight for step in SELL_LADDER]
        amounts = {most, *(size for size in ladder if size < most)}
        if over_cap:
            amounts.add(weight - cap)
        yield Candidate(
            Side.SELL,
            ctx.symbols[i],
            sales(sorted(amounts)),
            params.priority_weight,
            _why_concentrated(weight, even, params.concentration_factor, cap if over_cap else None),
            ("rebalance", "concentration"),
        )


def _why_concentrated(weight: float, even: float, factor: float, cap: float | None) -> Sentence:
    if cap is not None:
        return say(
            "{weight:pct} of value, {over:pp} over the position cap of {cap:pct}",
            weight=weight,
            over=weight - cap,
            cap=cap,
        )
    return say(
        "{weight:pct} of value, over {factor:ratio} times an even share of {even:pct}",
        weight=weight,
        factor=factor,
        even=even,
    )
