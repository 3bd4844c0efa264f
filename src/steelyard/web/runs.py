"""`/runs`: what was sent, a run as it goes, where books and broker differ; and the halt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from steelyard.errors import InputError
from steelyard.execution import halt, halting
from steelyard.execution.followed import followed
from steelyard.execution.interrupted import interruptions
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.opening import open_to_look
from steelyard.execution.reconcile.stored import frozen_accounts
from steelyard.execution.run_lines import run_lines
from steelyard.execution.states import RUN_OVER
from steelyard.report.exhibits.following import (
    MOST_EVENTS,
    MOST_ROWS,
    at_broker_words,
    following,
    head_of,
    level_of,
    state_of,
)
from steelyard.services.api.fields import Here
from steelyard.services.house import House
from steelyard.services.security.roles import needs
from steelyard.store import approvals
from steelyard.web.forms import SEE_OTHER, Form, Posted
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

MOST_LISTED = 100
MOST_REASON = 500
ALL_EVENTS = 5000
LONGEST = 64
RunInPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]+$", min_length=1, max_length=LONGEST)]


@router.get("/runs", dependencies=[needs("viewer")])
def list_(request: Request, here: Here) -> Response:
    """What was sent?"""
    with _journal(here) as journal:
        lines = run_lines(journal, MOST_LISTED)
        runs = [line.run for line in lines]
        broken = interruptions(journal, here.home, runs)
        frozen = frozen_accounts(journal)
        going = [followed(journal, run.run_id) for run in runs if run.state not in RUN_OVER]
    return page(
        request,
        "runs.html",
        at="runs",
        lines=lines,
        head=head_of(runs, broken, frozen),
        frozen=frozen,
        broken=broken,
        there=at_broker_words(going),
        out=any(each.at_broker for each in going),
        most=MOST_LISTED,
        state_of=state_of,
        level_of=level_of,
        switch=halt.look(here.home),
    )


@router.get("/runs/{run_id}", dependencies=[needs("viewer")])
def run(
    request: Request,
    here: Here,
    run_id: RunInPath,
    events: Annotated[str, Query(pattern="^(newest|all)$")] = "newest",
) -> Response:
    """What is happening now?"""
    with _journal(here) as journal:
        seen = followed(journal, run_id)
        broken = interruptions(journal, here.home, [seen.run]).get(seen.run.run_id)
    most = MOST_EVENTS if events == "newest" else ALL_EVENTS
    return page(
        request,
        "run.html",
        at="runs",
        part="live",
        seen=seen,
        run=seen.run,
        view=following(seen, here.utc(), most, broken),
        there=at_broker_words([seen]),
        most=MOST_ROWS,
        events=events,
        approval=approvals.of_runs(here.store(), [seen.run.run_id]).get(seen.run.run_id),
        switch=halt.look(here.home),
        fragment=bool(request.headers.get("hx-request")),
    )


@router.get("/runs/{run_id}/breaks", dependencies=[needs("operator")])
def breaks(request: Request, here: Here, run_id: RunInPath) -> Response:
    """Do books and broker agree?"""
    with _journal(here) as journal:
        seen = followed(journal, run_id)
    return page(
        request,
        "breaks.html",
        at="runs",
        seen=seen,
        run=seen.run,
        account=seen.account,
        there=at_broker_words([seen]),
        switch=halt.look(here.home),
    )


@router.post("/halt", dependencies=[needs("operator")])
async def stop(form: Posted, here: Here) -> Response:
    """Nothing new is sent, by nobody, until it is lifted on this machine."""
    # each time it is asked for: a halt that was lifted meanwhile is not one that was made before
    return RedirectResponse(await to_thread.run_sync(_halted, here, form), SEE_OTHER)


def _halted(here: House, form: Form) -> str:
    """Where to look at what it came to; blocks."""
    reason = form.text("reason") or "a person said so on the page"
    if len(reason) > MOST_REASON:
        raise InputError(
            f"The reason has {len(reason)} signs, and {MOST_REASON} are the most. Nothing was "
            "halted. Say it shorter, or leave it out.",
            code="halt_reason_long",
            place="reason",
            value=len(reason),
            limit=MOST_REASON,
        )
    halting.halt(here.home, reason, form.by.token_id, here.utc())
    run = form.text("run")
    return f"/runs/{quote(run, safe='')}" if run else "/runs"


@contextmanager
def _journal(house: House) -> Iterator[Journal]:
    with closing(open_to_look(house.home)) as journal:
        yield journal
