"""The one mapper: settings of a satellite to a Strategy.

Slider v in 0..1, each output and where it acts:

    risk_appetite    planner.priority_threshold          .5 - .3 v      which orders are proposed
                     limits.max_position_weight          .10 + .10 v    the largest position
                     score.cost_aversion                 default x (1.5 - v)  what orders must earn
    hold_duration    eligibility.min_hold_days           180 v          days from a buy to a sale
                     recently_traded, its three limits   2 v x default  days between orders
    entry_style      averaging_down.priority_weight      1 - v          how early a dip is proposed
                     opportunity_buys.momentum_weight    v              quality, or momentum
    position_spread  planner.max_opportunities_…         2 + 8 v        securities of a pattern
                     limits.max_position_weight          x (1 - .5 v)   of risk_appetite or the base
                     score.extra_diversification         default + .2 v share of diversification
    profit_taking    profit_taking.windfall_threshold    .40 - .25 v    what excess is a windfall
                     profit_taking.sell_fraction         .20 + .30 v    how much of it is sold

Days and counts are whole, halves upwards. At .5 risk_appetite and hold_duration say of costs and
days what the default says. A slider that is set decides its outputs whole: what the base has there
is gone, but for the position cap that two sliders share. Toggles switch one thing each.

Without a base it is the strategy that is shipped under the preset's name, else the default one.
Half of the outputs steer proposals and would be idle where quantities are searched: without targets
the plan is the best of what is proposed. Targets say more than they do: with targets any whole-lot
order list is searched, and proposals are where that begins. A base that names its scope keeps it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from steelyard import strategies
from steelyard.buckets.satellite import SatelliteSettings
from steelyard.modules.registry import Kind, module
from steelyard.settings import Score
from steelyard.strategies import Strategy

Changes = dict[str, Any]
"""Tables and keys of a strategy, as its file spells them."""

DECIMALS = 12
"""Sliders are decimals of people: .5 - .3 x .7 is .29."""
HOLD_DAYS = 180
STOP_DISTANCE = 0.10
STOP_GAIN = 0.15
STORMY = 1.5
"""A month's volatility over a year's from which a market is stormy."""


def strategy_of(settings: SatelliteSettings, base: Strategy | None = None) -> Strategy:
    """The rules of a satellite: what is set, else its preset, else the base; `sources` tells."""
    return _laid_over(settings, base)[0]


def moved_by(
    settings: SatelliteSettings, base: Strategy | None = None
) -> Mapping[str, Mapping[str, Any]]:
    """Setting -> the keys that it moves and to what, `limits.max_position_weight` -> 0.17.

    Only what is set by somebody moves anything; of a key of two settings the later one counts.
    """
    return _laid_over(settings, base)[1]


def _laid_over(
    settings: SatelliteSettings, base: Strategy | None
) -> tuple[Strategy, dict[str, dict[str, Any]]]:
    strategy = replace(_start(settings) if base is None else base, name=settings.satellite_id)
    moved: dict[str, dict[str, Any]] = {}
    for name, changes in MAPPING.items():
        value, why = settings.chosen(name)
        if value is not None:
            made = changes(value, strategy)
            moved[name] = dict(_flat(made))
            strategy = strategies.overlay(strategy, made, why, strategy.name)
    return strategy, moved


def _flat(table: Changes, before: str = "") -> Iterator[tuple[str, Any]]:
    """Keys of tables in tables, with points between."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _start(settings: SatelliteSettings) -> Strategy:
    shipped = settings.preset if settings.preset in strategies.PRESETS else None
    return strategies.preset(shipped) if shipped else strategies.default()


def _exact(value: float) -> float:
    return round(value, DECIMALS) + 0.0  # no -0.0: it would be another strategy by its hash


def whole(value: float) -> int:
    """The nearest whole number, halves upwards: every step of a slider is equally wide.

    >>> whole(2.5), whole(3.5)
    (3, 4)
    """
    return math.floor(_exact(value) + 0.5)


def _risk_appetite(v: float, _: Strategy) -> Changes:
    return {
        "planner": {"priority_threshold": _exact(0.5 - 0.3 * v)},
        "limits": {"max_position_weight": _exact(0.10 + 0.10 * v)},
        "score": {"cost_aversion": _exact(Score().cost_aversion * (1.5 - v))},
    }


def _hold_duration(v: float, _: Strategy) -> Changes:
    usual = module(Kind.FILTER, "recently_traded").params()
    cooldowns = {
        name: whole(2 * v * getattr(usual, name))
        for name in ("buy_cooldown_days", "sell_cooldown_days", "opposite_days")
    }
    return {
        "filters": {
            "eligibility": {"min_hold_days": whole(HOLD_DAYS * v)},
            "recently_traded": cooldowns,
        }
    }


def _entry_style(v: float, _: Strategy) -> Changes:
    return {
        "opportunity_calculators": {
            "averaging_down": {"priority_weight": _exact(1 - v)},
            "opportunity_buys": {"momentum_weight": _exact(v)},
        }
    }


def _position_spread(v: float, base: Strategy) -> Changes:
    return {
        "planner": {"max_opportunities_per_category": whole(2 + 8 * v)},
        "limits": {"max_position_weight": _exact(base.limits.max_position_weight * (1 - 0.5 * v))},
        "score": {"extra_diversification": _exact(Score().extra_diversification + 0.2 * v)},
    }


def _profit_taking(v: float, _: Strategy) -> Changes:
    threshold, fraction = _exact(0.40 - 0.25 * v), _exact(0.20 + 0.30 * v)
    return _profits(windfall_threshold=threshold, sell_fraction=fraction)


def _trailing_stops(on: bool, _: Strategy) -> Changes:
    stop = {"trailing_stop_distance": STOP_DISTANCE, "trailing_stop_gain": STOP_GAIN}
    return _profits(**(stop if on else {"trailing_stop_distance": None}))


def _follow_regime(on: bool, _: Strategy) -> Changes:
    return {"pattern_generators": {"market_regime": {"enabled": on}}}


def _auto_harvest(on: bool, _: Strategy) -> Changes:
    return _profits(auto_harvest=on)


def _pause_high_volatility(on: bool, _: Strategy) -> Changes:
    return {"limits": {"pause_volatility_ratio": STORMY if on else None}}


def _profits(**params: Any) -> Changes:
    return {"opportunity_calculators": {"profit_taking": params}}


MAPPING: Mapping[str, Callable[[Any, Strategy], Changes]] = {
    "risk_appetite": _risk_appetite,
    "hold_duration": _hold_duration,
    "entry_style": _entry_style,
    "position_spread": _position_spread,
    "profit_taking": _profit_taking,
    "trailing_stops": _trailing_stops,
    "follow_regime": _follow_regime,
    "auto_harvest": _auto_harvest,
    "pause_high_volatility": _pause_high_volatility,
}
"""What each setting changes, in the order in which they act."""
