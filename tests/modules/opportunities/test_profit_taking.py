"""Profit taking: the decision table, its boundaries, and what a sentence says."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.context import context
from steelyard.modules.opportunities.profit_taking import Params, decide, profit_taking, stopped
from steelyard.orders import Side


def sold(found):
    """Symbol -> share of a holding of .25 that its largest size sells."""
    return {c.symbol: pytest.approx(-c.weights[-1] / 0.25) for c in found}


def test_the_first_row_of_the_table_that_holds_decides_the_share():
    # in one year 6.5 % is expected: the excess is the gain less .065
    ctx = context(
        "A B C D",
        weights=[0.25] * 4,
        prices=[240, 160, 135, 125],
        average_cost=[100] * 4,
        years_held=[1] * 4,
    )

    found = profit_taking(ctx, Params())

    assert sold(found) == {"A": 0.5, "B": 0.4, "C": 0.2}
    assert [c.why.facts["row"] for c in found] == [
        "windfall doubler",
        "high windfall",
        "medium windfall",
    ]
    assert all(c.side is Side.SELL and c.tags == ("windfall", "profit_taking") for c in found)


def test_a_doubler_that_took_its_time_is_steady_and_no_windfall():
    # in twelve years 113 % is expected: +110 % is under it
    ctx = context(
        "A B", weights=[0.25] * 2, prices=[210, 199], average_cost=[100] * 2, years_held=[12, 12]
    )

    (found,) = profit_taking(ctx, Params())

    assert (found.symbol, found.tags) == ("A", ("profit_taking",))
    assert found.weights == pytest.approx((-0.0375, -0.075))


def test_both_half_and_all_of_the_share_are_offered():
    ctx = context("A", weights=[0.4], prices=[240], average_cost=[100], years_held=[1])

    (found,) = profit_taking(ctx, Params())

    assert found.weights == pytest.approx((-0.1, -0.2))


@pytest.mark.parametrize(
    ("price", "row"),
    [(150.0, "high windfall"), (149.99, "medium windfall"), (125.0, "medium windfall")],
)
def test_each_threshold_of_the_table_is_reached_by_equality(price, row):
    # nothing is expected to grow: .30 + .20 is .50 and .30 - .05 is .25
    assert decide(Params(), price, 100.0, factor=1.0).name == row


@pytest.mark.parametrize(("price", "row"), [(200.0, "steady doubler"), (199.99, "medium windfall")])
def test_a_gain_of_exactly_the_doublers_is_a_doubler(price, row):
    assert decide(Params(windfall_threshold=1.0), price, 100.0, factor=1.0).name == row


@pytest.mark.parametrize(
    ("threshold", "rows"),
    [(0.4, ["high windfall", None]), (0.3, ["high windfall", "medium windfall"])],
)
def test_one_threshold_opens_the_rows_of_all_windfalls(threshold, rows):
    found = [
        decide(Params(windfall_threshold=threshold), price, 100.0, factor=1.0)
        for price in (160.0, 130.0)
    ]

    assert [row and row.name for row in found] == rows
    assert (
        decide(Params(windfall_threshold=0.41), 160.0, 100.0, factor=1.0).name == "medium windfall"
    )


@given(price=st.floats(50, 400), low=st.floats(0, 2), high=st.floats(0, 2))
def test_a_lower_threshold_never_takes_less_off_a_holding(price, low, high):
    low, high = sorted((low, high))

    shares = [
        row.share if row else 0.0
        for row in (decide(Params(windfall_threshold=t), price, 100.0, 1.065) for t in (low, high))
    ]

    assert shares[0] >= shares[1]


def test_one_fraction_replaces_the_share_of_every_windfall_row_and_of_no_other():
    ctx = context(
        "A B C",
        weights=[0.25] * 3,
        prices=[240, 160, 135],
        average_cost=[100] * 3,
        years_held=[1] * 3,
    )

    assert sold(profit_taking(ctx, Params(sell_fraction=0.35))) == {"A": 0.35, "B": 0.35, "C": 0.35}
    assert (
        decide(Params(sell_fraction=0.35, windfall_threshold=1.5), 210.0, 100.0, factor=1.0).share
        == 0.30
    )


def test_harvesting_takes_any_excess_and_nothing_at_or_under_expected_growth():
    harvest = Params(auto_harvest=True)

    assert decide(harvest, 106.51, 100.0, factor=1.065).name == "medium windfall"
    assert decide(harvest, 106.5, 100.0, factor=1.065) is None
    assert decide(Params(), 106.51, 100.0, factor=1.065) is None
    assert decide(harvest, 210.0, 100.0, factor=2.05).name == "windfall doubler"


def test_a_threshold_of_nothing_still_asks_for_an_excess():
    assert decide(Params(windfall_threshold=0.0), 100.0, 100.0, factor=1.0) is None


@pytest.mark.parametrize(
    ("price", "peak", "falls"),
    [
        (135.0, 150.0, True),
        (135.01, 150.0, False),
        (103.0, 115.0, True),
        (103.0, 114.99, False),
        (90.0, 150.0, True),
        (90.0, float("nan"), False),
    ],
)
def test_a_stop_falls_at_its_distance_once_the_peak_reached_its_gain(price, peak, falls):
    assert stopped(Params(trailing_stop_distance=0.10), price, 100.0, peak) is falls


def test_a_stop_offers_all_of_a_holding_and_parts_of_it_whatever_the_table_says():
    ctx = context("A", weights=[0.3], prices=[240], average_cost=[100], years_held=[1], peaks=[300])

    (found,) = profit_taking(ctx, Params(trailing_stop_distance=0.10))

    assert found.weights == pytest.approx((-0.075, -0.15, -0.3))
    assert found.tags == ("trailing_stop", "profit_taking")
    assert (
        found.why.text
        == "trailing stop: 20.0\u00a0% under its peak of 300.00 since the purchase, at least"
        " 10.0\u00a0%; the peak was 200.0\u00a0% over its cost, at least 15.0\u00a0%"
    )


def test_without_a_distance_there_is_no_stop():
    ctx = context("A", prices=[105], average_cost=[100], years_held=[1], peaks=[300])

    assert profit_taking(ctx, Params()) == []


def test_the_windfall_of_a_doubler_must_be_exceeded():
    at, above = (
        decide(Params(windfall_threshold=1.25), price, 100.0, factor=1.0)
        for price in (225.0, 225.01)
    )

    assert (at.name, above.name) == ("steady doubler", "windfall doubler")


def test_a_gain_under_every_threshold_is_no_reason_to_sell():
    assert decide(Params(), 124.99, 100.0, factor=1.0) is None
    assert profit_taking(context("A", prices=[80], average_cost=[100]), Params()) == []


def test_an_unknown_time_counts_as_one_year_and_says_so():
    ctx = context("A", prices=[160], average_cost=[100])

    (found,) = profit_taking(ctx, Params())

    assert found.why.facts["excess"] == pytest.approx(0.535)
    assert "an unknown time" in found.why.text


def test_what_is_not_held_may_not_be_sold_or_has_no_known_cost_is_left_alone():
    ctx = context(
        "A B C D",
        weights=[0.3, 0.3, 0.3, 0],
        prices=[300] * 4,
        average_cost=[100, 100, float("nan"), 100],
        can_sell="B C D",
    )

    assert [c.symbol for c in profit_taking(ctx, Params())] == ["B"]


def test_a_cost_of_nothing_says_nothing_of_the_gain():
    ctx = context("A B", prices=[300, 300], average_cost=[0, 100])

    assert [c.symbol for c in profit_taking(ctx, Params())] == ["B"]


def test_the_sentence_names_gain_time_excess_and_growth():
    ctx = context("A", prices=[240], average_cost=[100], years_held=[2])

    (found,) = profit_taking(ctx, Params())

    assert (
        found.why.text
        == "windfall doubler: 140.0\u00a0% over its cost after 2.00 years, +126.6\u00a0pp against"
        " growth of 6.5\u00a0% a year"
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
