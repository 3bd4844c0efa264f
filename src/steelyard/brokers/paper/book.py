"""One account in the file: its rows, read and written within a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from steelyard.brokers.broker import Activity, BrokerFill, BrokerOrder
from steelyard.brokers.opening import Fees, Opening, PaperPrice
from steelyard.brokers.paper.desk import Desk, Legs
from steelyard.brokers.paper.script import Script, script_of
from steelyard.brokers.paper.sessions import BEGINS_AFTER, session_from, written
from steelyard.canonical import plain
from steelyard.money import ZERO
from steelyard.orders import OrderStatus, Side


@dataclass(slots=True)
class PaperOrder:
    """A row of `orders`.

    notional     of what is filled, exact; `value` is the same in cents
    expires_at   the close of its session
    seen_at      from when it is in answers
    cancels_at   when a cancel that was asked for is confirmed; None = none was
    connect      in which connect of the account it came
    """

    number: int
    client_order_id: str
    broker_id: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal
    currency: str
    state: OrderStatus
    created_at: datetime
    expires_at: datetime
    seen_at: datetime
    connect: int
    filled_quantity: Decimal = ZERO
    notional: Decimal = ZERO
    value: Decimal = ZERO
    fee: Decimal = ZERO
    cancels_at: datetime | None = None
    reason: str = ""

    def shown(self) -> BrokerOrder:
        """As answers have it."""
        filled = self.filled_quantity
        price = self.notional / filled if filled and self.notional else None
        return BrokerOrder(
            client_order_id=self.client_order_id, broker_id=self.broker_id, symbol=self.symbol,
            side=self.side, quantity=self.quantity, limit_price=self.limit_price,
            status=self.state, filled_quantity=filled, average_price=price,
            created_at=self.created_at, reason=self.reason,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """A part of an order that is to be filled; a `ghost` is one of an order told to be over."""

    number: int
    part: int
    at: datetime
    quantity: Decimal
    ghost: bool


@dataclass(frozen=True, slots=True)
class Execution:
    """A row of `executions`: the fill, of which order, and when it is told of."""

    fill: BrokerFill
    number: int
    told_at: datetime
    told_connect: int


@dataclass(slots=True)
class Book:
    """An account while a transaction is open.

    connects   how often the account was connected to
    requests   how many submits and cancels there were
    """

    connection: sqlite3.Connection
    account: str
    base: str
    zone: str
    as_of: date
    now: datetime
    fees: Fees
    script: Script
    connects: int
    requests: int
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """What money is converted at."""
        return Desk(self.base, self.rates, self.fees.fx_percent)

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Of this account: the query's first value."""
        return self.connection.execute(query, (self.account, *values)).fetchall()

    def write(self, table: str, row: Mapping[str, object]) -> None:
        """Insert a row, or replace the one of the same key."""
        columns = {"account": self.account, **row}
        names, marks = ", ".join(columns), ", ".join("?" for _ in columns)
        self.connection.execute(
            f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})",
            tuple(columns.values()),
        )

    def counters(self) -> tuple[datetime, int, int, Script]:
        """What `save` writes."""
        return self.now, self.connects, self.requests, self.script

    def save(self) -> None:
        """The clock and the counters."""
        self.connection.execute(
            "UPDATE account SET now = ?, connects = ?, requests = ?, script = ? WHERE account = ?",
            (written(self.now), self.connects, self.requests, self.script.text(), self.account),
        )

    # securities

    def securities(self) -> dict[str, PaperPrice]:
        """What is traded here, by symbol."""
        rows = self.rows("SELECT * FROM securities WHERE account = ? ORDER BY symbol")
        return {row["symbol"]: _price(row) for row in rows}

    def security(self, symbol: str) -> PaperPrice | None:
        """One of them."""
        query = "SELECT * FROM securities WHERE account = ? AND symbol = ?"
        return next((_price(row) for row in self.rows(query, symbol)), None)

    # orders

    def orders(self, where: str = "1", *values: object) -> list[PaperOrder]:
        """By number."""
        query = f"SELECT * FROM orders WHERE account = ?1 AND {where} ORDER BY number"
        return [_order(row) for row in self.rows(query, *values)]

    def open_orders(self) -> list[PaperOrder]:
        """Those that may still fill as far as anybody is told."""
        return self.orders("state IN ('working', 'partly_filled', 'cancelling')")

    def order(self, number: int) -> PaperOrder:
        """One, by its number."""
        return self.orders("number = ?", number)[0]

    def put(self, order: PaperOrder) -> None:
        """Write an order."""
        self.write("orders", {
            "number": order.number, "client_order_id": order.client_order_id,
            "broker_id": order.broker_id, "symbol": order.symbol, "side": order.side.value,
            "quantity": plain(order.quantity), "limit_price": plain(order.limit_price),
            "currency": order.currency, "state": order.state.value,
            "filled_quantity": plain(order.filled_quantity), "notional": plain(order.notional),
            "value": plain(order.value), "fee": plain(order.fee),
            "created_at": written(order.created_at), "expires_at": written(order.expires_at),
            "seen_at": written(order.seen_at), "connect": order.connect,
            "cancels_at": written(order.cancels_at) if order.cancels_at else None,
            "reason": order.reason,
        })  # fmt: skip

    # what is to be filled

    def next_due(self, until: datetime) -> list[Due]:
        """The part that is to be filled next, where that is by then."""
        where = "at = (SELECT MIN(at) FROM due WHERE account = ?1) AND at <= ?2"
        return self._dues(where, written(until))[:1]

    def ending(self, until: datetime) -> list[PaperOrder]:
        """Open orders whose cancel or day comes true by then."""
        ends = "(cancels_at <= ?2 OR expires_at <= ?2)"
        states = "('working', 'partly_filled', 'cancelling')"
        return self.orders(f"state IN {states} AND {ends}", written(until))

    def due(self, number: int | None = None) -> list[Due]:
        """Parts that are to be filled, earliest first; of one order, or of all."""
        return self._dues("1") if number is None else self._dues("number = ?2", number)

    def _dues(self, where: str, *values: object) -> list[Due]:
        query = f"SELECT * FROM due WHERE account = ?1 AND {where} ORDER BY at, number, part"
        return [
            Due(
                row["number"], row["part"], datetime.fromisoformat(row["at"]),
                Decimal(row["quantity"]), bool(row["ghost"]),
            )
            for row in self.rows(query, *values)
        ]  # fmt: skip

    def put_due(self, due: Due) -> None:
        """Write a part."""
        self.write("due", {
            "number": due.number, "part": due.part, "at": written(due.at),
            "quantity": plain(due.quantity), "ghost": int(due.ghost),
        })  # fmt: skip

    def drop_due(self, number: int, part: int | None = None) -> None:
        """It is filled, or will not be; without a part: all of an order."""
        which, values = ("", ()) if part is None else (" AND part = ?", (part,))
        self.rows(f"DELETE FROM due WHERE account = ? AND number = ?{which}", number, *values)

    # holdings

    def positions(self) -> dict[str, Decimal]:
        """Shares by symbol."""
        query = "SELECT symbol, quantity FROM positions WHERE account = ? ORDER BY symbol"
        return {row["symbol"]: Decimal(row["quantity"]) for row in self.rows(query)}

    def put_position(self, symbol: str, quantity: Decimal) -> None:
        """Write a position; one of nothing has no row."""
        if quantity:
            self.write("positions", {"symbol": symbol, "quantity": plain(quantity)})
        else:
            self.rows("DELETE FROM positions WHERE account = ? AND symbol = ?", symbol)

    def cash(self) -> dict[str, Decimal]:
        """Balances by currency."""
        query = "SELECT currency, amount FROM cash WHERE account = ? ORDER BY currency"
        return {row["currency"]: Decimal(row["amount"]) for row in self.rows(query)}

    def put_cash(self, balances: Mapping[str, Decimal]) -> None:
        """Write balances."""
        for currency, amount in balances.items():
            self.write("cash", {"currency": currency, "amount": plain(amount)})

    def arriving(self, column: str) -> dict[str, Decimal]:
        """Money of sales whose `spendable_at` or `settles_at` is still to come, by currency."""
        query = f"SELECT currency, amount FROM arriving WHERE account = ? AND {column} > ?"
        sums: dict[str, Decimal] = {}
        for row in self.rows(query, written(self.now)):
            sums[row["currency"]] = sums.get(row["currency"], ZERO) + Decimal(row["amount"])
        return sums

    # what happened

    def executions(self, where: str = "1", *values: object) -> list[Execution]:
        """In their order."""
        query = f"SELECT * FROM executions WHERE account = ? AND {where} ORDER BY at, exec_id"
        return [_execution(row) for row in self.rows(query, *values)]

    def put_execution(self, execution: Execution) -> None:
        """Write one."""
        fill = execution.fill
        self.write("executions", {
            "exec_id": fill.exec_id, "number": execution.number,
            "client_order_id": fill.client_order_id, "symbol": fill.symbol,
            "side": fill.side.value, "quantity": plain(fill.quantity), "price": plain(fill.price),
            "fee": plain(fill.fee), "value": plain(fill.value), "currency": fill.currency,
            "at": written(fill.at), "settles": str(fill.settles),
            "told_at": written(execution.told_at), "told_connect": execution.told_connect,
        })  # fmt: skip

    def count(self, table: str) -> int:
        """Rows of the account in a table."""
        return int(self.rows(f"SELECT COUNT(*) FROM {table} WHERE account = ?")[0][0])

    def convert(self, legs: Iterable[Legs], at: datetime) -> None:
        """Write conversions as activities."""
        for leg in legs:
            cash = {leg.source: plain(-leg.cost), leg.currency: plain(leg.amount)}
            self.write("activities", {
                "activity_id": f"c{self.count('activities') + 1}", "kind": "CONVERSION",
                "at": written(at), "cash": json.dumps(cash), "symbol": "", "shares": "0",
            })  # fmt: skip

    def activities(self, since: datetime) -> list[Activity]:
        """From a time on, in their order."""
        query = "SELECT * FROM activities WHERE account = ? AND at >= ? ORDER BY at, activity_id"
        return [
            Activity(
                activity_id=row["activity_id"], kind=row["kind"],
                at=datetime.fromisoformat(row["at"]), symbol=row["symbol"],
                cash={c: Decimal(a) for c, a in json.loads(row["cash"]).items()},
                shares=Decimal(row["shares"]),
            )
            for row in self.rows(query, written(since))
        ]  # fmt: skip


def read(connection: sqlite3.Connection, account: str) -> Book | None:
    """An account of the file; None where it has none of that name."""
    row = connection.execute("SELECT * FROM account WHERE account = ?", (account,)).fetchone()
    if row is None:
        return None
    rates = connection.execute("SELECT currency, rate FROM rates WHERE account = ?", (account,))
    return Book(
        connection=connection, account=account, base=row["base_currency"], zone=row["zone"],
        as_of=date.fromisoformat(row["as_of"]), now=datetime.fromisoformat(row["now"]),
        fees=Fees(Decimal(row["fixed"]), Decimal(row["percent"]), Decimal(row["fx_percent"])),
        script=script_of(row["script"]), connects=row["connects"], requests=row["requests"],
        rates={each["currency"]: Decimal(each["rate"]) for each in rates},
    )  # fmt: skip


def create(connection: sqlite3.Connection, account: str, opening: Opening, script: Script) -> Book:
    """A new account."""
    now = session_from(opening.as_of, opening.zone).opens + BEGINS_AFTER
    fees = opening.fees
    book = Book(
        connection=connection, account=account, base=opening.base_currency, zone=opening.zone,
        as_of=opening.as_of, now=now, fees=fees, script=script, connects=0, requests=0,
    )  # fmt: skip
    book.write("account", {
        "base_currency": opening.base_currency, "zone": opening.zone, "as_of": str(opening.as_of),
        "now": written(now), "fixed": plain(fees.fixed), "percent": plain(fees.percent),
        "fx_percent": plain(fees.fx_percent), "script": script.text(), "connects": 0,
        "requests": 0,
    })  # fmt: skip
    put_market(book, opening.as_of, opening.prices, opening.rates)
    for symbol, quantity in sorted(opening.positions.items()):
        book.put_position(symbol, quantity)
    book.put_cash({opening.base_currency: ZERO, **dict(sorted(opening.cash.items()))})
    return book


def put_market(
    book: Book, as_of: date, prices: Mapping[str, PaperPrice], rates: Mapping[str, Decimal]
) -> None:
    """Write the prices and rates of a day; those that it does not name stay as they were."""
    for symbol, of in sorted(prices.items()):
        book.write("securities", {
            "symbol": symbol, "price": plain(of.price), "currency": of.currency,
            "multiplier": plain(of.multiplier), "lot_size": plain(of.lot_size),
        })  # fmt: skip
    book.rates = {**book.rates, **rates, book.base: Decimal(1)}
    for currency, rate in sorted(book.rates.items()):
        book.write("rates", {"currency": currency, "rate": plain(rate)})
    book.rows("UPDATE account SET as_of = ?2 WHERE account = ?1", str(as_of))


def _price(row: sqlite3.Row) -> PaperPrice:
    return PaperPrice(
        Decimal(row["price"]), row["currency"], Decimal(row["multiplier"]), Decimal(row["lot_size"])
    )


def _order(row: sqlite3.Row) -> PaperOrder:
    return PaperOrder(
        number=row["number"], client_order_id=row["client_order_id"], broker_id=row["broker_id"],
        symbol=row["symbol"], side=Side(row["side"]), quantity=Decimal(row["quantity"]),
        limit_price=Decimal(row["limit_price"]), currency=row["currency"],
        state=OrderStatus(row["state"]), created_at=datetime.fromisoformat(row["created_at"]),
        expires_at=datetime.fromisoformat(row["expires_at"]),
        seen_at=datetime.fromisoformat(row["seen_at"]), connect=row["connect"],
        filled_quantity=Decimal(row["filled_quantity"]), notional=Decimal(row["notional"]),
        value=Decimal(row["value"]), fee=Decimal(row["fee"]),
        cancels_at=datetime.fromisoformat(row["cancels_at"]) if row["cancels_at"] else None,
        reason=row["reason"],
    )  # fmt: skip


def _execution(row: sqlite3.Row) -> Execution:
    fill = BrokerFill(
        exec_id=row["exec_id"], client_order_id=row["client_order_id"], symbol=row["symbol"],
        side=Side(row["side"]), quantity=Decimal(row["quantity"]), price=Decimal(row["price"]),
        value=Decimal(row["value"]), fee=Decimal(row["fee"]), currency=row["currency"],
        at=datetime.fromisoformat(row["at"]).astimezone(UTC),
        settles=date.fromisoformat(row["settles"]),
    )  # fmt: skip
    told_at = datetime.fromisoformat(row["told_at"])
    return Execution(fill, row["number"], told_at, row["told_connect"])
