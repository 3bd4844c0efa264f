"""POST /opportunity/identify: the candidate table of a context."""

from __future__ import annotations

from fastapi import APIRouter, Request

from steelyard.services.carried import identified
from steelyard.services.contexts import add_contexts, task_of
from steelyard.services.messages import Asked, StepForm
from steelyard.services.security.roles import needs

router = APIRouter()
add_contexts(router, "opportunity")


@router.post("/opportunity/identify", dependencies=[needs("planner")], tags=["opportunity"])
def identify(request: Request, asked: Asked) -> StepForm:
    """The table of candidates, and what finding them reported."""
    return identified(task_of(request, asked))
