"""`/schedule/channels`: who is told, for its admin; what is secret stands in files, never here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from steelyard.errors import Fault, SteelyardError
from steelyard.report.exhibits.words import counted
from steelyard.services.api.fields import Here
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.roles import needs
from steelyard.telemetry import structured
from steelyard.watch import board
from steelyard.watch.channels import change
from steelyard.watch.channels.settings import FILE, Channels, load
from steelyard.web.forms import Form, Posted
from steelyard.web.route import Page
from steelyard.web.schedule import audience_of
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

ADDRESS = "/schedule/channels"
Table = Literal["smtp", "webhook", "apprise", "web"]
Channel = Literal["smtp", "webhook", "apprise"]
TEXTS: dict[Table, tuple[str, ...]] = {
    "smtp": ("host", "port", "from", "to", "starttls", "user", "password_file"),
    "webhook": ("url", "secret_file"),
    "apprise": ("urls_file",),
    "web": ("base_url",),
}
TICKS: dict[Table, tuple[str, ...]] = {
    "smtp": ("allow_private",),
    "webhook": ("report", "allow_private"),
    "apprise": ("allow_private",),
    "web": (),
}


@router.get(ADDRESS, dependencies=[needs("admin")])
def channels(request: Request, here: Here) -> Response:
    """Who is told?"""
    return _page(request, here)


@router.post(ADDRESS + "/{name}", dependencies=[needs("admin")])
async def change_(request: Request, here: Here, form: Posted, name: Table) -> Response:
    """Set a channel, or take it away; or the page again with why not."""
    try:
        return await form.once(partial(_changed, here, form, name))
    except SteelyardError as error:
        structured.bind(code=error.faults[0].code)  # for the line of the log
        again = partial(_page, request, here, form=form, name=name, error=error)
        return await to_thread.run_sync(again)


@router.post(ADDRESS + "/{name}/test", dependencies=[needs("admin")])
async def try_(request: Request, here: Here, form: Posted, name: Channel) -> Response:
    """A test message, and what came of it; a form that is sent twice sends no second one."""
    results: dict[str, SteelyardError | None] = {}

    def work() -> str:
        results.update(board.try_channel(here.store(), here.variables, name))
        return ADDRESS

    answer = await form.once(work)
    if not results:
        return answer
    return await to_thread.run_sync(partial(_page, request, here, tried=results))


def _changed(here: House, form: Form, name: Table) -> str:
    """Where it led; blocks."""
    if form.text("do") == "remove":
        change.put(here.home, name, None)
    else:
        change.put(here.home, name, _values(name, form.fields, load(here.home)) or None)
    return ADDRESS


def _values(name: Table, fields: Mapping[str, str], now: Channels) -> dict[str, Any]:
    """What a form says, as the file has it; an empty field is not set."""
    texts = {key: fields.get(key, "").strip() for key in TEXTS[name]}
    values: dict[str, Any] = {key: text for key, text in texts.items() if text}
    if name == "smtp":
        if values.get("port", "").isdecimal():
            values["port"] = int(values["port"][:10])
        values["to"] = [part for part in texts["to"].replace(",", " ").split() if part]
        starttls = values.pop("starttls", "")
        values |= {"starttls": starttls == "yes"} if starttls in {"yes", "no"} else {}
    if name == "webhook" and now.webhook is not None:
        values.setdefault("url", now.webhook.url)  # its path may be a secret: it is not shown
    return values | {key: bool(fields.get(key)) for key in TICKS[name]}


def _typed(now: Channels) -> dict[str, dict[str, Any]]:
    """The channels as fields of their forms, without what is secret."""
    tables = now.model_dump(by_alias=True)
    fields: dict[str, dict[str, Any]] = {
        name: dict(tables[name] or {}) for name in change.NAMES if name in tables
    }
    if now.smtp is not None:
        starttls = {None: "", True: "yes", False: "no"}[now.smtp.starttls]
        fields["smtp"] |= {"to": ", ".join(now.smtp.to), "starttls": starttls}
    fields["webhook"] |= {"url": "", "report": now.webhook is None or now.webhook.report}
    return fields


def _page(
    request: Request,
    here: House,
    *,
    form: Form | None = None,
    name: str = "",
    error: SteelyardError | None = None,
    tried: Mapping[str, SteelyardError | None] | None = None,
) -> Response:
    """The page as it is now, with what was typed; blocks."""
    audience = audience_of(here)
    now = load(here.home) if not audience.faults else Channels()
    fields = _typed(now)
    if form is not None:
        fields[name] = dict(form.fields)
    faults = list(error.faults if error is not None else audience.faults)
    places: dict[Fault, str] = {
        fault: fault.place.removeprefix(f"{name}.") if fault.place.startswith(f"{name}.") else ""
        for fault in faults
    }
    return page(
        request,
        "schedule_channels.html",
        at="schedule",
        status=200 if error is None else status_of(error),
        ways=audience.ways,
        heads=f"{counted(len(audience.ways), 'channel')} set",
        names={way.name for way in audience.ways},
        fields=fields,
        now_=now,
        wrong=name,
        by_field={place: fault.message for fault, place in places.items() if place},
        faults=[fault for fault, place in places.items() if not place],
        refused=error is not None,
        usable=not audience.faults,
        file=FILE,
        tried=tried or {},
    )
