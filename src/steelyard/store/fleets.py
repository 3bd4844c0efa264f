"""Plans of a folder of accounts as they come in: a run, its slices, a row for each account.

What a slice came to is written in the transaction that finishes it, by whoever holds it: an account
is in the table once, whatever was killed meanwhile.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from steelyard.canonical import plain
from steelyard.store import leases
from steelyard.store.failures import row_of
from steelyard.store.leases import Lease, Outcome
from steelyard.store.schema import fleet_account, fleet_run, fleet_slice
from steelyard.store.store import Store, Transaction, json_text

MOST_RUNS: Final = 10
"""Runs of a folder that stay in the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """What an account came to: a plan, or the error that it has instead.

    folder      its folder within that of the fleet
    account     its name
    digest      SHA-256 of its files
    occasions   what is traded for whatever the score gains, as in a plan
    problems    of the plan that a person must look at
    note        what to look at first, a sentence
    code        the kind of the error
    seconds     that planning took
    """

    folder: str
    account: str
    digest: str
    seconds: float
    plan_id: str | None = None
    verdict: str | None = None
    orders: int | None = None
    improvement: float | None = None
    turnover: float | None = None
    drift_before: float | None = None
    drift_after: float | None = None
    cost: Decimal | None = None
    value: Decimal | None = None
    base_currency: str | None = None
    as_of: date | None = None
    occasions: tuple[str, ...] = ()
    problems: int = 0
    note: str = ""
    error: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRun:
    """A run over a folder; see the table `fleet_run`. finished_at: None = it goes on."""

    run_id: str
    folder: str
    parts: Mapping[str, str]
    day: date
    accounts: int
    because: str
    created_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How many accounts of a run have a plan or an error, how many of these an error."""

    done: int
    failed: int
    total: int


def runs(connection: Connection, folder: str) -> list[FleetRun]:
    """The runs over a folder, newest first."""
    newest = fleet_run.c.created_at.desc(), fleet_run.c.run_id
    query = select(fleet_run).where(fleet_run.c.folder == folder).order_by(*newest)
    return [_run(row) for row in connection.execute(query)]


def digests(connection: Connection, run_id: str) -> dict[str, str]:
    """Folder -> hash of its files, of every account of a run, planned or not."""
    every: dict[str, str] = {}
    for text in connection.scalars(
        select(fleet_slice.c.accounts).where(fleet_slice.c.run_id == run_id)
    ):
        every |= json.loads(text)
    columns = select(fleet_account.c.folder, fleet_account.c.digest)
    rows = connection.execute(columns.where(fleet_account.c.run_id == run_id))
    return every | {row.folder: row.digest for row in rows}


def begin(
    transaction: Transaction,
    run: FleetRun,
    accounts: Mapping[str, str],
    size: int,
    before: Iterable[AccountRow] = (),
) -> None:
    """A new run, its accounts in slices of `size`; `before`: rows that stand from an earlier one.

    accounts   folder -> hash of its files
    """
    connection = transaction.connection
    values = {**asdict(run), "parts": json_text(dict(run.parts)), "day": run.day.isoformat()}
    connection.execute(insert(fleet_run).values(**values | _times(transaction)))
    rows = list(before)
    _put(connection, run.run_id, rows)
    there = {row.folder for row in rows}
    _cut(connection, run.run_id, {f: d for f, d in accounts.items() if f not in there}, size)
    old = [entry.run_id for entry in runs(connection, run.folder)[MOST_RUNS:]]
    for table in (fleet_account, fleet_slice, fleet_run):
        connection.execute(delete(table).where(table.c.run_id.in_(old)))


def _times(transaction: Transaction) -> dict[str, Any]:
    return {"created_at": transaction.stamp, "finished_at": None}


def again(transaction: Transaction, run: FleetRun, folders: Sequence[str], size: int) -> None:
    """Open accounts of a run anew: their rows go, new slices have them."""
    connection = transaction.connection
    every = digests(connection, run.run_id)
    for chosen in _in_parts(folders, 500):
        where = fleet_account.c.folder.in_(chosen)
        connection.execute(delete(fleet_account).where(fleet_account.c.run_id == run.run_id, where))
    _cut(connection, run.run_id, {folder: every[folder] for folder in folders}, size)
    changed = update(fleet_run).where(fleet_run.c.run_id == run.run_id).values(finished_at=None)
    connection.execute(changed)


def _cut(connection: Connection, run_id: str, accounts: Mapping[str, str], size: int) -> None:
    last = select(func.max(fleet_slice.c.slice)).where(fleet_slice.c.run_id == run_id)
    first = connection.scalar(last)
    number = 0 if first is None else int(first) + 1
    values = [
        {"run_id": run_id, "slice": number + k, "accounts": json_text(dict(part)), "state": "free"}
        for k, part in enumerate(_in_parts(sorted(accounts.items()), size))
    ]
    if values:
        connection.execute(insert(fleet_slice), values)


def claim(store: Store, run_id: str, holder: str, seconds: float) -> tuple[Lease, ...]:
    """The next slice of a run that nobody works at; none where there is none."""
    with store.writing(alone=False) as transaction:
        where = fleet_slice.c.run_id == run_id
        return tuple(leases.claim(transaction, fleet_slice, holder, seconds, where))


def folders_of(lease: Lease) -> list[str]:
    """The accounts of a slice."""
    return list(json.loads(lease.values["accounts"]))


def extend(store: Store, mine: Sequence[Lease], seconds: float) -> None:
    """Work on: the slices stay their holder's for so long from now on."""
    if mine:
        with store.writing(alone=False) as transaction:
            leases.extend(transaction, fleet_slice, mine, seconds)


def release(store: Store, mine: Sequence[Lease]) -> None:
    """Leave slices to others at once."""
    if mine:
        with store.writing(alone=False) as transaction:
            leases.release(transaction, fleet_slice, mine)


def finish(store: Store, lease: Lease, rows: Sequence[AccountRow]) -> Outcome:
    """Write what a slice came to, once; raises InternalError for another result than before."""
    came_to = sorted((row.folder, row.plan_id or row.code or "") for row in rows)
    digest = hashlib.sha256(json_text(came_to).encode()).hexdigest()
    with store.writing(alone=False) as transaction:
        at = transaction.stamp
        outcome = leases.finish(transaction, fleet_slice, lease, digest, finished_at=at)
        if outcome == "finished":
            _put(transaction.connection, str(lease.key["run_id"]), rows)
        return outcome


def close(store: Store, run_id: str) -> bool:
    """Note that a run is over; False while a slice of it is not done."""
    with store.writing() as transaction:
        open_ones = (fleet_slice.c.run_id == run_id, fleet_slice.c.state != leases.DONE)
        if transaction.connection.scalar(select(func.count()).where(*open_ones)):
            return False
        over = update(fleet_run).where(fleet_run.c.run_id == run_id)
        unnoted = over.where(fleet_run.c.finished_at.is_(None))
        transaction.connection.execute(unnoted.values(finished_at=transaction.stamp))
        return True


def progress(store: Store, run: FleetRun) -> Progress:
    """How far a run is."""
    failed = func.count(fleet_account.c.error)
    query = select(func.count(), failed).where(fleet_account.c.run_id == run.run_id)
    with store.reading() as connection:
        done, errors = connection.execute(query).one()
    return Progress(done, errors, run.accounts)


def results(connection: Connection, run_id: str) -> list[AccountRow]:
    """What every account of a run came to so far, by folder."""
    query = select(fleet_account).where(fleet_account.c.run_id == run_id)
    return [_account(row) for row in connection.execute(query.order_by(fleet_account.c.folder))]


def _put(connection: Connection, run_id: str, rows: Sequence[AccountRow]) -> None:
    if rows:
        connection.execute(insert(fleet_account), [_values(run_id, row) for row in rows])


def _values(run_id: str, row: AccountRow) -> dict[str, Any]:
    return {
        **asdict(row),
        "run_id": run_id,
        "cost": None if row.cost is None else plain(row.cost),
        "value": None if row.value is None else plain(row.value),
        "as_of": None if row.as_of is None else row.as_of.isoformat(),
        "occasions": json_text(list(row.occasions)),
    }


@row_of("fleet_account")
def _account(row: Row[Any]) -> AccountRow:
    columns = row._mapping  # noqa: SLF001 - SQLAlchemy's own name for a public part
    values = {field.name: columns[field.name] for field in fields(AccountRow)}
    for name in ("cost", "value"):
        values[name] = None if values[name] is None else Decimal(values[name])
    values["as_of"] = None if values["as_of"] is None else date.fromisoformat(values["as_of"])
    values["occasions"] = tuple(json.loads(values["occasions"]))
    return AccountRow(**values)


@row_of("fleet_run")
def _run(row: Row[Any]) -> FleetRun:
    return FleetRun(
        run_id=row.run_id,
        folder=row.folder,
        parts=json.loads(row.parts),
        day=date.fromisoformat(row.day),
        accounts=row.accounts,
        because=row.because,
        created_at=datetime.fromisoformat(row.created_at),
        finished_at=None if row.finished_at is None else datetime.fromisoformat(row.finished_at),
    )


def _in_parts(entries: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    rest = iter(entries)
    while part := list(islice(rest, size)):
        yield part
