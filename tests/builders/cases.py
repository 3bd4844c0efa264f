"""For every registered module: inputs on which it fires, and for every parameter a change that
shows.

A module that is added has its `CASE` in its own tests, see `own`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np

from builders.context import candidates, context, with_correlation
from builders.own import own
from steelyard.arrays import frozen
from steelyard.estimates.regime import Regime
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind
from steelyard.portfolio import BucketState
from steelyard.settings import Limits

World = tuple[Context, Candidates]


@dataclass(frozen=True)
class Change:
    """`value` of a parameter gives another answer than the default does.

    among    other parameters on both sides, where the default answer hides the difference
    where    inputs that show it; the case's own unless given
    """

    value: Any
    among: Mapping[str, Any] = field(default_factory=dict)
    where: Callable[[], World] | None = None


@dataclass(frozen=True)
class Case:
    """Inputs on which a module answers something, and a change for each parameter."""

    world: Callable[[], World]
    changes: Mapping[str, Change] = field(default_factory=dict)


def of_context(**options: Any) -> Callable[[], World]:
    """Inputs of a calculator: a context and no candidates yet."""

    def make() -> World:
        ctx = context(**options)
        return ctx, candidates(ctx)

    return make


def of_table(*orders: str, cost: float = 0.0005, **options: Any) -> Callable[[], World]:
    """Inputs of everything later in the pipeline: a context and its table."""

    def make() -> World:
        ctx = context(**options)
        return ctx, candidates(ctx, *orders, cost=cost)

    return make


def one_winner(price: float) -> Callable[[], World]:
    """A holding bought at 100 a year ago."""
    return of_context(
        symbols="A", weights=[0.4], prices=[price], average_cost=[100], years_held=[1]
    )


def fallen_from(peak: float, *, to: float) -> Callable[[], World]:
    """A holding bought at 100 a year ago, now under its peak."""
    return of_context(
        symbols="A", weights=[0.4], prices=[to], average_cost=[100], years_held=[1], peaks=[peak]
    )


def with_dividend(symbol: str, amount: str) -> Callable[[], World]:
    """A holding whose dividend is set aside for more of it."""

    def make() -> World:
        ctx = replace(
            context(symbol, quality=0.2), state=BucketState(dividends={symbol: Decimal(amount)})
        )
        return ctx, candidates(ctx)

    return make


CALCULATORS = {
    "profit_taking": Case(
        one_winner(240),
        {
            "expected_growth": Change(0.10),
            "doubler_gain": Change(2.0),
            "windfall_threshold": Change(1.5),
            "high_above": Change(0.4, where=one_winner(160)),
            "medium_below": Change(0.0, where=one_winner(135)),
            "windfall_doubler_share": Change(0.25),
            "doubler_share": Change(0.25, among={"windfall_threshold": 1.5}),
            "high_share": Change(0.25, where=one_winner(160)),
            "medium_share": Change(0.25, where=one_winner(135)),
            "sell_fraction": Change(0.25),
            "auto_harvest": Change(True, where=one_winner(110)),
            "trailing_stop_distance": Change(0.10, where=fallen_from(150, to=120)),
            "trailing_stop_gain": Change(
                0.60, among={"trailing_stop_distance": 0.10}, where=fallen_from(150, to=120)
            ),
            "priority_weight": Change(1.0),
        },
    ),
    "averaging_down": Case(
        of_context(
            symbols="A B C", weights=[0.085] * 3, prices=[85, 65, 75], average_cost=[100] * 3,
            quality=[0.9, 0.9, 0.62],
        ),
        {
            "dip_threshold": Change(0.2), "max_drawdown": Change(0.3),
            "min_quality_score": Change(0.7), "best_share": Change(0.5),
            "max_weight": Change(0.2),
            "priority_weight": Change(0.5),
        },
    ),
    "opportunity_buys": Case(
        of_context(symbols="A B", weights=[0.1, 0.0], quality=[0.7, 0.9]),
        {
            "min_quality_score": Change(0.6), "best_share": Change(1.0),
            "momentum_weight": Change(
                0.5, where=of_context(symbols="A", quality=[0.7], momentum=[0.3])
            ),
            "reinvest_dividends": Change(False, where=with_dividend("A", "600")),
            "priority_weight": Change(0.5),
        },
    ),
    "rebalance_sells": Case(
        of_context(
            symbols="A B", weights=[0.54, 0.46], targets=[0.5, 0.5], sectors=["Tech", "Energy"]
        ),
        {
            "overweight_threshold": Change(0.05),
            "max_sell_pct": Change(0.05),
            "concentration_factor": Change(
                1.5, where=of_context(symbols="A B C D E F G H", weights=[0.19] + [0.1] * 7)
            ),
            "priority_weight": Change(0.5),
        },
    ),
    "rebalance_buys": Case(
        of_context(
            symbols="A B", weights=[0.54, 0.46], targets=[0.5, 0.5], sectors=["Tech", "Energy"]
        ),
        {"underweight_threshold": Change(0.05), "priority_weight": Change(0.5)},
    ),
    "weight_based": Case(
        of_context(symbols="A B", weights=[0.54, 0.30], targets=[0.5, 0.5]),
        {"min_gap_threshold": Change(0.05), "priority_weight": Change(0.5)},
    ),
}  # fmt: skip

REDEPLOY = of_table(
    "sell A .06 .9 profit_taking rebalance_sells", "sell B .06 .8 profit_taking rebalance_sells",
    "sell B .03 .7 profit_taking rebalance_sells", "buy C .05 .7 averaging_down rebalance_buys",
    "buy D .05 .6 averaging_down rebalance_buys", symbols="A B C D", weights=[0.2] * 4,
)  # fmt: skip

ALIKE = of_table(
    "buy A .05 .9 x", "buy B .05 .8 x", "buy C .05 .7 x", symbols="A B C", weights=[0.2] * 3,
    sectors=["Tech", "Tech;Energy", "Tech;Health"],
)  # fmt: skip
"""B and C have half of their sectors in common with A."""

SHORT_OF_CASH = of_table(
    "sell A .06 .9 profit_taking", "sell B .02 .8 rebalance_sells", "sell C .03 .7 rebalance_sells",
    symbols="A B C", weights=[0.3, 0.3, 0.39],
)  # fmt: skip


def in_market(regime: str) -> Callable[[], World]:
    """Something to sell and to buy in every market."""
    orders = (
        "sell A .06 .9 profit_taking rebalance_sells",
        "sell B .06 .8 profit_taking rebalance_sells",
        "buy C .05 .7 opportunity_buys rebalance_buys averaging_down",
    )
    return of_table(*orders, symbols="A B C", weights=[0.3, 0.3, 0.2], regime=Regime(regime))


def bound() -> World:
    """A sale and a buy under every rule that can be loosened; no holding may be sold."""
    ctx, table = of_table(
        "sell A .10 .9 rebalance_sells", "buy B .07 .8 rebalance_buys", symbols="A B C D",
        weights=[0.2] * 4,
    )()  # fmt: skip
    securities = tuple(replace(security, allow_sell=False) for security in ctx.securities)
    limits = Limits(max_turnover_weight=0.5, max_group_weight=0.5)
    return replace(ctx, securities=securities, rules=replace(ctx.rules, limits=limits)), table


TWO_WAYS = of_table(
    "sell A .004 .9 rebalance_sells", "sell B .10 .8 rebalance_sells",
    "buy C .10 .7 rebalance_buys", symbols="A B C", weights=[0.3, 0.3, 0.3],
)  # fmt: skip


def of_unequal_costs() -> World:
    """The sale of A is dear and a small part of the best rebalance, that of all three."""
    ctx, table = TWO_WAYS()
    cost = frozen(np.array([0.002, 0.0005, 0.0005]))
    tables = replace(table.tables, linear=np.array([0.002, 0.002, 0.01]))
    account = replace(table.account, cost=cost)
    return ctx, replace(table, cost=cost, account=account, tables=tables)


GAPS = of_table(
    "buy B .02 .9 rebalance_buys", "buy C .02 .8 rebalance_buys", symbols="A B C",
    weights=[0.6, 0.15, 0.15], countries=["US", "CH", "JP"],
    country_targets={"US": 0.55, "CH": 0.22, "JP": 0.23}, sectors=["Tech", "Energy", "Health"],
    sector_targets={"Tech": 0.55, "Energy": 0.22, "Health": 0.23},
)  # fmt: skip
"""CH and Energy are .037 under their targets, JP and Health .047."""

WEAK = of_table(
    "sell A .05 .9 rebalance_sells", "sell B .05 .8 rebalance_sells",
    "buy C .05 .7 opportunity_buys", symbols="A B C", weights=[0.5, 0.2, 0.1],
    volatility=[0.5, 0.3, 0.1], quality=[0.5, 0.4, 0.9], dividend_yield=[0.0, 0.0, 0.04],
)  # fmt: skip
"""Something for every variant that looks at holdings; a fifth is cash."""

UNEQUAL_QUALITY = of_table(
    "sell A .05 .9 rebalance_sells", "buy C .05 .7 opportunity_buys", symbols="A B C",
    weights=[0.4, 0.4, 0.1], quality=[0.5, 0.4, 0.9],
)  # fmt: skip
"""What may be sold is not of the lowest quality held."""


def of_variant(name: str, value: Any, where: Callable[[], World] = WEAK, **among: Any) -> Change:
    """A change that one variant shows."""
    return Change(value, {"variants": (name,), **among}, where)


PATTERNS = {
    "adaptive": Case(
        WEAK,
        {
            "variants": Change(("cash_drag",)),
            "geographic_gap": of_variant("geographic_gap", 0.1, GAPS),
            "sector_gap": of_variant("sector_gap", 0.1, GAPS),
            "top_gaps": of_variant("geographic_gap", 1, GAPS),
            "concentration_cap": of_variant("concentration_trim", 0.6),
            "volatility_target": of_variant("risk_reduction", 1.0),
            "risk_share": of_variant("risk_reduction", 1.0, volatility_target=1.0),
            "low_quality_share": of_variant("quality_upgrade", 1.0, UNEQUAL_QUALITY),
            "quality_difference": of_variant("quality_upgrade", 0.6),
            "yield_target": of_variant("income_gap", 0.004),
            "cash_slack": of_variant("cash_drag", 0.3),
        },
    ),
    "market_regime": Case(
        in_market("bull"),
        {"max_sells": Change(1), "bear_sell_share": Change(0.2, where=in_market("bear"))},
    ),
    "multi_sell": Case(SHORT_OF_CASH, {"max_sells": Change(2)}),
    "mixed_strategy": Case(REDEPLOY),
    "opportunity_first": Case(
        of_table("buy A .05 .5 opportunity_buys", "buy B .05 .9 averaging_down")
    ),
    "deep_rebalance": Case(REDEPLOY),
    "cash_generation": Case(SHORT_OF_CASH, {"cash_weight": Change(0.2)}),
    "cost_optimized": Case(
        of_unequal_costs, {"tolerance": Change(0.0), "max_candidates": Change(1)}
    ),
    "direct_buy": Case(REDEPLOY),
    "averaging_down": Case(REDEPLOY),
    "profit_taking": Case(REDEPLOY, {"max_sells": Change(1)}),
    "rebalance": Case(REDEPLOY, {"max_sells": Change(1)}),
    "single_best": Case(REDEPLOY),
}

GENERATORS = {
    "combinatorial": Case(
        REDEPLOY,
        {
            "max_sells": Change(1), "max_buys": Change(1), "max_candidates": Change(1),
            "max_combinations": Change(3),
        },
    ),
    "constraint_relaxation": Case(
        bound,
        {
            "relax_allow_sell": Change(False), "relax_min_lot": Change(False),
            "relax_max_position": Change(True), "relax_cooldown": Change(True),
            "relax_cash_reserve": Change(False), "relax_max_group": Change(False),
            "relax_turnover": Change(False), "relax_min_order": Change(False),
            "relax_depth": Change(False), "min_shares_relaxed": Change(0.2),
            "cap_step": Change(0.1), "reserve_step": Change(0.02), "max_securities": Change(1),
        },
    ),
    "partial_execution": Case(
        bound, {"prefixes": Change(False), "fills": Change((0.3,)), "min_shares": Change(60)}
    ),
    "enhanced_combinatorial": Case(
        REDEPLOY,
        {
            "max_sells": Change(1), "max_buys": Change(1), "max_candidates": Change(1),
            "max_combinations": Change(3), "sizes": Change("best"),
            "max_likeness": Change(0.0, where=ALIKE),
        },
    ),
}  # fmt: skip


def correlated(
    *orders: str, traced: str, alike: tuple[str, str, float], **options: Any
) -> Callable[[], World]:
    """Inputs of a filter: securities with a history, and two of them with their correlation."""

    def make() -> World:
        ctx = with_correlation(context(**options), traced, alike)
        return ctx, candidates(ctx, *orders)

    return make


FILTERS = {
    "correlation_aware": Case(
        correlated(
            "buy A .1 .5 x", "buy B .1 .5 x", "buy C .1 .5 x", traced="A B", alike=("A", "B", 0.75),
            symbols="A B C", weights=[0.05, 0.3, 0.05],
        ),
        {
            "correlation_threshold": Change(0.8), "large_holding": Change(0.4),
            "on_missing": Change("deny"),
        },
    ),
    "diversity": Case(
        of_table(
            "sell A .1 .9 x", "buy B .1 .5 x", "buy C .05 .5 y", symbols="A B C", weights=[0.3] * 3,
            sectors=["Tech", "Tech", "Energy"], countries=["US", "CH", "US"],
        ),
        {
            "diversity_weight": Change(0.9), "max_sequences": Change(2),
            "min_diversity_score": Change(0.5), "near_tie": Change(0.05),
        },
    ),
    "eligibility": Case(
        of_table(
            "sell A .1 .5 x", "sell B .1 .5 x", symbols="A B", prices=[50, 50],
            average_cost=[100, 100], days_since_bought=[50, float("nan")],
        ),
        {
            "min_hold_days": Change(30), "no_panic_sell_pct": Change(0.2),
            "on_missing": Change("deny"),
        },
    ),
    "recently_traded": Case(
        of_table(
            "buy A .1 .5 x", "sell B .1 .5 x", "sell C .1 .5 x", "buy D .1 .5 x", symbols="A B C D",
            days_since_bought=[20, 500, 50, float("nan")],
            days_since_sold=[float("nan"), 150, 300, float("nan")],
        ),
        {
            "buy_cooldown_days": Change(10), "sell_cooldown_days": Change(100),
            "opposite_days": Change(40), "on_missing": Change("deny"),
        },
    ),
}  # fmt: skip

CASES: Mapping[tuple[Kind, str], Case] = {
    (kind, name): case
    for kind, cases in (
        (Kind.OPPORTUNITY, CALCULATORS), (Kind.PATTERN, PATTERNS), (Kind.SEQUENCE, GENERATORS),
        (Kind.FILTER, FILTERS),
    )
    for name, case in own(kind, "CASE", cases).items()
}  # fmt: skip
