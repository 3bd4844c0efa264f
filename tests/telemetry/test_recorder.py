"""A recorder stamps events and hands each to every subscriber, whatever one of them does."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from builders.world import BUSY
from steelyard.store import events
from steelyard.store.opening import open_store
from steelyard.telemetry.events import BatchScored, BestSequenceUpdated, PlannerEvent
from steelyard.telemetry.recorder import as_kept, stamped

NOON = datetime(2026, 1, 9, 12, tzinfo=UTC)
FIRST, SECOND = BatchScored(0, 10, 7), BestSequenceUpdated(0.0, 0.25, 2)


def ticking():
    """A clock that is a second later each time it is asked."""
    ticks = iter(range(1000))
    return lambda: NOON + timedelta(seconds=next(ticks))


def broken(event: PlannerEvent) -> None:
    raise ValueError(f"no room for {event.event_type}")


def test_the_type_is_the_class_and_the_data_are_the_fields():
    assert as_kept(SECOND, NOON, "core", "run 1") == PlannerEvent(
        NOON, "core", "BestSequenceUpdated", {"old": 0.0, "new": 0.25, "orders": 2}, "run 1"
    )


def test_every_subscriber_gets_every_event_in_order_with_time_bucket_and_correlation():
    first, others = [], []
    observe = stamped("core", "run 1", ticking(), [first.append, others.append])

    observe(FIRST)
    observe(SECOND)

    assert first == others
    assert [event.event_type for event in first] == ["BatchScored", "BestSequenceUpdated"]
    assert [event.timestamp.second for event in first] == [0, 1]
    assert {(event.bucket_id, event.correlation_id) for event in first} == {("core", "run 1")}


def test_a_subscriber_that_fails_disturbs_nobody_and_is_told_once_by_name(caplog):
    before, after = [], []
    observe = stamped("core", "run 1", ticking(), [before.append, broken, after.append])

    with caplog.at_level(logging.WARNING):
        observe(FIRST)
        observe(SECOND)

    assert len(before) == len(after) == 2
    (record,) = caplog.records
    assert "The subscriber broken failed at BatchScored" in record.getMessage()
    assert record.exc_info is not None
    assert record.name == "steelyard.events"


def test_two_that_fail_are_each_told(caplog):
    observe = stamped("core", "run 1", ticking(), [broken, broken])

    observe(FIRST)

    assert len(caplog.records) == 2


def test_an_interrupt_is_no_failure_of_a_subscriber():
    def interrupted(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stamped("core", "", ticking(), [interrupted])(FIRST)


def test_a_subscriber_that_fails_changes_no_plan():
    observe = stamped("core", "run 1", ticking(), [broken])

    assert BUSY.plan(observe=observe).plan_id == BUSY.planned.plan_id


def test_one_that_fails_on_what_the_store_wrote_leaves_it_written(tmp_path, caplog):
    store = open_store(str(tmp_path / "s.db"), heard=broken)

    events.append(store, [as_kept(FIRST, NOON, "core")])

    assert [kept.event.event_type for kept in events.since(store)][-1] == "BatchScored"
    assert caplog.text.count("The subscriber broken failed") == 1
    store.close()
