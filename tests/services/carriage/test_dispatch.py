"""Batches to evaluators: which goes first, how large, how often, and what ends with a plan."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx2
import numpy as np
import pytest

from builders.carrying import Fault, carrying
from builders.demo import growth
from steelyard.arrays import PAD
from steelyard.execution.approved import approved
from steelyard.execution.evidence import plan_facts
from steelyard.execution.rails.plan import defects
from steelyard.modules.candidates import Batch
from steelyard.planning.findings import HERE, Findings
from steelyard.planning.guard import Guard
from steelyard.planning.planner import plan_case
from steelyard.services.carriage.messages import BatchForm, GenerateAsked, ScoresForm
from steelyard.services.carriage.records import ArrayForm
from steelyard.services.topology import Topology

SMALL = Topology(batch_size=100, open_seconds=0.05)


@pytest.fixture(scope="module")
def case():
    return growth(scope="proposals").case


@pytest.fixture(scope="module")
def here(case):
    return plan_case(case)


class Watched(httpx2.AsyncBaseTransport):
    """An evaluator whose answers to batches are changed on their way."""

    def __init__(self, app, change=lambda content: content, seconds=0.0):
        self.app, self.change, self.seconds = app, change, seconds
        self.asked = []

    async def handle_async_request(self, request):
        if request.method == "PUT" or not request.url.path.endswith("e"):
            return await self.app.handle_async_request(request)
        self.asked.append(await request.aread())
        await asyncio.sleep(self.seconds)
        response = await self.app.handle_async_request(request)
        if response.status_code != 200 or not request.url.path.endswith("/evaluate"):
            return response
        return httpx2.Response(200, content=self.change(await response.aread()), request=request)


def watch(services, name="evaluator", index=0, **how):
    port = services.instance(name, index).port
    watched = services.transport.apps[port] = Watched(services.transport.apps[port], **how)
    return watched


def with_net(change):
    """Another answer of the same form."""

    def changed(content):
        form = ScoresForm.model_validate_json(content)
        net = change(np.array(form.net.array()))
        return ScoresForm(number=form.number, net=ArrayForm.of(net)).model_dump_json().encode()

    return changed


LIES = {
    "infinite": lambda net: np.where(np.arange(len(net)) == 3, np.inf, net),
    "too good": lambda net: np.where(np.arange(len(net)) == 3, 0.9, net),
    "of another length": lambda net: net[1:],
}


@pytest.mark.parametrize("lie", LIES)
def test_scores_that_cannot_be_are_not_used_and_their_evaluator_is_asked_no_more(
    tmp_path, case, here, lie
):
    with carrying(tmp_path, topology=SMALL) as services:
        liar = watch(services, change=with_net(LIES[lie]))
        plan = plan_case(case, services.steps())
    assert plan.plan_id == here.plan_id
    assert services.instance("evaluator").url not in plan.transport.batches
    assert HERE not in plan.transport.batches
    assert liar.asked


def test_the_most_promising_of_the_batches_that_wait_goes_first(tmp_path):
    world = growth(scope="proposals")
    ctx, table = world.prepared.ctx, world.prepared.table
    rising = np.argsort(table.appeal, kind="stable")[-6:]
    with carrying(tmp_path, evaluators=1, topology=SMALL) as services:
        only = watch(services, seconds=0.05)
        guard = Guard({}, findings=Findings())
        batches = iter([one_order(number, j) for number, j in enumerate(rising)])
        scores = services.steps().evaluate(ctx, table, batches, world.strategy, guard)
        assert [each.number for each in scores] == [0, 1, 2, 3, 4, 5]
    order = [BatchForm.model_validate_json(body).number for body in only.asked]
    # the first goes at once, then of those that came meanwhile the one that promises most
    assert order[1] > 1
    assert order != sorted(order)


def one_order(number, j):
    rows = np.full((1, 5), PAD)
    rows[0, 0] = j
    return Batch(number, rows, np.zeros(1, dtype=np.int64), ("test",))


def test_a_batch_is_as_large_as_a_second_allows_within_500_and_1000(tmp_path, case):
    with carrying(tmp_path, topology=Topology()) as services:
        generator = watch(services, "generator")
        for seconds_a_row in (0.0, 0.01, 1 / 700, 1e-5):
            services.carrier.seconds_a_row = seconds_a_row
            plan_case(case, services.steps())
    sizes = [GenerateAsked.model_validate_json(body).batch_size for body in generator.asked]
    assert sizes == [1000, 500, 700, 1000]


def test_what_a_batch_takes_is_measured(tmp_path, case):
    with carrying(tmp_path, evaluators=1, topology=SMALL) as services:
        watch(services, seconds=0.1)
        plan_case(case, services.steps())
        assert 0.1 / 100 <= services.carrier.seconds_a_row < 0.02


def test_the_same_batch_is_calculated_once(tmp_path, case, here):
    with carrying(tmp_path, evaluators=1, topology=SMALL) as services:
        texts = []
        for _ in range(2):
            plan = plan_case(case, services.steps())
            assert plan.plan_id == here.plan_id
            texts.append(metrics(services))
    batches = sum(plan.transport.batches.values())
    assert hits(texts[0]) == 0
    assert hits(texts[1]) == batches > 3


def metrics(services):
    port = services.instance("evaluator").port

    async def get():
        url = f"http://127.0.0.1:{port}/metrics"
        request = httpx2.Request("GET", url, headers={"Host": f"127.0.0.1:{port}"})
        response = await services.transport.apps[port].handle_async_request(request)
        return (await response.aread()).decode()

    return asyncio.run(get())


def hits(text):
    lines = [line for line in text.splitlines() if line.startswith("steelyard_cache_hits_total")]
    return float(lines[0].split()[-1])


def test_a_plan_whose_time_is_up_says_what_it_lacks_and_cannot_be_armed(tmp_path, case, here):
    with carrying(tmp_path, topology=SMALL) as services:
        for index in range(3):
            watch(services, index=index, seconds=0.4)
        plan = plan_case(case, services.steps(1.8))  # half of it for batches
    assert [problem.code for problem in plan.problems] == ["not_evaluated"]
    assert "plan_problems" in defects(plan_facts(approved(plan)))
    assert not here.problems


def test_a_generator_that_is_still_is_waited_for_until_the_time_is_up(tmp_path, case):
    with carrying(tmp_path, topology=SMALL) as services:
        services.transport.slow_seconds = 600
        services.fail("generator", 0, Fault.SLOW)
        start = time.monotonic()
        plan = plan_case(case, services.steps(1.0))
        assert time.monotonic() - start < 20
    assert [problem.code for problem in plan.problems] == ["not_evaluated"]


def test_an_evaluator_that_takes_contexts_and_no_work_is_put_out_of_service(tmp_path, case, here):
    topology = SMALL.model_copy(
        update={"batch_seconds": 0.6, "failure_threshold": 2, "open_seconds": 60}
    )
    with carrying(tmp_path, topology=topology) as services:
        ill = services.instance("evaluator", 1)
        services.transport.slow_seconds = 600
        services.fail(
            "evaluator", 1, Fault.SLOW,
            lambda request, _: Fault.SLOW if request.method == "POST" else None,
        )  # fmt: skip
        for _ in range(2):
            assert plan_case(case, services.steps()).plan_id == here.plan_id
        assert services.carrier.calls.circuits.state(ill) == "open"


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.LOST, None])
def test_nothing_goes_on_after_a_plan_nor_after_one_that_is_given_up(tmp_path, case, fault):
    with carrying(tmp_path, topology=SMALL) as services:
        plan_case(case, services.steps())
        before = threading.active_count()
        services.transport.slow_seconds = 600
        if fault is None:
            with pytest.raises(KeyError):
                plan_case(case, services.steps(), gives_up)
        else:
            services.fail("evaluator", 0, fault)
            plan_case(case, services.steps())
        time.sleep(0.1)
        assert threading.active_count() <= before
        assert services.carrier.loop.result(tasks()) == []


def gives_up(event):
    """An observer that fails at the first batch."""
    if type(event).__name__ == "BatchScored":
        raise KeyError


async def tasks():
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
