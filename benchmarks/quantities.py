"""Plans over whole lots: what they are worth, how far from the best, and how long they take.

    python -m benchmarks.quantities [--only nine|worlds]     measures, and writes README.md

Nine inputs, of which the optimum was known before from a prototype, then generated worlds by their
number of names, each in a process of its own. Seconds are those of the processor, one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import THREADS
from benchmarks.pictures import Panel, Point, draw
from benchmarks.planning import Inputs, case_of, sample_inputs
from benchmarks.reading import MB, memory
from benchmarks.run import machine
from benchmarks.seed_baseline import case
from benchmarks.whole_plans import MIN_GAP, THRESHOLDS, world
from steelyard import plan, strategies
from steelyard.planning.domain import domain_of
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.search.lots import LotProof
from steelyard.planning.search.quantities import LotSearch
from steelyard.planning.solve import LOCAL, solved
from steelyard.plans.plan import Plan
from steelyard.settings import Search
from steelyard.strategies import Strategy

HERE = Path(__file__).resolve().parent
PAGE, PICTURE = HERE / "README.md", HERE / "quantities_time.svg"
POINTS = 100
PROOF = 1e-9
ROUNDS = 5
DEPTHS = (5, 10)
SIZES = (50, 100, 200, 500, 1_000, 2_000, 5_000)
LARGEST, TEN_YEARS = 5_000, 2_520
AIMS = {50: 0.1, 200: 0.3, 1_000: 3.0, 5_000: 15.0}
"""Seconds of a whole plan, warm, by the number of names."""
BRANCHED, BRANCHING = 1_000, 30.0
"""Up to so many names one more plan branches, for so many seconds at most."""
MOST_SECONDS = 20.0
"""Counted rounds end after so many seconds."""
PAST = (date(2018, 12, 31), date(2020, 3, 31), date(2021, 6, 30))
USUAL = {**THRESHOLDS, "opportunity_calculators": {"weight_based": {"min_gap_threshold": MIN_GAP}}}
"""What the default strategy has for twenty names: the default follows their number."""
DECADES = (-2, 2)


@dataclass(frozen=True, slots=True)
class Known:
    """An input and the points and orders that a prototype had proven best for it."""

    name: str
    inputs: Callable[[], Inputs]
    points: float
    orders: int


def _recorded(n: int) -> Inputs:
    return case(n).inputs


KNOWN = (
    Known("growth, 28 December 2022", partial(sample_inputs, "growth"), 20.8115, 11),
    *(
        Known(f"growth, {day:%B %Y}", partial(sample_inputs, "growth", as_of=day), *best)
        for day, best in zip(PAST, ((7.5397, 8), (14.2613, 10), (28.4731, 12)), strict=True)
    ),
    Known("euro", partial(sample_inputs, "euro"), 20.8291, 11),
    *(
        Known(f"recorded {n}", partial(_recorded, n), *best)
        for n, best in {
            20: (22.7224, 10), 50: (19.8393, 26), 100: (5.7767, 37), 200: (2.3087, 23),
        }.items()
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Nine:
    """What came of one of the nine: points, and seconds of the processor.

    table          best sets of the candidate table, by depth
    any_crossing   optimum without the rule that an order over its target must not raise drift
    """

    known: Known
    answer: Plan
    table: tuple[float, ...]
    proof: LotProof
    any_crossing: float
    to_root: float
    to_proof: float

    @property
    def row(self) -> str:
        """Of the table."""
        net, certificate = POINTS * self.answer.score.improvement, self.answer.certificate
        best = max(listed.net for listed in self.proof.lists)
        return _row(
            self.known.name,
            f"{self.known.points:.4f} ({self.known.orders})",
            f"**{net:.4f}** ({len(self.answer.steps)})",
            f"{self.any_crossing:.4f}",
            " / ".join(f"{points:.3f}" for points in self.table),
            f"{POINTS * (self.proof.root - best):.4f}",
            certificate.status,
            f"{certificate.nodes:,d}",
            f"{100 * (self.answer.drift.after or 0.0):.2f}",
            f"{1e3 * self.to_root:.0f} / {1e3 * self.to_proof:.0f}",
        )


def measure(known: Known) -> Nine:
    """Plan one of the nine in both scopes, and search it alone."""
    inputs = known.inputs()
    answer = replace(inputs, strategy=strategy(inputs, {"scope": "quantities"})).plan()
    deep = [
        replace(inputs, strategy=strategy(inputs, {"scope": "candidates", "max_depth": depth}))
        for depth in DEPTHS
    ]
    asked = case_of(replace(inputs, strategy=strategy(inputs, {"scope": "quantities"})))
    solution, _ = solved(asked, LOCAL)
    guard = Guard(disabled={}, findings=Findings())
    domain = domain_of(solution.ctx, solution.objective, solution.table, asked.strategy, guard)

    def search(nodes: int) -> LotProof:
        return LotSearch.of(domain.problem).run(domain.seeds, nodes)

    to_root, _ = fastest(lambda: search(0))
    to_proof, proof = fastest(lambda: search(Search().max_nodes))
    free = replace(domain.problem, permits=lambda _: True)
    best = LotSearch.of(free).run(domain.seeds, Search().max_nodes).lists[0].net
    table = tuple(POINTS * of_depth.plan().score.improvement for of_depth in deep)
    return Nine(known, answer, table, proof, POINTS * best, to_root, to_proof)


def strategy(inputs: Inputs, search: Mapping[str, Any]) -> Strategy:
    """The input's own with the thresholds of twenty names and settings of the search."""
    return strategies.overlay(inputs.strategy, {**USUAL, "search": dict(search)}, "benchmark")


def fastest(action: Callable[[], LotProof]) -> tuple[float, LotProof]:
    """Seconds of the fastest round, and what it gave."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        proof = action()
        seconds.append(time.process_time() - start)
    return min(seconds), proof


def nine_table(rows: Sequence[Nine]) -> str:
    """Markdown."""
    head = _row(
        "input", "prototype, points (orders)", "plan, points (orders)",
        "any crossing",
        "best set of the table, D = 5 / 10", "root bound less optimum", "status", "nodes",
        "drift after, pp", "search to the root / to the proof, ms",
    )  # fmt: skip
    return "\n".join([head, _row(*["---"] * 10), *(row.row for row in rows)])


@dataclass(frozen=True, slots=True)
class Whole:
    """Plans of one generated world in a process of its own.

    seconds    of each counted plan, to its root bound
    peak       bytes, the most that a plan had at once; document: bytes
    root_gap   score, of those plans
    on         seconds, status, gap and nodes of a plan that branches, at most `BRANCHING` long
    """

    n: int
    sessions: int
    seconds: tuple[float, ...]
    peak: int
    document: int
    orders: int
    net: float
    root_gap: float | None
    on: tuple[float, str, float | None, int | None] | None
    before: float
    after: float

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)

    @property
    def row(self) -> str:
        """Of the table."""
        return _row(
            f"{self.n:,d}",
            f"{self.sessions:,d}",
            f"{1e3 * self.median:,.0f}, {1e3 * min(self.seconds):,.0f} ({len(self.seconds)})",
            f"{1e3 * AIMS[self.n]:,.0f}" if self.n in AIMS else "",
            f"{self.peak / MB:,.0f}",
            f"{self.document / MB:.2f}",
            f"{self.orders:,d}",
            f"{100 * self.before:.2f} to {100 * self.after:.2f}",
            f"{POINTS * self.net:+.4f}",
            _points(self.root_gap),
            self.branched,
        )

    @property
    def branched(self) -> str:
        """What branching came to, in words."""
        if self.on is None:
            return ""
        seconds, status, gap, nodes = self.on
        return f"{status} in {seconds:,.1f} s, {nodes or 0:,d} nodes, gap {_points(gap)}"


def _points(score: float | None) -> str:
    return "" if score is None else f"{POINTS * score:.4f}"


def whole_table(rows: Sequence[Whole]) -> str:
    """Markdown."""
    head = _row(
        "n", "sessions", "whole plan to its root bound, ms: median, fastest (rounds)",
        "aim, ms", "peak, MB",
        "document, MB", "orders", "drift, pp", "net, points", "gap at the root, points",
        "branching on",
    )  # fmt: skip
    return "\n".join([head, _row(*["---"] * 11), *(row.row for row in rows)])


def whole_plans(n: int) -> Whole:
    """The world of that size, in a new process."""
    sessions = TEN_YEARS if n == LARGEST else 1_300
    command = [sys.executable, "-m", "benchmarks.quantities", "--worker", str(n), str(sessions)]
    environment = os.environ | dict.fromkeys(THREADS, "1")
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=HERE.parent, env=environment
    )
    return Whole(**json.loads(done.stdout))


def work(n: int, sessions: int) -> Whole:
    """In this process: one plan to warm up, then rounds."""
    arguments = world(n, sessions)
    to_root = _asking(arguments, max_nodes=1)
    plan(**to_root)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak so far is forgotten
    seconds: list[float] = []
    while len(seconds) < ROUNDS and (not seconds or sum(seconds) < MOST_SECONDS):
        took, answer = _timed(to_root)
        seconds.append(took)
    peak, on = memory("VmHWM"), None
    if n <= BRANCHED:
        took, more = _timed(_asking(arguments, max_seconds=BRANCHING))
        on = (took, more.certificate.status, more.certificate.search_gap, more.certificate.nodes)
    return Whole(
        n=n,
        sessions=sessions,
        seconds=tuple(seconds),
        peak=peak,
        document=len(answer.to_json().encode()),
        orders=len(answer.steps),
        net=answer.score.improvement,
        root_gap=answer.certificate.search_gap,
        on=on,
        before=answer.drift.before or 0.0,
        after=answer.drift.after or 0.0,
    )


def _asking(arguments: Mapping[str, Any], **search: Any) -> dict[str, Any]:
    """The arguments of a plan over whole lots with settings of its search."""
    changes = {"search": {"scope": "quantities", **search}}
    return {
        **arguments, "strategy": strategies.overlay(arguments["strategy"], changes, "benchmark"),
    }  # fmt: skip


def _timed(arguments: Mapping[str, Any]) -> tuple[float, Plan]:
    start = time.process_time()
    answer = plan(**arguments)
    return time.process_time() - start, answer


def slope(rows: Sequence[Whole]) -> float:
    """Of the logarithm of time against that of n."""
    x, y = np.log([row.n for row in rows]), np.log([row.median for row in rows])
    x = x - x.mean()
    return float((x * (y - y.mean())).sum() / (x * x).sum())


def picture(rows: Sequence[Whole]) -> str:
    """Time of a whole plan against n."""
    points = tuple(
        Point(row.n, row.median, max(row.seconds), proven=(row.root_gap or 0.0) <= PROOF)
        for row in rows
    )
    panel = Panel("names", f"slope {slope(rows):.2f}", points)
    return draw([panel], "Time of a whole plan against the number of names", DECADES)


def put(section: str, text: str, script: str = "quantities.py") -> None:
    """Between the two markers of a section of the page, which name the script."""
    start, end = f"<!-- {section}: written by {script} -->", f"<!-- {section}: end -->"
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(start)
    where = machine(datetime.now().astimezone().date(), os.getloadavg()[0])
    text = f"{head}{start}\n\n{where}\n\n{text}\n\n{end}{rest.split(end)[1]}"
    PAGE.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("nine", "worlds"), help="one of the two tables")
    parser.add_argument("--worker", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        print(json.dumps(asdict(work(*options.worker))))
        return 0
    if options.only != "worlds":
        nine = []
        for known in KNOWN:
            nine.append(measure(known))
            print(nine[-1].row, flush=True)
        put("nine inputs", nine_table(nine))
    if options.only != "nine":
        worlds = []
        for n in SIZES:
            worlds.append(whole_plans(n))
            print(worlds[-1].row, flush=True)
        PICTURE.write_text(picture(worlds), encoding="utf-8")
        alt = "Time of a whole plan against the number of names, logarithmic; hollow: not proven"
        text = f"Time grows as n to the {slope(worlds):.2f}.\n\n![{alt}]({PICTURE.name})"
        put("whole lots", f"{whole_table(worlds)}\n\n{text}")
    return 0


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
