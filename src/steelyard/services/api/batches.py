"""`/api/batches`: how far plans are that are made in slices, to be read only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from steelyard.runs.batch.listed import document
from steelyard.services.api.etags import NOT_MODIFIED, IfNoneMatch, etag, is_same
from steelyard.services.api.fields import Answer, Here
from steelyard.services.api.paging import Page, cut
from steelyard.services.api.remembered import Remembered
from steelyard.services.security.roles import needs
from steelyard.store import batches
from steelyard.store.strategies import LONGEST_NAME

router = APIRouter(prefix="/api/batches", tags=["batches"], route_class=Remembered)

RunKey = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="of a run")]


class Batch(Answer):
    """A run: `evaluated` of `total` sequences, in whatever process; `total` is null before every
    sequence was generated.
    """

    run_key: str
    bucket: str
    created_at: str
    touched_at: str
    evaluated: int
    total: int | None
    progress_percentage: float
    final: bool
    errors: int
    plan_id: str | None
    because: str


class Batches(Answer):
    """Runs, last touched first."""

    batches: list[Batch]
    next: str | None


class OfBucket(Page):
    """Query of the list."""

    bucket: Annotated[
        str | None,
        Field(min_length=1, max_length=LONGEST_NAME, description="only of this bucket"),
    ] = None


@router.get("", dependencies=[needs("viewer")], summary="Plans made in slices")
def list_(here: Here, query: Annotated[OfBucket, Query()]) -> Batches:
    """The runs of the buckets, last touched first: the newest of each bucket are kept."""
    rows, then = cut(batches.listed(here.store(), query.bucket), query, lambda run: run.run_key)
    return Batches(batches=[Batch(**document(run)) for run in rows], next=then)


@router.get(
    "/{run_key}",
    dependencies=[needs("viewer")],
    summary="One run",
    response_model=Batch,
    responses=NOT_MODIFIED,
)
def get(
    here: Here, response: Response, run_key: RunKey, if_none_match: IfNoneMatch = None
) -> Batch | Response:
    """How far a run is; its ETag changes with it."""
    with here.store().reading() as connection:
        entry = Batch(**document(batches.of_key(connection, run_key)))
    tag = etag("batch", entry.model_dump_json())
    if is_same(tag, if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return entry
