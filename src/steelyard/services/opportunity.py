"""POST /opportunity/identify: the candidate table of a context, or of a request that is whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Tag

from steelyard.services.carriage.carried import identified
from steelyard.services.carriage.messages import Asked, StepForm
from steelyard.services.contexts import add_contexts, task_of
from steelyard.services.documents import asked as documents
from steelyard.services.either import OURS, WHOLE, by
from steelyard.services.observing import meters_of
from steelyard.services.security.roles import needs
from steelyard.services.wire import IdentifyOpportunitiesRequest, IdentifyOpportunitiesResponse

router = APIRouter(tags=["opportunity"])
add_contexts(router, "opportunity")

Body = Annotated[
    Annotated[Asked, Tag(OURS)] | Annotated[IdentifyOpportunitiesRequest, Tag(WHOLE)],
    by("context", Asked),
]


@router.post("/opportunity/identify", dependencies=[needs("planner")])
def identify(request: Request, body: Body) -> StepForm | IdentifyOpportunitiesResponse:
    """Opportunities in the documents' five lists; of a context the table, and what it took."""
    if isinstance(body, Asked):
        return identified(task_of(request, body), meters_of(request).modules)
    return documents.identify(body)
