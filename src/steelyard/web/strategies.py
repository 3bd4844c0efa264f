"""`/strategies`: what are buckets planned by? Versions of each name, and presets to begin with."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from steelyard.errors import Fault, InputError, SteelyardError
from steelyard.runs import presets as library
from steelyard.runs.edited import Edited, save_new
from steelyard.runs.listed_strategies import listed
from steelyard.services.api.fields import Here, changing
from steelyard.services.api.received import strategy_from
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.roles import needs
from steelyard.store import presets as kept_presets
from steelyard.store import strategies
from steelyard.strategies import PRESETS
from steelyard.strategies.writing import begun
from steelyard.web.forms import Form, Posted
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

MOST_RATING = 5.0
Text = Annotated[str, Query(max_length=64)]


@router.get("/strategies", dependencies=[needs("viewer")])
def list_(request: Request, here: Here, added: Text = "") -> Response:
    """Which strategies are there, and who plans by them?"""
    return _list(request, here, added=added)


@router.post("/strategies/presets", dependencies=[needs("planner")])
async def add_preset(request: Request, here: Here, form: Posted) -> Response:
    """Keep a text as a preset of one's own, as `steelyard presets add` does."""
    try:
        return await form.once(lambda: _added(here, form))
    except SteelyardError as error:
        faults, status = error.faults, status_of(error)
    return await to_thread.run_sync(
        lambda: _list(request, here, form=form, faults=faults, status=status)
    )


@router.get("/strategies/new", dependencies=[needs("planner")])
def new(request: Request, here: Here, preset: Text = "default") -> Response:
    """Which name, and what does it begin with?"""
    return _new(request, here, {"preset": preset})


@router.post("/strategies/new", dependencies=[needs("planner")])
async def create(request: Request, here: Here, form: Posted) -> Response:
    """The first version of a name, as a preset or empty; then it is edited."""
    try:
        return await form.once(lambda: _created(here, form))
    except SteelyardError as error:
        faults, status = error.faults, status_of(error)
    return await to_thread.run_sync(
        lambda: _new(request, here, form.fields, faults=faults, status=status)
    )


def _list(
    request: Request,
    here: House,
    *,
    added: str = "",
    form: Form | None = None,
    faults: tuple[Fault, ...] = (),
    status: int = 200,
) -> Response:
    store = here.store()
    presets = library.library(store)
    rows = listed(store)
    names = [row.version.name for row in rows]
    return page(
        request,
        "strategies.html",
        at="strategies",
        status=status,
        rows=rows,
        used=sum(bool(row.users.count) for row in rows),
        presets=presets,
        names=list(dict.fromkeys([*names, *(entry.name for entry in presets)])),
        shipped=PRESETS,
        added=next((entry.name for entry in presets if entry.name == added), ""),
        typed={} if form is None else form.fields,
        text="" if form is None else form.fields.get("toml", ""),
        faults=faults,
    )


def _added(here: House, form: Form) -> str:
    name, text = form.text("name"), form.fields.get("toml", "").replace("\r\n", "\n")
    file = form.files.get("file")
    if file is not None:
        text = _decoded(file.content)
    strategy = strategy_from(text, name)
    tags = [tag for part in form.text("tags").split(",") if (tag := part.strip())]
    preset = library.New(
        name,
        text,
        form.text("description") or strategy.description,
        form.text("author"),
        tags,
        _rating(form.text("rating")),
    )
    entry = library.add(changing(here), preset)
    return f"/strategies?added={quote(entry.name)}#presets"


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The file is not UTF-8 (byte {error.start}). Nothing was added. Save it as UTF-8.",
            code="preset_not_utf8",
            place="file",
            hint="save it as UTF-8",
        ) from error


def _rating(text: str) -> float | None:
    if not text:
        return None
    try:
        rating = float(text)
    except ValueError:
        rating = -1.0
    if not 0 <= rating <= MOST_RATING:
        raise InputError(
            f"The rating is {text[:20]!r}; it is a number from 0 to {MOST_RATING:g}, or empty. "
            "Nothing was added.",
            code="bad_rating",
            place="rating",
            value=text[:20],
            limit=f"0 to {MOST_RATING:g}",
            hint=f"give a number from 0 to {MOST_RATING:g}",
        )
    return rating


def _new(
    request: Request,
    here: House,
    typed: Any,
    *,
    faults: tuple[Fault, ...] = (),
    status: int = 200,
) -> Response:
    return page(
        request,
        "strategy_new.html",
        at="strategies",
        status=status,
        presets=library.library(here.store()),
        typed=typed,
        faults=faults,
    )


def _created(here: House, form: Form) -> str:
    name, preset = form.text("name"), form.text("preset")
    strategies.check_name(name)
    store = changing(here)
    entry = library.preset_named(store, preset) if preset else None
    if entry is None:
        text = f"# {name}: what this text does not say is as the preset default says.\n"
    elif entry.name in PRESETS and entry.kind == "planner":
        text = begun(entry.name, name)
    else:
        text = library.text_of(store, entry)
    edited = Edited(
        name=name,
        text=text,
        strategy=strategy_from(text, name),
        base=0,
        title=form.text("title"),
        reason=form.text("reason") or (f"begun from the preset {preset}" if preset else "begun"),
    )
    version = save_new(store, edited, f"{form.by.role}, browser")
    if entry is not None:
        kept_presets.used(store, entry.id, entry.name, name)
    return f"/strategies/{version.name}/edit"
