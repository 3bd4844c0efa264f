"""Worlds of tax lots, drawn from a seed: several lots a holding, gains and losses, twins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np

from builders.world import AS_OF, World, world
from steelyard.money import ZERO
from steelyard.plans.plan import Plan
from steelyard.portfolio import Holding, TaxLot
from steelyard.settings import Lots

SYMBOLS = ("AA", "BB", "CC", "DD", "EE")
MOST_LOTS = 5
SESSIONS = 60


def taxed(seed: int, *, sessions: int = SESSIONS, **sections: Any) -> World:
    """Five funds of up to five lots each, some of one day, some cheap, some dear, with targets."""
    rng = np.random.default_rng([seed, 11])
    prices = [Decimal(int(price)) / 4 for price in rng.integers(40, 1600, len(SYMBOLS))]
    shares = [int(count) for count in rng.integers(20, 400, len(SYMBOLS))]
    lines = [
        f"{symbol} {count} @ {price}"
        for symbol, count, price in zip(SYMBOLS, shares, prices, strict=True)
    ]
    parts = rng.dirichlet(np.ones(len(SYMBOLS)))
    targets = {s: round(float(0.97 * part), 4) for s, part in zip(SYMBOLS, parts, strict=True)}
    of = world(
        *lines, cash=str(int(rng.integers(0, 3000))), targets=targets, funds=SYMBOLS,
        sessions=sessions, **sections,
    )  # fmt: skip
    holdings = tuple(
        _holding(rng, symbol, count, price)
        for symbol, count, price in zip(SYMBOLS, shares, prices, strict=True)
    )
    return of.having(holdings=holdings)


def _holding(rng: np.random.Generator, symbol: str, shares: int, price: Decimal) -> Holding:
    cuts = np.sort(rng.choice(np.arange(1, shares), int(rng.integers(0, MOST_LOTS)), replace=False))
    sizes = np.diff([0, *cuts.tolist(), shares]).tolist()
    days = sorted(rng.choice(np.arange(1, 3000), len(sizes), replace=False).tolist(), reverse=True)
    costs = rng.uniform(0.4, 1.5, len(sizes))
    return Holding(
        symbol,
        Decimal(shares),
        tuple(
            TaxLot(Decimal(size), AS_OF - timedelta(days=day), round(price * Decimal(str(cost)), 2))
            for size, day, cost in zip(sizes, days, costs.tolist(), strict=True)
        ),
    )


def by_method(of: World, method: str, **lots: Any) -> World:
    """The world with its lots sold by a method."""
    return of.having(lots=Lots(method=method, **lots))


def realised(plan: Plan) -> Decimal:
    """Net gain of the sales of a plan, by its lots."""
    return sum((lot.gain or ZERO for step in plan.steps for lot in step.lots), ZERO)


def alike(of: World, groups: dict[str, str]) -> World:
    """The world with groups of substitutes: symbol -> name of its group."""
    securities = tuple(
        replace(s, substitute=groups.get(s.symbol, "")) for s in of.snapshot.securities
    )
    return of.having(securities=securities)


def of_class(of: World, members: dict[str, tuple[str, int]]) -> World:
    """The world with classes: symbol -> its class and its preference in it."""
    securities = tuple(
        replace(
            s,
            classes=MappingProxyType({"": members[s.symbol][0]} if s.symbol in members else {}),
            preference=members[s.symbol][1] if s.symbol in members else None,
        )
        for s in of.snapshot.securities
    )
    return of.having(securities=securities)
