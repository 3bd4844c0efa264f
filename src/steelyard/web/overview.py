"""`/`: must I do anything?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from cachetools import LRUCache
from fastapi import APIRouter, FastAPI, Request, Response

from steelyard.errors import SettingsError, SteelyardError
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.states import RunState
from steelyard.report.exhibits.following import broken_words
from steelyard.report.exhibits.run import OUTCOMES
from steelyard.runs.overview import Figures, overview
from steelyard.services.api.fields import Here
from steelyard.services.house import House
from steelyard.services.security.book import entries
from steelyard.services.security.roles import caller_of, needs
from steelyard.store import plans, schedules
from steelyard.store.plans import PlanRow
from steelyard.watch import board
from steelyard.web import schedule_words
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

SOON = timedelta(days=7)
"""Before the end of a token."""
MOST = 1024
"""Plans whose figures are at hand."""


@router.get("/", dependencies=[needs("viewer")])
def show(request: Request, here: Here) -> Response:
    """A line per bucket, what wants attention first."""
    seen, caller = (
        overview(here.store(), here.home, _figures(request.app, here)),
        caller_of(request),
    )
    is_admin = caller is not None and caller.may("admin")
    return page(
        request,
        "overview.html",
        at="overview",
        seen=seen,
        lines=sorted(seen.lines, key=lambda line: (not line.is_locked, ORDER[line.level])),
        **(_ending(here) if is_admin else NO_TOKENS),
        **_due(here),
        ago=lambda then: ago(then, here.utc()),
        state_of=state_of,
        moment_in=schedule_words.moment,
        zone_of=schedule_words.zone_of,
        broken_words=broken_words,
    )


ORDER = {"stop": 0, "warn": 1, "run": 2, "wait": 3, "ok": 4}
"""Problems first."""


STATES = {
    RunState.DRAFT: "Not begun",
    RunState.PLANNED: "Not begun",
    RunState.ARM_REQUESTED: "Waiting for approval",
    RunState.ARMED: "Approved",
    RunState.SELLING: "Selling",
    RunState.SELLS_DONE: "Sold",
    RunState.WAIT_FUNDS: "Waiting for cash",
    RunState.RESIZE_BUYS: "Resizing buys",
    RunState.BUYING: "Buying",
    RunState.RECONCILING: "Reconciling",
    RunState.DONE: "Done",
    RunState.HALTED: "Halted: nothing new is sent",
    RunState.ABORTED: "Ended early",
    RunState.RECOVERING: "Recovering: asking the broker what happened",
    RunState.NEEDS_HUMAN: "Needs you",
}
"""Where a run is, in words."""


def state_of(run: RunRow) -> str:
    """What became of a run, as its own page says it, or where it is."""
    return OUTCOMES[run.outcome] if run.outcome else STATES[run.state]


class _KeptFigures:
    """Figures of plans by their id, the last ones at hand: a plan never changes."""

    def __init__(self, house: House) -> None:
        self._house, self._lock = house, Lock()
        self._kept: LRUCache[str, Figures] = LRUCache(MOST)

    def __call__(self, row: PlanRow) -> Figures:
        """Those of a stored plan; blocks."""
        with self._lock:
            own = self._kept.get(row.plan_id)
        if own is None:
            own = Figures.of(plans.load(self._house.store(), row.plan_id).plan)
            with self._lock:
                self._kept[row.plan_id] = own
        return own


def _figures(app: FastAPI, house: House) -> _KeptFigures:
    if not hasattr(app.state, "figures"):
        app.state.figures = _KeptFigures(house)
    figures: _KeptFigures = app.state.figures
    return figures


def ago(then: datetime, now: datetime) -> str:
    """How long since, in the largest unit: `4 min ago`; it never stands alone."""
    seconds = max(0.0, (now - then).total_seconds())
    for unit, size in UNITS:
        count = int(seconds // size)
        if count:
            return f"{count:,d} {unit}{'s' if count > 1 and unit == 'day' else ''} ago"
    return "just now"


UNITS = (("day", 86_400), ("h", 3_600), ("min", 60))


def _due(here: House) -> dict[str, Any]:
    """The schedule of each bucket that has one; `undue` says why they cannot be told."""
    store = here.store()
    if not schedules.listed(store):
        return {"due": {}, "undue": ""}
    try:
        rows = board.rows(store, here.variables)
    except SettingsError as error:
        return {"due": {}, "undue": str(error)}
    return {"due": {row.bucket: row for row in rows if row.scheduled is not None}, "undue": ""}


NO_TOKENS: Mapping[str, Any] = {"ending": (), "unended": ""}


def _ending(here: House) -> Mapping[str, Any]:
    """Tokens that are valid and end soon, the next first; or why they cannot be told."""
    now: datetime = here.utc()
    try:
        every = entries(here.home)
    except SteelyardError as error:
        return {"ending": (), "unended": str(error)}
    soon = [e for e in every if e.state(now) == "valid" and e.expires_at <= now + SOON]
    return {"ending": sorted(soon, key=lambda entry: entry.expires_at), "unended": ""}
