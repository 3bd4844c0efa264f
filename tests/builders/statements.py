"""Statements and histories of brokers for tests: the fixtures of a form, and texts, as read."""

from __future__ import annotations

from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from steelyard.errors import SteelyardError
from steelyard.importers.reading import open_source
from steelyard.importers.registry import Importer
from steelyard.importers.statement import Source, Statement

FILES = Path(__file__).parents[1] / "importers" / "brokers" / "files"
FORMS = ("ibkr_activity", "ibkr_flex", "trading212", "ghostfolio", "ofx")
"""Modules of what is more than one table of columns; their fixtures lie in folders of the name."""


def importer(form: str) -> Importer:
    """The importer of a form."""
    module: Any = import_module(f"steelyard.importers.brokers.{form}")
    assert isinstance(module.IMPORTER, Importer)
    return module.IMPORTER


def fixture(form: str, name: str) -> Source:
    """One file of a form, opened."""
    return open_source(FILES / form / name)


def fixtures() -> list[tuple[str, Path]]:
    """(form, file) of all of them."""
    return [(form, path) for form in FORMS for path in sorted((FILES / form).iterdir())]


def statement(form: str, name: str) -> Statement:
    """A fixture as read."""
    return importer(form).read(fixture(form, name))


def changed(source: Source, old: str, new: str) -> Source:
    """The file with a text replaced, which must be in it."""
    assert old in source.text, old
    return of_text(source, source.text.replace(old, new))


def of_text(source: Source, text: str) -> Source:
    """The file with another text."""
    return Source(source.path, text.encode(), text, "utf-8")


def answer(form: str, source: Source) -> Statement | SteelyardError:
    """What a reader answers; whatever else it raises fails the test."""
    try:
        return importer(form).read(source)
    except SteelyardError as error:
        return error


def owned(read: Statement) -> list[tuple[str, Decimal, str, Decimal | None, Decimal | None]]:
    """(symbol, quantity, currency, price, cost) of every row."""
    return [
        (row.symbol, row.quantity, row.currency, row.price, row.average_cost)
        for row in read.positions
    ]


def cash(read: Statement) -> list[tuple[str, str, Decimal, str | None]]:
    """(account, currency, amount, day on which it settles) of every balance."""
    return [
        (row.account, row.currency, row.amount, row.settles and row.settles.isoformat())
        for row in read.balances
    ]


def codes(read: Statement) -> list[str]:
    """What is said first, by its code."""
    assert all(notice.head for notice in read.guessed)
    return [notice.code for notice in read.guessed]
