"""The ways to evaluate besides the score of today: what they cost.

    python -m benchmarks.modes     measures, and writes README.md

The recorded inputs, the search over the table, so that there are lists enough. Seconds are those of
the processor, one thread, the median of a few rounds. Beside them: the readable formulas, scenario
by scenario, from a few hundred of them; and what the first implementation took for a plan with 500
paths, on another day's machine.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks.quantities import put
from benchmarks.seed_baseline import case
from steelyard.planning.case import Case
from steelyard.planning.modes.compare import compare
from steelyard.planning.modes.contenders import Contenders
from steelyard.planning.planner import plan_case
from steelyard.planning.score.objective import Objective
from steelyard.planning.score.reference import evaluate
from steelyard.planning.solve import LOCAL
from steelyard.settings import Evaluation, Mode

SIZES = (50, 100, 200)
WHOLE = (20, 50, 100)
"""Sizes of whole plans: those of 200 names spend their whole budget of nodes, in any mode."""
LISTS = 11
"""The ten best, and hold."""
PATHS = 10_000
ROUNDS = 5
PLAIN = 200
"""Scenarios that the readable formulas are timed over."""
MODES: tuple[Mode, ...] = ("monte_carlo", "stochastic", "multi_timeframe", "multi_objective")
FIRST = {50: 7.9}
"""Seconds of a plan with 500 paths by the first implementation."""
AIM = {200: 250}
"""Milliseconds."""


@dataclass(frozen=True)
class Asked:
    """What a mode is asked in a plan."""

    ctx: Any
    objective: Objective
    lists: Contenders


def asked(n: int, mode: Mode) -> Asked:
    """The lists of the recorded input of that size."""
    box: list[Asked] = []

    def noted(*question: Any) -> Any:
        box.append(Asked(*question[:3]))
        return compare(*question)

    plan_case(case_of(n, mode, scope="candidates"), replace(LOCAL, compare=noted))
    return box[0]


def case_of(n: int, mode: Mode, **search: Any) -> Case:
    """The recorded input of that size, planned in a mode."""
    of = case(n).inputs
    rules = of.strategy.search.model_copy(update=search)
    evaluation = Evaluation(mode=mode, paths=PATHS)
    strategy = replace(of.strategy, evaluation=evaluation, search=rules)
    return Case(snapshot=of.snapshot, market=of.market, strategy=strategy, targets=of.targets)


def median(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds of the processor, warm."""
    work()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def plain(of: Asked) -> float:
    """Seconds that the readable formulas take for all lists and paths, from a few of them."""
    objective, state = of.objective, of.lists.start + of.lists.delta[:1]

    def work() -> None:
        for _ in range(PLAIN):
            evaluate(objective.terms, objective.weights, state[0, :-1], float(state[0, -1]))

    return median(work, rounds=3) / PLAIN * PATHS * LISTS


def compared(n: int) -> str:
    """A row: the figures of eleven lists, by mode."""
    cells = [str(n)]
    for mode in MODES:
        of = asked(n, mode)
        rows = np.arange(min(LISTS, len(of.lists)))
        seconds = median(partial(compare, of.ctx, of.objective, of.lists, rows))
        cells.append(f"{1e3 * seconds:.0f}" if seconds > 1e-3 else f"{1e3 * seconds:.1f}")
    cells += [f"{plain(of):.1f}", str(AIM.get(n, ""))]
    return _row(*cells)


def planned(n: int) -> str:
    """A row: whole plans over whole lots, by mode."""
    modes: tuple[Mode, ...] = ("single_objective", *MODES)
    seconds = [median(partial(plan_case, case_of(n, mode)), rounds=1) for mode in modes]
    cells = [f"{s:.1f}" for s in seconds]
    return _row(str(n), *cells, f"{FIRST[n]:.0f}" if n in FIRST else "")


def main(_: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page."""
    names = [mode.replace("_", " ") for mode in MODES]
    head = _row("names", *(f"{name}, ms" for name in names), "formulas, s", "aim, ms")
    lines = [head, _row(*["---"] * (len(MODES) + 3))]
    for n in SIZES:
        lines.append(compared(n))
        print(lines[-1], flush=True)
    head = _row("names", "score alone, s", *(f"{name}, s" for name in names), "500 paths before, s")
    lines += ["", head, _row(*["---"] * (len(MODES) + 3))]
    for n in WHOLE:
        lines.append(planned(n))
        print(lines[-1], flush=True)
    put("modes", "\n".join(lines), script="modes.py")
    return 0


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
