"""Position tables driven by a table of columns: a broker's file to a statement.

A broker is a `Form` (`sheet.py`): which header cells mean which field, what closes the file. Rows
are read by `rows.py`; here they add up, and are checked against the total that the file states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from steelyard.errors import InputError, one_line
from steelyard.importers import amounts
from steelyard.importers.amounts import Notation
from steelyard.importers.cash_words import PREFIX
from steelyard.importers.registry import Importer
from steelyard.importers.statement import ONE, Balance, Passed, Position, Source, Statement
from steelyard.importers.tables import sheet
from steelyard.importers.tables.rows import (
    Cells,
    cash_amount,
    cash_unit,
    has_cost,
    is_cash,
    is_pending,
    is_uncounted,
    money,
    position_of,
    stated_value,
)
from steelyard.importers.tables.sheet import Form, Line, Sheet
from steelyard.importers.values import NOTHING, SHOWN_CHARACTERS, BadCell, shown
from steelyard.notices import Notice

NUMBERS = (
    *("quantity", "price", "value", "base_value", "average_cost", "cost_basis", "multiplier"),
    "currency",
)
"""Fields whose cells tell how a file writes numbers; some currencies have an amount behind them."""
NEAR = Decimal("0.01")
"""How far the rows may be from their total, as a share of it."""
CENT = Decimal("0.01")
SATURDAY = 5


def importer(form: Form) -> Importer:
    """The importer of a table of columns."""
    return Importer(
        name=form.name,
        title=form.title,
        recognises=partial(sheet.recognises, form=form),
        read=partial(read, form=form),
    )


def read(source: Source, form: Form) -> Statement:
    """What a file says; raises InputError for a file that is no such table."""
    cut = sheet.cut(source, form)
    reading = _Reading(cut, _notation(cut, source.decimal), source.sign)
    uncounted = [line for line in cut.lines if form.uncounted and is_uncounted(line)]
    for line in cut.lines:
        if line not in uncounted:
            reading.take(line)
    reading.take_uncounted(uncounted)
    reading.check_totals()
    reading.tell_what_is_missing()
    return Statement(
        file=cut.file,
        form=form.title,
        as_of=cut.as_of,
        positions=tuple(reading.positions),
        balances=tuple(reading.balances),
        passed=tuple(sorted(cut.passed, key=lambda row: row.line)),
        guessed=tuple(reading.guessed),
        warnings=tuple(reading.warnings),
        rejected=tuple(sorted(cut.rejected, key=lambda row: row.line)),
        base=form.currency or cut.base,
    )


def _notation(cut: Sheet, word: str) -> Notation | None:
    """How the file writes numbers; None = its cells leave it open, and so does the user's word."""
    if cut.form.notation and cut.delimiter == ",":
        return cut.form.notation
    lines = (*cut.lines, *cut.totals)
    cells = [line.cells[name] for line in lines for name in NUMBERS if name in line.cells]
    numbers = (number for _, number in map(money, cells) if _is_number(number))
    try:
        return amounts.notation_of(numbers) or (Notation(word) if word else None)
    except BadCell as error:
        hint = "write all numbers with a decimal point, or all with a decimal comma"
        raise InputError(
            f"{cut.file}: {error} ({cut.form.title}). {NOTHING} Export the file again, or {hint}.",
            code=error.code,
            place=cut.file,
            value=error.value,
            hint=hint,
        ) from error


def _is_number(text: str) -> bool:
    """Is a text a number in either notation? What is none is rejected by its line."""
    for notation in Notation:
        try:
            return amounts.amount(text, "", notation) is not None
        except BadCell:
            continue
    return False


@dataclass
class _Reading:
    """What the rows so far add up to; `sums` table -> values of its rows, None = not all known."""

    cut: Sheet
    notation: Notation | None
    sign: str = ""
    positions: list[Position] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    guessed: list[Notice] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)
    sums: dict[int, Decimal | None] = field(default_factory=dict)
    no_currency: int = 0

    def take(self, line: Line) -> None:
        """Add one row, or reject it."""
        row = self._row(line)
        try:
            if is_cash(row):
                self._take_cash(row)
            else:
                self._take_position(row)
        except BadCell as error:
            self.sums[line.table] = None
            self.cut.reject(line.line, error)

    def _row(self, line: Line) -> Cells:
        return Cells(line, self.cut.form, self.notation, self.sign)

    def _add(self, row: Cells, value: Decimal | None) -> None:
        """To the sum of its table, in what the file counts in."""
        so_far = self.sums.get(row.line.table, Decimal(0))
        unknown = so_far is None or value is None
        self.sums[row.line.table] = None if unknown else _sum([so_far, value])

    def _take_cash(self, row: Cells) -> None:
        label, pending = row.label, is_pending(row.label)
        amount = cash_amount(row)
        if amount is None and pending:
            self.cut.passed.append(Passed(row.line.line, "pending row without an amount"))
            return
        if amount is None:
            raise BadCell(f"{shown(label)} has no amount", code="missing", column="value")
        unit = cash_unit(row)
        self._add(row, amount)
        self.no_currency += unit is None
        self.balances.append(
            Balance(
                line=row.line.line,
                currency=unit.currency if unit else "",
                amount=unit.major(amount) if unit else amount,
                settles=self._settles(row, label) if pending else row.day("settles"),
                account=row.line.account,
                bucket=row.text("bucket"),
                label="" if label.upper().startswith(PREFIX) else label,
                base_value=row.number("base_value"),
            )
        )

    def _settles(self, row: Cells, label: str) -> date | None:
        """The weekday after the statement's; None where that is not known."""
        if self.cut.as_of is None:
            message = one_line(f"{row.line.account} {label}".strip(), 2 * SHOWN_CHARACTERS)
            rule = "the file says no day, so it is read as settled"
            self._guess("pending_settled", f"{message} of {self.cut.file}: {rule}.")
            return None
        day = self.cut.as_of + timedelta(days=1)
        while day.weekday() >= SATURDAY:
            day += timedelta(days=1)
        return day

    def _guess(self, code: str, message: str) -> None:
        notice = Notice(code=code, message=message, head=True)
        if notice not in self.guessed:
            self.guessed.append(notice)

    def _warn(self, code: str, message: str) -> None:
        notice = Notice(code=code, message=message)
        if notice not in self.warnings:
            self.warnings.append(notice)

    def _take_position(self, row: Cells) -> None:
        position = position_of(row)
        counted = stated_value(row)
        if counted is None and position.price is not None:
            counted = position.price * position.quantity * (position.multiplier or ONE)
        self._add(row, counted)
        self.no_currency += not position.currency
        self._tell_of(row, position)
        self.positions.append(position)

    def _tell_of(self, row: Cells, position: Position) -> None:
        """What of a row was decided, or not used."""
        symbol, word = position.symbol, row.text("product_type")
        if position.product_type == "BOND" and row.product_type != "BOND":
            rule = "its value is a hundredth of quantity times price"
            self._guess("read_as_bond", f"{symbol} is read as a bond quoted per 100: {rule}.")
        if word and not row.product_type and not position.product_type:
            message = f"The type {shown(word)} of {self.cut.form.title} is not one that is read."
            self._warn("unknown_type", message)
        if position.average_cost is None and has_cost(row):
            message = f"The cost of {symbol} is not above 0 in the currency of its price; not used."
            self._warn("cost_not_used", message)

    def take_uncounted(self, lines: list[Line]) -> None:
        """Rows without a count are accounts of cash where the total is reached with them only."""
        if not lines or self.cut.rejected:
            return
        rows = [self._row(line) for line in lines]
        if self._reached_with(rows):
            for row in rows:
                self._take_cash(row)
            return
        hint = "leave the total row in the file, and groups and their subtotals out"
        reason = "it has neither count nor symbol; an account of cash adds up to the total row"
        for line in lines:
            self.cut.reject(line.line, BadCell(reason, code="no_count", hint=hint))

    def _reached_with(self, rows: list[Cells]) -> bool:
        try:
            cash = [cash_amount(row) for row in rows]
            stated = {self._row(line).number("value") for line in self.cut.totals}
        except BadCell:
            return False
        counted = self.sums.get(0, Decimal(0))
        if counted is None or None in cash or None in stated or len(stated) != 1:
            return False
        rest = (stated.pop() or Decimal(0)) - counted - _sum(cash)
        return abs(rest) <= CENT * (len(self.positions) + len(rows) + 1)

    def check_totals(self) -> None:
        """Reject a total row whose value is not that of its rows."""
        for line in self.cut.totals:
            row, counted = self._row(line), self.sums.get(line.table, Decimal(0))
            try:
                stated = row.number("value")
                if stated is not None and counted is not None:
                    _check_total(stated, counted, line.names.get("value", "value"))
            except BadCell as error:
                self.cut.reject(line.line, error)
            else:
                self.cut.passed.append(Passed(line.line, "total row"))

    def tell_what_is_missing(self) -> None:
        """Notices of an end that is not there, and of currencies that are not named."""
        cut, form = self.cut, self.cut.form
        totals = {line.table for line in cut.totals}
        whole = len(totals) == cut.tables if form.totals else cut.closed
        if form.closing and not whole:
            message = f"The {form.closing} of {cut.file} is missing: the file may be cut."
            self._guess("may_be_cut", message)
        if self.no_currency:
            rows = "1 row" if self.no_currency == 1 else f"{self.no_currency} rows"
            message = f"{cut.file} names no currency in {rows}: the base currency is used."
            self._guess("no_currency", message)


def _check_total(stated: Decimal, counted: Decimal, column: str) -> None:
    if abs(stated - counted) > max(abs(stated) * NEAR, CENT):
        reason = f"the total row says {stated:,f}, but the rows above add up to {counted:,f}"
        hint = "a row is missing or was changed; export the file again"
        raise BadCell(
            reason,
            code="total_differs",
            column=column,
            value=str(stated),
            limit=f"{counted:f} within 1 %",
            hint=hint,
        )


def _sum(numbers: Iterable[Decimal | None]) -> Decimal:
    return sum((number for number in numbers if number is not None), Decimal(0))


def types_of(words: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Product type -> words, the other way round."""
    return {word: product_type for product_type, texts in words.items() for word in texts}
