"""A statement to holdings: one account picked, rows judged, lots made of them, cash added up.

1. the account: a file of several is refused with their names until one is picked
2. what is owned: excluded rows left out, cash words and money-market rows turned to cash
3. the stated value of a row against quantity x price x multiplier
4. rows of one symbol to its lots, which agree in price, currency and direction
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from steelyard.errors import InputError, RejectedRow, did_you_mean
from steelyard.importers.balances import Cash
from steelyard.importers.cash_words import currency_of, is_cash
from steelyard.importers.holdings import DATES, FORM
from steelyard.importers.lots import Listing, Lots
from steelyard.importers.options import option_symbol
from steelyard.importers.spelling import Spellings, collisions
from steelyard.importers.stated_rates import stated_rates
from steelyard.importers.statement import Balance, Position, Statement
from steelyard.importers.values import NOTHING, normal, shown
from steelyard.notices import Notice
from steelyard.portfolio import MULTIPLIERS, Holding, Security, Settling

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Dated:
    """A date of the file and where: one after the as-of date is rejected by its line."""

    line: int
    column: str
    on: date


NO_LISTINGS: Mapping[str, Listing] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class HoldingsFile:
    """What a file of holdings comes to.

    form       how it was read, for people
    as_of      the day it is of; None = it does not say
    holdings   by symbol, sorted; lots oldest first, a lot without a date before the others
    cash       currency -> settled balance
    settling   money on its way
    funds      symbols of funds of the money market that are read as cash
    listings   symbol -> how it is quoted
    base       the currency in which the account counts; "" = the file does not say
    rates      currency -> the rate into `base` by which the file values it
    bucket     the one bucket that the file names; None when it names none
    account    the one that was picked, or the only one; "" = the file names none
    cash_rows  rows that the cash and the settling are made of
    dates      every date with its line
    passed     excluded symbols that the file names, in normal form
    rejected   lines that cannot be used: nothing may be planned while there is one
    """

    file: str
    form: str = FORM
    as_of: date | None = None
    holdings: tuple[Holding, ...] = ()
    cash: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    settling: tuple[Settling, ...] = ()
    funds: tuple[str, ...] = ()
    listings: Mapping[str, Listing] = field(default_factory=lambda: NO_LISTINGS)
    base: str = ""
    rates: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    bucket: str | None = None
    account: str = ""
    cash_rows: int = 0
    dates: tuple[Dated, ...] = ()
    passed: frozenset[str] = frozenset()
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()

    @property
    def currencies(self) -> dict[str, str]:
        """Symbol -> currency, where the file names one."""
        return {symbol: row.currency for symbol, row in self.listings.items() if row.currency}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user said that decides how rows are read.

    account     which of several; None = the file has one
    exclude     symbols left out, in normal form
    currency    of cash rows that name none
    listed      normal form -> the row of the securities file
    written     normal forms of those whose multiplier that file writes
    spellings   names to symbols
    passed      excluded symbols that were passed over already, in normal form
    """

    account: str | None = None
    exclude: frozenset[str] = frozenset()
    currency: str = ""
    listed: Mapping[str, Security] = field(default_factory=lambda: MappingProxyType({}))
    written: Container[str] = frozenset()
    spellings: Spellings = field(default_factory=Spellings)
    passed: frozenset[str] = frozenset()


def holdings_of(statement: Statement, choices: Choices) -> HoldingsFile:
    """The holdings of one account; raises InputError where an account or a bucket must be named."""
    account = account_of(statement, choices.account)
    positions = [row for row in statement.positions if account in {None, row.account}]
    balances = [row for row in statement.balances if account in {None, row.account}]
    bucket = _bucket(statement.file, positions, balances)
    passed = {normal(row.symbol) for row in positions if _excluded(row, choices)}
    positions = [row for row in positions if normal(row.symbol) not in passed]
    positions, moved = money_market(positions, choices.listed)
    book = Lots(statement.file, own=statement.form == FORM)
    lines = {row.symbol: row.line for row in reversed(positions)}
    choices.spellings.add(lines)
    twice = collisions(statement.file, lines, choices.spellings)
    unnamed = {normal(name_of(row)) for row in statement.rejected} & choices.exclude - {""}
    passed |= unnamed
    rejected = [row for row in statement.rejected if normal(name_of(row)) not in unnamed]
    rejected += twice
    other_names = {row.value for row in twice}
    for row in (row for row in positions if row.symbol not in other_names):
        symbol = choices.spellings.symbol(row.symbol)
        book.take(described(replace(row, symbol=symbol), choices))
    cash = Cash(statement.file, choices.currency or statement.base or _only_currency(balances))
    for balance in balances:
        cash.take(balance)
    for balance in moved:
        cash.take(balance, decided=True)
    choices.spellings.add(cash.funds)
    rates, contradicted = stated_rates(statement, positions, balances)
    rejected += [*book.rejected, *cash.rejected, *contradicted]
    holdings = [book.holding(symbol) for symbol in sorted(book.rows)]
    return HoldingsFile(
        file=statement.file,
        form=statement.form,
        as_of=statement.as_of,
        holdings=tuple(holdings),
        cash=MappingProxyType(dict(sorted(cash.balances.items()))),
        settling=tuple(cash.settling),
        funds=cash.funds,
        listings=MappingProxyType({symbol: book.listing(symbol) for symbol in sorted(book.rows)}),
        base=statement.base,
        rates=MappingProxyType(rates),
        bucket=bucket,
        account=account or "",
        cash_rows=len(balances) + len(moved),
        dates=(*_dates(positions), *_settling(balances)),
        passed=frozenset(passed) | choices.passed,
        rejected=tuple(sorted(rejected, key=lambda row: row.line)),
        warnings=(*statement.guessed, *cash.notices(), *statement.warnings),
    )


def account_of(statement: Statement, chosen: str | None) -> str | None:
    """The account to read; None where the file names none."""
    rows: tuple[Position | Balance, ...] = (*statement.positions, *statement.balances)
    names = sorted({row.account for row in rows})
    if names in ([], [""]):
        if chosen:
            hint = "Leave --account out."
            what = f"{statement.file} names no account, so {shown(chosen)} is not in it"
            raise InputError(
                f"{what}. {NOTHING} {hint}", code="no_account", place="--account", hint=hint
            )
        return None
    if chosen is None and len(names) == 1:
        return names[0]
    listed = ", ".join(shown(name) if name else "rows without one" for name in names)
    if chosen is None:
        hint = f"Pick one: --account {shown(next(name for name in names if name))}"
        what = f"{statement.file} holds {len(names)} accounts ({listed}); one is planned at a time"
        raise InputError(
            f"{what}. {NOTHING} {hint}.", code="several_accounts", place=statement.file, hint=hint
        )
    fitting = [name for name in names if name.casefold() == chosen.strip().casefold()]
    if not fitting:
        near = did_you_mean(chosen, names)
        what = f"{statement.file} has no account {shown(chosen)}; it has {listed}"
        raise InputError(f"{what}. {NOTHING}{near}", code="unknown_account", place="--account")
    return fitting[0]


def _bucket(file: str, positions: Sequence[Position], balances: Sequence[Balance]) -> str | None:
    """The one bucket that the rows name."""
    rows: tuple[Position | Balance, ...] = (*positions, *balances)
    names = sorted({row.bucket for row in rows} - {""})
    if len(names) > 1:
        listed = ", ".join(shown(name) for name in names)
        raise InputError(
            f"{file} holds several buckets ({listed}); one is planned at a time. {NOTHING} Give "
            "one file per bucket.",
            code="several_buckets",
            place=file,
            hint="Give one file per bucket.",
        )
    return names[0] if names else None


def name_of(row: RejectedRow) -> str:
    """By what a line without a symbol is excluded: the text that it has for one; "" = no such."""
    return row.value or "" if (row.code, row.column) == ("missing", "symbol") else ""


def _excluded(row: Position, choices: Choices) -> bool:
    symbol = choices.spellings.symbol(row.symbol)
    return bool({normal(row.symbol), normal(symbol)} & choices.exclude)


def money_market(
    positions: Sequence[Position], listed: Container[str]
) -> tuple[list[Position], list[Balance]]:
    """Rows that are cash by type, or by name and price; a listed symbol is a security."""
    securities, balances = list[Position](), list[Balance]()
    for row in positions:
        cash = row.product_type == "CASHLIKE" or is_cash(row.symbol, row.price)
        if not cash or normal(row.symbol) in listed:
            securities.append(row)
            continue
        balances.append(
            Balance(
                line=row.line,
                currency=row.currency or currency_of(row.symbol),
                amount=row.quantity * (row.price or ONE),
                account=row.account,
                label=row.symbol,
            )
        )
    return securities, balances


def _only_currency(balances: Iterable[Balance]) -> str:
    """The one currency that other rows of cash name."""
    currencies = {row.currency for row in balances} - {""}
    return currencies.pop() if len(currencies) == 1 else ""


def described(row: Position, choices: Choices) -> Position:
    """The row with its product type and multiplier: the securities file's, else its own."""
    name = normal(row.symbol)
    security = choices.listed.get(name)
    kind = (security.product_type if security else "") or row.product_type
    if not kind and option_symbol(row.symbol):
        kind = "OPTION"
    if kind == "FUTURE":
        return _future(row)
    multiplier = row.multiplier if row.multiplier is not None else MULTIPLIERS.get(kind)
    if security and name in choices.written:
        multiplier = security.multiplier
    return replace(row, product_type=kind, multiplier=multiplier)


def _future(row: Position) -> Position:
    """A future at the value that its row states, else without a price: never at its notional."""
    price = row.value / row.quantity if row.value and row.quantity else None
    usable = price is not None and price > 0
    return replace(
        row,
        product_type="FUTURE",
        multiplier=ONE,
        price=price if usable else None,
        average_cost=None,
    )


def _settling(balances: Iterable[Balance]) -> Iterator[Dated]:
    for row in balances:
        if row.settles is not None:
            yield Dated(row.line, "settles", row.settles)


def _dates(positions: Iterable[Position]) -> Iterator[Dated]:
    for row in positions:
        for column in DATES:
            on = getattr(row, column)
            if on is not None:
                yield Dated(row.line, column, on)
