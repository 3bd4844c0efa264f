"""How long a plan takes in a warm process: the bundled portfolio, and the four recorded inputs."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.planning import judge, orders_of, prepare, sample_inputs, watch
from benchmarks.seed_baseline import SIZES, case
from steelyard.plans.plan import Plan

WATCHED = 7
"""Plans under the stopwatch."""


def test_growth(benchmark: BenchmarkFixture) -> None:
    inputs = sample_inputs("growth")

    answer = benchmark(inputs.plan)

    benchmark.extra_info.update(_facts(answer))


@pytest.mark.parametrize("n", SIZES)
def test_recorded_input(benchmark: BenchmarkFixture, n: int) -> None:
    facts = case(n)

    answer = benchmark(facts.inputs.plan)

    ours, prepared = orders_of(answer), prepare(facts.inputs)
    theirs = judge(prepared, facts.recorded.orders)
    value = float(answer.value)
    watched = [watch(facts.inputs, theirs.net) for _ in range(WATCHED)]
    benchmark.extra_info.update(_facts(answer))
    benchmark.extra_info.update(
        n=n,
        first_seconds=[seen.first for seen in watched if seen.first is not None],
        searched_seconds=[seen.searched for seen in watched if seen.searched is not None],
        recorded_seconds=facts.recorded.seconds,
        recorded_net=theirs.net,
        recorded_orders=theirs.orders,
        recorded_off_lot=theirs.off_lot,
        recorded_cash_after=theirs.cash_after * value,
        recorded_cash_missing=theirs.cash_missing * value,
        original_hold=facts.original_score({}, with_groups=True),
        original_ours=facts.original_score(ours, with_groups=True),
        original_recorded=facts.original_score(facts.recorded.orders, with_groups=True),
    )


def _facts(answer: Plan) -> dict[str, object]:
    return {
        "hold": answer.score.hold,
        "net": answer.score.improvement,
        "orders": len(answer.steps),
        "candidates": answer.certificate.candidates,
        "scope": answer.certificate.scope,
        "covers": answer.certificate.covers,
        "status": answer.certificate.status,
        "gap": answer.certificate.search_gap,
        "headroom": answer.certificate.structural_headroom,
        "nodes": answer.certificate.nodes,
    }
