"""What orders cost: conversion, spread, and tax on the lots that are sold."""

from decimal import Decimal

from builders.changes import USUAL, dated_lots, usual
from steelyard.settings import Costs, Score


def test_of_a_foreign_sale_what_its_currency_does_not_spend_converts_as_far_as_base_cash_lacks():
    plan = usual(foreign=("AA", "CC"), costs=Costs(fx_percent=0.01)).plan()

    sale, rate, (exchanged,) = plan.step("AA"), Decimal("1.25"), plan.conversions
    assert (sale.currency, sale.fx_rate) == ("EUR", rate)
    assert sale.notional_base == sale.quantity * 100 * rate
    assert (exchanged.from_, exchanged.to, exchanged.rate) == ("EUR", "USD", rate)
    assert sale.costs.fx == exchanged.cost == exchanged.amount * rate / 100
    assert plan.costs.fx == exchanged.cost
    assert 0 <= plan.cash_after["USD"] < Decimal("0.02")


def test_half_the_spread_is_paid():
    plan = usual(costs=Costs(spread_bps=40)).plan()

    assert plan.steps
    assert all(step.costs.spread == step.notional_base * Decimal("0.002") for step in plan.steps)


def test_lots_are_sold_oldest_first_and_those_of_unknown_date_before_all():
    step = dated_lots(USUAL).plan().step("AA")

    assert [lot.quantity for lot in step.lots][:2] == [100, 100]
    assert [lot.unit_cost for lot in step.lots][:2] == [90, 20]
    assert sum(lot.quantity for lot in step.lots) == step.quantity
    assert step.lots[1].gain == 8000


def test_tax_is_charged_on_the_gain_of_the_lots_sold_and_shown_apart_from_costs():
    free, taxed = (dated_lots(usual(score=Score(tax_rate=rate))).plan() for rate in (0, 0.25))

    gains = sum(lot.gain for lot in taxed.step("AA").lots if lot.gain is not None)
    assert taxed.costs.tax == gains / 4
    assert taxed.score.charges.tax > 0 == free.score.charges.tax
    assert free.costs.tax is None
    assert taxed.costs.total == sum(step.costs.total for step in taxed.steps)


def test_the_tax_on_a_lot_of_unknown_cost_is_not_guessed():
    plan = usual(score=Score(tax_rate=0.25)).plan()

    assert plan.step("AA") is not None
    assert plan.costs.tax is None
    assert ("AA", "average_cost") in {(row.symbol, row.metric) for row in plan.data_coverage}
