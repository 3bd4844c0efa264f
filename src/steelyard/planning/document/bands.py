"""Bands before and after the plan: of securities, of classes, of cash."""

from __future__ import annotations

import math
from collections.abc import Iterable

from steelyard.planning.bands import ON_EDGE, edges_of, free_cash
from steelyard.planning.document.account import holdings_after, holdings_shown
from steelyard.planning.document.classes import classes_shown
from steelyard.planning.solve import Solution
from steelyard.plans.account import BandShown
from steelyard.targets import CASH


def bands_shown(m: Solution) -> Iterable[BandShown]:
    """One for every holding, every class, and cash; none without targets.

    Cash is what no open buy takes, before costs.
    """
    edges = edges_of(m.ctx)
    if edges is None:
        return
    holdings, after = list(holdings_shown(m)), list(holdings_after(m))
    for holding, later in zip(holdings, after, strict=True):
        if holding.band is not None:
            kind = "symbol"
            weights = (holding.weight, later.weight)
            yield _shown(kind, holding.symbol, holding.band, weights)
    for row in classes_shown(m, holdings, after):
        if row.band is not None:
            yield _shown("class", row.name, row.band, (row.weight, row.weight_after))
    cash = free_cash(m.ctx)
    moved = math.fsum(float(m.orders.delta[j]) for j in m.choice.plan.row)
    yield _shown("cash", CASH, edges.cash, (cash, cash - moved))


def _shown(
    kind: str, name: str, edges: tuple[float, float], weights: tuple[float, float]
) -> BandShown:
    (low, high), (before, later) = edges, weights
    return BandShown(
        kind=kind,
        name=name,
        low=low,
        high=high,
        weight=before,
        weight_after=later,
        breached=not low - ON_EDGE <= before <= high + ON_EDGE,
    )
