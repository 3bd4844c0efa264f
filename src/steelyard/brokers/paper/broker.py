"""The paper broker: a whole broker in one file, whose every call is one transaction.

A process that is killed in a call has made a request that was dropped, or whose answer was lost.
Time is simulated: only `wait` and `reprice` move it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from sqlite3 import Connection

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
    Reply,
    Session,
    Ticket,
    Unknown,
)
from steelyard.brokers.files import transaction
from steelyard.brokers.opening import Opening, PaperPrice, check_market, check_opening
from steelyard.brokers.paper.admission import admit
from steelyard.brokers.paper.book import Book, create, put_market, read
from steelyard.brokers.paper.desk import CENT
from steelyard.brokers.paper.matching import advance, look_again, take_back
from steelyard.brokers.paper.power import bound, spendable
from steelyard.brokers.paper.quotes import SMALL_TICK, TICK, touch
from steelyard.brokers.paper.script import Script
from steelyard.brokers.paper.sessions import (
    BEGINS_AFTER,
    session_at,
    session_for,
    sessions_between,
)
from steelyard.brokers.paper.tables import connect
from steelyard.errors import BrokerError
from steelyard.money import ZERO

TIMED_OUT = "the request timed out"


def open_paper(
    path: Path,
    account: str,
    opening: Opening | None = None,
    script: Script | None = None,
    pace: float = 0.0,
) -> PaperBroker:
    """Connect to an account of the file; one that is not there begins with `opening`.

    script   of a new account, by default late and partial fills; of one that is there: from now
             on, None = as it is
    pace     seconds that are really slept for each simulated one
    Raises BrokerError for an account that is not there where there is no opening.
    """
    broker = PaperBroker(path, account, connect(path), pace)
    broker.begin(opening, script)
    return broker


class PaperBroker:
    """An account of the paper broker."""

    name = "paper"

    def __init__(
        self,
        path: Path,
        account: str,
        connection: Connection,
        pace: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path, self._account, self._connection = path, account, connection
        self._pace, self._sleep = pace, sleep
        self._script = Script()

    def begin(self, opening: Opening | None, script: Script | None) -> None:
        """Find the account or open it, and count the connect."""
        with transaction(self._connection, self._path):
            book = read(self._connection, self._account)
            if book is None:
                book = self._create(opening, script)
            book.script = script or book.script
            book.connects += 1
            book.save()
        self._script = book.script

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @property
    def capabilities(self) -> Capabilities:
        """As the script lets it."""
        script = self._script
        return Capabilities(
            simulated=True, dedups_client_id=script.dedups, dedup_window=None,
            lookup_by_client_id=True, lists_all_orders=True, replays_executions=True,
            visibility_delay_s=script.visible_after_s,
            terminal_is_final=not (script.cancelled_that_filled or script.expired_that_fills),
            fractional="qty", errors_in_2xx=script.errors_in_success > 0, reauth_every=None,
            serves="orders",
        )  # fmt: skip

    def account(self) -> BrokerAccount:
        """Positions, cash and open orders, of one transaction."""
        with self._book() as book:
            positions = tuple(
                Position(symbol, quantity, quantity - bound(book, symbol))
                for symbol, quantity in book.positions().items()
            )
            orders = (order for order in book.open_orders() if order.seen_at <= book.now)
            return BrokerAccount(
                account_id=self._account, mode="paper", at=book.now, base_currency=book.base,
                positions=positions, cash=_balances(book),
                open_orders=tuple(order.shown() for order in orders),
            )  # fmt: skip

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """About the prices that the account lives at."""
        with self._book() as book:
            prices, now, script = book.securities(), book.now, book.script
        return {
            symbol: _quote(symbol, prices[symbol], script, now)
            for symbol in symbols
            if symbol in prices
        }

    def assets(self, symbols: Sequence[str]) -> Mapping[str, Asset]:
        """Everything that has a price may be traded."""
        with self._book() as book:
            prices = book.securities()
        return {s: _asset(s, prices[s]) for s in symbols if s in prices}

    def clock(self) -> MarketClock:
        """Simulated time."""
        with self._book() as book:
            return MarketClock(book.now, session_at(book.now, book.zone) is not None)

    def calendar(self, first: date, last: date) -> Sequence[Session]:
        """Weekdays; there are no holidays here."""
        with self._book() as book:
            return tuple(sessions_between(first, last, book.zone))

    def submit(self, ticket: Ticket) -> Reply:
        """Send an order once."""
        try:
            with self._book() as book:
                book.requests += 1
                if self._befalls(book, book.script.dropped, "dropped"):
                    return Unknown(TIMED_OUT)
                reply = admit(book, ticket)
                advance(book, book.now)
                if isinstance(reply, Accepted):
                    copies = book.orders("client_order_id = ?", ticket.client_order_id)
                    reply = Accepted(copies[-1].shown())
                if self._befalls(book, book.script.lost_answers, "lost"):
                    return Unknown(TIMED_OUT)
        except BrokerError as error:
            return Unknown(str(error))
        return reply

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """An order by our id."""
        with self._book() as book:
            for order in book.orders("client_order_id = ?", client_order_id):
                if order.seen_at <= book.now:
                    return order.shown()
        return None

    def cancel(self, client_order_id: str) -> None:
        """Ask for a cancel; of an order that is over that is no error.

        Raises BrokerError where there is no such order, or no answer came.
        """
        with self._book() as book:
            book.requests += 1
            dropped = self._befalls(book, book.script.dropped, "dropped")
            lost = self._befalls(book, book.script.lost_answers, "lost")
            orders = book.orders("client_order_id = ?", client_order_id)
            for order in () if dropped else orders:
                take_back(book, order)
            advance(book, book.now)
        if dropped or lost:
            raise BrokerError(
                f"The cancel of {client_order_id} was not answered: {TIMED_OUT}.", code="no_answer"
            )
        if not orders:
            raise BrokerError(f"The paper broker has no order {client_order_id}.", code="no_order")

    def orders(self, since: datetime) -> Sequence[BrokerOrder]:
        """All that can be seen."""
        with self._book() as book:
            orders = book.orders()
            return tuple(
                order.shown()
                for order in orders
                if order.created_at >= since and order.seen_at <= book.now
            )

    def fills(self, since: datetime) -> Sequence[BrokerFill]:
        """Those that are told of by now, as the script shuffles and doubles them."""
        with self._book() as book:
            script = book.script
            fills = [
                each.fill
                for each in book.executions()
                if each.fill.at >= since
                and each.told_at <= book.now
                and each.told_connect <= book.connects
            ]
        if script.instant:
            return tuple(fills)
        twice = [f for f in fills if script.happens(script.told_twice, "twice", f.exec_id)]
        return tuple(sorted((*fills, *twice), key=lambda f: script.chance("shuffle", f.exec_id)))

    def activities(self, since: datetime) -> Sequence[Activity]:
        """Conversions."""
        with self._book() as book:
            return tuple(book.activities(since))

    def wait(self, seconds: float) -> None:
        """Let simulated time pass."""
        if self._pace and seconds > 0:
            self._sleep(seconds * self._pace)
        with self._book() as book:
            advance(book, book.now + timedelta(seconds=max(seconds, 0.0)))

    def reprice(
        self, as_of: date, prices: Mapping[str, PaperPrice], rates: Mapping[str, Decimal]
    ) -> None:
        """Move on to a later day: its session begins, orders of the one before expire.

        On the day where the account is, its clock goes on; after its close the next day begins.
        Raises BrokerError for an earlier day.
        """
        with self._book() as book:
            check_market(prices, {**book.rates, **rates})
            if as_of < book.as_of:
                raise BrokerError(
                    f"The paper account {self._account} lives on {book.as_of}: it cannot go back "
                    f"to {as_of}. Nothing was changed.",
                    code="paper_earlier", place=self._account, value=as_of, limit=book.as_of,
                    hint="plan with newer prices, or begin another account",
                )  # fmt: skip
            session = session_for(as_of, book.now, book.zone)
            if book.now < session.opens:
                advance(book, session.opens + BEGINS_AFTER)
            put_market(book, as_of, prices, rates)
            look_again(book)

    @contextmanager
    def _book(self) -> Iterator[Book]:
        """The account within a transaction; what is changed is saved with it."""
        with transaction(self._connection, self._path):
            book = read(self._connection, self._account)
            if book is None:
                raise self._not_there()
            before = book.counters()
            yield book
            if book.counters() != before:  # a question writes nothing, so it costs no sync
                book.save()

    def _create(self, opening: Opening | None, script: Script | None) -> Book:
        if opening is None:
            raise self._not_there()
        check_opening(opening)
        return create(self._connection, self._account, opening, script or Script())

    def _not_there(self) -> BrokerError:
        return BrokerError(
            f"The paper broker has no account {self._account!r} in {self._path}.",
            code="no_paper_account", place=self._account, hint="execute a plan on it first",
        )  # fmt: skip

    @staticmethod
    def _befalls(book: Book, odds: float, what: str) -> bool:
        return book.script.happens(odds, what, book.account, book.requests)


def _balances(book: Book) -> tuple[CashBalance, ...]:
    free, unsettled = spendable(book), book.arriving("settles_at")
    return tuple(
        CashBalance(
            currency,
            amount,
            min(amount, max(amount - unsettled.get(currency, ZERO), ZERO)),
            free[currency],
        )
        for currency, amount in book.cash().items()
    )


def _quote(symbol: str, of: PaperPrice, script: Script, now: datetime) -> Quote:
    best = touch(script, symbol, of.price, now)
    return Quote(
        symbol=symbol, currency=of.currency, bid=best.bid, ask=best.ask, at=now, reference=of.price
    )


def _asset(symbol: str, of: PaperPrice) -> Asset:
    return Asset(
        symbol=symbol, currency=of.currency, tradable=True, lot_size=of.lot_size, tick=TICK,
        small_tick=SMALL_TICK, least_notional=CENT,
    )  # fmt: skip
