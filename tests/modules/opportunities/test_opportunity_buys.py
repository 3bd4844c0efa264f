"""Opportunity buys: the quality floor, held or not; momentum in its place; dividends."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.context import context
from builders.world import world
from steelyard.modules.opportunities.opportunity_buys import (
    Params,
    momentum_score,
    opportunity_buys,
)
from steelyard.orders import Side
from steelyard.portfolio import BucketState


def replaced(**params):
    return Params(min_quality_score=0.65, **params)


OVER = replaced()
"""A number in place of the rank."""


def test_quality_at_the_floor_is_bought_whether_it_is_held_or_not():
    ctx = context("A B C", weights=[0.1, 0, 0], quality=[0.65, 0.9, 0.6499])

    buys = opportunity_buys(ctx, OVER)

    assert [c.symbol for c in buys] == ["A", "B"]
    assert all(c.side is Side.BUY and c.tags == ("quality", "opportunity") for c in buys)


def test_one_two_four_and_eight_base_orders_are_offered_with_quality_and_floor():
    (buy,) = opportunity_buys(context("A", quality=0.9, base_weight=0.02), OVER)

    assert buy.weights == (0.02, 0.04, 0.08, 0.16)
    assert buy.why.text == "steadiness 0.90, at least 0.65"


def test_without_a_number_the_better_half_of_the_planning_set_is_bought_whatever_the_epoch():
    def bought(*quality, **params):
        buys = opportunity_buys(context("A B C D", quality=list(quality)), Params(**params))
        return {c.symbol: c.why.text for c in buys}

    half = "in the best 50.0\u00a0% of 4 names"
    low = bought(0.2, 0.5, 0.4, 0.3)
    assert low == {"B": f"steadiness 0.50, {half}", "C": f"steadiness 0.40, {half}"}
    assert set(bought(0.9, 0.8, 0.95, 0.97)) == set("CD")
    assert set(bought(0.9, 0.8, 0.95, 0.97, best_share=0.25)) == {"D"}


def test_what_nothing_is_known_of_is_not_among_the_best():
    assert opportunity_buys(context("A B"), Params()) == []


def test_what_may_not_be_bought_is_left_alone():
    assert opportunity_buys(context("A", quality=0.9, can_buy=""), Params()) == []


def test_with_all_weight_on_momentum_quality_says_nothing():
    # the score of momentum is .65 at .25 x atanh(.3) = .0774
    ctx = context(
        "A B C", weights=[0, 0, 0], quality=[0.0, 1.0, 1.0], momentum=[0.078, 0.077, -0.5]
    )

    assert [c.symbol for c in opportunity_buys(ctx, replaced(momentum_weight=1))] == ["A"]


def test_half_the_weight_mixes_quality_with_momentum():
    ctx = context("A B", weights=[0, 0], quality=[0.6, 0.6], momentum=[0.25, 0.0])

    (buy,) = opportunity_buys(ctx, replaced(momentum_weight=0.5))

    mix = "+25.0\u00a0% in a year (50.0\u00a0% of the mix)"
    assert buy.symbol == "A"
    assert buy.why.text == f"steadiness 0.60 and {mix} score 0.74, at least 0.65"


def test_an_unknown_momentum_is_neutral_and_says_so():
    ctx = context("A B", weights=[0, 0], quality=[0.8, 0.79])

    (buy,) = opportunity_buys(ctx, replaced(momentum_weight=0.5))

    mix = "an unknown momentum (50.0\u00a0% of the mix)"
    assert buy.symbol == "A"
    assert buy.why.text == f"steadiness 0.80 and {mix} score 0.65, at least 0.65"


@given(st.lists(st.floats(-1, 10), min_size=2, max_size=2))
def test_the_score_of_momentum_rises_with_it_between_0_and_1(growth):
    low, high = momentum_score(np.array(sorted(growth)))

    assert 0 <= low <= high <= 1


def dividend_of(amount: str, quality: float = 0.2, **options):
    ctx = context("A B", weights=[0.3, 0.2], quality=quality, **options)
    return replace(ctx, state=BucketState(dividends={"A": Decimal(amount)}))


def test_a_dividend_that_is_set_aside_buys_what_paid_it():
    # 1,200 of the currency, .5 of the base currency each, in a value of 100,000
    (buy,) = opportunity_buys(dividend_of("1200", fx=0.5), OVER)

    assert (buy.symbol, buy.tags) == ("A", ("dividend",))
    assert buy.weights == pytest.approx((0.006,))
    assert buy.why.text == "its dividend of 1,200.00 USD goes back into it"


def test_a_dividend_is_one_more_size_of_what_is_worth_buying_anyway():
    payer, other = opportunity_buys(dividend_of("600", quality=0.9), OVER)

    back = "its dividend of 600.00 USD goes back into it"
    assert (payer.symbol, other.symbol) == ("A", "B")
    assert payer.weights == pytest.approx((0.006, 0.01, 0.02, 0.04, 0.08))
    assert payer.why.text == f"steadiness 0.90, at least 0.65; {back}"


def test_a_dividend_of_what_may_not_be_bought_or_without_reinvestment_buys_nothing():
    assert opportunity_buys(dividend_of("600", can_buy="B"), OVER) == []
    assert opportunity_buys(dividend_of("600"), replaced(reinvest_dividends=False)) == []


def test_what_the_user_says_of_quality_is_called_so_and_what_prices_say_is_steadiness():
    of = world("AA 100 @ 80", "BB 100 @ 80", cash="9000", cost_prices={"AA": "100", "BB": "100"})
    known = {s.symbol: replace(s, quality=0.74) for s in of.snapshot.securities if s.symbol == "AA"}
    securities = tuple(known.get(s.symbol, s) for s in of.snapshot.securities)
    ctx = replace(of, snapshot=replace(of.snapshot, securities=securities)).prepared.ctx

    words = {
        buy.symbol: buy.why.text for buy in opportunity_buys(ctx, Params(min_quality_score=0.0))
    }
    assert "quality 0.74" in words["AA"]
    assert "steadiness" in words["BB"]
    assert "quality" not in words["BB"]
