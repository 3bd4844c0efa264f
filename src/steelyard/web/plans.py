"""`/plans`: what was planned when, a plan with its reasons, and why one symbol is traded or not."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from steelyard.plans.story import known_symbol, story
from steelyard.report.page import render
from steelyard.runs.listed_plans import listed
from steelyard.services.api.fields import Here
from steelyard.services.api.plans import SAFE, PlanInPath
from steelyard.services.security.roles import needs
from steelyard.store import plans
from steelyard.web.drawn import Drawn, DrawnPlans
from steelyard.web.forms import SEE_OTHER
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

Tab = Literal["trades", "weights", "score", "cash", "alternatives", "not-traded"]
MOST_LISTED = 100


@router.get("/plans", dependencies=[needs("viewer")])
def list_(request: Request, here: Here, bucket: str | None = None) -> Response:
    """What was planned when?"""
    rows = listed(here.store(), bucket or None, None, MOST_LISTED)
    return page(request, "plans.html", at="plans", rows=rows, bucket=bucket, most=MOST_LISTED)


@router.get("/plans/{plan_id}", dependencies=[needs("viewer")])
def plan(
    request: Request,
    here: Here,
    plan_id: PlanInPath,
    tab: Annotated[Tab, Query()] = "trades",
) -> Response:
    """What is to be done, and why?"""
    drawn = drawn_plan(request, here, plan_id)
    if plan_id != drawn.plan.plan_id:
        return RedirectResponse(f"/plans/{drawn.plan.plan_id}", SEE_OTHER)
    return page(request, "plan.html", at="plans", tab=tab, story=None, **drawn.exhibits)


@router.get("/plans/{plan_id}/why/{symbol}", dependencies=[needs("viewer")])
def why(request: Request, here: Here, plan_id: PlanInPath, symbol: str) -> Response:
    """What about this symbol?"""
    drawn = drawn_plan(request, here, plan_id)
    entry = story(drawn.plan, known_symbol(drawn.plan, symbol))
    return page(
        request, "plan.html", at="plans", part="drawer", tab="trades", story=entry, **drawn.exhibits
    )


@router.get("/plans/{plan_id}/report", dependencies=[needs("viewer")])
def report(here: Here, plan_id: PlanInPath) -> HTMLResponse:
    """The report, to keep, print or send."""
    return HTMLResponse(render(plans.load(here.store(), plan_id).plan), headers=SAFE)


def drawn_plan(request: Request, here: Here, plan_id: str) -> Drawn:
    """A plan with its exhibits; raises NotStored; blocks."""
    state = request.app.state
    if not hasattr(state, "drawn_plans"):
        state.drawn_plans = DrawnPlans()
    drawn: DrawnPlans = state.drawn_plans
    return drawn.get(here, plan_id)
