"""What the statements of Interactive Brokers share: rows of positions and cash, made one meaning.

A summary row and its lots are the same shares: the lots are read where they add up to it, and the
file is refused by line where they do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby

from steelyard.canonical import plain
from steelyard.errors import RejectedRow
from steelyard.importers import values
from steelyard.importers.bonds import bond_multiplier
from steelyard.importers.options import is_isin, option_symbol
from steelyard.importers.statement import Balance, Position
from steelyard.importers.values import BadCell
from steelyard.money import ZERO
from steelyard.notices import Notice
from steelyard.sentences import money

KINDS = {
    "stocks": "",
    "stk": "",
    "equity and index options": "OPTION",
    "options": "OPTION",
    "opt": "OPTION",
    "options on futures": "OPTION",
    "futures options": "OPTION",
    "fop": "OPTION",
    "fsfop": "OPTION",
    "fsopt": "OPTION",
    "futures": "FUTURE",
    "fut": "FUTURE",
    "cfds": "FUTURE",
    "cfd": "FUTURE",
    "fxcfd": "FUTURE",
    "bonds": "BOND",
    "corporate bonds": "BOND",
    "government bonds": "BOND",
    "municipal bonds": "BOND",
    "bond": "BOND",
    "treasury bills": "BOND",
    "t-bills": "BOND",
    "bill": "BOND",
    "mutual funds": "MUTUALFUND",
    "funds": "MUTUALFUND",
    "fund": "MUTUALFUND",
    "crypto": "CRYPTO",
    "cryptocurrencies": "CRYPTO",
    "warrants": "OTHER",
    "war": "OTHER",
    "structured products": "OTHER",
    "iopt": "OTHER",
    "metals": "OTHER",
    "cmdty": "OTHER",
}
"""Asset category, as the activity statement and as Flex write it, in lower case."""
STOCK_KINDS = {"ETF": "ETF", "ETC": "ETC", "ETN": "ETC"}
"""Type of a stock; every other type, like COMMON or ADR, is one company."""
SETTLES_IN = 2
"""Weekdays until unsettled cash has settled: trades of stocks take one or two."""
SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """One row of open positions, its numbers read, its words as the file has them.

    lot       is it one of the lots of the summary row before it?
    kind      asset category
    sort      type of a stock, like COMMON; "" = the file does not say
    """

    line: int
    account: str = ""
    lot: bool = False
    kind: str = ""
    sort: str = ""
    currency: str = ""
    symbol: str = ""
    isin: str = ""
    name: str = ""
    quantity: Decimal
    multiplier: Decimal | None = None
    price: Decimal | None = None
    cost: Decimal | None = None
    value: Decimal | None = None
    opened: date | None = None
    price_on: date | None = None

    @property
    def product_type(self) -> str:
        """Raises BadCell for a category that is not known: it might be counted per 100."""
        # a broker in Britain adds by whom they are held: Stocks - Held with ...
        name = self.kind.partition(" - ")[0].strip().lower()
        if name and name not in KINDS:
            reason = f"asset category {values.shown(self.kind)} is not known"
            raise BadCell(reason, code="unknown_kind", column="asset category", value=self.kind)
        kind = KINDS.get(name, "")
        if kind or not self.sort:
            return kind
        return STOCK_KINDS.get(self.sort.upper(), "EQUITY")


def position(row: Open) -> Position:
    """What a row owns; a notional is no value, so futures and CFDs have none."""
    kind = row.product_type
    option = option_symbol(row.symbol) if kind == "OPTION" else None
    isin = row.isin.upper()
    if not row.symbol and not isin:
        raise BadCell("symbol is missing", code="missing", column="symbol")
    return Position(
        line=row.line,
        symbol=option or values.symbol(row.symbol or isin),
        quantity=row.quantity,
        currency=values.currency(row.currency),
        price=row.price,
        price_on=row.price_on,
        multiplier=_multiplier(row, kind),
        product_type=kind,
        name=row.name,
        isin=isin if is_isin(isin) else "",
        average_cost=row.cost,
        acquired=row.opened,
        account=row.account,
        value=None if kind == "FUTURE" else row.value,
    )


def _multiplier(row: Open, kind: str) -> Decimal | None:
    """As stated; of a bond what its value says, for it may be quoted per 100 or in money."""
    if kind != "BOND":
        return row.multiplier
    return bond_multiplier(row.quantity, row.price, row.value, row.multiplier)


def positions(
    rows: Iterable[Open], file: str
) -> tuple[tuple[Position, ...], tuple[RejectedRow, ...]]:
    """The holdings of all rows, by lots where there are some; and the lines that cannot be used."""
    rows = tuple(rows)
    accepted, rejected = list[Position](), list(_torn(rows, file))
    for _, group in groupby(sorted(rows, key=_security), _security):
        same = sorted(group, key=lambda row: row.line)
        for row in _of_lots(same, file, rejected):
            try:
                accepted.append(position(row))
            except BadCell as error:
                rejected.append(error.row(file, row.line))
    return tuple(sorted(accepted, key=lambda entry: entry.line)), tuple(rejected)


def _security(row: Open) -> tuple[str, ...]:
    """What the rows of one security share: a symbol alone may be listed in two currencies."""
    return row.account, row.symbol, row.currency, row.isin, row.kind


def _torn(rows: Sequence[Open], file: str) -> Iterator[RejectedRow]:
    """A summary and lots of one symbol that say they are two securities would count twice."""
    levels: dict[tuple[str, str], dict[tuple[str, ...], set[bool]]] = {}
    for row in rows:
        names = levels.setdefault((row.account, row.symbol), {})
        names.setdefault(_security(row), set()).add(row.lot)
    for row in rows:
        names = levels[row.account, row.symbol]
        if not row.lot and names[_security(row)] == {False} and {True} in names.values():
            cell = BadCell(
                f"{values.shown(row.symbol)} has its lots under another ISIN, currency or kind than"
                " its summary, so they would be counted twice",
                code="lots_differ",
                column="symbol",
                value=row.symbol,
                hint="export the statement again",
            )
            yield cell.row(file, row.line)


def _of_lots(rows: Sequence[Open], file: str, rejected: list[RejectedRow]) -> Sequence[Open]:
    """The rows of one security that count: its lots, priced as the summary, or the summary."""
    lots = [row for row in rows if row.lot]
    whole = [row for row in rows if not row.lot]
    if not lots:
        _check_once(rows, file, rejected)
        return rows
    if not whole:
        return _merged(lots)
    total = sum((row.quantity for row in whole), ZERO)
    parts = sum((row.quantity for row in lots), ZERO)
    if total != parts:
        name = values.shown(whole[0].symbol)
        reason = f"the lots of {name} are {plain(parts)}, its summary {plain(total)}"
        cell = BadCell(
            f"{reason}; one of them is not whole",
            code="lots_differ",
            column="quantity",
            value=plain(parts),
            limit=plain(total),
            hint="export the statement again",
        )
        rejected.append(cell.row(file, whole[0].line))
    return _merged(_as_priced(lot, whole[0]) for lot in lots)


def _check_once(rows: Sequence[Open], file: str, rejected: list[RejectedRow]) -> None:
    """Rows that do not say what they are: a first one as large as all others may be their sum."""
    first, *others = rows
    if others and first.quantity == sum((row.quantity for row in others), ZERO):
        name, total = values.shown(first.symbol), plain(first.quantity)
        hint = "add the field LevelOfDetail to the query"
        cell = BadCell(
            f"{name} is {total} here and in {len(others)} more rows together: a sum and its lots, "
            f"or twice as many? To tell, {hint}",
            code="two_readings",
            column="quantity",
            value=total,
            hint=hint,
        )
        rejected.append(cell.row(file, first.line))


def _merged(lots: Iterable[Open]) -> list[Open]:
    """Lots, those that are equal but for their line as one: they add up to a summary."""
    rows = dict[Open, Open]()
    for lot in lots:
        same = rows.get(bare := replace(lot, line=0, quantity=ZERO, value=None))
        rows[bare] = lot if same is None else _sum(same, lot)
    return list(rows.values())


def _sum(lot: Open, other: Open) -> Open:
    value = None if lot.value is None or other.value is None else lot.value + other.value
    return replace(lot, quantity=lot.quantity + other.quantity, value=value)


def _as_priced(lot: Open, summary: Open) -> Open:
    """A lot has a date and a cost; what it leaves out stands in the summary."""
    return replace(
        lot,
        currency=lot.currency or summary.currency,
        sort=lot.sort or summary.sort,
        name=lot.name or summary.name,
        multiplier=lot.multiplier or summary.multiplier,
        price=summary.price if lot.price is None else lot.price,
        price_on=lot.price_on or summary.price_on,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Cash of one currency at the end of a day: all of it, and what is settled where it is said."""

    line: int
    account: str
    currency: str
    amount: Decimal
    settled: Decimal | None = None
    on: date | None = None


def balances(
    rows: Iterable[Ending], as_of: date | None
) -> tuple[tuple[Balance, ...], tuple[Notice, ...]]:
    """Settled cash, and what is on its way with a day by which it is there."""
    ready, notices = list[Balance](), list[Notice]()
    for row in rows:
        settled = row.amount if row.settled is None or as_of is None else row.settled
        account, currency = row.account, row.currency
        ready.append(Balance(line=row.line, currency=currency, amount=settled, account=account))
        if settled != row.amount and as_of is not None:
            day = weekdays_after(as_of, SETTLES_IN)
            pending = row.amount - settled
            ready.append(
                Balance(
                    line=row.line,
                    currency=currency,
                    amount=pending,
                    settles=day,
                    account=account,
                )
            )
            message = (
                f"{money(pending)} {currency} of cash is not settled and the statement "
                f"gives no day; it is read as there on {day}, {SETTLES_IN} weekdays after."
            )
            notices.append(Notice(code="settles_guessed", message=message, head=True))
    return tuple(ready), tuple(notices)


def weekdays_after(day: date, count: int) -> date:
    """The day so many weekdays later.

    >>> weekdays_after(date(2026, 1, 9), 2)
    datetime.date(2026, 1, 13)
    """
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day


NO_CASH = Notice(
    code="cash_unknown",
    message=(
        "Cash is not known: the statement has no cash report. No cash was read. Export it with "
        "the Cash Report, or add CASH:CUR rows of your own."
    ),
    head=True,
)
"""Said of a statement without cash."""
