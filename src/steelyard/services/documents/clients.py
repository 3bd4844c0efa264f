"""Clients of the documents: one service each, asked as a topology says where it listens.

An instance that gives no answer of use is passed over for the next; each of several has its turn.
A refusal is an answer, and is raised.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import httpx2
from pydantic import BaseModel

from steelyard.errors import ServiceError
from steelyard.services.carriage.calls import Calls, Circuits, read, reading
from steelyard.services.carriage.carrier import moment, nobody
from steelyard.services.house import House
from steelyard.services.reading.file import read_topology
from steelyard.services.security.tokens import own_token
from steelyard.services.topology import Instance, Name, Service, Topology
from steelyard.services.wire import (
    CreatePlanRequest,
    CreatePlanResponse,
    EvaluateSequencesRequest,
    EvaluateSequencesResponse,
    GenerateSequencesRequest,
    IdentifyOpportunitiesRequest,
    IdentifyOpportunitiesResponse,
    SequenceBatch,
)
from steelyard.telemetry.breaker import Rules

M = TypeVar("M", bound=BaseModel)


class Health(BaseModel):
    """What a service says of itself."""

    status: str
    checks: dict[str, Any] = {}


@dataclass
class Client:
    """One service; used in one event loop, closed by `async with` or `aclose`."""

    name: Name
    service: Service
    calls: Calls
    _turn: int = field(default=0, repr=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections."""
        await self.calls.client.aclose()

    async def health_check(self) -> Health:
        """How one instance is; raises ServiceError where none answers."""
        return await self._asked("GET", "health", None, Health)

    async def _post(self, path: str, request: BaseModel, answer: type[M]) -> M:
        return await self._asked("POST", path, request, answer)

    async def _asked(self, method: Any, path: str, request: BaseModel | None, answer: type[M]) -> M:
        body = b"" if request is None else request.model_dump_json().encode()
        asked, why = (body, self.service.timeout_seconds), "its circuit is open."
        path = f"/{self.name}/{path}"
        for instance in self._in_turn():
            try:
                return await self.calls.ask(instance, method, path, asked, reading(answer))
            except ServiceError as error:
                if type(error) is not ServiceError:
                    raise
                why = str(error)
        raise nobody(self.name, why)

    def _in_turn(self) -> list[Instance]:
        """Those that may be asked, the next first."""
        usable = self.calls.usable(self.service)
        start = self._turn % max(1, len(usable))
        self._turn += 1
        return [*usable[start:], *usable[:start]]


class OpportunityClient(Client):
    """Of the opportunity service."""

    async def identify_opportunities(
        self, request: IdentifyOpportunitiesRequest
    ) -> IdentifyOpportunitiesResponse:
        """The five lists."""
        return await self._post("identify", request, IdentifyOpportunitiesResponse)


class GeneratorClient(Client):
    """Of the generator service."""

    async def generate_sequences(
        self, request: GenerateSequencesRequest
    ) -> AsyncIterator[SequenceBatch]:
        """Batches, as they come; one instance is asked, for what has come cannot be asked again."""
        body, seconds = request.model_dump_json().encode(), self.service.timeout_seconds
        usable = self._in_turn()
        if not usable:
            raise nobody(self.name, "its circuit is open.")
        instance = usable[0]
        async with self.calls.stream(instance, "/generator/generate", body, seconds) as lines:
            async for line in lines:
                yield read(instance, line, SequenceBatch)


class EvaluatorClient(Client):
    """Of the evaluators: each has its turn."""

    async def evaluate_sequences(
        self, request: EvaluateSequencesRequest
    ) -> EvaluateSequencesResponse:
        """The best of the sequences."""
        return await self._post("evaluate", request, EvaluateSequencesResponse)


class CoordinatorClient(Client):
    """Of the coordinator."""

    async def create_plan(self, request: CreatePlanRequest) -> CreatePlanResponse:
        """The plan."""
        return await self._post("create-plan", request, CreatePlanResponse)


CLIENTS: Mapping[Name, type[Client]] = {
    "opportunity": OpportunityClient,
    "generator": GeneratorClient,
    "evaluator": EvaluatorClient,
    "coordinator": CoordinatorClient,
}


def client_of(
    name: Name,
    topology: Topology,
    token: str,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Client:
    """A client of a service; `transport` carries requests in place of sockets."""
    rules = Rules(failure_threshold=topology.failure_threshold, open_seconds=topology.open_seconds)
    # no redirect is followed and no proxy asked: addresses are the topology's
    client = httpx2.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    calls = Calls(topology, client, Circuits(rules, moment), lambda: headers)
    return CLIENTS[name](name, topology.service(name), calls)


def client_here(name: Name, variables: Mapping[str, str], topology: Topology | None) -> Client:
    """A client with this machine's topology and token."""
    return client_of(name, topology or read_topology(variables), own_token(House(variables)))
