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

    made = benchmark(inputs.plan)

    benchmark.extra_info.update(_facts(made))


@pytest.mark.parametrize("n", SIZES)
def test_recorded_input(benchmark: BenchmarkFixture, n: int) -> None:
    found = case(n)

    made = benchmark(found.inputs.plan)

    ours, prepared = orders_of(made), prepare(found.inputs)
    theirs = judge(prepared, found.recorded.orders)
    value = float(made.value)
    watched = [watch(found.inputs, theirs.net) for _ in range(WATCHED)]
    benchmark.extra_info.update(_facts(made))
    benchmark.extra_info.update(
        n=n,
        first_seconds=[seen.first for seen in watched if seen.first is not None],
        searched_seconds=[seen.searched for seen in watched if seen.searched is not None],
        recorded_seconds=found.recorded.seconds,
        recorded_net=theirs.net,
        recorded_orders=theirs.orders,
        recorded_off_lot=theirs.off_lot,
        recorded_cash_after=theirs.cash_after * value,
        recorded_cash_missing=theirs.cash_missing * value,
        original_hold=found.original_score({}, with_groups=True),
        original_ours=found.original_score(ours, with_groups=True),
        original_recorded=found.original_score(found.recorded.orders, with_groups=True),
    )


def _facts(made: Plan) -> dict[str, object]:
    return {
        "hold": made.score.hold,
        "net": made.score.improvement,
        "orders": len(made.steps),
        "candidates": made.certificate.candidates,
        "scope": made.certificate.scope,
        "covers": made.certificate.covers,
        "status": made.certificate.status,
        "gap": made.certificate.search_gap,
        "headroom": made.certificate.structural_headroom,
        "nodes": made.certificate.nodes,
    }
