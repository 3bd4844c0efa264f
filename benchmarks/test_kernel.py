"""Sequences a second: the array kernel over random tables, and the readable reference evaluator
that it must beat.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.instances import Instance, Shape, instance, random_rows
from benchmarks.planning import prepare, sample_inputs
from steelyard.ledger import feasible
from steelyard.modules.tables import evaluate
from steelyard.planning.scored import score_set

SEQUENCES, DEPTH = 100_000, 5
REFERENCE_SEQUENCES = 100
SHAPES = (Shape(50, 60, DEPTH), Shape(50, 100, DEPTH), Shape(200, 300, DEPTH))


def _score(problem: Instance, rows: np.ndarray) -> None:
    evaluate(problem.tables, rows)


def _check_and_score(problem: Instance, rows: np.ndarray) -> None:
    feasible(problem.account, rows)
    evaluate(problem.tables, rows)


@pytest.mark.parametrize("work", [_score, _check_and_score], ids=["score", "check and score"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"m={shape.m}")
def test_kernel(
    benchmark: BenchmarkFixture, shape: Shape, work: Callable[[Instance, np.ndarray], None]
) -> None:
    problem, rows = instance(shape, 0), random_rows(shape.m, DEPTH, SEQUENCES, 0)

    benchmark(work, problem, rows)

    benchmark.extra_info.update(
        sequences=SEQUENCES, m=shape.m, work=work.__name__.strip("_").replace("_", " ")
    )


def test_kernel_on_growth(benchmark: BenchmarkFixture) -> None:
    table = prepare(sample_inputs("growth")).table
    rows = random_rows(table.m, DEPTH, SEQUENCES, 0)

    benchmark(evaluate, table.tables, rows)

    benchmark.extra_info.update(sequences=SEQUENCES, m=table.m, work="score")


def test_reference_on_growth(benchmark: BenchmarkFixture) -> None:
    prepared = prepare(sample_inputs("growth"))
    rows = random_rows(prepared.table.m, DEPTH, REFERENCE_SEQUENCES, 0).tolist()

    def score_all() -> None:
        for row in rows:
            score_set(prepared.ctx, prepared.objective, prepared.table, row, 0.0)

    benchmark(score_all)

    benchmark.extra_info.update(sequences=REFERENCE_SEQUENCES, m=prepared.table.m, work="reference")
