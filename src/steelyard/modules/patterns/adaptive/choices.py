"""What the variants share: parameters, and how an order of some size is chosen from the table.

A variant draws securities as every pattern does. Where its intent asks for a size it looks at all
orders of a drawn security on that side, not only at the one of highest priority.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import AfterValidator, Field

from steelyard.arrays import BoolArray, FloatArray, flags
from steelyard.ledger import feasible, fill
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.groups import NOISE, GroupGap
from steelyard.modules.patterns import buys, every_size, sells
from steelyard.modules.registry import ModuleParams
from steelyard.settings import Fraction, setting

Variant = Literal[
    "geographic_gap",
    "sector_gap",
    "joint_gap",
    "geographic_swap",
    "concentration_trim",
    "risk_reduction",
    "quality_upgrade",
    "income_gap",
    "cash_drag",
]
ALL: tuple[Variant, ...] = get_args(Variant)

TIE_DECIMALS = 12
"""Sizes as close to each other as this are equal, and the smaller one comes first."""


def _each_once(names: tuple[Variant, ...]) -> tuple[Variant, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"each variant is named once, not twice: {', '.join(twice)}")
    return names


Variants = Annotated[
    tuple[Variant, ...],
    Field(
        strict=False,
        min_length=1,
        json_schema_extra={"uniqueItems": True},
        description="which of the nine variants run",
    ),
    AfterValidator(_each_once),
]


class Params(ModuleParams):
    """Which of the nine variants run, and from which number on each sees something to do."""

    variants: Variants = ALL
    geographic_gap: float = setting(
        0.02, "least distance of a country from its target, of the invested part", ge=0, le=0.5
    )
    sector_gap: float = setting(
        0.01, "least distance of a sector under its target, of the invested part", ge=0, le=0.5
    )
    top_gaps: int = setting(3, "countries and sectors looked at, widest gap first", ge=1, le=20)
    concentration_cap: float = setting(
        0.15, "of value; a larger holding is trimmed to it, funds exempt", gt=0, le=1
    )
    volatility_target: float | None = setting(
        None,
        "volatility a year, cash included, over which risk is reduced; when absent that of the "
        "profile of the score: .10 conservative, .15 balanced, .20 aggressive",
        ge=0,
        le=2,
    )
    risk_share: float = setting(
        1.5, "share of the variance, per weight, over which risk is reduced", ge=1, le=20
    )
    low_quality_share: Fraction = setting(
        0.25, "part of the holdings, lowest quality first, that may be upgraded"
    )
    quality_difference: Fraction = setting(0.2, "least quality that an upgrade adds")
    yield_target: float = setting(
        0.02, "dividend yield a year of the holdings under which income is bought", ge=0, le=0.2
    )
    cash_slack: Fraction = setting(
        0.05, "cash over the reserve of the market regime that is left alone, of value"
    )

    def most_sequences(self, depth: int) -> int:  # noqa: ARG002 - it does not depend on it
        """One a variant."""
        return len(self.variants)


VOLATILITY_TARGETS: Mapping[str, float] = {
    "conservative": 0.10,
    "balanced": 0.15,
    "aggressive": 0.20,
}
"""Volatility a year over which each profile of the score reduces risk."""


def volatility_target(ctx: Context, params: Params) -> float:
    """The number that is set, else that of the profile."""
    if params.volatility_target is not None:
        return params.volatility_target
    return VOLATILITY_TARGETS[ctx.score.profile]


def yields_known(ctx: Context) -> BoolArray:
    """(n,) whose dividend yield somebody gives."""
    return flags(security.dividend_yield is not None for security in ctx.securities)


def every_buy(candidates: Candidates) -> list[int]:
    """All drawn buys, whoever proposed them, in order of priority."""
    return buys(candidates, *candidates.draws)


def every_sale(candidates: Candidates) -> list[int]:
    """All drawn sales, whoever proposed them, in order of priority."""
    return sells(candidates, *candidates.draws)


def shortest(gaps: Sequence[GroupGap], least: float, count: int) -> list[GroupGap]:
    """Groups at least so far under their targets, the widest gap first."""
    under = [gap for gap in gaps if -gap.gap >= least - NOISE and gap.gap < 0]
    return sorted(under, key=lambda gap: gap.gap)[:count]


def shortfall(gap: GroupGap, candidates: Candidates, orders: Sequence[int]) -> float:
    """How far a group stays under its target after some orders; never under 0."""
    brought = math.fsum(
        float(candidates.delta[j] * gap.shares[candidates.security[j]]) for j in orders
    )
    return max(0.0, -gap.gap - brought)


def add(
    candidates: Candidates,
    orders: Sequence[int],
    row: int,
    goal: float,
    depth: int,
    most: float = math.inf,
) -> list[int]:
    """Some orders and one more in the security of a drawn one: the closest to the goal that fits.

    goal, most   of value; a size farther from `goal` than no order at all, or over `most`, is none

    Unchanged where no size will do.
    """

    def off(j: int) -> float:
        return round(abs(abs(float(candidates.delta[j])) - goal), TIE_DECIMALS)

    fitting = [
        j
        for j in every_size(candidates, row)
        if off(j) < goal and abs(candidates.delta[j]) <= most + NOISE
    ]
    return fill(
        candidates.account,
        orders,
        sorted(fitting, key=lambda j: (off(j), abs(candidates.delta[j]))),
        depth,
    )


def swap(
    candidates: Candidates, sale: int, buy: int, depth: int, most: float = math.inf
) -> list[int]:
    """A sale and a buy of equal value, from all sizes of two drawn orders; nothing where none fits.

    Counted for a pair is what both move, up to `most`, less what one moves more than the other and
    less what the larger moves over `most`. The pair that counts most is taken; where none counts
    over 0, more would be out of place than in it.
    """

    pairs = np.array(
        list(itertools.product(every_size(candidates, sale), every_size(candidates, buy))),
        dtype=np.int64,
    )
    sold, bought = np.abs(candidates.delta[pairs]).T
    smaller, larger = np.minimum(sold, bought), np.maximum(sold, bought)
    counts = np.round(
        np.minimum(smaller, most) - (larger - smaller) - np.maximum(larger - most, 0.0),
        TIE_DECIMALS,
    )
    counts[~feasible(candidates.account, pairs)] = 0.0
    best = int(counts.argmax())
    return [int(j) for j in pairs[best]] if counts[best] > 0 and pairs.shape[1] <= depth else []


def buy_into(ctx: Context, candidates: Candidates, gaps: Sequence[GroupGap]) -> list[int]:
    """Buys in groups under their targets: the cash that may be spent, in proportion to the gaps.

    The widest gap left is served first, by the member of highest priority not looked at yet.
    """
    account = candidates.account
    short = np.array([-gap.gap for gap in gaps])
    money = max(0.0, account.spendable - account.floor)
    short *= min(1.0, money / max(float(short.sum()), NOISE))
    offered, orders = every_buy(candidates), list[int]()
    while len(short) and short.max() >= ctx.min_order_weight:
        widest = int(short.argmax())
        shares = gaps[widest].shares[candidates.security]
        row = next((row for row in offered if shares[row] > 0), None)
        if row is None:
            short[widest] = 0.0
            continue
        offered.remove(row)
        goal = float(short[widest] / shares[row])
        longer = add(candidates, orders, row, goal, ctx.search.max_depth)
        for j in longer[len(orders) :]:
            short -= [candidates.delta[j] * gap.shares[candidates.security[j]] for gap in gaps]
        orders = longer
    return orders


def spread(
    candidates: Candidates,
    orders: Sequence[int],
    offered: Sequence[tuple[int, float]],
    money: float,
    room: FloatArray,
    depth: int,
) -> list[int]:
    """Some orders and buys for an amount of money, split over as many as there are steps left.

    offered   (row, share > 0), the first ones first; the part of one that cannot be bought goes to
              those after it
    money     of value, costs included, never exceeded
    room      (n,)  most to buy of each security, of value
    """
    filled = list(orders)
    for place, (row, share) in enumerate(offered):
        rest = math.fsum(other for _, other in offered[place : place + max(1, depth - len(filled))])
        most = min(money, float(room[candidates.security[row]]))
        longer = add(candidates, filled, row, min(money * share / rest, most), depth, most)
        money -= math.fsum(
            float(candidates.delta[j] + candidates.cost[j]) for j in longer[len(filled) :]
        )
        filled = longer
    return filled
