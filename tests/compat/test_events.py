"""The documents' emitter: subscribers in order, each on its own, awaited or not."""

import asyncio
from dataclasses import astuple
from datetime import UTC, datetime

import pytest

from steelyard import compat
from steelyard.compat import (
    CalculatorFailureEvent,
    ConfigurationChangedEvent,
    HolisticPlanner,
    PlannerContext,
    PlannerEvent,
    PlannerEventEmitter,
)
from steelyard.errors import InputError

NOON = datetime(2026, 1, 9, 12, tzinfo=UTC)
FAILED = CalculatorFailureEvent(failed=["a", "b"], bucket_id="core", timestamp=NOON)
CHANGED = ConfigurationChangedEvent(bucket_id="core", config_id=3, timestamp=NOON)


def test_the_document_s_two_events_are_records_with_the_five_fields():
    assert astuple(FAILED) == (NOON, "core", "CalculatorFailure", {"failed": ["a", "b"]}, "")
    assert astuple(CHANGED) == (NOON, "core", "ConfigurationChanged", {"config_id": 3}, "")
    assert isinstance(FAILED, PlannerEvent)
    assert CalculatorFailureEvent(["a"], "core").timestamp.tzinfo is UTC


def test_what_is_emitted_reaches_those_who_subscribed_awaited_or_not():
    first: list[PlannerEvent] = []
    later: list[PlannerEvent] = []
    emitter = PlannerEventEmitter([first.append])

    async def emit() -> None:
        emitter.emit(FAILED)
        emitter.subscribe(later.append)
        await emitter.emit(CHANGED)

    asyncio.run(emit())

    assert first == [FAILED, CHANGED]
    assert later == [CHANGED]


def test_one_that_fails_disturbs_no_other(caplog):
    heard: list[PlannerEvent] = []

    def broken(event: PlannerEvent) -> None:
        raise OSError("gone")

    PlannerEventEmitter([broken, heard.append]).emit(FAILED)

    assert heard == [FAILED]
    assert "The subscriber" in caplog.text
    assert "broken" in caplog.text


def test_what_cannot_be_called_is_no_subscriber():
    with pytest.raises(InputError, match="A subscriber is 3"):
        PlannerEventEmitter().subscribe(3)  # type: ignore[arg-type]


def test_the_function_tells_the_common_emitter_and_may_be_awaited(monkeypatch):
    common = PlannerEventEmitter()
    monkeypatch.setattr(compat.events, "EMITTER", common)
    heard: list[PlannerEvent] = []
    common.subscribe(heard.append)

    asyncio.run(_awaited())

    assert heard == [CHANGED]


async def _awaited() -> None:
    await compat.emit_event(CHANGED)


def test_two_plans_of_a_planner_are_two_runs(small: PlannerContext):
    heard: list[PlannerEvent] = []
    planner = HolisticPlanner(bucket_id="core", emitter=PlannerEventEmitter([heard.append]))

    for _ in range(2):
        asyncio.run(planner.plan(small))

    runs = [event.correlation_id for event in heard]
    half = len(heard) // 2
    assert len(set(runs)) == 2
    assert len(set(runs[:half])) == 1
    types = [event.event_type for event in heard]
    assert types[:half] == types[half:]
    assert (types[0], types[half - 1]) == ("PlanningStarted", "PlanningCompleted")
