"""POST /generator/generate: sequences in batches, a line each, made as they are sent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Depends, Request
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


def begun(request: Request, body: Body) -> Iterator[LineForm | SequenceBatch]:
    """The stream with its first line made: what fails before it is answered as every error is."""
    stream: Iterator[LineForm | SequenceBatch]
    if isinstance(body, GenerateAsked):
        stream = lines(task_of(request, body), body.batch_size, meters_of(request).modules)
    else:
        stream = documents.generate(body)
    return chain([next(stream)], stream)


@router.post("/generator/generate", dependencies=[needs("planner")])
def generate(
    stream: Annotated[Iterator[LineForm | SequenceBatch], Depends(begun)],
) -> Iterator[LineForm | SequenceBatch]:
    """Batches as JSON Lines: each is made when the one before was taken."""
    yield from stream
