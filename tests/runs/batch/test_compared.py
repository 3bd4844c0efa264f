"""Lists compared by drawn scenarios: stored, and not drawn again in another process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from builders.world import world
from steelyard.errors import StoreError
from steelyard.planning import planner
from steelyard.planning.case import Case
from steelyard.planning.modes import compare as modes
from steelyard.planning.solve import LOCAL
from steelyard.runs.batch.call import Call, Manner
from steelyard.settings import Evaluation
from steelyard.store.opening import open_store
from steelyard.store.schema import run_slice
from steelyard.store.store import Store


def case() -> Case:
    of = world("AA 40 @ 100", "BB 90 @ 50", "CC 10 @ 80", cash="2000",
               targets={"AA": 0.3, "BB": 0.2, "CC": 0.4})  # fmt: skip
    drawn = Evaluation(mode="monte_carlo", paths=200, compared=20)
    strategy = replace(of.strategy, evaluation=drawn)
    return Case(snapshot=of.snapshot, market=of.market, strategy=strategy, targets=of.targets)


class Killed(BaseException):
    """Stands for a signal."""


def called(store: Store, one: Case, most: int = 10**9) -> tuple[str, int]:
    """The plan's id, and how many lists were compared; ended before more than that."""
    rows = 0

    def counting(*words: object) -> object:
        nonlocal rows
        rows += len(words[-1])  # type: ignore[arg-type]
        if rows > most:
            raise Killed
        return modes.compare(*words)  # type: ignore[arg-type]

    inner = replace(LOCAL, compare=counting)
    call = Call(lambda: store, "core", Manner(batch_size=100, pace=0.0))
    try:
        return planner.plan_case(one, call.steps_now(one, inner=inner)).plan_id, rows
    finally:
        call.end()


def test_a_process_that_was_ended_compares_no_list_again(tmp_path: Path):
    store, one = open_store(str(tmp_path / "s.db")), case()
    whole = planner.plan_case(one).plan_id
    with pytest.raises(Killed):
        called(store, one, most=2)

    first, then = called(store, one), called(store, one)

    assert first[0] == then[0] == whole
    assert then[1] == 0
    with store.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(run_slice)) == first[1] + 2
    store.close()


def test_damaged_figures_are_refused(tmp_path: Path):
    store, one = open_store(str(tmp_path / "s.db")), case()
    called(store, one)
    with store.writing() as transaction:
        transaction.connection.execute(sa.update(run_slice).values(body=b"123"))

    with pytest.raises(StoreError, match="Stored figures are damaged"):
        called(store, one)
    store.close()
