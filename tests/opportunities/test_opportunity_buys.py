"""Opportunity buys: the quality floor, held or not."""

from builders import context
from steelyard.opportunities.opportunity_buys import Params, opportunity_buys
from steelyard.orders import Side


def test_quality_at_the_floor_is_bought_whether_it_is_held_or_not():
    ctx = context("A B C", weights=[0.1, 0, 0], quality=[0.65, 0.9, 0.6499])

    found = opportunity_buys(ctx, Params())

    assert [c.symbol for c in found] == ["A", "B"]
    assert all(c.side is Side.BUY and c.tags == ("quality", "opportunity") for c in found)


def test_one_two_four_and_eight_base_orders_are_offered():
    (found,) = opportunity_buys(context("A", quality=[0.9], base_weight=0.02), Params())

    assert found.weights == (0.02, 0.04, 0.08, 0.16)


def test_what_may_not_be_bought_is_left_alone():
    assert opportunity_buys(context("A", quality=[0.9], can_buy=""), Params()) == []


def test_the_sentence_names_quality_and_floor():
    assert opportunity_buys(context("A", quality=[0.9]), Params())[0].why.text == "quality 0.90, at least 0.65"
