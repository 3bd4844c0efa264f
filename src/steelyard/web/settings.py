"""`/settings`: who is signed in, which tokens there are, what this machine keeps and sends where.

How a page looks is a choice of each browser, `/settings/look`, and everybody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version as installed
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from steelyard import environment
from steelyard.engine import FILE as EXECUTION
from steelyard.engine import EngineSettings, read_engine
from steelyard.errors import SettingsError, SteelyardError
from steelyard.execution.journal.opening import FILE as JOURNAL
from steelyard.importers.mapping import FILE as MAPPING
from steelyard.services.api.fields import Here
from steelyard.services.house import House
from steelyard.services.security import book
from steelyard.services.security.roles import needs
from steelyard.services.security.sessions import PREFIX
from steelyard.services.security.tokens import FILE as OWN_TOKEN
from steelyard.store import sign_ins
from steelyard.store.opening import path_of
from steelyard.web.drafts import FOLDER as DRAFTS
from steelyard.web.forms import SEE_OTHER, Posted
from steelyard.web.route import Page
from steelyard.web.shell import KEYS, THEME, THEMES, page

router = APIRouter(route_class=Page, include_in_schema=False)

OFF = "off"
YEAR_SECONDS = 365 * 24 * 3600
IdOfEight = Annotated[str, Path(pattern=r"^[0-9a-f]{8}$")]
LOOKS = (("system", "as this machine has it"), ("light", "light"), ("dark", "dark"))


@router.get("/settings", dependencies=[needs("admin")])
def show(request: Request, here: Here) -> Response:
    """Who may look, and what is kept where?"""
    now = here.utc()
    with here.store().reading() as connection:
        every = sign_ins.sign_ins(connection)
    entries: Sequence[book.Entry] = ()
    unlisted = ""
    try:
        entries = book.entries(here.home)
    except SteelyardError as error:
        unlisted = str(error)
    try:
        engine: EngineSettings | str = read_engine(here.home, here.variables)
    except SettingsError as error:
        engine = str(error)
    return page(
        request,
        "settings.html",
        at="settings",
        sessions=[row for row in every if row.is_open(now)],
        ended=sum(not row.is_open(now) for row in every),
        tokens=[(entry, entry.state(now)) for entry in reversed(entries)],
        unlisted=unlisted,
        own=PREFIX,
        engine=engine,
        places=_places(here),
        version=installed("steelyard"),
        **_look(request),
    )


@router.get("/settings/look", dependencies=[needs("viewer")])
def look(request: Request) -> Response:
    """How shall pages look in this browser?"""
    return page(request, "settings_look.html", at="settings", **_look(request))


@router.post("/settings/look", dependencies=[needs("viewer")])
async def change_look(form: Posted) -> Response:
    """Keep the choice in this browser."""
    theme = form.text("theme") if form.text("theme") in THEMES else THEMES[0]
    answer = RedirectResponse("/settings/look", SEE_OTHER)
    _remember(answer, THEME, theme)
    _remember(answer, KEYS, "on" if form.text("keys") else OFF, readable=True)
    return answer


@router.post("/settings/sign-ins/{sign_in}", dependencies=[needs("admin")])
async def end_session(here: Here, form: Posted, sign_in: IdOfEight) -> Response:
    """End a session; its browser is asked to sign in at its next request."""
    return await form.once(partial(_revoked, here, sign_in))


@router.post("/settings/tokens/{token}", dependencies=[needs("admin")])
async def end_token(here: Here, form: Posted, token: IdOfEight) -> Response:
    """End a token; who asks with it is refused from the next request on."""

    def work() -> str:
        book.revoke(here.home, token, here.utc())
        return "/settings#h-tokens"

    return await form.once(work)


def _revoked(house: House, sign_in: str) -> str:
    with house.store().writing() as transaction:
        sign_ins.revoke(transaction, sign_in)
    return "/settings#h-sessions"


def _look(request: Request) -> Mapping[str, Any]:
    return {"looks": LOOKS, "keys": request.cookies.get(KEYS) != OFF}


def _remember(answer: Response, name: str, value: str, *, readable: bool = False) -> None:
    """Keep a choice for a year; readable: by our own script."""
    answer.set_cookie(
        name, value, max_age=YEAR_SECONDS, path="/", httponly=not readable, samesite="strict"
    )


def _places(house: House) -> list[tuple[str, str, bool]]:
    """What is kept where, and is it there yet; of a database server no address, which has keys."""
    home = house.home
    database = path_of(house.store())
    server = f"a server, by {environment.DATABASE}"
    places = [
        ("Orders and fills", home / JOURNAL),
        ("Engine and rails", home / EXECUTION),
        ("Columns and other names of symbols", home / MAPPING),
        ("Files handed over and not loaded yet", home / DRAFTS),
        ("This machine's own token", home / OWN_TOKEN),
        ("Hashes of other tokens", home / book.FILE),
    ]
    first = ("Buckets, strategies, plans", server if database is None else str(database), True)
    return [first, *((what, str(place), place.exists()) for what, place in places)]
