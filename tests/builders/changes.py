"""A world with one thing changed: its scope, a module on, off or faulty, facts of a security.

Each takes a world and gives another; `planned` and `prepared` of a world are made once, so that
tests may ask for the same one again and again.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np

from builders.world import (
    AS_OF,
    World,
    choosing,
    market,
    only,
    with_call,
    with_on,
    with_params,
    without,
    world,
)
from steelyard.modules.registry import Kind, Module, ModuleParams
from steelyard.plans.plan import Plan
from steelyard.portfolio import Holding, TaxLot
from steelyard.strategies import ModuleChoice

YOUNG = 30
"""Sessions too few for any estimate: all securities are alike, only weights and costs decide."""

HELD = ("AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20")
GOALS = {"AA": 0.2, "BB": 0.3, "CC": 0.3}


def usual(**changes: Any) -> World:
    """AA over its target, BB under it, CC not held yet."""
    return world(*HELD, **{"cash": "9000", "targets": GOALS, **changes})


USUAL = usual()


# the strategy


@functools.cache
def scoped(of: World, scope: str) -> World:
    """The world in which the plan is the best of the table (`candidates`) or of the proposals."""
    search = of.strategy.search.model_copy(update={"scope": scope})
    return replace(of, strategy=replace(of.strategy, search=search))


def proposing(of: World) -> World:
    """The world in which the plan is the best proposal."""
    return scoped(of, "proposals")


def enabled(of: World, kind: Kind, name: str, **params: Any) -> World:
    """The world with one more module on."""
    strategy = with_params(of.strategy, kind, name, **params) if params else of.strategy
    return replace(of, strategy=with_on(strategy, kind, name))


@functools.cache
def off(of: World, kind: Kind, *names: str) -> World:
    """The world with some modules of a kind off."""
    return replace(of, strategy=without(of.strategy, kind, *names))


@functools.cache
def only_with(of: World, kind: Kind, *names: str) -> World:
    """The world with these modules of a kind alone."""
    return replace(of, strategy=only(of.strategy, kind, *names))


def alone(of: World, name: str, kind: Kind = Kind.PATTERN, **params: Any) -> World:
    """The world in which one pattern or generator makes all proposals."""
    others = Kind.SEQUENCE if kind is Kind.PATTERN else Kind.PATTERN
    return only_with(only_with(enabled(of, kind, name, **params), kind, name), others)


def calling(of: World, kind: Kind, name: str, call: Any) -> World:
    """The world in which one module does what is said: what a faulty plugin would do."""
    return replace(of, strategy=with_call(of.strategy, kind, name, call))


def with_form(of: World, name: str, form: str, call: Any) -> World:
    """The world with one filter on, of that form, doing what is said."""

    def changed(choice: ModuleChoice) -> dict[str, Any]:
        module = replace(choice.module, form=form, call=call)
        return {"enabled": True, "module": module} if choice.module.name == name else {}

    return replace(of, strategy=choosing(of.strategy, Kind.FILTER, changed))


def scored(of: World, **score: Any) -> World:
    """The world with other settings of the score."""
    changed = of.strategy.score.model_copy(update=score)
    return replace(of, strategy=replace(of.strategy, score=changed))


class NoParams(ModuleParams):
    """None."""


def with_term(strategy: Any, name: str, call: Any, weight: float) -> Any:
    """The strategy with one more score term, of that weight."""
    module = Module(Kind.TERM, name, "1.0.0", "a test term", NoParams, call)
    choice = ModuleChoice(module, enabled=True, params=NoParams(), why="strategy file")
    choices = {**strategy.choices, Kind.TERM: (*strategy.choices[Kind.TERM], choice)}
    score = strategy.score.model_copy(update={"further": {name: weight}})
    return replace(strategy, choices=MappingProxyType(choices), score=score)


# the securities, the holdings, the market


def described(of: World, **facts: Mapping[str, Any]) -> World:
    """The world in which more is known of its securities: `countries={"AA": ("US",)}`."""

    def more(security: Any) -> Any:
        own = {name: of_[security.symbol] for name, of_ in facts.items() if security.symbol in of_}
        return replace(security, **own)

    listed = tuple(map(more, of.snapshot.securities))
    return replace(of, snapshot=replace(of.snapshot, securities=listed))


def dated(of: World, symbol: str, *, bought: int | None = None, sold: int | None = None) -> World:
    """The world in which a holding was bought, or sold in part, some days ago."""

    def days_ago(days: int | None) -> date | None:
        return None if days is None else AS_OF - timedelta(days=days)

    def older(holding: Holding) -> Holding:
        day = days_ago(bought)
        lots = tuple(replace(lot, acquired=day or lot.acquired) for lot in holding.lots)
        return replace(holding, lots=lots, last_sold=days_ago(sold))

    holdings = tuple(older(h) if h.symbol == symbol else h for h in of.snapshot.holdings)
    return replace(of, snapshot=replace(of.snapshot, holdings=holdings))


def dated_lots(of: World) -> World:
    """The world in which AA was bought in three lots: long ago, of unknown date, of late."""
    lots = (
        TaxLot(Decimal(100), AS_OF - timedelta(days=3000), Decimal(20)),
        TaxLot(Decimal(100), None, Decimal(90)),
        TaxLot(Decimal(200), AS_OF - timedelta(days=900), Decimal(120)),
    )
    others = tuple(h for h in of.snapshot.holdings if h.symbol != "AA")
    holdings = (*others, Holding("AA", Decimal(400), lots))
    return replace(of, snapshot=replace(of.snapshot, holdings=holdings))


TWINS = ("AA 600 @ 100", "BB 0 @ 50", "CC 0 @ 80", "DD 200 @ 40")
TWIN_GOALS = {"AA": 0.5, "BB": 0.15, "CC": 0.15, "DD": 0.18}


def twins(
    *lines: str, targets: Mapping[str, float], cash: str, like_aa: str = "AB", **sections: Any
) -> World:
    """A world in which BB and CC have one history, as have AA and another."""
    prices = {line.split()[0]: Decimal(line.split()[-1]) for line in lines}
    walks = {"BB": 7, "CC": 7, "AA": 11, like_aa: 11}
    of = world(*lines, targets=targets, cash=cash, **sections)
    return replace(of, market=market(prices, walks=walks))


BB_AND_CC_ALIKE = twins(*TWINS, cash="32000", targets=TWIN_GOALS)


# modules from outside


def at_most_one_buy(ctx: Any, table: Any, params: ModuleParams) -> Any:
    """What no mask and no pair can say would do as well, but this is asked lazily."""
    buys = np.append(table.is_buy, False)
    return lambda rows: buys[rows].sum(axis=1) <= 1


ONE_BUY = Module(
    *(Kind.FILTER, "at_most_one_buy", "1.0.0", "At most one buy in a plan", ModuleParams),
    at_most_one_buy,
    form="rows",
)


# plans


def traded(plan: Plan) -> set[str]:
    """What a plan trades: `{"-AA", "+BB"}`."""
    return {("+" if step.side == "buy" else "-") + step.symbol for step in plan.steps}


def exact(plan: Plan) -> list[tuple[Any, ...]]:
    """What a plan trades, with the quantities."""
    return [(step.side, step.quantity, step.symbol) for step in plan.steps]


def stops(plan: Plan, symbol: str) -> list[tuple[str, str]]:
    """What stopped the orders of a symbol: (stage, rule)."""
    return [(row.stage, row.rule) for row in plan.not_traded if row.symbol == symbol]


def untimed(plan: Plan) -> Plan:
    """What two runs of one plan must have in common: everything but how long it took."""
    certificate = plan.certificate.model_copy(update={"seconds": None})
    return plan.model_copy(update={"timings": (), "certificate": certificate})


def same_plan(plan: Plan, other: Plan) -> None:
    """Two plans trade, score, prove and stop the same."""
    for part in ("score", "not_traded", "candidates", "proposed_by"):
        assert getattr(plan, part) == getattr(other, part), part
    assert exact(plan) == exact(other)
    assert untimed(plan).certificate == untimed(other).certificate
