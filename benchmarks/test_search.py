"""The search on random tables: each round solves another instance of the class, tables and bound
included.
"""

from __future__ import annotations

import itertools
import statistics

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.instances import Shape, instance
from benchmarks.search import CLASSES, PROOF, Class, gap, outcome, search


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.label)
def test_search(benchmark: BenchmarkFixture, kind: Class) -> None:
    problems = itertools.cycle([instance(kind.shape, seed) for seed in range(kind.count)])

    benchmark.pedantic(
        search, setup=lambda: ((next(problems),), {}), rounds=kind.count, warmup_rounds=1
    )

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


POINTS = 5
"""Random tables per point of a curve."""
CURVES = {
    "securities n": ("m = 60, D = 5", {n: Shape(n, 60, 5) for n in (20, 50, 100, 200, 500, 1000)}),
    "orders m": ("n = 200, D = 5", {m: Shape(200, m, 5) for m in (30, 60, 100, 200, 300, 600)}),
    "depth D": (
        "n = 200, m = 100",
        {depth: Shape(200, 100, depth) for depth in (1, 2, 3, 4, 5, 6, 8, 10)},
    ),
}


@pytest.mark.parametrize(
    ("varies", "x"), [(varies, x) for varies, (_, shapes) in CURVES.items() for x in shapes]
)
def test_curve(benchmark: BenchmarkFixture, varies: str, x: int) -> None:
    fixed, shapes = CURVES[varies]
    problems = [instance(shapes[x], seed) for seed in range(POINTS)]
    drawn = itertools.cycle(problems)

    benchmark.pedantic(search, setup=lambda: ((next(drawn),), {}), rounds=POINTS, warmup_rounds=1)

    outcomes = [search(problem) for problem in problems]
    proven = all(
        solved.bound is not None and gap(solved.net, solved.bound) <= PROOF for solved in outcomes
    )
    benchmark.extra_info.update(varies=varies, fixed=fixed, x=x, proven=proven)
