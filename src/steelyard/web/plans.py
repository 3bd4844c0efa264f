"""`/plans`: what was planned when, a plan with its reasons, and why one symbol is traded or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from steelyard.errors import InputError, SteelyardError
from steelyard.planning.questions.deposit import deposit_of
from steelyard.plans.story import known_symbol, symbols_of
from steelyard.report.exhibits.weights import WeightRow, Weights
from steelyard.report.exhibits.why import why as why_of
from steelyard.report.page import render
from steelyard.runs.bucket_plan import Made
from steelyard.runs.listed_plans import listed, with_asked
from steelyard.runs.standing import standing
from steelyard.sentences import FORMATS
from steelyard.services.api.fields import Here
from steelyard.services.api.plans import SAFE, PlanInPath
from steelyard.services.house import House
from steelyard.services.security.roles import needs
from steelyard.store import plans
from steelyard.web.asking import Filled, asking
from steelyard.web.drawn import Drawn, DrawnPlans
from steelyard.web.forms import SEE_OTHER
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

Tab = Literal["trades", "weights", "score", "cash", "alternatives", "not-traded"]
FIRST: Tab = "trades"
Action = Literal["", "act", "hold"]
DRAWER = "drawer"
"""The id of what says why: a browser without scripts goes there."""
LONGEST = 100
"""Characters of a symbol that is sought."""
A_PAGE = 50
"""Plans on a page of the list."""


@router.get("/plans", dependencies=[needs("viewer")])
def list_(
    request: Request, here: Here, bucket: str = "", action: Action = "", after: str = ""
) -> Response:
    """What was planned when?"""
    store = here.store()
    place = plans.place_of(store, after) if after else None
    rows = listed(store, bucket or None, place, A_PAGE + 1, action or None)
    asked = {key: value for key, value in (("bucket", bucket), ("action", action)) if value}
    older = ""
    if len(rows) > A_PAGE:
        older = f"/plans?{urlencode({**asked, 'after': rows[A_PAGE - 1].row.plan_id})}"
    return page(
        request,
        "plans.html",
        at="plans",
        rows=with_asked(store, rows[:A_PAGE]),
        names=plans.buckets(store),
        bucket=bucket,
        action=action,
        older=older,
        newest=f"/plans?{urlencode(asked)}" if after else "",
    )


def address_of(made: Made) -> str:
    """Where a plan that was just made is looked at, which also says that it was there before."""
    return f"/plans/{made.plan.plan_id}{'' if made.is_new else '?planned=again'}"


@router.get("/plans/{plan_id}", dependencies=[needs("viewer")])
def plan(
    request: Request,
    here: Here,
    plan_id: PlanInPath,
    tab: Annotated[Tab, Query()] = FIRST,
    planned: Literal["", "again"] = "",
) -> Response:
    """What is to be done, and why?"""
    drawn = drawn_plan(request, here, plan_id)
    if plan_id != drawn.plan.plan_id:
        return RedirectResponse(f"/plans/{drawn.plan.plan_id}", SEE_OTHER)
    return plan_page(request, here, plan_id, tab=tab, again=planned == "again")


@router.get("/plans/{plan_id}/why", dependencies=[needs("viewer")])
def find(
    request: Request,
    here: Here,
    plan_id: PlanInPath,
    symbol: Annotated[str, Query(max_length=LONGEST)] = "",
    tab: Annotated[Tab, Query()] = FIRST,
) -> Response:
    """Where is this symbol?"""
    shown, query = drawn_plan(request, here, plan_id).plan, "" if tab == FIRST else f"?tab={tab}"
    if not symbol.strip():
        return RedirectResponse(f"/plans/{shown.plan_id}{query}", SEE_OTHER)
    try:
        name = known_symbol(shown, symbol)
    except InputError as error:
        return plan_page(
            request, here, plan_id, tab=tab, sought=symbol, unfound=str(error), status=422
        )
    address = f"/plans/{shown.plan_id}/why/{quote(name, safe='/')}{query}#{DRAWER}"
    return RedirectResponse(address, SEE_OTHER)


@router.get("/plans/{plan_id}/why/{symbol:path}", dependencies=[needs("viewer")])
def why(
    request: Request,
    here: Here,
    plan_id: PlanInPath,
    symbol: str,
    tab: Annotated[Tab, Query()] = FIRST,
) -> Response:
    """What about this symbol?"""
    return plan_page(request, here, plan_id, tab=tab, symbol=symbol)


@router.get("/plans/{plan_id}/report", dependencies=[needs("viewer")])
def report(here: Here, plan_id: PlanInPath) -> HTMLResponse:
    """The report, to keep, print or send."""
    return HTMLResponse(render(plans.load(here.store(), plan_id).plan), headers=SAFE)


def plan_page(
    request: Request,
    here: House,
    plan_id: str,
    *,
    tab: Tab = FIRST,
    symbol: str = "",
    sought: str = "",
    unfound: str = "",
    filled: Filled | None = None,
    error: SteelyardError | None = None,
    status: int = 200,
    again: bool = False,
) -> Response:
    """The page of a plan: a tab of it, the drawer of a symbol, the form as it was filled; blocks.

    sought, unfound   a symbol that was typed, and why there is nothing of it
    again             it was planned just now, and was there before

    Raises NotStored, and InputError for a symbol that the plan says nothing of.
    """
    drawn = drawn_plan(request, here, plan_id)
    shown = drawn.plan
    story = why_of(shown, known_symbol(shown, symbol)) if symbol else None
    bound, address = shown.certificate.search_gap, f"/plans/{shown.plan_id}"
    query = "" if tab == FIRST else f"?tab={tab}"
    filled = filled or replace(Filled.of_made(shown), of_plan=shown.plan_id)
    return page(
        request,
        "plan.html",
        at="plans",
        part=_part(request),
        status=status,
        tab=tab,
        address=address,
        query=query,
        why_link=lambda name: f"{address}/why/{quote(name, safe='/')}{query}#{DRAWER}",
        sought=sought,
        unfound=unfound,
        story=story,
        symbols=symbols_of(shown),
        row=None if story is None else _row(drawn.exhibits["weights"], story.symbol),
        standing=standing(here.store(), drawn.stored),
        deposit=deposit_of(shown),
        gap="" if bound is None else FORMATS["points_up"](bound),
        stored=drawn.stored.row,
        again=again,
        **asking(here, filled, error),
        **drawn.exhibits,
    )


def _part(request: Request) -> str:
    """Which part of the page a script asked for, by the id of what it puts it into."""
    target = request.headers.get("hx-target", "")
    return "asks" if target.endswith("asks") else "drawer"


def _row(weights: Weights, symbol: str) -> WeightRow | None:
    """The strip of a symbol, of what is held or targeted."""
    if weights.strips is None:
        return None
    rows = [*weights.rows, *weights.rest]
    return next((row for row in rows if row.symbol == symbol and row.target is not None), None)


def drawn_plan(request: Request, here: House, plan_id: str) -> Drawn:
    """A plan with its exhibits; raises NotStored; blocks."""
    state = request.app.state
    if not hasattr(state, "drawn_plans"):
        state.drawn_plans = DrawnPlans()
    drawn: DrawnPlans = state.drawn_plans
    return drawn.get(here, plan_id)
