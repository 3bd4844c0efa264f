"""The bundled portfolios: consistent with the quotes, or broken in the promised ways."""

import csv
import gzip
import io
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.samples import PORTFOLIOS, SECURITIES, sample

LAST = "2022-12-28"
GROWTH_19 = "AAPL MSFT UNH LLY HD JPM JNJ PG KO XOM GE AMD WMT QUAL MRK PEP CVX USMV BAC"


def rows(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"))))


CLOSES = {row.pop("date"): row for row in rows(sample("growth").prices)}
EUR_PER_USD = {row["date"]: Decimal(row["rate"]) for row in rows(sample("euro").fx or Path())}


def securities_held(name: str) -> list[dict[str, str]]:
    return [row for row in rows(sample(name).holdings) if not row["symbol"].startswith("CASH:")]


def cash(name: str) -> dict[str, Decimal]:
    return {
        row["symbol"]: Decimal(row["quantity"])
        for row in rows(sample(name).holdings)
        if row["symbol"].startswith("CASH:")
    }


def worth(name: str, day: str) -> dict[str, Decimal]:
    return {
        row["symbol"]: Decimal(row["quantity"]) * Decimal(CLOSES[day][row["symbol"]])
        for row in securities_held(name)
    }


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'gold'; known are growth, euro, broken"):
        sample("gold")


def test_every_named_file_exists():
    for name in PORTFOLIOS:
        files = sample(name)
        paths = {files.holdings, files.targets, files.securities, files.prices}
        assert files.name == name
        assert all(path.is_file() for path in (paths | {files.fx, files.index}) - {None}), name
        assert (files.fx is None) == (files.base_currency == "USD"), name


def test_a_portfolio_describes_a_security_as_the_common_file_does():
    common = {row["symbol"]: row for row in rows(SECURITIES)}

    for name in PORTFOLIOS:
        assert all(row == common[row["symbol"]] for row in rows(sample(name).securities)), name


def test_a_cost_is_the_close_of_its_acquisition_date():
    for row in (row for name in PORTFOLIOS for row in securities_held(name) if row["acquired"]):
        cost, close = Decimal(row["average_cost"]), CLOSES[row["acquired"]][row["symbol"]]
        assert Decimal(close).quantize(cost) == cost, row["symbol"]


def test_growth_lists_the_securities_it_plans_with():
    listed = [row["symbol"] for row in rows(sample("growth").securities)]
    owned = [row["symbol"] for row in securities_held("growth")]
    targets = rows(sample("growth").targets)

    assert sorted(listed) == sorted(GROWTH_19.split())
    assert [row["symbol"] for row in targets] == owned
    assert set(owned) < set(listed)
    assert sum(Decimal(row["weight"]) for row in targets) == Decimal("0.95")


def test_cash_is_six_percent_of_value_in_the_accounts_own_currency_alone():
    rates = {"growth": ("CASH:USD", Decimal(1)), "euro": ("CASH:EUR", EUR_PER_USD[LAST])}
    for name, (symbol, rate) in rates.items():
        invested = sum(worth(name, LAST).values()) * rate
        assert list(cash(name)) == [symbol]
        share = cash(name)[symbol] / (invested + cash(name)[symbol])
        assert abs(share - Decimal("0.06")) < Decimal("0.00001"), name


def test_euro_holds_and_targets_what_growth_does_so_that_every_trade_converts():
    euro, growth = sample("euro"), sample("growth")

    assert securities_held("euro") == securities_held("growth")
    assert euro.targets.read_bytes() == growth.targets.read_bytes()
    assert euro.securities.read_bytes() == growth.securities.read_bytes()
    assert (euro.base_currency, growth.base_currency) == ("EUR", "USD")
    assert {row["currency"] for row in rows(euro.securities)} == {"USD"}


def test_broken_holds_a_security_whose_prices_stop_twelve_sessions_before_the_end():
    prices = rows(sample("broken").prices)
    stale = {
        symbol: sum(row[symbol] == "" for row in prices[-12:])
        for symbol in prices[0]
        if symbol != "date"
    }

    assert stale == {"AAPL": 0, "MSFT": 0, "JNJ": 0, "KO": 0, "XOM": 0, "GE": 12}
    assert all(row["GE"] for row in prices[:-12])
    assert prices[-1]["date"] == LAST
    assert "GE" in {row["symbol"] for row in securities_held("broken")}


def test_broken_prices_are_a_part_of_the_common_ones():
    for row in rows(sample("broken").prices):
        closes = CLOSES[row.pop("date")]
        assert all(cell in {"", closes[symbol]} for symbol, cell in row.items())


def test_broken_holds_and_targets_a_symbol_without_any_price():
    priced = set(rows(sample("broken").prices)[0])

    assert {row["symbol"] for row in securities_held("broken")} - priced == {"TWTR"}
    assert {row["symbol"] for row in rows(sample("broken").targets)} - priced == {"APPL"}


def test_broken_targets_sum_to_more_than_one():
    assert sum(Decimal(row["weight"]) for row in rows(sample("broken").targets)) == Decimal("1.20")


@pytest.mark.real_quotes
def test_growth_is_worth_what_the_score_was_worked_out_with():
    def figures(day: str, usd: int) -> list[str]:
        """Value, weights of AAPL and of cash."""
        values = worth("growth", day)
        total = sum(values.values()) + usd
        return [f"{total}", f"{values['AAPL'] / total:.4f}", f"{usd / total:.4f}"]

    assert figures("2019-12-31", 6597) == ["109947.824", "0.2739", "0.0600"]
    assert figures("2020-12-31", 9021) == ["150349.751", "0.3652", "0.0600"]
    assert figures(LAST, 10374) == ["172905.269", "0.3053", "0.0600"]


@pytest.mark.real_quotes
def test_growth_keeps_its_real_costs():
    costs = {row["symbol"]: row["average_cost"] for row in securities_held("growth")}

    assert (costs["AAPL"], costs["GE"], costs["QUAL"]) == ("13.975", "172.825", "66.662")
    assert cash("growth") == {"CASH:USD": Decimal(10374)}
