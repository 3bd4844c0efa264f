"""`/api/plans`: plans of stored buckets: made, listed, explained, compared, drawn."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from steelyard.plans.diff import PlanDiff, compare
from steelyard.plans.plan import Plan
from steelyard.plans.story import known_symbol, story
from steelyard.report.page import render
from steelyard.runs.listed_plans import Listed, document, listed
from steelyard.services.api.etags import NOT_MODIFIED, IfNoneMatch, is_same
from steelyard.services.api.fields import MOST_ID, Answer, Asked, Bucket, Here
from steelyard.services.api.keeping import planned
from steelyard.services.api.paging import Page, bad_place, place
from steelyard.services.api.remembered import Remembered
from steelyard.services.security.roles import needs
from steelyard.store import plans
from steelyard.store.plans import Place, StoredPlan
from steelyard.store.strategies import LONGEST_NAME

router = APIRouter(prefix="/api/plans", tags=["plans"], route_class=Remembered)

LONGEST_SYMBOL = 64
CACHED = {"Cache-Control": "private, immutable, max-age=31536000"}
"""A plan never changes: its id is the hash of its content."""
SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""Of the page: it runs nothing and loads nothing."""
JSON = "application/json"
PlanInPath = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-fA-F]{6,64}$",
        description="a plan's id, or its first digits, 6 or more, that no other has",
    ),
]


class Wish(Asked):
    """Which bucket is to be planned."""

    bucket: Bucket
    seed: Annotated[int, Field(ge=0, le=MOST_ID, description="of the generators")] = 0


class Strategy(Answer):
    """What a plan was made by; version is null of a strategy that is not stored."""

    name: str
    version: int | None
    sha256: str
    title: str


class ListedPlan(Answer):
    """A plan in a list; `cost` is a decimal string in base currency."""

    plan_id: str
    bucket: str
    as_of: str
    saved_at: str
    strategy: Strategy
    action: str
    orders: int
    score: float
    improvement: float
    turnover: float
    cost: str
    base_currency: str
    inputs_sha256: str
    files: list[dict[str, str]]


class Plans(Answer):
    """Stored plans, the newest first."""

    plans: list[ListedPlan]
    next: str | None


class OfBucket(Page):
    """Query of the list."""

    bucket: Annotated[
        str | None,
        Field(min_length=1, max_length=LONGEST_NAME, description="only of this bucket"),
    ] = None


class Symbol(Answer):
    """Query of one symbol."""

    symbol: Annotated[
        str,
        Field(min_length=1, max_length=LONGEST_SYMBOL, description="in upper or lower case"),
    ]


class Story(Answer):
    """All that a plan says of one symbol; entries are those of the plan document."""

    symbol: str
    plan_id: str
    as_of: str
    holding: dict[str, Any] | None
    class_: Annotated[dict[str, Any] | None, Field(alias="class")]
    holding_after: dict[str, Any] | None
    step: dict[str, Any] | None
    candidates: list[dict[str, Any]]
    not_traded: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    data_coverage: list[dict[str, Any]]


@router.post(
    "",
    status_code=201,
    dependencies=[needs("planner")],
    summary="Plan a bucket",
    response_model=Plan,
    responses={200: {"model": Plan, "description": "It was stored already: the same plan."}},
)
async def create(here: Here, body: Wish) -> Response:
    """Plan a stored bucket as it is now, and keep the plan; nothing is sent anywhere.

    The same inputs and rules give the same plan, whoever asks: then it is stored once, and the
    answer is 200.
    """
    plan, is_new = await to_thread.run_sync(
        planned, here, body.bucket, body.seed, limiter=here.planning
    )
    where = {"Location": f"/api/plans/{plan.plan_id}", "ETag": f'"{plan.plan_id}"'}
    return Response(plan.to_json(), 201 if is_new else 200, where, JSON)


@router.get("", dependencies=[needs("viewer")], summary="Stored plans")
def list_(here: Here, query: Annotated[OfBucket, Query()]) -> Plans:
    """The stored plans, the newest first; those that are saved meanwhile are on no later page."""
    rows = listed(here.store(), query.bucket, _place(query), query.limit + 1)
    shown = rows[: query.limit]
    then = _next(shown[-1]) if len(rows) > len(shown) else None
    return Plans(plans=[ListedPlan(**document(row)) for row in shown], next=then)


@router.get(
    "/{plan_id}",
    dependencies=[needs("viewer")],
    summary="One plan",
    response_model=Plan,
    responses=NOT_MODIFIED,
)
def get(here: Here, plan_id: PlanInPath, if_none_match: IfNoneMatch = None) -> Response:
    """The plan document as it was kept, to the byte."""
    stored = plans.load(here.store(), plan_id)
    tag = f'"{stored.plan.plan_id}"'
    headers = {"ETag": tag, **(CACHED if plan_id == stored.plan.plan_id else {})}
    if is_same(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(stored.text, 200, headers, JSON)


@router.get("/{plan_id}/why", dependencies=[needs("viewer")], summary="Why, of one symbol")
def why(here: Here, plan_id: PlanInPath, query: Annotated[Symbol, Query()]) -> Story:
    """Everything that a plan says of a symbol: what is done with it, and what is not."""
    plan = _load(here, plan_id).plan
    return Story(**story(plan, known_symbol(plan, query.symbol)))


@router.get(
    "/{plan_id}/diff/{other_id}", dependencies=[needs("viewer")], summary="Two plans compared"
)
def diff(here: Here, plan_id: PlanInPath, other_id: PlanInPath) -> PlanDiff:
    """What the other plan does otherwise, and why."""
    return compare(_load(here, plan_id).plan, _load(here, other_id).plan)


@router.get(
    "/{plan_id}/report",
    dependencies=[needs("viewer")],
    response_class=HTMLResponse,
    summary="A plan as a page",
)
def report(here: Here, plan_id: PlanInPath) -> HTMLResponse:
    """The report of a plan: one HTML page that runs and loads nothing."""
    return HTMLResponse(render(_load(here, plan_id).plan), headers=SAFE)


def _load(here: Here, plan_id: str) -> StoredPlan:
    return plans.load(here.store(), plan_id)


def _place(page: Page) -> Place | None:
    text = page.place
    if text is None:
        return None
    saved_at, _, plan_id = text.partition("\n")
    try:
        moment = datetime.fromisoformat(saved_at)
    except ValueError as error:
        raise bad_place(page.after) from error
    return Place(moment, plan_id)


def _next(entry: Listed) -> str:
    return place(entry.row.saved_at.isoformat(), entry.row.plan_id)
