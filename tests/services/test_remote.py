"""The same plan whoever carries it, however many there are, and whatever becomes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders.carrying import Fault, carrying
from builders.demo import growth, kinds
from steelyard.errors import InternalError, PlanRefused
from steelyard.planning.findings import HERE, Findings
from steelyard.planning.guard import Guard
from steelyard.planning.planner import plan_case
from steelyard.planning.solve import local
from steelyard.services.carriage.carried import Proved, run, taken
from steelyard.services.carriage.context import Task
from steelyard.services.carriage.messages import StepForm
from steelyard.services.topology import Topology
from steelyard.settings import Evaluation, Search

SCOPES = ("proposals", "candidates", "quantities")
SMALL = Topology(batch_seconds=10, batch_size=100, open_seconds=0.05)
"""Many batches of few sequences."""


@pytest.fixture(scope="module")
def worlds():
    return {**kinds(), **{scope: growth(scope=scope) for scope in SCOPES}}


def same(plan, here):
    """Are two plans the same document, but for how they were made?"""
    aside = {"timings", "transport", "warnings", "certificate"}
    documents = [plan.document(), here.document()]
    return plan.plan_id == here.plan_id and all(
        documents[0][key] == documents[1][key] for key in documents[0].keys() - aside
    )


@pytest.mark.parametrize("evaluators", [1, 2, 3])
def test_every_kind_of_plan_is_the_same_over_services_and_nothing_is_done_here(
    tmp_path, worlds, evaluators
):
    with carrying(tmp_path, evaluators=evaluators) as carried:
        for name, world in worlds.items():
            plan = plan_case(world.case, carried.remote)
            assert same(plan, plan_case(world.case)), name
            assert plan.transport is not None, name
            assert HERE not in plan.transport.batches, name
            assert HERE not in plan.transport.steps.values(), name
            assert set(plan.transport.steps) == {"opportunity", "generator", "prove"}, name


@pytest.mark.parametrize(
    ("mode", "scope"),
    [
        ("monte_carlo", "quantities"),
        ("stochastic", "candidates"),
        ("multi_timeframe", "quantities"),
        ("multi_objective", "proposals"),
    ],
)
def test_what_a_plan_is_chosen_by_is_the_same_over_services(tmp_path, worlds, mode, scope):
    case = worlds[scope].case
    strategy = replace(case.strategy, evaluation=Evaluation(mode=mode, paths=500))
    case = replace(case, strategy=strategy)
    here = plan_case(case)
    with carrying(tmp_path, evaluators=2) as carried:
        there = plan_case(case, carried.remote)

    assert same(there, here)
    assert (there.outlook.mode, there.outlook.compared > 3) == (mode, True)
    assert there.certificate.sampled == here.certificate.sampled
    assert HERE not in there.transport.steps.values()


def test_the_same_events_are_told_in_the_same_order(tmp_path, worlds):
    for size in (5, 50):
        with carrying(tmp_path, topology=SMALL.model_copy(update={"batch_size": size})) as carried:
            for name, world in worlds.items():
                there, here = [], []
                plan_case(world.case, carried.steps(), there.append)
                plan_case(world.case, local(size), here.append)
                assert there == here, name


FAULTS = [fault for fault in Fault if fault is not Fault.SLOW]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", ["evaluate", "prove", "contexts"])
def test_an_evaluator_that_fails_changes_no_plan(tmp_path, fault, path):
    world = growth(scope="proposals")
    here = plan_case(world.case)

    def rule(request, before):
        return fault if path in request.url.path else None

    with carrying(tmp_path, topology=SMALL) as carried:
        carried.fail("evaluator", 1, fault, rule)
        plan = plan_case(world.case, carried.steps())
        assert same(plan, here)
        assert not plan.problems
        assert HERE not in plan.transport.batches


@pytest.mark.parametrize("fault", FAULTS)
def test_with_every_evaluator_gone_the_planner_does_their_work_and_says_so(tmp_path, fault):
    world = growth(scope="proposals")
    with carrying(tmp_path, topology=SMALL) as carried:
        for index in range(3):
            carried.fail("evaluator", index, fault)
        plan = plan_case(world.case, carried.steps())
        assert same(plan, plan_case(world.case))
        assert plan.transport.batches.keys() == {HERE}
        assert {"evaluated_here", "planned_here"} <= {notice.code for notice in plan.warnings}


def test_a_service_that_is_gone_is_done_without(tmp_path):
    world = growth(scope="candidates")
    for name in ("opportunity", "generator"):
        with carrying(tmp_path) as carried:
            carried.fail(name, 0, Fault.DEAD)
            plan = plan_case(world.case, carried.steps())
            assert same(plan, plan_case(world.case))
            assert plan.transport.steps[name] == HERE
            assert any(name in notice.message for notice in plan.warnings)


def test_what_is_asked_again_writes_nothing_into_the_output_of_who_plans(tmp_path, capfd):
    with carrying(tmp_path) as carried:
        carried.fail("opportunity", 0, Fault.BROKEN)
        assert plan_case(growth(scope="proposals").case, carried.steps()).plan_id
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("fallback", ["local", "none"])
def test_a_plan_that_is_refused_is_refused_with_the_same_words_and_events(tmp_path, fallback):
    world = growth(scope="candidates")
    strategy = replace(world.strategy, search=Search(scope="candidates", max_candidates=1))
    case = replace(world.case, strategy=strategy)
    outcomes = []
    with carrying(tmp_path, topology=Topology(fallback=fallback)) as carried:
        for steps in (local(), carried.steps()):
            events = []
            with pytest.raises(PlanRefused) as refusal:
                plan_case(case, steps, events.append)
            outcomes.append((str(refusal.value), refusal.value.faults, events))
        assert carried.asked("opportunity", "identify") == 1
    assert outcomes[0] == outcomes[1]


def test_two_calculations_of_a_service_that_disagree_are_an_internal_error_at_once(tmp_path):
    error = InternalError("1 is 2.", code="agree", value=1, limit=2, hint="look")

    def work(guard):
        raise error

    task = Task.of(growth().prepared.ctx, growth().strategy, Guard())
    form = run(Proved, task, work, lambda timings: None)
    with pytest.raises(InternalError) as caught:
        taken(Proved, StepForm.model_validate_json(form.model_dump_json()), task.guard(Findings()))
    assert (str(caught.value), caught.value.faults) == (str(error), error.faults)


def test_a_plan_of_little_time_has_half_of_it_for_its_batches(tmp_path):
    world = growth(scope="proposals")
    assert world.strategy.search.max_seconds > 20
    with carrying(tmp_path) as carried:
        plan = plan_case(world.case, carried.steps(20))
        assert same(plan, plan_case(world.case))
        assert not plan.problems
        assert HERE not in plan.transport.batches
