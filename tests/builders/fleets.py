"""Folders of small accounts, and fleets planned over them in this process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from steelyard.engine import EngineSettings
from steelyard.runs.fleet.engines import Engine
from steelyard.runs.fleet.engines.serial import Serial
from steelyard.runs.fleet.ready import Asked, Ready, make_ready
from steelyard.runs.fleet.run import Began, Fleet, Pages, begin, results
from steelyard.store.fleets import AccountRow
from steelyard.store.opening import open_store
from steelyard.store.store import Store
from steelyard.strategies import find
from steelyard.telemetry.breaker import Rules
from steelyard.telemetry.health import Health

PRICES = "date,AAA,BBB,CCC\n2026-01-08,10,20,5\n2026-01-09,10,20,5\n"
TARGETS = "symbol,weight\nAAA,0.5\nBBB,0.4\n"
TODAY = date(2026, 1, 9)


def accounts(folder: Path, count: int = 4) -> Path:
    """A fleet of so many accounts, each of another size, that all have prices in common."""
    folder.mkdir(exist_ok=True)
    (folder / "prices.csv").write_text(PRICES)
    for k in range(count):
        account(folder, f"a{k:03d}", f"symbol,quantity\nAAA,{100 + k}\nBBB,10\nCASH:USD,300\n")
    return folder


def account(fleet: Path, name: str, holdings: str = "", toml: str = "", targets: str = TARGETS):
    """One account of these files; "" = it has none."""
    folder = fleet / name
    folder.mkdir(exist_ok=True)
    files = {"holdings.csv": holdings, "account.toml": toml, "targets.csv": targets}
    for file, text in files.items():
        if text:
            (folder / file).write_text(text)
    return folder


def asked(folder: Path, **changes: Any) -> Asked:
    """What is asked for where nothing special is."""
    usual = {"path": folder, "today": TODAY, "files": {}, "engine": EngineSettings()}
    return Asked(**usual | changes)


def ready_of(request: Asked) -> Ready:
    """The fleet, read, with all modules in service."""
    return make_ready(request, find, Health({}, Rules()))


def planned(
    store: Store,
    request: Asked,
    engine: Engine | None = None,
    *,
    pages: Path | None = None,
    watch: Callable[[Fleet], Callable[[Any], None]] | None = None,
    lease_s: float = 20.0,
) -> tuple[Began, list[AccountRow]]:
    """What a command came to: how it found the run, and every account.

    watch   of a fleet, what is told how far it is
    """
    ready = ready_of(request)
    own = ready.strategies.of_account
    began = begin(store, ready.folder, ready.parts, request.today, Pages(pages), own)
    fleet = Fleet(
        store=store,
        folder=ready.folder,
        shared=replace(ready.shared, today=began.run.day),
        strategy_of=ready.strategies.key,
        pages=Pages(pages),
        lease_s=lease_s,
    )
    if watch is not None:
        fleet.seen = watch(fleet)
    fleet.plan(began, engine or Serial())
    return began, results(store, began.run)


@contextmanager
def opened(folder: Path):
    """A database of its own."""
    store = open_store(str(folder / "steelyard.db"))
    yield store
    store.close()


def ids(rows: list[AccountRow]) -> dict[str, str | None]:
    """Folder -> plan."""
    return {row.folder: row.plan_id for row in rows}
