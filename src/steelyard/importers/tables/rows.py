"""A row of a broker's table to a position or an amount of cash: what its cells mean together.

Fields: symbol, isin, wkn, name, quantity, price, value, base_value (in the base currency),
currency, average_cost, cost_basis (in all), product_type, multiplier, account, bucket, acquired,
last_bought, last_sold, sold_at_loss, settles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from steelyard.errors import one_line
from steelyard.importers import amounts, cash_words, values
from steelyard.importers.amounts import Notation
from steelyard.importers.bonds import bond_multiplier
from steelyard.importers.options import is_isin, option_symbol
from steelyard.importers.statement import ONE, Position
from steelyard.importers.tables.sheet import MOST_TEXT, Form, Line, plain
from steelyard.importers.values import BadCell, Unit, shown
from steelyard.portfolio import MULTIPLIERS

IDS = ("symbol", "isin", "wkn")
NEAR_ONE = Decimal("0.02")
"""By how much a price of cash may differ from 1: funds of the money market may float a little."""
PENDING_WORDS = frozenset({"pending activity"})
CODE = re.compile(r"[A-Za-z]{3}")
CODE_BEFORE = re.compile(r"([A-Za-z]{3})\s*([^A-Za-z]*[0-9][^A-Za-z]*)")
CODE_BEHIND = re.compile(r"([^A-Za-z]*[0-9][^A-Za-z]*)\s*([A-Za-z]{3})")
CODE_IN_NAME = re.compile(r"\(([A-Z]{3})\)")
SIGNS = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "HKD", "SGD"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "¥": frozenset({"JPY", "CNY"}),
}
"""Sign of money -> the currencies that it may mean."""
CUSIP = re.compile(r"[0-9A-Z]{8}[0-9]")
NEAR = Decimal("0.01")
"""How far a stated value may be from quantity times price, or a hundredth of it, as a share."""
CENT = Decimal("0.01")
HUNDRED = 100
MOST_PERCENT = 300
"""No bond costs more than that of its par: a larger price is another slip."""
MOST = {"quantity": values.MAX_QUANTITY, "price": values.MAX_PRICE}


def money(cell: str) -> tuple[str, str]:
    """A currency code before or behind a number, and the number.

    >>> money("USD 149,30"), money("(1.50)")
    (('USD', '149,30'), ('', '(1.50)'))
    """
    if not CODE.search(cell):
        return "", cell
    before, behind = CODE_BEFORE.fullmatch(cell), CODE_BEHIND.fullmatch(cell)
    if before:
        return before[1], before[2]
    return (behind[2], behind[1].strip()) if behind else ("", cell)


def is_uncounted(line: Line) -> bool:
    """Has a row neither count nor symbol?"""
    return not any(line.cells.get(name) for name in (*IDS, "quantity"))


@dataclass(frozen=True, slots=True)
class Cells:
    """A line with its numbers; `numbers` are those that were asked for already.

    sign   the currency that $ or ¥ means where it may, on the user's word; "" = no word
    """

    line: Line
    form: Form
    notation: Notation | None
    sign: str = ""
    numbers: dict[str, Decimal | None] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A cell, empty where there is nothing or no such column."""
        return self.line.cells.get(name, "")

    def column(self, name: str) -> str:
        """What the file calls a field."""
        return self.line.names.get(name, name)

    @property
    def id(self) -> str:
        """What names the security: its symbol, else its ISIN, else its WKN."""
        return next((self.text(name) for name in IDS if self.text(name)), "")

    @property
    def label(self) -> str:
        """What the file calls the row."""
        return one_line(self.text("symbol") or self.text("name") or self.id, MOST_TEXT)

    def number(self, name: str) -> Decimal | None:
        """The number of a cell; None where there is none; raises BadCell."""
        if name not in self.numbers:
            self.numbers[name] = self._number(name)
        return self.numbers[name]

    def _number(self, name: str) -> Decimal | None:
        cell, column = self.text(name), self.column(name)
        if not cell:
            return None
        # a count has no currency
        bare = cell if name == "quantity" else money(cell)[1]
        if "%" in bare:
            reason = f"{column} {shown(cell)} is a percentage"
            raise BadCell(reason, code="bad_number", column=column, value=cell)
        number = amounts.amount(bare, column, self.notation or Notation.POINT)
        if self.notation is None and number != amounts.amount(bare, column, Notation.COMMA):
            reason = f"{column} {amounts.either(bare)}, and no other number of the file tells which"
            hint = "write it without a separator of thousands, or with more decimals"
            raise BadCell(reason, code="two_readings", column=column, value=cell, hint=hint)
        most = MOST.get(name, values.MAX_CASH)
        if number is not None and abs(number) > most:
            reason = f"{column} {shown(cell)} is over {most:,f}, the most that is read"
            raise BadCell(reason, code="too_large", column=column, value=cell, limit=str(most))
        return number

    def day(self, name: str) -> date | None:
        """The date of a cell."""
        return values.day(self.text(name), self.column(name)) if self.text(name) else None

    def flag(self, name: str) -> bool:
        """`true` or `false`."""
        return values.flag(self.text(name), self.column(name))

    def unit(self, *names: str) -> Unit | None:
        """What the numbers of these cells are in, as the row says; None = it does not say."""
        units = {
            values.unit(code, self.column(name)) for name in names if (code := self._code(name))
        }
        if len(units) > 1:
            both = " and ".join(sorted(unit.code for unit in units))
            raise BadCell(f"the row is in {both}: which?", code="two_units", column="currency")
        unit = next(iter(units), None) or self._unit_of_sign(names)
        if unit is None and self.form.currency:
            unit = Unit(self.form.currency, self.form.currency)
        for name in names:
            self._check_sign(name, unit)
        return unit

    def _unit_of_sign(self, names: Sequence[str]) -> Unit | None:
        """The currency of a sign of money, where nothing else names one; $ and ¥ are of several."""
        cells = {name: self.text(name) for name in names}
        signs = [(sign, name) for name, cell in cells.items() for sign in SIGNS if sign in cell]
        if not signs or self.form.currency:
            return None
        mark, name = signs[0]
        currencies = sorted(SIGNS[mark])
        if self.sign in currencies:
            return Unit(self.sign, self.sign)
        if len(currencies) > 1:
            column, cell = self.column(name), cells[name]
            reason = f"{column} {shown(cell)} may be {' or '.join(currencies)}"
            hint = "name the currency in a column, or say a base currency that is one of them"
            raise BadCell(
                reason,
                code="which_currency",
                column=column,
                value=cell,
                limit=", ".join(currencies),
                hint=hint,
            )
        return Unit(currencies[0], currencies[0])

    def _code(self, name: str) -> str:
        cell = self.text(name)
        return money(cell)[0] or (cell if name == "currency" else "")

    def _check_sign(self, name: str, unit: Unit | None) -> None:
        """$, €, £ and ¥ are signs of some currencies only."""
        cell, column = self.text(name), self.column(name)
        if unit is None:
            return
        for sign, currencies in SIGNS.items():
            if sign in cell and unit.currency not in currencies:
                reason = f"{column} {shown(cell)} is not in {unit.currency}"
                raise BadCell(reason, code="two_currencies", column=column, value=cell)

    @property
    def product_type(self) -> str:
        """Of `PRODUCT_TYPES`, or CASH; "" = the file does not say, or in words of its own."""
        return self.form.types.get(plain(self.text("product_type")), "")


def is_cash(row: Cells) -> bool:
    """Cash by its type, by a word, as `CASH:USD`, or as a fund of the money market at a price of 1.

    CASH is a share too: what has another price is no cash.
    """
    symbol, label = row.text("symbol"), "" if row.id else row.text("name")
    if row.product_type == cash_words.CASH or symbol.upper().startswith(cash_words.PREFIX):
        return True
    names = [name for name in (symbol, label) if cash_words.is_cash_name(name) or is_pending(name)]
    return bool(names) and row.number("price") in {None, ONE}


def is_pending(text: str) -> bool:
    """Is it money of trades that are not settled?"""
    return plain(text) in PENDING_WORDS


def cash_unit(row: Cells) -> Unit | None:
    """The currency of cash: as the label names it (CASH:EUR, CASH FUND (EUR)), else the row."""
    label, unit = row.label, row.unit("currency", "value")
    in_brackets = CODE_IN_NAME.search(label) if not row.id else None
    code = in_brackets[1] if in_brackets else cash_words.currency_of(label)
    if label.upper().startswith(cash_words.PREFIX):
        code = label[len(cash_words.PREFIX) :]
    named = values.unit(code, "symbol") if code else None
    if named and unit and named != unit:
        reason = f"{shown(label)} is in {named.code}, but its currency is {unit.code}"
        raise BadCell(reason, code="two_currencies", column="currency", value=unit.code)
    return named or unit


def stated_value(row: Cells) -> Decimal | None:
    """The value as the file counts it: in a cell of its own, or behind the currency."""
    value = row.number("value")
    behind = row.number("currency") if money(row.text("currency"))[0] else None
    if value is not None and behind is not None and value != behind:
        reason = f"the row has the values {behind} and {value}"
        raise BadCell(reason, code="two_values", column=row.column("currency"), value=str(value))
    return behind if value is None else value


def cash_amount(row: Cells) -> Decimal | None:
    """The value that is stated, else the count at its price, a price of 1 where there is none."""
    value, quantity, price = stated_value(row), row.number("quantity"), row.number("price")
    if price is not None and abs(price - ONE) > NEAR_ONE:
        reason = f"{shown(row.label)} is read as cash, and its price is {price:,f}"
        raise BadCell(
            reason, code="cash_with_price", column=row.column("price"), value=str(price), limit="1"
        )
    counted = quantity * (ONE if price is None else price) if quantity is not None else None
    if value is None or counted is None:
        return counted if value is None else value
    if abs(value - counted) > max(abs(value) * NEAR, CENT):
        reason = f"{shown(row.label)} is {value:,f} here and {counted:,f} as quantity times price"
        raise BadCell(reason, code="two_values", column=row.column("value"), value=str(value))
    return value


def position_of(row: Cells) -> Position:
    """A row that is not cash; raises BadCell."""
    symbol, product_type = _security(row)
    quantity = row.number("quantity")
    if quantity is None:
        column = row.column("quantity")
        reason = f"{shown(row.label)} has no {column}"
        raise BadCell(reason, code="missing", column=column)
    unit, price = row.unit("currency", "price"), row.number("price")
    if price is not None and price < 0:
        column = row.column("price")
        raise BadCell(f"{column} {price} is below 0", code="range", column=column)
    value = _value(row, unit)
    if not product_type and _is_per_hundred(symbol, quantity, price, stated_value(row)):
        product_type = "BOND"
    multiplier = _multiplier(row) or MULTIPLIERS.get(product_type)
    if product_type == "BOND":
        in_currency = unit.major(price) if unit and price else price
        multiplier = bond_multiplier(quantity, in_currency, value, _multiplier(row))
    isin = next((text for name in IDS if is_isin(text := row.text(name).upper())), "")
    return Position(
        line=row.line.line,
        symbol=symbol,
        quantity=quantity,
        currency=unit.currency if unit else "",
        # a price of 0 is none
        price=(unit.major(price) if unit else price) if price else None,
        unit=unit.minor if unit else "",
        multiplier=multiplier,
        product_type=product_type,
        name=one_line(row.text("name"), MOST_TEXT),
        isin=isin,
        average_cost=_average_cost(row, unit, quantity * (multiplier or ONE)),
        acquired=row.day("acquired"),
        last_bought=row.day("last_bought"),
        last_sold=row.day("last_sold"),
        sold_at_loss=bool(row.text("sold_at_loss")) and row.flag("sold_at_loss"),
        account=row.line.account,
        bucket=row.text("bucket"),
        value=value,
        base_value=_base_value(row, value),
    )


def _security(row: Cells) -> tuple[str, str]:
    """Symbol and product type of a row; raises BadCell where nothing names it."""
    product_type = row.product_type
    if not row.id:
        option = option_symbol(row.text("name"))
        if option:
            return option, "OPTION"
        hint = "give it a symbol in the file, or delete the row"
        reason = f"{shown(row.label)} has no symbol, ISIN or WKN"
        raise BadCell(reason, code="missing", column="symbol", value=row.label, hint=hint)
    option = option_symbol(row.id)
    return (option, "OPTION") if option else (values.symbol(row.id), product_type)


def _multiplier(row: Cells) -> Decimal | None:
    multiplier = row.number("multiplier")
    if multiplier is not None and multiplier <= 0:
        column = row.column("multiplier")
        raise BadCell(f"{column} {multiplier} is not above 0", code="range", column=column)
    return multiplier


def _is_per_hundred(
    symbol: str, quantity: Decimal, price: Decimal | None, value: Decimal | None
) -> bool:
    """Is what a CUSIP or an ISIN names valued at a hundredth of quantity times price? A bond is."""
    if not (is_isin(symbol) or CUSIP.fullmatch(symbol)) or not (price and value and quantity):
        return False
    return price <= MOST_PERCENT and abs(value * HUNDRED / (quantity * price) - 1) <= NEAR


def _value(row: Cells, unit: Unit | None) -> Decimal | None:
    """The stated value, where it is in the currency of the price."""
    value = stated_value(row)
    of_value = row.unit("currency", "value")
    if value is None or (of_value and of_value.currency) != (unit and unit.currency):
        return None
    return of_value.major(value) if of_value else value


def _base_value(row: Cells, value: Decimal | None) -> Decimal | None:
    """The value in the base currency: of a cell of its own, or that names no currency beside a
    price that does.
    """
    in_base = row.number("base_value")
    if in_base is None and value is None and row.unit("currency", "value") is None:
        in_base = stated_value(row)
    return in_base


def has_cost(row: Cells) -> bool:
    """Does a row state what its shares cost?"""
    return any(row.number(name) is not None for name in ("average_cost", "cost_basis"))


def _average_cost(row: Cells, unit: Unit | None, count: Decimal) -> Decimal | None:
    """Cost per share in the currency of the price; None where it is not known or not above 0."""
    name = "average_cost" if row.number("average_cost") is not None else "cost_basis"
    cost, of_cost = row.number(name), row.unit("currency", name)
    if (of_cost and of_cost.currency) != (unit and unit.currency):
        return None
    if cost is not None and name == "cost_basis":
        # a short is bought back: its cost has the sign of its count, or none
        cost = abs(cost) / abs(count) if count and (cost > 0 or count < 0) else None
    if cost is None or cost <= 0:
        return None
    return of_cost.major(cost) if of_cost else cost
