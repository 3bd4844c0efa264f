"""A run over a folder of accounts: begun, gone on with, or over; its slices handed out and kept.

The id of a run is the hash of all that its plans are functions of: the files of every account, what
they have in common, strategies, code, modules out of service, and the day. The same command
therefore goes on with it. Where something else is different it is a new run, which says what; then
accounts that are as they were, of a day on which nothing in common changed, keep their plans.

Several processes may work at one run: each claims slices, and waits for those of the others. A
lease that nobody extends is over after `LEASE_S`.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Final

from steelyard.canonical import sha256
from steelyard.errors import StoreError
from steelyard.runs.fleet import worker
from steelyard.runs.fleet.engines import Chunk, Engine
from steelyard.runs.fleet.folder import Account, Folder, Task, named, task_of
from steelyard.runs.fleet.shared import COMMON, Shared, packed, part_of
from steelyard.runs.fleet.worker import Planned
from steelyard.store import fleets
from steelyard.store.fleets import AccountRow, FleetRun, Progress
from steelyard.store.leases import Lease, new_holder
from steelyard.store.store import Store, Transaction
from steelyard.telemetry.health import Outcome

LEASE_S: Final = 20.0
TICKS: Final = 4
"""Times that a lease is extended before it would be over."""
WAIT_S: Final = 0.5
"""Between two looks at slices that others hold."""
MOST_IN_SLICE: Final = 25
LEAST_SLICES: Final = 16
"""A small fleet is cut finer, so that all workers have something to do."""
DIED: Final = "fleet_worker_died"
NONE: Final[Mapping[str, str]] = {}
TRIES: Final = 2
"""Workers that may die of an account while nothing else is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """A run as it stands when a command meets it.

    resumed   accounts that had come to something before
    """

    run: FleetRun
    resumed: int


@dataclass
class Pages:
    """Where reports go: a page for each account, under the name of its folder."""

    folder: Path | None = None

    def path(self, folder: str) -> Path | None:
        """The page of an account; None = none is asked for."""
        return None if self.folder is None else self.folder / f"{folder}.html"

    def is_of(self, row: AccountRow) -> bool:
        """Is the page of a row there, and of its plan?"""
        path = self.path(row.folder)
        if path is None or row.plan_id is None:
            return True
        try:
            return row.plan_id.encode() in path.read_bytes()
        except OSError:
            return False


Write = Callable[[Path, str], None]
Seen = Callable[[Progress], None]


def put(path: Path, text: str) -> None:
    """Write a page whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


@dataclass(kw_only=True)
class Fleet:
    """One process's part in a run.

    pages   where reports are written, and `write` how
    seen    told how far the run is, whenever that changes
    """

    store: Store
    folder: Folder
    shared: Shared
    strategy_of: Callable[[Account], str]
    pages: Pages = field(default_factory=Pages)
    write: Write = put
    seen: Seen = lambda _: None
    lease_s: float = LEASE_S
    holder: str = field(default_factory=new_holder)
    modules: dict[tuple[str, str], str | None] = field(default_factory=dict, init=False)
    differs: int = field(default=0, init=False)
    _mine: dict[int, Lease] = field(default_factory=dict, init=False)
    _lock: RLock = field(default_factory=RLock, init=False)
    _orphans: list[Chunk] = field(default_factory=list, init=False)

    def plan(self, began: Began, engine: Engine) -> None:
        """Plan what is left of a run, also what others leave; raises StoreError, ServiceError."""
        run = began.run
        self.seen(fleets.progress(self.store, run))
        if run.finished_at is not None:
            return
        with self._extended(), engine.begin(packed(self.shared)):
            try:
                while not fleets.close(self.store, run.run_id):
                    worked = self._through(run, engine)
                    if not worked:
                        time.sleep(WAIT_S)  # others hold what is left
                        self.seen(fleets.progress(self.store, run))
            finally:
                self._release()

    def _through(self, run: FleetRun, engine: Engine) -> bool:
        """Hand out what can be claimed; False where that is nothing."""
        any_done = False
        for chunk, planned in engine.map(worker.work, self._claims(run)):
            any_done = True
            if planned is None:
                self._orphans.append(chunk)
            else:
                self._keep(run, chunk, planned)
        while self._orphans:
            chunk = self._orphans.pop()
            self._keep(run, chunk, list(self._one_by_one(chunk, engine)))
        return any_done

    def _one_by_one(self, chunk: Chunk, engine: Engine) -> Iterator[Planned]:
        """A slice whose worker died: each account alone, so that only the one at fault fails."""
        for task in chunk.tasks:
            single = Chunk(chunk.lease, (task,))
            for _ in range(TRIES):
                ((_, planned),) = engine.map(worker.work, [single], 1)
                if planned is not None:
                    yield from planned
                    break
            else:
                message = (
                    f"The process that planned it died {TRIES} times, of nothing else: perhaps of "
                    "too little memory. Nothing was planned. The same command tries it again."
                )
                yield worker.failed(task, DIED, message)

    def _claims(self, run: FleetRun) -> Iterator[Chunk]:
        """Slices that nobody works at, claimed one by one as there is room for them."""
        accounts = {account.folder: account for account in self.folder.accounts}
        while leases := fleets.claim(self.store, run.run_id, self.holder, self.lease_s):
            for lease in leases:
                with self._lock:
                    self._mine[int(lease.key["slice"])] = lease
                folders = fleets.folders_of(lease)
                yield Chunk(lease, tuple(self._task(accounts[folder]) for folder in folders))

    def _task(self, account: Account) -> Task:
        return task_of(self.folder.path, account, self.strategy_of)

    def _keep(self, run: FleetRun, chunk: Chunk, planned: Sequence[Planned]) -> None:
        """Pages first: what is in the table is done."""
        for entry in planned:
            path = self.pages.path(entry.row.folder)
            if path is not None and entry.page:
                self.write(path, zlib.decompress(entry.page).decode())
            self.differs += bool(entry.differs)
            self._count(entry.modules)
        with self._lock:
            self._mine.pop(int(chunk.lease.key["slice"]), None)
        fleets.finish(self.store, chunk.lease, [entry.row for entry in planned])
        self.seen(fleets.progress(self.store, run))

    def _count(self, modules: Iterable[Outcome]) -> None:
        """A fleet counts as one plan: a module that failed in any account has failed once."""
        for name, version, error in modules:
            self.modules[name, version] = self.modules.get((name, version)) or error

    @contextmanager
    def _extended(self) -> Iterator[None]:
        """Slices stay this process's while it works, however long an account takes."""
        over = Event()

        def extend() -> None:
            while not over.wait(self.lease_s / TICKS):
                with self._lock:
                    mine = list(self._mine.values())
                with suppress(StoreError):  # the next time, or somebody else goes on
                    fleets.extend(self.store, mine, self.lease_s)

        thread = Thread(target=extend, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _release(self) -> None:
        with self._lock:
            mine, self._mine = list(self._mine.values()), {}
        with suppress(StoreError):  # else they are free once their leases are over
            fleets.release(self.store, mine)


def begin(
    store: Store,
    folder: Folder,
    parts: Mapping[str, str],
    today: date,
    pages: Pages,
    own: Mapping[str, str] = NONE,
) -> Began:
    """The run of a folder as it is: the one that goes on, the one that is over, or a new one.

    parts   name -> hash of what the accounts have in common, and of their strategies
    own     account -> key of the strategy that it names
    """
    place = str(folder.path.resolve())
    with store.writing() as transaction:
        before = fleets.runs(transaction.connection, place)
        for run in before:
            if _is_same(transaction, run, folder, parts, today):
                return _going_on(transaction, run, folder, pages)
        return _new(transaction, before[0] if before else None, folder, parts, today, pages, own)


def _is_same(
    transaction: Transaction, run: FleetRun, folder: Folder, parts: Mapping[str, str], today: date
) -> bool:
    """Has a run the same inputs, and is it either not over or of today?"""
    if dict(run.parts) != dict(parts) or (run.finished_at is not None and run.day != today):
        return False
    return fleets.digests(transaction.connection, run.run_id) == folder.digests


def _going_on(transaction: Transaction, run: FleetRun, folder: Folder, pages: Pages) -> Began:
    """A run as it is; accounts whose worker died, or whose page is missing, are open again."""
    rows = fleets.results(transaction.connection, run.run_id)
    anew = [row.folder for row in rows if row.code == DIED or not pages.is_of(row)]
    if anew:
        fleets.again(transaction, run, anew, _size(folder))
        run = replace(run, finished_at=None)
    return Began(run=run, resumed=len(rows) - len(anew))


def _new(
    transaction: Transaction,
    last: FleetRun | None,
    folder: Folder,
    parts: Mapping[str, str],
    today: date,
    pages: Pages,
    own: Mapping[str, str],
) -> Began:
    accounts, place = folder.digests, str(folder.path.resolve())
    content = {"folder": place, "parts": dict(parts), "accounts": accounts, "day": f"{today}"}
    old = {} if last is None else fleets.digests(transaction.connection, last.run_id)
    rows: list[AccountRow] = []
    if last is not None and last.day == today:
        names = {*parts, *last.parts}
        other = {name for name in names if parts.get(name) != last.parts.get(name)}
        rows = [
            row
            for row in fleets.results(transaction.connection, last.run_id)
            if row.error is None and accounts.get(row.folder) == row.digest and pages.is_of(row)
            if not any(_is_for(name, folder, row.folder, own) for name in other)
        ]
    run = FleetRun(
        run_id=sha256(content),
        folder=place,
        parts=parts,
        day=today,
        accounts=len(accounts),
        because=_because(last, parts, old, accounts, today),
        created_at=transaction.at,
    )
    fleets.begin(transaction, run, accounts, _size(folder), rows)
    return Began(run=run, resumed=len(rows))


def _is_for(name: str, folder: Folder, account: str, own: Mapping[str, str]) -> bool:
    """Is the plan of an account a function of a part? Of all but the strategies of others."""
    key = own.get(account, COMMON)
    if name == part_of(COMMON):
        return key == COMMON
    if not name.startswith("strategy ") or " of --" in name:  # a file may be called so
        return True
    beside = part_of(f"{folder.path / account}{os.sep}")  # one may come or go in its folder
    return name == part_of(key) or name.startswith(beside)


def _size(folder: Folder) -> int:
    """Accounts of a slice."""
    return max(1, min(MOST_IN_SLICE, len(folder.accounts) // LEAST_SLICES))


def _because(
    last: FleetRun | None,
    parts: Mapping[str, str],
    old: Mapping[str, str],
    accounts: Mapping[str, str],
    today: date,
) -> str:
    """Why it is not the run before; "" where there was none."""
    if last is None:
        return ""
    names = sorted({*parts, *last.parts})
    others = [name for name in names if parts.get(name) != last.parts.get(name)]
    changed = sorted(name for name in accounts if name in old and accounts[name] != old[name])
    lines = [
        (f"{named(others)} changed", others),
        (f"the files of {named(changed)} changed", changed),
        (f"new: {named(sorted({*accounts} - {*old}))}", {*accounts} - {*old}),
        (f"gone: {named(sorted({*old} - {*accounts}))}", {*old} - {*accounts}),
    ]
    reasons = [text for text, names_of in lines if names_of]
    if last.day != today and not reasons:
        reasons = [f"the one before is of {last.day}"]
    return "; ".join(reasons)


def results(store: Store, run: FleetRun) -> list[AccountRow]:
    """What every account came to so far."""
    with store.reading() as connection:
        return fleets.results(connection, run.run_id)
