"""Whole plans of generated worlds by two versions of the source, in turns within one run.

    python -m benchmarks.whole_plans --before ../old/src     prints the table, and writes README.md

Each version plans in a process of its own, one plan of each in turn, so that whatever else the
machine does falls on both. The worker uses only names that both versions have.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from steelyard import plan, strategies
from steelyard.market import Market, Quote
from steelyard.money import FxRate, FxTable
from steelyard.portfolio import Holding, Security, Snapshot, TaxLot
from steelyard.targets import Targets

SIZES = (50, 200, 500, 1_000)
ROUNDS = (9, 7, 5, 5)
"""Plans of each size, by each version; one more comes first and is not counted."""
SESSIONS, FACTORS = 1_300, 5
CURRENCIES = ("USD", "USD", "EUR", "GBP")
USUAL = 20
"""Securities that the thresholds of the default strategy are made for."""
THRESHOLDS = {
    "limits": {"min_trade_weight": 0.005},
    "score": {"order_hurdle": 0.001, "min_improvement": 0.005},
}
MIN_GAP = 0.005
AS_OF = date(2024, 3, 15)
PAGE = Path(__file__).with_name("README.md")
START, END = "<!-- whole plans: written by whole_plans.py -->", "<!-- whole plans: end -->"


def world(n: int, sessions: int = SESSIONS) -> dict[str, Any]:
    """The arguments of `plan` for n securities: five common movements, 40 % not held, one seed."""
    rng = np.random.default_rng(n)
    symbols = tuple(f"S{i:05d}" for i in range(n))
    days = np.busday_offset(np.datetime64(AS_OF), np.arange(1 - sessions, 1), roll="backward")
    loadings = rng.normal(0.6, 0.4, (n, FACTORS)) * np.array([1, 0.4, 0.4, 0.3, 0.3]) * 0.01
    moves = rng.normal(size=(sessions, FACTORS)) @ loadings.T
    moves += rng.normal(0.0002, 0.012, (sessions, n))
    prices = np.round(rng.uniform(10, 300, n), 2)
    closes = prices * np.exp(np.cumsum(moves, axis=0) - moves.sum(axis=0))
    closes.setflags(write=False)
    owned = rng.random(n) < 0.6
    shares = np.floor(owned * rng.lognormal(0, 0.6, n) * 5_000 / prices) + owned
    aims = rng.lognormal(0, 0.6, n) * ((rng.random(n) < 0.6) | ~owned)
    thin = USUAL / n
    changes: dict[str, Any] = {
        name: {key: value * thin for key, value in section.items()}
        for name, section in THRESHOLDS.items()
    }
    changes["search"] = {"max_candidates": 20_000}
    changes["opportunity_calculators"] = {"weight_based": {"min_gap_threshold": MIN_GAP * thin}}
    rates = {
        currency: tuple(
            FxRate(currency, Decimal(str(round(1.1 + 0.0001 * k, 4))), day.astype(object))
            for k, day in enumerate(days)
        )
        for currency in ("EUR", "GBP")
    }
    return {
        "snapshot": Snapshot(
            as_of=AS_OF,
            base_currency="USD",
            holdings=tuple(
                Holding(symbol, lot, (TaxLot(lot, date(2021, 1, 4), None),))
                for symbol, lot in zip(
                    symbols, map(Decimal, shares.astype(int).tolist()), strict=True
                )
                if lot
            ),
            cash={"USD": Decimal(200 * n)},
            securities=tuple(
                Security(
                    symbol,
                    CURRENCIES[i % len(CURRENCIES)],
                    sectors=(f"sector {rng.integers(9)}",),
                    countries=(f"country {rng.integers(10)}",),
                )
                for i, symbol in enumerate(symbols)
            ),
        ),
        "market": Market(
            symbols=symbols,
            dates=days,
            closes=closes,
            quotes={
                symbol: Quote(symbol, Decimal(repr(float(price))), AS_OF)
                for symbol, price in zip(symbols, prices, strict=True)
            },
            fx=FxTable("USD", MappingProxyType(rates)),
        ),
        "strategy": strategies.overlay(strategies.default(), changes, "command line"),
        "targets": Targets(
            MappingProxyType(dict(zip(symbols, (0.97 * aims / aims.sum()).tolist(), strict=True)))
        ),
    }


def work() -> None:
    """Plan a size for each line of standard input, and print how long it took and what came out."""
    worlds: dict[int, dict[str, Any]] = {}
    for line in sys.stdin:
        n = int(line)
        worlds.setdefault(n, world(n))
        started = time.process_time()
        answer = plan(**worlds[n])
        seconds = time.process_time() - started
        orders = ",".join(f"{step.side}{step.quantity}{step.symbol}" for step in answer.steps)
        print(seconds, answer.score.improvement, orders or "hold", flush=True)


@dataclass
class Version:
    """A worker on one version of the source."""

    process: subprocess.Popen[str]

    @classmethod
    def of(cls, source: Path) -> Version:
        """Start it."""
        return cls(
            subprocess.Popen(
                [sys.executable, __file__, "--worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(source), "OPENBLAS_NUM_THREADS": "1"},
            )
        )

    def plan(self, n: int) -> tuple[float, float, str]:
        """Processor seconds, improvement, orders of one plan."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        self.process.stdin.write(f"{n}\n")
        self.process.stdin.flush()
        seconds, improvement, orders = self.process.stdout.readline().split()
        return float(seconds), float(improvement), orders


def compare(before: Version, now: Version, n: int, rounds: int) -> str:
    """One row of the table."""
    pairs = [(before.plan(n), now.plan(n)) for _ in range(rounds + 1)][1:]
    old, new = ([pair[side][0] for pair in pairs] for side in (0, 1))
    same = all(a[2] == b[2] for a, b in pairs)
    apart = max(abs(a[1] - b[1]) for a, b in pairs)
    ratio = statistics.median(a / b for a, b in zip(old, new, strict=True))
    figures = f"{1e3 * statistics.median(old):,.0f} | {1e3 * statistics.median(new):,.0f}"
    orders = len(pairs[0][1][2].split(","))
    verdict = f"{'the same' if same else 'OTHER'} {orders}, {apart:.0e} apart"
    return f"| {n:,d} | {figures} | {ratio:.2f} | {rounds} | {verdict} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="the `src` of the version to compare with")
    parser.add_argument("--name", default="before", help="what the page calls that version")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work()
        return 0
    if options.before is None:
        parser.error("--before is missing: the src folder of an earlier checkout")
    versions = Version.of(options.before), Version.of(Path(__file__).parents[1] / "src")
    lines = [
        f"| n | {options.name}, ms | now, ms | before / now, median | rounds | orders, net |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for n in options.sizes:
        lines.append(compare(*versions, n, dict(zip(SIZES, ROUNDS, strict=True)).get(n, 5)))
        print(lines[-1], flush=True)
    for version in versions:
        version.process.terminate()
    if tuple(options.sizes) == SIZES:
        text = PAGE.read_text(encoding="utf-8")
        head, rest = text.split(START)
        PAGE.write_text(
            f"{head}{START}\n\n" + "\n".join(lines) + f"\n\n{END}{rest.split(END)[1]}",
            encoding="utf-8",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
