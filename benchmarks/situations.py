"""What a deposit, bands, classes and lots add to the time of a plan, all together.

    python -m benchmarks.situations          prints the table

The same generated world plain and with all of them, in turns within one run: processor time, and
the median of the ratios of each pair. `--each` shows what any of them adds alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from benchmarks.whole_plans import AS_OF, world
from steelyard import plan, strategies
from steelyard.portfolio import Flow, Holding, TaxLot
from steelyard.targets import Band, Targets

SIZES = (50, 200)
ROUNDS = 9
AIM = 1.25
CLASSES = 10
IN_CLASSES = 3
"""Every third security is a member of a class, and its target is the class's."""
BOUGHT = (date(2021, 1, 4), date(2022, 6, 1), date(2023, 11, 15))
COSTS = (Decimal("0.7"), Decimal("1.1"), Decimal("0.95"))
"""Of today's price: lots with a gain and with a loss, long-term and short."""

World = dict[str, Any]


def with_lots(asked: World) -> World:
    """The world with three lots in each holding, so that both sides value the same."""
    market, snapshot = asked["market"], asked["snapshot"]

    def lots(holding: Holding) -> tuple[TaxLot, ...]:
        price, third = market.quotes[holding.symbol].price, holding.quantity // 3
        parts = (third, third, holding.quantity - 2 * third)
        rows = zip(parts, BOUGHT, COSTS, strict=True)
        return tuple(TaxLot(part, day, price * cost) for part, day, cost in rows if part)

    holdings = tuple(replace(holding, lots=lots(holding)) for holding in snapshot.holdings)
    return {**asked, "snapshot": replace(snapshot, holdings=holdings)}


def deposited(asked: World) -> World:
    """With a deposit of what 1 % of the holdings is worth."""
    snapshot, quotes = asked["snapshot"], asked["market"].quotes
    worth = sum(h.quantity * quotes[h.symbol].price for h in snapshot.holdings)
    flow = Flow("USD", round(worth / 100, 2), AS_OF)
    return {**asked, "snapshot": replace(snapshot, flows=(flow,))}


def banded(asked: World) -> World:
    """With a band of its own around every target."""
    targets, band = asked["targets"], Band(0.05, 0.25)
    return {**asked, "targets": replace(targets, bands=dict.fromkeys(targets.weights, band))}


def classed(asked: World) -> World:
    """With every third target that of a class, of ten."""
    snapshot, targets = asked["snapshot"], asked["targets"]
    members = {
        security.symbol: f"class {i % CLASSES}"
        for i, security in enumerate(snapshot.securities)
        if i % IN_CLASSES == 0
    }
    securities = tuple(
        replace(s, classes=MappingProxyType({"": members[s.symbol]} if s.symbol in members else {}))
        for s in snapshot.securities
    )
    classes: dict[str, float] = {}
    for symbol, name in members.items():
        classes[name] = classes.get(name, 0.0) + targets.weights.get(symbol, 0.0)
    own = {symbol: w for symbol, w in targets.weights.items() if symbol not in members}
    bands = {symbol: band for symbol, band in targets.bands.items() if symbol in own}
    return {
        **asked,
        "snapshot": replace(snapshot, securities=securities),
        "targets": Targets(MappingProxyType(own), bands, MappingProxyType(classes)),
    }


def by_lots(asked: World) -> World:
    """With lots named one by one, taxed by term, and no wash sale."""
    changes = {
        "lots": {"method": "specific", "wash_sale_days": 30},
        "score": {"tax_rate": 0.24},
    }
    return {**asked, "strategy": strategies.overlay(asked["strategy"], changes, "benchmark")}


PARTS: Mapping[str, Callable[[World], World]] = {
    "deposit": deposited,
    "bands": banded,
    "classes": classed,
    "lots": by_lots,
}


def together(asked: World) -> World:
    """With all of them."""
    for part in PARTS.values():
        asked = part(asked)
    return asked


def seconds(asked: World) -> tuple[float, int]:
    """Processor time of a plan, and its orders."""
    start = time.process_time()
    made = plan(**asked)
    return time.process_time() - start, len(made.steps)


def line(n: int, name: str, usual: World, other: World) -> str:
    """A line of the table: medians of each, and of the ratio of each pair."""
    seconds(usual), seconds(other)
    pairs = [(seconds(usual), seconds(other)) for _ in range(ROUNDS)]
    before, after = (statistics.median(pair[k][0] for pair in pairs) for k in (0, 1))
    ratio = statistics.median(b[0] / a[0] for a, b in pairs)
    orders = f"{pairs[0][0][1]} → {pairs[0][1][1]}"
    return f"{n:>4}  {name:<9} {1000 * before:>8.0f} {1000 * after:>8.0f} {ratio:>6.2f}  {orders}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", action="store_true", help="what any of them adds alone, too")
    each = parser.parse_args().each
    print(f"{'n':>4}  {'with':<9} {'plain ms':>8} {'ms':>8} {'ratio':>6}  orders   (aim {AIM})")
    for n in SIZES:
        usual = with_lots(world(n))
        print(line(n, "all", usual, together(usual)), flush=True)
        for name, part in PARTS.items() if each else ():
            print(line(n, name, usual, part(usual)), flush=True)


if __name__ == "__main__":
    main()
