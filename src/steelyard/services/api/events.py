"""`/events`: what happens, as it happens, as server-sent events; and what happened since.

Each event has an id: whoever was cut off sends the last one as Last-Event-ID and misses nothing.
Pages of other places, and more streams than there are places for, are refused by the gate.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field

from steelyard.runs.happened import Place, Reader, Wanted, document
from steelyard.services.api.fields import Answer, Here
from steelyard.services.security.roles import caller_of, needs
from steelyard.services.security.standing import stands
from steelyard.store.strategies import LONGEST_NAME

router = APIRouter(tags=["events"])

POLL_SECONDS = 0.25
"""Between two looks, which cost nothing while nothing is written."""
AT_ONCE = 200
"""Events of one reading: what is old is not held in memory whole."""
LONGEST_SECONDS = 600.0
"""After which a stream ends, so that no token outlives it by more: who listens comes again."""
AGAIN_MS = 1000
LONGEST_ID = 40


class Filters(Answer):
    """Query of the stream."""

    bucket: Annotated[
        str | None,
        Field(min_length=1, max_length=LONGEST_NAME, description="only of this bucket"),
    ] = None
    type: Annotated[
        str | None,
        Field(min_length=1, max_length=LONGEST_NAME, description="only of this type"),
    ] = None
    after: Annotated[
        str | None,
        Field(
            max_length=LONGEST_ID,
            description="begin behind this id, 0 = with the first; by default "
            "with what happens from now on",
        ),
    ] = None


def reader_of(
    here: Here,
    filters: Annotated[Filters, Query()],
    last_event_id: Annotated[str | None, Header(max_length=LONGEST_ID)] = None,
) -> Reader:
    """Who reads on behind the last event that the caller has, by default from now on."""
    reader = Reader(here.store, here.home, Wanted(filters.bucket, filters.type))
    reader.check()
    after = last_event_id or filters.after
    reader.place = reader.end() if after is None else Place.parse(after)
    return reader


@router.get(
    "/events",
    dependencies=[needs("viewer")],
    response_class=EventSourceResponse,
    summary="What happens, as it happens",
)
async def stream(
    here: Here, request: Request, reader: Annotated[Reader, Depends(reader_of)]
) -> AsyncIterator[ServerSentEvent]:
    """Events, each with its id, its type, and its five fields as JSON.

    The first message has an id alone: the place from which on there will be events. A stream ends
    with the session or the token that it was opened with.
    """
    caller = caller_of(request)
    yield ServerSentEvent(id=str(reader.place), retry=AGAIN_MS)
    ends, seen = anyio.current_time() + LONGEST_SECONDS, None
    while anyio.current_time() < ends:
        state = await to_thread.run_sync(here.state)
        if state is None or state != seen:
            if not await to_thread.run_sync(stands, here, caller):
                return
            before = reader.place
            for place, event in await to_thread.run_sync(lambda: reader.next(most=AT_ONCE)):
                yield ServerSentEvent(data=document(event), event=event.event_type, id=str(place))
            if reader.place != before:
                continue  # there may be more
            seen = state
        await anyio.sleep(POLL_SECONDS)
