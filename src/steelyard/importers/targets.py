"""Targets: `symbol, weight`, fractions of portfolio value; what is missing to 1 is cash.

A file may be in percent throughout. A CASH row names the rest. `class:NAME` and
`class.DIMENSION:NAME` rows are weights of classes: read and checked, and not used yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from steelyard.canonical import plain
from steelyard.errors import InputError, RejectedRow
from steelyard.importers import reading, values
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.opening import Where
from steelyard.importers.options import option_symbol
from steelyard.importers.reading import Row
from steelyard.importers.spelling import Spellings, collisions
from steelyard.importers.values import NOTHING, BadCell, shown
from steelyard.notices import Notice

COLUMNS = ("symbol", "weight")
CASH = "CASH"
CLASS = re.compile(r"class(?:\.(?P<dimension>[^:]*))?:(?P<name>.*)", re.IGNORECASE)
MOST_ROUNDING = Decimal("0.001")
"""A sum over 1 by at most this is rounding, and taken off the largest weight."""
LEAST_ROUNDING = Decimal("1e-9")
"""A sum over 1 by less is how programs print fractions, and is no matter."""
PERCENT_SUMS = (Decimal("99.5"), Decimal("100.5"))
"""Weights without a sign are percent when they sum to this and one of them is over 1."""
LEAST_PERCENT = Decimal("0.01")
"""Weights with % that sum to less are fractions with a sign too many."""
ONE, WHOLE = Decimal(1), Decimal(100)


@dataclass(frozen=True, kw_only=True)
class TargetsFile:
    """What a targets file says.

    weights   symbol -> fraction of value; the sum with cash and classes is at most 1
    classes   row as written, like class:US large or class.region:Asia -> fraction
    lines     symbol -> its line
    cash      currency that a CASH row names; "" = none does
    refused   why the weights as a whole cannot be used
    """

    file: str
    weights: Mapping[str, float]
    classes: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    cash: str = ""
    refused: InputError | None = None
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cell:
    """A weight as written: the number, and whether a percent sign stands behind it."""

    line: int
    number: Decimal
    percent: bool
    text: str


@dataclass
class _Sheet:
    """The rows so far; "CASH" is among the keys of `cells`, classes are `class.DIMENSION:NAME`."""

    cells: dict[str, _Cell] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    cash: str = ""

    def take(self, row: Row) -> None:
        """Add one row; raises BadCell."""
        key = self._key(row.get("symbol"))
        cell = _weight(row, key)
        first = self.cells.setdefault(key, cell)
        if first is not cell:
            reason = f"{key} stands on line {first.line} already"
            raise BadCell(reason, code="twice", column="symbol", value=row.get("symbol"))

    def _key(self, name: str) -> str:
        match = CLASS.fullmatch(name)
        if match:
            dimension, label = (match["dimension"] or "").strip(), match["name"].strip()
            if not label:
                reason = f"symbol {shown(name)} names no class; write class:NAME"
                raise BadCell(reason, code="no_class", column="symbol", value=name)
            key = f"class.{dimension}:{label}" if dimension else f"class:{label}"
            self.classes.append(key)
            return key
        word, colon, code = name.partition(":")
        if word.strip().upper() == CASH:
            self.cash = values.currency(code.strip(), "cash symbol") if colon else self.cash
            return CASH
        return option_symbol(name) or values.symbol(name)


def _weight(row: Row, key: str) -> _Cell:
    text = row.get("weight")
    percent = text.endswith("%")
    number = values.number(text[:-1].rstrip() if percent else text, "weight")
    if number < 0:
        reason = f"the weight of {key} is {text}; a weight is a fraction of value, 0 or more"
        raise BadCell(reason, code="negative_weight", column="weight", value=text, limit="0")
    return _Cell(row.line, number, percent, text)


def read_targets(
    path: Where, spellings: Spellings | None = None, limits: FileLimits = LIMITS
) -> TargetsFile:
    """The targets of a file; InputError for no such table and for no rows, which would sell all.

    spellings   names to symbols; the file's own are added
    """
    spellings = spellings or Spellings()
    table = reading.read_table(path, required=COLUMNS, readable=COLUMNS, limits=limits)
    sheet = _Sheet()
    rejected = reading.parse_rows(table, sheet.take)
    if not table.rows and not rejected:
        what = f"{table.file} has a header and no targets; that would sell everything"
        hint = "Give weights or leave it out."
        raise InputError(
            f"{what}. {NOTHING} {hint}", code="no_targets", place=table.file, hint=hint
        )
    notices = list(table.warnings)
    fractions, out_of_range = _fractions(table.file, sheet.cells, notices)
    symbols = [key for key in sheet.cells if key != CASH and key not in sheet.classes]
    lines = {name: sheet.cells[name].line for name in symbols}
    spellings.add(symbols)
    rejected = (*rejected, *out_of_range, *collisions(table.file, lines, spellings))
    refused = None if rejected else _refused(table.file, sheet.cells, fractions)
    if not (rejected or refused):
        fractions = _rounded(table.file, fractions, notices)
    return TargetsFile(
        file=table.file,
        weights=MappingProxyType({spellings.symbol(k): float(fractions[k]) for k in symbols}),
        classes=MappingProxyType({key: float(fractions[key]) for key in sheet.classes}),
        lines=MappingProxyType({spellings.symbol(name): line for name, line in lines.items()}),
        cash=sheet.cash,
        refused=refused,
        rejected=tuple(sorted(rejected, key=lambda row: row.line)),
        warnings=(*notices, *_classes_unused(table.file, sheet)),
    )


def _fractions(
    file: str, cells: Mapping[str, _Cell], notices: list[Notice]
) -> tuple[dict[str, Decimal], list[RejectedRow]]:
    """The weights as fractions, and the rows that cannot be one: is the whole file in percent?"""
    total = sum((cell.number for cell in cells.values()), Decimal(0))
    signs = [cell.percent for cell in cells.values()]
    bare_percent = (
        not any(signs)
        and PERCENT_SUMS[0] <= total <= PERCENT_SUMS[1]
        and any(cell.number > 1 for cell in cells.values())
    )
    percent = bare_percent or (bool(signs) and all(signs))
    if percent:
        how = "every weight carries %" if not bare_percent else f"they sum to {plain(total)}"
        message = f"The weights of {file} are read as percent: {how}."
        notices.append(Notice(code="percent_weights", message=message, head=True))
    rejected = []
    for key, cell in cells.items():
        if cell.percent and not percent:
            share = plain(cell.number / WHOLE)
            reason = (
                f"the weight of {key} is {cell.text}, and other weights carry no %; write {share}, "
                "or % on every line"
            )
            rejected.append(_row(file, cell, "mixed_percent", reason, f"write {share}"))
        elif cell.number > (WHOLE if percent else ONE):
            rule = f"at most {'100 %' if percent else '1'} ({values.as_fraction(cell.number)})"
            reason = f"the weight of {key} is {cell.text}; a weight is a fraction of value, {rule}"
            reason += "" if percent else "; where all are percent, write % on every line"
            rejected.append(_row(file, cell, "weight_over_1", reason, rule))
    return {k: cell.number / (WHOLE if percent else ONE) for k, cell in cells.items()}, rejected


def _row(file: str, cell: _Cell, code: str, reason: str, hint: str) -> RejectedRow:
    return RejectedRow(file, cell.line, reason, code, "weight", cell.text, "1", hint)


def _refused(
    file: str, cells: Mapping[str, _Cell], fractions: Mapping[str, Decimal]
) -> InputError | None:
    """Why the sum of the weights cannot be meant; None where it can."""
    total = sum(fractions.values(), Decimal(0))
    over = total - 1
    lines = [cell.line for cell in cells.values()]
    if total <= LEAST_PERCENT and all(cell.percent for cell in cells.values()):
        where = f"{file} lines {min(lines)} to {max(lines)}"
        what = f"{where}: the targets sum to {plain(100 * total)} %"
        hint = "Write 25 % for a quarter; a fraction, 0.25, carries no %"
    elif over > MOST_ROUNDING:
        where = f"{file} lines {min(lines)} to {max(lines)}"
        what = (
            f"{where}: the targets sum to {plain(total)}, {plain(over)} over 1. Weights are "
            "fractions of portfolio value and are never rescaled"
        )
        hint = "Lower them and plan again; what is left under 1 is cash"
    elif CASH in fractions and over < -MOST_ROUNDING:
        where = f"{file} line {cells[CASH].line}"
        what = (
            f"{where}: the cash target is {plain(fractions[CASH])}, and with it the weights sum to "
            f"{plain(total)}, {plain(-over)} under 1"
        )
        hint = "Correct one of them, or leave the CASH row out: what is left under 1 is cash"
    else:
        return None
    return InputError(
        f"{what}. {NOTHING} {hint}.",
        code="targets_over_1" if over > 0 else "cash_target" if CASH in cells else "percent_sum",
        place=where,
        value=plain(total),
        limit="1",
        hint=hint,
    )


def _rounded(file: str, fractions: dict[str, Decimal], notices: list[Notice]) -> dict[str, Decimal]:
    """The weights with a rounding over 1 taken off the largest, the first by symbol of equals."""
    total = sum(fractions.values(), Decimal(0))
    over = total - 1
    securities = sorted(key for key in fractions if key != CASH)
    if over <= LEAST_ROUNDING or not securities:
        return fractions
    largest = max(securities, key=fractions.__getitem__)
    message = (
        f"The targets of {file} sum to {plain(total)}; {plain(over)}, a rounding, was taken off "
        f"the largest, {largest}."
    )
    notices.append(Notice(code="rounded_weights", message=message, symbol=largest, head=True))
    return {**fractions, largest: fractions[largest] - over}


def _classes_unused(file: str, sheet: _Sheet) -> Iterator[Notice]:
    """Weights of classes are not followed yet: what they would hold stays cash."""
    if sheet.classes:
        names = ", ".join(map(shown, sheet.classes))
        message = (
            f"The class targets of {file} ({names}) are read and not used yet: their weight stays "
            "cash, and nothing that has no target of its own is sold."
        )
        yield Notice(code="class_targets", message=message, head=True)
