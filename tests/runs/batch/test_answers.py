"""A slow formula is asked once of an end state, whoever asked it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from builders.world import with_call, world
from steelyard.modules.registry import Kind
from steelyard.modules.terms import BlackBox, Part, Term
from steelyard.planning import planner
from steelyard.planning.case import Case
from steelyard.runs.batch.call import Call, Manner
from steelyard.store.opening import open_store

PROBES = 3
"""End states that a formula is tried on each time it is made."""
ASKED: list[bytes] = []


class Killed(BaseException):
    """Stands for a signal."""


def case(most: int = 10**9) -> Case:
    """An account whose quality is a formula that ends the process after so many answers."""

    def raw(weights: np.ndarray, cash: float) -> float:
        if len(ASKED) >= most:
            raise Killed
        ASKED.append(weights.tobytes())
        return float(np.round(weights, 2).max()) - cash

    def term(*_: object) -> Term:
        return Term("quality", (Part("q", 1.0, 0.0, 1.0, raw, BlackBox()),))

    of = world("AA 40 @ 100", "BB 90 @ 50", "CC 10 @ 80", cash="2000",
               targets={"AA": 0.3, "BB": 0.2, "CC": 0.4})  # fmt: skip
    strategy = with_call(of.strategy, Kind.TERM, "quality", term)
    return Case(snapshot=of.snapshot, market=of.market, strategy=strategy, targets=of.targets)


def called(place: Path, one: Case) -> tuple[str, str]:
    """The plan's id, and what is said of the call."""
    store = open_store(str(place))
    call = Call(lambda: store, "core", Manner(batch_size=100, pace=0.0))
    try:
        plan = planner.plan_case(one, call.steps(one))
        return plan.plan_id, call.because()
    finally:
        call.end()
        store.close()


@pytest.fixture(autouse=True)
def _nothing_asked():
    ASKED.clear()


def test_a_process_that_was_ended_asks_nothing_again(tmp_path: Path):
    whole = planner.plan_case(case()).plan_id
    states = len(set(ASKED))
    ASKED.clear()

    for ends in (3, 7):
        with pytest.raises(Killed):
            called(tmp_path / "s.db", case(ends))
    plan_id, because = called(tmp_path / "s.db", case())

    assert plan_id == whole
    again = {state for state in ASKED if ASKED.count(state) > 1}
    assert len(set(ASKED)) == states > 7
    assert len(again) <= PROBES
    assert "stored as they were done" in because


def test_an_account_at_other_prices_is_asked_anew(tmp_path: Path):
    called(tmp_path / "s.db", case())
    count = len(ASKED)
    one = case()
    called(tmp_path / "s.db", replace(one, seed=1))

    assert len(ASKED) > count
