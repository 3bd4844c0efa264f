"""Profit taking: the decision table, its boundaries, and what a sentence says."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.context import context
from steelyard.modules.opportunities.profit_taking import Params, decide, profit_taking, stopped
from steelyard.orders import Side


def sold(sales):
    """Symbol -> share of a holding of .25 that its largest size sells."""
    return {c.symbol: pytest.approx(-c.weights[-1] / 0.25) for c in sales}


def row(price, factor=1.0, **params):
    """Name of the row for a price at a cost of 100."""
    decision = decide(Params(**params), price, 100.0, factor)
    return decision and decision.name


def test_the_first_row_of_the_table_that_holds_decides_the_share():
    # in one year 6.5 % is expected: the excess is the gain less .065
    prices = [240, 160, 135, 125]
    ctx = context("A B C D", weights=0.25, prices=prices, average_cost=100, years_held=1)

    sales = profit_taking(ctx, Params())

    rows = ["windfall doubler", "high windfall", "medium windfall"]
    assert sold(sales) == {"A": 0.5, "B": 0.4, "C": 0.2}
    assert [c.why.facts["row"] for c in sales] == rows
    assert all(c.side is Side.SELL and c.tags == ("windfall", "profit_taking") for c in sales)


def test_a_doubler_a_little_over_its_time_is_steady_and_no_windfall():
    # in eleven years 99.9 % is expected: +110 % is a little over it
    ctx = context("A B", weights=0.25, prices=[210, 199], average_cost=100, years_held=11)

    (sale,) = profit_taking(ctx, Params())

    assert (sale.symbol, sale.tags) == ("A", ("profit_taking",))
    assert sale.weights == pytest.approx((-0.0375, -0.075))


def test_a_doubling_over_twenty_years_is_no_profit_to_take():
    # in twenty years 252 % is expected: +100 % and +252 % are not over it, +260 % is a little
    prices = [200, 352.3, 360]
    ctx = context("A B C", weights=0.25, prices=prices, average_cost=100, years_held=20)

    assert [sale.symbol for sale in profit_taking(ctx, Params())] == ["C"]
    assert row(200.0, 1.065**20) is row(200.0, 1.065**20, auto_harvest=True) is None


def test_both_half_and_all_of_the_share_are_offered():
    ctx = context("A", weights=[0.4], prices=[240], average_cost=[100], years_held=[1])

    (sale,) = profit_taking(ctx, Params())

    assert sale.weights == pytest.approx((-0.1, -0.2))


def test_each_threshold_of_the_table_is_reached_by_equality():
    # nothing is expected to grow: .30 + .20 is .50 and .30 - .05 is .25
    assert row(150.0) == "high windfall"
    assert row(149.99) == row(125.0) == "medium windfall"
    assert row(124.99) is None


def test_a_gain_of_exactly_the_doublers_is_a_doubler():
    assert row(200.0, windfall_threshold=1.0) == "steady doubler"
    assert row(199.99, windfall_threshold=1.0) == "medium windfall"


def test_one_threshold_opens_the_rows_of_all_windfalls():
    def rows(threshold):
        return [row(price, windfall_threshold=threshold) for price in (160.0, 130.0)]

    assert rows(0.3) == ["high windfall", "medium windfall"]
    assert rows(0.4) == ["high windfall", None]
    assert rows(0.41)[0] == "medium windfall"


@given(price=st.floats(50, 400), low=st.floats(0, 2), high=st.floats(0, 2))
def test_a_lower_threshold_never_takes_less_off_a_holding(price, low, high):
    low, high = sorted((low, high))

    shares = [
        row.share if row else 0.0
        for row in (decide(Params(windfall_threshold=t), price, 100.0, 1.065) for t in (low, high))
    ]

    assert shares[0] >= shares[1]


def test_one_fraction_replaces_the_share_of_every_windfall_row_and_of_no_other():
    prices = [240, 160, 135]
    ctx = context("A B C", weights=0.25, prices=prices, average_cost=100, years_held=1)
    same = Params(sell_fraction=0.35)

    assert sold(profit_taking(ctx, same)) == {"A": 0.35, "B": 0.35, "C": 0.35}
    steady = same.model_copy(update={"windfall_threshold": 1.5})
    assert decide(steady, 210.0, 100.0, factor=1.0).share == 0.30


def test_harvesting_takes_any_excess_and_nothing_at_or_under_expected_growth():
    assert row(106.51, 1.065, auto_harvest=True) == "medium windfall"
    assert row(106.5, 1.065, auto_harvest=True) is None
    assert row(106.51, 1.065) is None
    assert row(210.0, 2.05, auto_harvest=True) == "windfall doubler"


def test_a_threshold_of_nothing_still_asks_for_an_excess():
    assert row(100.0, windfall_threshold=0.0) is None


def test_a_stop_falls_at_its_distance_once_the_peak_reached_its_gain():
    def falls(price, peak):
        return stopped(Params(trailing_stop_distance=0.10), price, 100.0, peak)

    assert falls(135.0, 150.0)
    assert not falls(135.01, 150.0)
    assert falls(103.0, 115.0)
    assert not falls(103.0, 114.99)
    assert falls(90.0, 150.0)
    assert not falls(90.0, float("nan"))


def test_a_stop_offers_all_of_a_holding_and_parts_of_it_whatever_the_table_says():
    ctx = context("A", weights=[0.3], prices=[240], average_cost=[100], years_held=[1], peaks=[300])

    (sale,) = profit_taking(ctx, Params(trailing_stop_distance=0.10))

    assert sale.weights == pytest.approx((-0.075, -0.15, -0.3))
    assert sale.tags == ("trailing_stop", "profit_taking")
    assert sale.why.text.replace("\u00a0", " ") == (
        "trailing stop: 20.0 % under its peak of 300.00 since the purchase, at least 10.0 %; the "
        "peak was 200.0 % over its cost, at least 15.0 %"
    )


def test_without_a_distance_there_is_no_stop():
    ctx = context("A", prices=[105], average_cost=[100], years_held=[1], peaks=[300])

    assert profit_taking(ctx, Params()) == []


def test_the_windfall_of_a_doubler_must_be_exceeded():
    assert row(225.0, windfall_threshold=1.25) == "steady doubler"
    assert row(225.01, windfall_threshold=1.25) == "windfall doubler"


def test_a_gain_under_every_threshold_is_no_reason_to_sell():
    assert profit_taking(context("A", prices=[80], average_cost=[100]), Params()) == []


def test_an_unknown_time_counts_as_one_year_and_says_so():
    ctx = context("A", prices=[160], average_cost=[100])

    (sale,) = profit_taking(ctx, Params())

    assert sale.why.facts["excess"] == pytest.approx(0.535)
    assert "an unknown time" in sale.why.text


def test_what_is_not_held_may_not_be_sold_or_has_no_known_cost_is_left_alone():
    costs = [100, 100, float("nan"), 100, 0]
    weights, sellable = [0.2, 0.2, 0.2, 0, 0.2], "B C D E"
    ctx = context("A B C D E", weights=weights, prices=300, average_cost=costs, can_sell=sellable)

    assert [c.symbol for c in profit_taking(ctx, Params())] == ["B"]


def test_the_sentence_names_gain_time_excess_and_growth():
    ctx = context("A", prices=[240], average_cost=[100], years_held=[2])

    (sale,) = profit_taking(ctx, Params())

    assert sale.why.text.replace("\u00a0", " ") == (
        "windfall doubler: 140.0 % over its cost after 2.00 years, +126.6 pp against growth of "
        "6.5 % a year"
    )


cents = st.integers(1, 10**7).map(lambda count: Decimal(count) / 100)


@given(
    cost=cents,
    factor=st.sampled_from(["1", "1.065"]),
    step=st.sampled_from([("0.5", "high windfall"), ("0.25", "medium windfall")]),
)
def test_a_row_is_reached_by_equality_in_decimals_whatever_the_cost(cost, factor, step):
    price = cost * (Decimal(factor) + Decimal(step[0]))

    assert decide(Params(), float(price), float(cost), float(factor)).name == step[1]
    assert (
        decide(Params(auto_harvest=True), float(cost * Decimal(factor)), float(cost), float(factor))
        is None
    )


@given(
    cost=cents,
    gain=st.sampled_from(["0.07", "0.15", "0.3"]),
    distance=st.sampled_from(["0.05", "0.1", "0.15", "0.3"]),
)
def test_a_stop_falls_by_equality_in_decimals_whatever_the_cost(cost, gain, distance):
    peak = cost * (1 + Decimal(gain))
    params = Params(trailing_stop_distance=float(distance), trailing_stop_gain=float(gain))

    assert stopped(params, float(peak * (1 - Decimal(distance))), float(cost), float(peak))
    assert not stopped(
        params, float(peak * (1 - Decimal(distance))) * (1 + 1e-9), float(cost), float(peak)
    )
