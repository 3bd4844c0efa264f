"""A factor of 10 or 100 in one cell of the inputs is refused, kept out and said first, or cannot be
known to be wrong; a date that is moved never leaves an old figure to trade on.

`pytest -s -m nightly tests/properties/test_factors.py` prints how many cells fell into each class.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

from steelyard.ages import weekdays
from steelyard.errors import SteelyardError
from steelyard.importers import Files, Inputs, assemble, read
from steelyard.planning.planner import plan
from steelyard.samples import sample
from steelyard.strategies import default

FACTORS = (Decimal(10), Decimal(100), Decimal("0.1"), Decimal("0.01"))
ROWS = 300
"""Sessions of the history that are kept: enough for neighbours, few enough to be read often."""
CONTRADICTED = {"prices", "fx"}
"""Files whose figures a second source, yesterday's close or a currency's range contradicts."""
UNKNOWABLE = {"quantity", "average_cost", "weight", "lot_size", "price"}
"""Columns of which a wrong figure may be meant: no second source says what it should be."""
TODAY = date(2023, 1, 3)
YEARS = (-100, -10, -1, 1, 10, 100)

Table = list[list[str]]
PENCE = {
    "holdings": "symbol,quantity,price,currency\nVOD.L,2000,88.3,GBp\nSHEL.L,100,2310,GBX\n"
    "SAP.DE,20,97.1,EUR\n7203.T,100,1850,JPY\nCASH:GBP,1500,,\n",
    "targets": "symbol,weight\nVOD.L,0.25\nSHEL.L,.3\nSAP.DE,.2\n7203.T,.2\n",
    "securities": "symbol,product_type,currency,lot_size\nVOD.L,EQUITY,GBp,1\nSHEL.L,EQUITY,GBX,1\n"
    "SAP.DE,EQUITY,EUR,1\n7203.T,EQUITY,JPY,100\n",
    "prices": "date,VOD.L,SHEL.L,SAP.DE,7203.T\n2022-12-22,88,2290,97,1850\n"
    "2022-12-23,87.9,2300,97.2,1849\n2022-12-27,88.1,2305,97,1855\n"
    "2022-12-28,88.3,2310,97.1,1850\n",
    "fx": "date,currency,rate\n2022-12-27,EUR,.882\n2022-12-28,EUR,.8832\n2022-12-27,JPY,.00621\n"
    "2022-12-28,JPY,.00620\n",
}


@dataclass(frozen=True)
class Portfolio:
    """Tables of one account by form, and in which currency it counts."""

    name: str
    base: str
    tables: dict[str, Table]

    def read(self, folder: Path, form: str = "", table: Table | None = None) -> Files:
        """Its files, one of them with another table."""
        texts = {**self.tables, **({form: table} if table else {})}
        paths = {}
        for name, rows in texts.items():
            paths[name] = folder / f"{self.name}-{name}.csv"
            if name == form or not paths[name].exists():
                with paths[name].open("w", newline="") as file:
                    csv.writer(file).writerows(rows)
        files = read(**paths)
        if form:
            paths[form].unlink()
        return files


def table_of(path: Path) -> Table:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    return list(csv.reader(io.StringIO(text)))


def bundled(name: str) -> Portfolio:
    files = sample(name)
    forms = ("holdings", "targets", "securities", "prices", "fx")
    tables = {form: table_of(path) for form in forms if (path := getattr(files, form))}
    for form in ("prices", "fx"):
        if form in tables:
            tables[form] = [tables[form][0], *tables[form][-ROWS:]]
    return Portfolio(name, files.base_currency, tables)


def portfolios() -> list[Portfolio]:
    pence = {form: list(csv.reader(io.StringIO(text))) for form, text in PENCE.items()}
    return [bundled("growth"), bundled("euro"), Portfolio("pence", "GBP", pence)]


def scaled(cell: str, factor: Decimal) -> str:
    """The cell times a factor; the same where it is no number."""
    try:
        return f"{Decimal(cell) * factor:f}"
    except InvalidOperation:
        return cell


def changed(table: Table, row: int, column: int, cell: str) -> Table:
    return [
        [cell if (i, j) == (row, column) else old for j, old in enumerate(line)]
        for i, line in enumerate(table)
    ]


def cells(portfolio: Portfolio) -> Iterator[tuple[str, int, int]]:
    """(form, row, column) of every cell that is judged: all, of the prices the newest two rows."""
    for form, table in portfolio.tables.items():
        first = len(table) - 2 if form == "prices" else 1
        if form == "fx":
            first = max(1, len(table) - 4)
        for row in range(first, len(table)):
            for column in range(len(table[row])):
                yield form, row, column


def outcome(files: Files, base: str) -> Inputs | SteelyardError:
    try:
        return assemble(files, base_currency=base, today=TODAY)
    except SteelyardError as error:
        return error


def ruling(portfolio: Portfolio, folder: Path, form: str, table: Table) -> str:
    """What becomes of a change: refused, kept out of trading and said first, or silent."""
    try:
        files = portfolio.read(folder, form, table)
    except SteelyardError:
        return "refused"
    result = outcome(files, portfolio.base)
    if isinstance(result, SteelyardError):
        return "refused"
    first = {notice.symbol for notice in result.warnings if notice.head}
    return "kept out" if set(result.market.withheld) & first else "silent"


Change = tuple[Portfolio, str, int, int, str]
"""A portfolio, the form, row and column of one cell, and what stands there instead."""


def factors() -> list[Change]:
    """Every number of every file that matters, times each factor."""
    changes = []
    for portfolio in portfolios():
        used = {line[0] for form in ("targets", "securities") for line in portfolio.tables[form]}
        for form, row, column in cells(portfolio):
            table = portfolio.tables[form]
            if form == "prices" and table[0][column] not in used:
                continue  # no file of the account names it
            for factor in FACTORS:
                cell = scaled(table[row][column], factor)
                if cell != table[row][column] and Decimal(cell) != 0:
                    changes.append((portfolio, form, row, column, cell))
    return changes


def silent(changes: list[Change], folder: Path) -> list[str]:
    """Changes that nobody hears of although something contradicts them; prints the three counts."""
    counts: Counter[tuple[str, str]] = Counter()
    wrong = []
    for portfolio, form, row, column, cell in changes:
        table, name = portfolio.tables[form], portfolio.tables[form][0][column]
        what = ruling(portfolio, folder, form, changed(table, row, column, cell))
        counts[form, what] += 1
        contradicted = form in CONTRADICTED or (
            (form, name) == ("holdings", "price") and "prices" in portfolio.tables
        )
        if what == "silent" and (contradicted or name not in UNKNOWABLE):
            where = f"{portfolio.name} {form} line {row + 1} {name}"
            wrong.append(f"{where}: {table[row][column]} -> {cell}")
    print(f"\n{dict(sorted(counts.items()))}")
    return wrong


def test_a_factor_in_one_cell_is_refused_kept_out_or_cannot_be_known(tmp_path: Path):
    wrong = silent(random.Random(9).sample(factors(), 80), tmp_path)
    assert not wrong, wrong


@pytest.mark.nightly
def test_a_factor_in_any_cell_is_refused_kept_out_or_cannot_be_known(tmp_path: Path):
    wrong = silent(factors(), tmp_path)
    assert not wrong, wrong


def unsaid(count: int, folder: Path) -> list[str]:
    """Drawn cells of the history that a factor leaves in the statistics, or that are not said."""
    portfolio, draw = bundled("growth"), random.Random(20221228)
    table, wrong = portfolio.tables["prices"], []
    places = [(r, c) for r in range(2, len(table) - 2) for c in range(1, len(table[0]))]
    for row, column in draw.sample(places, count):
        cell = scaled(table[row][column], draw.choice(FACTORS))
        result = outcome(
            portfolio.read(folder, "prices", changed(table, row, column, cell)), portfolio.base
        )
        symbol = table[0][column]
        if isinstance(result, SteelyardError):
            wrong.append(str(result))
        elif symbol in result.market.symbols:
            closes = result.market.closes[:, result.market.symbols.index(symbol)]
            said = any(notice.symbol == symbol for notice in result.warnings)
            if not (said and str(closes[row - 1]) == "nan"):
                wrong.append(f"{symbol} on {table[row][0]}: {table[row][column]} -> {cell}")
    return wrong


def test_a_spike_of_the_history_leaves_the_statistics_and_is_said(tmp_path: Path):
    assert not unsaid(50, tmp_path)


@pytest.mark.nightly
def test_spikes_anywhere_in_the_history_leave_the_statistics_and_are_said(tmp_path: Path):
    assert not unsaid(300, tmp_path)


def moved(day: str, years: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=round(365.25 * years))).isoformat()


def dates(portfolio: Portfolio) -> Iterator[tuple[str, int, int]]:
    """(form, row, column) of dates: all of the holdings, the newest of prices and rates."""
    for form, table in portfolio.tables.items():
        for column, name in enumerate(table[0]):
            if name in {"date", "acquired", "last_bought", "last_sold"}:
                rows = range(1, len(table)) if form == "holdings" else range(-3, 0)
                yield from ((form, row % len(table), column) for row in rows)


def moves() -> list[tuple[Portfolio, str, Table]]:
    """Every date of every file moved by years, or its row removed."""
    return [
        (portfolio, form, other)
        for portfolio in portfolios()
        for form, row, column in dates(portfolio)
        for other in _moved(portfolio.tables[form], row, column)
    ]


def _moved(table: Table, row: int, column: int) -> list[Table]:
    days = [moved(table[row][column], years) for years in YEARS] if table[row][column] else []
    changes = [changed(table, row, column, day) for day in days]
    return [*changes, [line for i, line in enumerate(table) if i != row]]


def stale(changes: list[tuple[Portfolio, str, Table]], folder: Path) -> list[str]:
    """Figures older than a week, or of tomorrow, that a plan trades on."""
    old = []
    for portfolio, form, table in changes:
        try:
            inputs = assemble(
                portfolio.read(folder, form, table), base_currency=portfolio.base, today=TODAY
            )
            document = plan(inputs.snapshot, inputs.market, default(), targets=inputs.targets)
        except SteelyardError:
            continue
        as_of = inputs.snapshot.as_of
        for symbol in {step.symbol for step in document.steps}:
            quote = inputs.market.quotes[symbol]
            security = inputs.snapshot.security(symbol)
            rate = inputs.market.fx.latest(security.currency, as_of)
            ages = [weekdays(figure.on, as_of) for figure in (quote, rate)]
            if max(ages) > 5 or min(ages) < 0 or as_of > TODAY:
                old.append(f"{portfolio.name} {form}: {symbol}, {ages}")
    return old


def test_a_date_that_is_moved_leaves_no_old_figure_to_trade_on(tmp_path: Path):
    assert not stale(random.Random(9).sample(moves(), 15), tmp_path)


@pytest.mark.nightly
def test_any_date_that_is_moved_leaves_no_old_figure_to_trade_on(tmp_path: Path):
    assert not stale(moves(), tmp_path)
