"""`/strategies/N`: versions of a name: history, what differs, going back, who plans by it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from steelyard.errors import ChangedMeanwhile, Fault, InputError, SteelyardError
from steelyard.runs.listed_strategies import entries, users
from steelyard.runs.planners import strategy_of_version
from steelyard.runs.previewed import Previewed, consequence, summary
from steelyard.runs.setting_changes import changes
from steelyard.services.api.fields import Here, NameInPath, Number, changing
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.roles import needs
from steelyard.store import assignments, buckets, strategies
from steelyard.store.buckets import Held
from steelyard.store.exchange import exported, still_whole
from steelyard.store.strategies import Version
from steelyard.strategies.diff import unified
from steelyard.web.editor import number_in
from steelyard.web.forms import SEE_OTHER, Form, Posted
from steelyard.web.route import Page
from steelyard.web.shell import page
from steelyard.web.trying import loaded, tried

router = APIRouter(route_class=Page, include_in_schema=False)

Text = Annotated[str, Query(max_length=64)]
MOST_VERSIONS = 50
"""Of a history, each with how many settings it changed."""


@router.get("/strategies/{name}", dependencies=[needs("viewer")])
def versions_of(here: Here, name: NameInPath) -> Response:
    """A strategy is its versions."""
    strategies.version(here.store(), name)
    return RedirectResponse(f"/strategies/{quote(name)}/history", SEE_OTHER)


@router.get("/strategies/{name}/history", dependencies=[needs("viewer")])
def history(
    request: Request, here: Here, name: NameInPath, saved: Number | None = None
) -> Response:
    """Which version came when, from whom, and why?"""
    store = here.store()
    rows = entries(store, name, MOST_VERSIONS)
    return page(
        request,
        "strategy_history.html",
        at="strategies",
        name=name,
        rows=rows,
        users=users(buckets.buckets(store), name),
        saved=next((row.version for row in rows if row.version.version == saved), None),
        most=MOST_VERSIONS,
    )


@router.get("/strategies/{name}/diff", dependencies=[needs("viewer")])
async def diff(
    request: Request, here: Here, name: NameInPath, a: Number, b: Number, bucket: Text = ""
) -> Response:
    """In what do two versions differ, and what is that to today's plan of a bucket?"""
    old, new = await to_thread.run_sync(
        lambda: [strategies.version(here.store(), name, number) for number in (a, b)]
    )
    before, after = strategy_of_version(old), strategy_of_version(new)
    preview, faults, status = await _preview(request, here, bucket, before, after)
    changed = changes(before, after, preview.currency if preview else "")
    return await to_thread.run_sync(
        lambda: page(
            request,
            "strategy_diff.html",
            at="strategies",
            status=status,
            name=name,
            old=old,
            new=new,
            changed=changed,
            consequences=_consequences(changed.rows, preview),
            heading=_difference(old, new, preview, len(changed.rows)),
            text_diff=unified(old.toml, new.toml, f"{name} v{a}", f"{name} v{b}"),
            preview=preview,
            bucket=bucket,
            buckets=loaded(buckets.buckets(here.store())),
            faults=faults,
        )
    )


@router.get("/strategies/{name}/rollback", dependencies=[needs("planner")])
async def confirm_rollback(
    request: Request, here: Here, name: NameInPath, version: Number, bucket: Text | None = None
) -> Response:
    """What would going back to a version do to today's plan?"""
    return await _rollback(request, here, name, version, bucket)


@router.post("/strategies/{name}/rollback", dependencies=[needs("planner")])
async def rollback(request: Request, here: Here, form: Posted, name: NameInPath) -> Response:
    """A new version with the content of an old one."""
    try:
        return await form.once(lambda: _rolled_back(here, name, form))
    except SteelyardError as error:
        number = _number_or_first(form.text("version"))
        return await _rollback(
            request, here, name, number, "", faults=error.faults, status=status_of(error)
        )


@router.get("/strategies/{name}/assign", dependencies=[needs("viewer")])
def assign(request: Request, here: Here, name: NameInPath, done: Text = "") -> Response:
    """Which buckets plan by it?"""
    return _assign(request, here, name, {}, done=done)


@router.post("/strategies/{name}/assign", dependencies=[needs("operator")])
async def let_plan(request: Request, here: Here, form: Posted, name: NameInPath) -> Response:
    """Let a bucket follow a name, or stay with one version of it."""
    try:
        return await form.once(lambda: _assigned(here, name, form))
    except SteelyardError as error:
        faults, status = error.faults, status_of(error)
    return await to_thread.run_sync(
        lambda: _assign(request, here, name, form.fields, faults=faults, status=status)
    )


@router.get("/strategies/{name}/export", dependencies=[needs("viewer")])
def export(here: Here, name: NameInPath, version: Number | None = None) -> Response:
    """A version as a TOML file that an import gives back."""
    chosen = strategies.version(here.store(), name, version)
    file = f"{chosen.name}-v{chosen.version}.toml"  # a name has letters, digits, _ and - alone
    headers = {
        "Content-Disposition": f'attachment; filename="{file}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return PlainTextResponse(exported(chosen), headers=headers, media_type="application/toml")


async def _preview(
    request: Request, here: House, bucket: str, old: Any, new: Any
) -> tuple[Previewed | None, tuple[Fault, ...], int]:
    """Today's plan of a bucket under both, where one is asked for; else why there is none."""
    if not bucket:
        return None, (), 200
    try:
        return await tried(request, here, bucket, old, new), (), 200
    except SteelyardError as error:
        return None, error.faults, status_of(error)


def _consequences(rows: Any, preview: Previewed | None) -> dict[str, str]:
    return {} if preview is None else {row.key: consequence(row, preview) for row in rows}


def _difference(old: Version, new: Version, preview: Previewed | None, count: int) -> str:
    """`Version 3 makes two changes: one trade resized`."""
    if not count:
        same = "the same text" if old.sha256 == new.sha256 else "texts that plan the same"
        return f"Versions {old.version} and {new.version} are {same}"
    makes = f"Version {new.version} makes {_lower(summary(preview, count))}"
    return makes if ":" in makes else f"{makes} to version {old.version}"


async def _rollback(
    request: Request,
    here: House,
    name: str,
    number: int,
    bucket: str | None,
    *,
    faults: tuple[Fault, ...] = (),
    status: int = 200,
) -> Response:
    """The page that says what going back does, with the form that does it."""

    def looked_up() -> tuple[Version, Version, list[Held]]:
        store = here.store()
        now, old = strategies.version(store, name), strategies.version(store, name, number)
        return now, old, buckets.buckets(store)

    now, old, holders = await to_thread.run_sync(looked_up)
    by = users(holders, name)
    own = [each for each in loaded(holders) if each in by.following]
    chosen = next(iter(own), "") if bucket is None else bucket
    current, then = strategy_of_version(now), strategy_of_version(old)
    preview, more, failed = await _preview(request, here, chosen, current, then)
    changed = changes(current, then, preview.currency if preview else "")
    return await to_thread.run_sync(
        lambda: page(
            request,
            "strategy_rollback.html",
            at="strategies",
            status=status if status != 200 else failed,  # noqa: PLR2004
            name=name,
            now_active=now,
            old=old,
            changed=changed,
            consequences=_consequences(changed.rows, preview),
            preview=preview,
            heading=_going_back(now, old, preview, len(changed.rows)),
            users=by,
            faults=(*faults, *more),
        )
    )


def _going_back(now: Version, old: Version, preview: Previewed | None, count: int) -> str:
    if now.version == old.version:
        return f"Version {old.version} is the active one: there is nothing to go back to"
    if not count:
        return f"Going back to version {old.version} changes no setting"
    return f"Going back to version {old.version} makes {_lower(summary(preview, count))}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _rolled_back(here: House, name: str, form: Form) -> str:
    number, seen = number_in(form.text("version")), number_in(form.text("seen"))
    store = changing(here)
    now = strategies.version(store, name)
    if number is None or number == now.version:
        raise InputError(
            f"Version {now.version} of {name} is the active one. Nothing was rolled back. Choose "
            "an older one in its history.",
            code="rollback_to_active",
            place="version",
            value=form.text("version")[:20],
            hint="choose another version",
        )
    _check_seen(now, seen)
    still_whole(strategies.version(store, name, number))
    new = strategies.rollback(
        store, name, number, by=f"{form.by.role}, browser", reason=form.text("reason")
    )
    return f"/strategies/{name}/history?saved={new.version}"


def _number_or_first(text: str) -> int:
    """The version that a refused form is shown beside: junk is told, and shown beside the first."""
    try:
        return number_in(text) or 1
    except InputError:
        return 1


def _check_seen(now: Version, seen: int | None) -> None:
    """Raise ChangedMeanwhile where another version is active than the page showed."""
    if seen is not None and seen != now.version:
        raise ChangedMeanwhile(
            f"Version {now.version} of {now.name} was saved by {now.created_by} since you looked "
            f"at version {seen}. Nothing was rolled back. The difference below is from that "
            "version: look at it, then press the button again.",
            code="rolled_back_meanwhile",
            place="seen",
            value=seen,
            limit=now.version,
            hint="look at the difference, then press the button again",
        )


def _assign(
    request: Request,
    here: House,
    name: str,
    typed: Any,
    *,
    done: str = "",
    faults: tuple[Fault, ...] = (),
    status: int = 200,
) -> Response:
    store = here.store()
    every = buckets.buckets(store)
    return page(
        request,
        "strategy_assign.html",
        at="strategies",
        status=status,
        name=name,
        users=users(every, name),
        versions=strategies.history(store, name)[:MOST_VERSIONS],
        buckets=[(bucket, bucket.assignment) for bucket in every],
        typed=typed,
        done=next((bucket for bucket in every if bucket.name == done), None),
        faults=faults,
    )


def _assigned(here: House, name: str, form: Form) -> str:
    bucket, number = form.text("bucket"), number_in(form.text("version"))
    store = changing(here)
    still_whole(strategies.version(store, name, number))
    assignments.assign(store, bucket, name, number, by=f"{form.by.role}, browser")
    return f"/strategies/{name}/assign?done={quote(bucket)}"
