"""What carries plans to services: the client, who is well, which contexts were sent where.

One for each process that plans; `remote.Remote` has one, and a coordinator another.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Generic, TypeVar

import httpx2

from steelyard.errors import ServiceError
from steelyard.services.carriage.calls import MISSING, Calls, Circuits, Refused, reading
from steelyard.services.carriage.context import Task, packed
from steelyard.services.carriage.loop import Loop
from steelyard.services.carriage.messages import Message, Put
from steelyard.services.running.certificates import trusting
from steelyard.services.topology import Instance, Name, Topology
from steelyard.telemetry.breaker import Moment, Rules, State
from steelyard.telemetry.metrics import Meters
from steelyard.telemetry.traces import headers as traced

LOGGER = logging.getLogger("steelyard.circuits")
T = TypeVar("T")
CONTEXTS, SENT = 16, 64
"""Contexts whose bytes are kept here, and hashes that are remembered of each instance."""
LEAST_SECONDS = 0.001
SENDINGS = 4
"""Of a context for one call, the first where it was never sent: who serves many plans forgets."""


def moment() -> Moment:
    """Now: circuits last as long as this process."""
    return Moment(seconds=time.monotonic(), boot="", utc=datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A context as it is sent, and what it was made from: that lives as long as its bytes."""

    task: Task
    body: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """What is asked of a context: path, body, and what makes the answer from its bytes."""

    path: str
    asked: Message
    answer: Callable[[Instance, bytes], T]


@dataclass
class Carrier:
    """Sends steps to the services of a topology.

    token      says who asks
    transport  what carries requests in place of sockets
    meters     what is counted
    """

    topology: Topology
    token: Callable[[], str]
    transport: httpx2.AsyncBaseTransport | None = None
    meters: Meters = field(default_factory=Meters)
    now: Callable[[], Moment] = moment
    clock: Callable[[], float] = time.perf_counter

    def __post_init__(self) -> None:
        """Start the loop, and one client on it."""
        rules = Rules(
            failure_threshold=self.topology.failure_threshold,
            open_seconds=self.topology.open_seconds,
        )
        self.loop = Loop("steelyard services")
        self.calls = Calls(
            topology=self.topology,
            client=self.loop.result(_client(self.transport, self.topology)),
            circuits=Circuits(rules, self.now, self._told),
            headers=self._headers,
        )
        self._states: dict[str, State] = {}
        self._parcels: OrderedDict[tuple[int, int], Parcel] = OrderedDict()
        self._packing = Lock()
        self._sent: dict[str, OrderedDict[str, None]] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._next: dict[str, int] = {}
        self.seconds_a_row = 0.0

    def close(self) -> None:
        """Close every connection, end the thread."""
        self.loop.close(self.calls.client.aclose)

    def _told(self, instance: str, state: State) -> None:
        """A circuit changed: a figure, and a line of the log where it opens or closes."""
        self.meters.breaker(instance, state)
        if state != self._states.get(instance, "closed"):
            self._states[instance] = state
            LOGGER.warning("circuit", extra={"instance": instance, "state": state})

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token()}", **traced()}

    def parcel(self, task: Task) -> Parcel:
        """A task as it is sent, packed once; raises InputError for one that cannot travel."""
        key = id(task.ctx), id(task.table)
        with self._packing:
            parcel = self._parcels.pop(key, None)
            if parcel is None or parcel.task.gone != task.gone:
                body = packed(task)
                parcel = Parcel(task, body, hashlib.sha256(body).hexdigest())
            self._parcels[key] = parcel
            while len(self._parcels) > CONTEXTS:
                self._parcels.popitem(last=False)
        return parcel

    def in_turn(self, name: Name, without: Sequence[str] = ()) -> list[Instance]:
        """The instances that may be asked, each time another first."""
        usable = [
            each for each in self.calls.usable(getattr(self.topology, name))
            if each.url not in without
        ]  # fmt: skip
        if not usable:
            return []
        first = self._next.get(name, 0) % len(usable)
        self._next[name] = first + 1
        return [*usable[first:], *usable[:first]]

    async def ask(
        self, name: Name, instance: Instance, call: Call[T], parcel: Parcel, seconds: float
    ) -> T:
        """One answer to a call that is of a context, which is sent where it is not known.

        All that within so many seconds: who takes the context and then is still, too.
        """
        end, body = _later(seconds), call.asked.model_dump_json().encode()

        async def work() -> T:
            path = f"/{name}/{call.path}"
            return await self.calls.ask(instance, "POST", path, (body, _until(end)), call.answer)

        return await self._knowing(name, instance, parcel, work, end)

    @asynccontextmanager
    async def stream(
        self, name: Name, instance: Instance, path: str, asked: Message, parcel: Parcel,
        seconds: float,
    ) -> AsyncIterator[AsyncIterator[str]]:  # fmt: skip
        """The lines of an answer to a call that is of a context."""
        end, body = _later(seconds), asked.model_dump_json().encode()
        async with AsyncExitStack() as streams:

            async def begin() -> AsyncIterator[str]:
                stream = self.calls.stream(instance, f"/{name}/{path}", body, _until(end))
                return await streams.enter_async_context(stream)

            yield await self._knowing(name, instance, parcel, begin, end)

    async def _knowing(
        self, name: Name, instance: Instance, parcel: Parcel, work: Callable[[], Awaitable[T]],
        end: float,
    ) -> T:  # fmt: skip
        """Work that needs the context there: where it is forgotten it is sent again."""
        for sending in range(SENDINGS):
            if sending or parcel.sha256 not in self._sent.get(instance.url, ()):
                await self._put(name, instance, parcel, end)
            try:
                return await work()
            except Refused as refused:
                if refused.status != MISSING or sending == SENDINGS - 1:
                    raise
        raise nobody(name, "no sending was tried.")

    async def _put(self, name: Name, instance: Instance, parcel: Parcel, end: float) -> None:
        path = f"/{name}/contexts/{parcel.sha256}"
        await self.calls.ask(instance, "PUT", path, (parcel.body, _until(end)), reading(Put))
        sent = self._sent.setdefault(instance.url, OrderedDict())
        sent[parcel.sha256] = None
        while len(sent) > SENT:
            sent.popitem(last=False)

    def turn(self, instance: Instance) -> asyncio.Lock:
        """One batch at a time is with an evaluator, whoever plans."""
        return self._turns.setdefault(instance.url, asyncio.Lock())


def _later(seconds: float) -> float:
    """A time of the loop's clock."""
    return asyncio.get_running_loop().time() + seconds


def _until(end: float) -> float:
    """Seconds that are left: so few that it fails, rather than none, which means no end."""
    return max(LEAST_SECONDS, end - asyncio.get_running_loop().time())


async def _client(
    transport: httpx2.AsyncBaseTransport | None, topology: Topology
) -> httpx2.AsyncClient:
    """A client that follows no redirect and asks no proxy: addresses are the topology's."""
    return httpx2.AsyncClient(
        transport=transport,
        verify=trusting(topology.tls.ca),
        trust_env=False,
        follow_redirects=False,
    )


def nobody(name: str, why: str) -> ServiceError:
    """No instance of a service gave an answer."""
    return ServiceError(
        f"No {name} service answered: {why} Nothing was planned. Start it with steelyard serve "
        f'{name}, or let [services] fallback = "local" plan here.',
        code="no_service",
        place=f"services.{name}",
        value=why,
        hint=f"steelyard serve {name}",
    )
