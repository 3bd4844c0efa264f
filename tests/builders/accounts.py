"""Accounts at a broker, in short: executions, orders, activities, and a broker that reads a script.

The reader answers with what the script has at that reading, an exception instead of an answer too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from steelyard.brokers.broker import (
    Activity,
    Asset,
    BrokerAccount,
    BrokerFill,
    BrokerOrder,
    Capabilities,
    CashBalance,
    MarketClock,
    Position,
    Quote,
    Session,
    Ticket,
)
from steelyard.execution.ids import client_order_id
from steelyard.execution.journal.chain import key_of
from steelyard.execution.journal.journal import Connection, Journal, Moment
from steelyard.execution.journal.opening import connect
from steelyard.execution.reconcile import Opening, Ours, Theirs
from steelyard.orders import OrderStatus, Side

START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
ACCOUNT = "U1"
BUY, SELL = Side.BUY, Side.SELL


def d(number: object) -> Decimal:
    return Decimal(str(number))


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def order_id(step: int = 1, attempt: int = 1, run: str = "r-1") -> str:
    return client_order_id(run, step, attempt)


def fill(
    exec_id: str,
    symbol: str,
    side: Side,
    quantity: object,
    price: object = 100,
    *,
    order: str = order_id(),
    fee: object = 0,
    minutes: float = 1,
    currency: str = "USD",
) -> BrokerFill:
    return BrokerFill(
        exec_id=exec_id,
        client_order_id=order,
        symbol=symbol,
        side=side,
        quantity=d(quantity),
        price=d(price),
        value=d(quantity) * d(price),
        fee=d(fee),
        currency=currency,
        at=at(minutes),
    )


def order_of(*fills: BrokerFill, filled: object = None, average: object = None) -> BrokerOrder:
    """The broker's order of these executions; it sums them up itself unless told how."""
    quantity = sum((each.quantity for each in fills), d(0)) if filled is None else d(filled)
    value = sum((each.value for each in fills), d(0))
    price = value / quantity if average is None and quantity else average
    return BrokerOrder(
        client_order_id=fills[0].client_order_id,
        broker_id="b",
        symbol=fills[0].symbol,
        side=fills[0].side,
        quantity=quantity,
        limit_price=fills[0].price,
        status=OrderStatus.FILLED,
        filled_quantity=quantity,
        average_price=None if price is None else d(price),
    )


def activity(
    name: str, kind: str, cash: Mapping[str, object], symbol: str = "", shares: object = 0
) -> Activity:
    money = {currency: d(amount) for currency, amount in cash.items()}
    return Activity(
        activity_id=name, kind=kind, at=at(-60), cash=money, symbol=symbol, shares=d(shares)
    )


def account(
    positions: Mapping[str, object], cash: Mapping[str, object], *, minutes: float = 9
) -> BrokerAccount:
    return BrokerAccount(
        account_id=ACCOUNT,
        mode="paper",
        at=at(minutes),
        base_currency="USD",
        positions=tuple(Position(name, d(n), d(n)) for name, n in positions.items()),
        cash=tuple(CashBalance(name, d(n), d(n), d(n)) for name, n in cash.items()),
        open_orders=(),
    )


def opening(positions: Mapping[str, object], cash: Mapping[str, object]) -> Opening:
    return Opening(
        at=START,
        positions={name: d(n) for name, n in positions.items()},
        cash={name: d(n) for name, n in cash.items()},
    )


def ours(
    start: Opening,
    *fills: BrokerFill,
    books: Mapping[str, Mapping[str, Decimal]] | None = None,
    orders: Sequence[str] = (),
) -> Ours:
    names = frozenset({each.client_order_id for each in fills} | set(orders))
    return Ours(account=ACCOUNT, opening=start, orders=names, fills=fills, books=books)


def theirs(
    holder: BrokerAccount,
    *fills: BrokerFill,
    orders: Sequence[BrokerOrder] | None = None,
    activities: Sequence[Activity] = (),
    whole: Sequence[str] = (),
) -> Theirs:
    """What a broker says; its orders sum its executions up unless they are given."""
    by_order: dict[str, list[BrokerFill]] = {}
    for each in {row.exec_id: row for row in fills}.values():
        by_order.setdefault(each.client_order_id, []).append(each)
    summed = [order_of(*parts) for parts in by_order.values()]
    return Theirs(
        account=holder,
        orders=tuple(summed if orders is None else orders),
        fills=fills,
        activities=tuple(activities),
        whole=frozenset(whole),
    )


READS = Capabilities(
    simulated=True,
    dedups_client_id=True,
    dedup_window=None,
    lookup_by_client_id=True,
    lists_all_orders=True,
    replays_executions=True,
    visibility_delay_s=0,
    terminal_is_final=True,
    fractional="qty",
    errors_in_2xx=False,
    reauth_every=None,
    serves="read",
)


@dataclass
class Script:
    """A broker that is only read: each reading takes the next answer, the last one stays.

    waited   seconds that were let pass
    """

    answers: list[Theirs | Exception]
    prices: Mapping[str, Quote] = field(default_factory=dict)
    lots: Mapping[str, Decimal] = field(default_factory=dict)
    capabilities: Capabilities = READS
    waited: list[float] = field(default_factory=list)
    name: str = "script"
    asked: int = -1
    described: list[str] = field(default_factory=list)

    @property
    def now(self) -> Theirs:
        answer = self.answers[min(max(self.asked, 0), len(self.answers) - 1)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def account(self) -> BrokerAccount:
        self.asked += 1
        return self.now.account

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        return {name: self.prices[name] for name in symbols if name in self.prices}

    def assets(self, symbols: Sequence[str]) -> Mapping[str, Asset]:
        self.described += symbols
        return {
            name: Asset(symbol=name, currency="USD", tradable=True, lot_size=self.lots[name])
            for name in symbols
            if name in self.lots
        }

    def clock(self) -> MarketClock:
        return MarketClock(self.now.account.at, True)

    def calendar(self, first: date, last: date) -> Sequence[Session]:
        return []

    def submit(self, ticket: Ticket) -> None:
        raise AssertionError(f"an order was sent: {ticket}")

    def find(self, client_order_id: str) -> BrokerOrder | None:
        return None

    def cancel(self, client_order_id: str) -> None:
        raise AssertionError(f"a cancel was sent: {client_order_id}")

    def orders(self, since: datetime) -> Sequence[BrokerOrder]:
        return self.now.orders

    def fills(self, since: datetime) -> Sequence[BrokerFill]:
        return [each for each in self.now.fills if each.at >= since]

    def activities(self, since: datetime) -> Sequence[Activity]:
        return [each for each in self.now.activities if each.at >= since]

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


def quote(symbol: str, bid: object, ask: object, currency: str = "USD") -> Quote:
    return Quote(symbol=symbol, currency=currency, bid=d(bid), ask=d(ask), at=START)


def journal(folder: Path, start: datetime = START) -> Journal:
    """A journal of its own on a clock that goes a second with each look."""
    ticks = iter(range(10**9))

    def now() -> Moment:
        n = next(ticks)
        return Moment(start + timedelta(seconds=n), n, "boot")

    def opened() -> Connection:
        # what a power cut leaves is no question of these tests
        connection = connect(folder / "journal.db")
        connection.execute("PRAGMA synchronous=OFF")
        return connection

    return Journal(opened, key_of(folder), now=now)


def rebuilt(store: Journal, name: str) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """(symbol -> shares, currency -> money) by nothing but the events of the chain."""
    stock: dict[str, Decimal] = {}
    cash: dict[str, Decimal] = {}

    def add(to: dict[str, Decimal], amounts: Mapping[str, Decimal]) -> None:
        for key, amount in amounts.items():
            to[key] = to.get(key, d(0)) + amount

    for _, event in store.events():
        data = event.data
        if data.get("account") != name:
            continue
        if event.event_type == "AccountOpened":
            add(stock, {key: d(text) for key, text in data["positions"].items()})
            add(cash, {key: d(text) for key, text in data["cash"].items()})
        elif event.event_type == "FillBooked":
            sign = 1 if data["side"] == "buy" else -1
            add(stock, {data["symbol"]: sign * d(data["quantity"])})
            add(cash, {data["currency"]: -sign * d(data["value"]) - d(data["fee"])})
        elif event.event_type == "ActivityBooked":
            if data["symbol"]:
                add(stock, {data["symbol"]: d(data["shares"])})
            add(cash, {key: d(text) for key, text in data["cash"].items()})
    return {key: units for key, units in stock.items() if units}, cash
