"""`/plans/{a}/vs/{b}`: what differs between two plans, in trades and in money; `/compare` picks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from steelyard.plans.diff import compare
from steelyard.report.exhibits.two_plans import headline, two_plans, unchanged
from steelyard.runs.listed_plans import Listed, listed, with_asked
from steelyard.services.api.fields import Here
from steelyard.services.api.plans import PlanInPath
from steelyard.services.security.roles import needs
from steelyard.store import plans
from steelyard.web.forms import SEE_OTHER
from steelyard.web.plans import drawn_plan
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

MOST_OFFERED = 200
PAIR = 2
Picked = Annotated[list[str] | None, Query()]


@router.get("/compare", dependencies=[needs("viewer")])
def pick(request: Request, here: Here, a: str = "", b: str = "", plan: Picked = None) -> Response:
    """Which two plans? Of two that were picked from a list the older one is A."""
    store = here.store()
    picked = list(dict.fromkeys(plan or ()))
    if len(picked) == PAIR:
        a, b = sorted(picked, key=lambda plan_id: plans.load(store, plan_id).row.saved_at)
    if a and b:
        first, second = (plans.load(store, plan_id).row.plan_id for plan_id in (a, b))
        return RedirectResponse(f"/plans/{first}/vs/{second}", SEE_OTHER)
    rows = listed(store, most=MOST_OFFERED)
    a, b = _nearest(rows, a, b)
    return page(
        request,
        "compare.html",
        at="plans",
        rows=with_asked(store, rows),
        a=a,
        b=b,
        most=MOST_OFFERED,
        picked=len(picked),
    )


@router.get("/plans/{a}/vs/{b}", dependencies=[needs("viewer")])
def versus(request: Request, here: Here, a: PlanInPath, b: PlanInPath) -> Response:
    """What does B do otherwise, and why?"""
    first, second = (drawn_plan(request, here, plan_id) for plan_id in (a, b))
    diff = compare(first.plan, second.plan)
    return page(
        request,
        "versus.html",
        at="plans",
        diff=diff,
        same=diff.same,
        shown=two_plans(diff),
        headline=headline(diff),
        row_head="What",
        sides=((diff.a, first), (diff.b, second)),
        unchanged=unchanged(first.plan, second.plan),
    )


def _nearest(rows: list[Listed], a: str, b: str) -> tuple[str, str]:
    """What the form begins with: the plan that was named, and the one before it of its bucket."""
    ids = [entry.row.plan_id for entry in rows]
    b = next((plan_id for plan_id in ids if b and plan_id.startswith(b)), ids[0] if ids else "")
    if a or not b:
        return a, b
    bucket = rows[ids.index(b)].row.bucket
    others = [entry.row for entry in rows if entry.row.plan_id != b]
    older = [row.plan_id for row in others[max(0, ids.index(b)) :] if row.bucket == bucket]
    return (older or [row.plan_id for row in others] or [""])[0], b
