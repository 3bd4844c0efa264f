"""The planner and the reference engine ask for the same, or what differs has a name."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from benchmarks.promises.databases import SEED, Profile
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from steelyard import strategies
from steelyard.market import Market, Quote
from steelyard.money import FxRate, FxTable
from steelyard.planning.case import Case
from steelyard.planning.contexts import context_of
from steelyard.planning.findings import Findings
from steelyard.portfolio import BucketState, Holding, Security, Snapshot, TaxLot
from steelyard.rebalance.planned import Account
from steelyard.rebalance.shadow import Agreement, Compared, compare, unexplained
from steelyard.rebalance.watch import Watched, watch
from steelyard.targets import Targets

PROMISE = (
    "Two engines ask for the same of every symbol, before any choice, or what differs has a name."
)
HOW = (
    "Random portfolios of 2 to 20 symbols in two currencies, with lots from a thousandth to ten, "
    "holdings without targets, targets without holdings, sides switched off. Each symbol of either "
    "engine is compared, both ways. Counted as bad: each symbol with a difference that nothing "
    "explains."
)
MUTANT = "the reference engine omits a symbol"
DAY = date(2026, 1, 9)
RATE = FxRate("EUR", Decimal("1.0837"), DAY)
LOTS = ("1", "1", "1", "10", "0.001", "0.25")


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """So many portfolios."""
    rng = random.Random(SEED)  # noqa: S311 - the same cases each time
    count, bad, classes = profile.portfolios, 0, Counter[str]()
    for _ in range(count):
        watched = watch(account(rng))
        if watched is None:
            continue
        rows = _without_one(watched) if mutant else watched.rows
        classes.update(row.known or row.agreement.value for row in rows)
        bad += len(unexplained(rows))
    usual = classes.pop(Agreement.EQUAL.value, 0)
    others = ", ".join(f"{number} {name}" for name, number in sorted(classes.items()))
    return Figure("E8", count, bad, note=f"{usual} symbols equal; {others or 'no other'}")


def account(rng: random.Random) -> Account:
    """A random portfolio as both engines see it."""
    symbols = tuple(f"S{i:02d}" for i in range(rng.randint(2, 20)))
    prices = {s: Decimal(rng.randint(5, 90_000)) / 100 for s in symbols}
    securities = tuple(
        Security(
            s, rng.choice(("USD", "USD", "EUR")), lot_size=Decimal(rng.choice(LOTS)),
            product_type=rng.choice(("EQUITY", "EQUITY", "ETF")),
            allow_buy=rng.random() > 0.05, allow_sell=rng.random() > 0.05,
        )
        for s in symbols
    )  # fmt: skip
    owned = [(s, Decimal(rng.randint(1, 10**6)) / 1000) for s in symbols if rng.random() < 0.7]
    holdings = tuple(Holding(s, q, (TaxLot(q, date(2024, 1, 2)),)) for s, q in owned)
    aims = [rng.choice((0, 0, 1, 2, 3, 5)) for _ in symbols]
    whole = max(1, sum(aims) + rng.randint(0, 3))
    targets = Targets(MappingProxyType({s: a / whole for s, a in zip(symbols, aims, strict=True)}))
    snapshot = Snapshot(
        DAY, "USD", holdings, {"USD": Decimal(rng.randint(1, 10**7)) / 100}, securities
    )
    market = Market(
        symbols=symbols,
        dates=np.array([DAY], dtype="datetime64[D]"),
        closes=np.array([[float(price) for price in prices.values()]]),
        quotes={s: Quote(s, price, DAY) for s, price in prices.items()},
        fx=FxTable("USD", MappingProxyType({"EUR": (RATE,)})),
    )
    case = Case(
        snapshot=snapshot, market=market, strategy=strategies.default(), targets=targets,
        state=BucketState(), seed=0, disabled=MappingProxyType({}),
    )  # fmt: skip
    return Account.of(*context_of(case, Findings()))


def _without_one(watched: Watched) -> tuple[Compared, ...]:
    """The rows as if the reference engine had no line for the first symbol."""
    first, *rest = (replace(row) for row in watched.rows)
    missing = compare({first.symbol: first.fast} if first.fast else {}, {}, {})
    return (*missing, *rest)


if __name__ == "__main__":
    script(measure)
