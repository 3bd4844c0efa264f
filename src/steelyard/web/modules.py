"""`/modules`: does everything work? Modules, rules, data, services, the database: as `health`."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from fastapi import APIRouter, Request, Response

from steelyard.errors import SteelyardError, one_line
from steelyard.runs.execution_health import AccountHealth
from steelyard.runs.module_health import listed, out_of_service
from steelyard.runs.whole_health import of_execution, of_rules
from steelyard.services.api.fields import Here
from steelyard.services.api.keeping import health_of
from steelyard.services.house import House
from steelyard.services.security.roles import needs
from steelyard.services.topology import NAMES, Instance
from steelyard.store import buckets, plans
from steelyard.store.opening import path_of
from steelyard.telemetry.timings import added_up, operation_of
from steelyard.web.plans import drawn_plan
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

SLOWEST = 12
"""Parts of a plan whose times are shown."""
PATIENCE = 0.25
"""Seconds in which a service has to take a connection."""
MOST_ASKED = 16
LONGEST = 500
BACKUPS = ("*.backup", "*.bak", "backups/*")
"""Where copies of the database lie in the home, where its owner keeps them there."""
STATES = {"closed": ("ok", "works"), "open": ("stop", "off"), "half-open": ("warn", "on trial")}


@dataclass(frozen=True, slots=True)
class Asked:
    """An instance of a service: does it take connections?"""

    service: str
    address: str
    listens: bool


@dataclass(frozen=True, slots=True)
class Data:
    """What the newest plan of a bucket was made from.

    days      since the day of the prices that it is loaded with
    missing   (metric, how many securities lack it), the most first
    """

    bucket: str
    as_of: date | None
    days: int | None
    plan_id: str
    holdings: int
    missing: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Database:
    """bytes and backup are None where they are not known: of a server's."""

    place: str
    size: int | None
    backup: datetime | None


class Checks:
    """What is wrong with rules and buckets, looked up again when the database is another."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._state: object = None
        self._texts: list[str] = []

    def texts(self, house: House) -> list[str]:
        """Sentences of what is out of order; blocks."""
        state = house.state()
        with self._lock:
            if state is None or state != self._state:
                self._texts, self._state = of_rules(house.store()), state
            return self._texts


@router.get("/modules", dependencies=[needs("viewer")])
def modules(request: Request, here: Here) -> Response:
    """What works, what does not, and how old is what is planned with?"""
    rows = listed(health_of(here), None)
    off = list(out_of_service(rows))
    accounts, halted = _execution(here)
    errors = [*_checks(request).texts(here), *halted]
    return page(
        request,
        "modules.html",
        at="health",
        heading=_heading(rows, [*errors]),
        troubled=[row for row in rows if row["state"] != "closed" or row["failures"]],
        working=_working(rows),
        states=STATES,
        off=off,
        errors=errors,
        accounts=accounts,
        data=list(_data(request, here)),
        spent=_spent(request, here),
        services=_services(here),
        here=str(request.base_url).rstrip("/"),
        fallback=here.topology.fallback,
        database=_database(here),
        halted=bool(halted),
    )


def _heading(rows: list[dict[str, Any]], errors: list[str]) -> str:
    """The finding: what is off, else what else is wrong, else that all work."""
    names = [f"{row['kind']}.{row['name']}" for row in rows if row["state"] == "open"]
    trial = sum(row["state"] == "half-open" for row in rows)
    if len(names) == 1:
        return f"One module is off: {names[0]}"
    if names:
        return f"{len(names)} modules are off: {', '.join(names)}"
    working = f"All {len(rows)} modules work"
    if errors:
        what = "one thing is" if len(errors) == 1 else f"{len(errors)} things are"
        return f"{working}; {what} out of order"
    if trial:
        return f"{working}; {'one is' if trial == 1 else f'{trial} are'} on trial"
    return working


def _working(rows: list[dict[str, Any]]) -> list[tuple[str, list[str], int]]:
    """(kind, modules of it that are in service, how many there are)."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        kinds.setdefault(row["kind"], []).append(row)
    return [
        (kind, [row["name"] for row in own if row["state"] != "open"], len(own))
        for kind, own in kinds.items()
    ]


def _checks(request: Request) -> Checks:
    state = request.app.state
    if not hasattr(state, "health_checks"):
        state.health_checks = Checks()
    checks: Checks = state.health_checks
    return checks


def _execution(here: House) -> tuple[list[AccountHealth], list[str]]:
    """Accounts and what is out of order; a journal that cannot be read is that."""
    try:
        return of_execution(here.home)
    except SteelyardError as error:
        return [], [one_line(str(error), LONGEST)]


def _data(request: Request, here: House) -> Iterator[Data]:
    store = here.store()
    today = here.utc().date()
    for bucket in buckets.buckets(store):
        newest = plans.listed(store, bucket=bucket.name, most=1)
        days = None if bucket.as_of is None else (today - bucket.as_of).days
        if not newest:
            yield Data(bucket.name, bucket.as_of, days, "", 0, ())
            continue
        plan = drawn_plan(request, here, newest[0].plan_id).plan
        missing = Counter(row.metric for row in plan.data_coverage)
        yield Data(
            bucket.name,
            bucket.as_of,
            days,
            plan.plan_id,
            len(plan.holdings),
            tuple(missing.most_common()),
        )


def _spent(request: Request, here: House) -> list[tuple[str, float, int]]:
    """(operation, seconds, calls) of the newest plan, the slowest first."""
    newest = plans.listed(here.store(), most=1)
    if not newest:
        return []
    spent = added_up(drawn_plan(request, here, newest[0].plan_id).plan.timings)
    slowest = sorted(spent.items(), key=lambda row: -row[1].total)[:SLOWEST]
    return [(operation_of(name), spent.total, spent.count) for name, spent in slowest]


def _services(here: House) -> list[Asked]:
    """Every instance of the topology, asked at once."""
    every = [(name, each) for name in NAMES for each in here.topology.service(name).instances]
    with ThreadPoolExecutor(MOST_ASKED) as pool:
        listening = list(pool.map(lambda row: _listens(row[1]), every))
    return [
        Asked(name, each.url, listens)
        for (name, each), listens in zip(every, listening, strict=True)
    ]


def _listens(instance: Instance) -> bool:
    try:
        with socket.create_connection((instance.host, instance.port), PATIENCE):
            return True
    except OSError:
        return False


def _database(here: House) -> Database:
    path = path_of(here.store())
    if path is None:
        return Database("a server", None, None)
    copies = [file for pattern in BACKUPS for file in here.home.glob(pattern) if file.is_file()]
    newest = max((_changed_at(file) for file in copies), default=None)
    return Database(path.name, _size(path), newest)


def _size(path: Path) -> int | None:
    """Of the file and what is not in it yet."""
    parts = (path, path.with_name(f"{path.name}-wal"))
    sizes = [part.stat().st_size for part in parts if part.exists()]
    return sum(sizes) if sizes else None


def _changed_at(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)
