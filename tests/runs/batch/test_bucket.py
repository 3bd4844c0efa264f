"""A bucket's plan in slices: held by one process, kept once, begun anew when something changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from builders.world import World, world
from steelyard.engine import Engine, EngineSettings
from steelyard.errors import InputError
from steelyard.importers import Inputs
from steelyard.planning.case import Case
from steelyard.runs import bucket_plan
from steelyard.runs.batch import key
from steelyard.runs.batch.bucket import HELD, Outcome, batch_bucket
from steelyard.runs.batch.call import Manner
from steelyard.runs.planners import Planners
from steelyard.runs.stored import load
from steelyard.store import assignments, batches, buckets, events, plans, strategies
from steelyard.store.opening import open_store
from steelyard.store.store import Store
from steelyard.store.strategies import Draft
from steelyard.telemetry.breaker import Rules
from steelyard.telemetry.health import Health

NOW = [datetime(2026, 3, 10, 9, 0, tzinfo=UTC)]
TOML = '[search]\nscope = "proposals"\nmax_depth = 3\n'


def account(price: str = "100") -> World:
    return world(
        f"AA 40 @ {price}", "BB 90 @ 50", "CC 10 @ 80", "DD 30 @ 70", "EE 0 @ 60",
        cash="2000", targets={"AA": 0.3, "BB": 0.05, "CC": 0.25, "DD": 0.2, "EE": 0.2},
    )  # fmt: skip


def owned(of: World) -> Inputs:
    return Inputs(
        snapshot=of.snapshot, market=of.market, targets=of.targets, warnings=(),
        as_of_from="prices",
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A bucket with sequences to evaluate."""
    NOW[:] = [datetime(2026, 3, 10, 9, 0, tzinfo=UTC)]
    opened = open_store(str(tmp_path / "s.db"), now=lambda: NOW[0])
    load(opened, "core", owned(account()), ())
    strategies.save(opened, Draft(name="all", toml=TOML, rules_sha256="0" * 64))
    assignments.assign(opened, "core", "all")
    yield opened
    opened.close()


def batch(
    store: Store, name: str = "core", size: int = 10, most: int | None = None, *,
    alone: bool = True, engine: Engine = "fast",
) -> Outcome:  # fmt: skip
    manner = bucket_plan.Manner(
        engine=EngineSettings(shadow="none", active=engine), health=Health({}, Rules()),
        correlation_id="c",
    )  # fmt: skip
    how = Manner(batch_size=size, most=most, pace=0.0)
    return batch_bucket(store, Planners(store), name, manner, how, alone=alone)


def in_one_go(store: Store, name: str = "core") -> str:
    manner = bucket_plan.Manner(
        engine=EngineSettings(shadow="none"), health=Health({}, Rules()), correlation_id="c"
    )
    return bucket_plan.planned(store, Planners(store), name, manner).plan.plan_id


def test_a_finished_plan_is_kept_once_and_not_made_again(store: Store):
    midway = batch(store, most=30)
    listed_midway = plans.listed(store)
    whole = batch(store, size=7)
    again = batch(store)

    assert (midway.evaluated, midway.final, listed_midway) == (30, False, [])
    assert whole.final
    assert whole.evaluated == whole.total
    assert whole.because == "went on from 30 sequences that were stored"
    assert whole.run_key == midway.run_key == again.run_key
    assert whole.plan_id == again.plan_id == in_one_go(store)
    assert [row.plan_id for row in plans.listed(store)] == [whole.plan_id]
    assert "finished before" in again.because


def test_a_plan_of_the_other_engine_is_never_the_finished_one(store: Store):
    fast = batch(store)
    exact = batch(store, engine="reference")

    assert exact.plan_id != fast.plan_id
    assert (exact.final, exact.run_key) == (True, None)
    assert "the reference engine plans in one go" in exact.because


def test_it_is_told_how_far_a_run_is(store: Store):
    batch(store, most=30)
    whole = batch(store)

    entries = [entry.event for entry in events.since(store)]
    told = [(e.event_type, e.data["evaluated_count"], e.data["is_finished"])
            for e in entries if e.event_type.startswith("Planner")]  # fmt: skip
    assert told == [
        ("PlannerSequencesGenerated", 0, False),
        ("PlannerBatchComplete", 30, False),
        ("PlannerBatchComplete", whole.total, True),
    ]
    assert entries[-1].data["run_key"] == whole.run_key
    assert entries[-1].data["progress_percentage"] == 100.0


def test_a_second_batch_on_a_bucket_does_nothing(store: Store):
    batch(store, most=30)
    with store.writing() as transaction:
        assert batches.hold(transaction, "core", "another", 60.0) is not None
    buckets.create(store, "other")
    load(store, "other", owned(account()), ())

    second = batch(store)

    assert (second.because, second.plan_id, second.evaluated) == (HELD, None, 30)
    assert batch(store, "other").final
    assert batch(store, most=10, alone=False).evaluated == 40  # who shares the work asks nobody
    NOW[0] += timedelta(seconds=61)
    assert batch(store).final  # the other one is gone


def test_what_changed_begins_a_new_run_that_says_so(store: Store, monkeypatch: pytest.MonkeyPatch):
    first = batch(store, most=30)
    load(store, "core", owned(account("110")), ())
    second = batch(store)
    strategies.save(store, Draft(name="all", toml=f"{TOML}beam_width = 9\n", rules_sha256="1" * 64))
    third = batch(store)
    monkeypatch.setattr(key, "code_sha256", lambda: "other")
    fourth = batch(store)

    keys = {outcome.run_key for outcome in (first, second, third, fourth)}
    assert len(keys) == 4
    assert "a new run: the prices changed since" in second.because
    assert "which stays as it is (30 of" in second.because
    assert "a new run: the strategy changed since" in third.because
    assert "a new run: the code changed since" in fourth.because
    assert second.plan_id == in_one_go(store) or third.plan_id == in_one_go(store)
    assert [run.evaluated for run in batches.listed(store)][-1] == 30


def test_only_the_newest_runs_of_a_bucket_stay(store: Store):
    buckets.create(store, "other")
    load(store, "other", owned(account()), ())
    other = batch(store, "other").run_key
    for price in range(100, 106):
        load(store, "core", owned(account(str(price))), ())
        batch(store, most=10)

    assert len(batches.listed(store, "core")) == batches.KEPT_RUNS
    assert [run.run_key for run in batches.listed(store, "other")] == [other]


def test_other_sequences_than_those_stored_are_a_new_run(store: Store):
    first = batch(store, most=30)
    with store.writing() as transaction:
        transaction.connection.exec_driver_sql("UPDATE run_slice SET digest = 'x'")

    second = batch(store)

    assert second.final
    assert second.run_key != first.run_key
    assert "a new run: what is generated changed" in second.because
    assert second.plan_id == in_one_go(store)


def test_a_bucket_without_holdings_is_refused(store: Store):
    buckets.create(store, "empty")

    with pytest.raises(InputError, match="has no holdings yet"):
        batch(store, "empty")
    assert batches.listed(store, "empty") == []
    with store.reading() as connection:
        states = connection.exec_driver_sql("SELECT state FROM bucket_hold").scalars().all()
    assert states == ["free"]


def test_the_parts_of_a_key_are_of_content():
    case = account().case
    other = replace(case, snapshot=replace(case.snapshot, cash={"USD": Decimal(2001)}))

    def parts(one: Case) -> dict[str, str]:
        return key.parts_of(one, key.Inputs.of(one))

    assert key.changes(parts(case), parts(case)) == ""
    assert key.changes(parts(case), parts(other)) == "the holdings, cash or targets"
    assert key.key_of("core", parts(case)) != key.key_of("other", parts(case))
    assert parts(case) == parts(account().case)
