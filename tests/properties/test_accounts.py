"""What an account is worth adds up, whatever is in it; no figure that is traded is old."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.positions import odd_worlds
from builders.world import AS_OF, World, world
from builders.worlds import SOME
from steelyard.ages import weekdays
from steelyard.errors import PlanRefused
from steelyard.money import FxTable
from steelyard.plans import verify

LIMIT = 5
NOISE = 1e-9
DAYS = (1, 3, 7, 8, 9, 10, 365, 3650, 36_500)


@SOME
@given(of=odd_worlds())
def test_positions_cash_and_money_on_its_way_are_the_value_and_the_second_opinion_agrees(of):
    plan = of.plan()
    rows = (*plan.holdings, *plan.kept_out)
    coming: dict[str, Decimal] = {}
    for entry in plan.settling:
        coming[entry.currency] = coming.get(entry.currency, Decimal(0)) + entry.amount

    assert verify.check(verify.load(plan.to_json())).failed == ()
    worth = sum((row.value for row in rows), Decimal(0))
    assert worth + plan.in_base(plan.cash) + plan.in_base(coming) == plan.value
    cash_after = plan.in_base(plan.cash_after) + plan.costs.total
    traded = {row.symbol: row for row in plan.holdings}
    after = sum(
        (
            row.quantity * h.price * h.multiplier * h.fx_rate
            for row in plan.holdings_after
            for h in [traded[row.symbol]]
        ),
        Decimal(0),
    )
    assert after + sum((row.value for row in plan.kept_out), Decimal(0)) + cash_after == plan.value
    weights = [row.weight for row in (*plan.holdings_after, *plan.kept_out)]
    assert abs(sum(weights) + float(cash_after / plan.value) - 1) < NOISE
    touched = {order.symbol for order in (*plan.steps, *plan.candidates)}
    assert not touched & {row.symbol for row in plan.kept_out}
    for step in plan.steps:
        assert step.notional_base == step.quantity * step.price * step.multiplier * step.fx_rate


def of_old(days: int, *, symbol: str | None, rows: int) -> World:
    """The date of one price, or of the one rate, moved back by so many days."""
    of = world(
        "AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20", "DD 0 @ 30", cash="9000",
        targets={"AA": 0.2, "BB": 0.3, "CC": 0.2, "DD": 0.2}, foreign=("BB", "DD"), sessions=rows,
    )  # fmt: skip
    back = AS_OF - timedelta(days=days)
    if symbol is not None:
        quote = replace(of.market.quotes[symbol], on=back)
        return of.having(quotes={**of.market.quotes, symbol: quote})
    rate = replace(of.market.fx.rates["EUR"][-1], on=back)
    return of.having(fx=FxTable("USD", {"EUR": (rate,)}))


@given(
    days=st.sampled_from(DAYS), symbol=st.sampled_from(["AA", "BB", "CC", "DD", None]),
    rows=st.sampled_from([1, 2, 60]),
)  # fmt: skip
def test_no_figure_that_is_held_or_traded_is_older_than_the_limit_however_few_rows_there_are(
    days, symbol, rows
):
    of = of_old(days, symbol=symbol, rows=rows)
    old = weekdays(AS_OF - timedelta(days=days), AS_OF) > LIMIT
    if old and symbol not in {"CC", "DD"}:
        with pytest.raises(PlanRefused, match="weekdays old; at most 5"):
            of.plan()
        return
    plan = of.plan()
    in_use = [row for row in plan.holdings if row.quantity or plan.step(row.symbol)]
    assert [row.symbol for row in in_use if weekdays(row.price_on, AS_OF) > LIMIT] == []
    if old:
        assert symbol not in {row.symbol for row in (*plan.holdings, *plan.candidates)}
        assert symbol in {row.symbol for row in plan.drift.absent}


def test_a_rate_is_carried_forward_over_weekdays_and_not_over_rows_of_the_file():
    days = [date(2024, 1, 5), date(2024, 1, 12), date(2024, 1, 15)]  # 0, 5 and 6 weekdays after
    of = world("AA 1 @ 10")
    rate = replace(of.market.fx.rates["EUR"][0], on=days[0])

    column = np.array(days, dtype="datetime64[D]")
    series = FxTable("USD", {"EUR": (rate,)}).series("EUR", column, max_age=LIMIT)

    assert [str(value) for value in series] == ["1.25", "1.25", "nan"]
