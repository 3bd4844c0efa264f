"""Schedules and ticks: each once, newest first, one process at a time, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from steelyard.errors import NotStored, StoreError
from steelyard.store import buckets, schedules
from steelyard.store.schedules import Breach, Delivery, Tick
from steelyard.store.schema import tick as table
from steelyard.store.store import Store

DUE = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
TICK = Tick(
    bucket="satellite_a", due_at=DUE, at=DUE, reason="calendar", outcome="planned", plan_id="p",
    missed=2, missed_since=DUE, breaches=(Breach("cash", "CASH", 0.2, 0.0, 0.1),),
    deliveries={"smtp": Delivery(), "webhook": Delivery("failed", 3, DUE, "why")},
)  # fmt: skip


@pytest.fixture
def store(store: Store) -> Store:
    """A database with a bucket."""
    buckets.create(store, "satellite_a")
    return store


def put(store: Store, toml: str) -> schedules.Scheduled:
    with store.writing() as transaction:
        schedules.put(transaction, "satellite_a", toml, "me")
        return schedules.of_bucket(transaction.connection, "satellite_a")


def add(store: Store, tick: Tick) -> int:
    with store.writing() as transaction:
        return schedules.add_tick(transaction, tick)


def test_a_schedule_is_written_once_and_another_text_begins_anew(store: Store):
    first, again = put(store, "a"), put(store, "a")
    other = put(store, "b")

    assert first == again
    assert (other.toml, other.looked_until > first.looked_until) == ("b", True)
    assert schedules.listed(store) == [other]
    with store.writing() as transaction:
        schedules.remove(transaction, "satellite_a")
    with pytest.raises(NotStored, match="no schedule"), store.reading() as connection:
        schedules.of_bucket(connection, "satellite_a")
    with pytest.raises(NotStored, match="There is no bucket x"), store.reading() as connection:
        schedules.of_bucket(connection, "x")


def test_a_tick_is_as_it_was_written_and_is_told_on(store: Store):
    number = add(store, TICK)
    stored = replace(TICK, id=number)

    assert schedules.ticks(store) == schedules.ticks(store, waiting=True) == [stored]
    after = replace(stored, deliveries={"smtp": Delivery("told", 1, DUE)})
    with store.writing() as transaction:
        schedules.delivered(transaction, after)
    assert schedules.ticks(store, waiting=True) == []
    assert schedules.last_ticks(store) == {"satellite_a": after}


def test_a_time_is_there_once_and_looks_at_bands_have_none(store: Store):
    add(store, TICK)
    with pytest.raises(StoreError):
        add(store, TICK)
    bands = replace(TICK, due_at=None, reason="band")
    assert add(store, bands) < add(store, bands)


def test_the_newest_ticks_stay(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schedules, "MOST_TICKS", 3)
    numbers = [add(store, replace(TICK, due_at=None, reason="band")) for _ in range(5)]

    assert [tick.id for tick in schedules.ticks(store)] == numbers[:1:-1]
    assert [tick.id for tick in schedules.ticks(store, most=1)] == numbers[-1:]


def test_one_process_looks_until_its_lease_is_over(store: Store):
    def hold(name: str, seconds: float) -> bool:
        with store.writing() as transaction:
            return schedules.hold(transaction, name, seconds) is not None

    assert hold("a", 600)
    assert not hold("b", 600)
    assert (schedules.holder(store) or ("",))[0] == "a"
    with store.writing() as transaction:
        transaction.connection.execute(schedules.scheduler.update().values(lease_until=""))
    assert schedules.holder(store) is None
    assert hold("b", 600)


def test_a_damaged_row_is_told_as_one(store: Store):
    add(store, TICK)
    with store.writing() as transaction:
        broken = '{"smtp": {"state": "x", "tries": 1, "at": null, "error": ""}}'
        transaction.connection.execute(update(table).values(deliveries=broken))

    with pytest.raises(StoreError, match="row of its table tick cannot be read"):
        schedules.ticks(store)
