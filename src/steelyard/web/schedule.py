"""`/schedule`: what is planned by itself, what came of it, and who is told.

The page shows and changes schedules; nothing here looks what is due: that is `steelyard watch`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from steelyard.errors import (
    ChangedMeanwhile,
    Fault,
    InputError,
    NotStored,
    SettingsError,
    SteelyardError,
)
from steelyard.services.api.fields import BucketInPath, Here, changing
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.roles import needs
from steelyard.store import schedules
from steelyard.store.assignments import check_bucket
from steelyard.store.store import Store
from steelyard.store.strategies import LONGEST_NAME
from steelyard.telemetry import structured
from steelyard.watch import board
from steelyard.watch.board import Row
from steelyard.watch.channels import Way
from steelyard.watch.due import WEEKDAYS, read_moment
from steelyard.watch.schedule import Schedule, of_values
from steelyard.watch.turn import looking
from steelyard.web import schedule_words
from steelyard.web.forms import Form, Posted
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

MOST_TICKS = 200
TEXTS = ("on", "at", "zone", "exchange")
"""Fields of a schedule that are typed."""
FIELDS = frozenset({"every", "weekday", *TEXTS, "bands"})
BucketAsked = Annotated[str | None, Query(min_length=1, max_length=LONGEST_NAME)]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told: the channels that are set, or why that cannot be said."""

    ways: tuple[Way, ...] = ()
    faults: Sequence[Fault] = ()


def audience_of(house: House) -> Audience:
    """The channels of a house."""
    try:
        return Audience(board.channels(house.store(), house.variables))
    except SettingsError as error:
        return Audience(faults=error.faults)


@router.get("/schedule", dependencies=[needs("planner")])
def overview(request: Request, here: Here) -> Response:
    """What is due by itself?"""
    store = here.store()
    rows, now = board.rows(store, here.variables), store.now()
    return page(
        request,
        "schedule.html",
        at="schedule",
        rows=rows,
        at_now=now,
        head=schedule_words.finding(rows, now),
        looks=looking(store),
        looked=schedules.last_look(store),
        channels=audience_of(here),
        say=schedule_words,
    )


@router.get("/schedule/ticks", dependencies=[needs("planner")])
def ticks(request: Request, here: Here, bucket: BucketAsked = None) -> Response:
    """What came of each time that something was due?"""
    store = here.store()
    if bucket is not None:
        _check_bucket(store, bucket)
    rows = board.ticks(store, bucket, MOST_TICKS)
    return page(
        request,
        "schedule_ticks.html",
        at="schedule",
        bucket=bucket,
        ticks=rows,
        head=schedule_words.history(rows, bucket, MOST_TICKS),
        most=MOST_TICKS,
        say=schedule_words,
    )


@router.get("/buckets/{bucket}/schedule", dependencies=[needs("planner")])
def one(request: Request, here: Here, bucket: BucketInPath) -> Response:
    """When is a bucket due?"""
    return _page(request, here, bucket)


@router.post("/buckets/{bucket}/schedule", dependencies=[needs("planner")])
async def change(request: Request, here: Here, form: Posted, bucket: BucketInPath) -> Response:
    """Save, remove, mute or unmute; or the page again with why not."""
    try:
        return await form.once(partial(_changed, here, form, bucket))
    except NotStored:
        raise
    except SteelyardError as error:
        structured.bind(code=error.faults[0].code)  # for the line of the log
        return await to_thread.run_sync(
            partial(_page, request, here, bucket, form=form, error=error)
        )


def _changed(here: House, form: Form, bucket: str) -> str:
    """Where it led; blocks."""
    store, by = changing(here), form.by.token_id
    work, seen = form.text("do"), form.text("seen")
    if work == "remove":
        board.remove(store, bucket, by, seen=seen)
        return "/schedule"
    if work == "unmute":
        board.mute(store, bucket, None, by)
    elif work == "mute":
        board.mute(store, bucket, _until(store, here.variables, bucket, form.text("until")), by)
    elif work == "text":
        text = form.fields.get("toml", "").replace("\r\n", "\n")
        board.put(store, bucket, text, by, source="the text", seen=seen)
    else:
        board.put_schedule(
            store, bucket, of_values(_values(form.fields), "the form"), by, seen=seen
        )
    return f"/buckets/{quote(bucket, safe='')}/schedule"


def _until(store: Store, variables: Mapping[str, str], bucket: str, text: str) -> datetime:
    """The end of a silence, in UTC, of a day or a time by the schedule's own clock."""
    schedule = _row_of(store, variables, bucket).schedule
    moment = read_moment(text, UTC if schedule is None else schedule.where)
    if moment is None:
        raise InputError(
            f"{text[:80]!r} is no day like 2026-12-31. Nothing was changed. Name the first day on "
            "which it is to be told again.",
            code="mute_no_day",
            place="until",
            value=text[:80],
            hint="2026-12-31",
        )
    return moment


def _values(fields: Mapping[str, str]) -> dict[str, Any]:
    """What a form says, as a text of TOML would have it; an empty field is not set."""
    texts = {name: fields.get(name, "").strip() for name in ("every", *TEXTS)}
    values: dict[str, Any] = {name: text for name, text in texts.items() if text}
    if values.get("every") == "once":
        del values["every"]
        values.setdefault("on", "")  # a day is asked for, and its error says what it looks like
    elif values.get("every"):
        values.pop("on", None)
    if values.get("every") == "weekly" and fields.get("weekday"):
        values["weekday"] = fields["weekday"]
    return values | ({"bands": True} if fields.get("bands") else {})


def _row_of(store: Store, variables: Mapping[str, str], bucket: str) -> Row:
    """The row of a bucket; raises NotStored where there is no such bucket."""
    _check_bucket(store, bucket)
    return next(row for row in board.rows(store, variables) if row.bucket == bucket)


def _check_bucket(store: Store, bucket: str) -> None:
    with store.reading() as connection:
        check_bucket(connection, bucket)


def _page(
    request: Request,
    here: House,
    bucket: str,
    *,
    form: Form | None = None,
    error: SteelyardError | None = None,
) -> Response:
    """The page of a bucket as it is now, with what was typed; blocks."""
    store = here.store()
    row, now = _row_of(store, here.variables, bucket), store.now()
    typed = {} if form is None else form.fields
    stored = "" if row.scheduled is None else row.scheduled.toml
    work = "" if form is None else form.text("do")
    faults = () if error is None else error.faults
    places = {fault: _field(fault, work) for fault in faults}
    by_field: dict[str, str] = {}
    for fault, place in places.items():
        by_field[place] = f"{by_field.get(place, '')} {fault.message}".strip()
    return page(
        request,
        "schedule_bucket.html",
        at="schedule",
        status=200 if error is None else status_of(error),
        row=row,
        at_now=now,
        fields=typed if work == "save" else _typed(row.schedule),
        text=typed.get("toml", stored) if work == "text" else stored,
        until=typed.get("until", ""),
        work=work,
        by_field=by_field,
        faults=[fault for fault, place in places.items() if not place],
        refused=error is not None,
        moved=isinstance(error, ChangedMeanwhile),
        seen="" if row.scheduled is None else row.scheduled.sha256,
        head=schedule_words.of_bucket(row, now),
        weekdays=[(day, day.capitalize()) for day in WEEKDAYS],
        looks=looking(store),
        looked=schedules.last_look(store),
        last=board.ticks(store, bucket, 5),
        say=schedule_words,
    )


def _typed(schedule: Schedule | None) -> dict[str, str]:
    """A schedule as fields of the form."""
    if schedule is None:
        return {"every": "daily", "at": "09:30", "zone": "UTC", "bands": ""}
    return {
        "every": "once" if schedule.on is not None else schedule.every or "",
        "weekday": schedule.weekday,
        "on": "" if schedule.on is None else str(schedule.on),
        "at": f"{schedule.at:%H:%M}",
        "zone": schedule.zone,
        "exchange": schedule.exchange or "",
        "bands": "on" if schedule.bands else "",
    }


def _field(fault: Fault, work: str) -> str:
    """The field under which a fault is shown; "" = above the form."""
    name = fault.place.removeprefix("schedule.")
    if work == "text":
        return "toml"
    if work == "mute":
        return "until"
    return name if name in FIELDS else ""
