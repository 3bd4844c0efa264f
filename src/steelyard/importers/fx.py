"""Exchange rates: `date, currency, rate`, units of the base currency for one of the currency.

A rate of a minor unit, like GBX, is one of its currency: it is multiplied by how many make one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from steelyard.errors import RejectedRow
from steelyard.importers import reading, values
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.opening import Where
from steelyard.importers.reading import Row
from steelyard.importers.values import BadCell, Unit
from steelyard.money import FxRate
from steelyard.notices import Notice

COLUMNS = ("date", "currency", "rate")


@dataclass(frozen=True, kw_only=True)
class FxFile:
    """What a file of rates says.

    rates   currency -> its rates, oldest first
    lines   (currency, day) -> the line of that rate
    """

    file: str
    rates: Mapping[str, tuple[FxRate, ...]]
    lines: Mapping[tuple[str, date], int] = field(default_factory=lambda: MappingProxyType({}))
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()


def read_fx(path: Where, limits: FileLimits = LIMITS) -> FxFile:
    """The rates of a file, in any order; raises InputError for a file that is no such table."""
    table = reading.read_table(path, required=COLUMNS, readable=COLUMNS, limits=limits)
    dated: dict[str, dict[date, FxRate]] = {}
    lines: dict[tuple[str, date], int] = {}
    minor: dict[str, Unit] = {}

    def take(row: Row) -> None:
        unit = values.unit(row.get("currency"))
        on = values.day(row.get("date"), "date")
        rate: Decimal = values.positive(row.get("rate"), "rate", values.MAX_RATE) * unit.parts
        if lines.setdefault((unit.currency, on), row.line) != row.line:
            reason = f"{unit.currency} has a rate of {on} already"
            raise BadCell(reason, code="twice", column="currency", value=unit.code)
        dated.setdefault(unit.currency, {})[on] = FxRate(unit.currency, rate, on)
        if unit.minor:
            minor[unit.code] = unit

    rejected = reading.parse_rows(table, take)
    rates = {name: tuple(rate for _, rate in sorted(dated[name].items())) for name in sorted(dated)}
    read_as = [
        Notice(
            code="minor_unit",
            message=(
                f"Rates of {code} in {table.file} are read as rates of {unit.currency}, "
                f"{unit.parts} times as large."
            ),
            head=True,
        )
        for code, unit in sorted(minor.items())
    ]
    return FxFile(
        file=table.file,
        rates=MappingProxyType(rates),
        lines=MappingProxyType(lines),
        rejected=rejected,
        warnings=(*table.warnings, *read_as),
    )
