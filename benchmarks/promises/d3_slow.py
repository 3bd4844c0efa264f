"""One evaluator is slow, half-open, or answers nonsense: a plan takes one batch's deadline more."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import random
import signal
import struct
import sys
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from unittest.mock import patch

import httpx2

from benchmarks.promises.databases import SEED, Profile, folder
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from benchmarks.promises.services import lasting, planned, processes, small, verdict
from builders.carrying import Carried, carrying
from steelyard.planning.planner import plan_case
from steelyard.services.carriage.carrier import Carrier
from steelyard.services.carriage.dispatch import Dispatch
from steelyard.services.remote import carried
from steelyard.services.topology import Topology

PROMISE = "A slow, still or lying evaluator costs a plan at most one batch's deadline."
HOW = (
    "One of three evaluators answers after 0.1 to 600 seconds, never, a byte at a time, with "
    "bytes that never end, or with scores that are not those of the sequences, on every path or "
    "on one of those for contexts, batches and the proof; over real sockets its process is "
    "stopped (SIGSTOP). Counted as bad: a plan that is not the same, one that takes longer than "
    "the p99 of as many healthy ones and one batch's deadline, and a thread or a task that is "
    "left over."
)
MUTANT = "a batch is waited for four times as long, and sent to no other meanwhile"
DEADLINE_S = 1.0
NICE = Topology(batch_seconds=DEADLINE_S, batch_size=20, open_seconds=0.05)
PATHS = ("", "/contexts/", "/evaluate", "/prove")
WAYS = ("slow", "still", "trickling", "endless", "lying")
P99 = 0.99


@dataclass
class Times:
    """Seconds of plans, and how many were not the same."""

    healthy: list[float]
    others: list[float]
    bad: int = 0

    @property
    def limit(self) -> float:
        """What a plan may take."""
        return p99(self.healthy) + DEADLINE_S

    @property
    def late(self) -> int:
        """Plans that took longer."""
        return sum(seconds > self.limit for seconds in self.others)


def p99(seconds: list[float]) -> float:
    """What 99 of 100 are below; of fewer the largest."""
    return sorted(seconds)[min(len(seconds) - 1, int(P99 * len(seconds)))]


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """Every way on every path, so many times; then processes that are stopped."""
    times, topology = Times([], []), NICE
    with ExitStack() as stack:
        if mutant:
            topology = NICE.model_copy(update={"batch_seconds": 4 * DEADLINE_S})
            stack.enter_context(patch.object(Dispatch, "_overdue", lambda _: None))
        _in_process(topology, profile.still_plans, times)
        note = _note("in process", times)
        stopped = Times([], [])
        if not mutant:
            _over_sockets(2 * profile.still_plans, stopped)
            note += _note("; over sockets", stopped)
    bad = times.bad + times.late + stopped.bad + stopped.late
    return Figure("D3", len(times.others) + len(stopped.others), bad, note=note)


def _note(where: str, times: Times) -> str:
    return (
        f"{where} healthy p99 {p99(times.healthy):.2f} s, with one ill {p99(times.others):.2f} s, "
        f"the longest {max(times.others):.2f} s, allowed {times.limit:.2f} s"
    )


def _in_process(topology: Topology, rounds: int, times: Times) -> None:
    here = plan_case(small())
    rng = random.Random(SEED)  # noqa: S311 - the same each time
    with folder() as home, carrying(home, topology=topology) as services:
        plan_case(small(), services.steps())
        before = lasting(services.carrier)
        for way, path in [(way, path) for _ in range(rounds) for way in WAYS for path in PATHS]:
            for ill in (False, True):
                with _ill(services, rng.randrange(3), way, path, rng) if ill else ExitStack():
                    start = time.monotonic()
                    what = verdict(planned(small(), services.steps()), here)
                    seconds = time.monotonic() - start
                if what != "same":
                    print(f"D3: {way} {path or 'everywhere'}: {what}", file=sys.stderr)
                (times.others if ill else times.healthy).append(seconds)
                times.bad += what != "same"
        time.sleep(0.5)
        if lasting(services.carrier) > before:
            print(f"D3: left over: {before} {lasting(services.carrier)}", file=sys.stderr)
            times.bad += 1


def _ill(services: Carried, index: int, way: str, path: str, rng: random.Random) -> ExitStack:
    """An evaluator that is ill while this lasts; then its circuit is closed, as at first."""
    instance = services.topology.evaluator.instances[index]
    apps, stack = services.transport.apps, ExitStack()
    app = apps[instance.port]
    apps[instance.port] = Ill(app, way, path, 0.1 * 6_000 ** rng.random())
    stack.callback(services.carrier.calls.circuits.answered, instance)
    stack.callback(apps.__setitem__, instance.port, app)
    return stack


@dataclass
class Ill(httpx2.AsyncBaseTransport):
    """An evaluator that is ill in one way, on paths that have this in them."""

    app: httpx2.AsyncBaseTransport
    way: str
    path: str
    seconds: float

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.path not in request.url.path:
            return await self.app.handle_async_request(request)
        if self.way in {"slow", "still"}:
            await asyncio.sleep(self.seconds if self.way == "slow" else 1e6)
        response = await self.app.handle_async_request(request)
        if self.way == "trickling":
            content = await response.aread()
            return httpx2.Response(200, stream=Drops(content), request=request)
        if self.way == "endless":
            return httpx2.Response(200, stream=Drops(b" ", endless=True), request=request)
        if self.way == "lying":
            return httpx2.Response(200, content=_lie(await response.aread()), request=request)
        return response


@dataclass
class Drops(httpx2.AsyncByteStream):
    """A body that comes a byte at a time, or never ends."""

    content: bytes
    endless: bool = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.endless:
            await asyncio.sleep(0.001)
            yield self.content * 4096
        for k in range(len(self.content)):
            await asyncio.sleep(0.05)
            yield self.content[k : k + 1]


def _lie(content: bytes) -> bytes:
    """Another answer of the same form: numbers that are not these sequences'."""
    body = json.loads(content)
    net = body.get("net")
    if net is None:
        return b"[]"
    count = math.prod(net["shape"])
    data = base64.b64encode(struct.pack(f"<{count}d", *[0.01] * count)).decode()
    return json.dumps({**body, "net": {**net, "data": data}}).encode()


def _over_sockets(trials: int, times: Times) -> None:
    here = plan_case(small())
    with processes(NICE) as served:
        carrier = Carrier(served.topology, lambda: served.token)
        plan_case(small(), carried(carrier))
        for trial in range(trials):
            for ill in (False, True):
                if ill:
                    served.signal(signal.SIGSTOP, "evaluator", trial % 3)
                start = time.monotonic()
                what = verdict(planned(small(), carried(carrier)), here)
                (times.others if ill else times.healthy).append(time.monotonic() - start)
                times.bad += what != "same"
                if ill:
                    served.signal(signal.SIGCONT, "evaluator", trial % 3)
                    for instance in served.topology.evaluator.instances:
                        carrier.calls.circuits.answered(instance)
        carrier.close()


if __name__ == "__main__":
    script(measure)
