"""`/plans/new`, `POST /plans`: a bucket planned by mode, amount and day.

Without scripts the browser waits for the plan. With scripts the form becomes what is happening, see
`jobs`, and then the page of the plan.
"""

from __future__ import annotations

from typing import cast

from anyio import from_thread, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from steelyard.errors import SteelyardError
from steelyard.runs.asked import MODES, Asked, asked_of
from steelyard.runs.stored import order_of
from steelyard.services.api.fields import Here
from steelyard.services.api.keeping import planned
from steelyard.services.house import House
from steelyard.services.observing import observer
from steelyard.services.problems import status_of
from steelyard.services.security.roles import needs
from steelyard.store import plans
from steelyard.telemetry.events import Event, Observe
from steelyard.web.asking import Filled, asking
from steelyard.web.forms import SEE_OTHER, Posted
from steelyard.web.jobs import jobs_of
from steelyard.web.plans import address_of, plan_page
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/plans/new", dependencies=[needs("viewer")])
def new(
    request: Request,
    here: Here,
    bucket: str = "",
    mode: str = MODES[0],
    amount: str = "",
    currency: str = "",
    date: str = "",
) -> Response:
    """What shall be planned?"""
    filled = Filled(bucket, mode, amount, currency, date)
    return page(request, "plan_new.html", at="plans", **asking(here, filled))


@router.post("/plans", dependencies=[needs("planner")])
async def create(request: Request, here: Here, form: Posted) -> Response:
    """Plan it, keep the plan, and go to its page."""
    filled = Filled.of(form)
    try:
        if request.headers.get("hx-request"):
            return await form.once(lambda: _begun(request, here, filled))
        async with here.planning:
            return await form.once(lambda: _planned(here, filled))
    except SteelyardError as error:
        return await to_thread.run_sync(shown_again, request, here, filled, error)


@router.get("/plans/jobs/{job_id}", dependencies=[needs("planner")])
def job(request: Request, here: Here, job_id: str) -> Response:
    """How far is it?"""
    begun = jobs_of(request.app).get(job_id)
    if begun.address:
        if request.headers.get("hx-request"):
            return Response(headers={"HX-Redirect": begun.address})
        return RedirectResponse(begun.address, SEE_OTHER)
    filled = cast(Filled, begun.subject)
    if begun.error is not None:
        return shown_again(request, here, filled, begun.error)
    return page(request, "plan_job.html", at="plans", part="asks", job=begun, filled=filled)


def shown_again(request: Request, here: House, filled: Filled, error: SteelyardError) -> Response:
    """The page that the form was sent from, with what was typed and what is wrong; blocks."""
    status = status_of(error)
    if filled.of_plan:
        return plan_page(request, here, filled.of_plan, filled=filled, error=error, status=status)
    more = asking(here, filled, error)
    return page(request, "plan_new.html", at="plans", part="asks", status=status, **more)


def _asked(here: House, filled: Filled) -> Asked:
    """What is asked, checked as far as that takes no time; raises SteelyardError; blocks."""
    order = order_of(here.store(), here.planners(), filled.bucket)
    asked = filled.asked(order.inputs.snapshot.base_currency)
    asked_of(order, asked)
    return asked


def _planned(here: House, filled: Filled) -> str:
    asked = _asked(here, filled)
    return address_of(planned(here, filled.bucket, 0, asked=asked))


def _begun(request: Request, here: House, filled: Filled) -> str:
    """Begin to plan in a thread of its own; where to ask how far it is."""
    asked = _asked(here, filled)
    before = plans.listed(here.store(), bucket=filled.bucket, most=1)
    about = next((row.sequences for row in before), None)
    note = observer(here)

    def work(tell: Observe) -> str:
        def observe(event: Event) -> None:
            note(event)
            tell(event)

        return address_of(planned(here, filled.bucket, 0, observe, asked))

    begun = from_thread.run_sync(jobs_of(request.app).begin, filled, about, work, here.planning)
    return f"/plans/jobs/{begun.id}"
