"""A statement as `plan` would take it, account by account, before there is anything to plan with.

What the book rejects and says of each account stands in the statement; rows of cash stand with the
cash, and names are the user's own. Values are those that a plan counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from steelyard.importers.book import (
    Choices,
    HoldingsFile,
    account_of,
    described,
    holdings_of,
    money_market,
)
from steelyard.importers.lots import Listing
from steelyard.importers.spelling import Spellings
from steelyard.importers.statement import ONE, Passed, Position, Statement
from steelyard.importers.tally import tally
from steelyard.money import ZERO
from steelyard.portfolio import Holding
from steelyard.sentences import quantity

DEFAULT_CURRENCY = "USD"
CASH_UNKNOWN = "cash_unknown"
"""Code of the notice that says why no cash was read."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Preview:
    """A statement, judged, and the holdings of each account of it."""

    statement: Statement
    accounts: tuple[HoldingsFile, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """What is owned in one currency; `without_price` counts holdings that have no value yet."""

    currency: str
    holdings: Decimal
    cash: Decimal
    without_price: int


def preview(statement: Statement, account: str | None, alias: Mapping[str, str]) -> Preview:
    """One account of a statement, or all; raises InputError as the reading for a plan does.

    alias   names -> symbols, by the mapping file
    """
    statement = _of_account(statement, account)
    names: list[str | None] = [*accounts_of(statement)]
    accounts = tuple(
        holdings_of(statement, Choices(account=name, spellings=Spellings.of(alias, {})))
        for name in names or [None]
    )
    notices = _once(notice for file in accounts for notice in file.warnings)
    rejected = _once(row for file in accounts for row in file.rejected)
    spellings = Spellings.of(alias, {})
    securities, balances = money_market(statement.positions, ())
    judged = replace(
        statement,
        positions=tuple(replace(row, symbol=spellings.symbol(row.symbol)) for row in securities),
        balances=(*statement.balances, *balances),
        guessed=tuple(notice for notice in notices if notice.head),
        warnings=tuple(notice for notice in notices if not notice.head),
        rejected=tuple(sorted(rejected, key=lambda row: row.line)),
    )
    return Preview(judged, accounts)


def accounts_of(statement: Statement) -> list[str]:
    """The names of its accounts; none where no row names one."""
    names = {row.account for row in statement.positions}
    names |= {row.account for row in statement.balances}
    return sorted(names) if names - {""} else []


def _of_account(statement: Statement, account: str | None) -> Statement:
    if account is None:
        return statement
    chosen = account_of(statement, account)
    return replace(
        statement,
        positions=tuple(row for row in statement.positions if row.account == chosen),
        balances=tuple(row for row in statement.balances if row.account == chosen),
    )


def _once(items: Iterable[T]) -> list[T]:
    """Each of them once, in order."""
    return list(dict.fromkeys(items))


def without_price(file: HoldingsFile) -> list[Holding]:
    """What needs a price from elsewhere; a future without a value of its own counts 0."""
    return [
        holding
        for holding in file.holdings
        if holding.quantity
        and holding.price is None
        and file.listings[holding.symbol].product_type != "FUTURE"
    ]


def totals(accounts: Sequence[HoldingsFile]) -> list[Total]:
    """What all accounts come to, by currency; "" = a currency that nobody names."""
    sums: dict[str, Total] = {}

    def add(
        currency: str, holdings: Decimal = ZERO, cash: Decimal = ZERO, missing: int = 0
    ) -> None:
        old = sums.get(currency, Total(currency, ZERO, ZERO, 0))
        sums[currency] = Total(
            currency, old.holdings + holdings, old.cash + cash, old.without_price + missing
        )

    for file in accounts:
        base = _base(file)
        missing = {holding.symbol for holding in without_price(file)}
        for holding in file.holdings:
            listing = file.listings[holding.symbol]
            worth, lacks = _worth(holding, listing), holding.symbol in missing
            add(listing.currency or base, holdings=worth, missing=lacks)
        for currency, amount in _cash(file):
            add(currency, cash=amount)
    return [total for _, total in sorted(sums.items())]


def _worth(holding: Holding, listing: Listing) -> Decimal:
    return holding.quantity * (holding.price or ZERO) * (listing.multiplier or ONE)


def _cash(file: HoldingsFile) -> Iterator[tuple[str, Decimal]]:
    yield from file.cash.items()
    yield from ((row.currency, row.amount) for row in file.settling)


def _base(file: HoldingsFile) -> str:
    """The currency of what names none, as a plan takes it; "" where it would have to be given."""
    balances = {currency for currency, amount in _cash(file) if amount}
    for names in ({file.base} - {""}, balances, set(file.currencies.values())):
        if names:
            return names.pop() if len(names) == 1 else ""
    return DEFAULT_CURRENCY


def value_of(row: Position) -> Decimal | None:
    """What a plan counts for a row, in its currency; None without a price in the row."""
    row = described(row, Choices())
    return None if row.price is None else row.quantity * row.price * (row.multiplier or ONE)


def summary(preview: Preview) -> str:
    """How the file was read, in one sentence."""
    statement = preview.statement
    day = f", as of {statement.as_of}" if statement.as_of else ""
    counts = tally(preview.accounts, (row.what for row in statement.passed))
    return f"Read as {statement.form}{day}: {counts}."


def remarks(statement: Statement) -> Iterator[tuple[str, Sequence[str]]]:
    """What is to be said of a statement beside its rows: a heading and its sentences."""
    unknown = [notice for notice in statement.guessed if notice.code == CASH_UNKNOWN]
    yield "Decided", [row.message for row in statement.guessed if row not in unknown]
    yield "Worth knowing", [notice.message for notice in statement.warnings]
    yield "Not known", [notice.message for notice in unknown]
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
