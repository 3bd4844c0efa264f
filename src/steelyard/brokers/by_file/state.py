"""What the file broker keeps: one SQLite file, a snapshot, orders and fills of each account."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from steelyard.brokers.broker import BrokerFill, BrokerOrder
from steelyard.brokers.files import connection_to, transaction
from steelyard.brokers.opening import Opening, PaperPrice
from steelyard.canonical import plain
from steelyard.money import ZERO
from steelyard.orders import TERMINAL, OrderStatus, Side

SCHEMA = """
CREATE TABLE IF NOT EXISTS snapshot (account TEXT, number INT, as_of TEXT NOT NULL,
  base_currency TEXT NOT NULL, positions TEXT NOT NULL, cash TEXT NOT NULL, prices TEXT NOT NULL,
  deposits TEXT NOT NULL, PRIMARY KEY (account, number)) STRICT;
CREATE TABLE IF NOT EXISTS orders (account TEXT, client_order_id TEXT, number INT NOT NULL,
  symbol TEXT NOT NULL, side TEXT NOT NULL, quantity TEXT NOT NULL, limit_price TEXT NOT NULL,
  state TEXT NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (account, client_order_id)) STRICT;
CREATE TABLE IF NOT EXISTS executions (account TEXT, exec_id TEXT, snapshot INT NOT NULL,
  client_order_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL, quantity TEXT NOT NULL,
  price TEXT NOT NULL, value TEXT NOT NULL, fee TEXT NOT NULL, currency TEXT NOT NULL,
  at TEXT NOT NULL, PRIMARY KEY (account, exec_id)) STRICT;
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the file, which is made where it is not there."""
    return connection_to(path, SCHEMA)


@dataclass(frozen=True, slots=True)
class State:
    """An account while a transaction is open."""

    connection: sqlite3.Connection
    account: str

    @classmethod
    @contextmanager
    def within(cls, connection: sqlite3.Connection, path: Path, account: str) -> Iterator[State]:
        """A transaction."""
        with transaction(connection, path):
            yield cls(connection, account)

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Of this account: the query's first value."""
        return self.connection.execute(query, (self.account, *values)).fetchall()

    def there(self) -> bool:
        """Is there such an account?"""
        return bool(self.rows("SELECT 1 FROM snapshot WHERE account = ?"))

    def begun(self, opening: Opening) -> bool:
        """Did the account begin with just this before? An old plan that is asked for again has
        what was true then.
        """
        query = (
            "SELECT 1 FROM snapshot WHERE account = ? AND (as_of, base_currency, positions, cash,"
            " prices) = (?, ?, ?, ?, ?)"
        )
        return bool(self.rows(query, *_snapshot_of(opening)))

    def open(self, opening: Opening, deposits: Mapping[str, Decimal]) -> None:
        """Begin with a snapshot, or begin again; `deposits` are a part of its cash.

        Of a deposit only that is new which the account did not have before.
        """
        before = self.holdings()[1] if self.there() else {}
        more = {name: opening.cash[name] - before.get(name, ZERO) for name in deposits}
        new = {name: min(amount, more[name]) for name, amount in deposits.items() if more[name] > 0}
        self.rows(
            "INSERT INTO snapshot VALUES (?1, (SELECT COUNT(*) FROM snapshot WHERE account = ?1),"
            " ?2, ?3, ?4, ?5, ?6, ?7)",
            *_snapshot_of(opening),
            _amounts(new),
        )

    def deposits(self) -> list[tuple[int, date, dict[str, Decimal]]]:
        """(number, day, currency -> amount) of snapshots that began with new money."""
        query = "SELECT number, as_of, deposits FROM snapshot WHERE account = ? ORDER BY number"
        rows = [(row[0], date.fromisoformat(row[1]), _decimals(row[2])) for row in self.rows(query)]
        return [row for row in rows if row[2]]

    def base(self) -> str:
        """Its base currency."""
        return str(self._snapshot()["base_currency"])

    def prices(self) -> dict[str, PaperPrice]:
        """Of the snapshot."""
        return {
            symbol: PaperPrice(Decimal(price), currency, Decimal(multiplier), Decimal(lot))
            for symbol, (price, currency, multiplier, lot) in json.loads(
                self._snapshot()["prices"]
            ).items()
        }

    def holdings(self) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
        """Shares and cash: the snapshot's, and what its fills did to them."""
        snapshot = self._snapshot()
        shares = _decimals(snapshot["positions"])
        cash = _decimals(snapshot["cash"])
        for fill in self.fills(snapshot["number"]):
            sign = 1 if fill.side is Side.BUY else -1
            shares[fill.symbol] = shares.get(fill.symbol, ZERO) + sign * fill.quantity
            paid = sign * fill.value + fill.fee
            cash[fill.currency] = cash.get(fill.currency, ZERO) - paid
        return dict(sorted(shares.items())), dict(sorted(cash.items()))

    def _snapshot(self) -> sqlite3.Row:
        query = "SELECT * FROM snapshot WHERE account = ? ORDER BY number DESC LIMIT 1"
        return self.rows(query)[0]

    def orders(self) -> list[BrokerOrder]:
        """In their order, with what is filled of them."""
        sums: dict[str, list[Decimal]] = {}
        for fill in self.fills():
            total = sums.setdefault(fill.client_order_id, [ZERO, ZERO])
            total[0] += fill.quantity
            total[1] += fill.quantity * fill.price
        query = "SELECT * FROM orders WHERE account = ? ORDER BY number"
        return [
            _order(row, *sums.get(row["client_order_id"], (ZERO, ZERO))) for row in self.rows(query)
        ]

    def order(self, client_order_id: str) -> BrokerOrder | None:
        """One, by our id."""
        for order in self.orders():
            if order.client_order_id == client_order_id:
                return order
        return None

    def put(self, order: BrokerOrder, state: OrderStatus = OrderStatus.WORKING) -> None:
        """Write an order, or its new state."""
        self.rows(
            "INSERT INTO orders VALUES (?1, ?2, (SELECT COUNT(*) FROM orders WHERE account = ?1),"
            " ?3, ?4, ?5, ?6, ?7, ?8)"
            " ON CONFLICT (account, client_order_id) DO UPDATE SET state = excluded.state",
            order.client_order_id, order.symbol, order.side.value, plain(order.quantity),
            plain(order.limit_price or ZERO), state.value,
            order.created_at.isoformat() if order.created_at else "",
        )  # fmt: skip

    def fills(self, snapshot: int = 0) -> list[BrokerFill]:
        """Handed in since a snapshot, by default all."""
        query = "SELECT * FROM executions WHERE account = ? AND snapshot >= ? ORDER BY at, exec_id"
        return [_fill(row) for row in self.rows(query, snapshot)]

    def book(self, fill: BrokerFill) -> None:
        """Write a fill."""
        self.rows(
            "INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            fill.exec_id, self._snapshot()["number"], fill.client_order_id, fill.symbol,
            fill.side.value, plain(fill.quantity), plain(fill.price), plain(fill.value),
            plain(fill.fee), fill.currency, fill.at.isoformat(),
        )  # fmt: skip


def _snapshot_of(opening: Opening) -> tuple[str, str, str, str, str]:
    prices = {
        symbol: [plain(of.price), of.currency, plain(of.multiplier), plain(of.lot_size)]
        for symbol, of in opening.prices.items()
    }
    cash = {opening.base_currency: ZERO, **opening.cash}
    return (
        str(opening.as_of), opening.base_currency, _amounts(opening.positions), _amounts(cash),
        json.dumps(prices, sort_keys=True),
    )  # fmt: skip


def _amounts(amounts: Mapping[str, Decimal]) -> str:
    return json.dumps({name: plain(amount) for name, amount in sorted(amounts.items())})


def _decimals(text: str) -> dict[str, Decimal]:
    return {key: Decimal(amount) for key, amount in json.loads(text).items()}


def _order(row: sqlite3.Row, filled: Decimal, notional: Decimal) -> BrokerOrder:
    quantity, state = Decimal(row["quantity"]), OrderStatus(row["state"])
    if filled == quantity:
        state = OrderStatus.FILLED
    elif filled and state not in TERMINAL:
        state = OrderStatus.PARTLY_FILLED
    return BrokerOrder(
        client_order_id=row["client_order_id"], broker_id=row["client_order_id"],
        symbol=row["symbol"], side=Side(row["side"]), quantity=quantity,
        limit_price=Decimal(row["limit_price"]), status=state, filled_quantity=filled,
        average_price=notional / filled if filled else None,
        created_at=datetime.fromisoformat(row["created_at"]),
    )  # fmt: skip


def _fill(row: sqlite3.Row) -> BrokerFill:
    return BrokerFill(
        exec_id=row["exec_id"], client_order_id=row["client_order_id"], symbol=row["symbol"],
        side=Side(row["side"]), quantity=Decimal(row["quantity"]), price=Decimal(row["price"]),
        value=Decimal(row["value"]), fee=Decimal(row["fee"]), currency=row["currency"],
        at=datetime.fromisoformat(row["at"]),
    )  # fmt: skip
