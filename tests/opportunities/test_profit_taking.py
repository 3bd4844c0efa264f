"""Profit taking: the decision table, its boundaries, and what a sentence says."""

import pytest

from builders import context
from steelyard.opportunities.profit_taking import Params, decide, profit_taking
from steelyard.orders import Side


def sold(found):
    """Symbol -> share of a holding of .25 that its largest size sells."""
    return {c.symbol: pytest.approx(-c.weights[-1] / 0.25) for c in found}


def test_the_first_row_of_the_table_that_holds_decides_the_share():
    # in one year 6.5 % is expected: the excess is the gain less .065
    ctx = context("A B C D", weights=[0.25] * 4, prices=[240, 160, 135, 125], average_cost=[100] * 4, years_held=[1] * 4)

    found = profit_taking(ctx, Params())

    assert sold(found) == {"A": 0.5, "B": 0.4, "C": 0.2}
    assert [c.why.facts["row"] for c in found] == ["windfall doubler", "high windfall", "medium windfall"]
    assert all(c.side is Side.SELL and c.tags == ("windfall", "profit_taking") for c in found)


def test_a_doubler_that_took_its_time_is_steady_and_no_windfall():
    # in twelve years 113 % is expected: +110 % is under it
    ctx = context("A B", weights=[0.25] * 2, prices=[210, 199], average_cost=[100] * 2, years_held=[12, 12])

    (found,) = profit_taking(ctx, Params())

    assert (found.symbol, found.tags) == ("A", ("profit_taking",))
    assert found.weights == pytest.approx((-0.0375, -0.075))


def test_both_half_and_all_of_the_share_are_offered():
    ctx = context("A", weights=[0.4], prices=[240], average_cost=[100], years_held=[1])

    (found,) = profit_taking(ctx, Params())

    assert found.weights == pytest.approx((-0.1, -0.2))


@pytest.mark.parametrize(
    ("price", "row"),
    [
        (200.0, "steady doubler"),
        (199.99, "high windfall"),
        (150.0, "high windfall"),
        (149.99, "medium windfall"),
        (125.0, "medium windfall"),
    ],
)
def test_each_threshold_of_the_table_is_reached_by_equality(price, row):
    # nothing is expected to grow; a doubler is a windfall only above its threshold
    params = Params(windfall_threshold=1.0)

    assert decide(params, price, 100.0, factor=1.0).name == row


def test_the_windfall_of_a_doubler_must_be_exceeded():
    at, above = (decide(Params(windfall_threshold=1.25), price, 100.0, factor=1.0) for price in (225.0, 225.01))

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
    ctx = context("A B C D", weights=[0.3, 0.3, 0.3, 0], prices=[300] * 4, average_cost=[100, 100, float("nan"), 100], can_sell="B C D")

    assert [c.symbol for c in profit_taking(ctx, Params())] == ["B"]


def test_a_cost_of_nothing_says_nothing_of_the_gain():
    ctx = context("A B", prices=[300, 300], average_cost=[0, 100])

    assert [c.symbol for c in profit_taking(ctx, Params())] == ["B"]


def test_the_sentence_names_gain_time_excess_and_growth():
    ctx = context("A", prices=[240], average_cost=[100], years_held=[2])

    (found,) = profit_taking(ctx, Params())

    assert found.why.text == (
        "windfall doubler: 140.0\u00a0% over its cost after 2.00 years, +126.6\u00a0pp against growth of 6.5\u00a0% a year"
    )
