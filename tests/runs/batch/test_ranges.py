"""A plan in slices is the plan in one go: whatever the batch sizes, whoever made which slice."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from benchmarks.promises.postgres import running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.world import with_on, with_params, world
from steelyard.arrays import PAD
from steelyard.errors import StoreError
from steelyard.modules.candidates import Ranking, Scores
from steelyard.modules.registry import Kind
from steelyard.planning import planner
from steelyard.planning.case import Case
from steelyard.planning.keep import Pool
from steelyard.planning.proposals import keep_best
from steelyard.plans.plan import Plan
from steelyard.runs.batch.best import Best
from steelyard.runs.batch.call import Call, Manner
from steelyard.runs.batch.ranges import OtherSequences, Ranges
from steelyard.runs.batch.sequences import sequences
from steelyard.runs.batch.work import Work
from steelyard.settings import Search
from steelyard.store import batches
from steelyard.store.opening import open_store
from steelyard.store.schema import run_slice
from steelyard.store.store import Store

QUICK = {"pace": 0.0, "lease_seconds": 600.0}
"""Every batch is a slice of its own."""


@pytest.fixture(scope="module")
def case() -> Case:
    """An account with about a hundred sequences."""
    shares = {"AA": 0.3, "BB": 0.05, "CC": 0.25, "DD": 0.2, "EE": 0.2}
    of = world(
        "AA 40 @ 100", "BB 90 @ 50", "CC 10 @ 80", "DD 30 @ 70", "EE 0 @ 60",
        cash="2000", targets=shares,
    )  # fmt: skip
    search = Search(scope="proposals", max_depth=4)
    strategy = replace(of.strategy, search=search)
    return Case(snapshot=of.snapshot, market=of.market, strategy=strategy, targets=of.targets)


@pytest.fixture(scope="module")
def ranked(case: Case) -> Case:
    """The same, and only the most diverse sequences stay."""
    strategy = with_on(case.strategy, Kind.FILTER, "diversity")
    return replace(case, strategy=with_params(strategy, Kind.FILTER, "diversity", max_sequences=20))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(str(tmp_path / "s.db"))
    yield opened
    opened.close()


def whole(case: Case) -> Plan:
    return planner.plan_case(case)


def called(store: Store, case: Case, size: int, most: int | None = None) -> tuple[Plan, Call]:
    """One call in the place of a process."""
    call = Call(lambda: store, "core", Manner(batch_size=size, most=most, **QUICK))
    try:
        plan = planner.plan_case(case, call.steps_now(case))
    finally:
        call.end()
    return plan, call


def stored(store: Store, run_id: int = 1) -> list[tuple[int, int]]:
    """The finished ranges, in order."""
    query = sa.select(run_slice.c.start, run_slice.c.stop)
    query = query.where(run_slice.c.state == "done", run_slice.c.run_id == run_id)
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(run_slice.c.start))]


def each_once(ranges: list[tuple[int, int]], total: int) -> bool:
    """Do the ranges cover all, without a gap and without an overlap?"""
    ends = [0, *(stop for _, stop in ranges)]
    return ends[-1] == total and [start for start, _ in ranges] == ends[:-1]


@pytest.mark.parametrize("which", ["case", "ranked"])
def test_begun_with_one_batch_size_and_finished_with_others(
    store: Store, which: str, request: pytest.FixtureRequest
):
    one: Case = request.getfixturevalue(which)
    plan = whole(one)
    total = plan.certificate.sequences

    ids, counts = [], []
    for size in (40, 5, 37, 1000):
        made, call = called(store, one, size, most=size)
        ids.append(made.plan_id)
        counts.append((call.progress.evaluated, call.final))

    assert [evaluated for evaluated, _ in counts[:3]] == [40, 45, 82]
    assert counts[3][1]
    assert counts[3][0] >= total > 82
    assert ids[3] == plan.plan_id
    assert each_once(stored(store), counts[3][0])


def test_a_plan_midway_is_the_best_of_what_is_evaluated(store: Store, case: Case):
    made, call = called(store, case, 10, most=10)

    assert not call.final
    assert made.certificate.sequences <= 10 < whole(case).certificate.sequences
    assert "the next call goes on: 10 of" in call.because()


class Killed(BaseException):
    """Stands for a signal: nothing catches it on its way."""


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    after=st.integers(0, 12),
    ties=st.booleans(),
    most=st.sampled_from((None, 7)),
)
def test_ended_anywhere_nothing_is_evaluated_twice_or_never(
    store: Store, sizes: list[int], after: int, ties: bool, most: int | None
):
    rows, net = drawn(ties=ties)
    rankings = () if most is None else (Ranking(lambda some: some[:, 1].astype(float) % 13, most),)

    def evaluated(size: int, ends: int) -> tuple[Pool, Work]:
        left = itertools.count(ends, -1)

        def tell(_: object) -> None:
            if next(left) == 0:
                raise Killed

        key = f"{sizes} {after} {ties} {most}"
        with store.writing() as transaction:
            run = batches.begin(transaction, key, key, {})
        work = Work(store, run, str(size), size, tell=tell, pace=0.0)
        task = sequences(
            "0", rows, size, lambda k, some: Scores(k, some, net[k : k + len(some)]),
            Best(rows.shape[1], rankings),
        )  # fmt: skip
        try:
            scores = (result for _, result in Ranges(work, task).results())
            return keep_best(rows.shape[1], scores, rankings), work
        finally:
            work.release()

    for size in sizes:
        with suppress(Killed):
            evaluated(size, after)
    pool, work = evaluated(25, -1)

    whole_pool = keep_best(rows.shape[1], [Scores(0, rows, net)], rankings)
    assert pool.seen == whole_pool.seen
    assert np.array_equal(pool.rows, whole_pool.rows)
    assert np.array_equal(pool.net, whole_pool.net)
    assert each_once(stored(store, work.run.id), len(rows))


def drawn(count: int = 600, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows, a fifth of them infeasible; with ties more than are kept besides them."""
    order = np.random.default_rng(7).permutation(count)
    rows = np.stack([order // 30, order % 30 + 100, np.full(count, PAD)], axis=1)
    net = np.where(order % 5 == 0, -np.inf, (order % 2 if ties else order) / 1000)
    return rows, net


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database of each kind; a server's only where its binaries are."""
    if request.param == "sqlite":
        yield str(tmp_path / "s.db")
        return
    with running() as server:
        if server is None:
            pytest.skip("there are no binaries of PostgreSQL")
        yield server.fresh()


def test_two_processes_share_the_work(case: Case, place: str):
    open_store(place).close()
    both = threading.Barrier(2)

    def one(size: int) -> tuple[str, int]:
        store = open_store(place)
        both.wait(20)
        plan, call = called(store, case, size)
        store.close()
        assert call.stored is not None
        assert call.stored.work is not None
        return plan.plan_id, call.stored.work.here

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(one, (4, 7)))

    assert {plan_id for plan_id, _ in answers} == {whole(case).plan_id}
    store = open_store(place)
    assert each_once(stored(store), sum(here for _, here in answers))
    with store.reading() as connection:
        (run,) = batches.of_bucket(connection, "core")
    assert run.evaluated == run.total
    store.close()


def test_what_a_process_that_is_gone_was_at_is_done_again_once_its_lease_is_over(
    store: Store, case: Case
):
    def gone(number: int, rows: np.ndarray) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("steelyard.runs.batch.steps.score_batch", gone)
        call = Call(lambda: store, "core", Manner(batch_size=10, pace=0.0, lease_seconds=0.5))
        with pytest.raises(Killed):
            planner.plan_case(case, call.steps_now(case))
        assert call._beating is not None
        call._beating.end()  # and nothing else: it was killed
    before = stored(store)

    made, then = called(store, case, 25)

    assert before == []
    assert made.plan_id == whole(case).plan_id
    assert each_once(stored(store), then.progress.total)


def test_other_sequences_than_those_stored_are_noticed(store: Store, case: Case):
    called(store, case, 10, most=20)
    with store.writing() as transaction:
        transaction.connection.execute(sa.update(run_slice).values(digest="0" * 64))

    with pytest.raises(OtherSequences):
        called(store, case, 10)


def test_a_damaged_slice_is_refused(store: Store, case: Case):
    called(store, case, 10, most=20)
    with store.writing() as transaction:
        transaction.connection.execute(sa.update(run_slice).values(body=b"SLC1"))

    with pytest.raises(StoreError, match="A stored slice is damaged"):
        called(store, case, 10)


def test_what_is_quick_is_stored_in_longer_slices(store: Store, case: Case):
    call = Call(lambda: store, "core", Manner(batch_size=5, pace=60.0))
    plan = planner.plan_case(case, call.steps_now(case))
    call.end()

    lengths = [stop - start for start, stop in stored(store)]
    assert lengths[:3] == [5, 10, 20]
    assert plan.plan_id == whole(case).plan_id


def test_an_ordinary_plan_stores_no_slices(store: Store, case: Case):
    usual = replace(case, strategy=replace(case.strategy, search=Search()))

    for one in (usual, case):
        plan, call = called(store, one, 100_000)
        assert plan.plan_id == whole(one).plan_id
        assert call.final
        assert "planned in one go" in call.because()
    assert stored(store, 1) == stored(store, 2) == []
