"""Prices and rates: which file's price counts, what lacks a rate, what looks wrong."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from builders.files import LAST, PRICES, files, inputs, written
from steelyard.errors import InputError, PlanRefused, RowsRejected
from steelyard.importers import Reading, assemble
from steelyard.importers import read as read_files
from steelyard.portfolio import Security


def jumps(folder: Path, closes: list[float | str], names: str = "AAA") -> list[str]:
    rows = [
        f"2022-12-{day:02d}," + ",".join(str(close) for _ in names.split(","))
        for day, close in enumerate(closes, start=1)
    ]
    holdings = "symbol,quantity\n" + "".join(f"{name},10\n" for name in names.split(","))
    assembled = inputs(folder, holdings, "\n".join([f"date,{names}", *rows, ""]))
    return [notice.message for notice in assembled.warnings if notice.code == "history_jump"]


def test_the_price_file_wins_on_its_newest_day_and_two_percent_are_a_warning(tmp_path: Path):
    close = inputs(tmp_path, "symbol,quantity,price\nAAA,10,11.21\n")
    far = inputs(tmp_path, "symbol,quantity,price\nAAA,10,11.55\n")

    assert close.warnings == ()
    assert far.market.quotes["AAA"].price == 11
    (warning,) = far.warnings
    assert (warning.code, warning.symbol, warning.head) == ("price_differs", "AAA", True)
    assert (
        "11 on 2022-12-28 by prices.csv and 11.55 on 2022-12-28 by holdings.csv, 5.0% apart"
        in warning.message
    )


def test_two_prices_a_fifth_apart_are_refused_until_one_is_accepted_by_name(tmp_path: Path):
    holdings = "symbol,quantity,price\nAAA,10,{}\nCASH:USD,9,\n"
    for price, cause in (("1100", "pence"), ("110", "10:1"), ("5.5", "2:1"), ("13.3", "typed")):
        with pytest.raises(PlanRefused) as refusal:
            inputs(tmp_path, holdings.format(price))
        (fault,) = refusal.value.faults
        assert (fault.code, fault.value) == ("price_disagrees", price)
        parts = ("11 on 2022-12-28", f"{price} on", cause, "--accept-price AAA", "Nothing was")
        assert all(part in fault.message for part in parts), fault.message
    given = files(tmp_path, holdings=holdings.format("1100"), prices=PRICES)

    accepted = assemble(given, accept_price=["aaa"])

    assert accepted.market.quotes["AAA"].price == 11
    assert [(w.code, w.head) for w in accepted.warnings] == [("accepted_price", True)]


def test_a_newest_close_that_jumps_is_refused_where_it_matters_and_else_kept_out(tmp_path: Path):
    prices = PRICES.replace("28,11,22,5", "28,11,22,50")
    listed = "symbol,product_type\nCCC,ETF\n"
    for where in ({"holdings": "symbol,quantity\nCCC,1\n"}, {"targets": "symbol,weight\nCCC,.1\n"}):
        with pytest.raises(PlanRefused) as refusal:
            inputs(tmp_path, prices=prices, **where)
        assert [fault.code for fault in refusal.value.faults] == ["price_jump"]

    looked_at = inputs(tmp_path, prices=prices, securities=listed)

    assert looked_at.market.withheld["CCC"].rule == "price_jump"
    assert [(w.code, w.symbol) for w in looked_at.warnings if w.head] == [("price_jump", "CCC")]


def test_pence_of_a_price_file_are_those_of_the_securities_else_of_the_holdings(tmp_path: Path):
    listed = {"securities": "symbol,currency\nAAA,GBX\n"}
    for holdings, more in (
        ("symbol,quantity,currency\nAAA,10,GBp\n", {}),
        ("symbol,quantity\nAAA,10\n", listed),
        ("symbol,quantity,currency,price\nAAA,10,GBP,.11\n", listed),
    ):
        read = inputs(tmp_path, holdings, **more)
        quote = read.market.quotes["AAA"]
        assert (quote.price, quote.source) == (Decimal("0.11"), "prices.csv"), holdings
        assert quote.unit in {"GBp", "GBX"}
        assert np.allclose(read.market.closes[:, 0], [0.09, 0.10, 0.11])
        (warning,) = [w for w in read.warnings if w.code == "minor_unit"]
        assert warning.head
        assert "divided by 100: AAA" in warning.message


def test_the_holdings_price_serves_where_the_price_file_has_no_newest_one(tmp_path: Path):
    prices = "date,AAA,BBB\n2022-12-27,10,20\n2022-12-28,11,\n"
    assembled = inputs(tmp_path, "symbol,quantity,price\nBBB,1,21\nDDD,2,7\n", prices)

    assert [(quote.price, quote.on) for quote in assembled.market.quotes.values()] == [
        (Decimal(21), LAST),
        (Decimal(7), LAST),
    ]
    assert np.array_equal(assembled.market.closes, [[20, np.nan], [np.nan, 7]], equal_nan=True)
    assert [(warning.code, warning.symbol) for warning in assembled.warnings] == [
        ("price_differs", "BBB"),
        ("price_from_holdings", "BBB"),
        ("price_from_holdings", "DDD"),
    ]
    assert "its last price there, 20, is of 2022-12-27" in assembled.warnings[1].message


def test_an_old_price_in_the_file_stays_for_the_planner_to_judge(tmp_path: Path):
    assembled = inputs(
        tmp_path, "symbol,quantity\nBBB,1\n", "date,AAA,BBB\n2022-12-27,10,20\n2022-12-28,11,\n"
    )

    assert assembled.market.quotes["BBB"].on == date(2022, 12, 27)


def test_a_currency_in_which_nothing_is_owned_may_lack_a_rate(tmp_path: Path):
    assembled = inputs(
        tmp_path, "symbol,quantity\nAAA,1\nCASH:USD,5\n", securities="symbol,currency\nBBB,JPY\n"
    )

    assert Security("BBB", "JPY", product_type="") in assembled.snapshot.securities
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
    (messages,) = jumps(tmp_path, [100, 101, 40, 41])
    change, _, consequence = messages.partition(": ")
    assert change == "AAA goes from 101 on 2022-12-02 to 40 on 2022-12-03, 0.396 times as much"
    assert (
        consequence == "an unadjusted split or a wrong price would spoil return and risk estimates."
    )
    assert "0.5 times as much (1 more like it)" in jumps(tmp_path, [100, 50, 99, 95])[0]
    assert "0.5 times" in jumps(tmp_path, [100, "", 50, 51])[0]
    assert jumps(tmp_path, [100, 56, 100, 120]) == []


def test_a_price_after_a_gap_of_weeks_may_have_moved_further(tmp_path: Path):
    rows = "date,AAA,BBB\n2022-12-01,10,5\n{},,5\n2022-12-28,{},5\n"
    assert inputs(tmp_path, prices=rows.format("2022-12-20", 25)).warnings == ()
    with pytest.raises(PlanRefused, match="a factor of 4"):
        inputs(tmp_path, prices=rows.format("2022-12-20", 40))


def test_the_first_few_of_many_jumps_are_told_and_the_others_named(tmp_path: Path):
    messages = jumps(tmp_path, [100, 45, 45], "A,B,C,D,E,F,G")

    assert len(messages) == 6
    assert messages[-1] == "Prices jump like this in F, G too."


def test_a_target_that_may_be_a_slip_of_what_is_held_or_priced_is_refused(tmp_path: Path):
    prices = PRICES.replace("CCC", "NVDA")
    for symbol, near in (("NVDIA", "NVDA"), ("AAAA", "AAA")):
        with pytest.raises(InputError) as refusal:
            inputs(tmp_path, prices=prices, targets=f"symbol,weight\nZZZ,0.1\n{symbol},0.04\n")
        (fault,) = refusal.value.faults
        assert (fault.code, fault.place) == ("unknown_target", "targets.csv line 3")
        assert f"Did you mean {near}?" in fault.message


def test_a_target_near_a_name_that_has_its_own_target_is_no_slip(tmp_path: Path):
    read = inputs(tmp_path, targets="symbol,weight\nAAA,.2\nAAAA,.1\nZZZ,0.1\n")

    assert dict(read.targets.weights) == {"AAA": 0.2, "AAAA": 0.1, "ZZZ": 0.1}


def test_names_of_classes_in_targets_are_refused_with_where_they_go(tmp_path: Path):
    listed = "symbol,sector\nAAA,US large\n"
    for names in ("US large,.5", "STOCKS,.5\nZZZ,.1"):
        with pytest.raises(InputError) as refusal:
            inputs(tmp_path, targets=f"symbol,weight\n{names}\n", securities=listed)
        (fault,) = refusal.value.faults
        assert fault.code == "class_as_symbol"
        assert "class:" in fault.message


def test_one_symbol_in_three_spellings_and_by_its_isin_is_one_security(tmp_path: Path):
    prices = "date,BRK-B,KO\n2022-12-27,10,20\n2022-12-28,11,21\n"
    read = inputs(
        tmp_path,
        "symbol,quantity\nBRK.B,10\nUS1912161007,3\nCASH:USD,9\n",
        prices,
        targets="symbol,weight\nbrk/b,0.5\nKO,0.4\n",
        securities="symbol,isin\nBRK B,\nKO,US1912161007\n",
    )

    assert [row.symbol for row in read.snapshot.holdings] == ["BRK.B", "KO"]
    assert sorted(read.market.quotes) == sorted(read.targets.weights) == ["BRK.B", "KO"]


def test_an_alias_of_the_mapping_file_is_read_in_every_file(tmp_path: Path):
    mapping = written(tmp_path, '[alias]\nOLD = "AAA"\n', "import.toml")
    paths = {
        "holdings": written(tmp_path, "symbol,quantity\nold,10\n", "h.csv"),
        "targets": written(tmp_path, "symbol,weight\nAAA,.5\n", "t.csv"),
        "prices": written(tmp_path, PRICES, "p.csv"),
    }

    read = assemble(read_files(**paths, reading=Reading(mapping=mapping)))

    assert [row.symbol for row in read.snapshot.holdings] == ["AAA"]
    assert dict(read.targets.weights) == {"AAA": 0.5}


def test_what_was_sold_out_may_be_bought_again_at_the_price_of_its_row(tmp_path: Path):
    read = inputs(
        tmp_path, "symbol,quantity,price\nAAA,0,12\nZZZ,0,7\nCASH:USD,9,\n",
        targets="symbol,weight\nZZZ,.5\n",
    )  # fmt: skip

    assert read.market.quotes["ZZZ"].price == 7
    assert read.market.quotes["AAA"].price == 11


def test_a_currency_that_the_price_file_says_must_be_that_of_the_others(tmp_path: Path):
    rows = "date,symbol,close,currency\n2022-12-27,AAA,10,{0}\n2022-12-28,AAA,11,{0}\n"
    with pytest.raises(InputError, match=r"in GBP in holdings\.csv and in USD in prices\.csv"):
        inputs(tmp_path, "symbol,quantity,currency\nAAA,1,GBP\n", rows.format("USD"))

    read = inputs(tmp_path, "symbol,quantity,currency\nAAA,1,GBP\n", rows.format("GBX"))
    assert read.market.quotes["AAA"].price == Decimal("0.11")


def test_a_cusip_of_which_nothing_is_known_is_asked_about(tmp_path: Path):
    with pytest.raises(RowsRejected, match="as shares it is worth 985, as a bond"):
        inputs(tmp_path, "symbol,quantity,price\n912828ZQ6,10,98.5\n", prices=None)

    read = inputs(
        tmp_path, "symbol,quantity,price\n912828ZQ6,10,98.5\n", prices=None,
        securities="symbol,product_type\n912828ZQ6,BOND\n",
    )  # fmt: skip
    assert read.snapshot.securities[0].multiplier == Decimal("0.01")


def test_a_price_a_hundred_times_its_cost_is_refused_where_pence_are_about(tmp_path: Path):
    holdings = "symbol,quantity,average_cost,currency\nAAA,1,{},{}\n"
    prices = "date,AAA\n2022-12-27,71\n2022-12-28,71.2\n"
    for cost, currency in (("0.7", "GBP"), ("0.7", "GBp")):
        with pytest.raises(PlanRefused, match="pence read as pounds"):
            inputs(tmp_path, holdings.format(cost, currency), prices)
    read = inputs(tmp_path, holdings.format("70", "GBP"), prices)
    assert read.market.quotes["AAA"].price == Decimal("71.2")
    given = files(tmp_path, holdings=holdings.format("0.7", "GBP"), prices=prices)
    assert [w.code for w in assemble(given, accept_price=["AAA"]).warnings] == ["accepted_price"]


def test_a_step_of_the_last_days_that_stands_is_refused_and_one_that_went_back_is_not(
    tmp_path: Path,
):
    rows = "date,AAA\n" + "".join(f"2022-12-{day:02d},{{}}\n" for day in (20, 21, 22, 23, 27, 28))
    with pytest.raises(PlanRefused, match="a factor of 10"):
        inputs(tmp_path, prices=rows.format(10, 10, 100, 101, 100, 100))

    read = inputs(tmp_path, prices=rows.format(10, 10, 100, 10, 10, 10.1))
    assert read.market.quotes["AAA"].price == Decimal("10.1")


def test_a_listing_of_london_needs_a_currency_and_a_bond_near_one_is_asked_about(tmp_path: Path):
    prices = "date,SHEL.L,BND\n2022-12-27,2740,.98\n2022-12-28,2745,.984\n"
    for listed, match in (
        ("symbol,product_type\nBND,BOND\n", "BND is counted per 100"),
        ("symbol,currency\nBND,GBP\n", r"in which currency SHEL\.L is quoted"),
    ):
        with pytest.raises(PlanRefused, match=match):
            inputs(
                tmp_path, "symbol,quantity\nBND,5\nCASH:GBP,9\n", prices,
                targets="symbol,weight\nSHEL.L,.4\n", securities=listed,
            )  # fmt: skip
    read = inputs(
        tmp_path, "symbol,quantity\nBND,5\nCASH:GBP,9\n", prices,
        targets="symbol,weight\nSHEL.L,.4\n",
        securities="symbol,product_type,multiplier,currency\nBND,BOND,1,GBP\nSHEL.L,,,GBp\n",
    )  # fmt: skip
    assert read.market.quotes["SHEL.L"].price == Decimal("27.45")
    assert [row.multiplier for row in read.snapshot.securities] == [1, 1]


def test_an_option_that_has_ended_and_money_of_next_year_are_refused(tmp_path: Path):
    for row, code in (
        ("AAPL220116C00250000,2,4,", "expired_option"),
        ("CASH:USD,900,,2042-12-30", "settles_late"),
    ):
        with pytest.raises((InputError, PlanRefused)) as refusal:
            inputs(tmp_path, f"symbol,quantity,price,settles\nAAA,1,,\n{row}\n")
        assert [fault.code for fault in refusal.value.faults] == [code]


def test_the_history_of_one_security_is_no_price_file_of_four_symbols(tmp_path: Path):
    text = "Date,Open,High,Low,Close,Volume\n2022-12-28,10,11,9,10.5,1000\n"
    with pytest.raises(InputError, match="history of one security"):
        inputs(tmp_path, "symbol,quantity\nAAA,1\n", text)
