"""Every setting and every parameter changes the plan, or it is said here why in one scope alone.

One change for each, made through `plan`, beside the same world without it. What only repeats a
setting is not looked at: the strategy, the rules, hashes and ids. A field that nobody reads changes
nothing and fails; a new field without an entry fails too.

What changes before the search (the table, the account, what hold is worth) acts in both scopes and
is planned in one; what acts later is planned in both.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from builders.adaptive import WEAK
from builders.changes import (
    YOUNG,
    alone,
    dated_lots,
    described,
    enabled,
    only_with,
    scoped,
    twins,
)
from builders.each import each
from builders.regimes import PORTFOLIO, history
from builders.taxed import of_class
from builders.world import AS_OF, World, choosing, market, session_days, with_module, world
from steelyard.errors import PlanRefused
from steelyard.market import Index, Quote
from steelyard.modules.registry import Kind, Module, ModuleParams, modules
from steelyard.modules.terms import Term, linear_part
from steelyard.planning.solve import Steps, local
from steelyard.portfolio import BucketState, Holding
from steelyard.settings import Groups, Limits, Neutral, Planner, Score, Search
from steelyard.strategies.strategy import SECTIONS, Strategy
from steelyard.targets import Targets

Document = Mapping[str, Any]

ECHOES = {"plan_id", "strategy", "rules", "reserve", "data_coverage"}
ECHOES |= {"inputs_sha256", "timings", "seed"}
"""Parts of the document that only repeat what was asked."""

BEST = {"steps", "score", "verdict", "candidates", "holdings_after"}
"""Parts that say what the plan is."""

SCOPES = ("candidates", "proposals")
FILES = ("plugins",)
"""Sections that say where modules come from, not what a plan is: tested with the plugins."""


@dataclass(frozen=True)
class Change:
    """`value` of a setting gives another plan than the usual one does.

    of      the world that shows it
    among   other settings, the same on both sides
    alone   the pattern that makes all proposals on both sides; a pattern's own settings need none
    """

    value: Any
    of: World
    among: Mapping[str, Any] = field(default_factory=dict)
    alone: str = ""


def quick(of: World) -> World:
    """The world with fewer made sequences, so that all changes together stay quick."""
    fewer = {"sequence_generators.enhanced_combinatorial.max_combinations": 40}
    return replace(of, strategy=put(of.strategy, fewer))


def put(strategy: Strategy, settings: Mapping[str, Any]) -> Strategy:
    """The strategy with other values, by dotted key: `filters.eligibility.min_hold_days`."""
    for key, value in settings.items():
        first, *rest = key.split(".")
        if first in SECTIONS:
            strategy = replace(strategy, **{first: put_in(getattr(strategy, first), rest, value)})
        else:
            name, *path = rest
            changed = functools.partial(put_param, name, path, value)
            strategy = choosing(strategy, Kind(first), changed)
    return strategy


def put_param(name: str, path: list[str], value: Any, choice: Any) -> dict[str, Any]:
    own = choice.module.name == name
    return {"params": put_in(choice.params, path, value)} if own else {}


def put_in(model: Any, path: list[str], value: Any) -> Any:
    name, *rest = path
    inner = put_in(getattr(model, name), rest, value) if rest else value
    changed = model.model_copy(update={name: inner})
    return type(model).model_validate(changed.model_dump(by_alias=True))


def fields_of(model: type[BaseModel]) -> Iterator[str]:
    """Dotted names of the fields of a model and of the models in it."""
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from (f"{name}.{deeper}" for deeper in fields_of(inner))
        else:
            yield name


def every_key() -> list[str]:
    """Every field of every section, and every parameter of every module that is built in."""
    models = {name: section for name, section in SECTIONS.items() if name not in FILES}
    models |= {m.qualified: m.params for kind in Kind for m in modules(kind).values()}
    return [f"{name}.{key}" for name, model in models.items() for key in fields_of(model)]


# worlds

USUAL = quick(
    described(
        world(
            *("AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20"),
            *("DD 90 @ 310", "EE 0 @ 75", "FF 330 @ 12"), cash={"USD": "9000", "EUR": "500"},
            targets={"AA": 0.2, "BB": 0.2, "CC": 0.15, "DD": 0.2, "EE": 0.15},
            sectors={"AA": "Tech", "BB": "Energy", "CC": "Health", "DD": "Tech;Energy"},
            foreign=("BB",), funds=("DD",),
            cost_prices={"AA": "40", "BB": "60", "DD": "100", "FF": "20"},
            search=Search(max_depth=3),
        ),
        countries={"AA": ("US",), "BB": ("CH",), "CC": ("US",), "DD": ("JP",)},
        dividend_yield={"AA": 0.01, "BB": 0.05},
    )
)  # fmt: skip
"""A world with something of everything."""

UNTARGETED = replace(USUAL, targets=None)

UNKNOWN = quick(
    replace(USUAL, market=market({s: q.price for s, q in USUAL.market.quotes.items()}, YOUNG))
)
"""The same with prices too few for any estimate, and no yields."""

OVER = described(
    world(
        *("AA 300 @ 100", "BB 300 @ 100", "CC 200 @ 100", "DD 0 @ 100", "EE 0 @ 100"),
        cash="4000",
        sectors={"AA": "Tech", "BB": "Energy", "CC": "Health"},
        groups=Groups(
            sector={"Tech": 0.25, "Energy": 0.35, "Health": 0.35}, country={"US": 0.5, "CH": 0.5}
        ),
        sessions=YOUNG,
    ),
    countries={"AA": ("US",), "BB": ("CH",), "CC": ("CH",), "DD": ("US",), "EE": ("CH",)},
    quality={"AA": 0.2, "BB": 0.3, "CC": 0.5, "DD": 0.9, "EE": 0.66},
)
"""Weights of sectors and countries are wanted, none of securities."""

DIPS = described(
    world(
        *("AA 60 @ 85", "BB 90 @ 65", "CC 80 @ 75", "DD 800 @ 60"), cash="30000",
        cost_prices={"AA": "100", "BB": "100", "CC": "100"}, sessions=YOUNG,
    ),
    quality={"AA": 0.9, "BB": 0.9, "CC": 0.75},
)  # fmt: skip


@functools.cache
def winner(cost: str) -> World:
    """A holding that grew to 240 in four years, beside two others that it would pay for."""
    of = world(
        *("AA 200 @ 240", "BB 100 @ 100", "CC 0 @ 50"), cash="20000", cost_prices={"AA": cost},
        score=Score(neutral=Neutral(quality=0.4)),
    )  # fmt: skip
    return aged(of, AA=(4 * 365, None))


SIX = quick(
    described(
        world(
            *(f"S{k} 0 @ 50" for k in range(6)), cash="90000",
            targets={f"S{k}": 0.17 - 0.01 * k for k in range(6)},
            planner=Planner(priority_threshold=0.0, max_opportunities_per_category=4),
            search=Search(max_depth=2), sessions=YOUNG,
        ),
        countries={f"S{k}": ("US" if k < 3 else "CH",) for k in range(6)},
    )
)  # fmt: skip
"""Six buys of two countries, each a little more wanted than the next."""

LOW = described(
    world(
        *("AA 100 @ 100", "BB 150 @ 100", "CC 500 @ 100", "DD 180 @ 100"),
        cash="6000",
        sessions=YOUNG,
    ),
    quality={"AA": 0.0, "BB": 1.0, "CC": 0.5, "DD": 0.5},
)
"""The worst holding is too small to be sold."""

SELLERS = world(
    *("AA 290 @ 100", "BB 290 @ 100", "CC 290 @ 100"),
    cash="13000",
    targets=dict.fromkeys(("AA", "BB", "CC"), 0.24),
)
"""Everything is over its target."""

NEAR = WEAK["joint_gap"]
"""Four weights some points off their targets, the least of them by little; cash is at its own."""

HARVEST = of_class(
    world(
        *("AA 400 @ 100", "BB 100 @ 100", "CC 0 @ 100", "DD 300 @ 100"), cash="4000",
        targets={"AA": 0.42, "BB": 0.12, "DD": 0.4}, cost_prices={"AA": "120", "BB": "140"},
        funds=("AA", "BB", "CC", "DD"), sessions=YOUNG,
    ),
    {"AA": ("stocks", 2), "BB": ("stocks", 3), "CC": ("stocks", 1)},
)  # fmt: skip
"""AA and BB are below their cost, and CC may take their place."""


def stale() -> World:
    """The usual world, the price of a security that is not held three sessions old."""
    quotes, days = USUAL.market.quotes, USUAL.market.dates
    old = Quote("CC", quotes["CC"].price, days[-4].astype(object))
    return replace(USUAL, market=replace(USUAL.market, quotes={**quotes, "CC": old}))


def remembered(**state: Any) -> World:
    return replace(USUAL, state=BucketState(**state))


def aged(of: World, **days: tuple[int | None, int | None]) -> World:
    """The world in which some holdings were bought and sold so many days ago; None is unknown."""

    def older(holding: Any) -> Any:
        if holding.symbol not in days:
            return holding
        ages = days[holding.symbol]
        bought, sold = (None if n is None else AS_OF - timedelta(days=n) for n in ages)
        lots = tuple(replace(lot, acquired=bought) for lot in holding.lots)
        return replace(holding, lots=lots, last_sold=sold)

    holdings = tuple(map(older, of.snapshot.holdings))
    return replace(of, snapshot=replace(of.snapshot, holdings=holdings))


def dated(**days: tuple[int | None, int | None]) -> World:
    return aged(USUAL, **days)


def sold_at_loss(symbol: str, days: int) -> World:
    """The usual world in which all of a security was sold at a loss so many days ago."""
    day = AS_OF - timedelta(days=days)
    gone = Holding(symbol, Decimal(0), (), last_sold=day, sold_at_loss=True)
    return USUAL.having(holdings=(*USUAL.snapshot.holdings, gone))


ALIKE = quick(
    twins(
        *("AA 300 @ 100", "BB 0 @ 50", "CC 0 @ 80", "DD 200 @ 40", "EE 0 @ 25"), cash="60000",
        targets={"AA": 0.3, "BB": 0.2, "CC": 0.2, "DD": 0.1, "EE": 0.1},
        limits=Limits(max_position_weight=1), like_aa="EE",
    )
)  # fmt: skip
"""BB and CC have one history."""


FUNDED = PORTFOLIO.having(
    cash={"USD": Decimal(30_000)},
    targets=Targets({"AA": 0.35, "BB": 0.15, "CC": 0.1, "DD": 0.08, "EE": 0.32}),
)
"""All cash is wanted elsewhere: what stays of it is what the regime keeps."""


@functools.cache
def under(*rates: float, of: World = FUNDED) -> World:
    """A world beside an index that grows by one rate a session for a year, then by the next."""
    parts = [history(rate) for rate in rates]
    levels = [part.levels for part in parts]
    for k in range(1, len(levels)):
        levels[k] = levels[k] * levels[k - 1][-1] / levels[k][0]
    whole = np.concatenate(levels)
    index = Index(parts[0].names, session_days(len(whole)), whole)
    return replace(of, market=replace(of.market, index=index))


class KnownIncome(ModuleParams):
    """None."""


def known_income(ctx: Any, params: KnownIncome) -> Term:
    return Term("known_income", (linear_part("known", 1.0, (0.0, 0.04), ctx.dividend_yield, 0.0),))


def with_a_term() -> World:
    outside = Module(Kind.TERM, "known_income", "1.0.0", "Yield", KnownIncome, known_income)
    return replace(USUAL, strategy=with_module(USUAL.strategy, outside))


def ticking() -> Steps:
    """Steps whose clock goes a second further each time that it is read."""
    return local(clock=functools.partial(next, itertools.count(0.0)))


# what changes what

TAXED = {"score.tax_rate": 0.25}
BY_TERM = {**TAXED, "score.tax_rate_long": 0.1}
BY_BAND = {"rebalance.trigger": "band"}
QUIET = {"opportunity_calculators.opportunity_buys.min_quality_score": 1.0}
NO_WEIGHT = {"planner.diversity_weight": 0.0}
REBUY = {"filters.recently_traded.opposite_days": 0}

PATHS = {"evaluation.mode": "monte_carlo", "evaluation.paths": 200}
SHOCKS = {"evaluation.mode": "stochastic", "evaluation.paths": 200}
HORIZONS = {"evaluation.mode": "multi_timeframe"}
FRONTIER = {"evaluation.mode": "multi_objective"}

SETTINGS: dict[str, Change] = {
    "limits.cash_reserve_weight": Change(0.1, USUAL),
    "limits.min_trade_base": Change(3000.0, USUAL),
    "limits.min_trade_weight": Change(0.05, USUAL),
    "limits.max_cost_share": Change(0.0025, USUAL),
    "limits.max_turnover_weight": Change(0.05, USUAL),
    "limits.max_orders": Change(1, USUAL),
    "limits.max_position_weight": Change(0.12, UNTARGETED),
    "limits.max_group_weight": Change(0.3, USUAL),
    "limits.allow_buy": Change(False, USUAL),
    "limits.allow_sell": Change(False, USUAL),
    "limits.funding": Change("settled", USUAL),
    "limits.settlement_days": Change(3, USUAL),
    "limits.max_stale_sessions": Change(2, stale()),
    "limits.pause_volatility_ratio": Change(0.1, USUAL),
    "costs.fixed": Change(50.0, USUAL),
    "costs.percent": Change(0.01, USUAL),
    "costs.spread_bps": Change(100.0, USUAL),
    "costs.fx_percent": Change(0.02, USUAL),
    "search.max_depth": Change(1, USUAL),
    "search.refine": Change(False, USUAL),
    "search.resolved_orders": Change(0, USUAL),
    "search.beam_width": Change(1, USUAL),
    "search.max_nodes": Change(1, USUAL),
    "search.max_seconds": Change(0.5, USUAL),
    "search.max_candidates": Change(1, USUAL),
    "planner.max_opportunities_per_category": Change(1, USUAL),
    "planner.priority_threshold": Change(1.0, USUAL),
    "planner.base_trade_weight": Change(0.05, UNTARGETED),
    "planner.diverse_selection": Change(True, SIX, alone="direct_buy"),
    "planner.diversity_weight": Change(
        1.0, SIX, {"planner.diverse_selection": True, **NO_WEIGHT}, alone="direct_buy"
    ),
    "rebalance.drift_band_weight": Change(0.05, NEAR, BY_BAND),
    "rebalance.band_relative": Change(0.02, NEAR, {**BY_BAND, "rebalance.to": "edge"}),
    "rebalance.trigger": Change("band", NEAR),
    "rebalance.to": Change("edge", NEAR, BY_BAND),
    "lots.method": Change("hifo", dated_lots(USUAL), TAXED),
    "lots.long_days": Change(1000, dated_lots(USUAL), BY_TERM),
    "lots.max_gain_base": Change(0.0, USUAL),
    "lots.wash_sale_days": Change(30, sold_at_loss("CC", 10), REBUY),
    "score.profile": Change("conservative", USUAL),
    "score.extra_diversification": Change(0.2, USUAL),
    **{
        f"score.anchors.{part}": Change((-2.0, 1.0), USUAL)
        for part in ("fit", "conc", "ind", "country", "rao", "tr", "q", "vol", "dd", "inc")
    },
    "score.anchors.cash": Change((-0.1, 0.0), UNTARGETED),
    **{
        f"score.diversification_parts.{part}": Change(1.0, USUAL)
        for part in ("conc", "ind", "country", "rao")
    },
    **{f"score.stability_parts.{part}": Change(2.0, USUAL) for part in ("vol", "dd")},
    "score.further": Change({"known_income": 0.2}, with_a_term()),
    "score.target_fit_weight": Change(0.2, USUAL),
    "score.cash_weight": Change(0.4, UNTARGETED),
    "score.cash_target": Change(0.3, UNTARGETED),
    "score.fund_names": Change(1.0, USUAL),
    "score.holding_years": Change(0.2, USUAL),
    "score.cost_aversion": Change(50.0, USUAL),
    "score.order_hurdle": Change(0.1, USUAL),
    "score.min_improvement": Change(0.9, USUAL),
    "score.latch_share": Change(
        1.0, remembered(previous_verdict="act"), {"score.min_improvement": 0.7}
    ),
    "score.min_score_per_return": Change(20.0, USUAL),
    "score.expected_return": Change("history", USUAL),
    "score.volatility": Change("756", USUAL),
    "score.risk_free": Change(0.1, USUAL),
    "score.equity_premium": Change(0.2, USUAL),
    "score.tax_rate": Change(0.25, USUAL),
    "score.tax_rate_long": Change(0.05, USUAL, TAXED),
    "score.tax_years": Change(1.0, USUAL, TAXED),
    "score.neutral.mu": Change(0.12, UNKNOWN, {"score.expected_return": "history"}),
    "score.neutral.quality": Change(0.9, UNKNOWN),
    "score.neutral.drawdown": Change(0.1, UNKNOWN),
    "score.neutral.vol": Change(0.5, UNKNOWN),
    "score.neutral.corr": Change(0.0, UNKNOWN),
    "score.neutral.yield_": Change(0.05, UNKNOWN),
    "groups.sector": Change({"Tech": 0.9}, OVER),
    "groups.country": Change({"US": 0.9}, OVER),
    "evaluation.mode": Change("multi_timeframe", USUAL),
    "evaluation.paths": Change(20, USUAL, PATHS),
    "evaluation.horizon_years": Change((20.0,), USUAL, PATHS),
    "evaluation.horizon_shares": Change((1.0, 0.0, 0.0), USUAL, HORIZONS),
    "evaluation.shifts": Change((-0.6,), USUAL, SHOCKS),
    "evaluation.tail": Change(0.5, USUAL, PATHS),
    "evaluation.tail_weight": Change(0.0, USUAL, PATHS),
    **{
        f"evaluation.objectives.{name}": Change(100.0, USUAL, FRONTIER)
        for name in ("score", "diversification", "risk", "cost")
    },
    "evaluation.compared": Change(2, USUAL, HORIZONS),
    "regime.enter": Change(0.5, under(0.998)),
    "regime.leave": Change(0.05, under(0.998, 0.9996)),
    "regime.window": Change(500, under(0.998)),
    "regime.bull_cash": Change(0.2, under(1.002)),
    "regime.bear_cash": Change(0.2, under(0.998)),
    "regime.sideways_cash": Change(0.2, under(1.0)),
    "regime.bear_buys": Change(1.0, under(0.998)),
    "regime.bear_averaging_down": Change(True, under(0.998)),
}

BY_SECTOR = {"groups.country": {}, "limits.max_position_weight": 1.0}
"""A sector alone may be too large."""

CALCULATORS = {
    "averaging_down.dip_threshold": Change(0.2, DIPS, QUIET),
    "averaging_down.max_drawdown": Change(0.3, DIPS, QUIET),
    "averaging_down.min_quality_score": Change(0.8, DIPS, QUIET),
    "averaging_down.best_share": Change(0.3, DIPS, QUIET),
    "averaging_down.max_weight": Change(0.065, DIPS, QUIET),
    "averaging_down.priority_weight": Change(0.5, DIPS, QUIET),
    "opportunity_buys.min_quality_score": Change(0.95, UNTARGETED),
    "opportunity_buys.best_share": Change(1.0, UNTARGETED),
    "opportunity_buys.momentum_weight": Change(
        1.0, UNTARGETED, {"opportunity_calculators.opportunity_buys.min_quality_score": 0.5}
    ),
    "opportunity_buys.reinvest_dividends": Change(
        False, replace(UNTARGETED, state=BucketState(dividends={"BB": Decimal(900)})), QUIET
    ),
    "opportunity_buys.priority_weight": Change(0.5, OVER),
    "profit_taking.expected_growth": Change(0.5, winner("100")),
    "profit_taking.doubler_gain": Change(2.0, winner("100")),
    "profit_taking.windfall_threshold": Change(1.8, winner("100")),
    "profit_taking.high_above": Change(0.4, winner("130")),
    "profit_taking.medium_below": Change(0.0, winner("154")),
    "profit_taking.windfall_doubler_share": Change(0.25, winner("100")),
    "profit_taking.doubler_share": Change(
        0.6, winner("100"), {"opportunity_calculators.profit_taking.windfall_threshold": 1.8}
    ),
    "profit_taking.high_share": Change(0.8, winner("130")),
    "profit_taking.medium_share": Change(0.6, winner("150")),
    "profit_taking.sell_fraction": Change(0.9, winner("100")),
    "profit_taking.auto_harvest": Change(True, winner("180")),
    "profit_taking.trailing_stop_distance": Change(0.01, USUAL),
    "profit_taking.trailing_stop_gain": Change(
        9.0, USUAL, {"opportunity_calculators.profit_taking.trailing_stop_distance": 0.01}
    ),
    "profit_taking.priority_weight": Change(0.2, USUAL),
    "rebalance_buys.underweight_threshold": Change(0.2, OVER),
    "rebalance_buys.priority_weight": Change(0.5, OVER, QUIET),
    "rebalance_sells.overweight_threshold": Change(0.2, OVER, BY_SECTOR),
    "rebalance_sells.max_sell_pct": Change(0.2, OVER, BY_SECTOR),
    "rebalance_sells.concentration_factor": Change(1.0, OVER, {**BY_SECTOR, "groups.sector": {}}),
    "rebalance_sells.priority_weight": Change(0.2, OVER),
    "tax_loss.min_loss_share": Change(0.25, HARVEST, TAXED),
    "tax_loss.min_loss_base": Change(5000.0, HARVEST, TAXED),
    "tax_loss.priority_weight": Change(2.0, HARVEST, TAXED),
    "weight_based.min_gap_threshold": Change(0.1, USUAL),
    "weight_based.priority_weight": Change(0.5, USUAL),
}

UPGRADE = {"pattern_generators.adaptive.variants": ("quality_upgrade",)}

PATTERNS = {
    "adaptive.variants": Change(("sector_gap",), WEAK["cash_drag"]),
    "adaptive.geographic_gap": Change(0.5, WEAK["geographic_gap"]),
    "adaptive.sector_gap": Change(0.5, WEAK["sector_gap"]),
    "adaptive.top_gaps": Change(
        1, NEAR, {"pattern_generators.adaptive.variants": ("geographic_gap",)}
    ),
    "adaptive.concentration_cap": Change(0.6, WEAK["concentration_trim"]),
    "adaptive.volatility_target": Change(2.0, WEAK["risk_reduction"]),
    "adaptive.risk_share": Change(
        1.0, WEAK["risk_reduction"], {"pattern_generators.adaptive.volatility_target": 2.0}
    ),
    "adaptive.low_quality_share": Change(1.0, LOW, UPGRADE),
    "adaptive.quality_difference": Change(
        1.0, LOW, {**UPGRADE, "pattern_generators.adaptive.low_quality_share": 1.0}
    ),
    "adaptive.yield_target": Change(
        0.0, WEAK["income_gap"], {"pattern_generators.adaptive.variants": ("income_gap",)}
    ),
    "adaptive.cash_slack": Change(1.0, WEAK["cash_drag"]),
    "cash_generation.cash_weight": Change(0.3, UNTARGETED),
    "cost_optimized.tolerance": Change(0.25, NEAR),
    "cost_optimized.max_candidates": Change(1, USUAL),
    "market_regime.max_sells": Change(0, under(1.002, of=PORTFOLIO)),
    "market_regime.bear_sell_share": Change(0.0, under(0.998, of=PORTFOLIO)),
    "multi_sell.max_sells": Change(2, SELLERS),
    "profit_taking.max_sells": Change(1, USUAL),
    "rebalance.max_sells": Change(1, PORTFOLIO),
}

FEW = {"max_sells": 1, "max_buys": 1, "max_candidates": 1, "max_combinations": 3}
GENERATORS = {
    "enhanced_combinatorial.sizes": Change("best", USUAL),
    "enhanced_combinatorial.max_likeness": Change(
        0.0,
        only_with(NEAR, Kind.PATTERN),
        {"sequence_generators.enhanced_combinatorial.max_combinations": 3},
    ),
    **{f"combinatorial.{param}": Change(value, USUAL) for param, value in FEW.items()},
    **{f"enhanced_combinatorial.{param}": Change(value, USUAL) for param, value in FEW.items()},
}

RELAXED = ["allow_sell", "min_lot", "max_position", "cooldown", "cash_reserve"]
RELAXED += ["max_group", "turnover", "min_order", "depth"]
NONE = {f"sequence_generators.constraint_relaxation.relax_{rule}": False for rule in RELAXED}
CAPS = {"limits.max_turnover_weight": 0.1, "limits.max_group_weight": 0.4}
CAPPED = replace(USUAL, strategy=put(USUAL.strategy, CAPS))


def loosened(rule: str) -> dict[str, Any]:
    """One rule alone is loosened."""
    return {**NONE, f"sequence_generators.constraint_relaxation.relax_{rule}": True}


UNSOLD = described(CAPPED, allow_sell={"AA": False, "DD": False})
"""Two holdings that may not be sold."""


WHAT_IF = {
    **{
        f"constraint_relaxation.relax_{rule}": Change(True, CAPPED, NONE)
        for rule in RELAXED
        if rule != "allow_sell"
    },
    "constraint_relaxation.relax_allow_sell": Change(True, UNSOLD, NONE),
    "constraint_relaxation.min_shares_relaxed": Change(0.5, CAPPED, loosened("min_lot")),
    "constraint_relaxation.cap_step": Change(0.02, CAPPED, loosened("turnover")),
    "constraint_relaxation.reserve_step": Change(0.02, CAPPED, loosened("cash_reserve")),
    "constraint_relaxation.max_securities": Change(1, UNSOLD, loosened("allow_sell")),
    "partial_execution.prefixes": Change(False, USUAL),
    "partial_execution.fills": Change((0.25,), USUAL),
    "partial_execution.min_shares": Change(100, USUAL),
}

TIES = {"filters.diversity.diversity_weight": 1.0, "filters.diversity.near_tie": 0.1}
FIRST = {"filters.diversity.max_sequences": 1}

FILTERS = {
    "correlation_aware.correlation_threshold": Change(1.0, ALIKE),
    "correlation_aware.large_holding": Change(0.9, ALIKE),
    "correlation_aware.on_missing": Change("deny", UNKNOWN),
    "diversity.diversity_weight": Change(0.0, NEAR, {**TIES, **FIRST}),
    "diversity.near_tie": Change(0.0, NEAR, {**TIES, **FIRST}),
    "diversity.max_sequences": Change(1, NEAR, TIES),
    "diversity.min_diversity_score": Change(0.7, USUAL),
    "eligibility.min_hold_days": Change(
        30, dated(AA=(60, None)), {"filters.recently_traded.opposite_days": 0}
    ),
    "eligibility.no_panic_sell_pct": Change(0.1, USUAL),
    "eligibility.on_missing": Change("deny", dated(AA=(None, None))),
    "recently_traded.buy_cooldown_days": Change(30, dated(BB=(10, None))),
    "recently_traded.sell_cooldown_days": Change(180, dated(AA=(1000, 60))),
    "recently_traded.opposite_days": Change(
        10, dated(AA=(60, None)), {"filters.eligibility.min_hold_days": 0}
    ),
    "recently_traded.on_missing": Change("deny", dated(AA=(None, None))),
    "wash_sale.on_missing": Change("deny", dated(AA=(None, None)), {"lots.wash_sale_days": 30}),
}

BY_KIND = {
    Kind.OPPORTUNITY: CALCULATORS, Kind.PATTERN: PATTERNS, Kind.SEQUENCE: GENERATORS | WHAT_IF,
    Kind.FILTER: FILTERS,
}  # fmt: skip
CHANGES: dict[str, Change] = {
    **SETTINGS,
    **{f"{kind}.{key}": change for kind, own in BY_KIND.items() for key, change in own.items()},
}

PROPOSE = "it shapes what is proposed; over the whole table every list is looked at"
ONE_SCOPE = {
    **{key: PROPOSE for key in CHANGES if key.startswith(f"{Kind.PATTERN}.")},
    **{f"{Kind.SEQUENCE}.{key}": PROPOSE for key in GENERATORS},
    **{f"planner.{key}": PROPOSE for key in Planner.model_fields if key != "base_trade_weight"},
    **{key: "it ranks proposals" for key in CHANGES if key.startswith("filters.diversity.")},
}
"""Settings that decide the plan among proposals alone -> why."""

OVER_LOTS = "search.resolved_orders"
"""Only there is the search made again without a step."""

EARLY = {"candidates", "holdings", "objective"}
"""Parts of the document that stand before a scope matters."""


def settled(key: str, scope: str) -> World:
    """The world of a change in a scope: the module on whose setting it is, what both sides have."""
    change, (kind, name, *_) = CHANGES[key], key.split(".")
    proposer = {Kind.PATTERN: name, "regime": "market_regime"}.get(kind, change.alone)
    of = change.of
    if proposer:
        of = alone(of, proposer)
    elif kind in set(Kind):
        of = enabled(of, Kind(kind), name)
    if kind == Kind.SEQUENCE:
        of = only_with(of, Kind.SEQUENCE, name)
    return replace(of, strategy=put(of.strategy, {**change.among, "search.scope": scope}))


def document(of: World) -> Document:
    """What the plan says beyond what it was asked."""
    try:
        parts = of.plan(steps=ticking()).document()
    except PlanRefused as refused:
        return {"refused": str(refused)}
    del parts["certificate"]["seconds"]
    del parts["score"]["min_improvement"]
    del parts["objective"]["profile"]
    return {name: part for name, part in parts.items() if name not in ECHOES}


UNCHANGED: dict[tuple[int, str], Document] = {}
"""World and strategy -> the document of its plan, made once for all settings."""


def differing(key: str, scope: str) -> set[str]:
    """Parts of the document that the change of a setting changes in a scope."""
    change, of = CHANGES[key], settled(key, scope)
    asked = (id(change.of), of.strategy.sha256)
    before = UNCHANGED[asked] = UNCHANGED.get(asked) or document(of)
    after = document(replace(of, strategy=put(of.strategy, {key: change.value})))
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def test_every_setting_and_every_parameter_has_its_change_here() -> None:
    assert sorted([*CHANGES, "search.scope"]) == sorted(every_key())


def acts(key: str) -> None:
    among_proposals = differing(key, "proposals")
    assert among_proposals, "it is idle among proposals"
    if not among_proposals & EARLY:
        assert differing(key, "candidates"), "it is idle over the whole table"


def acts_among_proposals_alone(key: str) -> None:
    assert differing(key, "proposals"), "it is idle"
    assert BEST.isdisjoint(differing(key, "candidates")), "it changes the best of the whole table"


def acts_over_whole_lots_alone(key: str) -> None:
    assert differing(key, "quantities") == {"steps"}, "it says anew what each step adds"
    for scope in SCOPES:
        assert not differing(key, scope), f"it acts in {scope}"


def changes_the_report_and_never_the_plan(key: str) -> None:
    for scope in SCOPES:
        parts = differing(key, scope)
        assert parts, f"it is idle in {scope}"
        assert parts <= {"what_if", "modules"}, scope


def rule_of(key: str) -> Callable[[str], None]:
    if key.removeprefix(f"{Kind.SEQUENCE}.") in WHAT_IF:
        return changes_the_report_and_never_the_plan
    if key == OVER_LOTS:
        return acts_over_whole_lots_alone
    return acts_among_proposals_alone if key in ONE_SCOPE else acts


SLOW = {"sequence_generators", "pattern_generators"}
"""Groups that take longer than all others together: the nightly tests try them."""
GROUPS = [
    pytest.param(group, marks=[pytest.mark.nightly] if group in SLOW else [])
    for group in sorted({key.partition(".")[0] for key in CHANGES})
]


@pytest.mark.parametrize("group", GROUPS)
def test_every_setting_changes_the_plan_where_it_should_and_nowhere_else(group: str) -> None:
    keys = {key: key for key in CHANGES if key.partition(".")[0] == group}

    each(keys, lambda key: rule_of(key)(key))


def test_the_scope_changes_what_the_plan_is_the_best_of() -> None:
    table, proposals = (document(scoped(USUAL, scope)) for scope in SCOPES)
    lists = document(scoped(USUAL, "quantities"))

    assert table != proposals
    assert lists["score"]["improvement"] > table["score"]["improvement"]
    assert any(step["candidate"] is None for step in lists["steps"])
    assert proposals["certificate"]["covers"].startswith("best of ")
