"""As many sequences as the first implementation evaluated in its incremental path, by `batch`.

    python -m benchmarks.batch     prints the table, and writes README.md

Its seconds were recorded on another day's machine: five sequences a call and fifty, each call's
results in SQLite, on the four recorded inputs (data/SOURCE.md). Ours: a stored bucket of the same
inputs, from the call to the kept plan; the first so many sequences that the generators of the
scope `proposals` give at depth 7; the search beyond them, which the recorded path has not, is one
node. Commits are of transactions that write, bytes are those that the file grew by. The quickest of
so many rounds, each in a new database.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import sqlalchemy as sa

from benchmarks.run import machine
from benchmarks.seed_baseline import case
from steelyard.engine import EngineSettings
from steelyard.importers import Inputs
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.planning.guard import Guard
from steelyard.planning.proposals import Proposals
from steelyard.planning.solve import LOCAL, Steps, local
from steelyard.runs import bucket_plan
from steelyard.runs.batch.bucket import batch_bucket
from steelyard.runs.batch.call import Manner
from steelyard.runs.planners import Planners
from steelyard.runs.stored import load
from steelyard.store import assignments, strategies
from steelyard.store.opening import open_store
from steelyard.store.schema import run_slice
from steelyard.store.store import WRITES, Store
from steelyard.store.strategies import Draft
from steelyard.strategies import Strategy
from steelyard.telemetry.breaker import Rules
from steelyard.telemetry.health import Health

PAGE = Path(__file__).with_name("README.md")
START, END = "<!-- batches: written by batch.py -->", "<!-- batches: end -->"
RECORDED: Mapping[int, tuple[int, Mapping[int, float]]] = MappingProxyType(
    {
        20: (475, {5: 5.21, 50: 1.12}),
        50: (1_180, {5: 11.27, 50: 2.92}),
        100: (1_419, {5: 15.44, 50: 4.34}),
        200: (1_585, {5: 19.14, 50: 5.94}),
    }
)
"""Securities -> sequences, seconds by batch size."""
ROUNDS, AIM = 3, 20.0
HEADS = (
    "| n | sequences | batch size | recorded, s | batch, s | times less | slices | commits | kB "
    "| every batch a commit: s | commits | aim |"
)
TOML = (
    "max_opportunities_per_category = 20\n"
    "[search]\nscope = 'proposals'\nmax_depth = 7\nmax_nodes = 1\nbeam_width = 1\n"
    "[sequence_generators.enhanced_combinatorial]\nmax_combinations = 3000\nmax_likeness = 1.0\n"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One batch: seconds, commits in it, bytes that the file grew by, ranges that were stored."""

    seconds: float
    commits: int
    kilobytes: float
    ranges: int
    evaluated: int


def first(count: int) -> Steps:
    """The steps whose generators stop after so many sequences."""

    some = local(batch_size=count)

    def generate(ctx: Context, table: Candidates, strategy: Strategy, guard: Guard) -> Proposals:
        proposals = some.generate(ctx, table, strategy, guard)
        return replace(proposals, batches=itertools.islice(proposals.batches, 1))

    return replace(LOCAL, generate=generate)


def measured(n: int, count: int, size: int, pace: float | None) -> Measured:
    """One batch of a recorded input; pace: seconds between commits, None = as it is by default."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "s.db"
        store = open_store(str(place))
        _loaded(store, n)
        before, commits = place.stat().st_size, itertools.count()

        def committed(connection: sa.Connection) -> None:
            if connection.get_execution_options().get(WRITES):
                next(commits)

        sa.event.listen(store.engine, "commit", committed)
        planning = bucket_plan.Manner(
            engine=EngineSettings(shadow="none"), health=Health({}, Rules()),
            correlation_id="benchmark", steps=first(count),
        )  # fmt: skip
        manner = Manner(batch_size=size)
        manner = manner if pace is None else replace(manner, pace=pace)
        start = time.perf_counter()
        outcome = batch_bucket(store, Planners(store), "core", planning, manner)
        seconds = time.perf_counter() - start
        with store.reading() as connection:
            ranges = connection.scalar(sa.select(sa.func.count()).select_from(run_slice)) or 0
        store.close()
        grown = (place.stat().st_size - before) / 1e3
    return Measured(seconds, next(commits), grown, ranges, outcome.evaluated)


def _loaded(store: Store, n: int) -> None:
    inputs = case(n).inputs
    owned = Inputs(
        snapshot=inputs.snapshot, market=inputs.market, targets=inputs.targets, warnings=(),
        as_of_from="prices",
    )  # fmt: skip
    load(store, "core", owned, ())
    strategies.save(store, Draft(name="all", toml=TOML, rules_sha256="0" * 64))
    assignments.assign(store, "core", "all")


def table() -> list[str]:
    """The lines of the table, printed as they come."""
    lines = [
        machine(datetime.now().astimezone().date(), os.getloadavg()[0]),
        "",
        HEADS,
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    measured(20, 20, 5, None)  # imports, and the caches of the interpreter
    for n, (count, seconds) in RECORDED.items():
        for size, recorded in seconds.items():
            best = min((measured(n, count, size, None) for _ in range(ROUNDS)), key=_seconds)
            each = measured(n, count, size, 0.0)
            cells = (
                n, f"{best.evaluated:,d}", size, f"{recorded:.2f}", f"{best.seconds:.2f}",
                f"{recorded / best.seconds:.1f}", best.ranges, best.commits,
                f"{best.kilobytes:,.0f}", f"{each.seconds:.2f}", each.commits, f"{AIM:.0f}",
            )  # fmt: skip
            lines.append(f"| {' | '.join(map(str, cells))} |")
            print(lines[-1], flush=True)
    return lines


def _seconds(figure: Measured) -> float:
    return figure.seconds


def main() -> int:
    """Measure, print, and write the page."""
    text = "\n".join(table())
    head, rest = PAGE.read_text(encoding="utf-8").split(START)
    PAGE.write_text(f"{head}{START}\n\n{text}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
