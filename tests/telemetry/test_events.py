"""Every event of the catalogue is told by the code that it names, with the fields it promises."""

import json
from dataclasses import fields, replace
from decimal import Decimal
from types import MappingProxyType

import pytest

from builders.changes import calling, with_form
from builders.paths import ROOT
from builders.plugins import plugins
from builders.world import BUSY, World
from steelyard.engine import EngineSettings
from steelyard.errors import PlanRefused
from steelyard.importers import Inputs
from steelyard.modules.registry import Kind
from steelyard.runs.batch import call
from steelyard.runs.batch.bucket import batch_bucket
from steelyard.runs.bucket_plan import Manner
from steelyard.runs.planners import Planners
from steelyard.runs.stored import keep, load
from steelyard.store import approvals, assignments, buckets, presets, strategies
from steelyard.store.opening import open_store
from steelyard.telemetry import events
from steelyard.telemetry.breaker import Rules
from steelyard.telemetry.events import (
    EVENTS,
    PLANNING,
    STORE,
    BestSequenceUpdated,
    CacheCleared,
    CalculatorFailure,
    Event,
    ModuleFinished,
    ModuleLoadFailed,
    PlanMeasured,
    PlannerEvent,
    PlanningCompleted,
    PlanningFailed,
    PlanningRestarted,
)
from steelyard.telemetry.health import Health

PROPOSALS = '[search]\nscope = "proposals"\n'


def failing(*_):
    raise RuntimeError("out of luck")


def late(ctx, table, params):
    """A predicate of rows that fails when it is asked."""
    return failing


def heard_of(of: World) -> list[Event]:
    """What a plan tells; one that is refused too."""
    heard: list[Event] = []
    try:
        of.plan(observe=heard.append)
    except PlanRefused:
        assert heard
    return heard


@pytest.fixture(scope="module")
def stories(tmp_path_factory) -> dict[str, list[Event]]:
    """What planning tells where all is well, and where something is not."""
    worlds = {
        "well": BUSY,
        "a module fails": calling(BUSY, Kind.OPPORTUNITY, "weight_based", failing),
        "a module fails late": with_form(BUSY, "correlation_aware", "rows", late),
        "no price": BUSY.having(quotes=MappingProxyType({})),
    }
    heard = {name: heard_of(of) for name, of in worlds.items()}
    with plugins(tmp_path_factory.mktemp("plugins"), {"broken.py": "1 / 0"}) as loaded:
        strategy = replace(BUSY.strategy, problems=loaded.problems)
        heard["a plugin does not load"] = heard_of(replace(BUSY, strategy=strategy))
    return heard


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> list[PlannerEvent]:
    """What the store tells of a life: strategies, buckets, presets and plans in a new database."""
    heard: list[PlannerEvent] = []
    folder = tmp_path_factory.mktemp("store")
    store = open_store(str(folder / "s.db"), heard=heard.append, correlation_id="one run")
    draft = strategies.Draft(name="mine", toml=PROPOSALS, rules_sha256="0" * 64)
    strategies.save(store, draft, reason="to begin with")
    buckets.create(store, "satellite_a")
    imported = Inputs(
        snapshot=BUSY.snapshot, market=BUSY.market, targets=BUSY.targets, warnings=(),
        as_of_from="prices",
    )  # fmt: skip
    load(store, "core", imported, [{"option": "--holdings", "name": "h.csv", "sha256": "1" * 64}])
    assignments.assign(store, "core", "mine")
    strategies.save(store, draft)
    strategies.rollback(store, "mine", 1)
    with store.writing() as transaction:
        buckets.configure_in(transaction, "satellite_a", {"target_weight": 0.1}, None)
    buckets.transfer(store, "core", "satellite_a", buckets.Money("USD", Decimal(10), Decimal(10)))
    presets.add(store, "own", "", author="me", tags=["calm"])
    presets.used(store, "planner/own", "own", "m.toml")
    keep(store, BUSY.planned, imported, (), 0.1)
    approvals.record(
        store,
        approvals.Consent(
            plan_id=BUSY.planned.plan_id, bucket="core", by="cafe0001", broker="paper", typed="1",
            expires_at=store.now(), notes=(),
        ),
    )  # fmt: skip
    manner = Manner(
        engine=EngineSettings(shadow="none"), health=Health({}, Rules()), correlation_id="one run"
    )
    batch_bucket(store, Planners(store), "core", manner, call.Manner(batch_size=1))
    Planners(store).clear()
    store.close()
    return heard


def test_every_event_of_the_store_is_told_by_the_store_once_it_is_written(stored):
    heard = {event.event_type for event in stored}

    of_plans = {event.__name__ for event in (*PLANNING, PlanMeasured)}  # kept with the batch's plan
    assert heard - of_plans == {event.__name__ for event in (*STORE, CacheCleared)}
    assert {event.correlation_id for event in stored} == {"one run"}
    fields_of = {event.__name__: [field.name for field in fields(event)] for event in EVENTS}
    assert [event for event in stored if list(event.data) != fields_of[event.event_type]] == []
    assert json.loads(json.dumps([dict(event.data) for event in stored], allow_nan=False))


def test_a_bucket_that_follows_a_name_changes_with_each_version_of_it(stored):
    changes = [event.data for event in stored if event.event_type == "ConfigurationChanged"]

    assert [(c["old_version"], c["version"], c["pinned"]) for c in changes] == [
        (None, 1, False), (1, 2, False), (2, 3, False),
    ]  # fmt: skip


def of_kind(story: list[Event], kind: type[Event]) -> list[Event]:
    return [event for event in story if type(event) is kind]


def test_every_event_of_planning_is_told_by_planning(stories):
    heard = {type(event) for story in stories.values() for event in story}

    assert heard == set(PLANNING)


def test_the_catalogue_has_every_class_of_an_event_once():
    classes = {
        value
        for value in vars(events).values()
        if isinstance(value, type) and issubclass(value, Event) and fields(value)
    }

    assert classes == set(EVENTS)
    assert len(EVENTS) == len(classes)
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    assert [event.__name__ for event in EVENTS if f"| `{event.__name__}` |" not in page] == []


def test_the_fields_are_plain_values_that_json_has(stories):
    for story in stories.values():
        for event in story:
            data = {field.name: getattr(event, field.name) for field in fields(event)}
            assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_the_best_sequence_rises_from_holding_to_the_gain_of_the_plan(stories):
    updates = of_kind(stories["well"], BestSequenceUpdated)
    (end,) = of_kind(stories["well"], PlanningCompleted)

    assert updates[0].old == 0
    assert all(update.new > update.old for update in updates)
    assert [update.old for update in updates[1:]] == [update.new for update in updates[:-1]]
    assert (updates[-1].new, updates[-1].orders) == (end.gain, end.orders)
    assert end.plan_id == BUSY.planned.plan_id


def test_every_module_tells_its_end_once(stories):
    for name in ("well", "a module fails"):
        ends = [
            f"{event.kind}.{event.name}"
            for event in stories[name]
            if isinstance(event, ModuleFinished | CalculatorFailure)
        ]
        assert len(ends) == len(set(ends))
    assert len(of_kind(stories["well"], ModuleFinished)) == len(BUSY.planned.modules)


def test_a_module_that_fails_is_told_by_its_name_and_error(stories):
    assert of_kind(stories["a module fails"], CalculatorFailure) == [
        CalculatorFailure(
            "opportunity_calculators", "weight_based", "1.0.0", "RuntimeError: out of luck"
        )
    ]


def test_one_that_fails_late_is_told_after_the_plan_is_begun_again(stories):
    story = stories["a module fails late"]
    (again,) = of_kind(story, PlanningRestarted)
    (failure,) = of_kind(story, CalculatorFailure)

    assert again.module == "filters.correlation_aware" == f"{failure.kind}.{failure.name}"
    assert story.index(again) < story.index(failure)
    assert len(of_kind(story, PlanningCompleted)) == 1


def test_a_plan_that_is_refused_ends_with_the_reason(stories):
    (failed,) = of_kind(stories["no price"], PlanningFailed)

    assert stories["no price"][-1] is failed
    assert failed.code
    assert of_kind(stories["no price"], PlanningCompleted) == []


def test_a_plugin_that_does_not_load_is_told(stories):
    (event,) = of_kind(stories["a plugin does not load"], ModuleLoadFailed)

    assert event.code == "plugin_failed"
    assert "broken.py was not loaded" in event.message
