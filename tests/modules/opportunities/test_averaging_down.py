"""Averaging down: the band of losses, the quality floor, the room."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from builders.context import context as any_context
from builders.world import world
from steelyard.modules.opportunities.averaging_down import Params, averaging_down
from steelyard.orders import Side


def context(symbols, **changes):
    """Sound holdings of 5 % at 20 % under their cost, but for the changes."""
    usual = {"weights": 0.05, "prices": 80, "average_cost": 100, "quality": 0.8}
    return any_context(symbols, **{**usual, **changes})


def test_a_loss_of_exactly_the_threshold_qualifies():
    # 1 - 90/100 is 0.09999999999999998 in floats: compare prices, not losses
    (buy,) = averaging_down(context("A B", prices=[90, 90.01]), Params(dip_threshold=0.10))

    assert buy.symbol == "A"
    assert buy.side is Side.BUY
    assert buy.tags == ("averaging_down", "buy_low")


def test_a_loss_of_exactly_the_maximum_qualifies_and_a_deeper_one_does_not():
    (buy,) = averaging_down(context("A B", prices=[60, 59.99]), Params(max_drawdown=0.40))

    assert buy.symbol == "A"


def test_quality_at_the_floor_is_sound():
    (buy,) = averaging_down(context("A B", quality=[0.6, 0.5999]), Params(min_quality_score=0.6))

    assert buy.symbol == "A"


def test_without_a_number_it_is_the_best_share_of_the_planning_set_whatever_the_epoch():
    def bought(*quality):
        ctx = context("A B C D", quality=list(quality))
        return [c.symbol for c in averaging_down(ctx, Params(best_share=0.5))]

    assert bought(0.2, 0.5, 0.4, 0.3) == ["B", "C"]  # all of an epoch fail a number
    assert bought(0.9, 0.8, 0.95, 0.97) == ["C", "D"]  # and all of another pass it
    assert bought(0.5, 0.5, 0.5, 0.3) == ["A", "B", "C"]  # equals pass together


def test_one_and_two_base_orders_are_offered_up_to_the_room():
    ctx = context("A B C", weights=[0.05, 0.085, 0.10], base_weight=0.01)

    sizes = {c.symbol: c.weights for c in averaging_down(ctx, Params(max_weight=0.10))}

    assert sizes == {"A": (0.01, 0.02), "B": (0.01, pytest.approx(0.015))}


def test_what_is_not_held_has_no_cost_or_may_not_be_bought_is_left_alone():
    assert averaging_down(context("A", weights=0), Params()) == []
    assert averaging_down(context("A", average_cost=float("nan")), Params()) == []
    assert averaging_down(context("A", can_buy=""), Params()) == []
    assert averaging_down(context("A", average_cost=0), Params()) == []


def test_a_band_without_a_loss_in_it_is_refused():
    with pytest.raises(ValidationError, match="no loss lies between them"):
        Params(dip_threshold=0.5, max_drawdown=0.4)


def test_the_sentence_names_loss_and_quality():
    assert (
        averaging_down(context("A"), Params())[0].why.text
        == "20.0\u00a0% below its cost, steadiness 0.80"
    )


@given(count=st.integers(1, 10**7), fall=st.sampled_from(["0.10", "0.40"]))
def test_both_ends_of_the_band_are_in_it_in_decimals_whatever_the_cost(count, fall):
    cost = Decimal(count) / 100
    ctx = context(
        "A", weights=[0.05], prices=[float(cost * (1 - Decimal(fall)))], average_cost=[float(cost)],
        quality=[0.9],
    )  # fmt: skip

    assert [found.symbol for found in averaging_down(ctx, Params())] == ["A"]


def test_what_the_user_says_of_quality_is_called_so_and_what_prices_say_is_steadiness():
    of = world("AA 100 @ 80", "BB 100 @ 80", cash="9000", cost_prices={"AA": "100", "BB": "100"})
    known = {s.symbol: replace(s, quality=0.74) for s in of.snapshot.securities if s.symbol == "AA"}
    securities = tuple(known.get(s.symbol, s) for s in of.snapshot.securities)
    ctx = replace(of, snapshot=replace(of.snapshot, securities=securities)).prepared.ctx

    words = {
        buy.symbol: buy.why.text
        for buy in averaging_down(ctx, Params(min_quality_score=0.0, max_weight=1))
    }
    assert "quality 0.74" in words["AA"]
    assert "steadiness" in words["BB"]
    assert "quality" not in words["BB"]
