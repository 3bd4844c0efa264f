"""A plan, a paper broker and a journal to trade it with, from one line each.

>>> with tempfile.TemporaryDirectory() as home:
...     stage = staged(Path(home), "AA 40 @ 100", "BB 40 @ 100", cash="2000",
...                    targets={"AA": 0.5, "BB": 0.3})
...     stage.trade().outcome, stage.sent
(<Outcome.DONE: 'done'>, ['sell BB 10', 'buy AA 10'])
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from builders.world import World, world
from steelyard.brokers.broker import Accepted, Rejected, Ticket
from steelyard.brokers.paper import Fees, Opening, PaperPrice, Script, open_paper
from steelyard.brokers.paper.book import Due
from steelyard.brokers.paper.broker import PaperBroker
from steelyard.canonical import plain
from steelyard.errors import BrokerError, NotExecuted
from steelyard.execution.approved import Approved, approved
from steelyard.execution.begin import start
from steelyard.execution.comparing import agree
from steelyard.execution.desk import Desk
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal, Lease
from steelyard.execution.journal.opening import leased, open_journal
from steelyard.execution.journal.rows import FillRow, LegRow, RunRow
from steelyard.execution.recovery import recover
from steelyard.execution.room import Room
from steelyard.execution.settings import Limits as Rules
from steelyard.execution.settings import PaperHistoryNeeds
from steelyard.execution.states import RunState
from steelyard.execution.trade import trade
from steelyard.execution.working import Working
from steelyard.orders import Side
from steelyard.plans.plan import Plan, content
from steelyard.rebalance.planned import plan as rebalanced
from steelyard.settings import Costs, Limits, Rebalance

ACCOUNT = "core"
FREE = {
    "costs": Costs(fixed=0, percent=0),
    "limits": Limits(cash_reserve_weight=0, max_cost_share=1, min_trade_weight=0),
    "rebalance": Rebalance(drift_band_weight=0.01),
}
"""Nothing costs anything and no cash stays, as the scenarios have it."""
CALM = Script(instant=True, midpoint=1, spread_bps=2, wobble_bps=0, settlement_days=0)
"""Every order is filled at once, whole, and at the midpoint, which is the price."""
SOON = Script(
    fill_after_s=(1, 1), partial=0, told_after_s=(0, 0), midpoint=1, spread_bps=2, wobble_bps=0,
    cancel_after_s=(1, 1), settlement_days=0,
)  # fmt: skip
"""The same a second later: orders work for a while, so that they can be cancelled."""


class Spied:
    """A broker that lists what was sent, and whose answers a test may replace.

    instead   name of a call -> what answers it: it is given the real call and its arguments
    """

    def __init__(self, broker: PaperBroker) -> None:
        self.broker = broker
        self.tickets: list[Ticket] = []
        self.cancels: list[str] = []
        self.instead: dict[str, Callable[..., Any]] = {}
        self.scheduled: dict[str, list[list[tuple[float, str]]]] = {}

    def fills_of(self, symbol: str, *orders: list[tuple[float, str]]) -> None:
        """When each order of a symbol is filled, and how much: [(seconds, shares), …] each.

        What is not named is never filled; orders after these fill as the script has it.
        """
        self.scheduled[symbol] = list(orders)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.broker, name)
        instead = self.instead.get(name)
        return call if instead is None else lambda *values: instead(call, *values)

    @property
    def capabilities(self) -> Any:
        return self.instead.get("capabilities", lambda real: real)(self.broker.capabilities)

    def submit(self, ticket: Ticket) -> Any:
        self.tickets.append(ticket)
        instead = self.instead.get("submit", lambda call, ticket: call(ticket))
        reply = instead(self.broker.submit, ticket)
        if self.scheduled.get(ticket.symbol):
            self._schedule(ticket, self.scheduled[ticket.symbol].pop(0))
        return reply

    def _schedule(self, ticket: Ticket, parts: list[tuple[float, str]]) -> None:
        with self.broker._book() as book:
            (order,) = book.orders("client_order_id = ?", ticket.client_order_id)
            book.drop_due(order.number)
            for number, (seconds, shares) in enumerate(parts):
                at = book.now + timedelta(seconds=seconds)
                book.put_due(Due(order.number, number, at, Decimal(shares), ghost=False))

    def cancel(self, name: str) -> None:
        self.cancels.append(name)
        instead = self.instead.get("cancel", lambda call, name: call(name))
        instead(self.broker.cancel, name)


def silent(_: Any, *__: Any) -> Any:
    """A call that is not answered."""
    raise BrokerError("the request timed out", code="no_answer")


def from_call(number: int, instead: Callable[..., Any], until: int | None = None) -> Any:
    """Something else from the n-th call on, 1 = the first, and up to `until`."""
    count = itertools.count(1)

    def answer(call: Callable[..., Any], *values: Any) -> Any:
        now = next(count)
        other = now >= number and (until is None or now <= until)
        return instead(call, *values) if other else call(*values)

    return answer


@dataclass
class Stage:
    """All that trades one plan, and what may be asked of it afterwards."""

    home: Path
    document: str
    plan: Approved
    broker: Spied
    journal: Journal
    room: Room
    run_id: str = ""
    shown: list[RunState] = field(default_factory=list)

    def start(self, lease: Lease) -> Desk:
        """The run, begun."""
        desk = start(self.room, lease, self.document)
        self.run_id = desk.run_id
        return desk

    def trade(self) -> RunRow:
        """The run as it is after it was begun and traded."""
        with self.leased() as lease:
            return trade(self.start(lease), agree)

    def recover(self, *, crashed: bool = False) -> RunRow:
        """The same of a run that is there."""
        with self.leased() as lease:
            run = rows.run(self.journal, self.run_id)
            return recover(self.room.again(lease, run), crashed=crashed)

    @contextmanager
    def leased(self) -> Any:
        with leased(self.journal, self.home, ACCOUNT) as lease:
            yield lease

    def refused(self) -> NotExecuted:
        """Why the plan is not begun."""
        try:
            self.trade()
        except NotExecuted as error:
            return error
        raise AssertionError("it was traded")

    def crash_at(self, point: str, number: int = 1) -> None:
        """A process that dies when it comes to a point for the n-th time."""
        count = itertools.count(1)

        def probe(here: str) -> None:
            if here == point and next(count) == number:
                raise Died(point)

        self.journal.probe = probe
        try:
            with self.leased() as lease:
                trade(self.start(lease), agree)
        except Died:
            pass
        else:
            raise AssertionError(f"it never came to {point} {number}")
        finally:
            self.journal.probe = lambda _: None
            self.run_id = next((run.run_id for run in rows.runs(self.journal, ACCOUNT)), "")

    @property
    def run(self) -> RunRow:
        return rows.run(self.journal, self.run_id)

    @property
    def legs(self) -> list[LegRow]:
        return rows.legs(self.journal, self.run_id)

    @property
    def fills(self) -> list[FillRow]:
        return rows.fills(self.journal, account=ACCOUNT)

    @property
    def sent(self) -> list[str]:
        """Every ticket, like "sell BB 10"."""
        return [f"{t.side} {t.symbol} {plain(t.quantity)}" for t in self.broker.tickets]

    @property
    def prices(self) -> list[str]:
        """The limit of every ticket."""
        return [plain(t.limit_price) for t in self.broker.tickets]

    @property
    def shares(self) -> dict[str, str]:
        """What the broker says is held."""
        positions = self.broker.broker.account().positions
        return {each.symbol: plain(each.quantity) for each in positions if each.quantity}

    @property
    def cash(self) -> Decimal:
        """Base money that the broker says is there."""
        return self.broker.broker.account().balance(self.plan.base_currency).amount

    def state(self, symbol: str) -> str:
        """Of the newest attempt."""
        return [leg for leg in self.legs if leg.symbol == symbol][-1].state.value

    def reason(self, symbol: str) -> str:
        return [leg for leg in self.legs if leg.symbol == symbol][-1].reason

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What events of a kind say."""
        every = (event for _, event in self.journal.events() if event.event_type == kind)
        return [dict(event.data) for event in every]

    def alerts(self) -> list[str]:
        return [event["code"] for event in self.events("AlertRaised")]

    def with_working(self, **working: Any) -> Stage:
        """The same with other times and prices of working orders."""
        changed = self.room.working.model_copy(update=working)
        return replace(self, room=replace(self.room, working=changed))

    def with_limits(self, **limits: Any) -> Stage:
        """The same with other limits of the rails."""
        changed = self.room.limits.model_copy(update=limits)
        return replace(self, room=replace(self.room, limits=changed))

    def another(self, document: Plan) -> Stage:
        """Another plan on the same account."""
        text = document.to_json()
        plan = approved(Plan.from_document(content(text.encode())))
        return replace(self, document=text, plan=plan, run_id="")


class Died(BaseException):
    """A process that ends without a word."""


def staged(home: Path, *lines: str, **settings: Any) -> Stage:
    """The exact plan of a small portfolio, and a paper account that holds it; see `world`.

    script, working, opening, room   see `on_paper`
    """
    options = {name: settings.pop(name) for name in OPTIONS & {*settings}}
    of = world(*lines, sessions=40, **{**FREE, **settings})
    return on_paper(home, document_of(of), **options)


OPTIONS = {"script", "working", "opening", "room"}


def document_of(of: World) -> str:
    """The plan of the reference engine, as its JSON text."""
    plan = rebalanced(of.snapshot, of.market, of.strategy, targets=of.targets)
    return plan.to_json()


def on_paper(
    home: Path,
    document: str,
    script: Script = CALM,
    working: Mapping[str, Any] | None = None,
    opening: Mapping[str, Any] | None = None,
    room: Mapping[str, Any] | None = None,
) -> Stage:
    """A stage for a plan document; `opening` is of the account where the plan says otherwise."""
    plan = approved(Plan.from_document(content(document.encode())))
    broker = Spied(paper(home, plan, script, opening or {}))
    journal = fast_journal(home)
    where = Room(
        home=home, journal=journal, broker=broker, account=ACCOUNT, mode="paper",
        limits=Rules(), working=Working(**{"poll_s": 2.0, **(working or {})}),
        needs=PaperHistoryNeeds(), **(room or {}),
    )  # fmt: skip
    return Stage(home, document, plan, broker, journal, where)


def paper(home: Path, plan: Approved, script: Script, other: Mapping[str, Any]) -> PaperBroker:
    """An account that holds what a plan stands on."""
    prices = {
        symbol: PaperPrice(
            price,
            plan.currencies[symbol],
            plan.multipliers.get(symbol, Decimal(1)),
            plan.lots.get(symbol, Decimal(1)),
        )
        for symbol, price in plan.prices.items()
    }
    opening = Opening(
        as_of=plan.as_of, base_currency=plan.base_currency, positions=plan.positions,
        cash=plan.cash, prices=prices, fees=Fees(*plan.fees),
        rates={name: rate for name, rate in plan.rates.items() if name != plan.base_currency},
    )  # fmt: skip
    broker = open_paper(home / "paper.db", ACCOUNT, replace(opening, **other), script)
    hasty(broker._connection)
    return broker


def fast_journal(home: Path) -> Journal:
    """The journal, with a disk that need not be waited for."""
    journal = open_journal(home)
    hasty(journal.connection)
    return journal


def hasty(connection: Any) -> None:
    """No power is lost in these tests, so the disk need not be waited for."""
    connection.execute("PRAGMA synchronous=OFF").fetchall()
    connection.execute("PRAGMA journal_mode=MEMORY").fetchall()


def refusing(*symbols: str) -> Callable[..., Any]:
    """Instead of `submit`: orders of these are rejected."""

    def answer(call: Callable[..., Any], ticket: Ticket) -> Any:
        no = Rejected("OTHER", "rejected by the exchange")
        return no if ticket.symbol in symbols else call(ticket)

    return answer


def quoting(symbol: str, bid: str, ask: str, **other: Any) -> Callable[..., Any]:
    """Instead of `quotes`: a symbol's bid and ask are these."""

    def answer(call: Callable[..., Any], symbols: Sequence[str]) -> Any:
        quotes = dict(call(symbols))
        if symbol in quotes:
            prices = {"bid": Decimal(bid), "ask": Decimal(ask)}
            quotes[symbol] = replace(quotes[symbol], **prices, **other)
        return quotes

    return answer


def foreign(stage: Stage, side: Side, symbol: str, shares: str) -> None:
    """An order of somebody else, far from the market."""
    price = stage.plan.prices[symbol] * (2 if side is Side.SELL else Decimal("0.5"))
    currency = stage.plan.currencies[symbol]
    ticket = Ticket(
        client_order_id=f"theirs-{symbol}", symbol=symbol, side=side, quantity=Decimal(shares),
        limit_price=price, currency=currency,
    )  # fmt: skip
    assert isinstance(stage.broker.broker.submit(ticket), Accepted)


def cancelling(stage: Stage) -> Callable[..., Any]:
    """Instead of `wait`: the broker cancels all that is open, of its own accord."""

    def answer(call: Callable[..., Any], seconds: float) -> None:
        for order in stage.broker.broker.account().open_orders:
            stage.broker.broker.cancel(order.client_order_id)
        call(seconds)

    return answer
