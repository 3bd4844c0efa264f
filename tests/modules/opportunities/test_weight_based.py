"""Weight based: gaps to target weights."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.context import context
from steelyard.modules.opportunities.weight_based import Params, weight_based
from steelyard.orders import Side


def test_half_three_quarters_and_all_of_the_gap_are_offered_on_both_sides():
    ctx = context("A B", weights=[0.30, 0.10], targets=[0.20, 0.30])

    over, under = weight_based(ctx, Params())

    assert (over.symbol, over.side) == ("A", Side.SELL)
    assert over.weights == pytest.approx((-0.05, -0.075, -0.10))
    assert (under.symbol, under.side) == ("B", Side.BUY)
    assert under.weights == pytest.approx((0.10, 0.15, 0.20))
    assert [over.why.text, under.why.text] == [
        "30.0\u00a0% of value, 10.0\u00a0pp over its target of 20.0\u00a0%",
        "10.0\u00a0% of value, 20.0\u00a0pp under its target of 30.0\u00a0%",
    ]


def test_an_untargeted_holding_may_go_completely():
    ctx = context("A B", weights=[0.30, 0.10], targets=[0.30, 0])

    (sale,) = weight_based(ctx, Params())

    assert sale.weights[-1] == -ctx.weights[1]
    assert sale.why.text == "10.0\u00a0% of value and no target"


def test_a_gap_of_exactly_the_threshold_is_left_alone():
    # 0.305 - 0.3 is 0.0050000000000000044 in floats: rounding is not a gap
    def fires(weight):
        ctx = context("A", weights=[weight], targets=[0.30])
        return bool(weight_based(ctx, Params(min_gap_threshold=0.005)))

    assert [fires(w) for w in (0.305, 0.3051, 0.295, 0.2949)] == [False, True, False, True]


def test_without_targets_there_is_nothing_to_trade_towards():
    assert weight_based(context("A B"), Params()) == []


def test_what_may_not_be_traded_is_left_alone():
    ctx = context(
        "A B C D", weights=[0.4, 0.4, 0, 0], targets=[0.2, 0.2, 0.2, 0.2], can_sell="A", can_buy="C"
    )

    assert [c.symbol for c in weight_based(ctx, Params())] == ["A", "C"]


def test_a_buy_under_its_cost_says_that_it_averages_down():
    ctx = context(
        "A B C", weights=[0.1, 0.1, 0.3], targets=[0.2, 0.2, 0.1], prices=[90, 100, 90],
        average_cost=[100] * 3,
    )  # fmt: skip

    tags = {c.symbol: c.tags for c in weight_based(ctx, Params())}

    assert tags == {
        "A": ("averaging_down", "optimizer_target"),
        "B": ("rebalance", "optimizer_target"),
        "C": ("rebalance", "optimizer_target"),
    }


@given(st.lists(st.tuples(st.floats(0, 0.1), st.floats(0, 0.1)), min_size=1, max_size=8))
def test_no_size_crosses_its_target_or_leads_away_from_it(pairs):
    weights, targets = zip(*pairs, strict=True)
    ctx = context(" ".join("ABCDEFGH"[: len(pairs)]), weights=weights, targets=targets)

    for candidate in weight_based(ctx, Params()):
        i = ctx.symbols.index(candidate.symbol)
        gap = targets[i] - weights[i]
        assert all(0 < wanted / gap <= 1 for wanted in candidate.weights)
