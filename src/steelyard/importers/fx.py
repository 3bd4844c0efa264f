"""Exchange rates: `date, currency, rate`, units of the base currency for one of the currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from steelyard.errors import RejectedRow
from steelyard.importers import reading, values
from steelyard.importers.reading import Row
from steelyard.importers.values import BadCell
from steelyard.money import FxRate
from steelyard.notices import Notice

COLUMNS = ("date", "currency", "rate")


@dataclass(frozen=True, kw_only=True)
class FxFile:
    """What a file of rates says: currency -> rates, oldest first."""

    file: str
    rates: Mapping[str, tuple[FxRate, ...]]
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()


def read_fx(path: Path) -> FxFile:
    """The rates of a file, in any order; raises InputError for a file that is no such table."""
    table = reading.read_table(path, required=COLUMNS, readable=COLUMNS)
    dated: dict[str, dict[date, FxRate]] = {}

    def take(row: Row) -> None:
        currency = values.currency(row.get("currency"))
        on = values.day(row.get("date"), "date")
        rate: Decimal = values.positive(row.get("rate"), "rate", values.MAX_RATE)
        if on in dated.setdefault(currency, {}):
            raise BadCell(f"{currency} has a rate of {on} already")
        dated[currency][on] = FxRate(currency, rate, on)

    rejected = reading.parse_rows(table, take)
    rates = {name: tuple(rate for _, rate in sorted(dated[name].items())) for name in sorted(dated)}
    return FxFile(
        file=table.file, rates=MappingProxyType(rates), rejected=rejected, warnings=table.warnings
    )
