"""A batch that is killed in any slice goes on: no sequence is counted twice or never, same plan."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmarks.promises.c3_kills import at_every_point, by_itself
from benchmarks.promises.databases import NOW, SEED, Profile, copies, folder, forked, made
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from steelyard.engine import EngineSettings
from steelyard.importers import Inputs
from steelyard.market import Market, Quote
from steelyard.money import FxTable
from steelyard.planning.solve import score_batch
from steelyard.portfolio import Holding, Security, Snapshot, TaxLot
from steelyard.runs import bucket_plan
from steelyard.runs.batch import steps
from steelyard.runs.batch.bucket import Outcome, batch_bucket
from steelyard.runs.batch.call import Manner
from steelyard.runs.planners import Planners
from steelyard.runs.stored import load
from steelyard.store import assignments, batches, strategies
from steelyard.store.opening import open_store
from steelyard.store.schema import run_slice
from steelyard.store.store import Store
from steelyard.store.strategies import Draft
from steelyard.targets import Targets
from steelyard.telemetry.breaker import Rules
from steelyard.telemetry.health import Health

PROMISE = (
    "A batch that is killed in any slice goes on: no sequence evaluated twice or never, same plan"
)
HOW = (
    "A bucket is planned in slices, and the process that does it is killed with SIGKILL in each of "
    "the first 50 slices in turn, each time another process that goes on from there, with a batch "
    "size of its own: before, while or after a slice is calculated, before or after a statement or "
    "the commit that writes it. A last one finishes. Counted as bad: a kill after which more or "
    "fewer sequences are counted than are stored; a life after which the stored slices overlap or "
    "leave a gap, or the plan is another than that of one process in one go. Trials are kills."
)
MUTANT = "each statement is committed by itself"
SLICES, SIZES = 50, (2, 3)
POINTS = 24
"""Statements, commits and calculations that a kill may fall on, from its slice on."""
TOML = "[search]\nscope = 'proposals'\nmax_depth = 3\nmax_nodes = 1\n"


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """So many lives, a kill in each of so many slices of each."""
    rng, kills, bad = random.Random(SEED), 0, 0  # noqa: S311 - the same kills each time
    with folder() as home:
        template = made(str(home / "template.db"), _fill)
        copy = copies(template)
        whole = _finished(next(copy), 1000)
        for _ in range(profile.batch_lives):
            place = next(copy)
            for number in range(0, SLICES, 1 if mutant else profile.batch_stride):
                kill = _doomed(place, number, rng.choice(SIZES), rng.randrange(POINTS), mutant)
                kills += forked(kill) == -signal.SIGKILL
                bad += not _counted(place)
            bad += not _whole(place, _finished(place, rng.choice((1, 5, 37))), whole)
    note = f"{profile.batch_lives} runs, {whole.total} sequences each"
    return Figure("P1", kills, bad, note=note)


def _fill(store: Store) -> None:
    load(store, "core", _owned(), ())
    strategies.save(store, Draft(name="all", toml=TOML, rules_sha256="0" * 64))
    assignments.assign(store, "core", "all")


def _owned() -> Inputs:
    """Five securities, over and under their targets."""
    day, prices = date(2026, 3, 6), (100, 50, 80, 70, 60)
    symbols = tuple(f"S{k}" for k in range(len(prices)))
    securities = tuple(Security(symbol=symbol, currency="USD", name=symbol) for symbol in symbols)
    owned = tuple(
        Holding(symbol, Decimal(quantity), (TaxLot(Decimal(quantity), None, None),))
        for symbol, quantity in zip(symbols, (40, 90, 10, 30, 5), strict=True)
    )
    snapshot = Snapshot(
        as_of=day, base_currency="USD", holdings=owned, cash={"USD": Decimal(2000)},
        securities=securities,
    )  # fmt: skip
    steps_of = np.random.default_rng(SEED).normal(0, 0.01, (300, len(prices)))
    dates = np.array([day - timedelta(days=300 - k) for k in range(1, 301)], "datetime64[D]")
    market = Market(
        symbols=symbols, dates=dates, closes=np.array(prices) * np.exp(steps_of.cumsum(axis=0)),
        quotes={s: Quote(s, Decimal(p), day) for s, p in zip(symbols, prices, strict=True)},
        fx=FxTable("USD", {}),
    )  # fmt: skip
    shares = dict(zip(symbols, (0.3, 0.05, 0.25, 0.2, 0.2), strict=True))
    return Inputs(
        snapshot=snapshot, market=market, targets=Targets(shares), warnings=(), as_of_from="prices"
    )


def _batch(store: Store, size: int) -> Outcome:
    planning = bucket_plan.Manner(
        engine=EngineSettings(shadow="none"), health=Health({}, Rules()), correlation_id="p"
    )
    manner = Manner(batch_size=size, pace=0.0)
    return batch_bucket(store, Planners(store), "core", planning, manner)


def _later(place: str, lives: int) -> Store:
    """The database when every lease of the lives before is over."""
    return open_store(place, now=lambda: NOW + timedelta(minutes=2 * lives))


def _finished(place: str, size: int) -> Outcome:
    store = _later(place, SLICES + 1)
    try:
        return _batch(store, size)
    finally:
        store.close()


def _doomed(place: str, number: int, size: int, point: int, mutant: bool) -> Callable[[], None]:
    """A batch that is killed so many points after so many slices are stored."""

    def work() -> None:
        store, points = _later(place, number), count()
        if mutant:
            sa.event.listen(store.engine, "after_cursor_execute", by_itself)

        def passed() -> None:
            if _stored(slices) >= number and next(points) == point:
                os.kill(os.getpid(), signal.SIGKILL)

        slices = [0]
        _note_slices(store, slices)
        real: Any = score_batch

        def scored(*words: Any) -> Any:
            passed()
            scores = real(*words)
            passed()
            return scores

        vars(steps)["score_batch"] = scored
        at_every_point(store, passed)
        _batch(store, size)

    return work


def _note_slices(store: Store, slices: list[int]) -> None:
    """Count what is stored before, and what this process finishes."""
    with store.reading() as connection:
        done = sa.select(sa.func.count()).where(run_slice.c.state == "done")
        slices[0] = connection.scalar(done) or 0

    def finished(*words: Any) -> None:
        slices[0] += "UPDATE run_slice SET state" in words[2] and "digest" in words[2]

    sa.event.listen(store.engine, "after_cursor_execute", finished)


def _stored(slices: list[int]) -> int:
    return slices[0]


def _counted(place: str) -> bool:
    """Are as many sequences counted as are stored?"""
    store = _later(place, 0)
    with store.reading() as connection:
        counted = sum(run.evaluated for run in batches.of_bucket(connection, "core"))
        length = sa.func.sum(run_slice.c.stop - run_slice.c.start)
        done = connection.scalar(sa.select(length).where(run_slice.c.state == "done")) or 0
    store.close()
    return counted == done


def _whole(place: str, outcome: Outcome, whole: Outcome) -> bool:
    """Is every sequence stored once, and the plan that of one process?"""
    store = _later(place, SLICES + 2)
    with store.reading() as connection:
        (run,) = batches.of_bucket(connection, "core")
        query = sa.select(run_slice).order_by(run_slice.c.start)
        rows = connection.execute(query).mappings().all()
    store.close()
    ends = [0, *(row["stop"] for row in rows)]
    return (
        outcome.plan_id == whole.plan_id
        and outcome.final
        and [row["start"] for row in rows] == ends[:-1]
        and ends[-1] == whole.total == run.total == run.evaluated
        and all(row["state"] == "done" for row in rows)
    )


if __name__ == "__main__":
    script(measure)
