"""A night of many accounts: plans a second, where the time goes, what distribution costs.

    python -m benchmarks.fleet [--accounts 1000] [--some 100]    writes README.md and docs/fleet.md

Accounts of 50 securities that follow one of three models out of 200 securities with 1,300 days of
prices, each drifted by itself. Processor time stands beside the clock's, because only that is the
same on a machine that does something else meanwhile. What is extrapolated says so.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.run import machine
from steelyard.engine import EngineSettings
from steelyard.report.page import of_account
from steelyard.runs.fleet import worker
from steelyard.runs.fleet.engines import Chunk, Done, Engine, Work
from steelyard.runs.fleet.engines.processes import Processes
from steelyard.runs.fleet.engines.serial import Serial
from steelyard.runs.fleet.folder import task_of
from steelyard.runs.fleet.ready import Asked, Ready, make_ready
from steelyard.runs.fleet.run import Fleet, Pages, begin, results
from steelyard.runs.fleet.shared import Packed, packed
from steelyard.store.opening import open_store
from steelyard.strategies import find
from steelyard.telemetry.breaker import Rules
from steelyard.telemetry.health import Health

ROOT = Path(__file__).resolve().parents[1]
PAGE, SIZING = ROOT / "benchmarks" / "README.md", ROOT / "docs" / "fleet.md"
SECURITIES, UNIVERSE, SESSIONS, MODELS, FACTORS = 50, 200, 1_300, 3, 5
AS_OF = date(2024, 3, 15)
PROFILED = 20
NOTHING_TASKS = 1_000
INSTANT = 2_000
NIGHT_H = 8
SIZES = (1_000, 10_000, 100_000, 1_000_000)
IN_SLICE = 25
CANDIDATES = 'preset = "default"\n[search]\nscope = "candidates"\n'
STAGES: Mapping[str, str] = {
    "importers/files.py:read": "reading holdings and targets",
    "importers/assemble.py:assemble": "assembling and judging prices",
    "planning/contexts.py:context_of": "estimates and valuation",
    "planning/wishes.py:find_opportunities": "what may be traded",
    "planning/proposals.py:generate": "making sequences",
    "planning/solve.py:evaluate_batches": "scoring sequences",
    "planning/proof.py:prove": "search and proof",
    "planning/lists.py:chosen": "choosing, what each order adds",
    "planning/neighbours.py:neighbours": "lists one change away",
    "planning/document/write.py:write": "writing the document and its id",
    "runs/solving.py:compared": "the other engine beside it",
}
"""function -> the stage of a plan that it is; none is called by another."""


def accounts(folder: Path, count: int) -> Path:
    """A fleet as files, the same for each count."""
    rng = np.random.default_rng(7)
    folder.mkdir(parents=True)
    symbols = [f"S{i:03d}" for i in range(UNIVERSE)]
    days = np.busday_offset(np.datetime64(AS_OF), np.arange(1 - SESSIONS, 1), roll="backward")
    common = rng.normal(0.6, 0.4, (UNIVERSE, FACTORS)) * np.array([1, 0.4, 0.4, 0.3, 0.3]) * 0.01
    moves = rng.normal(size=(SESSIONS, FACTORS)) @ common.T
    moves += rng.normal(0.0002, 0.012, (SESSIONS, UNIVERSE))
    last = rng.uniform(10, 300, UNIVERSE)
    closes = np.round(last * np.exp(np.cumsum(moves, axis=0) - moves.sum(axis=0)), 2)
    lines = [
        f"{day},{','.join(f'{close:.2f}' for close in row)}"
        for day, row in zip(days, closes, strict=True)
    ]
    (folder / "prices.csv").write_text("\n".join([f"date,{','.join(symbols)}", *lines]) + "\n")
    picks = [np.sort(rng.choice(UNIVERSE, SECURITIES, replace=False)) for _ in range(MODELS)]
    shares = [rng.lognormal(0, 0.5, SECURITIES) for _ in range(MODELS)]
    for number in range(count):
        own = np.random.default_rng((7, number))
        pick, aims = picks[number % MODELS], shares[number % MODELS]
        aims = 0.97 * aims / aims.sum()
        value = 10 ** own.uniform(5, 6.3)
        lots = np.round(value * aims * own.lognormal(0, 0.12, SECURITIES) / closes[-1][pick])
        cash = value * own.choice([0.025, 0.04, 0.08])
        _files(folder / f"account{number:05d}", [symbols[i] for i in pick], lots, aims, cash)
    return folder


def _files(folder: Path, symbols: Sequence[str], lots: Any, aims: Any, cash: float) -> None:
    folder.mkdir()
    owned = [f"{symbol},{int(lot)},USD" for symbol, lot in zip(symbols, lots, strict=True) if lot]
    rows = ["symbol,quantity,currency", *owned, f"CASH:USD,{cash:.2f},USD"]
    (folder / "holdings.csv").write_text("\n".join(rows) + "\n")
    weights = [f"{symbol},{aim:.6f}" for symbol, aim in zip(symbols, aims, strict=True)]
    (folder / "targets.csv").write_text("\n".join(["symbol,weight", *weights]) + "\n")


def ready(folder: Path, strategy: str | None = None) -> Ready:
    """The fleet, read."""
    asked = Asked(path=folder, today=AS_OF, files={}, strategy=strategy, engine=EngineSettings())
    return make_ready(asked, find, Health({}, Rules()))


@dataclass(frozen=True, slots=True)
class Run:
    """What planning a fleet took: seconds by the clock, of all processors, and what came out."""

    accounts: int
    seconds: float
    processor: float
    errors: int
    orders: int
    database: int


def planned(fleet: Ready, engine: Engine) -> Run:
    """Plan it, from the first claim to the last row."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "steelyard.db"
        store = open_store(str(file))
        began = begin(store, fleet.folder, fleet.parts, AS_OF, Pages())
        part = Fleet(
            store=store, folder=fleet.folder, shared=fleet.shared,
            strategy_of=fleet.strategies.key,
        )  # fmt: skip
        start, before = time.perf_counter(), _processor()
        part.plan(began, engine)
        seconds, processor = time.perf_counter() - start, _processor() - before
        rows = results(store, began.run)
        store.close()
        return Run(
            len(rows), seconds, processor, sum(row.error is not None for row in rows),
            sum(row.orders or 0 for row in rows), file.stat().st_size,
        )  # fmt: skip


def _processor() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds))


def some(fleet: Ready, count: int) -> Ready:
    """The first accounts of a fleet."""
    folder = replace(fleet.folder, accounts=fleet.folder.accounts[:count])
    return replace(fleet, folder=folder)


def stages(fleet: Ready, count: int = PROFILED) -> list[tuple[str, float]]:
    """(stage, share of the time of a plan), the largest first; the rest last."""
    tasks = [
        task_of(fleet.folder.path, account, fleet.strategies.key)
        for account in fleet.folder.accounts[: count + 1]
    ]
    worker.plan_account(fleet.shared, tasks[0])
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for task in tasks[1:]:
        worker.plan_account(fleet.shared, task)
    profile.disable()
    stats: Any = pstats.Stats(profile)
    times = {
        f"{Path(file).as_posix().rpartition('/steelyard/')[2]}:{name}": entry[3]
        for (file, _, name), entry in stats.stats.items()
    }
    whole = times["runs/fleet/worker.py:plan_account"]
    parts = [(label, times.get(name, 0.0) / whole) for name, label in STAGES.items()]
    ordered = sorted(parts, key=lambda part: -part[1])
    return [*ordered, ("the rest", 1 - sum(share for _, share in parts))]


class Instant:
    """An engine that plans nothing: what is left is what the process that runs a fleet does."""

    @contextmanager
    def begin(self, packed: Packed) -> Iterator[None]:  # noqa: ARG002 - as every engine
        """Nothing."""
        yield

    def map(
        self,
        work: Work,  # noqa: ARG002 - as every engine
        chunks: Iterable[Chunk],
        window: int = 0,  # noqa: ARG002
    ) -> Iterator[Done]:
        """An answer to each at once."""
        for chunk in chunks:
            yield chunk, [worker.failed(task, "none", "nothing") for task in chunk.tasks]


def around(folder: Path) -> dict[str, float]:
    """Seconds and bytes an account costs beside its plan: looking, claiming, keeping."""
    start = time.process_time()
    fleet = ready(folder)
    looked = time.process_time() - start
    start = time.process_time()
    run = planned(fleet, Instant())
    handed = time.process_time() - start
    count = len(fleet.folder.accounts)
    return {
        "looked": looked / count, "handed": handed / count, "bytes": run.database / count,
    }  # fmt: skip


def nothing(number: int) -> int:
    """A task of Dask that does nothing."""
    return number


def overhead_of_dask(tasks: int = NOTHING_TASKS) -> tuple[float, float]:
    """(seconds to start a cluster of two, seconds a task takes that does nothing, 200 at once)."""
    import distributed  # noqa: PLC0415 - an extra

    dask: Any = distributed
    from steelyard.runs.fleet.engines.cluster import WINDOW, _local  # noqa: PLC0415

    start = time.perf_counter()
    with _local(2) as address, dask.Client(address) as client:
        client.gather([client.submit(nothing, -k, pure=False) for k in range(1, 5)])
        started = time.perf_counter() - start
        start = time.perf_counter()
        source = iter(range(tasks))
        first = [client.submit(nothing, k, pure=False) for k in _next(source, WINDOW)]
        queue = dask.as_completed(first)
        for _ in queue:
            for k in _next(source, 1):
                queue.add(client.submit(nothing, k, pure=False))
        return started, (time.perf_counter() - start) / tasks


def _next(source: Iterator[int], count: int) -> list[int]:
    return list(islice(source, count))


def page_bytes(fleet: Ready) -> tuple[int, float]:
    """(bytes of a report, processor seconds it takes more)."""
    account = fleet.folder.accounts[0]
    task = task_of(fleet.folder.path, account, fleet.strategies.key)
    with_page = replace(fleet.shared, page=of_account)
    worker.plan_account(with_page, task)
    times = []
    for shared in (fleet.shared, with_page):
        start = time.process_time()
        entry = worker.plan_account(shared, task)
        times.append(time.process_time() - start)
    return len(zlib.decompress(entry.page)), times[1] - times[0]


def plans_table(rows: Sequence[tuple[str, Run]]) -> list[str]:
    """How fast, by engine."""
    lines = [
        "| what | accounts | seconds | plans/s | processor seconds a plan | orders | errors |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, run in rows:
        rate, each = run.accounts / run.seconds, run.processor / run.accounts
        lines.append(
            f"| {name} | {run.accounts:,} | {run.seconds:,.1f} | {rate:.2f} | {each:.3f} | "
            f"{run.orders:,} | {run.errors} |"
        )
    return lines


def sizing(figures: Mapping[str, float], on: str) -> list[str]:
    """The table of docs/fleet.md."""
    head = ["accounts", *(f"{size:,}" for size in SIZES)]
    plan, handed, looked = figures["plan"], figures["handed"], figures["looked"]

    def row(label: str, each: Callable[[int], str]) -> str:
        return f"| {label} | " + " | ".join(each(size) for size in SIZES) + " |"

    facts = (
        f"{on} Measured: {plan:.2f} processor seconds a plan, {1e3 * looked:.2f} ms to look "
        f"through an account's files, {1e3 * handed:.2f} ms to claim it, hand it out and keep its "
        f"row, {figures['bytes']:,.0f} bytes of database, {1e3 * figures['task']:.1f} ms a task of "
        f"Dask, {figures['page']:,.0f} bytes and {figures['page_s']:.2f} s a report. The rest is "
        "extrapolated."
    )
    return [
        facts,
        "",
        "| " + " | ".join(head) + " |",
        "| " + " | ".join(["---", *["---:"] * len(SIZES)]) + " |",
        row("core-hours of planning", lambda n: f"{n * plan / 3600:,.1f}"),
        row(f"cores for a night of {NIGHT_H} h", lambda n: f"{_up(n * plan / 3600 / NIGHT_H)}"),
        row("the process that runs it: looking through", lambda n: _time(n * looked)),
        row("… claiming, handing out, keeping", lambda n: _time(n * handed)),
        row(f"Dask: {IN_SLICE} accounts a task", lambda n: _time(n / IN_SLICE * figures["task"])),
        row("database", lambda n: _bytes(n * figures["bytes"])),
        row("reports, where asked for", lambda n: _bytes(n * figures["page"])),
        row("core-hours of reports", lambda n: f"{n * figures['page_s'] / 3600:,.1f}"),
    ]


def _up(number: float) -> str:
    return f"{max(1, int(-(-number // 1))):,}"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 6_000 else f"{seconds / 3600:,.1f} h"


def _bytes(size: float) -> str:
    for unit in ("kB", "MB", "GB"):
        size /= 1_000
        if size < 1_000:
            return f"{size:,.1f} {unit}"
    return f"{size / 1_000:,.1f} TB"


def write(page: Path, name: str, lines: Sequence[str]) -> None:
    """Between the two marks of a page; raises ValueError where it has not each once."""
    start, end = f"<!-- {name}: written by fleet.py -->", f"<!-- {name}: end -->"
    text = page.read_text(encoding="utf-8")
    if text.count(start) != 1 or text.count(end) != 1:
        raise ValueError(f"{page} must have {start} and {end} once. Nothing was written.")
    head, rest = text.split(start)
    body = "\n".join(lines)
    page.write_text(f"{head}{start}\n\n{body}\n\n{end}{rest.split(end)[1]}", encoding="utf-8")


def measured(folder: Path, count: int, part: int) -> tuple[list[str], dict[str, float]]:
    """(the tables of the README, the figures that the sizing stands on)."""
    fleet = ready(accounts(folder / "fleet", count))
    few = some(fleet, part)
    whole = planned(fleet, Processes(2))
    alone, two = planned(few, Processes(1)), planned(few, Processes(2))
    rows = [
        ("2 processes, all of it", whole), ("1 process", alone), ("2 processes", two),
        ("this process", planned(some(few, max(1, part // 4)), Serial())),
    ]  # fmt: skip
    (folder / "candidates.toml").write_text(CANDIDATES)
    quick = ready(folder / "fleet", strategy=str(folder / "candidates.toml"))
    rows.append(
        ("2 processes, `search.scope = candidates`", planned(some(quick, part), Processes(2)))
    )
    started, task = overhead_of_dask()
    shares = stages(fleet)
    page, page_s = page_bytes(fleet)
    costs = around(accounts(folder / "many", INSTANT))
    figures = {
        **costs, "plan": whole.processor / whole.accounts, "task": task, "page": page,
        "page_s": page_s,
    }  # fmt: skip
    scaling = alone.seconds / two.seconds
    facts = (
        f"Aims: 25 plans/s on two cores; 1 to 2 processes {scaling:.2f} times as fast (aim 1.8). "
        f"What all workers have in common is {len(packed(fleet.shared).content):,} bytes, once "
        f"each. A cluster of two workers starts in {started:.1f} s; a task of Dask that does "
        f"nothing takes {1e3 * task:.2f} ms, 200 at once."
    )
    lines = [
        *plans_table(rows),
        "",
        facts,
        "",
        f"Where the time of a plan goes ({PROFILED} accounts, under a profiler, processor time):",
        "",
        "| stage | share |",
        "| --- | ---: |",
        *(f"| {label} | {share:.1%} |" for label, share in shares),
    ]
    return lines, figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write both pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--some", type=int, default=100, help="accounts that scaling is tried on")
    parser.add_argument("--print", action="store_true", help="write no page")
    options = parser.parse_args(arguments)
    today = datetime.now().astimezone().date()
    on = machine(today, os.getloadavg()[0]).replace(", one used", "")
    with tempfile.TemporaryDirectory() as folder:
        lines, figures = measured(Path(folder), options.accounts, options.some)
    table = sizing(figures, on)
    print("\n".join([on, "", *lines, "", *table]))
    if not options.print:
        write(PAGE, "fleet", [on, "", *lines])
        write(SIZING, "sizing", table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
