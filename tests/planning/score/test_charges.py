"""Charges: linear in cost, tax and number of orders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.planning.score.charges import charge_rates
from steelyard.settings import Score


def test_a_cost_counts_aversion_times_spread_over_the_holding_years(context_for):
    rates = charge_rates(context_for(2), {"total_return": 0.175})

    # .175 / .09 = 1.944 of score per unit of return, x 5 / 2
    assert rates.cost == pytest.approx(4.861, abs=1e-3)
    assert rates.hurdle == 0.001


def test_without_much_weight_on_return_the_least_score_per_return_stands(context_for):
    ctx = context_for(2)

    assert charge_rates(ctx, {"total_return": 0.01}).cost == charge_rates(ctx, {}).cost == 2.5


def test_every_setting_of_the_charges_changes_something(context_for):
    plain = charge_rates(context_for(2), {})

    def changed(**settings):
        return charge_rates(context_for(2, score=Score(**settings)), {})

    assert changed(cost_aversion=1.0).cost == plain.cost / 5
    assert changed(holding_years=4.0).cost == plain.cost / 2
    assert changed(min_score_per_return=2.0).cost == 2 * plain.cost
    assert changed(tax_years=1.0).tax > changed(tax_years=5.0).tax
    assert changed(order_hurdle=0.002).hurdle == 0.002


@given(
    cost=st.floats(0, 0.1), more=st.floats(1e-9, 0.1), tax=st.floats(-0.1, 0.1),
    orders=st.integers(0, 10),
)  # fmt: skip
def test_a_higher_cost_and_another_order_are_always_charged_more(
    context_for, cost, more, tax, orders
):
    rates = charge_rates(context_for(2), {"total_return": 0.175})

    charged = rates.total(cost, tax, orders)

    assert rates.total(cost + more, tax, orders) > charged
    assert rates.total(cost, tax, orders + 1) > charged
    assert rates.total(0.0, 0.0, 0) == 0


def test_a_loss_lowers_the_tax_charge_as_much_as_the_same_gain_raises_it(context_for):
    rates = charge_rates(context_for(2), {})

    assert rates.total(0.0, -0.01, 0) == -rates.total(0.0, 0.01, 0) < 0
