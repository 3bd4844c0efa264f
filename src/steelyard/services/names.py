"""The documents' names of services: a locator of clients, and services in one's own process.

>>> from steelyard.services.names import get_service_locator
>>> get_service_locator().names
('opportunity', 'generator', 'evaluator', 'coordinator')
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

from steelyard.errors import InputError, SettingsError, did_you_mean
from steelyard.planning.solve import LOCAL, Steps
from steelyard.services.documents.asked import create, evaluate, generate, identify
from steelyard.services.topology import NAMES, Topology
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

if TYPE_CHECKING:
    from steelyard.services.documents.clients import (
        Client,
        CoordinatorClient,
        EvaluatorClient,
        GeneratorClient,
        OpportunityClient,
    )


class LocalOpportunityService:
    """What the opportunity service answers, without it."""

    async def identify_opportunities(
        self, request: IdentifyOpportunitiesRequest
    ) -> IdentifyOpportunitiesResponse:
        """The five lists; raises SteelyardError for what cannot be planned with."""
        return await asyncio.to_thread(identify, request)


class LocalGeneratorService:
    """What the generator service answers, without it."""

    async def generate_sequences(
        self, request: GenerateSequencesRequest
    ) -> AsyncIterator[SequenceBatch]:
        """Batches, each made when it is asked for."""
        batches = await asyncio.to_thread(generate, request)
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            yield batch


class LocalEvaluatorService:
    """What an evaluator answers, without it."""

    async def evaluate_sequences(
        self, request: EvaluateSequencesRequest
    ) -> EvaluateSequencesResponse:
        """The best of the sequences."""
        return await asyncio.to_thread(evaluate, request)


@dataclass(frozen=True)
class LocalCoordinatorService:
    """What the coordinator answers, without it; `steps` carries the pipeline."""

    steps: Steps = LOCAL

    async def create_plan(self, request: CreatePlanRequest) -> CreatePlanResponse:
        """The plan."""
        return await asyncio.to_thread(create, request, self.steps)


@dataclass(frozen=True, repr=False)
class ServiceLocator:
    """Clients of services, wherever the topology says they listen.

    variables   of the environment: where the topology's file and the token are
    topology    in the place of the file's
    """

    variables: Mapping[str, str]
    topology: Topology | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What a client can be made for."""
        return NAMES

    @overload
    def create_http_client(self, name: Literal["opportunity"]) -> OpportunityClient: ...
    @overload
    def create_http_client(self, name: Literal["generator"]) -> GeneratorClient: ...
    @overload
    def create_http_client(self, name: Literal["evaluator"]) -> EvaluatorClient: ...
    @overload
    def create_http_client(self, name: Literal["coordinator"]) -> CoordinatorClient: ...
    def create_http_client(self, name: str) -> Client:
        """A client of the service; of the evaluators each instance has its turn.

        Raises InputError for another name, SettingsError without the extra `server`.
        """
        service = next((each for each in NAMES if each == name), None)
        if service is None:
            near = did_you_mean(name, NAMES)
            raise InputError(
                f"There is no service {name!r}.{near} Known: {', '.join(NAMES)}. Nothing was "
                "asked.",
                code="no_such_service",
                place="create_http_client",
                value=name,
                limit=", ".join(NAMES),
                hint=near.strip(),
            )
        try:
            from steelyard.services.documents.clients import client_here  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"A client of a service needs {error.name}. Nothing was asked. Install it: "
                "pip install 'steelyard[server]'",
                code="no_http_client",
                place=str(error.name),
                hint="pip install 'steelyard[server]'",
            ) from error
        return client_here(service, self.variables, self.topology)


def get_service_locator(
    variables: Mapping[str, str] = os.environ, topology: Topology | None = None
) -> ServiceLocator:
    """The locator of this machine's services; nothing is read before a client is made."""
    return ServiceLocator(variables, topology)
