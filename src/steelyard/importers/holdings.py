"""Holdings in our own form: what is owned, lot by lot, and the cash.

`symbol, quantity` and optionally `price, average_cost, acquired, last_bought, last_sold,
sold_at_loss, currency, account, bucket, settles`. Rows of one symbol with different `acquired` are
its lots; `CASH:USD` is a balance, which may be negative, and arrives on the day of `settles`. A
quantity below 0 is a short, 0 a holding that was sold out and whose dates still count. A file with
only a header is an all-cash account.
"""

from __future__ import annotations

from collections.abc import Iterable

from steelyard.importers import reading, values
from steelyard.importers.cash_words import PREFIX, currency_of, is_cash_name
from steelyard.importers.options import option_symbol
from steelyard.importers.reading import Row
from steelyard.importers.statement import Balance, Position, Source, Statement
from steelyard.importers.values import BadCell

FORM = "holdings"
REQUIRED = ("symbol", "quantity")
DATES = ("acquired", "last_bought", "last_sold")
COLUMNS = (
    *(*REQUIRED, "price", "average_cost", *DATES, "sold_at_loss", "currency", "account", "bucket"),
    "settles",
)
OF_CASH = (*REQUIRED, "currency", "account", "bucket", "settles")


def is_own(source: Source) -> bool:
    """Has the first line no column but ours?"""
    return set(REQUIRED) <= _columns(source) <= set(COLUMNS)


def may_be_own(source: Source) -> bool:
    """Has the first line one of the columns that ours must have?"""
    return bool(set(REQUIRED) & _columns(source))


def _columns(source: Source) -> set[str]:
    first = source.head.lstrip("\ufeff\r\n").partition("\n")[0]
    cells = [cell.strip(' \t\r"') for cell in first.split(reading.delimiter_of(first))]
    return {reading.column_name(cell) for cell in cells}


def read_own(
    source: Source, exclude: Iterable[str] = (), listed: Iterable[str] = ()
) -> tuple[Statement, frozenset[str]]:
    """The statement of a file of our own form, and the excluded symbols that it names.

    exclude   symbols whose rows are not looked at, in normal form
    listed    symbols that the securities file has: CASH or USD is a security where it says so
    Raises InputError for no such table.
    """
    rows = reading.split(source.text, source.name)
    table = reading.table_of(rows, source.name, REQUIRED, COLUMNS, {}, source.limits)
    sheet = _Sheet(frozenset(exclude), frozenset(listed))
    rejected = reading.parse_rows(table, sheet.take)
    statement = Statement(
        file=table.file,
        form=FORM,
        positions=tuple(sheet.positions),
        balances=tuple(sheet.balances),
        rejected=rejected,
        warnings=table.warnings,
    )
    return statement, frozenset(sheet.passed)


class _Sheet:
    """The rows so far."""

    def __init__(self, exclude: frozenset[str], listed: frozenset[str]) -> None:
        self.exclude, self.listed = exclude, listed
        self.positions: list[Position] = []
        self.balances: list[Balance] = []
        self.passed: set[str] = set()

    def take(self, row: Row) -> None:
        """Add one row; raises BadCell."""
        name = row.get("symbol")
        if values.normal(name) in self.exclude:
            self.passed.add(values.normal(name))
        elif name.upper().startswith(PREFIX) or self._is_cash(row, name):
            self.balances.append(_balance(row))
        else:
            self.positions.append(_position(row, self.listed))

    def _is_cash(self, row: Row, name: str) -> bool:
        """Is the row cash by its name and a price of 1 or none?"""
        if not is_cash_name(name) or values.normal(name) in self.listed:
            return False
        price = row.get("price")
        if price and values.number(price, "price") != 1:
            reason = f"{values.shown(name)} is a name of cash, and its price is {price}"
            hint = "empty the price, or list it in the securities file if it is a security"
            raise BadCell(
                f"{reason}; {hint}", code="cash_with_price", column="price", value=price, hint=hint
            )
        return True


def _balance(row: Row) -> Balance:
    name, own = row.get("symbol"), row.optional("currency", values.unit)
    named = name.upper().startswith(PREFIX)
    code = name[len(PREFIX) :] if named else currency_of(name)
    unit = values.unit(code, "cash symbol") if named or code else own
    if own is not None and unit is not None and own.currency != unit.currency:
        reason = f"the row is of {unit.currency} but its currency is {values.shown(own.code)}"
        raise BadCell(reason, code="two_currencies", column="currency", value=own.code)
    extra = [column for column in COLUMNS if column not in OF_CASH and row.get(column)]
    if extra and not (extra == ["price"] and values.number(row.get("price"), "price") == 1):
        rule = "a cash row has a quantity and nothing else"
        raise BadCell(f"{rule}; empty its {', '.join(extra)}", code="cash_row", column=extra[0])
    amount = values.amount(row.get("quantity"), "quantity")
    return Balance(
        line=row.line,
        currency="" if unit is None else unit.currency,
        amount=amount if unit is None else unit.major(amount),
        settles=row.optional("settles", values.day),
        account=row.get("account"),
        bucket=row.get("bucket"),
        label="" if named else name,
    )


def _position(row: Row, listed: frozenset[str]) -> Position:
    name = row.get("symbol")
    unit = row.optional("currency", values.unit) or values.Unit("", "")
    acquired = row.optional("acquired", values.day)
    if row.get("settles"):
        rule = "only cash has a day on which it settles; empty it, or write CASH:USD for the symbol"
        raise BadCell(rule, code="settles", column="settles", value=row.get("settles"))
    cost = row.optional("average_cost", values.positive, values.MAX_PRICE)
    price = row.optional("price", values.positive_or_none, values.MAX_PRICE)
    return Position(
        line=row.line,
        symbol=option_symbol(name) or values.holding_symbol(name, listed),
        quantity=values.within(row.get("quantity"), "quantity", values.MAX_QUANTITY),
        currency=unit.currency,
        price=None if price is None else unit.major(price),
        unit=unit.minor,
        average_cost=None if cost is None else unit.major(cost),
        acquired=acquired,
        last_bought=row.optional("last_bought", values.day),
        last_sold=row.optional("last_sold", values.day),
        sold_at_loss=row.optional("sold_at_loss", values.flag) is True,
        account=row.get("account"),
        bucket=row.get("bucket"),
    )
