"""Sectors and countries against their targets: how far each group of securities is over or
under.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, frozen, product
from steelyard.modules.context import Context, Grouping
from steelyard.sentences import Fact, Sentence, say

SAME = 0.0005
"""Shares this close to each other read the same."""
NOISE = 1e-12
"""A gap of weights this close to its threshold is at the threshold: sums of weights carry
rounding.
"""


@dataclass(frozen=True, slots=True)
class GroupGap:
    """One group of a dimension against its target, cash looked through.

    shares    (n,)  what part of each security belongs to the group, 0 for one without a label
    weight    of the look-through portfolio, which sums to 1
    target    on the same scale
    invested  of what is invested, as it is: no cash, nothing without a label
    """

    label: str
    shares: FloatArray
    weight: float
    target: float
    invested: float

    @property
    def members(self) -> BoolArray:
        """(n,) True for securities that carry the group's label."""
        return np.asarray(self.shares > 0)

    @property
    def gap(self) -> float:
        """Over the target if positive, under it if negative."""
        return self.weight - self.target


def group_gaps(ctx: Context) -> list[GroupGap]:
    """Every group that has a target, sectors first, in the order of their labels."""
    return sector_gaps(ctx) + country_gaps(ctx)


def sector_gaps(ctx: Context) -> list[GroupGap]:
    """Every sector that has a target, see `_gaps`."""
    return _gaps(ctx, ctx.sectors, ctx.groups.sector)


def country_gaps(ctx: Context) -> list[GroupGap]:
    """Every country that has a target, see `_gaps`."""
    return _gaps(ctx, ctx.countries, ctx.groups.country)


def _gaps(ctx: Context, grouping: Grouping, named: dict[str, float]) -> list[GroupGap]:
    """The groups of one dimension that have a target, in the order of their labels.

    An explicit target of a dimension (`[groups.sector]`, `[groups.country]`) wins, groups that it
    does not name are 0 in it; else the groups of the target weights; else the dimension has none. A
    dimension with fewer than two groups says nothing. A security without a label belongs to no
    group here, though its weight is spread.
    """
    targets = _targets(ctx, grouping, named)
    if targets is None or not grouping.counts:
        return []
    seen = ctx.weights + ctx.cash_weight * ctx.neutral_mix
    weights = product(grouping.shares.T, seen)
    shares = grouping.shares * grouping.labelled[:, None]
    held = float(ctx.weights.sum())
    invested = product(shares.T, ctx.weights) / (held if held > 0 else 1.0)
    return [
        GroupGap(
            label,
            frozen(shares[:, g].copy()),
            float(weights[g]),
            float(targets[g]),
            float(invested[g]),
        )
        for g, label in enumerate(grouping.labels)
    ]


def _targets(ctx: Context, grouping: Grouping, named: dict[str, float]) -> list[float] | None:
    if named:
        return [named.get(label, 0.0) for label in grouping.labels]
    if ctx.target_weights is None:
        return None
    mix: FloatArray = product(grouping.shares.T, ctx.neutral_mix)
    return [float(share) for share in mix]


def widest(gaps: Iterable[GroupGap], security: int) -> GroupGap | None:
    """The group furthest from its target that the security belongs to; the first one of equals."""
    return max(
        (gap for gap in gaps if gap.members[security]), key=lambda gap: abs(gap.gap), default=None
    )


def standing(gap: GroupGap) -> Sentence:
    """Where a group is against its target: its share of what is invested, and, where that says
    another thing, what it is with cash and all that has no label counted in.
    """
    facts: dict[str, Fact] = {"group": gap.label, "weight": gap.invested, "off": abs(gap.gap)}
    words = "{group:text} is {weight:pct} of the invested part"
    if abs(gap.invested - gap.weight) > SAME:
        words += ", {seen:pct} with cash and what has no label spread"
        facts |= {"seen": gap.weight}
    side = "over" if gap.gap > 0 else "under"
    return say(f"{words}, {{off:pp}} {side} its target", **facts)
