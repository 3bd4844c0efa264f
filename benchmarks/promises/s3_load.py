"""Reads of the management API under load: quick at 16 connections, refused in time beyond 64."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import time
from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from unittest.mock import patch

from starlette.responses import Response

from benchmarks.promises.databases import FORK, PROFILES, Profile, folder
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from steelyard.services.answers import Answers
from steelyard.services.running.orders import Order
from steelyard.services.running.process import run
from steelyard.services.running.serving import health
from steelyard.services.running.sockets import bound, port_of
from steelyard.services.security.book import create
from steelyard.services.topology import Topology

PROMISE = "Reads are quick over 16 connections at once, and over more served or refused in time."
HOW = (
    "A process of its own asks a coordinator for its presets, plans and buckets over 16, 64 and "
    "256 connections that stay open, with as many tokens as the pace of each asks for; whoever is "
    "refused waits as long as the answer says. Counted as bad: an answer of 500 or above but 503, "
    "a connection that is cut, and a read that does not come within a second after the load; by "
    "night, when the machine is quiet, also fewer than 800 reads a second or a p99 above 50 ms at "
    "16 connections, and a p99 of what is served above 250 ms at 64 and 256."
)
MUTANT = "one answer in fifty is a fault of the service"
CONNECTIONS = (16, 64, 256)
RATE, P99_S, CROWDED_P99_S = 800, 0.05, 0.25
OK, BUSY, ERROR, CUT = 200, 503, 500, 0
TOKENS = 90
PATHS = ("/presets", "/api/plans", "/api/buckets")


@dataclass
class Load:
    """Answers by status, and the seconds of those that were served."""

    statuses: Tally[int] = field(default_factory=Tally)
    served: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def p99(self) -> float:
        """Of what was served."""
        ordered = sorted(self.served)
        return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))] if ordered else 0.0

    @property
    def rate(self) -> float:
        """Reads a second."""
        return len(self.served) / self.seconds if self.seconds else 0.0

    @property
    def faults(self) -> int:
        """Answers that there should be none of."""
        return sum(
            count for status, count in self.statuses.items() if status >= ERROR and status != BUSY
        )


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """Each number of connections, and whether it is as before afterwards."""
    strict, notes, bad, trials = profile is PROFILES["nightly"], [], 0, 0
    with _coordinator(mutant=mutant) as (port, tokens):
        for number in CONNECTIONS:
            load = _loaded(port, tokens, number, profile.load_seconds)
            calm = _loaded(port, tokens, 1, CALM_S)
            bad += load.faults + (not calm.served or max(calm.served) > CALM_S)
            if strict and number == CONNECTIONS[0]:
                bad += (load.rate < RATE) + (load.p99 > P99_S)
            elif strict:
                bad += load.p99 > CROWDED_P99_S
            trials += load.statuses.total()
            notes.append(
                f"{number} connections {load.rate:.0f}/s, p99 {1000 * load.p99:.0f} ms, "
                f"{load.statuses[BUSY]} refused"
            )
    return Figure("S3", trials, bad, note="; ".join(notes))


CALM_S = 1.0


@contextmanager
def _coordinator(*, mutant: bool) -> Iterator[tuple[int, list[str]]]:
    """Its port, and tokens of its home."""
    with folder() as home:
        variables = {**os.environ, "STEELYARD_HOME": str(home), "STEELYARD_LOG": "error"}
        now = datetime.now(UTC)
        tokens = [create(home, "viewer", 1, now)[0] for _ in range(TOKENS)]
        sockets = bound(("127.0.0.1",), 0)
        port = port_of(sockets)
        child = FORK.Process(target=_serve, args=(variables, sockets, mutant))
        child.start()
        try:
            while health("coordinator", port) != OK:
                time.sleep(0.05)
            yield port, tokens
        finally:
            child.terminate()
            child.join()


def _serve(variables: Mapping[str, str], sockets: Sequence[socket.socket], mutant: bool) -> None:
    """A coordinator; what it says is shown to nobody."""
    count = itertools.count(1)

    def faulty(self: Answers, address: str, state: object) -> Response | None:
        """What the mutant does."""
        if next(count) % 50 == 0:
            raise ArithmeticError
        return GET(self, address, state)

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with patch.object(Answers, "get", faulty) if mutant else nullcontext():
        run(Order("coordinator", Topology(), variables), sockets)


GET = Answers.get


def _loaded(port: int, tokens: list[str], connections: int, seconds: float) -> Load:
    """What that many connections got, from a process that does nothing else."""
    with ProcessPoolExecutor(1, mp_context=FORK) as pool:
        return pool.submit(load_of, port, tokens, connections, seconds).result()


def load_of(port: int, tokens: list[str], connections: int, seconds: float) -> Load:
    """Ask for so many seconds over so many connections."""
    load, end = Load(), time.monotonic() + seconds

    async def all_at_once() -> None:
        turns = itertools.cycle(tokens)
        asking = [_asking(port, turns, load, end) for _ in range(connections)]
        await asyncio.gather(*asking)

    start = time.monotonic()
    asyncio.run(all_at_once())
    load.seconds = time.monotonic() - start
    return load


async def _asking(port: int, turns: Iterator[str], load: Load, end: float) -> None:
    """One connection: a request after the other; opened again where it was closed."""
    streams, paths = None, itertools.cycle(PATHS)
    while time.monotonic() < end:
        if streams is None:
            streams = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = streams
        head = (
            f"GET {next(paths)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Authorization: Bearer {next(turns)}\r\n\r\n"
        )
        start = time.monotonic()
        try:
            writer.write(head.encode())
            status, wait = await _answer(reader)
        except (OSError, asyncio.IncompleteReadError):
            status, wait, streams = CUT, 0.0, None
        load.statuses[status] += 1
        if status == OK:
            load.served.append(time.monotonic() - start)
        await asyncio.sleep(wait)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, float]:
    """The status of an answer that is read whole, and how long it asks to wait."""
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    fields = dict(line.split(b": ", 1) for line in lines if line)
    await reader.readexactly(int(fields[b"content-length"]))
    return int(status.split(b" ", 2)[1]), float(fields.get(b"retry-after", 0))


if __name__ == "__main__":
    script(measure)
