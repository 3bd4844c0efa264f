"""Alpaca: paper by default, an order sent once, and what is not known said to be unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import quote as quoted

from steelyard.brokers.alpaca.access import access
from steelyard.brokers.alpaca.reading import (
    REPLACED,
    activity_of,
    asset_of,
    blocked,
    cash_of,
    fill_of,
    moment_of,
    nonsense,
    order_of,
    position_of,
    quote_of,
    session_of,
)
from steelyard.brokers.alpaca.refusals import NOT_FOUND, over, refusal, repeated
from steelyard.brokers.alpaca.web import Answer, Web
from steelyard.brokers.broker import (
    Accepted,
    Activity,
    Asset,
    BrokerAccount,
    BrokerFill,
    BrokerOrder,
    Capabilities,
    MarketClock,
    Mode,
    Quote,
    Rejected,
    Reply,
    Session,
    Ticket,
    Unknown,
)
from steelyard.canonical import plain
from steelyard.errors import BrokerError
from steelyard.money import ZERO
from steelyard.orders import Side

CAPABILITIES = Capabilities(
    simulated=False, dedups_client_id=True, dedup_window=None, lookup_by_client_id=True,
    lists_all_orders=True, replays_executions=True, visibility_delay_s=10.0,
    terminal_is_final=True, fractional="qty", errors_in_2xx=False, reauth_every=None,
    serves="orders",
)  # fmt: skip
PAGE, ACTIVITY_PAGE, SYMBOLS = 500, 100, 100
MOST_PAGES = 1000
RE_READS = 5
MOST_REPLACEMENTS = 20
HISTORY = timedelta(days=45)
"""Of calendar days: twenty sessions and some."""
LONGEST_GAP = 5
"""Days, weekends and holidays together, in which there may be no session."""
MICROSECOND = timedelta(microseconds=1)


def open_alpaca(environment: Mapping[str, str], mode: Mode = "paper") -> AlpacaBroker:
    """From the variables; raises SettingsError before any connection where they do not fit."""
    to = access(environment, mode)
    return AlpacaBroker(Web(to), to.mode, lambda: datetime.now(UTC))


class AlpacaBroker:
    """An account at Alpaca."""

    name = "alpaca"
    capabilities = CAPABILITIES

    def __init__(self, web: Web, mode: Mode, now: Callable[[], datetime]) -> None:
        self._web, self._mode, self._now = web, mode, now
        self._assets: dict[str, Asset] = {}
        self._client_ids: dict[str, str] = {}
        self._days: dict[str, tuple[date, Sequence[Any]]] = {}

    def close(self) -> None:
        """Hang up."""
        self._web.close()

    def account(self) -> BrokerAccount:
        """Positions, orders, account, and orders again until they are the same."""
        before = self._open()
        for _ in range(RE_READS):
            positions = self._list("/v2/positions")
            row = self._one("/v2/account")
            after = self._open()
            if after == before:
                return self._account(row, positions, after)
            before = after
        raise BrokerError(
            f"The orders of the account changed in each of {RE_READS} readings: what it holds "
            "cannot be said.",
            code="unsteady", hint="stop whoever else trades it",
        )  # fmt: skip

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Latest quotes, with close and volume of finished days."""
        quotes: dict[str, Quote] = {}
        for some in _batches(symbols):
            params = {"symbols": ",".join(some), "feed": "iex"}
            answer = self._web.ask("/v2/stocks/quotes/latest", params, where="data")
            rows = _within(_good(answer, "quotes"), "quotes")
            days = self._daily(some)
            for symbol in some:
                quote = quote_of(symbol, rows.get(symbol), days.get(symbol, ()))
                if quote is not None:
                    quotes[symbol] = quote
        return quotes

    def assets(self, symbols: Sequence[str]) -> Mapping[str, Asset]:
        """Asked for once each."""
        for symbol in symbols:
            if symbol not in self._assets:
                answer = self._web.ask(f"/v2/assets/{quoted(symbol, safe='')}")
                if answer.status != NOT_FOUND:
                    asset = asset_of(_good(answer, "an asset"))
                    if asset.symbol == symbol:
                        self._assets[symbol] = asset
        return {symbol: self._assets[symbol] for symbol in symbols if symbol in self._assets}

    def clock(self) -> MarketClock:
        """The broker's time, beside ours at the same moment."""
        row = self._one("/v2/clock")
        if not isinstance(row.get("is_open"), bool):
            raise nonsense("a clock that does not say whether the market is open")
        return MarketClock(moment_of(row.get("timestamp")), row["is_open"], self._now())

    def calendar(self, first: date, last: date) -> Sequence[Session]:
        """Sessions; BrokerError where so many days without one mean that it does not know."""
        params = {"start": str(first), "end": str(last)}
        sessions = tuple(session_of(row) for row in self._list("/v2/calendar", params))
        edges = [first - timedelta(days=1), *(s.day for s in sessions), last + timedelta(days=1)]
        gaps = ((b - a).days - 1 for a, b in pairwise(edges))
        if max(gaps) > LONGEST_GAP:
            raise BrokerError(
                f"Alpaca's calendar does not reach from {first} to {last}.", code="no_calendar"
            )
        return sessions

    def submit(self, ticket: Ticket) -> Reply:
        """Send an order once; a copy of one that is there is that one."""
        answer = self._web.once("POST", "/v2/orders", {
            "symbol": ticket.symbol, "qty": plain(ticket.quantity), "side": ticket.side.value,
            "type": "limit", "time_in_force": "day", "limit_price": plain(ticket.limit_price),
            "client_order_id": ticket.client_order_id,
        })  # fmt: skip
        if answer is None:
            return Unknown("no whole answer came")
        if not answer.ok:
            return self._copy(ticket) if repeated(answer) else refusal(answer)
        try:
            order = order_of(answer.body)
        except BrokerError as error:
            return Unknown(str(error))
        if order.client_order_id != ticket.client_order_id or not _same(order, ticket):
            return Unknown("the answer is of another order")
        self._client_ids[order.broker_id] = order.client_order_id
        return Accepted(order)

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """An order by our id, or the one that replaced it, under our id."""
        params = {"client_order_id": client_order_id}
        answer = self._web.ask("/v2/orders:by_client_order_id", params)
        if answer.status == NOT_FOUND:
            return None
        row = _good(answer, "an order")
        order = order_of(row)
        if order.client_order_id != client_order_id:
            raise nonsense("another order than the one that was asked for")
        self._client_ids[order.broker_id] = client_order_id
        for _ in range(MOST_REPLACEMENTS):
            if row.get("status") != REPLACED or not isinstance(row.get("replaced_by"), str):
                break
            row = self._one(f"/v2/orders/{quoted(row['replaced_by'], safe='')}")
            order = replace(order_of(row), client_order_id=client_order_id)
            self._client_ids[order.broker_id] = client_order_id
        return order

    def cancel(self, client_order_id: str) -> None:
        """Ask for it once; of an order that is over that is no error."""
        order = self.find(client_order_id)
        if order is None:
            raise BrokerError(f"Alpaca has no order {client_order_id}.", code="no_order")
        if order.over:
            return
        answer = self._web.once("DELETE", f"/v2/orders/{quoted(order.broker_id, safe='')}")
        if answer is None or not (answer.ok or over(answer)):
            words = "no whole answer came" if answer is None else answer.message
            raise BrokerError(
                f"The cancel of {client_order_id} was not answered: {words}.", code="no_answer"
            )

    def orders(self, since: datetime) -> Sequence[BrokerOrder]:
        """All of them, page by page to the end."""
        return tuple(self._orders("all", since))

    def fills(self, since: datetime) -> Sequence[BrokerFill]:
        """Executions, page by page to the end."""
        rows = self._activities("/v2/account/activities/FILL", since)
        fills = (fill_of(row, self._client_id(row)) for row in rows)
        return tuple(fill for fill in fills if fill.at >= since)

    def activities(self, since: datetime) -> Sequence[Activity]:
        """All but executions."""
        rows = self._activities("/v2/account/activities", since)
        others = (row for row in rows if row.get("activity_type") != "FILL")
        activities = (activity_of(row) for row in others)
        return tuple(activity for activity in activities if activity.at.date() >= since.date())

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._web.sleep(max(seconds, 0.0))

    def _account(
        self, row: Mapping[str, Any], positions: Sequence[Any], orders: tuple[BrokerOrder, ...]
    ) -> BrokerAccount:
        bound = ZERO
        for order in orders:
            if order.side is Side.BUY:
                rest = order.quantity - order.filled_quantity
                bound += rest * (order.limit_price or ZERO)
        cash = cash_of(row, bound)
        number = row.get("account_number") or row.get("id")
        if not isinstance(number, str):
            raise nonsense("no account number")
        return BrokerAccount(
            account_id=number, mode=self._mode, at=self.clock().now, base_currency=cash.currency,
            positions=tuple(position_of(position) for position in positions), cash=(cash,),
            open_orders=orders, blocked=blocked(row),
        )  # fmt: skip

    def _copy(self, ticket: Ticket) -> Reply:
        """The order that has our id already, if it is the one that is meant."""
        try:
            order = self.find(ticket.client_order_id)
        except BrokerError as error:
            return Unknown(str(error))
        if order is None:
            return Unknown("an order of this id is there, and cannot be seen yet")
        if _same(order, ticket):
            return Accepted(order)
        return Rejected("DUPLICATE", "an order of this id and other terms is there")

    def _open(self) -> tuple[BrokerOrder, ...]:
        return tuple(self._orders("open", datetime(2000, 1, 1, tzinfo=UTC)))

    def _orders(self, status: str, since: datetime) -> Iterator[BrokerOrder]:
        """Oldest first; a page begins just before the last one's end, so that none is missed."""
        seen: set[str] = set()
        after = since - MICROSECOND
        for _ in range(MOST_PAGES):
            rows = self._list("/v2/orders", {
                "status": status, "limit": str(PAGE), "after": after.isoformat(),
                "direction": "asc", "nested": "false",
            })  # fmt: skip
            orders = {order_of(row).broker_id: row for row in rows}
            new = [row for number, row in orders.items() if number not in seen]
            yield from self._named(new)
            seen.update(orders)
            if len(rows) < PAGE:
                return
            if not new:
                break
            after = moment_of(rows[-1].get("submitted_at")) - MICROSECOND
        raise nonsense("a list of orders without an end")

    def _named(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[BrokerOrder]:
        """Oldest first; an order that was replaced is the one that replaced it, under our id."""
        for row in rows:
            order = order_of(row)
            ours = self._client_ids.get(str(row.get("replaces")), order.client_order_id)
            self._client_ids[order.broker_id] = ours
            if row.get("status") != REPLACED or not isinstance(row.get("replaced_by"), str):
                yield replace(order, client_order_id=ours)

    def _activities(self, path: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        """Oldest first; the broker filters by day, so a day more is asked for."""
        params = {
            "after": (since - timedelta(days=1)).isoformat(), "direction": "asc",
            "page_size": str(ACTIVITY_PAGE),
        }  # fmt: skip
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            rows = self._list(path, params)
            ids = [str(row.get("id", "")) if isinstance(row, dict) else "" for row in rows]
            if not all(ids):
                raise nonsense("an activity without its id")
            new = [row for row, key in zip(rows, ids, strict=True) if key not in seen]
            yield from new
            seen.update(ids)
            if len(rows) < ACTIVITY_PAGE:
                return
            if not new:
                break
            params["page_token"] = ids[-1]
        raise nonsense("a list of activities without an end")

    def _client_id(self, row: Mapping[str, Any]) -> str:
        """Of the order that a fill is of; "" where the broker does not know it either."""
        number = row.get("order_id")
        if not isinstance(number, str) or not number:
            return ""
        chain = [number]
        while chain[-1] not in self._client_ids:
            answer = self._web.ask(f"/v2/orders/{quoted(chain[-1], safe='')}")
            if answer.status == NOT_FOUND:
                return ""
            order = _good(answer, "an order")
            before = order.get("replaces")
            if isinstance(before, str) and len(chain) <= MOST_REPLACEMENTS:
                chain.append(before)
            else:
                self._client_ids[chain[-1]] = order_of(order).client_order_id
        ours = self._client_ids[chain[-1]]
        self._client_ids.update(dict.fromkeys(chain, ours))
        return ours

    def _daily(self, symbols: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Finished days, adjusted for splits; asked for once a day. Without them: not told."""
        today = self._now().date()
        missing = [s for s in symbols if self._days.get(s, (None, ()))[0] != today]
        if missing:
            params = {
                "symbols": ",".join(missing), "timeframe": "1Day", "adjustment": "split",
                "start": str(today - HISTORY), "end": str(today - timedelta(days=1)),
                "feed": "sip", "limit": "10000",
            }  # fmt: skip
            answer = self._web.ask("/v2/stocks/bars", params, where="data")
            rows = _within(answer.body, "bars") if answer.ok else {}
            for symbol in missing:
                bars = rows.get(symbol)
                self._days[symbol] = (today, bars if isinstance(bars, list) else ())
        return {symbol: self._days[symbol][1] for symbol in symbols}

    def _one(self, path: str) -> Mapping[str, Any]:
        return _good(self._web.ask(path), "an object")

    def _list(self, path: str, params: Mapping[str, str] | None = None) -> Sequence[Any]:
        answer = self._web.ask(path, params)
        if not answer.ok:
            raise _denied(answer)
        if not isinstance(answer.body, list):
            raise nonsense("something else where a list should be")
        return answer.body


def _good(answer: Answer, what: str) -> Mapping[str, Any]:
    if not answer.ok:
        raise _denied(answer)
    if not isinstance(answer.body, dict):
        raise nonsense(f"something else where {what} should be")
    return answer.body


def _within(body: Any, name: str) -> Mapping[str, Any]:
    rows = body.get(name) if isinstance(body, dict) else None
    if not isinstance(rows, dict):
        raise nonsense(f"no {name}")
    return rows


def _denied(answer: Answer) -> BrokerError:
    return BrokerError(
        f"Alpaca refused a question with {answer.status}: {answer.message}.", code="denied",
        value=answer.status, hint="see that the keys are those of this account",
    )  # fmt: skip


def _same(order: BrokerOrder, ticket: Ticket) -> bool:
    terms: tuple[str, Side, Decimal, Decimal | None] = (
        order.symbol, order.side, order.quantity, order.limit_price,
    )  # fmt: skip
    return terms == (ticket.symbol, ticket.side, ticket.quantity, ticket.limit_price)


def _batches(symbols: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(symbols), SYMBOLS):
        yield symbols[start : start + SYMBOLS]
