"""A run that died goes on where it was, or stands still where somebody has to look."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builders.trading import CALM, SOON, Died, Stage, from_call, silent, staged
from steelyard.execution.comparing import agree
from steelyard.execution.desk import Halted
from steelyard.execution.journal import rows
from steelyard.execution.journal.changes import alert
from steelyard.execution.recovery import STRIKES
from steelyard.execution.states import LegState, RunState
from steelyard.execution.trade import stand_still


def swap(home: Path, **settings: Any) -> Stage:
    """Sell 50 AA, buy 50 BB, without any money."""
    lines = ("AA 100 @ 100", "BB 0 @ 100")
    return staged(home, *lines, **{"targets": {"AA": 0.5, "BB": 0.5}, **settings})


def dies_recovering(stage: Stage, point: str, number: int = 1) -> None:
    """A process that takes a run up again, and dies at a point."""
    count = itertools.count(1)

    def probe(here: str) -> None:
        if here == point and next(count) == number:
            raise Died(point)

    stage.journal.probe = probe
    try:
        with pytest.raises(Died):
            stage.recover(crashed=True)
    finally:
        stage.journal.probe = lambda _: None


def test_an_order_that_kills_the_process_three_times_needs_a_person(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=replace(CALM, dropped=1.0))
    stage.crash_at("after send")
    for _ in range(STRIKES - 1):
        dies_recovering(stage, "after send")
    asked = len(stage.broker.tickets)

    run = stage.recover(crashed=True)

    assert run.state is RunState.NEEDS_HUMAN
    assert "died 3 times at the order" in run.reason
    assert len(stage.broker.tickets) == asked
    assert stage.alerts() == ["three_strikes"]


def test_an_order_at_the_broker_that_kills_three_times_is_not_touched(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON)
    stage.crash_at("after receive")
    for _ in range(STRIKES - 1):
        dies_recovering(stage, "after receive")
    cancels = len(stage.broker.cancels)

    run = stage.recover(crashed=True)

    assert run.state is RunState.NEEDS_HUMAN
    assert len(stage.broker.cancels) == cancels
    assert stage.recover().state is RunState.ABORTED
    executions = stage.broker.broker.fills(datetime(2000, 1, 1, tzinfo=UTC))
    assert {fill.exec_id for fill in executions} == {fill.exec_id for fill in stage.fills}


def test_strikes_of_an_order_that_is_over_hold_nothing(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON)
    stage.crash_at("after send")
    with stage.journal.writing() as change:
        change.execute(
            "INSERT INTO strike VALUES (?,1,1,'ACCEPTED',9),(?,1,9,'SUBMITTING',9)",
            (stage.run_id, stage.run_id),
        )

    assert stage.recover(crashed=True).state is RunState.DONE


def test_a_run_that_stood_still_and_died_while_it_was_compared_is_not_done(tmp_path: Path) -> None:
    stage = swap(tmp_path)

    def dies(_: object) -> bool:
        raise Died("comparing")

    with pytest.raises(Died), stage.leased() as lease:
        stand_still(stage.start(lease), Halted("somebody said so", code="said"), dies)
    assert stage.run.state is RunState.RECONCILING

    run = stage.recover(crashed=True)

    assert (run.state, run.outcome) == (RunState.ABORTED, "not_started")
    assert stage.sent == []


def test_a_fill_that_nobody_waited_for_stops_the_run_after_a_crash_too(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.crash_at("before send", 2)
    sent = len(stage.broker.tickets)
    with stage.journal.writing() as change:
        alert(change, stage.run_id, "core", "late_fill", "booked, and then the process died")

    run = stage.recover(crashed=True)

    assert run.state is RunState.ABORTED
    assert len(stage.broker.tickets) <= sent + 1  # the order in doubt, under its own id


def test_what_may_fill_after_its_end_is_not_sent_again_after_a_crash(tmp_path: Path) -> None:
    """A cancelled order of such a broker may fill later: with another one it would be too much."""
    script = replace(SOON, cancelled_that_filled=1.0, fill_after_s=(500, 500), ghost_after_s=(9, 9))
    stage = swap(tmp_path, script=script)
    stage.crash_at("after receive")

    run = stage.recover(crashed=True)

    assert stage.sent.count("sell AA 50") == 1
    stage.broker.broker.wait(60)
    assert stage.shares["AA"] == "50"
    assert run.state in {RunState.DONE, RunState.ABORTED}


@pytest.mark.parametrize("call", ["orders", "fills"])
def test_a_broker_that_is_silent_for_a_while_is_waited_for(tmp_path: Path, call: str) -> None:
    stage = swap(tmp_path)
    stage.crash_at("after send")
    stage.broker.instead[call] = from_call(1, silent, until=4)

    assert stage.recover(crashed=True).state is RunState.DONE


def test_a_broker_that_stays_silent_leaves_the_run_to_a_person(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.crash_at("after send")
    stage.broker.instead["orders"] = silent

    run = stage.recover(crashed=True)

    assert run.state is RunState.NEEDS_HUMAN
    del stage.broker.instead["orders"]
    assert stage.recover().state is RunState.ABORTED
    assert rows.legs(stage.journal, stage.run_id)[0].state is LegState.FILLED


def test_a_pause_that_fails_while_both_sides_are_compared_is_no_crash(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    with stage.leased() as lease:
        desk = stage.start(lease)
        stage.broker.instead |= {"account": silent, "wait": silent}

        assert not agree(desk)
