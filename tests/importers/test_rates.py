"""Rates judged: none outside what its currency ever came near, none that jumps."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from builders.files import LAST, files, inputs
from steelyard.errors import InputError, PlanRefused, RowsRejected
from steelyard.importers import assemble
from steelyard.importers.rates import plausible

HOLDINGS = "symbol,quantity,price,currency\nAAA,10,1000,{}\nCASH:{},5,,\n"


def rated(folder: Path, currency: str, rates: dict[str, str], base: str = "EUR", **more: object):
    rows = "".join(f"{on},{currency},{rate}\n" for on, rate in rates.items())
    given = files(
        folder, holdings=HOLDINGS.format(currency, base), fx=f"date,currency,rate\n{rows}"
    )
    return assemble(given, as_of=LAST, base_currency=base, **more)


def test_rates_upside_down_or_a_hundred_times_are_refused_with_their_range(tmp_path: Path):
    for currency, rate, hint in (
        ("JPY", "140.6", "Inverted? One JPY would be 0.0071"),
        ("JPY", "0.711", "A rate of 100, or of pence?"),
        ("USD", "94", "A rate of 100"),
        ("GBP", "11.3", "Typed wrong?"),
        ("TRY", "0.5", "Typed wrong?"),
    ):
        with pytest.raises(RowsRejected) as refusal:
            rated(tmp_path, currency, {"2022-12-28": rate})
        (fault,) = refusal.value.faults
        assert (fault.code, fault.value) == ("implausible_rate", rate), currency
        assert fault.place.startswith("fx.csv line 2"), fault
        assert hint in fault.message, fault.message


def test_every_rate_of_the_central_bank_is_plausible_in_its_own_year_and_ten_times_is_not():
    wrong = []
    for currency, base, rate, year in (
        ("USD", "EUR", "0.94", 2022), ("EUR", "USD", "1.06", 2022), ("JPY", "USD", "0.0075", 2022),
        ("TRY", "EUR", "0.02", 2026), ("KRW", "EUR", "0.0007", 2015), ("GBP", "USD", "1.2", 2030),
        ("IDR", "CHF", "0.00006", 2021), ("ZAR", "GBP", "0.05", 2019),
    ):  # fmt: skip
        low, high = plausible(currency, base, year)
        for factor, fits in ((1, True), (10, False), (Decimal("0.1"), False)):
            if (low <= Decimal(rate) * factor <= high) is not fits:
                wrong.append((currency, base, year, factor))
    assert not wrong
    assert plausible("XYZ", "EUR", 2022) is None


def test_a_newest_rate_that_jumps_is_refused_until_its_currency_is_accepted(tmp_path: Path):
    rates = {"2022-12-27": "0.94", "2022-12-28": "1.9"}
    with pytest.raises(PlanRefused, match=r"a factor of 2.02(.|\n)*--accept-price USD"):
        rated(tmp_path, "USD", rates)

    assert rated(tmp_path, "USD", rates, accept_price=["USD"]).market.fx.known("USD")


def test_pence_have_a_rate_of_their_own_a_hundredth_of_the_pounds(tmp_path: Path):
    read = rated(tmp_path, "GBX", {"2022-12-28": "0.01153"})

    assert read.market.fx.latest("GBP", LAST).rate == Decimal("1.153")
    assert {notice.code for notice in read.warnings if notice.head} == {"minor_unit"}


def test_a_rate_of_tomorrow_is_refused_by_its_line(tmp_path: Path):
    with pytest.raises(RowsRejected) as refusal:
        rated(tmp_path, "USD", {"2032-12-28": "0.94"}, today=date(2023, 1, 4))
    assert [(f.code, f.place) for f in refusal.value.faults] == [
        ("after_today", "fx.csv line 2, column date")
    ]


def test_a_price_of_tomorrow_and_an_as_of_date_of_tomorrow_are_refused(tmp_path: Path):
    rows = "date,AAA\n2022-12-28,10\n{},11\n"
    for price_day, as_of in (("2032-12-28", None), ("2023-01-04", date(2023, 1, 5))):
        with pytest.raises(InputError, match="after today"):
            inputs(tmp_path, prices=rows.format(price_day), as_of=as_of)


def test_a_rate_of_which_nothing_is_known_must_be_accepted_by_name(tmp_path: Path):
    rates = {"2022-12-28": "4000"}
    with pytest.raises(PlanRefused, match="One COP is counted as 4000 EUR"):
        rated(tmp_path, "COP", rates)

    read = rated(tmp_path, "COP", rates, accept_price=["COP"])
    assert [notice.code for notice in read.warnings if notice.head] == ["accepted_price"]
