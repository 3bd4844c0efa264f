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

from steelyard.canonical import plain
from steelyard.errors import InputError, RejectedRow, did_you_mean
from steelyard.importers.cash_words import currency_of, is_cash
from steelyard.importers.holdings import DATES, FORM
from steelyard.importers.options import option_symbol
from steelyard.importers.spelling import Spellings, collisions
from steelyard.importers.stated_rates import stated_rates
from steelyard.importers.statement import Balance, Position, Statement
from steelyard.importers.values import NOTHING, normal, shown
from steelyard.money import ZERO
from steelyard.notices import Notice
from steelyard.portfolio import MULTIPLIERS, Holding, Security, Settling, TaxLot

VALUE_TOLERANCE = Decimal("0.01")
"""A stated value may differ from quantity x price by this fraction: brokers round prices."""
CENT = Decimal("0.01")
HALF_DIGIT = Decimal("0.5")
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Dated:
    """A date of the file and where: one after the as-of date is rejected by its line."""

    line: int
    column: str
    on: date


@dataclass(frozen=True, slots=True)
class Listing:
    """How a symbol is quoted and what the file says of it; "" or None = it does not.

    unit   a minor unit, like GBp, where the price was read from one
    on     the day of the price
    line   where the price stands
    """

    currency: str = ""
    unit: str = ""
    on: date | None = None
    line: int = 0
    name: str = ""
    product_type: str = ""
    multiplier: Decimal | None = None
    isin: str = ""


NO_LISTINGS: Mapping[str, Listing] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class HoldingsFile:
    """What a file of holdings comes to.

    form       how it was read, for people
    as_of      the day it is of; None = it does not say
    holdings   by symbol, sorted; lots oldest first, a lot without a date before the others
    cash       currency -> settled balance
    settling   money on its way
    listings   symbol -> how it is quoted
    base       the currency in which the account counts; "" = the file does not say
    rates      currency -> the rate into `base` by which the file values it
    bucket     the one bucket that the file names; None when it names none
    account    the one that was picked, or the only one; "" = the file names none
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
    listings: Mapping[str, Listing] = field(default_factory=lambda: NO_LISTINGS)
    base: str = ""
    rates: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    bucket: str | None = None
    account: str = ""
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
    spellings   names to symbols
    passed      excluded symbols that were passed over already, in normal form
    """

    account: str | None = None
    exclude: frozenset[str] = frozenset()
    currency: str = ""
    listed: Mapping[str, Security] = field(default_factory=lambda: MappingProxyType({}))
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
    positions, moved, notices = _money_market(statement.file, positions, choices.listed)
    book = _Book(statement.file, own=statement.form == FORM)
    lines = {row.symbol: row.line for row in reversed(positions)}
    choices.spellings.add(lines)
    twice = collisions(statement.file, lines, choices.spellings)
    rejected = [*statement.rejected, *twice]
    other_names = {row.value for row in twice}
    for row in (row for row in positions if row.symbol not in other_names):
        symbol = choices.spellings.symbol(row.symbol)
        book.take(_described(replace(row, symbol=symbol), choices.listed))
    cash = _Cash(statement.file, choices.currency or statement.base or _only_currency(balances))
    for balance in (*balances, *moved):
        cash.take(balance)
    rates, contradicted = stated_rates(statement, positions)
    rejected += [*book.rejected, *cash.rejected, *contradicted]
    holdings = [book.holding(symbol) for symbol in sorted(book.rows)]
    return HoldingsFile(
        file=statement.file,
        form=statement.form,
        as_of=statement.as_of,
        holdings=tuple(holdings),
        cash=MappingProxyType(dict(sorted(cash.balances.items()))),
        settling=tuple(cash.settling),
        listings=MappingProxyType({symbol: book.listing(symbol) for symbol in sorted(book.rows)}),
        base=statement.base,
        rates=MappingProxyType(rates),
        bucket=bucket,
        account=account or "",
        dates=tuple(_dates(positions)),
        passed=frozenset(passed) | choices.passed,
        rejected=tuple(sorted(rejected, key=lambda row: row.line)),
        warnings=(*statement.guessed, *notices, *cash.notices(), *statement.warnings),
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


def _excluded(row: Position, choices: Choices) -> bool:
    symbol = choices.spellings.symbol(row.symbol)
    return bool({normal(row.symbol), normal(symbol)} & choices.exclude)


def _money_market(
    file: str, positions: Sequence[Position], listed: Container[str]
) -> tuple[list[Position], list[Balance], list[Notice]]:
    """Rows that are cash by name and price, turned to balances; a listed symbol is a security."""
    securities, balances, names = list[Position](), list[Balance](), list[str]()
    for row in positions:
        cash = row.product_type == "CASHLIKE" or is_cash(row.symbol, row.price)
        if not cash or normal(row.symbol) in listed:
            securities.append(row)
            continue
        amount = row.quantity * (row.price or ONE)
        currency = row.currency or currency_of(row.symbol)
        names.append(row.symbol)
        balances.append(
            Balance(
                line=row.line,
                currency=currency,
                amount=amount,
                account=row.account,
                label=row.symbol,
            )
        )
    notices = []
    if names:
        message = f"{', '.join(names)} of {file} is read as cash, at a price of 1."
        notices = [Notice(code="read_as_cash", message=message, head=True)]
    return securities, balances, notices


def _only_currency(balances: Iterable[Balance]) -> str:
    """The one currency that other rows of cash name."""
    currencies = {row.currency for row in balances} - {""}
    return currencies.pop() if len(currencies) == 1 else ""


def _described(row: Position, listed: Mapping[str, Security]) -> Position:
    """The row with its product type and multiplier: the securities file's, else its own."""
    security = listed.get(normal(row.symbol))
    kind = (security.product_type if security else "") or row.product_type
    if not kind and option_symbol(row.symbol):
        kind = "OPTION"
    own = row.multiplier if row.multiplier is not None else MULTIPLIERS.get(kind)
    multiplier = security.multiplier if security and security.multiplier != 1 else own
    return replace(row, product_type=kind, multiplier=multiplier)


def _dates(positions: Iterable[Position]) -> Iterator[Dated]:
    for row in positions:
        for column in DATES:
            on = getattr(row, column)
            if on is not None:
                yield Dated(row.line, column, on)


@dataclass
class _Book:
    """Rows of holdings, judged one after the other.

    own   our own form: a lot is written on purpose, so two of one day are a slip
    """

    file: str
    own: bool
    rows: dict[str, list[Position]] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)

    def take(self, row: Position) -> None:
        """Add a row, or reject it."""
        others = self.rows.get(row.symbol, [])
        fault = self._wrong_value(row) or self._against(row, others)
        if fault is None:
            self.rows.setdefault(row.symbol, []).append(row)
        else:
            self.rejected.append(fault)

    def _fault(self, row: Position, code: str, reason: str, **more: str) -> RejectedRow:
        return RejectedRow(self.file, row.line, reason, code, **more)

    def _wrong_value(self, row: Position) -> RejectedRow | None:
        """A row whose stated value is not its quantity times its price: one of them is wrong."""
        if row.value is None or row.price is None or row.product_type == "FUTURE":
            return None
        value = row.quantity * row.price * (row.multiplier or ONE)
        slack = VALUE_TOLERANCE * abs(row.value) + HALF_DIGIT * abs(row.quantity) * _digit(
            row.price
        )
        if abs(value - row.value) <= max(slack, CENT):
            return None
        what = f"{row.symbol} is {plain(row.quantity)} at {plain(row.price)}, worth {plain(value)}"
        hint = _why_so(row, value)
        reason = f"{what}, and the file says {plain(row.value)}; {hint}"
        return self._fault(
            row, "value_differs", reason, value=plain(value), limit=plain(row.value), hint=hint
        )

    def _against(self, row: Position, others: Sequence[Position]) -> RejectedRow | None:
        """A row that contradicts another of its symbol."""
        for other in others:
            if row.price and other.price and row.price != other.price:
                reason = f"{row.symbol} has the price {row.price} here"
                return self._fault(row, "two_prices", f"{reason} and {other.price} in another lot")
            if row.currency and other.currency and row.currency != other.currency:
                reason = f"{row.symbol} is in {row.currency} here"
                return self._fault(
                    row, "two_currencies", f"{reason} and in {other.currency} in another lot"
                )
            if row.quantity * other.quantity < 0:
                reason = f"{row.symbol} is short on one line and long on line {other.line}"
                return self._fault(row, "long_and_short", f"{reason}; write what they come to")
            if row.acquired == other.acquired and (
                self.own or row == replace(other, line=row.line)
            ):
                when = f"acquired {row.acquired}" if row.acquired else "without a date"
                rule = "lots of one symbol need different dates in `acquired`"
                rule = rule if self.own else "the same row twice would be counted twice"
                reason = f"{row.symbol} {when} stands on line {other.line} already; {rule}"
                return self._fault(row, "same_lot", reason)
        return None

    def holding(self, symbol: str) -> Holding:
        """The lots of a symbol as one holding; a row of 0 gives its dates alone."""
        rows = sorted(self.rows[symbol], key=lambda row: row.acquired or date.min)
        lots = tuple(
            TaxLot(row.quantity, row.acquired, row.average_cost, row.account)
            for row in rows
            if row.quantity
        )
        bought = [row.last_bought or row.acquired for row in rows]
        return Holding(
            symbol=symbol,
            quantity=sum((lot.quantity for lot in lots), ZERO),
            lots=lots,
            price=next((row.price for row in rows if row.price), None),
            last_bought=max((on for on in bought if on), default=None),
            last_sold=max((row.last_sold for row in rows if row.last_sold), default=None),
            sold_at_loss=any(row.sold_at_loss for row in rows),
        )

    def listing(self, symbol: str) -> Listing:
        """How a symbol is quoted, by the rows that say."""
        rows = self.rows[symbol]
        priced = next((row for row in rows if row.price), rows[0])
        return Listing(
            currency=next((row.currency for row in rows if row.currency), ""),
            unit=priced.unit,
            on=priced.price_on,
            line=priced.line,
            name=next((row.name for row in rows if row.name), ""),
            product_type=next((row.product_type for row in rows if row.product_type), ""),
            multiplier=next((row.multiplier for row in rows if row.multiplier), None),
            isin=next((row.isin for row in rows if row.isin), ""),
        )


def _digit(price: Decimal) -> Decimal:
    """The last digit that a price is written with: as much of it may be rounding."""
    exponent = price.as_tuple().exponent
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) else ZERO


def _why_so(row: Position, value: Decimal) -> str:
    """The likely cause, by the factor between the two values."""
    factor = abs(value / row.value) if row.value else ZERO
    near = {
        Decimal(100): "pence, or a bond quoted per 100? say BOND or its multiplier in --securities",
        Decimal("0.01"): "an option of 100 shares? say OPTION or its multiplier in --securities",
        Decimal(1000): "a decimal sign read as one of thousands?",
    }
    for typical, cause in near.items():
        if abs(factor / typical - 1) < VALUE_TOLERANCE:
            return cause
    return "correct the line, or leave it out with --exclude"


@dataclass
class _Cash:
    """Rows of cash: balances by currency, and what is still on its way.

    default   the currency of a row that names none
    """

    file: str
    default: str
    balances: dict[str, Decimal] = field(default_factory=dict)
    settling: list[Settling] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    _lines: dict[tuple[str, str, date | None], int] = field(default_factory=dict)
    _words: dict[str, str] = field(default_factory=dict)

    def take(self, row: Balance) -> None:
        """Add a balance; our own CASH:CUR of one day may stand once."""
        currency = row.currency or self.default or "USD"
        if row.label:
            self._words[row.label] = currency
        first = self._lines.setdefault((row.label, currency, row.settles), row.line)
        if not row.label and first != row.line:
            reason = f"CASH:{currency} stands on line {first} already"
            self.rejected.append(RejectedRow(self.file, row.line, reason, "same_cash"))
        elif row.settles is None:
            self.balances[currency] = self.balances.get(currency, ZERO) + row.amount
        else:
            self.settling.append(Settling(currency, row.amount, row.settles))

    def notices(self) -> Iterator[Notice]:
        """Say which words were read as cash, and in which currency."""
        for word, currency in sorted(self._words.items()):
            message = f"{shown(word)} of {self.file} is read as cash in {currency}."
            yield Notice(code="read_as_cash", message=message, head=True)
