"""Targets: `symbol, weight`, fractions of portfolio value; what is missing to 1 is cash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from steelyard.errors import InputError, RejectedRow
from steelyard.importers import reading, values
from steelyard.importers.reading import Row
from steelyard.importers.values import BadCell
from steelyard.notices import Notice

COLUMNS = ("symbol", "weight")
CASH = "CASH"


@dataclass(frozen=True, kw_only=True)
class TargetsFile:
    """What a targets file says; its sum is judged by `targets.Targets`."""

    file: str
    weights: Mapping[str, float]
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()


def read_targets(path: Path) -> TargetsFile:
    """The targets of a file; InputError for no such table and for no rows, which would sell all."""
    table = reading.read_table(path, required=COLUMNS, readable=COLUMNS)
    weights: dict[str, float] = {}
    lines: dict[str, int] = {}

    def take(row: Row) -> None:
        name = row.get("symbol")
        if name.partition(":")[0].strip().upper() == CASH:
            rule = "leave cash out: what is left under 1 is cash"
            raise BadCell(f"symbol {values.shown(name)} is no security; {rule}")
        symbol = values.symbol(name)
        weight = values.number(row.get("weight"), "weight")
        what = f"the weight of {symbol} is {weight}; a weight is a fraction of value"
        if weight < 0:
            raise BadCell(f"{what}, 0 or more")
        if weight > 1:
            raise BadCell(f"{what}, at most 1 ({values.as_fraction(weight)})")
        if lines.setdefault(symbol, row.line) != row.line:
            raise BadCell(f"{symbol} stands on line {lines[symbol]} already")
        weights[symbol] = float(weight)

    rejected = reading.parse_rows(table, take)
    if not table.rows and not rejected:
        what = f"{table.file} has a header and no targets; that would sell everything"
        raise InputError(f"{what}. {values.NOTHING} Give weights or leave it out.")
    return TargetsFile(
        file=table.file,
        weights=MappingProxyType(weights),
        rejected=rejected,
        warnings=table.warnings,
    )
