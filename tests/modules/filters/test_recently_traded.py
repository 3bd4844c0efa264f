"""Recently traded: cooldowns of one side, and orders that undo."""

from dataclasses import replace

from builders.context import candidates, context
from steelyard.modules.candidates import TRAILING_STOP, Proposal
from steelyard.modules.filters import eligibility
from steelyard.modules.filters.recently_traded import Params, recently_traded
from steelyard.sentences import say

NEVER = float("nan")


def dropped(ctx, params, *orders):
    """(side, symbol) of each dropped order -> its drop."""
    table = candidates(ctx, *orders)
    ruling = recently_traded(ctx, table, params)
    assert [row not in ruling.drops for row in range(table.m)] == ruling.keep.tolist()
    return {
        ("buy" if table.is_buy[row] else "sell", ctx.symbols[table.security[row]]): drop
        for row, drop in ruling.drops.items()
    }


def blocked(side, **days):
    """Is an order of that side in A blocked so many days after the last ones?"""
    return bool(dropped(context("A", **days), Params(), f"{side} A .1 .5 x"))


def test_an_order_waits_for_the_days_of_the_cooldown_of_its_side():
    assert [blocked("buy", days_since_bought=days) for days in (29, 30)] == [True, False]
    sales = [blocked("sell", days_since_sold=d, days_since_bought=1000) for d in (179, 180)]
    assert sales == [True, False]


def test_no_order_undoes_the_last_one_up_to_and_including_the_day_of_the_limit():
    assert [blocked("sell", days_since_bought=days) for days in (90, 91)] == [True, False]
    buys = [blocked("buy", days_since_sold=d, days_since_bought=1000) for d in (90, 91)]
    assert buys == [True, False]


def test_the_cooldown_of_one_side_does_not_bind_the_other():
    ctx = context("A B", days_since_bought=[10, 1000], days_since_sold=[1000, 100])

    assert dropped(ctx, Params(opposite_days=0), "sell A .1 .5 x", "buy B .1 .5 x") == {}


def test_a_drop_names_rule_days_and_limit():
    ctx = context("A B", days_since_bought=[10, 10], days_since_sold=[NEVER, 20])

    drops = dropped(
        ctx, Params(), "buy A .1 .5 x", "sell A .1 .5 x", "sell B .1 .5 x", "buy B .1 .5 x"
    )

    assert {key: (drop.rule, drop.value, drop.limit) for key, drop in drops.items()} == {
        ("buy", "A"): ("buy_cooldown_days", 10, 30), ("sell", "A"): ("opposite_days", 10, 90),
        ("sell", "B"): ("sell_cooldown_days", 20, 180), ("buy", "B"): ("buy_cooldown_days", 10, 30),
    }  # fmt: skip
    assert drops["buy", "A"].why.text == "bought 10\u00a0days ago, not again before 30\u00a0days"
    assert drops["sell", "A"].why.text == "bought 10\u00a0days ago, not sold within 90\u00a0days"
    assert drops["sell", "B"].why.text == "sold 20\u00a0days ago, not again before 180\u00a0days"


def test_buying_back_too_soon_is_told():
    ctx = context("A", weights=[0], days_since_sold=[40])

    drops = dropped(ctx, Params(), "buy A .1 .5 x")

    assert (
        drops["buy", "A"].why.text == "sold 40\u00a0days ago, not bought back within 90\u00a0days"
    )


def test_a_security_never_traded_is_not_unknown():
    ctx = context("A", weights=[0])
    table = candidates(ctx, "buy A .1 .5 x")

    ruling = recently_traded(ctx, table, Params(on_missing="deny"))

    assert ruling.keep.tolist() == [True]
    assert ruling.unknown == ()


def test_a_holding_without_any_date_is_unknown_on_both_sides():
    ctx = context("A B")
    table = candidates(ctx, "sell A .1 .5 x", "buy B .1 .5 x")

    rulings = [recently_traded(ctx, table, Params(on_missing=on)) for on in ("allow", "deny")]

    allowed, denied = rulings
    dates = tuple((symbol, date) for symbol in "AB" for date in ("last_bought", "last_sold"))
    assert allowed.unknown == denied.unknown == dates
    assert allowed.keep.all()
    assert not denied.keep.any()


def test_where_a_purchase_is_on_record_and_no_sale_there_was_none():
    ctx = context("A", days_since_bought=[1000])
    table = candidates(ctx, "sell A .1 .5 x", "buy A .1 .5 x")

    ruling = recently_traded(ctx, table, Params(on_missing="deny"))

    assert ruling.keep.all()
    assert ruling.unknown == ()


def test_cooldowns_of_no_days_need_no_dates_of_their_own():
    ctx = context("A", days_since_sold=[1000])
    table = candidates(ctx, "buy A .1 .5 x")

    assert recently_traded(ctx, table, Params()).unknown == (("A", "last_bought"),)
    assert recently_traded(ctx, table, Params(buy_cooldown_days=0)).unknown == ()


def test_no_date_holds_up_a_trailing_stop_but_a_rule_over_losses_does():
    ctx = context(
        "A", days_since_bought=[10], days_since_sold=[10], prices=[60], average_cost=[100]
    )
    table = candidates(ctx, "sell A .5 .5 profit_taking")
    exit_ = Proposal("profit_taking", say("by hand"), (TRAILING_STOP,))
    stop = replace(table, proposals=((exit_,),))
    careful = eligibility.Params(no_panic_sell_pct=0.3)

    assert list(recently_traded(ctx, table, Params()).drops) == [0]
    assert recently_traded(ctx, stop, Params(on_missing="deny")).drops == {}
    assert eligibility.eligibility(ctx, stop, eligibility.Params()).drops == {}
    assert eligibility.eligibility(ctx, stop, careful).drops[0].rule == "no_panic_sell_pct"
