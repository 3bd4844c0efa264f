"""The web UI: pages for people on the coordinator's application.

One page is one question, and its heading the answer. A page is a whole document at its own address
and works with scripts off; a script only fetches a part of a page again, by the part's id.

    shell.py     a page from its template: navigation, headers, the form's nonce; a part of it alone
    route.py     routes of pages: what fails is answered as a page, in the words of the command line
    forms.py     what a form sends, from this browser and once
    pages.py     what the gate asks about pages: which are open, which take forms, refusals as pages
    signing.py   /sign-in/SECRET, /sign-out
    assets.py    /assets: style, scripts and fonts, each under the hash of its content

and a module a screen, with its template of the same name in templates/. To add one:

    router = APIRouter(route_class=Page)            route.Page, and the router named in ROUTERS

    @router.get("/modules", dependencies=[needs("viewer")])
    def modules(request: Request, here: Here) -> Response:
        return page(request, "modules.html", at="health", rows=rows)

    @router.post("/buckets/{bucket}/schedule", dependencies=[needs("planner")])
    async def change(request: Request, here: Here, form: Posted, bucket: BucketInPath) -> Response:
        return await form.once(lambda: changed(here, bucket, form))    # -> the address to go to

A handler that blocks is a plain function, or does it in a thread. Raise errors of Steelyard: where
the form is to be shown again with what was typed, catch them and answer with `page(…, status=422)`.
Everything that a template prints is escaped; `style=` and scripts in a page are refused by its
policy: widths are attributes of SVG, states are classes.
"""

from __future__ import annotations

from importlib import import_module

from fastapi import APIRouter

from steelyard.services.house import House
from steelyard.web.pages import WebPages

SCREENS = (
    "assets",
    "signing",
    "overview",
    "planning",
    "compare",
    "approve",
    "plans",
    "worksheet",
    "runs",
    "ab",  # before the names of strategies: /strategies/ab
    "strategies",
    "strategy_versions",
    "editor",
    "modules",
    "imports",
    "buckets",
    "settings",
    "schedule_channels",
    "schedule",
)
"""Modules of this package whose `router` the application answers with."""

ROUTERS: list[APIRouter] = [import_module(f"{__name__}.{name}").router for name in SCREENS]


def prepare(house: House) -> None:
    """Have the gate of a house ask about pages."""
    house.pages = WebPages(house)
