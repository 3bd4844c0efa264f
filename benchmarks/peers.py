"""Other libraries on the same accounts, beside ours, in an environment of their own: `make
bench-peers`.

    python -m benchmarks.peers --python build/peers/bin/python [--date 2026-01-31]

One generated world per size (`whole_plans.world`), the same for all. Each library is asked its own
question, how to follow the given targets, and the account that it ends in is scored by our score
with our charges, whatever rules of ours it breaks: what it breaks is counted. Continuous weights
are scored as they are, and with every order rounded down to whole lots.
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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

import numpy as np

from benchmarks import THREADS
from benchmarks.planning import Inputs, Prepared, judge, orders_of, prepare
from benchmarks.run import machine, write
from benchmarks.whole_plans import world
from steelyard import strategies
from steelyard.arrays import Factored, FloatArray, Matrix
from steelyard.planning.costs import order_cost

HERE = Path(__file__).resolve().parent
PAGE = HERE / "peers.md"
WORKER = HERE / "peers_worker.py"
SIZES = (50, 200, 1_000)
OBSERVATIONS = 500
RUNS = 7
MOST_SECONDS = 300.0
SMALL = 1e-9
"""Of value: a continuous order under it is none."""
POINTS, HALF = 100, 0.5

Orders = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Peer:
    """A library's call: the worker's name for it, its title, what it does and does not solve."""

    key: str
    title: str
    solves: str
    lacks: str
    whole_lots: bool = False


PEERS = (
    Peer(
        "discrete_greedy",
        "PyPortfolioOpt DiscreteAllocation, greedy",
        "whole lots near the targets",
        "costs, cash to the cent, number of orders, the score; no optimum",
        whole_lots=True,
    ),
    Peer(
        "discrete_lp",
        "PyPortfolioOpt DiscreteAllocation, integer programme",
        "the same, optimal in absolute distance from the targets",
        "costs, cash to the cent, number of orders, the score",
        whole_lots=True,
    ),
    Peer(
        "continuous",
        "cvxpy with Clarabel on our score",
        "the optimum of our score less percentage costs, over all weights",
        "lots, number of orders, fixed fees and hurdle",
    ),
    Peer(
        "single_period",
        "cvxportfolio SinglePeriodOptimization, benchmark = targets",
        "tracking variance less percentage costs, from history",
        "the score, lots, number of orders, fixed fees",
    ),
    Peer(
        "tracker",
        "skfolio BenchmarkTracker with transaction costs",
        "tracking error less percentage costs, from history",
        "the score, lots, number of orders, fixed fees, cash",
    ),
)


@dataclass(frozen=True)
class Account:
    """A world with what our planner sees of it."""

    n: int
    inputs: Inputs
    prepared: Prepared

    @classmethod
    def of(cls, n: int) -> Account:
        """The world of that size, planned over whole lots."""
        arguments = world(n)
        own = strategies.overlay(
            arguments["strategy"], {"search": {"scope": "quantities", "max_nodes": 1}}, "benchmark"
        )
        inputs = Inputs(arguments["snapshot"], arguments["market"], own, arguments["targets"])
        return cls(n, inputs, prepare(inputs))

    def export(self, folder: Path) -> Path:
        """The problem as plain arrays, for an environment without our package."""
        ctx, model = self.prepared.ctx, self.prepared.objective.model
        market = self.inputs.market
        columns = [market.symbols.index(symbol) for symbol in ctx.symbols]
        closes = market.closes[-OBSERVATIONS - 1 :, columns]
        each = [order_cost(ctx, i, 1.0) - order_cost(ctx, i, 0.0) for i in range(len(ctx.symbols))]
        ((k, variance),) = model.norms
        path = folder / f"n{self.n}.npz"
        np.savez(
            path,
            start=np.append(ctx.weights, ctx.cash_weight),
            targets=np.asarray(ctx.target_weights),
            lots=ctx.prices * ctx.fx / ctx.value,
            value=ctx.value,
            slope=model.slope,
            curvature=written_out(model.curvature),
            separable=model.separable,
            norm=k,
            variance=written_out(variance),
            cost=np.array(each),
            cost_rate=self.prepared.objective.rates.cost,
            floor=self.prepared.table.account.floor,
            returns=closes[1:] / closes[:-1] - 1,
        )
        return path

    def orders(self, shares: Sequence[float]) -> Orders:
        """From what is held to shares (n,) of the planning set."""
        ctx = self.prepared.ctx
        lot = ctx.prices * ctx.fx / ctx.value
        moved = {
            symbol: Decimal(repr(end)) - Decimal(repr(float(ctx.quantities[i])))
            for i, (symbol, end) in enumerate(zip(ctx.symbols, shares, strict=True))
            if abs(end - float(ctx.quantities[i])) * lot[i] > SMALL
        }
        return {symbol: quantity for symbol, quantity in moved.items() if quantity}

    def row(self, title: str, orders: Orders, seconds: str) -> str:
        """Of the table of this size."""
        judged = judge(self.prepared, orders)
        missing = f", {100 * judged.cash_missing:.2f} short" if judged.cash_missing > SMALL else ""
        return _row(
            title,
            f"{POINTS * judged.net:+.4f}",
            f"{100 * self.drift(orders):.2f}",
            f"{100 * judged.cash_after:.2f}{missing}",
            f"{judged.orders:,d}",
            f"{judged.off_lot:,d}" if judged.off_lot else "",
            f"{self.astray(orders):,d}" if self.astray(orders) else "",
            seconds,
        )

    def astray(self, orders: Orders) -> int:
        """Orders that pass their target by half a lot or more, or lead away from it."""
        ctx = self.prepared.ctx
        if ctx.target_weights is None:
            raise ValueError("the world has no targets")
        gaps = (ctx.target_weights - ctx.weights) * ctx.value / (ctx.prices * ctx.fx)
        moves = [(float(q), float(gaps[ctx.symbols.index(s)])) for s, q in orders.items()]
        return sum(move * gap < 0 or abs(move) - abs(gap) >= HALF for move, gap in moves)

    def drift(self, orders: Orders) -> float:
        """Half of what lies elsewhere than at the targets, cash included, before costs."""
        ctx = self.prepared.ctx
        if ctx.target_weights is None:
            raise ValueError("the world has no targets")
        weights = ctx.weights.copy()
        for symbol, quantity in orders.items():
            i = ctx.symbols.index(symbol)
            weights[i] += float(quantity) * ctx.prices[i] * ctx.fx[i] / ctx.value
        cash = ctx.cash_weight - float((weights - ctx.weights).sum())
        gaps = np.append(weights - ctx.target_weights, cash - 1 + ctx.target_weights.sum())
        return float(np.abs(gaps).sum()) / 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What a library gave: end shares and seconds of the counted runs, or why there are none."""

    shares: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    imported: float | None = None
    version: str = ""
    failure: str = ""


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
    parts, last = [machine(chosen.date, load)], {}
    for n in SIZES:
        account = Account.of(n)
        with tempfile.TemporaryDirectory() as folder:
            file = account.export(Path(folder))
            last = {peer.key: ask(chosen.python, peer, file) for peer in PEERS}
        parts.append(f"### n = {n:,d}\n\n{table(account, last)}")
        print(parts[-1], flush=True)
    write(PAGE, "\n\n".join([*parts, "### What each is asked", asked(last)]))
    print(f"Written: {os.path.relpath(PAGE)}")
    return 0


def written_out(matrix: Matrix) -> FloatArray:
    """(n, n) of either form."""
    if isinstance(matrix, Factored):
        common = np.einsum("ik,k,jk->ij", matrix.factors, matrix.weights, matrix.factors)
        return np.asarray(common + np.diag(matrix.diagonal))
    return matrix


def ask(python: Path, peer: Peer, file: Path) -> Answer:
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
        return Answer(failure=f"no answer in {MOST_SECONDS:.0f} s")
    if done.returncode:
        return Answer(
            failure=(done.stderr.strip().splitlines() or ["no message"])[-1].replace("|", "/")[:200]
        )
    match = json.loads(done.stdout.strip().splitlines()[-1])
    return Answer(
        tuple(match["shares"]), tuple(match["seconds"]), match["import"], match["version"]
    )


def table(account: Account, answers: Mapping[str, Answer]) -> str:
    """Ours first, then each peer; of continuous weights twice."""
    head = _row(
        "what", "our score, net of our charges, points", "drift after, pp",
        "cash after costs, % of value", "orders", "not whole lots",
        "away from or past their target", "ms: median, fastest",
    )  # fmt: skip
    answer = account.inputs.plan()
    seconds = timed(account.inputs.plan)
    left_over = POINTS * (answer.certificate.search_gap or 0.0)
    title = f"**Steelyard, scope quantities**, whole plan; at most {left_over:.4f} from the best"
    lines = [head, _row(*["---"] * 8), account.row(title, orders_of(answer), seconds)]
    for peer in PEERS:
        given_back = answers[peer.key]
        if given_back.failure:
            lines.append(_row(peer.title, f"failed: {given_back.failure}", *[""] * 6))
            continue
        orders = account.orders(given_back.shares)
        lines.append(account.row(peer.title, orders, _cell(given_back.seconds)))
        if not peer.whole_lots:
            whole = {
                symbol: quantity.to_integral_value(ROUND_DOWN)
                for symbol, quantity in orders.items()
            }
            whole = {symbol: quantity for symbol, quantity in whole.items() if quantity}
            lines.append(account.row("the same, orders rounded down to whole lots", whole, ""))
    return "\n".join(lines)


def timed(action: Callable[[], object]) -> str:
    """Of as many runs as the peers get."""
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return _cell(seconds)


def asked(answers: Mapping[str, Answer]) -> str:
    """What each call solves and does not know."""
    lines = [_row("what", "version", "import, s", "solves", "does not know"), _row(*["---"] * 5)]
    for peer in PEERS:
        answer = answers[peer.key]
        imported = "" if answer.imported is None else f"{answer.imported:.1f}"
        lines.append(_row(peer.title, answer.version, imported, peer.solves, peer.lacks))
    return "\n".join(lines)


def _cell(seconds: Sequence[float]) -> str:
    return f"{1e3 * statistics.median(seconds):,.1f}, {1e3 * min(seconds):,.1f}"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
