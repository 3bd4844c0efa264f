"""The small forms: targets, securities, rates."""

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.errors import InputError
from steelyard.importers import read_fx, read_securities, read_targets
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
            "symbol,name,product_type,currency,lot_size,industry,group,country,dividend_yield,quality,priority_multiplier,allow_buy,allow_sell\n"
            "AAA,Alpha,etf,eur,0.001,Energy; Utilities,Funds,France;Italy,0.03,0.7,1.5,TRUE,false\n",
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


def test_a_product_type_that_is_neither_share_nor_fund_is_a_warning(tmp_path: Path):
    (warning,) = read_securities(written(tmp_path, "symbol,product_type\nAAA,EFT\nBBB,\n")).warnings

    assert (warning.code, warning.symbol) == ("unknown_product_type", "AAA")
    assert "'EFT' of AAA is taken as EQUITY; funds are ETC, ETF, MUTUALFUND." in warning.message


def test_sector_and_industry_together_are_refused(tmp_path: Path):
    path = written(tmp_path, "symbol,sector,industry\nAAA,Energy,Oil\n")

    with pytest.raises(InputError, match="column 'sector' more than once"):
        read_securities(path)


def test_rates_are_sorted_and_exact(tmp_path: Path):
    text = "date,currency,rate\n2022-12-28,USD,0.9398496241\n2022-12-27,usd,0.94\n2022-12-28,GBP,1.13\n"
    file = read_fx(written(tmp_path, gzip.compress(text.encode(), mtime=0)))

    assert [(rate.on, rate.rate) for rate in file.rates["USD"]] == [
        (date(2022, 12, 27), Decimal("0.94")),
        (date(2022, 12, 28), Decimal("0.9398496241")),
    ]
    assert list(file.rates) == ["GBP", "USD"]
