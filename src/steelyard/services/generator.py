"""POST /generator/generate: sequences in batches, a line each, made as they are sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Tag

from steelyard.services import asked as documents
from steelyard.services.carried import lines
from steelyard.services.contexts import add_contexts, task_of
from steelyard.services.either import OURS, WHOLE, by
from steelyard.services.messages import GenerateAsked, LineForm
from steelyard.services.observing import meters_of
from steelyard.services.security.roles import needs
from steelyard.services.wire import GenerateSequencesRequest, SequenceBatch

router = APIRouter(tags=["generator"])
add_contexts(router, "generator")

Body = Annotated[
    Annotated[GenerateAsked, Tag(OURS)] | Annotated[GenerateSequencesRequest, Tag(WHOLE)],
    by("context", GenerateAsked),
]


@router.post("/generator/generate", dependencies=[needs("planner")])
def generate(request: Request, body: Body) -> Iterator[LineForm | SequenceBatch]:
    """Batches as JSON Lines: each is made when the one before was taken."""
    if isinstance(body, GenerateAsked):
        yield from lines(task_of(request, body), body.batch_size, meters_of(request).modules)
    else:
        yield from documents.generate(body)
