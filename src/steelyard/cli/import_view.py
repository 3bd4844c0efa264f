"""What `steelyard import` shows: holdings, cash, what was passed over, decided and rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from rich.console import Console

from steelyard.importers.statement import ONE, Balance, Passed, Position, Statement
from steelyard.money import ZERO
from steelyard.portfolio import MULTIPLIERS, NOT_TRADED_TYPES
from steelyard.report.terminal.columns import Column, Row, emit, sentence, table
from steelyard.sentences import money, quantity

SHOWN = 20
"""Lines of a kind that are told one by one; --json tells all."""
HOLDINGS = (
    Column("Symbol"),
    Column("Name", drop=7),
    Column("Quantity", "right"),
    Column("Price", "right", drop=1),
    Column("Unit", drop=2),
    Column("Cost", "right", drop=5),
    Column("Acquired", drop=6),
    Column("Account", drop=4),
    Column("Value", "right", drop=3),
)
CASH = (
    Column("Cash"),
    Column("Amount", "right"),
    Column("Settles", drop=1),
    Column("Account", drop=2),
    Column("In the file", drop=3),
)
TOTALS = (
    Column("Total"),
    Column("Holdings", "right"),
    Column("Cash", "right"),
    Column("Together", "right", drop=1),
    Column("Without a price", "right", drop=2),
)


JOINTS = frozenset(
    {
        *("of", "without", "that", "with", "in", "dated", "from", "under", "over", "to", "at"),
        *("on", "above", "below", "between", "before", "after", "by", "for", "per"),
    }
)
"""Words that end the noun of a phrase."""


def value_of(row: Position) -> Decimal | None:
    """What a row is worth in its currency; None without a price and without a stated value."""
    if row.price is None:
        return row.value
    multiplier = row.multiplier if row.multiplier is not None else MULTIPLIERS.get(row.product_type)
    return row.quantity * row.price * (multiplier or ONE)


def totals(statement: Statement) -> list[tuple[str, Decimal, Decimal, int]]:
    """(currency, holdings, cash, holdings without a price), by currency."""
    rows: dict[str, tuple[Decimal, Decimal, int]] = {}
    for position in statement.positions:
        worth, cash, unpriced = rows.get(position.currency, (ZERO, ZERO, 0))
        value = value_of(position)
        unpriced += value is None and bool(position.quantity)
        rows[position.currency] = (worth + (value or ZERO), cash, unpriced)
    for balance in statement.balances:
        worth, cash, unpriced = rows.get(balance.currency, (ZERO, ZERO, 0))
        rows[balance.currency] = (worth, cash + balance.amount, unpriced)
    return [(currency, *row) for currency, row in sorted(rows.items())]


def summary(statement: Statement) -> str:
    """How the file was read, in one sentence.

    >>> summary(Statement(file="h.csv", form="Fidelity positions"))
    'Read as Fidelity positions: 0 holdings, 0 cash rows.'
    """
    traded = [row for row in statement.positions if row.quantity and not _kept_out(row)]
    parts = [counted(len(traded), "holding"), counted(len(statement.balances), "cash row")]
    for what, count in Counter(map(_kept_out, statement.positions)).items():
        if what:
            parts.append(f"{counted(count, what)} kept out of trading")
    empty = sum(not row.quantity for row in statement.positions)
    if empty:
        parts.append(f"{counted(empty, 'sold-out holding')} whose dates count")
    for what, count in Counter(row.what for row in statement.passed).items():
        parts.append(f"{counted(count, what)} passed over")
    day = f", as of {statement.as_of}" if statement.as_of else ""
    return f"Read as {statement.form}{day}: {', '.join(parts)}."


def counted(count: int, what: str) -> str:
    """A count and its noun, in the plural where it is due.

    >>> counted(2, "row of an earlier day"), counted(2, "dividend activity"), counted(1, "footer")
    ('2 rows of an earlier day', '2 dividend activities', '1 footer')
    """
    if count == 1:
        return f"1 {what}"
    words = what.replace(",", " ,").split(" ")
    at = next((i for i, word in enumerate(words) if i and word in {*JOINTS, ","}), len(words))
    noun = words[at - 1]
    words[at - 1] = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {' '.join(words).replace(' ,', ',')}"


def _kept_out(row: Position) -> str:
    """As what a row is valued and never traded; empty for one that may be."""
    if row.product_type in NOT_TRADED_TYPES:
        return row.product_type.lower()
    return "short position" if row.quantity < 0 else ""


def draw(statement: Statement, console: Console) -> None:
    """All that a file says."""

    def say(text: str, indent: int = 0) -> None:
        emit(console, sentence(text, console.width, indent=indent))

    say(summary(statement))
    for columns, rows in (
        (HOLDINGS, [_holding(row) for row in statement.positions]),
        (CASH, [_cash(row) for row in statement.balances]),
        (TOTALS, [_total(*row) for row in totals(statement)]),
    ):
        if rows:
            console.print()
            table(console, columns, rows)
    for head, texts in _remarks(statement):
        if texts:
            console.print()
            say(f"{head}:")
        for text in texts[:SHOWN]:
            say(text, 2)
        if len(texts) > SHOWN:
            say(f"and {len(texts) - SHOWN:,d} more; --json tells all", 2)


def _remarks(statement: Statement) -> Iterator[tuple[str, Sequence[str]]]:
    yield "Decided", [notice.message for notice in statement.guessed]
    yield "Worth knowing", [notice.message for notice in statement.warnings]
    if not statement.complete:
        yield "Not known", ["The cash: the file does not begin with all that came in."]
    yield (
        "Rates of the file",
        [
            f"One {name} is {quantity(rate)} {statement.base}"
            for name, rate in statement.rates.items()
        ],
    )
    yield "Passed over", list(_passed(statement.passed))
    yield "Rejected", [str(row) for row in statement.rejected]


def _passed(rows: Iterable[Passed]) -> Iterator[str]:
    """Lines of one kind that follow each other as one."""
    first = last = None
    for row in sorted(rows, key=lambda row: row.line):
        if first is not None and last is not None:
            if row.what == last.what and row.line <= last.line + 1:
                last = row
                continue
            yield _lines(first, last)
        first = last = row
    if first is not None and last is not None:
        yield _lines(first, last)


def _lines(first: Passed, last: Passed) -> str:
    if first.line == last.line:
        return f"line {first.line}: {first.what}" if first.line else first.what
    return f"lines {first.line} to {last.line}: {first.what}"


def _holding(row: Position) -> Row:
    value = value_of(row)
    return Row(
        (
            row.symbol,
            row.name,
            quantity(row.quantity),
            "" if row.price is None else quantity(row.price),
            row.currency if not row.unit else f"{row.currency}, from {row.unit}",
            "" if row.average_cost is None else quantity(row.average_cost),
            row.acquired.isoformat() if row.acquired else "",
            row.account,
            "" if value is None else money(value),
        )
    )


def _cash(row: Balance) -> Row:
    settles = row.settles.isoformat() if row.settles else ""
    currency = row.currency or "no currency"
    return Row((currency, money(row.amount), settles, row.account, row.label))


def _total(currency: str, worth: Decimal, cash: Decimal, unpriced: int) -> Row:
    together = money(worth + cash)
    figures = (money(worth), money(cash), together, str(unpriced or ""))
    return Row((currency or "no currency", *figures))
