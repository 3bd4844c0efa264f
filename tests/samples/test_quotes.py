"""The bundled quotes, real or generated: shapes, dates, positive numbers, hashes of the record."""

import csv
import gzip
import hashlib
import io
import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from steelyard.samples import SECURITIES, SOURCE, sample

QUOTES = sample("growth").prices.parent
SHARES = (
    *("AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "HD", "JNJ", "JPM", "KO"),
    *("LLY", "MRK", "MSFT", "PEP", "PFE", "PG", "RRC", "UNH", "WMT", "XOM"),
)
FUNDS = ("MTUM", "QUAL", "SIZE", "USMV", "VLUE")
FIRST, FUNDS_FIRST, LAST = "2004-01-02", "2014-01-02", "2022-12-28"
SESSIONS, FUND_SESSIONS = 4781, 2264


def rows(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"))))


PRICES = rows(QUOTES / "prices.csv.gz")
INDEX = rows(QUOTES / "index.csv.gz")
RATES = {row["date"]: row for row in rows(QUOTES / "fx.csv.gz")}
DATES = [row["date"] for row in PRICES]


def test_prices_are_wide_with_20_shares_and_5_funds():
    assert list(PRICES[0]) == ["date", *SHARES, *FUNDS]


def test_sessions_ascend_without_repetition_over_the_promised_span():
    assert (DATES[0], DATES[-1], len(DATES)) == (FIRST, LAST, SESSIONS)
    assert all(earlier < day for earlier, day in pairwise(DATES))


def test_shares_have_a_positive_price_on_every_session():
    assert all(Decimal(row[symbol]) > 0 for row in PRICES for symbol in SHARES)


def test_funds_start_in_2014_and_have_no_gap_from_there():
    before = [row for row in PRICES if row["date"] < FUNDS_FIRST]
    since = PRICES[len(before) :]

    assert (since[0]["date"], len(since)) == (FUNDS_FIRST, FUND_SESSIONS)
    assert all(row[symbol] == "" for row in before for symbol in FUNDS)
    assert all(Decimal(row[symbol]) > 0 for row in since for symbol in FUNDS)


def test_the_index_has_the_same_sessions():
    assert [row["date"] for row in INDEX] == DATES
    assert all(Decimal(row["SP500"]) > 0 for row in INDEX)


def test_every_session_has_a_positive_rate_of_that_day_or_of_the_session_before():
    assert set(RATES) <= set(DATES)
    assert DATES[0] in RATES
    assert all(day in RATES or earlier in RATES for earlier, day in pairwise(DATES))
    assert all(row["currency"] == "USD" and Decimal(row["rate"]) > 0 for row in RATES.values())


def test_the_sessions_without_a_rate_are_the_ecbs_holidays():
    closed = [day for day in DATES if day not in RATES]

    # besides 1 May and 26 December only Easter Mondays, which fall from 23 March to 25 April
    assert len(closed) == 40
    assert all(day[5:] in {"05-01", "12-26"} or "03-23" <= day[5:] <= "04-25" for day in closed)


def test_a_rate_is_euros_per_dollar():
    # the ECB published 1.0640 dollars per euro on 2022-12-28
    assert RATES[LAST]["rate"] == "0.9398496241"


def test_the_record_names_the_source_and_the_hash_of_every_table():
    record = json.loads((QUOTES / "source.json").read_text())
    tables = {
        path.name: hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
        for path in QUOTES.glob("*.csv.gz")
    }

    assert record["source"] == SOURCE
    assert (record["first"], record["last"], record["sessions"]) == (FIRST, LAST, SESSIONS)
    assert record["sha256_of_text"] == tables


def test_the_page_on_provenance_states_the_hash_of_every_source_file():
    page = (SECURITIES.parent / "PROVENANCE.md").read_text(encoding="utf-8")
    record = json.loads((QUOTES / "source.json").read_text())

    assert all(file["sha256"] in page for file in record["made_from"].get("files", []))


def test_every_price_has_a_line_in_the_securities_file():
    listed = rows(SECURITIES)

    assert sorted(row["symbol"] for row in listed) == sorted((*SHARES, *FUNDS))
    assert all(
        (row["sector"] == "") == (row["product_type"] == "ETF") == (row["symbol"] in FUNDS)
        for row in listed
    )
    assert all(row["group"] and row["country"] for row in listed)


def test_the_samples_stay_small_enough_for_a_wheel():
    files = (path for path in SECURITIES.parent.rglob("*") if path.is_file())

    assert sum(path.stat().st_size for path in files if path.suffix != ".pyc") < 1_000_000


@pytest.mark.real_quotes
def test_real_closes_keep_the_digits_of_their_source():
    first, last = PRICES[0], PRICES[-1]
    assert [first[s] for s in ("AAPL", "AMD", "BBY")] == ["0.323", "14.86", "21.2"]
    assert [last[s] for s in ("AAPL", "QUAL", "XOM")] == ["125.674", "111.883", "106.627"]
    assert (INDEX[0]["SP500"], INDEX[-1]["SP500"]) == ("1108.48", "3783.22")
