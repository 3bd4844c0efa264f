"""Correlation aware: buys that move alike, and buys that move like a large holding."""

import numpy as np
import pytest

from builders.context import candidates, context, with_correlation
from steelyard.modules.filters.correlation_aware import Params, correlation_aware


def ruled(ctx, *orders, **params):
    """The pairs kept apart, as symbols, and symbol -> drop."""
    table = candidates(ctx, *orders)
    pairs, ruling = correlation_aware(ctx, table, Params(**params))
    names = [ctx.symbols[i] for i in table.security]
    apart = {frozenset((names[a], names[b])) for a, b in zip(*np.nonzero(pairs), strict=True)}
    return apart, {names[row]: drop for row, drop in ruling.drops.items()}, ruling


def three(correlation, known="A B C", weights=(0.05, 0.05, 0.05)):
    return with_correlation(context("A B C", weights=weights), known, ("A", "B", correlation))


BUYS = ("buy A .1 .5 x", "buy B .1 .5 x", "buy C .1 .5 x")


@pytest.mark.parametrize(
    ("correlation", "apart"), [(0.69, False), (0.7, False), (0.71, True), (1.0, True)]
)
def test_two_buys_above_the_threshold_do_not_go_together(correlation, apart):
    assert ruled(three(correlation), *BUYS)[0] == ({frozenset("AB")} if apart else set())


@pytest.mark.parametrize("threshold", [0.0, 0.7])
def test_securities_that_move_against_each_other_may_go_together(threshold):
    ctx = with_correlation(context("A B", weights=[0.3, 0.3]), "A B", ("A", "B", -0.95))

    apart, drops, _ = ruled(ctx, "buy A .1 .5 x", "buy B .1 .5 x", correlation_threshold=threshold)

    assert apart == set()
    assert drops == {}


def test_a_sale_goes_with_anything():
    assert ruled(three(0.9), "sell A .05 .5 x", "buy B .1 .5 x")[0] == set()
    assert ruled(three(0.9), "sell A .05 .5 x", "sell B .05 .5 x")[0] == set()


def test_every_size_is_kept_apart_and_sizes_of_one_security_are_not_a_pair_of_this_filter():
    ctx = three(0.9)
    table = candidates(ctx, "buy A .1 .5 x", "buy A .2 .5 x", "buy B .1 .5 x")

    pairs, _ = correlation_aware(ctx, table, Params())

    assert pairs.tolist() == [[False, False, True], [False, False, True], [True, True, False]]


@pytest.mark.parametrize(("weight", "dropped"), [(0.0999, False), (0.10, True), (0.3, True)])
def test_a_buy_that_moves_like_a_large_holding_is_dropped(weight, dropped):
    ctx = three(0.8, weights=(0.05, weight, 0.05))

    _, drops, _ = ruled(ctx, *BUYS)

    assert set(drops) == ({"A"} if dropped else set())


def test_a_drop_names_the_holding_and_both_numbers():
    _, drops, _ = ruled(three(0.8, weights=(0.05, 0.3, 0.05)), *BUYS)

    drop = drops["A"]
    assert (drop.rule, drop.value, drop.limit) == ("correlation_threshold", 0.8, 0.7)
    assert (
        drop.why.text
        == "correlation of 0.80 with B, which is 30.0\u00a0% of value; more than 0.70 is too alike"
    )


def test_the_nearest_large_holding_is_named():
    ctx = with_correlation(
        context("A B C", weights=[0, 0.3, 0.4]), "A B C", ("A", "B", 0.9), ("A", "C", 0.8)
    )

    assert "with B" in ruled(ctx, "buy A .1 .5 x")[1]["A"].why.text


def test_a_large_holding_may_be_added_to_and_sold():
    ctx = with_correlation(context("A B", weights=[0.3, 0.05]), "A B", ("A", "B", 0.9))

    assert set(ruled(ctx, "buy A .1 .5 x", "sell A .1 .5 x", "sell B .05 .5 x")[1]) == set()


def test_at_the_threshold_a_buy_beside_a_large_holding_may_be_made():
    assert ruled(three(0.7, weights=(0.05, 0.3, 0.05)), *BUYS)[1] == {}


@pytest.mark.parametrize("known", ["A C", "B C", "C"])
def test_what_stands_in_for_an_unknown_correlation_keeps_nothing_out(known):
    apart, drops, ruling = ruled(three(0.9, known=known, weights=(0.05, 0.3, 0.05)), *BUYS)

    assert apart == set()
    assert drops == {}
    assert ruling.unknown == tuple(
        (symbol, "correlation") for symbol in "AB" if symbol not in known
    )


def test_a_buy_whose_correlation_is_unknown_is_denied_where_the_user_says_so():
    _, drops, ruling = ruled(three(0.9, known="B C"), *BUYS, "sell A .05 .5 x", on_missing="deny")

    assert set(drops) == {"A"}
    assert (
        drops["A"].why.text
        == "correlation is unknown, and correlation_threshold denies what it cannot check"
    )
    assert ruling.unknown == (("A", "correlation"),)
