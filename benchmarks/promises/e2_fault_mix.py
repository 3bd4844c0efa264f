"""A server that fails three times in ten never gets an order twice."""

from __future__ import annotations

import random
import ssl
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypeVar

from benchmarks.alpaca.exchange import OVER, START, Exchange
from benchmarks.alpaca.server import FAULTS, Server, serving
from benchmarks.promises.databases import Profile
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from steelyard import plan
from steelyard.brokers.alpaca import AlpacaBroker
from steelyard.brokers.alpaca.access import Access, Secret
from steelyard.brokers.alpaca.web import Timing, Web
from steelyard.brokers.broker import Accepted, BrokerOrder, Rejected, Ticket
from steelyard.cycle import carry_out, recover_all
from steelyard.errors import BrokerError, NotExecuted
from steelyard.execution.begin import start
from steelyard.execution.ids import client_order_id, run_id
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Lease
from steelyard.execution.journal.opening import leased, open_journal
from steelyard.execution.journal.rows import LegRow, RunRow
from steelyard.execution.room import Room
from steelyard.execution.states import RUN_OVER
from steelyard.money import ZERO
from steelyard.orders import Side

PROMISE = (
    "An order reaches Alpaca once, though three in ten requests end in 429, 500, 502, 504, a reset "
    "before or after, a body that never ends, or garbage."
)
HOW = (
    "The adapter on a loopback server whose exchange was written apart from it. Most runs sell, "
    "cancel, and buy by a small loop: an answer that does not come is resolved by two complete "
    "lists without the order, then the same id again. The others are whole runs of a plan, with "
    "journal, rails and legs, every second of them in a market that fills the rest only at the far "
    "side. Counted as bad: an order that is there twice or more, shares that moved otherwise than "
    "was ordered, fills that are lost or doubled, a run that ends in no stated state."
)
MUTANT = "an order whose answer was lost is sent again under a new id"
RATE = 0.3
SLOW = 0.1
"""Of the slow bodies, those that are tried: each costs its time."""
LISTINGS, LONG = 2, 400
PATIENCE = 4
"""Looks at an order until a cancel is asked for; what can be filled is filled by then."""
ACCOUNT, DAY = "PA3TESTS", "2026-03-10"
ATTEMPTS = 20
READ_S, STALL_S = 0.03, 0.06
Answer = TypeVar("Answer")
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """The runs, and what went wrong in them."""
    bad, requests, faults = 0, 0, 0
    runs = profile.fault_runs if not mutant else min(profile.fault_runs, 20)
    with serving(Exchange()) as server:
        server.stall_s = STALL_S
        for seed in range(runs):
            run = _Run(server, seed, mutant=mutant)
            bad += not run.good()
            requests += len(server.requests)
            faults += run.faults
        whole = 0 if mutant else profile.whole_runs
        for seed in range(whole):
            run = _Run(server, seed, mutant=False)
            bad += not run.whole()
            requests += len(server.requests)
            faults += run.faults
    note = f"{whole} whole runs; {requests} requests, {faults} of them failed"
    return Figure("E2", runs + whole, bad, note=note)


class _Run:
    """One run against an exchange of its own; the server is told what fails."""

    def __init__(self, server: Server, seed: int, *, mutant: bool) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a seed makes the same faults again
        self.exchange = server.exchange = Exchange(shares={"AA": "10"})
        server.requests.clear()
        server.fault = self._fault
        self.server, self.mutant, self.faults, self.seconds = server, mutant, 0, 0.0
        self.run = run_id("tests", "paper", "plan", str(seed))
        self.sent: list[Ticket] = []

    def good(self) -> bool:
        """Carry it out, and look at what the exchange has."""
        with self._broker() as broker:
            sold = self._work(broker, self._ticket(0, Side.SELL, "AA", "4", "99"))
            stuck = self._work(broker, self._ticket(1, Side.SELL, "AA", "2", "900"))
            bought = self._work(broker, self._ticket(2, Side.BUY, "BB", "5", "51"))
            fills = _asked(lambda: broker.fills(START - timedelta(days=1)))
        moved = {"AA": Decimal(6), "BB": Decimal(5)}
        there = Counter((row["symbol"], row["side"], row["qty"]) for row in self.exchange.orders)
        return (
            all(order is not None and order.over for order in (sold, stuck, bought))
            and set(there.values()) == {1}
            and len(there) == len(self.sent)
            and self.exchange.shares == moved
            and sorted(fill.exec_id for fill in fills)
            == sorted(fill["id"] for fill in self.exchange.fills)
            and {fill.client_order_id for fill in fills} <= {t.client_order_id for t in self.sent}
            and all(row["status"] in OVER for row in self.exchange.orders)
        )

    def whole(self) -> bool:
        """A plan's run by execution itself; what the exchange has, the books have, once."""
        self.exchange = self.server.exchange = Exchange("1000", {"AA": "100"})
        self.exchange.thin = self.chance.random() < 0.5
        with tempfile.TemporaryDirectory() as folder, self._broker() as broker:
            home = Path(folder)
            journal = open_journal(home)
            room = Room(
                home=home, journal=journal, broker=broker, account=ACCOUNT, host="paper",
                key="paper",
            )  # fmt: skip
            with leased(journal, home, ACCOUNT) as lease:
                _carried_out(room, lease)
            books = sorted(fill.exec_id for fill in rows.fills(journal))
            ended = [run.outcome for run in rows.runs(journal)]
            names = {leg.client_order_id for run in rows.runs(journal) for leg in _legs(room, run)}
            journal.close()
        ids = [row["client_order_id"] for row in self.exchange.orders]
        return (
            len(ids) == len(set(ids))
            and set(ids) <= names
            and books == sorted(fill["id"] for fill in self.exchange.fills)
            and None not in ended
            and all(row["status"] in OVER for row in self.exchange.orders)
            and self.exchange.shares["AA"] >= Decimal(44)
            and self.exchange.shares.get("BB", ZERO) <= Decimal(121)
            and self.exchange.cash >= 0
        )

    def _work(self, broker: AlpacaBroker, ticket: Ticket) -> BrokerOrder | None:
        """Send it, find out what became of it, wait for its end; one that waits is cancelled."""
        self.sent.append(ticket)
        order = self._placed(broker, ticket)
        for polls in range(LONG):
            if order is None or order.over:
                return order
            broker.wait(1.0)
            if polls % PATIENCE == PATIENCE - 1:
                _cancel(broker, ticket.client_order_id)
            order = _asked(lambda: broker.find(ticket.client_order_id))
        return order

    def _placed(self, broker: AlpacaBroker, ticket: Ticket) -> BrokerOrder | None:
        for attempt in range(LONG):
            again = ticket
            if self.mutant and attempt:
                again = self._ticket(100 + attempt, ticket.side, ticket.symbol, *_terms(ticket))
            reply = broker.submit(again)
            if isinstance(reply, Accepted):
                return reply.order
            if isinstance(reply, Rejected):
                return None
            order = None if self.mutant else self._resolved(broker, ticket.client_order_id)
            if order is not None:
                return order
        return None

    def _resolved(self, broker: AlpacaBroker, name: str) -> BrokerOrder | None:
        """The order, or None after complete lists that do not have it."""
        for _ in range(LISTINGS):
            broker.wait(broker.capabilities.visibility_delay_s)
            for order in _asked(lambda: broker.orders(START - timedelta(days=1))):
                if order.client_order_id == name:
                    return order
        return None

    def _ticket(self, step: int, side: Side, symbol: str, quantity: str, limit: str) -> Ticket:
        return Ticket(
            client_order_id=client_order_id(self.run, step, 1), symbol=symbol, side=side,
            quantity=Decimal(quantity), limit_price=Decimal(limit), currency="USD",
        )  # fmt: skip

    def _fault(self, _method: str, _path: str) -> str:
        if self.chance.random() >= RATE:
            return ""
        fault = self.chance.choice(FAULTS)
        if fault == "slow+" and self.chance.random() >= SLOW:
            fault = "reset+"
        self.faults += 1
        return fault

    @contextmanager
    def _broker(self) -> Iterator[AlpacaBroker]:
        to = Access("paper", self.server.address, self.server.address, Secret("k"), Secret("s"))
        timing = Timing(
            now=lambda: 0.0, steady=lambda: self.seconds, sleep=self._sleep,
            chance=self.chance.random, connect_s=2.0, read_s=READ_S,
        )  # fmt: skip
        broker = AlpacaBroker(Web(to, timing, TLS), "paper", lambda: self.exchange.now)
        try:
            yield broker
        finally:
            broker.close()

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.exchange.tick(seconds)


def _carried_out(room: Room, lease: Lease) -> None:
    """Start the plan until its run begins, then recover until it is over."""
    for _ in range(ATTEMPTS):
        try:
            carry_out(start(room, lease, _plan(), START))
            break
        except (BrokerError, NotExecuted):
            continue  # a question that nobody answered: nothing was sent, and it is begun again
    for _ in range(ATTEMPTS):
        recover_all(room, lease)
        if all(run.state in RUN_OVER for run in rows.runs(room.journal)):
            return


@cache
def _plan() -> str:
    """Sell 56 AA, buy 121 BB."""
    prices, targets = {"AA": 100, "BB": 50}, {"AA": 0.4, "BB": 0.55}
    made = plan({"AA": 100}, prices=prices, targets=targets, cash={"USD": 1000}, as_of=DAY)
    return made.to_json()


def _legs(room: Room, run: RunRow) -> Sequence[LegRow]:
    return rows.legs(room.journal, run.run_id)


def _terms(ticket: Ticket) -> Sequence[str]:
    return str(ticket.quantity), str(ticket.limit_price)


def _cancel(broker: AlpacaBroker, name: str) -> None:
    try:
        broker.cancel(name)
    except BrokerError:
        return  # it is asked again, and the order itself is looked at


def _asked(question: Callable[[], Answer]) -> Answer:
    """Until it is answered; a question that fails is no answer."""
    for _ in range(LONG):
        try:
            return question()
        except BrokerError:
            continue
    raise BrokerError("Nobody answers.")


if __name__ == "__main__":
    script(measure)
