"""Mixed strategy: one or two sales of any kind with one or two buys of any kind."""

from builders.context import proposed
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.mixed_strategy import mixed_strategy


def mixes(symbols, *lines, **options):
    return proposed(mixed_strategy, NoParams(), symbols, *lines, **options)


def test_one_or_two_sales_are_mixed_with_one_or_two_buys_of_any_kind():
    lines = (
        "sell A .05 .9 profit_taking", "sell B .05 .8 rebalance_sells",
        "sell C .05 .7 rebalance_sells", "buy D .03 .9 opportunity_buys",
        "buy E .03 .8 averaging_down", "buy F .03 .7 rebalance_buys",
    )  # fmt: skip

    assert mixes("A B C D E F", *lines, weights=0.15) == [
        ["-A", "+D"], ["-A", "+D", "+E"], ["-A", "-B", "+D"], ["-A", "-B", "+D", "+E"],
    ]  # fmt: skip


def test_one_side_alone_is_no_mix():
    for line in ("sell A .05 .9 profit_taking", "buy A .05 .9 opportunity_buys"):
        assert mixes("A", line, weights=0.2) == [], line


def test_a_mix_without_a_buy_that_cash_pays_for_is_none():
    lines = ("sell A .05 .9 profit_taking", "buy B .30 .9 opportunity_buys")

    assert mixes("A B", *lines, weights=0.5) == []


def test_a_mix_keeps_to_the_depth():
    sales = [f"sell {symbol} .05 .9 profit_taking" for symbol in "AB"]
    buys = [f"buy {symbol} .05 .9 opportunity_buys" for symbol in "CD"]

    assert mixes("A B C D", *sales, *buys, weights=0.2, max_depth=3) == [
        ["-A", "+C"], ["-A", "+C", "+D"], ["-A", "-B", "+C"],
    ]  # fmt: skip
