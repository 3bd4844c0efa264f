"""Eligibility: the holding time, panic, and what is not known."""

import pytest

from builders.context import candidates, context
from steelyard.modules.filters.eligibility import Params, eligibility


def ruled(ctx, params, *orders):
    """Symbol of a dropped order -> the rule that dropped it."""
    table = candidates(ctx, *orders)
    ruling = eligibility(ctx, table, params)
    assert [row not in ruling.drops for row in range(table.m)] == ruling.keep.tolist()
    return {ctx.symbols[table.security[row]]: drop for row, drop in ruling.drops.items()}, ruling


def test_a_holding_may_be_sold_from_the_day_of_the_limit_on():
    ctx = context("A B C", days_since_bought=[89, 90, 91])

    sales = [f"sell {symbol} .1 .5 x" for symbol in "ABC"]
    drops, _ = ruled(ctx, Params(min_hold_days=90), *sales)

    assert list(drops) == ["A"]
    assert (drops["A"].rule, drops["A"].value, drops["A"].limit) == ("min_hold_days", 89, 90)
    assert drops["A"].why.text == "bought 89\u00a0days ago, held for at least 90\u00a0days"


def test_every_size_of_a_blocked_sale_is_dropped_and_buys_are_not_asked():
    ctx = context("A", days_since_bought=[10])
    table = candidates(ctx, "sell A .1 .5 x", "sell A .2 .5 x", "buy A .1 .5 x")

    assert eligibility(ctx, table, Params()).keep.tolist() == [False, False, True]


def test_selling_at_a_loss_is_free_unless_panic_is_ruled_out():
    ctx = context("A", prices=[10], average_cost=[100], days_since_bought=[500])

    assert ruled(ctx, Params(), "sell A .1 .5 x")[0] == {}
    assert list(ruled(ctx, Params(no_panic_sell_pct=0.2), "sell A .1 .5 x")[0]) == ["A"]


def test_a_loss_of_exactly_the_panic_limit_may_be_sold():
    ctx = context("A B", prices=[80, 79.99], average_cost=[100, 100], days_since_bought=[500, 500])

    drops, _ = ruled(ctx, Params(no_panic_sell_pct=0.2), "sell A .1 .5 x", "sell B .1 .5 x")

    assert list(drops) == ["B"]
    drop, why = drops["B"], "20.0\u00a0% below its cost, not sold further than 20.0\u00a0% below"
    assert (drop.rule, drop.limit) == ("no_panic_sell_pct", -0.2)
    assert drop.value == pytest.approx(-0.2001)
    assert drop.why.text == why


def test_an_unknown_date_passes_and_is_reported():
    ctx = context("A B", days_since_bought=[float("nan"), 500])

    drops, ruling = ruled(ctx, Params(), "sell A .1 .5 x", "sell A .2 .5 x", "sell B .1 .5 x")

    assert drops == {}
    assert ruling.unknown == (("A", "last_bought"),)


def test_an_unknown_date_is_denied_where_the_user_says_so():
    ctx = context("A B", days_since_bought=[float("nan"), 500])

    drops, ruling = ruled(ctx, Params(on_missing="deny"), "sell A .1 .5 x", "sell B .1 .5 x")

    drop, why = drops["A"], "last_bought is unknown, and min_hold_days denies what it cannot check"
    assert (drop.rule, drop.value, drop.limit) == ("min_hold_days", None, 90)
    assert drop.why.text == why
    assert ruling.unknown == (("A", "last_bought"),)


def test_an_unknown_cost_matters_only_when_panic_is_ruled_out():
    ctx = context("A", days_since_bought=[500])

    assert ruled(ctx, Params(on_missing="deny"), "sell A .1 .5 x")[1].unknown == ()
    drops, ruling = ruled(ctx, Params(on_missing="deny", no_panic_sell_pct=0.2), "sell A .1 .5 x")
    assert ruling.unknown == (("A", "average_cost"),)
    assert drops["A"].rule == "no_panic_sell_pct"


def test_without_a_holding_time_no_date_is_needed():
    ctx = context("A")

    assert ruled(ctx, Params(min_hold_days=0, on_missing="deny"), "sell A .1 .5 x")[1].unknown == ()


def test_the_first_broken_rule_is_the_one_that_is_told():
    ctx = context("A", prices=[10], average_cost=[100], days_since_bought=[10])

    drops, _ = ruled(ctx, Params(no_panic_sell_pct=0.2), "sell A .1 .5 x")

    assert drops["A"].rule == "min_hold_days"
