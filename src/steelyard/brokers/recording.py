"""A broker's day as JSON lines: what it answered and when, for `replay` to play back.

Every line has `kind` and `at`, the broker's time when it was answered:

* `recording`  first line: `form` 1, `broker`, `capabilities`
* `clock`, `session`, `asset`, `quote`, `account`, `order`, `fill`, `activity`  as in `broker`, in
  `what`; decimals are text, times ISO 8601. An order has a line for every state it was seen in
* `reply`      to a submit: `client_order_id`, `answer` accepted (with the order in `what`),
  rejected (`code`, `message`) or unknown (`message`)
* `cancel`     of a `client_order_id`, and `error` where it was not answered
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from steelyard.brokers.broker import (
    Accepted,
    Activity,
    Asset,
    Broker,
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
)
from steelyard.errors import BrokerError

FORM = 1


_FORMS: dict[type, TypeAdapter[Any]] = {}


def form_of(kind: type) -> TypeAdapter[Any]:
    """How a record of the contract is written and read."""
    if kind not in _FORMS:
        _FORMS[kind] = TypeAdapter(kind)
    return _FORMS[kind]


class Recorder:
    """A broker that writes down what the one behind it answers.

    write   takes a line, without its end
    """

    def __init__(self, broker: Broker, write: Callable[[str], None]) -> None:
        self._broker, self._write = broker, write
        self._now: datetime | None = None
        self._seen: set[str] = set()
        able = form_of(Capabilities).dump_python(broker.capabilities, mode="json")
        self._line("recording", form=FORM, broker=broker.name, capabilities=able)

    @property
    def name(self) -> str:
        """Of the broker behind it."""
        return self._broker.name

    @property
    def capabilities(self) -> Capabilities:
        """Of the broker behind it."""
        return self._broker.capabilities

    def account(self) -> BrokerAccount:
        """Written with its time."""
        account = self._broker.account()
        self._now = account.at
        self._record("account", account)
        for order in account.open_orders:
            self._record("order", order)
        return account

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Each a line."""
        quotes = self._broker.quotes(symbols)
        for quote in quotes.values():
            self._record("quote", quote)
        return quotes

    def assets(self, symbols: Sequence[str]) -> Mapping[str, Asset]:
        """Each a line."""
        assets = self._broker.assets(symbols)
        for asset in assets.values():
            self._record("asset", asset)
        return assets

    def clock(self) -> MarketClock:
        """From here on lines have its time."""
        clock = self._broker.clock()
        self._now = clock.now
        self._record("clock", clock)
        return clock

    def calendar(self, first: date, last: date) -> Sequence[Session]:
        """Each session a line."""
        sessions = self._broker.calendar(first, last)
        for session in sessions:
            self._record("session", session)
        return sessions

    def submit(self, ticket: Ticket) -> Reply:
        """The reply, and the order."""
        reply = self._broker.submit(ticket)
        fields: dict[str, Any] = {"client_order_id": ticket.client_order_id}
        if isinstance(reply, Accepted):
            what = form_of(BrokerOrder).dump_python(reply.order, mode="json")
            self._line("reply", **fields, answer="accepted", what=what)
            self._record("order", reply.order)
        elif isinstance(reply, Rejected):
            fields |= {"answer": "rejected", "code": reply.code, "message": reply.message}
            self._line("reply", **fields)
        else:
            self._line("reply", **fields, answer="unknown", message=reply.reason)
        return reply

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """The order, where it has changed."""
        order = self._broker.find(client_order_id)
        if order is not None:
            self._record("order", order)
        return order

    def cancel(self, client_order_id: str) -> None:
        """That it was asked for, and what was answered."""
        try:
            self._broker.cancel(client_order_id)
        except BrokerError as error:
            self._line("cancel", client_order_id=client_order_id, error=str(error))
            raise
        self._line("cancel", client_order_id=client_order_id)

    def orders(self, since: datetime) -> Sequence[BrokerOrder]:
        """Those that have changed."""
        orders = self._broker.orders(since)
        for order in orders:
            self._record("order", order)
        return orders

    def fills(self, since: datetime) -> Sequence[BrokerFill]:
        """Those that are new."""
        fills = self._broker.fills(since)
        for fill in fills:
            self._record("fill", fill)
        return fills

    def activities(self, since: datetime) -> Sequence[Activity]:
        """Those that are new."""
        activities = self._broker.activities(since)
        for activity in activities:
            self._record("activity", activity)
        return activities

    def wait(self, seconds: float) -> None:
        """Time passes for the lines too."""
        self._broker.wait(seconds)
        if self._now is not None:
            self._now += timedelta(seconds=max(seconds, 0.0))

    def _record(self, kind: str, what: Any) -> None:
        """A line, where exactly this was not written yet."""
        data = form_of(type(what)).dump_python(what, mode="json")
        text = json.dumps([kind, data], sort_keys=True)
        if text not in self._seen:
            self._seen.add(text)
            self._line(kind, what=data)

    def _line(self, kind: str, **fields: Any) -> None:
        at = self._now.isoformat() if self._now else None
        self._write(json.dumps({"kind": kind, "at": at, **fields}, ensure_ascii=True))
