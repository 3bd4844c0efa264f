"""Worlds of every kind whose plans a person may change: each has its own rules that bind."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from builders.classes import classed
from builders.taxed import taxed
from builders.world import AS_OF, BUSY, World, world
from steelyard import importers, samples, strategies
from steelyard.portfolio import Flow
from steelyard.settings import Costs, Limits, Lots, Rebalance, Score, Search

FUNDS = ("AA", "BB", "CC")
LINES = ("AA 200 @ 100", "BB 200 @ 50", "CC 10 @ 75")
GOALS = {"AA": 0.5, "BB": 0.3, "CC": 0.15}


def bundled(name: str, **sections: object) -> World:
    """A bundled portfolio."""
    files = samples.sample(name)
    read = importers.read(
        files.holdings, prices=files.prices, targets=files.targets, securities=files.securities,
        fx=files.fx,
    )  # fmt: skip
    inputs = importers.assemble(read, base_currency=files.base_currency)
    strategy = replace(strategies.default(), **sections)
    return World(inputs.snapshot, inputs.market, strategy, inputs.targets)


def three(*flows: Flow, cash: str = "3000", **sections: object) -> World:
    """Three funds, one over and one under its target."""
    of = world(*LINES, cash=cash, targets=GOALS, funds=FUNDS, **sections)
    return of.having(flows=flows)


def flow(amount: str, days: int = 0) -> Flow:
    return Flow("USD", Decimal(amount), AS_OF + timedelta(days=days))


def with_rules(of: World, **sections: object) -> World:
    return replace(of, strategy=replace(of.strategy, **sections))


def preset(name: str) -> World:
    return replace(BUSY, strategy=strategies.preset(name))


KINDS = MappingProxyType({
    "growth": lambda: bundled("growth"),
    "euro": lambda: bundled("euro", costs=Costs(spread_bps=4, fx_percent=0.001)),
    "a deposit": lambda: three(flow("7000")),
    "a withdrawal": lambda: three(flow("-6000", days=9)),
    "overdrawn": lambda: three(cash="-4000"),
    "idle cash": lambda: three(cash="30000"),
    "idle cash in proposals": lambda: three(cash="30000", search=Search(scope="proposals")),
    "settled": lambda: three(limits=Limits(funding="settled")),
    "turnover": lambda: three(limits=Limits(max_turnover_weight=0.1)),
    "few orders": lambda: three(limits=Limits(max_orders=1)),
    "bands": lambda: three(rebalance=Rebalance(trigger="band", drift_band_weight=0.02)),
    "classes": lambda: classed(
        world("AA 200 @ 100", "BB 100 @ 50", "CC 40 @ 75", cash="3000", funds=FUNDS),
        {"equity": "AA BB", "bonds": "CC"}, {"equity": 0.6, "bonds": 0.35},
    ),
    "tax lots": lambda: with_rules(
        taxed(3), score=Score(tax_rate=0.25), lots=Lots(method="specific", max_gain_base=2000)
    ),
    "groups": lambda: replace(
        BUSY, targets=None, strategy=replace(BUSY.strategy, limits=Limits(max_group_weight=0.3))
    ),
    "no targets": lambda: replace(BUSY, targets=None),
    "conservative": lambda: preset("conservative"),
    "us_taxable": lambda: preset("us_taxable"),
    "aggressive, no targets": lambda: replace(preset("aggressive"), targets=None),
})  # fmt: skip


@functools.cache
def kind_of(name: str) -> World:
    """A world of that name, planned once."""
    return KINDS[name]()
