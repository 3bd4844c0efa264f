"""Other libraries on related problems, beside ours, in an environment of their own: `make
bench-peers`.

    python -m benchmarks.peers --python build/peers/bin/python [--date 2026-01-31]

They do not solve our problem; each row of the table says what it does and does not solve. What is
compared is the time that a user waits for an answer of that kind. One made-up instance per size
(`instances`), the same for all.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np

from benchmarks import THREADS
from benchmarks.instances import RESERVE, Instance, Shape, coefficients, instance
from benchmarks.run import machine, write
from benchmarks.search import PROOF, Solve, capped_enumeration, gap, search
from steelyard.settings import Score

HERE = Path(__file__).resolve().parent
PAGE = HERE / "peers.md"
WORKER = HERE / "peers_worker.py"
SHAPES = (Shape(50, 100, 5), Shape(200, 300, 5), Shape(1000, 300, 5))
OBSERVATIONS = 500
RUNS = 7
MOST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A library's call: the worker's name for it, its title, what it does and does not solve."""

    key: str
    title: str
    solves: str
    lacks: str


PEERS = (
    Peer(
        "discrete_greedy",
        "PyPortfolioOpt DiscreteAllocation, greedy",
        "whole lots near given target weights",
        "current holdings, costs, number of orders, any objective but nearness to the targets; no "
        "optimum",
    ),
    Peer(
        "discrete_lp",
        "PyPortfolioOpt DiscreteAllocation, integer programme",
        "the same, optimal in absolute distance from the targets",
        "current holdings, costs, number of orders",
    ),
    Peer(
        "continuous",
        "cvxpy with Clarabel on our score",
        "the exact optimum of our score less percentage costs, over all weights",
        "lots, number of orders, fixed fees and hurdle, caps, conflicts: an upper limit, no order "
        "list",
    ),
    Peer(
        "single_period",
        "cvxportfolio SinglePeriodOptimization",
        "return less variance less percentage costs, from history",
        "our score, lots, number of orders, fixed fees",
    ),
    Peer(
        "mean_risk",
        "skfolio MeanRisk with transaction costs",
        "return less variance less percentage costs, from history",
        "our score, lots, number of orders, fixed fees, cash",
    ),
)


@dataclass(frozen=True, slots=True)
class Ours:
    """A search of ours for the same problem."""

    title: str
    solve: Solve
    solves: str
    lacks: str


OURS = (
    Ours(
        "Steelyard: score collapsed onto the orders, search with proof",
        search,
        "the proven best of all lists of at most 5 orders in whole lots, out of 100 or 300; costs, "
        "fees, cash, one order per security",
        "lists with other sizes than those in its table",
    ),
    Ours(
        "Steelyard: score collapsed onto the orders, capped enumeration",
        capped_enumeration,
        "the best of at most 1,000 lists of at most 5 orders in whole lots, out of 100 or 300; "
        "costs, fees, cash, one order per security",
        "the same, and whether another list is better",
    ),
)


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of the counted runs, or why there are none."""

    seconds: tuple[float, ...] = ()
    imported: float | None = None
    version: str = ""
    remark: str = ""
    failure: str = ""

    @property
    def cell(self) -> str:
        """Median and fastest in milliseconds, or why there are none."""
        if self.failure:
            return f"failed: {self.failure}"
        return (
            f"{1e3 * statistics.median(self.seconds):,.1f}, "
            f"{1e3 * min(self.seconds):,.1f}{self.remark}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every peer at every size and write the page."""
    parser = argparse.ArgumentParser(
        description="Measure other libraries and write benchmarks/peers.md."
    )
    parser.add_argument(
        "--python",
        type=Path,
        required=True,
        help="an interpreter that has the libraries of peers.txt",
    )
    parser.add_argument(
        "--date",
        type=date.fromisoformat,
        default=datetime.now().astimezone().date(),
        help="written beside the figures",
    )
    chosen = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    problems = [instance(shape, 0) for shape in SHAPES]
    ours = [
        (searched, [time_ours(searched.solve, problem) for problem in problems])
        for searched in OURS
    ]
    with tempfile.TemporaryDirectory() as folder:
        files = [export(problem, Path(folder)) for problem in problems]
        theirs = [
            (peer, [time_peer(chosen.python, peer, file) for file in files]) for peer in PEERS
        ]
    write(PAGE, machine(chosen.date, load) + "\n\n" + table(ours, theirs))
    print(f"Written: {os.path.relpath(PAGE)}")
    return 0


def export(problem: Instance, folder: Path) -> Path:
    """The problem as plain arrays, for an environment without our package."""
    world, n, each = problem.world, problem.shape.n, coefficients()
    rng = np.random.default_rng([problem.seed, n])
    common = (
        rng.normal(0, 1 / np.sqrt(252), (OBSERVATIONS, world.loadings.shape[1])) @ world.loadings.T
    )
    returns = (
        world.mu / 252 + common + rng.normal(0, 1 / np.sqrt(252), (OBSERVATIONS, n)) * world.own
    )
    path = folder / f"n{n}.npz"
    np.savez(
        path,
        start=problem.start,
        targets=world.targets,
        mix=world.targets / world.targets.sum(),
        loadings=world.loadings,
        own=world.own,
        sectors=world.sectors,
        countries=world.countries,
        slope=problem.model.slope,
        curvature=problem.model.curvature,
        variance=problem.model.norms[0][1],
        coefficient_names=np.array(list(each)),
        coefficient_values=np.array(list(each.values())),
        cost_rate=problem.rates.cost,
        reserve=RESERVE,
        risk_free=Score().risk_free,
        lots=rng.uniform(0.02, 0.25, n) / n,
        returns=returns,
    )
    return path


def time_peer(python: Path, peer: Peer, file: Path) -> Timed:
    """One library on one problem, in a process of its own with one thread of arithmetic."""
    command = [str(python), str(WORKER), peer.key, str(file)]
    environment = os.environ | dict.fromkeys(THREADS, "1")
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Timed(failure=f"no answer in {MOST_SECONDS:.0f} s")
    if done.returncode:
        return Timed(
            failure=(done.stderr.strip().splitlines() or ["no message"])[-1].replace("|", "/")[:200]
        )
    match = json.loads(done.stdout.strip().splitlines()[-1])
    return Timed(tuple(match["seconds"]), match["import"], match["version"])


def time_ours(solve: Solve, problem: Instance) -> Timed:
    """Collapse and solve, as a plan does; the first run is not counted."""

    def once() -> float:
        start = time.perf_counter()
        solve(replace(problem, tables=problem.collapse()))
        return time.perf_counter() - start

    match = solve(problem)
    unproven = match.bound is not None and gap(match.net, match.bound) > PROOF
    return Timed(tuple(once() for _ in range(RUNS)), remark=" (not proven)" if unproven else "")


def table(
    ours: Sequence[tuple[Ours, list[Timed]]], theirs: Sequence[tuple[Peer, list[Timed]]]
) -> str:
    """Markdown: a row a call."""
    sizes = " | ".join(f"n = {shape.n}, ms" for shape in SHAPES)
    lines = [
        f"| what | {sizes} | import, s | solves | does not know |",
        "|---" * (len(SHAPES) + 4) + "|",
    ]
    rows: list[tuple[Ours | Peer, list[Timed]]] = [*ours, *theirs]
    for row, times in rows:
        version = next((timed.version for timed in times if timed.version), "")
        imported = next(
            (f"{timed.imported:.1f}" for timed in times if timed.imported is not None), ""
        )
        cells = [
            f"{row.title} {version}".strip(),
            *(timed.cell for timed in times),
            imported,
            row.solves,
            row.lacks,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
