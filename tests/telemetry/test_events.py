"""Every event of the catalogue is told by the code that it names, with the fields it promises."""

import json
from dataclasses import fields, replace
from types import MappingProxyType

import pytest

from builders.changes import calling, with_form
from builders.paths import ROOT
from builders.plugins import plugins
from builders.world import BUSY, World
from steelyard.errors import PlanRefused
from steelyard.modules.registry import Kind
from steelyard.telemetry import events
from steelyard.telemetry.events import (
    EVENTS,
    PLANNING,
    BestSequenceUpdated,
    CalculatorFailure,
    Event,
    ModuleFinished,
    ModuleLoadFailed,
    PlanningCompleted,
    PlanningFailed,
    PlanningRestarted,
)


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
