"""`steelyard batch`: slow plans of stored buckets, made in slices that are stored as they are done.

Ended in the midst of it, the same command goes on from there.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from steelyard.cli.health import keeper
from steelyard.cli.output import (
    FAILED,
    exit_code,
    guarded,
    if_signalled,
    note,
    screen,
    write,
    write_json,
)
from steelyard.cli.stored import is_there, opened, run_id
from steelyard.errors import SteelyardError, StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.runs.batch.bucket import Outcome
    from steelyard.runs.batch.work import Progress
    from steelyard.store.batches import Run
    from steelyard.store.store import Store

MOST = 1_000_000
USUAL = 100
NOT_PLANNED = ("bucket_is_empty", "bucket_is_not_traded")
"""Codes of buckets that there is nothing to plan of: with --all they are passed over."""
OF_ONE_BUCKET = ("slice_damaged", "figures_damaged", "snapshot_damaged", "plan_damaged")
"""Codes of what is damaged of one bucket, so that the others can be planned."""
NONE_STORED = "No run is stored. To begin one: steelyard batch --bucket B"
SHOWN_DIGITS = 12
FREE_AGAIN = (
    "If that one was killed, its bucket is free within a minute: then the same command goes on. "
    "steelyard batch --list says how far it is."
)


def batch(
    *,
    bucket: Annotated[str | None, Option(help="Plan this bucket.", metavar="B")] = None,
    every: Annotated[bool, Option("--all", help="Plan every bucket, one after the other.")] = False,
    batch_size: Annotated[
        int,
        Option(min=1, max=MOST, help="Sequences that are stored at once, at least.", metavar="N"),
    ] = USUAL,
    list_runs: Annotated[
        bool, Option("--list", help="List the runs that are stored; plan nothing.")
    ] = False,
    as_json: Annotated[bool, Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Plan stored buckets in slices: what was calculated before an end is not calculated again.

    A finished plan is kept, as those of plan --bucket. A bucket that another batch is at is left to
    it. The plan is the same, whatever the batch size and however often it was ended.
    """
    with guarded():
        if list_runs:
            _list(bucket, as_json=as_json)
            return
        if (bucket is None) is not every:
            raise typer.BadParameter(
                "name one bucket, or all of them.", param_hint="--bucket --all"
            )
        with opened() as store:
            names = [bucket] if bucket is not None else _names(store)
            Batches(store, batch_size).carry_out(names, alone=bucket is not None, as_json=as_json)


class Batches:
    """The buckets of one command, in turn."""

    def __init__(self, store: Store, batch_size: int) -> None:
        from steelyard.calculations.cache import calculations_from
        from steelyard.engine import read_engine
        from steelyard.environment import home
        from steelyard.runs.bucket_plan import Manner
        from steelyard.runs.planners import Planners

        self.store, self.batch_size, self.code = store, batch_size, 0
        self.planners = Planners(store)
        engine = read_engine(home(os.environ), os.environ)
        self.alerts = engine.on_divergence != "log"
        self.manner = Manner(
            engine=engine,
            health=keeper(),
            correlation_id=run_id(),
            calculations=calculations_from(os.environ),
            remark=self._differ,
        )

    def carry_out(self, names: Sequence[str], *, alone: bool, as_json: bool) -> None:
        """Plan them and say what came of it; raises SteelyardError where one is asked for."""
        outcomes = [self._one(name, alone=alone) for name in names]
        if_signalled("")
        if as_json:
            write_json([outcome.document() for outcome in outcomes])
        else:
            write(screen(lambda console: _draw(outcomes, console)))
        if self.code:
            raise typer.Exit(self.code)

    def _one(self, name: str, *, alone: bool) -> Outcome:
        from steelyard.runs.batch.bucket import Outcome, batch_bucket
        from steelyard.runs.batch.call import Manner

        with _bar(name) as tell:
            manner = Manner(batch_size=self.batch_size, tell=tell)
            try:
                return batch_bucket(self.store, self.planners, name, self.manner, manner)
            except SteelyardError as error:
                whole = isinstance(error, StoreError) and error.fault.code not in OF_ONE_BUCKET
                if alone or whole:
                    raise
                if error.fault.code not in NOT_PLANNED:
                    self.code = max(self.code, exit_code(error))
                    note(f"{name}: {error}")
                return Outcome(
                    bucket=name, plan=None, plan_id=None, evaluated=0, total=None, final=False,
                    run_key=None, because=str(error),
                )  # fmt: skip

    def _differ(self, what: str) -> None:
        note(what)
        if self.alerts:
            self.code = max(self.code, FAILED)


def _names(store: Store) -> list[str]:
    from steelyard.store.buckets import buckets

    return [row.name for row in buckets(store)]


@contextmanager
def _bar(name: str) -> Iterator[Callable[[Progress], None]]:
    """A bar on a terminal, quiet elsewhere; and what is said where a signal ends it."""
    command = f"steelyard batch --bucket {shlex.quote(name)}"

    def remember(progress: Progress) -> None:
        if_signalled(
            f"Interrupted. {progress.evaluated:,d} of {progress.total:,d} sequences of {name} are "
            f"stored; nothing was sent. To go on: {command}"
        )

    if not sys.stderr.isatty():
        yield remember
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True, highlight=False)
    with Bar(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(name, total=None)

        def show(progress: Progress) -> None:
            remember(progress)
            bar.update(task, completed=progress.evaluated, total=progress.total)

        yield show


def _draw(outcomes: Sequence[Outcome], console: Console) -> None:
    from steelyard.report.terminal.columns import Column, Row, emit, sentence, table
    from steelyard.runs.batch.bucket import HELD

    if not outcomes:
        emit(console, sentence("No bucket is stored. To make one: steelyard bucket create B",
                               console.width))  # fmt: skip
        return
    columns = (
        Column("Bucket"),
        Column("Plan"),
        Column("Orders", "right", drop=2),
        Column("Sequences", "right"),
        Column("Final"),
    )
    table(console, columns, [Row(_cells(outcome)) for outcome in outcomes])
    for outcome in outcomes:
        emit(console, sentence(f"{outcome.bucket}: {outcome.because}.", console.width))
    if any(outcome.because == HELD for outcome in outcomes):
        emit(console, sentence(FREE_AGAIN, console.width))
    plan_id = next((o.plan_id for o in outcomes if o.plan_id and o.final), None)
    if plan_id is not None:
        console.print(f"  steelyard plans show {plan_id[:SHOWN_DIGITS]}", soft_wrap=True)


def _cells(outcome: Outcome) -> tuple[str, ...]:
    total = "?" if outcome.total is None else f"{outcome.total:,d}"
    plan = outcome.plan
    return (
        outcome.bucket,
        (outcome.plan_id or "none")[:SHOWN_DIGITS],
        "" if plan is None else ("hold" if not plan.steps else str(len(plan.steps))),
        f"{outcome.evaluated:,d} of {total}",
        "yes" if outcome.final else "no",
    )


def _list(bucket: str | None, *, as_json: bool) -> None:
    runs = _runs(bucket)
    if as_json:
        from steelyard.runs.batch.listed import document

        write_json([document(run) for run in runs])
    else:
        write(screen(lambda console: _draw_runs(runs, console)))


def _runs(bucket: str | None) -> list[Run]:
    if not is_there():
        return []
    from steelyard.store.batches import listed
    from steelyard.store.buckets import bucket_of

    with opened() as store:
        if bucket is not None:
            bucket_of(store, bucket)
        return listed(store, bucket)


def _draw_runs(runs: Sequence[Run], console: Console) -> None:
    from steelyard.report.terminal.columns import Column, Row, emit, sentence, table

    if not runs:
        emit(console, sentence(NONE_STORED, console.width))
        return
    columns = (
        Column("Run"),
        Column("Bucket"),
        Column("Touched, UTC", drop=2),
        Column("Sequences", "right"),
        Column("Plan", drop=1),
        Column("Final"),
    )
    table(console, columns, [Row(_run_cells(run)) for run in runs])


def _run_cells(run: Run) -> tuple[Any, ...]:
    total = "?" if run.total is None else f"{run.total:,d}"
    return (
        run.run_key[:SHOWN_DIGITS],
        run.bucket,
        f"{run.touched_at:%Y-%m-%d %H:%M}",
        f"{run.evaluated:,d} of {total}",
        (run.plan_id or "none")[:SHOWN_DIGITS],
        "yes" if run.final else "no",
    )
