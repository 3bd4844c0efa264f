"""Targets: `symbol, weight[, band, band_relative]`, fractions of portfolio value; what is missing
to 1 is cash.

A file may be in percent throughout. A CASH row names the rest. `class:NAME` rows are weights of
classes, by the column `class` of the securities file; `class.DIMENSION:NAME` those by another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from steelyard.canonical import plain
from steelyard.errors import InputError, RejectedRow
from steelyard.importers import reading, values
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.opening import Where
from steelyard.importers.options import option_symbol
from steelyard.importers.reading import Row, column_name
from steelyard.importers.spelling import Spellings, collisions
from steelyard.importers.values import NOTHING, BadCell, shown
from steelyard.notices import Notice
from steelyard.portfolio import Security
from steelyard.targets import CASH, Band, class_column, class_key, is_class

REQUIRED = ("symbol", "weight")
BANDS = ("band", "band_relative")
COLUMNS = (*REQUIRED, *BANDS)
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

    weights       symbol -> fraction of value; the sum with cash and classes is at most 1
    bands         symbol, or CASH -> its own band
    classes       name of a class -> fraction of value
    class_bands   name of a class -> its own band
    dimension     of the classes; "" is the column `class`
    lines         symbol -> its line
    class_lines   name of a class -> its line
    cash          currency that a CASH row names; "" = none does
    refused       why the weights as a whole cannot be used
    """

    file: str
    weights: Mapping[str, float]
    bands: Mapping[str, Band] = field(default_factory=lambda: MappingProxyType({}))
    classes: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    class_bands: Mapping[str, Band] = field(default_factory=lambda: MappingProxyType({}))
    dimension: str = ""
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    class_lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
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
    """The rows so far, by symbol, "CASH", or `class.DIMENSION:NAME`.

    classes     key of a class -> its name
    dimension   of the classes, and the line that says so first
    """

    cells: dict[str, _Cell] = field(default_factory=dict)
    bands: dict[str, Band] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    dimension: tuple[str, int] | None = None
    cash: str = ""

    def take(self, row: Row) -> None:
        """Add one row; raises BadCell."""
        key = self._key(row.get("symbol"), row.line)
        cell, band = _weight(row, key), _band(row)
        first = self.cells.setdefault(key, cell)
        if first is not cell:
            reason = f"{key} stands on line {first.line} already"
            raise BadCell(reason, code="twice", column="symbol", value=row.get("symbol"))
        if is_class(key):
            self.classes[key] = key.partition(":")[2]
        if band is not None:
            self.bands[key] = band

    def _key(self, name: str, line: int) -> str:
        match = CLASS.fullmatch(name)
        if match:
            return self._class(match, line)
        word, colon, code = name.partition(":")
        if word.strip().upper() == CASH:
            self.cash = values.currency(code.strip(), "cash symbol") if colon else self.cash
            return CASH
        return option_symbol(name) or values.symbol(name)

    def _class(self, match: re.Match[str], line: int) -> str:
        """The key of a class; all of one file are of one dimension."""
        # columns of the securities file are spelled so too
        dimension, label = column_name((match["dimension"] or "").strip()), match["name"].strip()
        if not label:
            reason = f"symbol {shown(match[0])} names no class; write class:NAME"
            raise BadCell(reason, code="no_class", column="symbol", value=match[0])
        self.dimension = self.dimension or (dimension, line)
        first, where = self.dimension
        if dimension != first:
            rule = f"of one dimension, {class_column(first)} as on line {where}"
            reason = f"{shown(match[0])} is a class of {class_column(dimension)}, and one"
            reason = f"{reason} file has classes {rule}"
            hint = "keep the rows of one dimension"
            raise BadCell(
                reason,
                code="two_dimensions",
                column="symbol",
                value=match[0],
                limit=rule,
                hint=hint,
            )
        return class_key(label, dimension)


def _weight(row: Row, key: str) -> _Cell:
    text = row.get("weight")
    percent = text.endswith("%")
    number = values.number(text[:-1].rstrip() if percent else text, "weight")
    if number < 0:
        reason = f"the weight of {key} is {text}; a weight is a fraction of value, 0 or more"
        raise BadCell(reason, code="negative_weight", column="weight", value=text, limit="0")
    return _Cell(row.line, number, percent, text)


def _band(row: Row) -> Band | None:
    """The band that a row says: fractions, or percent where a sign stands behind them."""
    absolute, relative = (row.optional(column, _width) for column in BANDS)
    return None if absolute is relative is None else Band(absolute, relative)


def _width(text: str, column: str) -> float:
    """Half a width, from 0 to 1."""
    percent = text.endswith("%")
    number = values.number(text[:-1].rstrip() if percent else text, column)
    width = number / WHOLE if percent else number
    if not 0 <= width <= 1:
        sign = plain(abs(number))
        hint = f"write {plain(abs(number) / WHOLE)} or {sign}%" if 1 < abs(number) <= WHOLE else ""
        reason = f"{column} {shown(text)} is outside 0 to 1, a fraction of "
        reason += "value" if column == "band" else "the target"
        raise BadCell(
            f"{reason}; {hint}" if hint else reason,
            code="band_outside",
            column=column,
            value=text,
            limit="0 to 1",
            hint=hint,
        )
    return float(width)


def read_targets(
    path: Where,
    spellings: Spellings | None = None,
    limits: FileLimits = LIMITS,
    securities: Sequence[Security] = (),
) -> TargetsFile:
    """The targets of a file; InputError for no such table and for no rows, which would sell all.

    spellings    names to symbols; the file's own are added
    securities   which of them are in which class
    """
    spellings = spellings or Spellings()
    table = reading.read_table(path, required=REQUIRED, readable=COLUMNS, limits=limits)
    sheet = _Sheet()
    rejected = reading.parse_rows(table, sheet.take)
    if not table.rows and not rejected:
        what = f"{table.file} has a header and no targets; that would sell everything"
        hint = "Give weights or leave it out."
        raise InputError(
            f"{what}. {NOTHING} {hint}", code="no_targets", place=table.file, hint=hint
        )
    notices = list(table.warnings)
    symbols = [key for key in sheet.cells if key != CASH and key not in sheet.classes]
    spellings.add(symbols)
    members = _members(sheet, symbols, spellings, securities)
    counted = {key: cell for key, cell in sheet.cells.items() if key not in members}
    fractions, out_of_range = _fractions(table.file, sheet.cells, counted, notices)
    lines = {name: sheet.cells[name].line for name in symbols}
    bands = {key: band for key, band in sheet.bands.items() if key not in sheet.classes}
    rejected = (
        *rejected,
        *out_of_range,
        *collisions(table.file, lines, spellings),
        *_disagreements(table.file, sheet.cells, members),
    )
    whole = {key: fractions[key] for key in counted}
    refused = None if rejected else _refused(table.file, counted, whole)
    if not (rejected or refused):
        fractions |= _rounded(table.file, whole, notices)
        fractions |= {key: _sum(fractions[name] for name in members[key]) for key in members}
    return TargetsFile(
        file=table.file,
        weights=MappingProxyType({spellings.symbol(k): float(fractions[k]) for k in symbols}),
        bands=MappingProxyType(
            {k if k == CASH else spellings.symbol(k): band for k, band in bands.items()}
        ),
        classes=MappingProxyType({n: float(fractions[k]) for k, n in sheet.classes.items()}),
        class_bands=MappingProxyType(
            {n: sheet.bands[k] for k, n in sheet.classes.items() if k in sheet.bands}
        ),
        dimension=sheet.dimension[0] if sheet.dimension else "",
        lines=MappingProxyType({spellings.symbol(name): line for name, line in lines.items()}),
        class_lines=MappingProxyType({n: sheet.cells[k].line for k, n in sheet.classes.items()}),
        cash=sheet.cash,
        refused=refused,
        rejected=tuple(sorted(rejected, key=lambda row: row.line)),
        warnings=tuple(notices),
    )


def _members(
    sheet: _Sheet,
    symbols: Iterable[str],
    spellings: Spellings,
    securities: Iterable[Security],
) -> dict[str, list[str]]:
    """Key of a class -> rows of securities in it, where there are any: then they say its weight."""
    dimension = sheet.dimension[0] if sheet.dimension else ""
    named = {spellings.symbol(row.symbol): row.classes.get(dimension) for row in securities}
    of_class: dict[str, list[str]] = {}
    for symbol in symbols:
        of_class.setdefault(named.get(spellings.symbol(symbol)) or "", []).append(symbol)
    return {key: of_class[name] for key, name in sheet.classes.items() if name in of_class}


def _disagreements(
    file: str, cells: Mapping[str, _Cell], members: Mapping[str, Sequence[str]]
) -> Iterator[RejectedRow]:
    """Classes that say another weight than the rows of their members together."""
    for key, rows in members.items():
        total = _sum(cells[row].number for row in rows)
        if total == cells[key].number:
            continue
        sign = "%" if cells[key].percent else ""
        named = ", ".join(f"{row} on line {cells[row].line}" for row in rows)
        limit, hint = cells[key].text, "leave out the class or them, or let them sum to it"
        reason = (
            f"{key} is {limit}, and what is in it has {plain(total)}{sign} of its own ({named}); "
            f"{hint}"
        )
        yield RejectedRow(
            file,
            cells[key].line,
            reason,
            "class_against_symbol",
            "weight",
            plain(total),
            limit,
            hint,
        )


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    return sum(numbers, Decimal(0))


def _fractions(
    file: str,
    cells: Mapping[str, _Cell],
    counted: Mapping[str, _Cell],
    notices: list[Notice],
) -> tuple[dict[str, Decimal], list[RejectedRow]]:
    """The weights as fractions, and the rows that cannot be one: is the whole file in percent?

    counted   those that make up the sum
    """
    total = _sum(cell.number for cell in counted.values())
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
    total = _sum(fractions.values())
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
    total = _sum(fractions.values())
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
