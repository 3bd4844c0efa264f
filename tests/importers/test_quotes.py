"""Prices and rates: which file's price counts, what lacks a rate, what looks wrong."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np

from builders.files import LAST, PRICES, files, inputs
from steelyard.importers import assemble
from steelyard.portfolio import Security


def jumps(folder: Path, closes: list[float | str], names: str = "AAA") -> list[str]:
    rows = [
        f"2022-12-{day:02d}," + ",".join(str(close) for _ in names.split(","))
        for day, close in enumerate(closes, start=1)
    ]
    holdings = "symbol,quantity\n" + "".join(f"{name},10\n" for name in names.split(","))
    assembled = inputs(folder, holdings, "\n".join([f"date,{names}", *rows, ""]))
    return [notice.message for notice in assembled.warnings if notice.code == "price_jump"]


def test_the_price_file_wins_on_its_newest_day_and_two_percent_are_a_warning(tmp_path: Path):
    close = inputs(tmp_path, "symbol,quantity,price\nAAA,10,11.22\n")
    far = inputs(tmp_path, "symbol,quantity,price\nAAA,10,11.2201\n")

    assert close.warnings == ()
    assert far.market.quotes["AAA"].price == 11
    (warning,) = far.warnings
    assert (warning.code, warning.symbol) == ("price_differs", "AAA")
    assert (
        "11 on 2022-12-28 by the price file and 11.2201 by holdings.csv, 2.0% apart"
        in warning.message
    )


def test_the_holdings_price_serves_where_the_price_file_has_no_newest_one(tmp_path: Path):
    prices = "date,AAA,BBB\n2022-12-27,10,20\n2022-12-28,11,\n"
    assembled = inputs(tmp_path, "symbol,quantity,price\nBBB,1,30\nDDD,2,7\n", prices)

    assert [(quote.price, quote.on) for quote in assembled.market.quotes.values()] == [
        (Decimal(30), LAST),
        (Decimal(7), LAST),
    ]
    assert np.array_equal(assembled.market.closes, [[20, np.nan], [np.nan, 7]], equal_nan=True)
    assert [(warning.code, warning.symbol) for warning in assembled.warnings] == [
        ("price_from_holdings", "BBB"),
        ("price_from_holdings", "DDD"),
    ]
    assert "its last price there, 20, is of 2022-12-27" in assembled.warnings[0].message


def test_an_old_price_in_the_file_stays_for_the_planner_to_judge(tmp_path: Path):
    assembled = inputs(
        tmp_path, "symbol,quantity\nBBB,1\n", "date,AAA,BBB\n2022-12-27,10,20\n2022-12-28,11,\n"
    )

    assert assembled.market.quotes["BBB"].on == date(2022, 12, 27)


def test_a_currency_in_which_nothing_is_owned_may_lack_a_rate(tmp_path: Path):
    assembled = inputs(
        tmp_path, "symbol,quantity\nAAA,1\nCASH:USD,5\n", securities="symbol,currency\nBBB,JPY\n"
    )

    assert Security("BBB", "JPY") in assembled.snapshot.securities
    assert not assembled.market.fx.known("JPY")


def test_an_empty_foreign_balance_needs_no_rate(tmp_path: Path):
    assembled = assemble(
        files(tmp_path, holdings="symbol,quantity\nCASH:USD,5\nCASH:CHF,0\n"),
        base_currency="USD",
        as_of=LAST,
    )

    assert dict(assembled.snapshot.cash) == {"USD": Decimal(5)}


def test_an_unadjusted_split_or_a_slip_in_the_prices_is_a_warning_with_date_and_factor(
    tmp_path: Path,
):
    (messages,) = jumps(tmp_path, [100, 101, 25.5, 25])
    change, _, consequence = messages.partition(": ")
    assert change == "AAA goes from 101 on 2022-12-02 to 25.5 on 2022-12-03, 0.252 times as much"
    assert (
        consequence == "an unadjusted split or a wrong price would spoil return and risk estimates."
    )
    assert "0.1 times as much (1 more like it)" in jumps(tmp_path, [100, 10, 95])[0]
    assert "0.5 times" in jumps(tmp_path, [100, "", 50])[0]
    assert jumps(tmp_path, [100, 56, 100, 152]) == []


def test_a_price_after_a_long_gap_may_be_any(tmp_path: Path):
    rows = [f"2022-12-{day:02d},{'' if 1 < day < 8 else 10 * day},5" for day in range(1, 9)]

    assert inputs(tmp_path, prices="\n".join(["date,AAA,BBB", *rows, ""])).warnings == ()


def test_the_first_few_of_many_jumps_are_told_and_the_others_named(tmp_path: Path):
    messages = jumps(tmp_path, [100, 25], "A,B,C,D,E,F,G")

    assert len(messages) == 6
    assert messages[-1] == "Prices jump like this in F, G too."


def test_a_target_that_may_be_a_slip_of_a_symbol_of_the_price_file_is_a_warning(tmp_path: Path):
    prices = PRICES.replace("CCC", "NVDA")

    assembled = inputs(
        tmp_path, prices=prices, targets="symbol,weight\nNVDIA,0.04\nZZZ,0.1\nBBB,0.2\n"
    )

    (warning,) = assembled.warnings
    assert (warning.code, warning.symbol) == ("unknown_target", "NVDIA")
    assert (
        warning.message
        == "NVDIA has a target, and prices.csv has no price of it. Did you mean NVDA?"
    )
