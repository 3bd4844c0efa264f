"""Trades: counted in words, and the reserve that cash in other currencies helps to hold."""

from builders import plans as sample
from steelyard.report.exhibits import ladder, trades


def test_trades_are_counted_in_words():
    assert trades.trades(sample.growth()).heading == "Eleven trades, sells first"
    assert trades.trades(sample.one_holding()).heading in {"One sale", "One purchase"}
    assert trades.trades(sample.hold()).heading == "No trades"


def test_a_reserve_that_other_currencies_help_to_hold_says_so():
    plan = sample.two_currencies()

    assert (
        trades.trades(plan).reserve_said
        == "The reserve is 624.25; cash in other currencies counts towards it: all cash is 3,174.88"
        " USD."
    )
    assert "reserve 624 of all cash" in ladder.cash(plan).ladders[0].said
    assert trades.trades(sample.one_holding()).reserve_said == "The reserve is 100.00."
