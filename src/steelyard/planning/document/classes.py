"""Classes with a target, before and after the plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from steelyard.planning.classes import band_of
from steelyard.planning.solve import Solution
from steelyard.plans.account import ClassShown, HoldingAfter, HoldingShown
from steelyard.portfolio import Security
from steelyard.targets import Targets, class_column


def class_of(targets: Targets | None, security: Security) -> str | None:
    """The class of a security in the dimension of the targets; None without targets of classes."""
    if targets is None or not targets.classes:
        return None
    return security.classes.get(targets.dimension)


def classes_shown(
    m: Solution, holdings: Sequence[HoldingShown], after: Sequence[HoldingAfter]
) -> Iterable[ClassShown]:
    """Every class with a target, the largest first."""
    targets = m.case.target_weights
    if targets is None:
        return
    weights_after = {row.symbol: row.weight for row in after}
    named = {s.symbol: class_of(targets, s) for s in m.case.snapshot.securities}
    by_rows = {named.get(symbol) for symbol in targets.asked}
    for name, target in sorted(targets.classes.items(), key=lambda item: (-item[1], item[0])):
        rows = [row for row in holdings if row.class_name == name]
        yield ClassShown(
            dimension=class_column(targets.dimension),
            name=name,
            weight=math.fsum(row.weight for row in rows),
            target=target,
            band=_band(m, targets, name, target),
            weight_after=math.fsum(weights_after[row.symbol] for row in rows),
            members=tuple(row.symbol for row in rows),
            by_rows=name in by_rows,
        )


def _band(m: Solution, targets: Targets, name: str, target: float) -> tuple[float, float]:
    half = band_of(targets, name, m.case.strategy.rebalance).half(target) or 0.0
    return max(0.0, target - half), target + half
