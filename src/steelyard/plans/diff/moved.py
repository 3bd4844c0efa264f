"""What went into two plans and is not the same: prices, rates, holdings, cash, targets, rules."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from steelyard.canonical import published
from steelyard.plans.account import FlowShown
from steelyard.plans.diff.records import (
    AmountMoved,
    FlowMoved,
    Letter,
    Moved,
    PriceMoved,
    RuleMoved,
    TargetMoved,
)
from steelyard.plans.plan import Plan
from steelyard.settings import Evaluation

NONE = Decimal(0)
DEEPEST = 6
"""Tables inside tables that are looked into: settings have three."""
NAME, ENABLED, VERSION = "name", "enabled", "version"


def moved(a: Plan, b: Plan) -> Moved:
    """What is not the same, from A to B, by name."""
    return Moved(
        as_of=None if a.as_of == b.as_of else (a.as_of, b.as_of),
        prices=tuple(_prices(a, b)),
        rates=tuple(_rates(a, b)),
        holdings=tuple(_amounts(_shares(a), _shares(b))),
        cash=tuple(_amounts(_cash(a), _cash(b))),
        targets=tuple(_targets(a, b)),
        flows=tuple(_flows(a, b)),
        rules=tuple(_rules(a.strategy.settings, b.strategy.settings)),
    )


def is_same_account(a: Plan, b: Plan) -> bool:
    """Is it one bucket, or the same holdings and cash under two names?"""
    return a.bucket == b.bucket or (_shares(a), _cash(a)) == (_shares(b), _cash(b))


def targets_of(plan: Plan) -> dict[str, float]:
    """Every target weight by symbol; that of a class by class:NAME."""
    rows = [(row.symbol, row.target) for row in plan.holdings]
    rows += [(row.symbol, row.target) for row in plan.drift.absent]
    rows += [(f"class:{row.name}", row.target) for row in plan.classes]
    return {name: published(target) for name, target in rows if target is not None}


def _prices(a: Plan, b: Plan) -> Iterator[PriceMoved]:
    """Of every security that is held, targeted or traded in both."""
    ours, theirs = ({row.symbol: row for row in plan.holdings} for plan in (a, b))
    for symbol in sorted(ours.keys() & theirs.keys()):
        old, new = ours[symbol], theirs[symbol]
        if (old.price, old.currency) != (new.price, new.currency):
            change = _share(old.price, new.price) if old.currency == new.currency else None
            yield PriceMoved(
                symbol=symbol, currency=new.currency, old=old.price, new=new.price, change=change
            )


def _rates(a: Plan, b: Plan) -> Iterator[PriceMoved]:
    """Of every currency, base per unit; none where the base is another one."""
    if a.base_currency != b.base_currency:
        return
    ours, theirs = _rates_of(a), _rates_of(b)
    for name in sorted(ours.keys() | theirs.keys()):
        old, new = ours.get(name), theirs.get(name)
        if old != new:
            change = None if old is None or new is None else _share(old, new)
            yield PriceMoved(symbol=name, currency=b.base_currency, old=old, new=new, change=change)


def _rates_of(plan: Plan) -> dict[str, Decimal]:
    rates = {row.currency: row.fx_rate for row in plan.holdings} | plan.cash_rates
    return {name: rate for name, rate in rates.items() if name != plan.base_currency}


def _share(old: Decimal, new: Decimal) -> float | None:
    """The change as a share of the old; None where it is no number."""
    change = float(new / old - 1) if old else math.inf
    return published(change) if math.isfinite(change) else None


def _shares(plan: Plan) -> Mapping[str, Decimal]:
    """Shares by symbol before the plan, what is kept out of trading too."""
    sums: dict[str, Decimal] = {}
    rows = [(row.symbol, row.quantity) for row in plan.holdings]
    for symbol, quantity in rows + [(row.symbol, row.quantity) for row in plan.kept_out]:
        sums[symbol] = sums.get(symbol, NONE) + quantity
    return {symbol: amount for symbol, amount in sums.items() if amount}


def _cash(plan: Plan) -> Mapping[str, Decimal]:
    """Cash by currency, settled or on its way, before every flow."""
    sums = dict(plan.cash)
    for entry in plan.settling:
        sums[entry.currency] = sums.get(entry.currency, NONE) + entry.amount
    return {currency: amount for currency, amount in sums.items() if amount}


def _amounts(ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal]) -> Iterator[AmountMoved]:
    for name in sorted(ours.keys() | theirs.keys()):
        old, new = ours.get(name, NONE), theirs.get(name, NONE)
        if old != new:
            yield AmountMoved(name=name, old=old, new=new)


def _targets(a: Plan, b: Plan) -> Iterator[TargetMoved]:
    ours, theirs = targets_of(a), targets_of(b)
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            yield TargetMoved(name=name, old=ours.get(name), new=theirs.get(name))


def _flows(a: Plan, b: Plan) -> Iterator[FlowMoved]:
    """Those that only one of the plans has, each as often as it has it more."""
    ours, theirs = (Counter(_flow(flow) for flow in plan.flows) for plan in (a, b))
    sides: tuple[tuple[Letter, Counter[Flow]], ...] = (("A", ours - theirs), ("B", theirs - ours))
    for letter, own in sides:
        for on, currency, amount in sorted(own.elements()):
            yield FlowMoved(plan=letter, date=on, currency=currency, amount=amount)


Flow = tuple[Any, str, Decimal]


def _flow(flow: FlowShown) -> Flow:
    return flow.date, flow.currency, flow.amount


def _rules(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[RuleMoved]:
    """Settings of the plans as planned, then modules; of one that only one has, only that."""
    old, new = flat(_sections(ours), ""), flat(_sections(theirs), "")
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield RuleMoved(key=key, old=old.get(key), new=new.get(key))
    mine, other = _modules(ours), _modules(theirs)
    for name in sorted(mine.keys() | other.keys()):
        if name in mine and name in other:
            yield from _of_module(name, mine[name], other[name])
        else:
            yield RuleMoved(key=f"{name}.{ENABLED}", old=name in mine, new=name in other)


def _of_module(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[RuleMoved]:
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield RuleMoved(key=f"{name}.{key}", old=old.get(key), new=new.get(key))


USUAL = Evaluation().model_dump(mode="json")


def _sections(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of a plan by the score alone the document leaves out how it might be chosen otherwise."""
    own = {name: value for name, value in settings.items() if name != "modules"}
    return {"evaluation": USUAL, **own}


def _modules(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Qualified name of each module that runs -> its parameters and what else tells it, flat."""
    modules = settings.get("modules")
    every: dict[str, dict[str, Any]] = {}
    for kind, entries in modules.items() if isinstance(modules, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and NAME in entry:
                about = {key: value for key, value in entry.items() if key not in (NAME, "params")}
                every[f"{kind}.{entry[NAME]}"] = about | flat(entry.get("params"), "")
    return every


def flat(value: Any, key: str, depth: int = DEEPEST) -> dict[str, Any]:
    """The single values of tables by their dotted keys.

    >>> flat({"limits": {"max_orders": 3}, "name": "x"}, "")
    {'limits.max_orders': 3, 'name': 'x'}
    """
    if not isinstance(value, dict) or not depth:
        return {key: value} if key else {}
    inside: dict[str, Any] = {}
    for name, entry in value.items():
        inside |= flat(entry, f"{key}.{name}" if key else str(name), depth - 1)
    return inside
