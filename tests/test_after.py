"""`snapshot.after(plan)`: what is owned once every step is done, lot by lot."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings

import steelyard
from builders.world import World
from builders.worlds import worlds
from steelyard.errors import InputError
from steelyard.planning import planner
from steelyard.plans.plan import Plan
from steelyard.portfolio import Settling, Snapshot, TaxLot


def made(world: World) -> tuple[Snapshot, Plan]:
    plan = planner.plan(world.snapshot, world.market, world.strategy, targets=world.targets)
    return world.snapshot, plan


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_holdings_lots_and_cash_are_those_that_the_plan_says(world: World):
    before, plan = made(world)
    after = before.after(plan)
    owned = {holding.symbol: holding for holding in after.holdings}
    shown = {row.symbol: row.quantity for row in plan.holdings_after}
    traded = {step.symbol for step in plan.steps}

    assert {symbol: owned[symbol].quantity for symbol in traded} == {
        symbol: shown.get(symbol, Decimal(0)) for symbol in traded
    }
    for symbol in traded:
        lots = sum((lot.quantity for lot in owned[symbol].lots), Decimal(0))
        assert lots == owned[symbol].quantity
    for holding in before.holdings:
        if holding.symbol not in traded:
            assert owned[holding.symbol] == holding
    assert {c: amount for c, amount in after.balances.items() if amount} == {
        c: amount for c, amount in plan.cash_after.items() if amount
    }


@settings(max_examples=15, deadline=None)
@given(worlds())
def test_a_plan_of_the_portfolio_after_is_worth_what_the_plan_left(world: World):
    before, plan = made(world)
    again = planner.plan(before.after(plan), world.market, world.strategy, targets=world.targets)

    assert abs(again.value - (plan.value - plan.costs.total)) < Decimal("1e-9") * plan.value + 1


@pytest.fixture
def traded() -> tuple[Snapshot, Plan]:
    """An account that sells one lot of two and buys what it has not."""
    lots = [
        {"quantity": 60, "acquired": date(2020, 1, 2), "average_cost": 120},
        {"quantity": 60, "acquired": date(2021, 1, 4), "average_cost": 80},
    ]
    inputs = steelyard.inputs(
        {"VT": lots}, prices={"VT": 100, "BND": 50}, targets={"VT": 0.5, "BND": 0.5},
        cash={"USD": 100}, as_of=date(2022, 12, 28),
    )  # fmt: skip
    late = Settling("USD", Decimal(250), date(2022, 12, 30))
    snapshot = replace(inputs.snapshot, settling=(late,))
    return snapshot, steelyard.plan(snapshot, inputs.market, targets=inputs.targets)


def test_the_lots_that_the_steps_name_are_gone_and_a_buy_is_a_lot_of_its_day(traded):
    snapshot, plan = traded
    after = snapshot.after(plan)
    owned = {holding.symbol: holding for holding in after.holdings}
    sell, buy = plan.steps

    assert (sell.symbol, buy.symbol) == ("VT", "BND")
    assert 0 < sell.quantity < 120
    assert owned["VT"].lots[-1] == TaxLot(Decimal(60), date(2021, 1, 4), Decimal(80))
    assert owned["VT"].last_sold == plan.as_of
    assert owned["VT"].sold_at_loss
    assert owned["BND"].lots == (TaxLot(buy.quantity, plan.as_of, Decimal(50)),)
    assert owned["BND"].last_bought == plan.as_of


def test_what_settles_later_still_does_and_is_not_cash_yet(traded):
    snapshot, plan = traded
    after = snapshot.after(plan)

    assert after.settling == snapshot.settling
    assert after.cash["USD"] == plan.cash_after["USD"] - 250
    assert after.balances == plan.cash_after


def test_a_deposit_is_cash_afterwards_and_a_withdrawal_is_gone():
    data = {
        "prices": {"VT": 100, "BND": 50}, "targets": {"VT": 0.5, "BND": 0.5},
        "as_of": date(2022, 12, 28),
    }  # fmt: skip
    inputs = steelyard.inputs(
        {"VT": 60, "BND": 100}, cash={"USD": 500}, deposit={"USD": 1000},
        withdraw={"USD": (2500, date(2023, 1, 10))}, **data,
    )  # fmt: skip
    plan = steelyard.plan(inputs)
    after = inputs.snapshot.after(plan)
    again = steelyard.plan(after, **data)

    assert len(inputs.snapshot.flows) == 2
    assert any(step.side == "sell" for step in plan.steps)
    assert after.flows == ()
    assert after.cash == plan.cash_after
    assert abs(again.value - (plan.value - 2500 - plan.costs.total)) < Decimal("0.01")


def test_a_plan_of_another_snapshot_is_refused_and_says_what_differs(traded):
    snapshot, plan = traded
    others = {
        "its day is 2022-12-28": replace(snapshot, as_of=snapshot.as_of + timedelta(days=1)),
        "its base currency is USD": replace(snapshot, base_currency="EUR"),
        "its bucket is core": replace(snapshot, bucket="satellite"),
        "lots that the snapshot does not have": replace(snapshot, holdings=()),
    }
    wrong = {}
    for due, other in others.items():
        with pytest.raises(InputError) as error:
            other.after(plan)
        if due not in str(error.value):
            wrong[due] = str(error.value)

    assert wrong == {}
