"""A page from its template: navigation around it, headers with it, or a part of it alone.

A script that asks for one part of a page, by its id, sends HX-Request: then a handler that names
the part answers with that block of the template. Everybody else is answered with the whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from markupsafe import escape

from steelyard.environment import command, with_home
from steelyard.errors import SteelyardError
from steelyard.report.page import look
from steelyard.services.house import House
from steelyard.services.security.callers import ROLES
from steelyard.services.security.roles import caller_of
from steelyard.services.security.sessions import PREFIX
from steelyard.web import assets, forms

HERE = Path(__file__).parent / "templates"
THEMES = ("system", "light", "dark")
THEME = "steelyard_theme"
"""Name of the cookie with a browser's choice of colours."""
TOKEN = re.compile("[0-9a-f]{8}")
"""The id of a token of a program."""
KEYS = "steelyard_keys"
"""Name of the cookie of a browser in which no single key does anything: `off`."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    # under `no-referrer` a browser sends a form of ours with `Origin: null`, as a foreign page's
    "Referrer-Policy": "same-origin",
    "Vary": "HX-Request",
}
"""Of every page; the gate adds what every answer has."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation; key: the letter that goes there after `g`."""

    at: str
    address: str
    name: str
    key: str = ""


NAVIGATION = (
    Entry("overview", "/", "Overview", "o"),
    Entry("plans", "/plans", "Plans", "p"),
    Entry("buckets", "/buckets", "Buckets", "b"),
    Entry("strategies", "/strategies", "Strategies", "s"),
    Entry("runs", "/runs", "Runs", "r"),
    Entry("schedule", "/schedule", "Schedule"),
    Entry("import", "/import", "Import", "i"),
    Entry("health", "/modules", "Health"),
    Entry("settings", "/settings", "Settings"),
)


@cache
def templates() -> Environment:
    """The report's environment with the pages' templates before its own."""
    loader = ChoiceLoader([FileSystemLoader(HERE), FileSystemLoader(look.HERE / "templates")])
    env = look.environment().overlay(loader=loader)
    env.globals = {**env.globals, "asset": assets.address, "navigation": NAVIGATION}
    env.filters = {
        **env.filters,
        "moment": moment,
        "who": who,
        "as_typed": escape,
    }
    return env


def moment(at: datetime | str) -> str:
    """A day with its time, `29 Nov 2026, 12:00 UTC`; a text that is none is left as it is."""
    if isinstance(at, str):
        try:
            return moment(datetime.fromisoformat(at))
        except ValueError:
            return at
    return f"{at:%d %b %Y, %H:%M} {at.tzname() or ''}".strip()


def who(author: str) -> str:
    """Who did something: `a page, session 03ebe304`, a token, or the name that was recorded."""
    if author.startswith(PREFIX):
        return f"a page, session {author.removeprefix(PREFIX)}"
    return f"the token {author}" if TOKEN.fullmatch(author) else author


def page(
    request: Request,
    template: str,
    *,
    at: str,
    status: int = 200,
    part: str = "",
    **values: Any,
) -> Response:
    """A page, whole, or the block `part` of it where a script asked for a part.

    at   which line of the navigation it stands under
    """
    content = templates().get_template(template)
    values |= {**_around(request, at), "status": status}
    if part and request.headers.get("hx-request"):
        text = "".join(content.blocks[part](content.new_context(values)))
    else:
        text = content.render(values)
    return HTMLResponse(text, status, headers=HEADERS)


def _around(request: Request, at: str) -> dict[str, Any]:
    """What the frame of every page shows."""
    house: House = request.app.state.house
    caller = caller_of(request)
    nonce, formless = "", ""
    if caller is not None:
        try:
            nonce = forms.new_nonce(house, caller)
        except SteelyardError as error:  # pages are shown all the same
            formless = str(error)
    return {
        "at": at,
        "caller": caller,
        "may": lambda role: caller is not None and caller.may(role),
        "roles": ROLES,
        "now": house.utc(),
        "nonce": nonce,
        "formless": formless,
        "theme": theme_of(request),
        "command": partial(command, house.variables),
        "with_home": partial(with_home, house.variables),
        "path": request.url.path,
    }


def theme_of(request: Request) -> str:
    """The colours that this browser chose: system, light or dark."""
    theme = request.cookies.get(THEME, "")
    return theme if theme in THEMES else THEMES[0]
