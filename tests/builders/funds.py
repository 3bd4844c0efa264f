"""Small accounts of two to five funds, and what is made of each by hand on a spreadsheet.

Prices, weights and targets are drawn; costs and reserve are nothing, as a sheet has them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from steelyard import importers

DAY = date(2026, 1, 9)
VALUES = (20_000, 100_000, 500_000)
LEAST_ORDER = 0.005
"""Of value: the sheet leaves smaller sales alone."""


@dataclass(frozen=True)
class Account:
    """Shares, prices and target weights by symbol, and cash."""

    shares: Mapping[str, int]
    prices: Mapping[str, float]
    targets: Mapping[str, float]
    cash: float

    @property
    def value(self) -> float:
        """Of all."""
        return self.cash + sum(self.shares[s] * self.prices[s] for s in self.shares)

    def drift(self, shares: Mapping[str, float], cash: float) -> float:
        """Half of what lies elsewhere than the targets and their cash say, of value."""
        value, free = self.value, 1 - sum(self.targets.values())
        gaps = (abs(shares[s] * self.prices[s] / value - t) for s, t in self.targets.items())
        return (sum(gaps) + abs(cash / value - free)) / 2

    def read(self, folder: Path) -> importers.Imported:
        """The account as files, read as the command line reads them."""
        rows = "".join(f"{s},{self.shares[s]},{self.prices[s]}\n" for s in self.shares)
        texts = {
            "holdings": f"symbol,quantity,price\n{rows}CASH:USD,{self.cash},\n",
            "targets": "symbol,weight\n" + "".join(f"{s},{t}\n" for s, t in self.targets.items()),
            "securities": "symbol,product_type\n" + "".join(f"{s},ETF\n" for s in self.shares),
        }
        for name, text in texts.items():
            (folder / f"{name}.csv").write_text(text)
        seen = importers.read(
            folder / "holdings.csv",
            targets=folder / "targets.csv",
            securities=folder / "securities.csv",
        )
        return importers.assemble(seen, as_of=DAY)


def accounts(count: int, seed: int = 7) -> Iterator[Account]:
    """Drawn one after the other, always the same."""
    draw = random.Random(seed)
    for _ in range(count):
        symbols = [f"F{i}" for i in range(draw.randint(2, 5))]
        prices = {s: round(draw.uniform(20, 400), 2) for s in symbols}
        weights, targets = (_shares_of_all(draw, symbols) for _ in range(2))
        value = draw.choice(VALUES)
        shares = {s: max(1, int(value * weights[s] / prices[s])) for s in symbols}
        cash = round(draw.uniform(0, 0.01) * value, 2)
        yield Account(
            shares, prices, {s: math.floor(t * 1000) / 1000 for s, t in targets.items()}, cash
        )


def _shares_of_all(draw: random.Random, symbols: list[str]) -> dict[str, float]:
    parts = [draw.random() + 0.2 for _ in symbols]
    return dict(zip(symbols, (part / sum(parts) for part in parts), strict=True))


def by_hand(account: Account) -> float:
    """Drift after: sell down to the targets in whole shares, then buy the widest gap, share by
    share, while the cash lasts.
    """
    shares, cash, value = dict(account.shares), account.cash, account.value

    def gap(symbol: str) -> float:
        return account.targets[symbol] * value - shares[symbol] * account.prices[symbol]

    for symbol, price in account.prices.items():
        sold = math.floor(max(0.0, -gap(symbol)) / price)
        if sold * price >= LEAST_ORDER * value:
            shares[symbol] -= sold
            cash += sold * price
    while True:
        open_ = [s for s, p in account.prices.items() if gap(s) >= p and p <= cash + 1e-9]
        if not open_:
            return account.drift(shares, cash)
        widest = max(open_, key=gap)
        shares[widest] += 1
        cash -= account.prices[widest]
