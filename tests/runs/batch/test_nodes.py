"""A search that is killed goes on in another process, to the plan of one that was not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from builders.world import world
from steelyard.planning import planner
from steelyard.planning.case import Case
from steelyard.planning.proof import Evidence, Search
from steelyard.planning.search.stretches import Record, Stretch
from steelyard.planning.solve import LOCAL, Steps
from steelyard.runs.batch.call import Call, Manner
from steelyard.runs.batch.nodes import ANEW, GONE_ON, Nodes
from steelyard.store.batches import NODES
from steelyard.store.opening import open_store
from steelyard.store.schema import run_slice
from steelyard.store.store import Store

BRANCHED = 10
"""Nodes of the account's search."""


class Killed(BaseException):
    """Stands for a signal."""


@dataclass
class Dying:
    """A record in a process that is killed when it has stored so many stretches."""

    inner: Record
    most: int

    def due(self) -> bool:
        return self.inner.due()

    def read(self, search: str) -> Sequence[Stretch]:
        return self.inner.read(search)

    def write(self, search: str, stretch: Stretch) -> None:
        if not self.most:
            raise Killed
        self.most -= 1
        self.inner.write(search, stretch)

    def went_on(self, nodes: int) -> None:
        self.inner.went_on(nodes)

    def passed_over(self, search: str) -> None:
        self.inner.passed_over(search)


def dying(most: int) -> Steps:
    """Steps that end the process in the midst of the search."""

    def prove(*asked: object) -> Evidence:
        *others, search = asked
        assert isinstance(search, Search)
        record_of = search.record_of
        assert record_of is not None
        killed = replace(search, record_of=lambda name: Dying(record_of(name), most))
        return LOCAL.prove(*others, killed)

    return replace(LOCAL, prove=prove)


@pytest.fixture(scope="module")
def case() -> Case:
    """An account whose search branches."""
    of = world(
        "S0 22 @ 50", "S1 9 @ 35", "S2 2 @ 20", "S3 8 @ 130", "S4 10 @ 50", "S5 11 @ 80",
        "S6 5 @ 35", "S7 7 @ 80", cash="4100",
        targets={"S0": 0.183, "S1": 0.163, "S2": 0.142, "S3": 0.146, "S4": 0.136, "S5": 0.095,
                 "S6": 0.093, "S7": 0.012},
    )  # fmt: skip
    return Case(snapshot=of.snapshot, market=of.market, strategy=of.strategy, targets=of.targets)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(str(tmp_path / "s.db"))
    yield opened
    opened.close()


def called(store: Store, case: Case, inner: Steps = LOCAL, stretch: float = 0.0) -> tuple[str, str]:
    """The plan's id, and what is said of the call."""
    call = Call(lambda: store, "core", Manner(pace=0.0, stretch=stretch))
    try:
        plan = planner.plan_case(case, call.steps(case, inner=inner))
        return plan.plan_id, call.because()
    finally:
        call.end()


def ranges(store: Store) -> list[tuple[int, int]]:
    """Of nodes, as they are stored."""
    with store.reading() as connection:
        query = sa.select(run_slice.c.start, run_slice.c.stop).order_by(run_slice.c.start)
        nodes = query.where(run_slice.c.part.startswith(NODES))
        return [(row.start, row.stop) for row in connection.execute(nodes)]


@pytest.mark.parametrize("most", [3, 7])
def test_a_search_goes_on_where_it_was_killed(store: Store, case: Case, most: int):
    with pytest.raises(Killed):
        called(store, case, dying(most))
    assert ranges(store) == [(k, k + 1) for k in range(most)]
    plan_id, because = called(store, case)
    assert plan_id == planner.plan_case(case).plan_id
    assert GONE_ON.format(most) in because
    assert ranges(store) == [(k, k + 1) for k in range(BRANCHED)]


def test_a_quick_search_stores_nothing(store: Store, case: Case):
    plan_id, because = called(store, case, stretch=600.0)
    assert plan_id == planner.plan_case(case).plan_id
    assert "in one go" in because
    assert not ranges(store)


@pytest.mark.parametrize("damage", [b"\0" * 72, None])
def test_damaged_nodes_are_passed_over_and_said(store: Store, case: Case, damage: bytes | None):
    with pytest.raises(Killed):
        called(store, case, dying(5))
    with store.writing() as transaction:
        body = sa.select(run_slice.c.body).where(run_slice.c.start == 2)
        was = bytes(transaction.connection.scalar(body))
        new = was[:-8] + np.float64(1).tobytes() if damage is None else damage
        assert new != was
        mended = sa.update(run_slice).where(run_slice.c.start == 2).values(body=new)
        transaction.connection.execute(mended)
    plan_id, because = called(store, case)
    assert plan_id == planner.plan_case(case).plan_id
    assert ANEW in because
    assert ranges(store)[0][0] == 0
    assert ranges(store)[-1][1] == BRANCHED


def test_what_is_behind_a_gap_is_not_gone_on_from(store: Store, case: Case):
    with pytest.raises(Killed):
        called(store, case, dying(6))
    with store.writing() as transaction:
        transaction.connection.execute(sa.delete(run_slice).where(run_slice.c.start == 3))
    plan_id, because = called(store, case)
    assert plan_id == planner.plan_case(case).plan_id
    assert GONE_ON.format(3) in because
    assert ranges(store) == [(k, k + 1) for k in range(BRANCHED)]


def test_two_searches_of_a_plan_are_parts_of_their_own(store: Store):
    parts = {
        Nodes(lambda: pytest.fail("not asked"), of, 1.0, [])._part(search)
        for of in ("a:all", "a:invested", "b:all")
        for search in ("0", "1")
    }
    assert len(parts) == 6
    assert not ranges(store)
