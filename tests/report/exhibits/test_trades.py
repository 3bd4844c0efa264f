"""Trades: counted in words, and the reserve that cash in other currencies helps to hold."""

from decimal import Decimal

from builders import plans as sample
from steelyard.report.exhibits import ladder, trades


def test_trades_are_counted_in_words():
    assert trades.trades(sample.growth()).heading == "Eleven trades, sells first"
    assert trades.trades(sample.one_holding()).heading in {"One sale", "One purchase"}
    assert trades.trades(sample.hold()).heading == "No trades"


def test_a_reserve_that_other_currencies_help_to_hold_says_so():
    cash = {"USD": Decimal(500), "EUR": Decimal(1000)}
    plan = sample.two_currencies().model_copy(update={"cash_after": cash})

    assert (
        trades.trades(plan).reserve_said
        == "The reserve is 614.25; cash in other currencies counts towards it: all cash is 1,750.00"
        " USD."
    )
    assert "reserve 614 of all cash" in ladder.cash(plan).ladders[0].said
    assert trades.trades(sample.one_holding()).reserve_said == "The reserve is 100.00."
