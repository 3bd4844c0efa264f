"""Services in this process, asked without sockets, that fail as they are told to.

    with carrying(evaluators=3) as carried:
        carried.fail("evaluator", 1, Fault.DEAD)
        world.plan(steps=carried.steps())

Every instance is an application of its own, as over sockets; the clock of circuits is given.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import cast

import httpx2
from fastapi import FastAPI

from steelyard.planning.solve import Steps
from steelyard.services.applications import application
from steelyard.services.carriage.carrier import Carrier
from steelyard.services.house import House
from steelyard.services.remote import Remote, carried
from steelyard.services.security.tokens import own_token
from steelyard.services.topology import NAMES, Instance, Name, Topology

PORTS = {"opportunity": 8008, "generator": 8009, "evaluator": 8010, "coordinator": 8011}
APART = 20
"""Ports between two instances of one service, beyond those of the documents."""


class Fault(Enum):
    """What an instance does in place of answering."""

    DEAD = "refuses the connection"
    LOST = "does the work, and its answer never comes"
    SLOW = "answers after the deadline"
    BROKEN = "answers 500"
    BUSY = "answers 429"
    GARBAGE = "answers bytes that are no JSON"
    WRONG = "answers JSON of another form"
    OTHER = "answers NaN scores of another batch"
    FORGETFUL = "forgets what it was sent, always"


Rule = Callable[[httpx2.Request, int], Fault | None]
"""Request, how many came before it to that instance -> what is done to it."""


@dataclass
class Transport(httpx2.AsyncBaseTransport):
    """Requests to applications by port; `rules` by port make them fail."""

    apps: dict[int, httpx2.AsyncBaseTransport]
    rules: dict[int, Rule] = field(default_factory=dict)
    seen: list[tuple[int, str, str]] = field(default_factory=list)
    slow_seconds: float = 60.0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        port = cast(int, request.url.port)
        before = sum(entry[0] == port for entry in self.seen)
        self.seen.append((port, request.method, request.url.path))
        rule = self.rules.get(port)
        fault = None if rule is None else rule(request, before)
        if fault in (Fault.DEAD, None):
            if fault is Fault.DEAD:
                raise httpx2.ConnectError("connection refused", request=request)
            return await self.apps[port].handle_async_request(request)
        return await self._failing(request, port, cast(Fault, fault))

    async def _failing(self, request: httpx2.Request, port: int, fault: Fault) -> httpx2.Response:
        if fault is Fault.LOST:
            await self.apps[port].handle_async_request(request)
            raise httpx2.ReadError("connection reset", request=request)
        if fault is Fault.SLOW:
            await asyncio.sleep(self.slow_seconds)
            return await self.apps[port].handle_async_request(request)
        status, body = {
            Fault.BROKEN: (500, b"{}"),
            Fault.BUSY: (429, b"{}"),
            Fault.GARBAGE: (200, b"\x00\xff not json"),
            Fault.WRONG: (200, b'{"status": "up"}'),
            Fault.FORGETFUL: (404, b"{}"),
            Fault.OTHER: (
                200,
                b'{"number": 0, "net": {"dtype": "<f8", "shape": [1], "data": "AAAAAAAA+H8="}}',
            ),
        }[fault]
        return httpx2.Response(status, content=body, request=request)


@dataclass
class Carried:
    """Services, and what carries plans to them."""

    topology: Topology
    transport: Transport
    carrier: Carrier
    apps: dict[int, FastAPI]

    def steps(self, seconds: float | None = None) -> Steps:
        """Of one plan, that has so many seconds."""
        return carried(self.carrier, seconds)

    @property
    def remote(self) -> Remote:
        """Of any number of plans."""
        return Remote(self.topology, "", self.carrier)

    def instance(self, name: Name, index: int = 0) -> Instance:
        return self.topology.service(name).instances[index]

    def fail(self, name: Name, index: int, fault: Fault, when: Rule | None = None) -> None:
        """Have an instance fail, at each request or at those of a rule."""
        always: Rule = lambda request, before: fault  # noqa: E731
        self.transport.rules[self.instance(name, index).port] = when or always

    def asked(self, name: Name, path: str) -> int:
        """How often a path of a service was asked for."""
        ports = {each.port for each in self.topology.service(name).instances}
        return sum(port in ports and where.endswith(path) for port, _, where in self.transport.seen)


@contextmanager
def carrying(
    home: Path, *, evaluators: int = 3, topology: Topology | None = None
) -> Iterator[Carried]:
    """One opportunity service, one generator, so many evaluators."""
    ports: dict[Name, list[int]] = {
        name: [PORTS[name] + k * APART for k in range(evaluators if name == "evaluator" else 1)]
        for name in NAMES
        if name != "coordinator"
    }
    topology = (topology or Topology()).moved(ports)
    variables = {**os.environ, "STEELYARD_HOME": str(home)}
    houses = [
        (name, port, House(variables, port=port, topology=topology))
        for name, numbers in ports.items()
        for port in numbers
    ]
    apps = {port: application(name, house) for name, port, house in houses}
    transport = Transport({port: httpx2.ASGITransport(app) for port, app in apps.items()})
    token = own_token(houses[0][2])
    carrier = Carrier(topology, lambda: token, transport)
    try:
        yield Carried(topology, transport, carrier, apps)
    finally:
        carrier.close()
        for _, _, house in houses:
            house.close()
