"""Calculators: which changes of weight may be worth trading, one reason a file.

In: a Context and the calculator's Params. Out: a list of Candidate, at most one for a security and a side,
each with the wanted signed changes of weight, smallest first, and why. A calculator never computes a
quantity, a priority or a cost: the planner turns each wanted weight into at most one lot-valid order, keeps
targets from being crossed and caps from being broken, and says what it dropped. Nothing found is an empty list.

To add one: a file with a `Params` model and one function under `@opportunity_calculator`; its tests in
`tests/opportunities/`, its parameters in `tests/contracts/`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from steelyard.context import BoolArray, Context, Grouping
from steelyard.money import FloatArray

PriorityWeight = Annotated[float, Field(ge=0, le=2, description="multiplies the priority")]

BUY_LADDER = (1, 2, 4, 8)
"""Sizes of a buy in units of `ctx.base_weight`. Sales climb the same ladder: with fractions of holdings on one
side and small units on the other no set of a few orders matches, and large holdings are left alone."""
SELL_LADDER = (2, 4, 8, 16)

NOISE = 1e-12
"""A gap of weights this close to its threshold is at the threshold: sums of weights carry rounding."""


@dataclass(frozen=True, slots=True)
class GroupGap:
    """One group of a dimension against its target, cash looked through.

    members   (n,)  True for securities that carry the group's label
    weight    of the look-through portfolio, which sums to 1
    target    on the same scale
    """

    label: str
    members: BoolArray
    weight: float
    target: float

    @property
    def gap(self) -> float:
        """Over the target if positive, under it if negative."""
        return self.weight - self.target


def group_gaps(ctx: Context) -> list[GroupGap]:
    """Every group that has a target, sectors first, in the order of their labels.

    An explicit target of a dimension (`[groups.sector]`, `[groups.country]`) wins, groups that it does not name
    are 0 in it; else the groups of the target weights; else the dimension has none. A dimension with fewer than
    two groups says nothing. A security without a label belongs to no group here, though its weight is spread.
    """
    mixed = ctx.weights + ctx.cash_weight * ctx.neutral_mix
    found: list[GroupGap] = []
    for grouping, named in ((ctx.sectors, ctx.groups.sector), (ctx.countries, ctx.groups.country)):
        targets = _group_targets(ctx, grouping, named)
        if targets is None or not grouping.counts:
            continue
        weights = mixed @ grouping.shares
        for g, label in enumerate(grouping.labels):
            found.append(GroupGap(label, grouping.labelled & (grouping.shares[:, g] > 0), float(weights[g]), float(targets[g])))
    return found


def _group_targets(ctx: Context, grouping: Grouping, named: dict[str, float]) -> list[float] | None:
    if named:
        return [named.get(label, 0.0) for label in grouping.labels]
    if ctx.target_weights is None:
        return None
    mix: FloatArray = ctx.neutral_mix @ grouping.shares
    return [float(share) for share in mix]


def widest(gaps: Iterable[GroupGap], security: int) -> GroupGap | None:
    """The group furthest from its target that the security belongs to; the first one of equals."""
    return max((gap for gap in gaps if gap.members[security]), key=lambda gap: abs(gap.gap), default=None)


def sizes(wanted: Iterable[float], most: float) -> tuple[float, ...]:
    """Sizes cut to `most`, smallest first, without repeats; none when there is no room.

    >>> sizes((0.01, 0.02, 0.04, 0.08), most=0.03)
    (0.01, 0.02, 0.03)
    """
    return tuple(sorted({min(size, most) for size in wanted})) if most > 0 else ()


def sales(wanted: Iterable[float]) -> tuple[float, ...]:
    """Sizes of a sale as signed changes of weight."""
    return tuple(-size for size in wanted)
