"""Brokers' files for tests, and a reader of their numbers that shares nothing with ours."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from steelyard.errors import SteelyardError
from steelyard.importers.reading import open_source
from steelyard.importers.registry import Importer, forms
from steelyard.importers.statement import Position, Source, Statement

FORMS = tuple(form.importer for form in forms().by_name.values())
FILES = Path(__file__).parents[1] / "importers" / "brokers" / "files"
COLUMNS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "schwab": {
        "quantity": ("Qty (Quantity)", "Quantity"),
        "price": ("Price",),
        "value": ("Mkt Val (Market Value)", "Market Value"),
        "cost_basis": ("Cost Basis",),
    },
    "fidelity": {
        "quantity": ("Quantity",),
        "price": ("Last Price",),
        "value": ("Current Value",),
        "average_cost": ("Average Cost Basis", "Cost Basis Per Share"),
        "cost_basis": ("Cost Basis Total",),
    },
    "vanguard": {
        "quantity": ("Shares",),
        "price": ("Share Price", "Price"),
        "value": ("Total Value",),
    },
    "degiro": {
        "quantity": ("Amount", "Quantity", "Aantal", "Anzahl", "Quantité", "Cantidad", "Quantità"),
        "price": ("Closing", "Slotkoers", "Schlußkurs", "Clôture", "Precio de cierre", "Chiusura"),
        "value": (
            *("Local value", "Lokale waarde", "Wert", "Montant local", "Valor local"),
            *("Valore locale", ""),
        ),
    },
    "portfolio-performance": {
        "quantity": ("Shares", "Bestand"),
        "price": ("Quote", "Kurs"),
        "value": ("Market Value", "Marktwert"),
        "average_cost": ("Purchase Price", "Einstandskurs"),
    },
}
"""Broker -> number -> its columns, as a person reads the header."""
DECIMAL_COMMA = {"degiro": {"points.csv"}, "portfolio-performance": {"en.csv"}}
"""Broker -> the files that have a decimal point all the same."""


def form(name: str) -> Importer:
    """The importer of a name."""
    return next(importer for importer in FORMS if importer.name == name)


def fixtures() -> Iterator[tuple[str, Path]]:
    """(broker, file) of every fixture of a broker that is recognised by its header."""
    for name in COLUMNS:
        for path in sorted((FILES / name.replace("-", "_")).glob("*.csv")):
            yield name, path


def source(path: Path, text: str | None = None) -> Source:
    """A file as it is opened; with a text of its own it is that of a mutant."""
    opened = open_source(path)
    return opened if text is None else Source(path, text.encode(), text, "utf-8")


def read(name: str, file: Source) -> Statement | SteelyardError:
    """What a reader answers; whatever else it raises fails the test."""
    try:
        return form(name).read(file)
    except SteelyardError as error:
        return error


def plain_number(cell: str, comma: bool) -> Decimal | None:
    """A cell as Decimal, without signs of money, codes and separators."""
    bare = re.sub(r"[^0-9.,()\u2212-]", "", cell)
    negative = bare.startswith(("(", "-", "\u2212")) or bare.endswith("-")
    bare = bare.strip("()-\u2212")
    bare = bare.replace(".", "").replace(",", ".") if comma else bare.replace(",", "")
    try:
        return -Decimal(bare) if negative else Decimal(bare)
    except InvalidOperation:
        return None


def rows(file: Source) -> dict[int, list[str]]:
    """Line -> cells of every row that has any, by the csv module alone."""
    semicolons = file.text.count(";") > file.text.count(",")
    reader = csv.reader(io.StringIO(file.text, newline=""), delimiter=";" if semicolons else ",")
    line, cells = 1, {}
    for row in reader:
        if any(cell.strip() for cell in row):
            cells[line] = [" ".join(cell.split()) for cell in row]
        line = reader.line_num + 1
    return cells


def differences(name: str, file: Source, statement: Statement) -> list[str]:
    """What a statement says otherwise than the csv module and Decimal read it, and rows it lost."""
    return _differences(name, file, statement, has_decimal_comma(name, file))


def differences_of_mutant(name: str, file: Source, statement: Statement) -> list[str]:
    """The same of a changed file, whose only number may have come to settle how all are read."""
    ways = (True, False) if name in DECIMAL_COMMA else (False,)
    return min((_differences(name, file, statement, comma) for comma in ways), key=len)


def has_decimal_comma(name: str, file: Source) -> bool:
    """How a fixture writes its numbers, as its author knows."""
    return name in DECIMAL_COMMA and file.name not in DECIMAL_COMMA[name]


def _differences(name: str, file: Source, statement: Statement, comma: bool) -> list[str]:
    if statement.rejected:
        # nothing may be planned with it, so no number of it is used and no row is missed
        return []
    cells = rows(file)
    at = (*statement.positions, *statement.balances, *statement.passed)
    lines = {row.line for row in at}
    headers = {line for line in cells if is_header(name, cells[line])}
    lost = set(cells) - lines - headers
    wrong = [f"line {line} is lost" for line in sorted(lost)]
    for position in statement.positions:
        header = cells[max(line for line in headers if line < position.line)]
        numbers = _numbers(name, header, cells[position.line], comma)
        wrong += _compare(position, numbers)
    for balance in statement.balances:
        # the columns of an amount and of its currency may both be without a name
        stated = {plain_number(cell, comma) for cell in cells[balance.line]}
        parts = 100 if re.search("GBX|GBp", " ".join(cells[balance.line])) else 1
        if not {balance.amount, balance.amount * parts} & stated:
            wrong.append(f"line {balance.line}: {balance.amount} is not in {stated}")
    return wrong


def is_header(name: str, cells: list[str]) -> bool:
    """Does a row name two of a broker's numbers?"""
    names = {column for columns in COLUMNS[name].values() for column in columns if column}
    return len(names & set(cells)) > 1


def _numbers(
    name: str, header: list[str], cells: list[str], comma: bool
) -> dict[str, Decimal | None]:
    numbers = {}
    for meaning, columns in COLUMNS[name].items():
        at = [place for place, cell in enumerate(header) if cell in columns and place < len(cells)]
        read = [plain_number(cells[place], comma) for place in at]
        numbers[meaning] = next((number for number in read if number is not None), None)
    return numbers


def _compare(position: Position, numbers: Mapping[str, Decimal | None]) -> list[str]:
    parts = 100 if position.unit else 1
    wrong = []
    for meaning in ("quantity", "price", "value"):
        ours, theirs = getattr(position, meaning), numbers.get(meaning)
        scaled = ours if meaning == "quantity" or ours is None else ours * parts
        # a value may be left out, where it is in another currency; a price of 0 is none
        silent = ours is None and (meaning == "value" or not theirs)
        if scaled != theirs and not silent:
            wrong.append(f"line {position.line}: {meaning} is {ours}, the file says {theirs}")
    return wrong + _compare_cost(position, numbers)


def _compare_cost(position: Position, numbers: Mapping[str, Decimal | None]) -> list[str]:
    """Of the cost a share, or of all of them; it may be in pounds where the price is in pence."""
    if position.average_cost is None:
        return []
    stated, count = numbers.get("average_cost"), Decimal(1)
    if stated is None:
        count = abs(position.quantity) * (position.multiplier or 1)
        stated = abs(numbers.get("cost_basis") or Decimal(0))
    ours = position.average_cost * count
    near = any(abs(ours * parts - stated) < Decimal("1e-9") for parts in (1, 100))
    wrong = f"line {position.line}: average cost {position.average_cost} of {numbers}"
    return [] if near and (position.unit or abs(ours - stated) < Decimal("1e-9")) else [wrong]
