"""The batch job plans the buckets of a database as they are stored, and keeps what it made."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from steelyard import compat
from steelyard.compat import ConfigurationManager, PlannerFactory, StoredBuckets
from steelyard.errors import InputError, NotStored
from steelyard.importers import Inputs
from steelyard.planning import planner
from steelyard.runs.stored import load
from steelyard.store import buckets, events, plans
from steelyard.strategies import default

DEEP = "[core]\nmax_plan_depth = 5\n"
ALL = '[search]\nscope = "proposals"\nmax_depth = 2\n'


@pytest.fixture
def database(tmp_path: Path, inputs: Inputs) -> Iterator[StoredBuckets]:
    """A database whose core owns the bundled portfolio, and the source of the batch job."""
    source = StoredBuckets(tmp_path / "planner_configurations.db")
    load(source.store, "core", inputs, ())
    compat.configure(source)
    yield source
    compat.configure(None)
    source.close()


def job(bucket_id: str = "core") -> compat.HolisticPlan:
    return asyncio.run(compat.process_planner_batch_job(bucket_id=bucket_id))


def test_it_is_the_plan_of_the_same_inputs_and_it_is_kept(database: StoredBuckets, inputs: Inputs):
    made = job()

    native = planner.plan(
        inputs.snapshot, inputs.market, default(), targets=inputs.targets,
        warnings=inputs.warnings,
    )  # fmt: skip
    assert made.document.plan_id == native.plan_id
    assert [row.plan_id for row in plans.listed(database.store, bucket="core")] == [native.plan_id]
    assert "in one go" in made.warnings[0]


def test_what_happened_is_kept_with_it_and_heard_once(database: StoredBuckets):
    heard: list[compat.PlannerEvent] = []
    database.emitter.subscribe(heard.append)
    database.close()
    job()

    types = [entry.event.event_type for entry in events.since(database.store, bucket="core")]
    assert types[-3:] == ["PlanningCompleted", "PlanMeasured", "PlanSaved"]
    assert [event.event_type for event in heard] == types[types.index("PlanningStarted") :]


def test_it_plans_by_the_version_that_is_assigned(database: StoredBuckets):
    manager = ConfigurationManager(database.config_db_path)

    async def assign() -> None:
        config_id = await manager.create_new_version("deep", "Deep", DEEP)
        await manager.assign_config_to_bucket("core", config_id)

    asyncio.run(assign())
    manager.close()

    assert (job().document.strategy.name, job().document.strategy.version) == ("deep", 1)
    assert (database.planners.hits, database.planners.misses) == (1, 1)


def test_a_bucket_that_is_not_there_or_owns_nothing_is_refused(database: StoredBuckets):
    buckets.create(database.store, "empty")

    with pytest.raises(NotStored, match="no bucket cor"):
        job("cor")
    with pytest.raises(InputError, match="has no holdings yet"):
        job("empty")
    assert plans.listed(database.store) == []


def test_a_path_is_a_database(database: StoredBuckets):
    compat.configure(database.config_db_path)

    assert job().document.bucket == "core"
    assert len(plans.listed(database.store)) == 1


def test_a_job_goes_on_where_the_one_before_stopped_in_whatever_process(
    database: StoredBuckets, inputs: Inputs
):
    manager = ConfigurationManager(database.config_db_path)

    async def assign() -> None:
        config_id = await manager.create_new_version("all", "All", ALL)
        await manager.assign_config_to_bucket("core", config_id)

    asyncio.run(assign())
    manager.close()
    calls = [asyncio.run(compat.process_planner_batch_job(depth)) for depth in (0, 1, 2)]
    none_kept = plans.listed(database.store)
    compat.configure(database.config_db_path)  # as another process would
    while not calls[-1].final:
        calls.append(job())

    assert [call.evaluated for call in calls[:4]] == [50, 55, 60, 110]
    assert "midway: 55 of" in calls[1].warnings[0]
    assert none_kept == []
    assert calls[-1].evaluated == calls[-1].total
    assert calls[-1].warnings[0].startswith("This plan is final: all")
    assert len({call.run_key for call in calls}) == 1
    (row,) = plans.listed(database.store)
    strategy = database.planners.strategy("core")
    native = planner.plan(
        inputs.snapshot, inputs.market, strategy, targets=inputs.targets,
        warnings=inputs.warnings,
    )  # fmt: skip
    assert row.plan_id == calls[-1].document.plan_id == native.plan_id


def test_a_planner_of_a_stored_bucket_goes_on_too(
    database: StoredBuckets, small: compat.PlannerContext
):
    manager = ConfigurationManager(database.config_db_path)
    factory = PlannerFactory(manager)

    async def planned() -> compat.HolisticPlan:
        config_id = await manager.create_new_version("deep", "Deep", DEEP)
        await manager.assign_config_to_bucket("core", config_id)
        holistic = await factory.get_planner("core")
        return await holistic.create_plan_incremental(
            small.portfolio_context, small.positions, small.securities, small.available_cash,
            target_weights=small.target_weights, as_of=small.as_of,
        )  # fmt: skip

    assert asyncio.run(planned()).document.strategy.name == "deep"
    manager.close()
