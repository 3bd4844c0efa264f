"""What a plan may make of sectors and countries: their cap, and targets that it may not cross.

Without target weights a target of a group binds as one of a security does: what is over it is not
bought, what is under it not sold, and all orders together carry no group past its target by more
than is left alone. With target weights those decide, and a group's target is only scored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, dot, frozen, product
from steelyard.modules.candidates import TRAILING_STOP
from steelyard.modules.context import Context, Grouping
from steelyard.modules.groups import GroupGap, country_gaps, sector_gaps
from steelyard.notices import Drop
from steelyard.orders import Side
from steelyard.sentences import say

LEFT_ALONE = 0.02
"""Distance from a group's target that is left alone: orders seldom end a group where it should."""


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """Sums over securities that may not grow past a limit, or past what they are; g of them.

    shares    (n, g)  what a unit of weight out of cash adds to each
    weights   (g,)    as they are
    most      (g,)
    names     (g,)
    """

    shares: FloatArray
    weights: FloatArray
    most: FloatArray
    names: tuple[str, ...]


def group_limits(ctx: Context) -> GroupLimits:
    """The caps of groups, then their targets: under one they end at most at it, over one at
    least.
    """
    columns: list[FloatArray] = []
    limits: list[tuple[float, float, str]] = []
    cap = ctx.limits.max_group_weight
    for grouping in (ctx.sectors, ctx.countries):
        if cap is not None and grouping.counts:
            columns += list(grouping.shares.T)
            weights = product(grouping.shares.T, ctx.weights).tolist()
            limits += [(w, cap, name) for w, name in zip(weights, grouping.labels, strict=True)]
    for grouping, g, gap in _targeted(ctx):
        # cash is looked through: what leaves it takes its share of every group along
        own = grouping.shares[:, g]
        moved = own - dot(own, ctx.neutral_mix)
        sign = 1.0 if gap.gap < 0 else -1.0
        columns.append(sign * moved)
        limits.append((sign * gap.weight, sign * gap.target + LEFT_ALONE, f"{gap.label} target"))
    shares = np.stack(columns, axis=1) if columns else np.zeros((ctx.n, 0))
    weights, most, names = zip(*limits, strict=True) if limits else ((), (), ())
    return GroupLimits(
        frozen(shares), frozen(np.array(weights)), frozen(np.array(most)), tuple(names)
    )


def _targeted(ctx: Context) -> list[tuple[Grouping, int, GroupGap]]:
    """(dimension, its column, gap) of the groups whose targets bind; none where money is due."""
    if ctx.target_weights is not None or ctx.is_short:
        return []
    dimensions = ((ctx.sectors, sector_gaps(ctx)), (ctx.countries, country_gaps(ctx)))
    return [(grouping, g, gap) for grouping, gaps in dimensions for g, gap in enumerate(gaps)]


def crosses_group(ctx: Context, i: int, side: Side, tags: tuple[str, ...]) -> Drop | None:
    """Why an order would move groups further from their targets: all of a dimension that the
    security is in are on the wrong side of them. A stop does not wait, and what is over its
    position cap may always come back to it.
    """
    if side is Side.SELL and (TRAILING_STOP in tags or ctx.over_cap[i] > 0):
        return None
    targeted = _targeted(ctx)
    for dimension in ("sector", "country"):
        own = [gap for g, _, gap in targeted if g.dimension == dimension and gap.members[i]]
        off = [gap.gap if side is Side.BUY else -gap.gap for gap in own]
        if own and min(off) > LEFT_ALONE:
            gap = own[off.index(min(off))]
            how = "over" if side is Side.BUY else "under"
            why = say(
                "{group:text} is {off:pp} " + how + " its target: the order would move it further "
                "away",
                group=gap.label,
                off=abs(gap.gap),
            )
            return Drop("group_target", gap.weight, gap.target, why)
    return None
