"""A statement as `plan` would take it, account by account, before there is anything to plan with.

What the book rejects and says of each account stands in the statement; rows of cash stand with the
cash, and names are the user's own. Values are those that a plan counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from steelyard.importers.book import Choices, HoldingsFile, account_of, holdings_of, money_market
from steelyard.importers.lots import Listing
from steelyard.importers.spelling import Spellings
from steelyard.importers.statement import ONE, Statement
from steelyard.money import ZERO
from steelyard.portfolio import Holding

DEFAULT_CURRENCY = "USD"
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
    seen: list[T] = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return seen


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
