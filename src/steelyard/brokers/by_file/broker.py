"""The broker that is a person: orders are written down, and fills are handed in later.

Its account is the plan's snapshot and what was handed in since. No order leaves this machine, and
an order ends only when it is filled or taken back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from steelyard.brokers.broker import (
    Accepted,
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
    Rejected,
    Reply,
    Session,
    Ticket,
)
from steelyard.brokers.by_file.intake import Desk, FileFill, Intake, take
from steelyard.brokers.by_file.state import State, connect
from steelyard.brokers.opening import Opening, check_opening
from steelyard.errors import BrokerError
from steelyard.money import ZERO, no_number
from steelyard.orders import OrderStatus, Side

CAPABILITIES = Capabilities(
    simulated=True, dedups_client_id=True, dedup_window=None, lookup_by_client_id=True,
    lists_all_orders=True, replays_executions=True, visibility_delay_s=0.0,
    terminal_is_final=False, fractional="qty", errors_in_2xx=False, reauth_every=None,
    serves="file",
)  # fmt: skip
NOTHING: Mapping[str, Decimal] = MappingProxyType({})
DAY = timedelta(days=1)


def open_file(
    path: Path,
    account: str,
    opening: Opening | None,
    now: Callable[[], datetime],
    deposits: Mapping[str, Decimal] = NOTHING,
) -> FileBroker:
    """The orders file of an account; one that is not there begins with `opening`.

    now        the time, with its offset
    deposits   currency -> money that a new opening has and the account had not
    Raises BrokerError for an account that is not there where there is no opening.
    """
    broker = FileBroker(path, account, connect(path), now)
    broker.begin(opening, deposits)
    return broker


class FileBroker:
    """An account whose trades a person places."""

    name = "file"
    capabilities = CAPABILITIES

    def __init__(
        self, path: Path, account: str, connection: sqlite3.Connection,
        now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._path, self._account, self._connection, self._now = path, account, connection, now

    def begin(self, opening: Opening | None, deposits: Mapping[str, Decimal] = NOTHING) -> None:
        """Find the account or open it; a snapshot that is new to it begins it again.

        A later plan's snapshot has every fill so far in it. While orders are open it is left
        alone: what they fill would be counted twice.
        """
        with self._state(new=True) as state:
            if opening is None:
                if not state.there():
                    raise BrokerError(
                        f"No orders of account {self._account!r} were written to {self._path}.",
                        code="no_file_account", place=self._account, hint="execute a plan first",
                    )  # fmt: skip
                return
            check_opening(opening)
            waits = state.there() and any(not order.over for order in state.orders())
            if not waits and not state.begun(opening):
                state.open(opening, deposits)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def account(self) -> BrokerAccount:
        """The snapshot and the fills since; spendable is what open buys leave."""
        with self._state() as state:
            orders = tuple(order for order in state.orders() if not order.over)
            shares, cash = state.holdings()
            currencies = {symbol: of.currency for symbol, of in state.prices().items()}
            base = state.base()
        bound: dict[tuple[Side, str], Decimal] = {}
        for order in orders:
            rest = order.quantity - order.filled_quantity
            key = order.symbol if order.side is Side.SELL else currencies[order.symbol]
            amount = rest if order.side is Side.SELL else rest * (order.limit_price or ZERO)
            bound[order.side, key] = bound.get((order.side, key), ZERO) + amount
        return BrokerAccount(
            account_id=self._account, mode="paper", at=self._now(), base_currency=base,
            positions=tuple(
                Position(s, n, n - bound.get((Side.SELL, s), ZERO)) for s, n in shares.items() if n
            ),
            cash=tuple(
                CashBalance(c, n, n, max(n - bound.get((Side.BUY, c), ZERO), ZERO))
                for c, n in cash.items()
            ),
            open_orders=orders,
        )  # fmt: skip

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """The prices of the plan, as bid and ask: nobody else is asked."""
        with self._state() as state:
            prices, now = state.prices(), self._now()
        return {
            s: Quote(
                symbol=s, currency=prices[s].currency, bid=prices[s].price, ask=prices[s].price,
                at=now, reference=prices[s].price,
            )
            for s in symbols
            if s in prices
        }  # fmt: skip

    def assets(self, symbols: Sequence[str]) -> Mapping[str, Asset]:
        """Everything that has a price; its ticks are the broker's business."""
        with self._state() as state:
            prices = state.prices()
        return {
            s: Asset(
                symbol=s, currency=prices[s].currency, tradable=True, lot_size=prices[s].lot_size
            )
            for s in symbols
            if s in prices
        }

    def clock(self) -> MarketClock:
        """Always open: when to place an order is for the person to say."""
        now = self._now()
        return MarketClock(now, is_open=True, local=now)

    def calendar(self, first: date, last: date) -> Sequence[Session]:
        """Every day, for two days each, so that no order is late on its own."""
        days = (first + n * DAY for n in range((last - first).days + 1))
        midnight = time(0, tzinfo=UTC)
        starts = ((day, datetime.combine(day, midnight)) for day in days)
        return tuple(Session(day, opens, opens + 2 * DAY) for day, opens in starts)

    def submit(self, ticket: Ticket) -> Reply:
        """Write an order down."""
        with self._state() as state:
            copy = state.order(ticket.client_order_id)
            if copy is not None:
                terms = (copy.symbol, copy.side, copy.quantity, copy.limit_price)
                if terms == (ticket.symbol, ticket.side, ticket.quantity, ticket.limit_price):
                    return Accepted(copy)
                return Rejected("DUPLICATE", "an order of this id and other terms is written")
            refusal = _refusal(state, ticket)
            if refusal is not None:
                return refusal
            order = BrokerOrder(
                client_order_id=ticket.client_order_id, broker_id=ticket.client_order_id,
                symbol=ticket.symbol, side=ticket.side, quantity=ticket.quantity,
                limit_price=ticket.limit_price, status=OrderStatus.WORKING, filled_quantity=ZERO,
                created_at=self._now(),
            )  # fmt: skip
            state.put(order)
            return Accepted(order)

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """An order by our id."""
        with self._state() as state:
            return state.order(client_order_id)

    def cancel(self, client_order_id: str) -> None:
        """Take an order back; a fill that is handed in later is booked all the same."""
        with self._state() as state:
            order = state.order(client_order_id)
            if order is None:
                raise BrokerError(f"No order {client_order_id} was written.", code="no_order")
            if not order.over:
                state.put(order, OrderStatus.CANCELLED)

    def orders(self, since: datetime) -> Sequence[BrokerOrder]:
        """Every order since."""
        with self._state() as state:
            return tuple(o for o in state.orders() if o.created_at and o.created_at >= since)

    def fills(self, since: datetime) -> Sequence[BrokerFill]:
        """What was handed in; a file knows the day of a fill, so a day more is looked at."""
        with self._state() as state:
            return tuple(fill for fill in state.fills() if fill.at.date() >= since.date())

    def activities(self, since: datetime) -> Sequence[Activity]:  # noqa: ARG002 - of the contract
        """Money that a plan counted on: no other is told here, and each has an id."""
        with self._state() as state:
            return tuple(
                Activity(
                    activity_id=f"deposit-{number}", kind="DEPOSIT", cash=cash,
                    at=datetime.combine(day, time(0, tzinfo=UTC)),
                )
                for number, day, cash in state.deposits()
            )  # fmt: skip

    def wait(self, seconds: float) -> None:
        """Nothing happens by itself here, so nobody has to wait."""

    def take(self, rows: Iterable[FileFill]) -> Intake:
        """Book rows of a file of fills, all of them or none; see `intake.take`."""
        with self._state() as state:
            orders = state.orders()
            desk = Desk(
                orders,
                {s: (of.currency, of.multiplier) for s, of in state.prices().items()},
                {fill.exec_id: fill for fill in state.fills()},
                {o.client_order_id: o.quantity - o.filled_quantity for o in orders},
            )
            intake = take(desk, rows)
            for fill in intake.booked:
                state.book(fill)
        return intake

    @contextmanager
    def _state(self, *, new: bool = False) -> Iterator[State]:
        """The account within a transaction."""
        with State.within(self._connection, self._path, self._account) as state:
            if not new and not state.there():
                raise BrokerError(
                    f"The account {self._account!r} is no longer in {self._path}.",
                    code="no_file_account",
                )
            yield state


def _refusal(state: State, ticket: Ticket) -> Rejected | None:
    price = state.prices().get(ticket.symbol)
    if price is None or price.currency != ticket.currency:
        return Rejected("NOT_TRADABLE", f"{ticket.symbol} has no price in {ticket.currency}")
    if any(no_number(f, positive=True) for f in (ticket.quantity, ticket.limit_price)):
        return Rejected("QUANTITY", "quantity and limit price must be above 0")
    return None
