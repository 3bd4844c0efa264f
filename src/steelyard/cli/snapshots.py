"""What strategies are tried out on: the bundled portfolio, month ends of it, a folder, a bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from steelyard.cli.options import BUNDLED, Options, assembled, read, read_files
from steelyard.cli.output import note, progress
from steelyard.cli.stored import is_there, opened
from steelyard.errors import InputError, SteelyardError

if TYPE_CHECKING:
    from steelyard.importers import Inputs as Imported
    from steelyard.planning.case import Case
    from steelyard.runs.compare import Posed
    from steelyard.strategies import Strategy

HOLDINGS = "holdings.csv"
BESIDE = ("prices", "targets", "securities", "fx", "index")
"""Files that a snapshot may have; what it lacks is looked for in the folder of all."""
DATES = "--dates"
SNAPSHOTS = "--snapshots"


def bundled() -> Posed:
    """The bundled portfolio as of its newest session."""
    return _read("bundled portfolio", partial(_imported, Options()))


def of_bucket(name: str) -> Posed:
    """What a stored bucket owns; raises NotStored, InputError without holdings."""
    from steelyard.runs.compare import Posed

    inputs = read(Options(bucket=name))
    return Posed(f"bucket {name}", inputs.imported, inputs.state)


def case_of(strategy: Strategy | None, bucket: str | None) -> Case:
    """What a strategy would plan: a stored bucket, else the bundled portfolio, which is told.

    strategy   None = the bucket's own
    """
    from steelyard.planning.case import Case
    from steelyard.portfolio import BucketState

    if bucket is None:
        note("No bucket was named, so the figures are of the bundled portfolio: not yours.")
    inputs = read(Options(bucket=bucket))
    imported = inputs.imported
    return Case(
        snapshot=imported.snapshot,
        market=imported.market,
        strategy=strategy or inputs.strategy,
        targets=imported.targets,
        state=inputs.state or BucketState(),
    )


def timings_of(strategy: Strategy | None) -> list[tuple[int, float]]:
    """(sequences, seconds) of stored plans by a strategy, of all where it has none; none are there
    without a database.
    """
    if not is_there():
        return []
    from steelyard.store.plans import timings

    with opened() as store:
        own = [] if strategy is None else timings(store, strategy.name)
        return own or timings(store)


def of_folder(folder: Path) -> list[Posed]:
    """A snapshot for each folder in it that has holdings, by name.

    One that cannot be read says so in its place. Raises InputError where there is none.
    """
    within = sorted(path.parent for path in folder.glob(f"*/{HOLDINGS}"))
    if not within:
        form = f"one folder per snapshot, each with {HOLDINGS}"
        raise InputError(
            f"{folder} has no snapshot in it: {form}. Nothing was planned. Name a folder that has.",
            code="no_snapshots",
            place=SNAPSHOTS,
            value=str(folder),
            limit=form,
            hint="name a folder of snapshots",
        )
    return [_read(own.name, partial(_imported, _files(own, folder))) for own in within]


def _imported(options: Options) -> Imported:
    return read(options).imported


def _files(own: Path, shared: Path) -> Options:
    """The files of a snapshot."""
    paths: dict[str, Any] = {}
    for name in BESIDE:
        places = (folder / f"{name}.csv" for folder in (own, shared))
        there = next((path for path in places if path.is_file()), None)
        if there is not None:
            paths[name] = there
    return replace(Options(holdings=own / HOLDINGS), **paths)


def of_dates(text: str) -> list[Posed]:
    """The bundled portfolio at each month's last session of FROM..TO, with what was known then.

    Raises a usage error for what is no such text, InputError where no session lies in it.
    """
    first, last = _span(text)
    on = _bundled_on()
    sessions: list[date] = on(None).market.dates.tolist()
    days = list(_month_ends([day for day in sessions if first <= day <= last]))
    if not days:
        covered = f"{sessions[0]}..{sessions[-1]}"
        raise InputError(
            f"{text} has no session of the bundled history, which is {covered}. Nothing was "
            "planned. Name dates in it.",
            code="no_session",
            place=DATES,
            value=text,
            limit=covered,
            hint="name dates in it",
        )
    return [_read(day.isoformat(), partial(on, day)) for day in days]


def _bundled_on() -> Callable[[date | None], Imported]:
    """The bundled portfolio on a day, None = its newest; the files are read once."""
    from steelyard.samples import SOURCE, sample
    from steelyard.strategies import default

    files = sample(BUNDLED)
    with progress("Reading the files"):
        content = read_files(files, files.index, Options())
    source = f"bundled quotes, {SOURCE}"
    return lambda day: assembled(
        content, Options(as_of=day), default(), base=files.base_currency, source=source
    )


def _month_ends(sessions: list[date]) -> Iterator[date]:
    """The last of each month; they ascend."""
    for _, month in groupby(sessions, key=lambda day: (day.year, day.month)):
        yield max(month)


def _span(text: str) -> tuple[date, date]:
    first, dots, last = text.partition("..")
    try:
        span = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        span = date.max, date.min
    if not dots or span[0] > span[1]:
        form = "write FROM..TO, for example 2020-01-01..2022-12-28."
        raise typer.BadParameter(form, param_hint=DATES)
    return span


def _read(label: str, inputs: Callable[[], Imported]) -> Posed:
    """A snapshot, or why it cannot be read."""
    from steelyard.runs.compare import Posed

    try:
        return Posed(label, inputs())
    except SteelyardError as error:
        return Posed(label, error)
