"""Weights of classes become targets of their members, after valuation and before planning.

Members keep their weights. What a class lacks goes to its first member that may be bought, by
`preference`, then symbol. What it has too much of comes from its lots, those a sale would meet
first: losses, then the lowest tax per unit, then the last preference, until the excess is gone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from steelyard.errors import InputError, nearest
from steelyard.lots import LotRule, ordered
from steelyard.money import ZERO
from steelyard.notices import Drop, Stop
from steelyard.planning.case import Case
from steelyard.planning.findings import Findings
from steelyard.planning.valuation import Priced, Valuation
from steelyard.sentences import percent, say
from steelyard.settings import SUM_TOLERANCE, Rebalance
from steelyard.targets import Band, Targets, class_key

NO_PREFERENCE = math.inf
"""A security without a preference comes after all that have one."""
SAME = 1e-12
"""Weights that differ by less are one: documents publish no more digits."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A lot of a member: its weight, of value, and the tax of selling it, of that weight.

    tax   exact, so that equal lots of two members are equal
    """

    weight: float
    tax: Decimal = ZERO
    loss: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A security of a class that has a price.

    weight   held, of value
    slices   its lots as a sale meets them; their weights sum to `weight`
    """

    symbol: str
    weight: float
    preference: float = NO_PREFERENCE
    can_buy: bool = True
    can_sell: bool = True
    slices: tuple[Slice, ...] = ()

    @property
    def rank(self) -> tuple[float, str]:
        """Lowest first to buy, highest first to sell."""
        return self.preference, self.symbol


def with_classes(case: Case, valuation: Valuation, findings: Findings) -> tuple[Case, Valuation]:
    """The case with targets of symbols alone, and a class that cannot be bought as not usable.

    Raises InputError where rows of members disagree with their class, and for a sum over 1.
    """
    targets = case.target_weights
    if targets is None or not targets.classes:
        return case, valuation
    weights, bands, drops = dict(targets.asked), dict(targets.bands), dict[str, Drop]()
    rules = case.strategy.rebalance
    names, members_of = _names(case, targets.dimension), _members(case, valuation)
    for name, weight in sorted(targets.classes.items()):
        members = members_of.get(name, [])
        own = _own(targets, name, names)
        if own:
            _refuse_disagreement(targets, name, own)
            continue
        resolved, rest = resolve(weight, members)
        weights |= resolved
        half = band_of(targets, name, rules).half(weight) or 0.0
        bands |= bands_of(members, resolved, half, rules.to)
        if rest > 0:
            key = class_key(name, targets.dimension)
            weights[key], drops[key] = rest, _unbought(name, members, names)
    findings.stops.extend(Stop(key, None, "input", drop) for key, drop in drops.items())
    symbols = MappingProxyType(dict(sorted(weights.items())))
    widths = MappingProxyType(dict(sorted(bands.items())))
    changed = replace(targets, weights=symbols, own=targets.asked, bands=widths)
    return (
        replace(case, targets=changed),
        replace(valuation, unusable={**valuation.unusable, **drops}),
    )


def resolve(target: float, members: Sequence[Member]) -> tuple[dict[str, float], float]:
    """Targets of the members of a class, and what of its weight nobody can be bought for.

    target   of the class, of value; targets and rest sum to it
    What is sold comes last, in the order in which it is sold.
    """
    weights = {member.symbol: member.weight for member in members}
    gap = target - math.fsum(weights.values())
    if abs(gap) <= SAME:
        return weights, 0.0
    if gap < 0:
        for symbol, part in _sold(-gap, members):
            weights[symbol] = _nought(weights.pop(symbol) - part)
        return weights, 0.0
    first = min((m for m in members if m.can_buy), key=lambda m: m.rank, default=None)
    if first is None:
        return weights, gap
    return {**weights, first.symbol: first.weight + gap}, 0.0


def band_of(targets: Targets, name: str, rules: Rebalance) -> Band:
    """The band of a class: its own, else the strategy's."""
    usual = Band(rules.drift_band_weight, rules.band_relative)
    return targets.class_bands.get(name, usual)


def bands_of(
    members: Sequence[Member], resolved: Mapping[str, float], half: float, to: str
) -> dict[str, Band]:
    """Bands of the members of a class: inside while the class is inside its own, outside while it
    is outside. Their edges together are the edge of the class, where an answer goes to that.

    half   width of the class's band
    """
    off = {m.symbol: abs(resolved[m.symbol] - m.weight) for m in members}
    total = math.fsum(off.values())
    widths = dict.fromkeys(off, half)
    if total > half + SAME:
        moved = [symbol for symbol in resolved if off[symbol] > SAME]
        widths |= {symbol: half * off[symbol] / total for symbol in moved}
        if to == "edge":
            widths |= _up_to(half, [(symbol, off[symbol]) for symbol in moved])
    return {symbol: Band(width) for symbol, width in widths.items()}


def _up_to(half: float, moved: Sequence[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    """What of the moves is not made where the class goes to its edge: the last come first."""
    for symbol, move in reversed(moved):
        part = min(half, move)
        half -= part
        yield symbol, part


def _nought(weight: float) -> float:
    """A weight; what rounding leaves of nothing is 0."""
    return weight if weight > SAME else 0.0


def _sold(excess: float, members: Iterable[Member]) -> Iterator[tuple[str, float]]:
    """(symbol, weight) to sell, until the excess is gone: of all next lots the cheapest, what may
    not be sold last.
    """
    ranked = sorted(members, key=lambda m: m.rank, reverse=True)
    queues = [(member, list(member.slices)) for member in ranked]
    while excess > SAME and any(slices for _, slices in queues):
        member, slices = min(
            ((member, slices) for member, slices in queues if slices),
            key=lambda row: (not row[0].can_sell, not row[1][0].loss, row[1][0].tax),
        )
        part = min(excess, slices.pop(0).weight)
        excess -= part
        yield member.symbol, part


def _members(case: Case, valuation: Valuation) -> dict[str, list[Member]]:
    """Class -> its securities that have a price; what is kept out of trading is none of them."""
    targets, members = case.target_weights or Targets(), dict[str, list[Member]]()
    value = float(valuation.value) if valuation.value > 0 else 0.0
    rule = LotRule.of(case.strategy.rules, case.snapshot.as_of)
    for symbol, priced in valuation.priced.items():
        security = priced.security
        if targets.has(security):
            member = Member(
                symbol,
                float(priced.value) / value if value else 0.0,
                NO_PREFERENCE if security.preference is None else security.preference,
                priced.fresh and security.allow_buy,
                priced.fresh and security.allow_sell,
                tuple(_slices(priced, rule, value)),
            )
            members.setdefault(security.classes[targets.dimension], []).append(member)
    return members


def _slices(priced: Priced, rule: LotRule, value: float) -> Iterator[Slice]:
    """The lots of a holding as the lot method takes them; a cost that nobody knows counts as the
    price.
    """
    if priced.holding is None or not value:
        return
    for lot in ordered(priced.holding.lots, rule, priced.price):
        cost = priced.price if lot.unit_cost is None else lot.unit_cost
        weight = float(lot.quantity * priced.share) / value
        tax = rule.rate(lot) * (1 - cost / priced.price)
        yield Slice(weight, tax, loss=cost > priced.price)


def _names(case: Case, dimension: str) -> Mapping[str, str]:
    """Symbol -> its class, of all securities that are not left out."""
    excluded = set(case.snapshot.excluded)
    return {
        security.symbol: security.classes[dimension]
        for security in case.snapshot.securities
        if security.symbol not in excluded and dimension in security.classes
    }


def _own(targets: Targets, name: str, names: Mapping[str, str]) -> dict[str, float]:
    """Members of a class that have a weight of their own."""
    return {s: weight for s, weight in targets.asked.items() if names.get(s) == name}


def _refuse_disagreement(targets: Targets, name: str, own: Mapping[str, float]) -> None:
    """Raise InputError unless the members' own weights sum to that of their class."""
    weight, total = targets.classes[name], math.fsum(own.values())
    if abs(total - weight) <= SUM_TOLERANCE:
        return
    key, rows = class_key(name, targets.dimension), ", ".join(sorted(own))
    hint = "Leave the class out, or the members, or let them sum to it"
    raise InputError(
        f"{key} has a target of {percent(weight)} %, and what is in it has {percent(total)} % of "
        f"its own ({rows}). Nothing was planned. {hint}.",
        code="class_against_symbol",
        place=f"{key}; {rows}",
        value=f"{total:.6g}",
        limit=f"{weight:.6g}",
        hint=hint,
    )


def _unbought(name: str, members: Sequence[Member], names: Mapping[str, str]) -> Drop:
    """Why what a class lacks cannot be bought."""
    if name in names.values():
        why = (
            "none of its securities may be bought"
            if members
            else "none of its securities has a price"
        )
        return Drop("class_not_buyable", None, None, say(why))
    near = near_class(name, set(names.values()))
    if not near:
        return Drop("class_empty", None, None, say("no security is in it"))
    return Drop(
        "class_empty", None, None, say("no security is in it; did you mean {near:text}?", near=near)
    )


def near_class(name: str, names: Iterable[str]) -> str:
    """The class that a name may be a slip of; "" = none."""
    folded = {other.casefold(): other for other in sorted(names)}
    near = nearest(name.casefold(), list(folded))
    return folded.get(near, "")
