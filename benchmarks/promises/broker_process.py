"""The paper broker as a process of its own, and a client that speaks to it over a local socket.

A client that is killed in a call has sent a request that was carried out or not, as with a broker
behind a network. Questions are dropped too: the client asks five times, as an adapter does. Each
connection is a connect of the account, so what is told only then is told after a crash.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

from steelyard.brokers.broker import (
    Activity,
    Asset,
    BrokerAccount,
    BrokerFill,
    BrokerOrder,
    Capabilities,
    MarketClock,
    Quote,
    Reply,
    Session,
    Ticket,
    Unknown,
)
from steelyard.brokers.paper import Opening, PaperBroker, Script, open_paper
from steelyard.errors import BrokerError

ACCOUNT = "core"
DROPPED = 0.25
"""Questions that get no answer: those that the script drops and those whose answer it loses."""
TRIES = 5
SENDS = frozenset({"submit", "cancel"})
"""What the script itself drops, or loses the answer of."""


class Served:
    """A process that serves one account after another; `place` is its socket."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder / f"broker-{os.getpid()}.sock")
        ready, tell = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            listener = Listener(self.place, family="AF_UNIX", backlog=16)
            os.write(tell, b"1")
            _serve(listener)
        os.read(ready, 1)
        os.close(ready)
        os.close(tell)

    def open(self, path: Path, opening: Opening, script: Script) -> None:
        """From now on an account of its own, which begins."""
        with Client(self.place, family="AF_UNIX") as line:
            line.send(("open", (str(path), opening, script)))
            line.recv()

    def fall_silent(self, *, silent: bool = True) -> None:
        """From now on no question and no order is answered, nor carried out; or they are again."""
        with Client(self.place, family="AF_UNIX") as line:
            line.send(("silence", (silent,)))
            line.recv()

    def stop(self) -> None:
        """End the process."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        with suppress(FileNotFoundError):
            Path(self.place).unlink()


def _serve(listener: Listener) -> None:
    place: tuple[Path, PaperBroker | None] = (Path(), None)
    rng, silent = random.Random(0), [False]  # noqa: S311 - the same drops each time
    while True:
        line = listener.accept()
        with suppress(EOFError, OSError):
            while True:
                name, parts = line.recv()
                if name == "open":
                    path, opening, script = parts
                    place = (Path(path), open_paper(Path(path), ACCOUNT, opening, script))
                    rng, silent = random.Random(script.seed), [False]  # noqa: S311
                    line.send(("answer", None))
                    continue
                if name == "silence":
                    silent[0] = parts[0]
                    line.send(("answer", None))
                    continue
                if name == "connect":
                    old = place[1]
                    place = (place[0], open_paper(place[0], ACCOUNT))
                    if old is not None:
                        old.close()
                broker = place[1]
                assert broker is not None
                line.send(_answer(broker, name, parts, rng, silent=silent[0]))
        line.close()


def _answer(
    broker: PaperBroker, name: str, parts: tuple[Any, ...], rng: random.Random, *, silent: bool
) -> tuple[str, Any]:
    if name == "connect":
        return "answer", broker.capabilities
    if silent or (name not in SENDS and name != "wait" and rng.random() < DROPPED):
        return "nothing", None
    try:
        return "answer", getattr(broker, name)(*parts)
    except BrokerError as error:
        return "error", str(error)


class Remote:
    """The broker as its client sees it."""

    name = "paper"

    def __init__(self, place: str) -> None:
        self._line: Connection[Any, Any] = Client(place, family="AF_UNIX")
        self._capabilities: Capabilities = self._once("connect")[1]

    @property
    def capabilities(self) -> Capabilities:
        """As the script lets it."""
        return self._capabilities

    def _once(self, name: str, *parts: Any) -> tuple[str, Any]:
        try:
            self._line.send((name, parts))
            kind, answer = self._line.recv()
        except (EOFError, OSError) as error:
            raise BrokerError(f"The broker's process is not there: {error}.") from error
        return kind, answer

    def _asked(self, name: str, *parts: Any) -> Any:
        for _ in range(TRIES):
            kind, answer = self._once(name, *parts)
            if kind == "answer":
                return answer
            if kind == "error":
                raise BrokerError(answer)
        raise BrokerError(f"The broker did not answer, asked {TRIES} times for its {name}.")

    def account(self) -> BrokerAccount:
        """Positions, cash and open orders."""
        answer: BrokerAccount = self._asked("account")
        return answer

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Newest quotes."""
        answer: Mapping[str, Quote] = self._asked("quotes", list(symbols))
        return answer

    def assets(self, symbols: Sequence[str]) -> Mapping[str, Asset]:
        """What may be traded."""
        answer: Mapping[str, Asset] = self._asked("assets", list(symbols))
        return answer

    def clock(self) -> MarketClock:
        """Its time."""
        answer: MarketClock = self._asked("clock")
        return answer

    def calendar(self, first: date, last: date) -> Sequence[Session]:
        """Sessions."""
        answer: Sequence[Session] = self._asked("calendar", first, last)
        return answer

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """An order by our id."""
        answer: BrokerOrder | None = self._asked("find", client_order_id)
        return answer

    def orders(self, since: datetime) -> Sequence[BrokerOrder]:
        """Every order since."""
        answer: Sequence[BrokerOrder] = self._asked("orders", since)
        return answer

    def fills(self, since: datetime) -> Sequence[BrokerFill]:
        """Every execution since."""
        answer: Sequence[BrokerFill] = self._asked("fills", since)
        return answer

    def activities(self, since: datetime) -> Sequence[Activity]:
        """What else happened."""
        answer: Sequence[Activity] = self._asked("activities", since)
        return answer

    def submit(self, ticket: Ticket) -> Reply:
        """Send an order, once."""
        try:
            kind, answer = self._once("submit", ticket)
        except BrokerError as error:
            return Unknown(str(error))
        reply: Reply = answer if kind == "answer" else Unknown("the request timed out")
        return reply

    def cancel(self, client_order_id: str) -> None:
        """Ask for a cancel, once."""
        kind, answer = self._once("cancel", client_order_id)
        if kind != "answer":
            raise BrokerError(answer or "The cancel was not answered: the request timed out.")

    def wait(self, seconds: float) -> None:
        """Let the broker's time pass; where it is silent, nothing does."""
        self._once("wait", seconds)
