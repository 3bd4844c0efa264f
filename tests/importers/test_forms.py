"""The small forms: targets, securities, rates."""

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from builders.paths import ROOT
from steelyard.errors import InputError
from steelyard.importers import read_fx, read_securities, read_targets
from steelyard.importers.securities import TYPES
from steelyard.portfolio import Security


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "f.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_targets_are_weights_by_symbol_and_0_is_one(tmp_path: Path):
    file = read_targets(written(tmp_path, "weight,symbol\n0.25,aaa\n0,BBB\n1e-2,CCC\n"))

    assert dict(file.weights) == {"AAA": 0.25, "BBB": 0.0, "CCC": 0.01}


def test_a_security_needs_only_its_symbol_and_what_is_missing_is_unknown(tmp_path: Path):
    file = read_securities(written(tmp_path, "symbol\nBBB\naaa\n"))

    assert file.securities == (Security("AAA", ""), Security("BBB", ""))
    assert file.securities[0].quality is None
    assert file.securities[0].dividend_yield is None


def test_a_security_with_everything(tmp_path: Path):
    file = read_securities(
        written(
            tmp_path,
            "symbol,name,product_type,currency,lot_size,industry,group,country,dividend_yield,quality,priority_multiplier,allow_buy,allow_sell\nAAA,Alpha,etf,eur,0.001,Energy;"
            " Utilities,Funds,France;Italy,0.03,0.7,1.5,TRUE,false\n",
        )
    )

    assert file.securities == (
        Security(
            symbol="AAA",
            currency="EUR",
            name="Alpha",
            product_type="ETF",
            lot_size=Decimal("0.001"),
            sectors=("Energy", "Utilities"),
            countries=("France", "Italy"),
            group="Funds",
            dividend_yield=0.03,
            quality=0.7,
            priority_multiplier=1.5,
            allow_buy=True,
            allow_sell=False,
        ),
    )
    assert file.securities[0].is_fund
    assert not file.warnings


def test_product_types_that_are_neither_shares_nor_funds_are_one_warning_in_the_words_of_the_file(
    tmp_path: Path,
):
    text = "symbol,product_type\nAAA,EFT\nBBB,\nCCC,Warrant\nDDD,Warrant\n"

    read = read_securities(written(tmp_path, text))

    (warning,) = read.warnings
    assert (warning.code, warning.symbol) == ("unknown_product_type", None)
    assert (
        warning.message
        == "These product types of f.csv are taken as EQUITY: 'EFT' of AAA; 'Warrant' of CCC, DDD. "
        "Known are EQUITY, ETC, ETF, MUTUALFUND; funds are ETC, ETF, MUTUALFUND."
    )
    assert [security.is_fund for security in read.securities] == [False] * 4


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("stock", "EQUITY"),
        ("Common Stock", "EQUITY"),
        ("SHARE", "EQUITY"),
        ("equity", "EQUITY"),
        ("etf", "ETF"),
        ("Exchange-Traded Fund", "ETF"),
        ("etc", "ETC"),
        ("fund", "MUTUALFUND"),
        ("mutual_fund", "MUTUALFUND"),
    ],
)
def test_product_types_have_the_names_that_people_give_them(tmp_path: Path, text: str, kind: str):
    read = read_securities(written(tmp_path, f"symbol,product_type\nAAA,{text}\n"))

    assert (read.securities[0].product_type, read.warnings) == (kind, ())


def test_sector_and_industry_together_are_refused(tmp_path: Path):
    path = written(tmp_path, "symbol,sector,industry\nAAA,Energy,Oil\n")

    with pytest.raises(InputError, match="column 'sector' more than once"):
        read_securities(path)


def test_rates_are_sorted_and_exact(tmp_path: Path):
    rows = ["2022-12-28,USD,0.9398496241", "2022-12-27,usd,0.94", "2022-12-28,GBP,1.13"]
    text = "\n".join(["date,currency,rate", *rows, ""])
    file = read_fx(written(tmp_path, gzip.compress(text.encode(), mtime=0)))

    assert [(rate.on, rate.rate) for rate in file.rates["USD"]] == [
        (date(2022, 12, 27), Decimal("0.94")),
        (date(2022, 12, 28), Decimal("0.9398496241")),
    ]
    assert list(file.rates) == ["GBP", "USD"]


def test_the_tutorial_names_every_product_type_that_is_known():
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    rows = {
        line.split("`")[1]: line.split("|")[2].strip()
        for line in page.splitlines()
        if line.startswith("| `")
    }

    assert {kind: ", ".join(names) for kind, names in TYPES.items()} == rows
