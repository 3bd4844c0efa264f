"""`/plans/{id}/worksheet`: what would it cost to do it otherwise?

The edits stand in the address: a page of them can be kept, sent, loaded again. With scripts the
figures follow the fields; without, Calculate sends them. Nothing is stored, approved or sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from steelyard.errors import InputError, PlanRefused, SettingsError, SteelyardError
from steelyard.runs.standing import standing
from steelyard.runs.worksheet import (
    Edits,
    Figures,
    Sheet,
    Sheets,
    csv_of,
    edits_of,
    figures,
    replanned,
)
from steelyard.services.api.fields import Here
from steelyard.services.api.plans import PlanInPath
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.roles import Needs, needs
from steelyard.telemetry import structured
from steelyard.web.asking import asked_query
from steelyard.web.forms import SEE_OTHER, Form, Posted
from steelyard.web.plans import drawn_plan
from steelyard.web.route import Page
from steelyard.web.shell import page
from steelyard.web.worksheet_fields import (
    Read,
    Typed,
    by_hand,
    lines_of,
    others,
    query_again,
    query_of,
    read,
    restored,
    struck,
    typed_in,
)

router = APIRouter(route_class=Page, include_in_schema=False)

WRONG = 422
LIVE = "hx-request"
LONGEST_QUERY = 12_000
"""Characters of edits in an address: the gate takes a head of 16 KiB."""
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@router.get("/plans/{plan_id}/worksheet", dependencies=[needs("planner")])
def look(request: Request, here: Here, plan_id: PlanInPath) -> Response:
    """The sheet, with the edits of the address."""
    whole = drawn_plan(request, here, plan_id).plan.plan_id
    if plan_id != whole:
        again = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/plans/{whole}/worksheet{again}", SEE_OTHER)
    return _shown(request, here, plan_id, request.query_params.multi_items())


@router.post("/plans/{plan_id}/worksheet", dependencies=[needs("planner")])
async def change(request: Request, here: Here, form: Posted, plan_id: PlanInPath) -> Response:
    """The fields: the figures alone where a script asks; else where the edits stand."""
    if not request.headers.get(LIVE) and form.text("do") == "again":
        return await _again(request, here, form, plan_id)
    return await to_thread.run_sync(_changed, request, here, form, plan_id)


@router.get("/plans/{plan_id}/worksheet.csv", dependencies=[needs("viewer")])
async def export(request: Request, here: Here, plan_id: PlanInPath) -> Response:
    """The orders as a file; with edits it needs the planner, as the sheet does."""
    if request.query_params:
        await Needs("planner")(request)
    return await to_thread.run_sync(_file, request, here, plan_id)


def _file(request: Request, here: House, plan_id: str) -> Response:
    """The file; what is wrong in the address is refused; blocks."""
    sheet = _sheet(request, here, plan_id)
    typed = typed_in(sheet, request.query_params.multi_items())
    text = csv_of(sheet, edits_of(sheet, typed.every, typed.locked))
    bucket = UNSAFE.sub("-", sheet.plan.bucket).strip("-.") or "bucket"
    name = f"worksheet-{bucket}-{sheet.plan.plan_id[:12]}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return PlainTextResponse(text, headers=headers, media_type="text/csv")


def _changed(request: Request, here: House, form: Form, plan_id: str) -> Response:
    """Where the edits of a form stand, or the page again with what is wrong; blocks."""
    live = bool(request.headers.get(LIVE))
    try:
        sheet = _sheet(request, here, plan_id)
    except (InputError, SettingsError) as error:
        return _closed(request, here, plan_id, error)
    typed = typed_in(sheet, form.every)
    if not live and form.text("strike"):
        typed = struck(typed, form.text("strike"))
    if not live and form.text("restore"):
        typed = restored(typed, form.text("restore"))
    entry = read(sheet, typed)
    if live or entry.faults:
        return _page(request, here, sheet, typed, entry, live=live)
    return _led(request, here, sheet, query_of(typed, entry))


async def _again(request: Request, here: House, form: Form, plan_id: str) -> Response:
    """The rest planned again around what is locked or was changed by hand."""
    try:
        sheet = await to_thread.run_sync(_sheet, request, here, plan_id)
    except (InputError, SettingsError) as error:
        return await to_thread.run_sync(_closed, request, here, plan_id, error)
    typed = typed_in(sheet, form.every)
    entry = await to_thread.run_sync(read, sheet, typed)
    own = partial(_page, request, here, sheet, typed, entry)
    if entry.faults:
        return await to_thread.run_sync(own)
    stay = Edits(entry.edits.quantities, entry.edits.locked | by_hand(typed, entry.edits))
    try:
        edits = await to_thread.run_sync(replanned, sheet, stay, limiter=here.planning)
    except PlanRefused as error:
        return await to_thread.run_sync(partial(own, refused=error))
    query = query_again(sheet, edits, typed.every)
    return await to_thread.run_sync(_led, request, here, sheet, query)


def _led(request: Request, here: House, sheet: Sheet, query: str) -> Response:
    """Where edits stand: at their address, or on the page itself where that is too long; blocks."""
    if len(query) <= LONGEST_QUERY:
        return RedirectResponse(f"/plans/{sheet.plan.plan_id}/worksheet{query}", SEE_OTHER)
    typed = typed_in(sheet, parse_qsl(query.removeprefix("?"), keep_blank_values=True))
    return _page(request, here, sheet, typed, read(sheet, typed))


def _shown(
    request: Request, here: House, plan_id: str, fields: Iterable[tuple[str, str]]
) -> Response:
    """The page of some fields, or why there is none; blocks."""
    try:
        sheet = _sheet(request, here, plan_id)
    except (InputError, SettingsError) as error:
        return _closed(request, here, plan_id, error)
    typed = typed_in(sheet, fields)
    return _page(request, here, sheet, typed, read(sheet, typed))


def _sheet(request: Request, here: House, plan_id: str) -> Sheet:
    """The sheet of a plan, opened once; raises as `opened`; blocks."""
    state = request.app.state
    if not hasattr(state, "sheets"):
        state.sheets = Sheets()
    sheets: Sheets = state.sheets
    return sheets.of(here.store(), plan_id)


def _closed(request: Request, here: House, plan_id: str, error: SteelyardError) -> Response:
    """Why a plan cannot be changed by hand; blocks."""
    structured.bind(code=error.faults[0].code)  # for the line of the log
    return page(
        request,
        "worksheet_closed.html",
        at="plans",
        status=status_of(error),
        plan=drawn_plan(request, here, plan_id).plan,
        faults=error.faults,
    )


def _page(
    request: Request,
    here: House,
    sheet: Sheet,
    typed: Typed,
    entry: Read,
    *,
    live: bool = False,
    refused: SteelyardError | None = None,
) -> Response:
    """The page, or its live part: what was typed, and its figures; blocks."""
    result = figures(sheet, entry.edits, worths=False)
    lines = lines_of(sheet, typed, entry, result, live=live)
    there = {line.symbol for line in lines.lines}
    free = () if live else tuple(others(sheet, lines))
    there |= {typed.add} if free else set()  # its fault stands there
    query = query_of(typed, entry)
    values: dict[str, Any] = {
        "plan": sheet.plan,
        "result": result,
        "sheet": lines,
        "typed": typed,
        "others": free,
        "said": _besides(result),
        "currencies": _currencies(result),
        "finding": _finding(entry, result),
        "spoken": next((f.message for f in entry.faults.values()), result.headline.text),
        "wrong": len(entry.faults),
        "adding": entry.faults.get(typed.add),
        "faults": [
            *(() if refused is None else refused.faults),
            *(fault for symbol, fault in entry.faults.items() if symbol not in there),
        ],
        "query": query,
        "addressed": len(query) <= LONGEST_QUERY,
        "live": live,
    }
    if not live:
        drawn = drawn_plan(request, here, sheet.plan.plan_id)
        values["first"] = drawn.exhibits["first"]
        values["standing"] = standing(here.store(), drawn.stored)
        values["asked_query"] = asked_query(sheet.plan)
    status = WRONG if entry.faults or refused else 200
    answer = page(request, "worksheet.html", at="plans", status=status, part="live", **values)
    if live and values["addressed"]:
        answer.headers["HX-Replace-Url"] = f"/plans/{sheet.plan.plan_id}/worksheet{query}"
    return answer


def _finding(entry: Read, result: Figures) -> str:
    """The heading: what is wrong comes before what the rest costs."""
    wrong = len(entry.faults)
    if not wrong:
        return result.headline.text
    return "One entry cannot be used." if wrong == 1 else f"{wrong} entries cannot be used."


def _besides(result: Figures) -> list[str]:
    """What is said besides the broken limits, which come first and are listed by themselves."""
    many = len(result.broken)
    return [sentence.text for sentence in result.sentences[many + (many > 1) :]]


def _currencies(result: Figures) -> list[str]:
    """Those of its cash, the base currency first."""
    every = {c for s in (result.before, result.calculated, result.edited) for c in s.cash}
    return sorted(every, key=lambda currency: (currency != result.base_currency, currency))
