"""POST /generator/generate: sequences in batches, a line each, made as they are sent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Tag

from steelyard.services.carriage.carried import lines
from steelyard.services.carriage.messages import GenerateAsked, LineForm
from steelyard.services.contexts import add_contexts, task_of
from steelyard.services.documents import asked as documents
from steelyard.services.either import OURS, WHOLE, by
from steelyard.services.observing import meters_of
from steelyard.services.security.roles import needs
from steelyard.services.wire import GenerateSequencesRequest, SequenceBatch

router = APIRouter(tags=["generator"])
add_contexts(router, "generator")

Body = Annotated[
    Annotated[GenerateAsked, Tag(OURS)] | Annotated[GenerateSequencesRequest, Tag(WHOLE)],
    by("context", GenerateAsked),
]


Line = LineForm | SequenceBatch


def batches(request: Request, body: Body) -> Iterator[Line]:
    """The batches, of which the first is made: what is refused is refused before a line is sent."""
    if isinstance(body, GenerateAsked):
        task = task_of(request, body)
        rest: Iterator[Line] = lines(task, body.batch_size, meters_of(request).modules)
    else:
        rest = documents.generate(body)
    return chain([*islice(rest, 1)], rest)


@router.post("/generator/generate", dependencies=[needs("planner")])
def generate(batches: Annotated[Iterator[Line], Depends(batches)]) -> Iterator[Line]:
    """Batches as JSON Lines: each is made when the one before was taken."""
    yield from batches
