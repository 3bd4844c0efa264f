"""POST /generator/generate: sequences in batches, a line each, made as they are sent."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request

from steelyard.services.carried import lines
from steelyard.services.contexts import add_contexts, task_of
from steelyard.services.messages import GenerateAsked, LineForm
from steelyard.services.security.roles import needs

router = APIRouter()
add_contexts(router, "generator")


@router.post("/generator/generate", dependencies=[needs("planner")], tags=["generator"])
def generate(request: Request, asked: GenerateAsked) -> Iterator[LineForm]:
    """Batches as JSON Lines: each is made when the one before was taken."""
    yield from lines(task_of(request, asked), asked.batch_size)
