"""Both engines on generated worlds: exact rows, whole plans, and what watching adds to a plan.

    python -m benchmarks.engines     prints the table, and writes README.md

Processor time of one process, the median of the rounds; of the largest size one round of the
planner is enough, for it takes minutes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.whole_plans import world
from steelyard.planning.case import Case
from steelyard.planning.contexts import context_of
from steelyard.planning.findings import Findings
from steelyard.planning.planner import plan as fast
from steelyard.portfolio import BucketState
from steelyard.rebalance.planned import Account
from steelyard.rebalance.planned import plan as reference
from steelyard.rebalance.watch import watch

SIZES = {50: 7, 500: 3, 5_000: 1}
"""Securities -> rounds."""
PAGE = Path(__file__).with_name("README.md")
START, END = "<!-- engines: written by engines.py -->", "<!-- engines: end -->"
HEAD = "| n | exact rows, ms | reference plan, ms | planner's plan, ms | watching, ms | of a plan |"


def case_of(arguments: dict[str, Any]) -> Case:
    """The arguments of `plan` as its case."""
    return Case(state=BucketState(), seed=0, disabled=MappingProxyType({}), **arguments)


def took(work: Callable[[], object], rounds: int) -> float:
    """Milliseconds of processor time, the median."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(1000 * (time.process_time() - started))
    return statistics.median(times)


def row(n: int, rounds: int) -> str:
    """A line of the table."""
    arguments = world(n)
    account = Account.of(*context_of(case_of(arguments), Findings()))
    watched = watch(account)
    assert watched is not None
    assert not watched.unexplained, [(r.symbol, r.difference) for r in watched.unexplained[:3]]
    exact = took(account.rows, rounds)
    by_reference = took(lambda: reference(**arguments), rounds)
    by_fast = took(lambda: fast(**arguments), rounds)
    watching = took(lambda: watch(account), rounds)
    figures = (exact, by_reference, by_fast, watching)
    cells = " | ".join(f"{figure:,.1f}" for figure in figures)
    return f"| {n:,d} | {cells} | {watching / by_fast:.1%} |"


def main() -> None:
    """Measure every size and write the table into the page."""
    lines = [HEAD, "|" + " --- |" * 6]
    for n, rounds in SIZES.items():
        lines.append(row(n, rounds))
        print(lines[-1], flush=True)
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    after = rest.partition(END)[2]
    table = "\n".join(lines)
    PAGE.write_text(f"{before}{START}\n\n{table}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
