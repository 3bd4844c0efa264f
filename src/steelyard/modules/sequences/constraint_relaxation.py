"""Constraint relaxation: what would the plan gain without one of its rules? A report, no plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, sequence_generator
from steelyard.modules.sequences import Loosening, Order
from steelyard.settings import setting

MOST_DEPTH = 10
MOST_TURNOVER = 2.0
TWICE = 2
DECIMALS = 9
"""Weights are rounded to these: 0.2 + 0.05 is 0.25."""

COOLDOWNS = (
    ("no wait between buys", "recently_traded", "buy_cooldown_days"),
    ("no wait between sales", "recently_traded", "sell_cooldown_days"),
    ("no wait before the opposite order", "recently_traded", "opposite_days"),
    ("no holding period", "eligibility", "min_hold_days"),
)
"""Name for people, filter, its parameter."""


class Params(ModuleParams):
    """Which rules are loosened, each alone, and how far."""

    relax_allow_sell: bool = setting(True, "sell what may not be sold")
    relax_min_lot: bool = setting(True, "trade parts of a lot")
    relax_max_position: bool = setting(False, "raise the position cap")
    relax_cooldown: bool = setting(False, "end each cooldown and holding period")
    relax_cash_reserve: bool = setting(True, "lower the cash reserve")
    relax_max_group: bool = setting(True, "raise the group cap")
    relax_turnover: bool = setting(True, "raise the turnover cap")
    relax_min_order: bool = setting(True, "give up the rule that sets the least order")
    relax_depth: bool = setting(True, "allow one more order")
    min_shares_relaxed: float = setting(
        0.1, "what of a lot may be traded where lots are loosened", gt=0, lt=1
    )
    cap_step: float = setting(0.05, "by which a cap is raised, of value", gt=0, le=1)
    reserve_step: float = setting(0.01, "by which the reserve is lowered, of value", gt=0, le=1)
    max_securities: int = setting(
        3, "securities that may not be sold that are tried, largest first", ge=1, le=100
    )


@sequence_generator(
    "constraint_relaxation",
    version="1.0.0",
    params=Params,
    tags=("what_if",),
    on=False,
    form="what_if",
)
def constraint_relaxation(
    ctx: Context,
    candidates: Candidates,  # noqa: ARG001 - the shape of every what-if generator
    order: Order,  # noqa: ARG001
    settings: Mapping[str, Any],
    params: Params,
) -> Iterator[Loosening]:
    """Each rule in force loosened alone: reserve, caps, least order, depth, sales, waits, lots."""
    limits = ctx.limits
    if params.relax_cash_reserve and limits.cash_reserve_weight > 0:
        then = max(0.0, round(limits.cash_reserve_weight - params.reserve_step, DECIMALS))
        now, key = limits.cash_reserve_weight, "limits.cash_reserve_weight"
        yield Loosening("a lower cash reserve", key, now, then, "pp")
    caps = (
        (params.relax_max_position, "a looser position cap", "max_position_weight", 1.0),
        (params.relax_max_group, "a looser group cap", "max_group_weight", 1.0),
        (params.relax_turnover, "more turnover", "max_turnover_weight", MOST_TURNOVER),
    )
    for asked, name, key, most in caps:
        now = getattr(limits, key)
        if asked and now is not None and now < most:
            then = min(most, round(now + params.cap_step, DECIMALS))
            yield Loosening(name, f"limits.{key}", now, then, "pp")
    if params.relax_min_order:
        yield from _smaller_orders(ctx)
    if params.relax_depth:
        yield from _one_more_order(ctx)
    if params.relax_allow_sell:
        yield from _sales(ctx, params.max_securities)
    if params.relax_cooldown:
        yield from _no_cooldowns(settings)
    if params.relax_min_lot and ctx.n:
        yield Loosening(
            "parts of a lot", "securities.lot_size", 1.0, params.min_shares_relaxed, "lot"
        )


def _one_more_order(ctx: Context) -> Iterator[Loosening]:
    """The limit of orders raised by one: over whole lots only `limits.max_orders` is one."""
    most, depth = ctx.limits.max_orders, ctx.search.max_depth
    if most is not None and (ctx.search.scope == "quantities" or most <= depth):
        yield Loosening("one more order", "limits.max_orders", most, most + 1, "order")
    elif ctx.search.scope != "quantities" and depth < MOST_DEPTH:
        yield Loosening("one more order", "search.max_depth", depth, depth + 1, "order")


def _smaller_orders(ctx: Context) -> Iterator[Loosening]:
    """The rule that sets the least order given up; where its cost does, twice the cost."""
    limits = ctx.limits
    if ctx.min_order_weight > max(limits.min_trade_base / ctx.value, limits.min_trade_weight):
        then = min(1.0, round(TWICE * limits.max_cost_share, DECIMALS))
        if then > limits.max_cost_share:
            now, key = limits.max_cost_share, "limits.max_cost_share"
            yield Loosening("costlier small orders", key, now, then, "pp")
    elif limits.min_trade_base / ctx.value > limits.min_trade_weight:
        now, key = limits.min_trade_base, "limits.min_trade_base"
        yield Loosening("no least amount", key, now, 0.0, ctx.base_currency)
    elif limits.min_trade_weight > 0:
        now, key = limits.min_trade_weight, "limits.min_trade_weight"
        yield Loosening("no least weight of an order", key, now, 0.0, "pp")


def _sales(ctx: Context, most: int) -> Iterator[Loosening]:
    """Sales that the strategy or a security forbids, the largest holdings first."""
    if not ctx.limits.allow_sell:
        yield Loosening("sales", "limits.allow_sell", 0, 1, "switch")
        return
    forbidden = np.array([not security.allow_sell for security in ctx.securities], dtype=np.bool_)
    blocked = np.flatnonzero(ctx.held & ctx.tradable & forbidden)
    for i in sorted(blocked.tolist(), key=lambda i: (-ctx.weights[i], i))[:most]:
        symbol = ctx.symbols[i]
        yield Loosening(f"sales of {symbol}", f"securities.{symbol}.allow_sell", 0, 1, "switch")


def _no_cooldowns(settings: Mapping[str, Any]) -> Iterator[Loosening]:
    running = {module["name"]: module["params"] for module in settings["modules"]["filters"]}
    for name, rule, key in COOLDOWNS:
        days = running.get(rule, {}).get(key, 0)
        if days > 0:
            yield Loosening(name, f"filters.{rule}.{key}", days, 0, "day")
