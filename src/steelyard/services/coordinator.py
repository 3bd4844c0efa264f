"""POST /coordinator/create-plan, and /planning/create, its older name: a whole plan.

The coordinator is the planner, its steps carried by services: see `remote`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from anyio import to_thread
from fastapi import APIRouter, Request

from steelyard.errors import ServiceError
from steelyard.services.api.keeping import planned
from steelyard.services.documents import asked as documents
from steelyard.services.documents.asked import Counts, response_of
from steelyard.services.house import House
from steelyard.services.observing import carriage, observer
from steelyard.services.security.roles import needs
from steelyard.services.wire import (
    BucketRequest,
    CreatePlanRequest,
    CreatePlanResponse,
    PlanRequest,
)

router = APIRouter(tags=["coordinator"], dependencies=[needs("planner")])

GRACE = 1.1
"""A plan that has not come by then is not waited for; by the time itself it left out the rest."""


@router.post("/coordinator/create-plan")
async def create_plan(request: Request, body: PlanRequest) -> CreatePlanResponse:
    """The plan of a whole request, or of a stored bucket, and what making it took."""
    house: House = request.app.state.house
    if isinstance(body, BucketRequest):
        return await _within(house, partial(of_bucket, house, body.bucket))
    return await _within(house, partial(of_request, house, body))


@router.post("/planning/create")
async def create(request: Request, body: PlanRequest) -> CreatePlanResponse:
    """The same under its older name."""
    return await create_plan(request, body)


def of_request(house: House, body: CreatePlanRequest) -> CreatePlanResponse:
    """The plan of a whole request; blocks."""
    answer = documents.create(
        body, house.steps(), observer(house), house.meters.modules, house.calculations
    )
    notices = (*answer.document["warnings"], *answer.document["problems"])
    carriage((notice["code"], notice["message"]) for notice in notices)
    return answer


def of_bucket(house: House, bucket: str) -> CreatePlanResponse:
    """The next plan of a bucket, kept; blocks."""
    counts, start = Counts(observer(house)), house.seconds()
    plan = planned(house, bucket, 0, counts.tell).plan
    return response_of(plan, counts, house.seconds() - start, 1)


async def _within(house: House, work: Callable[[], CreatePlanResponse]) -> CreatePlanResponse:
    """What the work gives, in a thread, where as many plan at once as there are processors."""
    seconds = house.topology.coordinator.timeout_seconds
    try:
        async with asyncio.timeout(GRACE * seconds):
            return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=house.planning)
    except TimeoutError as error:
        raise ServiceError(
            f"The plan took longer than {seconds:g} s and is not waited for. Ask again later, or "
            "raise COORDINATOR_TIMEOUT.",
            code="coordinator_timeout",
            place="COORDINATOR_TIMEOUT",
            limit=seconds,
            hint="raise COORDINATOR_TIMEOUT",
        ) from error
