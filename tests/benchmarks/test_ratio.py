"""The kernel stays far faster than what it stands for: a ratio within one run, on any machine."""

import time
from collections.abc import Callable

from benchmarks.instances import random_rows
from benchmarks.planning import prepare, sample_inputs

from steelyard.modules.tables import evaluate
from steelyard.planning.scored import score_set

LEAST_RATIO = 50.0
"""Measured are 600 and more: only a change of kind gets under it, never a busy machine."""
ROUNDS = 5


def best_seconds(work: Callable[[], object]) -> float:
    """The fastest of a few rounds: what else runs on the machine can only slow one down."""
    spent = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return min(spent)


def test_the_kernel_scores_a_sequence_at_least_fifty_times_as_fast_as_the_reference_evaluator():
    prepared = prepare(sample_inputs("growth"))
    many = random_rows(prepared.table.m, 5, 20_000, seed=0)
    few = random_rows(prepared.table.m, 5, 50, seed=0).tolist()

    kernel = best_seconds(lambda: evaluate(prepared.table.tables, many)) / len(many)
    reference = best_seconds(
        lambda: [
            score_set(prepared.ctx, prepared.objective, prepared.table, row, 0.0) for row in few
        ]
    ) / len(few)

    assert reference / kernel >= LEAST_RATIO
