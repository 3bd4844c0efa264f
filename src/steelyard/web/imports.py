"""`/import`: a broker's file to a first plan in three steps: read, choose targets, load and plan.

What was handed over stays in a draft from step to step, so that a mistake in one field costs
nothing of the others. What a file says, what is refused and why are the importers' own sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response

from steelyard.errors import InputError, SteelyardError
from steelyard.importers.brokers import generic
from steelyard.importers.preview import remarks, summary
from steelyard.importers.registry import WITHOUT_IMPORTER, forms
from steelyard.runs.brought import load
from steelyard.services.api.fields import Here
from steelyard.services.api.keeping import planned
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.callers import Caller
from steelyard.services.security.roles import needs
from steelyard.store.assignments import CORE
from steelyard.store.buckets import Held, buckets
from steelyard.store.inputs import portfolio_of
from steelyard.web import drafts
from steelyard.web.draft_look import MOST_ROWS, Look, aims_of, brought_of, look, today_of
from steelyard.web.drafts import Draft
from steelyard.web.forms import Form, Posted
from steelyard.web.page_words import faults_in_words, in_words
from steelyard.web.plans import address_of
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

MOST_READ = 2
"""Sets of files that are read at once."""
CANNOT_BE_READ = "cannot be read yet"


@router.get("/import")
async def show(
    request: Request,
    here: Here,
    by: Annotated[Caller, needs("planner")],
    draft: str = "",
    bucket: str = "",
) -> Response:
    """What does this file hold, and what is to be done with it?"""

    def shown() -> Response:
        drafts.prune(here)
        if not draft:
            return _page(request, here, Draft("", "", {"bucket": bucket}, {}), Look())
        entry = drafts.open_draft(here, by, draft)
        return _page(request, here, entry, look(here, entry))

    return await to_thread.run_sync(shown, limiter=_readers(request) if draft else None)


@router.post("/import", dependencies=[needs("planner")])
async def read(request: Request, here: Here, form: Posted) -> Response:
    """Read what was handed over, and show it."""
    draft_id = form.text("draft") or drafts.new_id()
    looks: list[tuple[Draft, Look]] = []

    def work() -> str:
        draft = drafts.of_form(here, form, draft_id)
        seen = look(here, draft)
        looks.append((draft, seen))
        if seen.faults:
            raise InputError(
                "The files cannot be loaded as they are. Nothing was loaded.",
                code="import_asks",
                faults=seen.faults,
            )
        return f"/import?draft={draft.id}"

    try:
        return await form.once(work, _readers(request))
    except SteelyardError as error:
        again = partial(_again, request, here, form, draft_id, error, looks=looks)
        return await to_thread.run_sync(again, limiter=_readers(request))


@router.post("/import/load", dependencies=[needs("planner")])
async def load_and_plan(request: Request, here: Here, form: Posted) -> Response:
    """Set what the bucket owns, plan it, and go to the plan."""
    draft_id = form.text("draft") or drafts.new_id()
    loaded: list[str] = []

    def work() -> str:
        draft = drafts.of_form(here, form, draft_id)
        brought = brought_of(here, draft)
        load(here.store(), brought, today_of(here))
        loaded.append(brought.bucket)
        made = planned(here, brought.bucket, 0)
        drafts.drop(here, draft)
        return address_of(made)

    try:
        async with here.planning:
            return await form.once(work)
    except SteelyardError as error:
        again = partial(_again, request, here, form, draft_id, error, loaded)
        return await to_thread.run_sync(again)


def _again(
    request: Request,
    house: House,
    form: Form,
    draft_id: str,
    error: SteelyardError,
    loaded: Sequence[str] = (),
    looks: Sequence[tuple[Draft, Look]] = (),
) -> Response:
    """The page with what was typed, and what is wrong with it; looks: what was read just now."""
    try:
        draft, seen = looks[-1] if looks else _opened(house, form, draft_id)
    except SteelyardError:  # it was not kept: what was typed is shown all the same
        draft, seen = Draft("", "", dict(form.fields), {}), Look()
    if error.faults[0].code not in {fault.code for fault in seen.faults}:
        seen = replace(seen, faults=error.faults)
    return _page(request, house, draft, seen, status_of(error), loaded)


def _opened(house: House, form: Form, draft_id: str) -> tuple[Draft, Look]:
    draft = drafts.open_draft(house, form.by, draft_id)
    return draft, look(house, draft)


def _readers(request: Request) -> CapacityLimiter:
    """Files are read by so many at once: a large one takes seconds, and other pages go on."""
    state = request.app.state
    if not hasattr(state, "readers"):
        state.readers = CapacityLimiter(MOST_READ)
    readers: CapacityLimiter = state.readers
    return readers


def _page(
    request: Request,
    house: House,
    draft: Draft,
    seen: Look,
    status: int = 200,
    loaded: Sequence[str] = (),
) -> Response:
    rows = buckets(house.store())
    held = next((row for row in rows if row.name == (draft.text("bucket") or CORE)), None)
    asked = seen.asked
    seen = replace(seen, faults=faults_in_words(seen.faults), notes=list(map(in_words, seen.notes)))
    return page(
        request,
        "imports.html",
        at="import",
        status=status,
        draft=draft,
        look=seen,
        loaded=loaded,
        heading=_heading(draft, seen, loaded),
        summary=summary(seen.seen) if seen.seen else "",
        remarks=_remarks(seen),
        answers=seen.answers,
        asked=asked,
        forms=_forms(),
        fields=generic.FIELDS,
        named_buckets=_named_buckets(rows),
        replaces=_replaces(house, held),
        named_accounts=[("", "all of it"), *((name, name) for name in seen.accounts if name)],
        named_columns=[("", "as it is called"), *((name, name) for name in seen.columns)],
        held=held,
        satellites=any(row.kind != CORE for row in rows),
        aims=aims_of(draft, held),
        most=MOST_ROWS,
    )


def _named_buckets(rows: Sequence[Held]) -> list[tuple[str, str]]:
    """The core first; each says that it has something already."""
    names = {CORE: f"{CORE} (empty)"}
    for row in rows:
        worth = "empty" if row.value is None else f"now {row.base_currency} {row.value:,.0f}"
        names[row.name] = f"{row.name} ({worth})"
    return list(names.items())


def _replaces(house: House, held: Held | None) -> str:
    """What a bucket has that a load replaces; "" = nothing."""
    if held is None or held.portfolio is None:
        return ""
    count = len(portfolio_of(house.store(), held.portfolio).snapshot.holdings)
    holdings = f"{count} holding{'' if count == 1 else 's'}"
    worth = f", worth {held.base_currency} {held.value:,.0f}" if held.value is not None else ""
    return f"{held.name} has {holdings} now{worth}. Loading replaces them by what was read here."


def _heading(draft: Draft, seen: Look, loaded: Sequence[str]) -> str:
    """What was found."""
    if loaded:
        return f"The bucket {loaded[0]} is loaded, and not planned"
    file = draft.files.get("holdings")
    if file is None:
        return "Bring your holdings"
    count = len(seen.rows) - seen.kept_out
    read = f"{count} holding{'' if count == 1 else 's'} read"
    if seen.kept_out:
        read = f"{read} and {seen.kept_out} kept out,"
    if seen.seen is None:
        return f"{file.name} {CANNOT_BE_READ}"
    if not seen.faults:
        return f"{read} from {file.name}"
    asks = len(seen.faults)
    return f"{read.rstrip(',')}, {asks} question{'' if asks == 1 else 's'} to answer"


def _remarks(seen: Look) -> list[tuple[str, Sequence[str]]]:
    """What is to be said of the file; what is rejected stands among the faults."""
    if seen.seen is None:
        return []
    told = [(head, texts) for head, texts in remarks(seen.seen.statement) if head != "Rejected"]
    before = {text for _, texts in told for text in texts}
    notes = [text for text in seen.notes if text not in before]
    return [(head, list(texts)) for head, texts in [*told, ("For this load", notes)] if texts]


@cache
def _forms() -> list[tuple[str, str]]:
    named = [(name, form.importer.title) for name, form in forms().by_name.items()]
    return [("", "what is in the file says it"), *WITHOUT_IMPORTER.items(), *named]
