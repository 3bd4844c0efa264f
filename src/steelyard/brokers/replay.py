"""A recorded day, played back: what was answered then is answered again, at the same times.

An order is recognised by its client id, which the same plan and run give again. One that was not
recorded is rejected: nobody knows what would have become of it. The form is in `recording`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from pydantic import ValidationError

from steelyard.brokers.broker import (
    Accepted,
    Activity,
    Asset,
    BrokerAccount,
    BrokerFill,
    BrokerOrder,
    Capabilities,
    MarketClock,
    Quote,
    Rejected,
    Reply,
    Session,
    Ticket,
    Unknown,
)
from steelyard.brokers.recording import FORM, form_of
from steelyard.errors import BrokerError, InputError

T = TypeVar("T")
KINDS: Mapping[str, type] = {
    "clock": MarketClock, "session": Session, "asset": Asset, "quote": Quote,
    "account": BrokerAccount, "order": BrokerOrder, "fill": BrokerFill, "activity": Activity,
}  # fmt: skip


@dataclass(slots=True)
class Day:
    """What a recording has, in its order: (time of the answer, what was answered)."""

    capabilities: Capabilities
    begins: datetime
    answers: dict[str, list[tuple[datetime, Any]]] = field(default_factory=dict)
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    cancels: dict[str, str] = field(default_factory=dict)


def open_replay(lines: Iterable[str], source: str) -> Replay:
    """A broker that plays the lines back; raises InputError for what is no recording."""
    return Replay(read_day(lines, source))


def read_day(lines: Iterable[str], source: str) -> Day:
    """The lines of a recording; `source` is what a message calls them."""
    day: Day | None = None
    waiting: list[Mapping[str, Any]] = []
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            if number == 1:
                capabilities = _head(line)
            elif line["at"] is None:
                waiting.append(line)
            else:
                at = datetime.fromisoformat(line["at"])
                day = day or Day(capabilities, at)
                for early in waiting:
                    _add(day, at, early)
                waiting.clear()
                _add(day, at, line)
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            why = str(error).splitlines()[0]
            raise InputError(
                f"{source} line {number} is no line of a recorded day: {why}. Nothing was played.",
                code="bad_recording", place=f"{source} line {number}",
            ) from error  # fmt: skip
    if day is None:
        raise InputError(
            f"{source} has nothing recorded.", code="bad_recording", place=source,
            hint="steelyard execute PLAN --record F",
        )  # fmt: skip
    return day


def _head(line: Mapping[str, Any]) -> Capabilities:
    if line["kind"] != "recording" or line["form"] != FORM:
        raise ValueError(f"a recording of form {FORM} begins with its first line")
    recorded: Capabilities = form_of(Capabilities).validate_python(line["capabilities"])
    return recorded


def _add(day: Day, at: datetime, line: Mapping[str, Any]) -> None:
    kind = line["kind"]
    if kind == "reply":
        day.replies.setdefault(line["client_order_id"], []).append(_reply(line))
    elif kind == "cancel":
        day.cancels[line["client_order_id"]] = line.get("error", "")
    else:
        what = form_of(KINDS[kind]).validate_python(line["what"])
        day.answers.setdefault(kind, []).append((at, what))


def _reply(line: Mapping[str, Any]) -> Reply:
    if line["answer"] == "accepted":
        return Accepted(form_of(BrokerOrder).validate_python(line["what"]))
    if line["answer"] == "rejected":
        return Rejected(line["code"], line["message"])
    return Unknown(line["message"])


class Replay:
    """A recorded account, from the beginning of its recording; only `wait` moves its time."""

    name = "replay"

    def __init__(self, day: Day) -> None:
        self._day, self._now = day, day.begins
        self._sent: dict[str, int] = {}

    @property
    def capabilities(self) -> Capabilities:
        """Those that were recorded; there is no market behind them any more."""
        return replace(self._day.capabilities, simulated=True)

    def account(self) -> BrokerAccount:
        """As it was last seen by now."""
        accounts: list[BrokerAccount] = self._until_now("account")
        if not accounts:
            raise self._not_recorded("the account")
        return replace(accounts[-1], at=self._now)

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """The newest by now of each symbol, with the time that it had."""
        quotes: list[Quote] = self._until_now("quote")
        newest = {quote.symbol: quote for quote in quotes}
        return {symbol: newest[symbol] for symbol in symbols if symbol in newest}

    def assets(self, symbols: Sequence[str]) -> Mapping[str, Asset]:
        """As they were recorded."""
        assets = {asset.symbol: asset for asset in self._all("asset", Asset)}
        return {symbol: assets[symbol] for symbol in symbols if symbol in assets}

    def clock(self) -> MarketClock:
        """Its time; open as it was last seen."""
        clocks: list[MarketClock] = self._until_now("clock")
        if not clocks:
            raise self._not_recorded("the clock")
        return MarketClock(self._now, clocks[-1].is_open)

    def calendar(self, first: date, last: date) -> Sequence[Session]:
        """Sessions that were recorded; BrokerError for days of which none is."""
        sessions = {s.day: s for s in self._all("session", Session) if first <= s.day <= last}
        if not sessions:
            raise self._not_recorded(f"a session from {first} to {last}")
        return tuple(sessions[day] for day in sorted(sessions))

    def submit(self, ticket: Ticket) -> Reply:
        """What was answered to the same order; a later attempt gets the later answer."""
        replies = self._day.replies.get(ticket.client_order_id, [])
        if not replies:
            return Rejected("OTHER", "this order is not in the recording")
        attempt = self._sent.get(ticket.client_order_id, 0)
        self._sent[ticket.client_order_id] = attempt + 1
        reply = replies[min(attempt, len(replies) - 1)]
        if isinstance(reply, Accepted):
            order = reply.order
            terms = (order.symbol, order.side, order.quantity, order.limit_price)
            if terms != (ticket.symbol, ticket.side, ticket.quantity, ticket.limit_price):
                return Rejected("DUPLICATE", "the recording has this id with other terms")
        return reply

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """As it was last seen by now."""
        return self._orders().get(client_order_id)

    def cancel(self, client_order_id: str) -> None:
        """As it was answered; raises BrokerError for a cancel that nobody asked for then."""
        if client_order_id not in self._day.cancels:
            raise self._not_recorded(f"a cancel of {client_order_id}")
        if error := self._day.cancels[client_order_id]:
            raise BrokerError(error, code="no_answer", place=client_order_id)

    def orders(self, since: datetime) -> Sequence[BrokerOrder]:
        """Each as it was last seen by now."""
        return tuple(o for o in self._orders().values() if (o.created_at or since) >= since)

    def fills(self, since: datetime) -> Sequence[BrokerFill]:
        """Those that were told of by now."""
        fills: list[BrokerFill] = self._until_now("fill")
        return tuple(fill for fill in fills if fill.at >= since)

    def activities(self, since: datetime) -> Sequence[Activity]:
        """Those that were told of by now."""
        activities: list[Activity] = self._until_now("activity")
        return tuple(activity for activity in activities if activity.at >= since)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=max(seconds, 0.0))

    def _orders(self) -> dict[str, BrokerOrder]:
        orders: list[BrokerOrder] = self._until_now("order")
        return {order.client_order_id: order for order in orders}

    def _until_now(self, kind: str) -> list[Any]:
        return [what for at, what in self._day.answers.get(kind, []) if at <= self._now]

    def _all(self, kind: str, _: type[T]) -> list[T]:
        return [what for _, what in self._day.answers.get(kind, [])]

    def _not_recorded(self, what: str) -> BrokerError:
        return BrokerError(
            f"The recording has not {what} by {self._now.isoformat()}.", code="not_recorded"
        )
