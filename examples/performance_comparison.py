"""How long planning takes and what it buys: the best proposal, the best set of the calculators'
orders, the best list of whole lots; of few orders and of more. Offline, in any folder.

The seconds are of this machine; everything else is the same on every one.
"""

import statistics
from collections.abc import Iterator

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from steelyard import importers, strategies
from steelyard.importers import Inputs
from steelyard.planning import planner
from steelyard.plans.plan import Plan
from steelyard.samples import sample

RUNS = 3
SCOPES = ("proposals", "candidates", "quantities")
DEPTHS = (2, 4, 6)


def plans(inputs: Inputs, scope: str, depth: int) -> Iterator[Plan]:
    """The same plan a few times over, for its timings."""
    strategy = strategies.overlay(
        strategies.default(), {"search": {"scope": scope, "max_depth": depth}}, "example"
    )
    for _ in range(RUNS):
        yield planner.plan(inputs.snapshot, inputs.market, strategy, targets=inputs.targets)


def seconds(plan: Plan) -> float:
    """All stages of a plan; the timings of modules are inside those of the stages."""
    return sum(timing.seconds for timing in plan.timings if "." not in timing.name)


def main() -> None:
    """Print a line for each scope and most orders, then the slowest modules of the last."""
    console, files = Console(highlight=False), sample("growth")
    inputs = importers.assemble(
        importers.read(
            files.holdings, prices=files.prices, targets=files.targets, securities=files.securities
        )
    )
    table = Table(
        "scope", "most", "orders", "gain, points", "gap, points", "status", "seconds", box=SIMPLE
    )
    for scope, depth in ((scope, depth) for scope in SCOPES for depth in DEPTHS):
        results = list(plans(inputs, scope, depth))
        last, gap = results[-1], results[-1].certificate.search_gap
        cells = (
            f"{100 * last.score.improvement:.2f}",
            "" if gap is None else f"{100 * gap:.2f}",
            last.certificate.status,
        )
        table.add_row(
            scope,
            f"{depth}",
            f"{len(last.steps)}",
            *cells,
            f"{statistics.median(map(seconds, results)):.3f}",
        )
    console.print("What scope, orders and proof cost", table)
    slowest = sorted(
        (timing for timing in last.timings if "." in timing.name),
        key=lambda timing: -timing.seconds,
    )[:3]
    console.print(
        "Slowest modules: "
        + ", ".join(f"{timing.name} {1000 * timing.seconds:.1f} ms" for timing in slowest)
    )


if __name__ == "__main__":
    main()
