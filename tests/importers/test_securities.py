"""Securities: what is known of what may be traded, and the names of its types."""

from decimal import Decimal
from pathlib import Path

import pytest

from builders.files import written
from builders.paths import ROOT
from steelyard.errors import InputError
from steelyard.importers import read_securities
from steelyard.importers.securities import TYPES
from steelyard.portfolio import Security


def test_a_security_needs_only_its_symbol_and_what_is_missing_is_unknown(tmp_path: Path):
    file = read_securities(written(tmp_path, "symbol\nBBB\naaa\n"))

    assert file.securities == (
        Security("AAA", "", product_type=""),
        Security("BBB", "", product_type=""),
    )
    assert file.securities[0].quality is None
    assert file.securities[0].dividend_yield is None


def test_a_security_with_everything(tmp_path: Path):
    file = read_securities(
        written(
            tmp_path,
            "symbol,name,product_type,currency,lot_size,industry,group,country,"
            "dividend_yield,quality,priority_multiplier,allow_buy,allow_sell\n"
            "AAA,Alpha,etf,eur,0.001,Energy;"
            " Utilities,Funds,France;Italy,0.03,0.7,1.5,TRUE,false\n",
        )
    )

    assert file.securities == (
        Security(
            symbol="AAA", currency="EUR", name="Alpha", product_type="ETF",
            lot_size=Decimal("0.001"), sectors=("Energy", "Utilities"),
            countries=("France", "Italy"), group="Funds", dividend_yield=0.03, quality=0.7,
            priority_multiplier=1.5, allow_buy=True, allow_sell=False,
        ),
    )  # fmt: skip
    assert file.securities[0].is_fund
    assert not file.warnings


def test_expected_returns_are_read_as_fractions_and_as_percentages_and_nothing_else(tmp_path: Path):
    rows = {"A": ("0.07", 0.07), "B": ("7 %", 0.07), "C": ("-2.5%", -0.025), "D": ("", None)}
    text = "".join(f"{symbol},{cell}\n" for symbol, (cell, _) in rows.items())
    read = read_securities(written(tmp_path, f"symbol,expected_return\n{text}"))
    refused = {"7": "7% is 0.07", "70 %": "-0.5 to 0.5", "much": "is not a number"}
    text = "".join(f"{symbol},{cell}\n" for symbol, cell in zip("EFG", refused, strict=True))
    bad = read_securities(written(tmp_path, f"symbol,expected_return\n{text}"))

    assert {s.symbol: s.expected_return for s in read.securities} == {
        symbol: due for symbol, (_, due) in rows.items()
    }
    assert [
        (row.line, row.reason)
        for row, due in zip(bad.rejected, refused.values(), strict=True)
        if due not in row.reason
    ] == []


def test_product_types_that_are_neither_shares_nor_funds_are_one_warning_in_the_words_of_the_file(
    tmp_path: Path,
):
    text = "symbol,product_type\nAAA,EFT\nBBB,\nCCC,Certificate\nDDD,Certificate\n"

    read = read_securities(written(tmp_path, text))

    (warning,) = read.warnings
    assert (warning.code, warning.symbol) == ("unknown_product_type", None)
    assert (
        warning.message
        == "These product types of f.csv are not known: 'Certificate' of CCC, DDD; 'EFT' of AAA. "
        "Known are BOND, CASHLIKE, CRYPTO, EQUITY, ETC, ETF, FUTURE, MUTUALFUND, OPTION, OTHER; "
        "funds are ETC, ETF, MUTUALFUND."
    )
    assert [security.is_fund for security in read.securities] == [False] * 4


NAMES = {
    "stock": "EQUITY", "Common Stock": "EQUITY", "SHARE": "EQUITY", "equity": "EQUITY",
    "etf": "ETF", "Exchange-Traded Fund": "ETF", "etc": "ETC", "fund": "MUTUALFUND",
    "mutual_fund": "MUTUALFUND",
}  # fmt: skip


def test_product_types_have_the_names_that_people_give_them(tmp_path: Path):
    rows = "".join(f"A{i},{text}\n" for i, text in enumerate(NAMES))
    read = read_securities(written(tmp_path, "symbol,product_type\n" + rows))

    assert [security.product_type for security in read.securities] == list(NAMES.values())
    assert read.warnings == ()


def test_sector_and_industry_together_are_refused(tmp_path: Path):
    path = written(tmp_path, "symbol,sector,industry\nAAA,Energy,Oil\n")

    with pytest.raises(InputError, match="column 'sector' more than once"):
        read_securities(path)


def test_the_tutorial_names_every_product_type_that_is_known():
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    rows = {
        line.split("`")[1]: line.split("|")[2].strip()
        for line in page.splitlines()
        if line.startswith("| `")
    }

    assert {kind: ", ".join(names) for kind, names in TYPES.items()} == rows
