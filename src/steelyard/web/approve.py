"""`/plans/{id}/approve`: do I stand behind this?

The page is gathered anew when the word is typed: what changed meanwhile is answered with 409 and
the difference, what was typed wrong with 422 at its field, and nothing of it is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from steelyard.errors import ChangedMeanwhile, Fault, NotStored, SteelyardError
from steelyard.report.exhibits.time_axis import length
from steelyard.runs.approval import (
    ApprovalFacts,
    ChangedSince,
    Surroundings,
    Word,
    approve,
    facts,
    facts_of,
    runner_now,
)
from steelyard.services.api.fields import Here
from steelyard.services.api.plans import PlanInPath
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.roles import needs
from steelyard.telemetry import structured
from steelyard.web.asking import asked_query
from steelyard.web.forms import SEE_OTHER, Form, Posted
from steelyard.web.plans import drawn_plan
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

Broker = Literal["paper", "alpaca"]
FIELDS = frozenset({"confirm", "read"})
"""Fields under which their own fault is shown; others stand above the form."""


@router.get("/plans/{plan_id}/approve", dependencies=[needs("operator")])
def look(
    request: Request, here: Here, plan_id: PlanInPath, broker: Annotated[Broker, Query()] = "paper"
) -> Response:
    """What there is to see, and the number to type."""
    entry = drawn_plan(request, here, plan_id).stored
    shown = facts_of(here.store(), _where(here), entry, here.utc(), broker)
    whole = shown.entry.row.plan_id
    if plan_id != whole:
        return RedirectResponse(f"/plans/{whole}/approve", SEE_OTHER)
    return _page(request, here, shown)


@router.post("/plans/{plan_id}/approve", dependencies=[needs("operator")])
async def word(request: Request, here: Here, form: Posted, plan_id: PlanInPath) -> Response:
    """The word: recorded and handed over, or the page again with why not."""
    try:
        return await form.once(partial(_approved, here, form, plan_id))
    except NotStored:
        raise
    except SteelyardError as error:
        return await to_thread.run_sync(_again, request, here, form, plan_id, error)


def _approved(here: House, form: Form, plan_id: str) -> str:
    """Where it led: the run, or the page that says what has and has not happened; blocks."""
    if form.text("plan_id") != plan_id:
        raise ChangedMeanwhile(
            f"The form is of the plan {form.text('plan_id')[:12]!r}, the page of {plan_id[:12]}. "
            "Nothing was approved and nothing was sent. Look again.",
            code="approval_of_another",
            place="plan_id",
            value=form.text("plan_id"),
            limit=plan_id,
            hint="look again",
        )
    typed = Word(
        plan_id=plan_id,
        expires=form.text("expires"),
        typed=form.text("confirm"),
        by=form.by.token_id,
        read=_read(form),
        seen=form.text("seen"),
        broker=_broker(form),
    )
    approval = approve(here.store(), _where(here), typed, here.utc()).approval
    return f"/runs/{approval.run_id}" if approval.run_id else f"/plans/{plan_id}/approve"


def _again(
    request: Request, here: House, form: Form, plan_id: str, error: SteelyardError
) -> Response:
    """The page as it is now, with what was typed and why it was not taken; blocks."""
    structured.bind(code=error.faults[0].code)  # for the line of the log
    shown = facts(here.store(), _where(here), plan_id, here.utc(), _broker(form))
    differences = error.differences if isinstance(error, ChangedSince) else ()
    return _page(
        request,
        here,
        shown,
        status=status_of(error),
        typed=form.text("confirm"),
        read=_read(form),
        faults=error.faults,
        differences=differences,
    )


def _where(here: House) -> Surroundings:
    return Surroundings(home=here.home, environment=here.variables)


def _broker(form: Form) -> Broker:
    return "alpaca" if form.text("broker") == "alpaca" else "paper"


def _read(form: Form) -> tuple[str, ...]:
    return tuple(value for name, value in form.every if name == "read")


def _page(
    request: Request,
    here: House,
    shown: ApprovalFacts,
    *,
    status: int = 200,
    faults: Sequence[Fault] = (),
    **more: Any,
) -> Response:
    values: dict[str, Any] = {"typed": "", "read": (), "differences": ()} | more
    by_field = {fault.place: fault.message for fault in faults if fault.place in FIELDS}
    seconds = (shown.expires_at - shown.at).total_seconds()
    return page(
        request,
        "approve.html",
        at="plans",
        status=status,
        shown=shown,
        plan=shown.entry.plan,
        asked_query=asked_query(shown.entry.plan),
        row=shown.entry.row,
        left=length(max(seconds, 0)),
        runner=runner_now(here.home) if shown.armable else "",
        faults=[fault for fault in faults if fault.place not in FIELDS],
        by_field=by_field,
        **values,
    )
