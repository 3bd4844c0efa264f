"""The search on random tables: each round solves another instance of the class, tables and bound included."""

from __future__ import annotations

import itertools
import statistics

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.instances import instance
from benchmarks.search import CLASSES, Class, outcome, search


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.label)
def test_search(benchmark: BenchmarkFixture, kind: Class) -> None:
    problems = itertools.cycle([instance(kind.shape, seed) for seed in range(kind.count)])

    benchmark.pedantic(search, setup=lambda: ((next(problems),), {}), rounds=kind.count, warmup_rounds=1)

    seen = outcome(kind)
    benchmark.extra_info.update(
        label=kind.label,
        aim=kind.aim,
        proven=seen.proven,
        count=seen.count,
        nodes=seen.nodes,
        largest_gap=max(seen.gaps),
        enumeration_median=statistics.median(seen.enumeration),
        enumeration_largest=max(seen.enumeration),
        greed_median=statistics.median(seen.greed),
        greed_largest=max(seen.greed),
    )
