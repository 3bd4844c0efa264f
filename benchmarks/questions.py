"""What `--explain` takes, as a multiple of the plan: processor time, both within one run.

    python -m benchmarks.questions          prints the table

The bundled growth portfolio and the recorded inputs of 50 and 200 securities, default strategy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.planning import Inputs, case_of, sample_inputs
from benchmarks.seed_baseline import case as recorded
from steelyard.planning.questions.explain import explain

T = TypeVar("T")

SIZES = (50, 200)
AIM = 20.0


@dataclass(frozen=True)
class Taken:
    """Processor seconds of a plan, and of its explanation."""

    name: str
    orders: int
    plan: float
    explanation: float

    @property
    def ratio(self) -> float:
        """How many plans an explanation takes."""
        return self.explanation / self.plan

    def line(self) -> str:
        """A line of the table."""
        return (
            f"{self.name:<8} {self.orders:>6} {self.plan:>8.3f} {self.explanation:>8.3f} "
            f"{self.ratio:>6.1f}"
        )


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What some work gives, and its processor time."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def taken_by(name: str, inputs: Inputs) -> Taken:
    """The plan once for warmth, once for time, then its explanation."""
    inputs.plan()
    plan, seconds = timed(inputs.plan)
    _, explained = timed(lambda: explain(case_of(inputs), plan))
    return Taken(name, len(plan.steps), seconds, explained)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    print(f"{'input':<8} {'orders':>6} {'plan s':>8} {'all s':>8} {'ratio':>6}  (aim {AIM:.0f})")
    print(taken_by("growth", sample_inputs("growth")).line())
    for n in SIZES:
        print(taken_by(f"n = {n}", recorded(n).inputs).line())


if __name__ == "__main__":
    main()
