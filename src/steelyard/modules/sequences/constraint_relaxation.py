"""Constraint relaxation: what would the plan gain without one of its rules? A report, no plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, sequence_generator
from steelyard.modules.sequences import Loosening, Order

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

    relax_allow_sell: Annotated[bool, Field(description="sell what may not be sold")] = True
    relax_min_lot: Annotated[bool, Field(description="trade parts of a lot")] = True
    relax_max_position: Annotated[bool, Field(description="raise the position cap")] = False
    relax_cooldown: Annotated[bool, Field(description="end each cooldown and holding period")] = (
        False
    )
    relax_cash_reserve: Annotated[bool, Field(description="lower the cash reserve")] = True
    relax_max_group: Annotated[bool, Field(description="raise the group cap")] = True
    relax_turnover: Annotated[bool, Field(description="raise the turnover cap")] = True
    relax_min_order: Annotated[
        bool, Field(description="give up the rule that sets the least order")
    ] = True
    relax_depth: Annotated[bool, Field(description="allow one more order")] = True
    min_shares_relaxed: Annotated[
        float, Field(gt=0, lt=1, description="what of a lot may be traded where lots are loosened")
    ] = 0.1
    cap_step: Annotated[
        float, Field(gt=0, le=1, description="by which a cap is raised, of value")
    ] = 0.05
    reserve_step: Annotated[
        float, Field(gt=0, le=1, description="by which the reserve is lowered, of value")
    ] = 0.01
    max_securities: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="securities that may not be sold that are tried, largest first",
        ),
    ] = 3


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
        now, setting = limits.cash_reserve_weight, "limits.cash_reserve_weight"
        yield Loosening("a lower cash reserve", setting, now, then, "pp")
    caps = (
        (params.relax_max_position, "a looser position cap", "max_position_weight", 1.0),
        (params.relax_max_group, "a looser group cap", "max_group_weight", 1.0),
        (params.relax_turnover, "more turnover", "max_turnover_weight", MOST_TURNOVER),
    )
    for asked, name, setting, most in caps:
        now = getattr(limits, setting)
        if asked and now is not None and now < most:
            then = min(most, round(now + params.cap_step, DECIMALS))
            yield Loosening(name, f"limits.{setting}", now, then, "pp")
    if params.relax_min_order:
        yield from _smaller_orders(ctx)
    if params.relax_depth and ctx.search.max_depth < MOST_DEPTH:
        depth = ctx.search.max_depth
        yield Loosening("one more order", "search.max_depth", depth, depth + 1, "order")
    if params.relax_allow_sell:
        yield from _sales(ctx, params.max_securities)
    if params.relax_cooldown:
        yield from _no_cooldowns(settings)
    if params.relax_min_lot and ctx.n:
        yield Loosening(
            "parts of a lot", "securities.lot_size", 1.0, params.min_shares_relaxed, "lot"
        )


def _smaller_orders(ctx: Context) -> Iterator[Loosening]:
    """The rule that sets the least order given up; where its cost does, twice the cost."""
    limits = ctx.limits
    if ctx.min_order_weight > max(limits.min_trade_base / ctx.value, limits.min_trade_weight):
        then = min(1.0, round(TWICE * limits.max_cost_share, DECIMALS))
        if then > limits.max_cost_share:
            now, setting = limits.max_cost_share, "limits.max_cost_share"
            yield Loosening("costlier small orders", setting, now, then, "pp")
    elif limits.min_trade_base / ctx.value > limits.min_trade_weight:
        now, setting = limits.min_trade_base, "limits.min_trade_base"
        yield Loosening("no least amount", setting, now, 0.0, ctx.base_currency)
    elif limits.min_trade_weight > 0:
        now, setting = limits.min_trade_weight, "limits.min_trade_weight"
        yield Loosening("no least weight of an order", setting, now, 0.0, "pp")


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
    for name, rule, setting in COOLDOWNS:
        days = running.get(rule, {}).get(setting, 0)
        if days > 0:
            yield Loosening(name, f"filters.{rule}.{setting}", days, 0, "day")
