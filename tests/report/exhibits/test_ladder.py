"""Cash: the lowest balance, balances carried forward, and what is said of them."""

from datetime import timedelta
from decimal import Decimal

from builders import plans as sample
from builders.world import AS_OF, world
from steelyard.plans.account import CashRung
from steelyard.portfolio import Flow
from steelyard.report.exhibits import ladder


def test_a_ladder_marks_the_lowest_balance_and_carries_balances_forward():
    plan = sample.growth()
    (usd,) = ladder.cash(plan).ladders
    after = plan.cash_after["USD"]

    assert usd.lowest.text == "8,812"
    assert [(day.traded, day.settled, day.lowest) for day in usd.days] == [
        (after, Decimal(10374), True),
        (after, after, False),
    ]


def test_a_balance_below_zero_is_said_and_drawn():
    plan = sample.overdrawn()
    exhibit = ladder.cash(plan)

    assert exhibit.ladders[0].up.low < 0
    assert exhibit.heading == "Cash is below zero in USD"


def test_a_base_balance_under_the_reserve_is_not_called_above_it():
    plan = sample.growth()
    rung = CashRung(
        date=plan.as_of, currency="USD", balance=Decimal(1), kind="settled", estimated=False
    )

    exhibit = ladder.cash(plan.model_copy(update={"cash_ladder": (rung,)}))
    assert exhibit.heading == "Cash never falls below zero"


def test_dates_under_the_axis_stand_apart_and_the_table_has_every_day():
    out = Flow("USD", Decimal(-1500), AS_OF + timedelta(days=40))
    of = world("AA 300 @ 100", cash="5000", targets={"AA": 0.6}, funds=["AA"])
    (usd,) = ladder.cash(of.having(flows=(out,)).plan()).ladders

    assert len(usd.days) == 3  # traded, settled the weekday after, taken out
    assert [mark.text for mark in usd.dates] == [usd.days[0].on, usd.days[2].on]
