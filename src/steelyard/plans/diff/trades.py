"""Orders of two plans by symbol and side; and why the other plan does not trade what one trades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from steelyard.notices import Stage
from steelyard.orders import Side
from steelyard.plans.answers import Told
from steelyard.plans.diff.figures import amounts
from steelyard.plans.diff.moved import targets_of
from steelyard.plans.diff.records import Changed, Trade
from steelyard.plans.diff.words import joined, of_document, plain
from steelyard.plans.orders import NotTraded, Step
from steelyard.plans.plan import Plan
from steelyard.sentences import Sentence

TELLING: tuple[Stage, ...] = ("input", "filter", "search", "sizing", "plan", "opportunity")
"""Which stage says most of why something is not traded: what was barred, then what lost."""
Key = tuple[str, Side]


def orders(plan: Plan) -> Mapping[Key, Step]:
    """The orders of a plan by symbol and side: a plan has one of each."""
    return {(step.symbol, step.side): step for step in plan.steps}


def only_in(plan: Plan, other: Plan) -> Iterator[Trade]:
    """The orders that the other plan has not, largest first."""
    theirs, base = orders(other), plan.base_currency
    steps = [step for key, step in orders(plan).items() if key not in theirs]
    for step in sorted(steps, key=lambda s: (-s.notional_base, s.symbol, s.side)):
        opposite = theirs.get((step.symbol, _turned(step.side)))
        yield Trade(
            **{name: getattr(step, name) for name in SHOWN},
            base_currency=base,
            opposite=None if opposite is None else opposite.quantity,
            why=Told(**joined(why_not(other, step.symbol, step.side))),
        )


SHOWN = (
    *("side", "symbol", "name", "quantity", "price", "currency", "notional_base"),
    *("reason", "narrative"),
)
"""What of an order is told as it is."""


def changed(a: Plan, b: Plan, *, comparable: bool) -> Iterator[Changed]:
    """The orders of both, of another quantity or at another price, the largest change first."""
    ours, theirs = orders(a), orders(b)
    pairs = [(ours[key], theirs[key]) for key in ours if key in theirs]
    differ = [(old, new) for old, new in pairs if _size(old) != _size(new)]
    differ.sort(key=lambda pair: (-_moved(*pair), pair[0].symbol, pair[0].side))
    for old, new in differ:
        yield Changed(
            **{name: getattr(new, name) for name in ("side", "symbol", "name", "currency")},
            quantity=amounts(old.quantity, new.quantity),
            price=amounts(old.price, new.price, comparable=old.currency == new.currency),
            notional_base=amounts(old.notional_base, new.notional_base, comparable=comparable),
        )


def _size(step: Step) -> tuple[Decimal, Decimal, str]:
    return step.quantity, step.price, step.currency


def _moved(old: Step, new: Step) -> Decimal:
    """What the other quantity is worth, base currency of the new plan."""
    return abs(new.quantity - old.quantity) / new.quantity * new.notional_base


def _turned(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY


def why_not(plan: Plan, symbol: str, side: Side) -> Sentence:
    """Why a plan does not trade a symbol on a side, as it says so itself."""
    other = orders(plan).get((symbol, _turned(side)))
    if other is not None:
        verb = "buys" if other.side is Side.BUY else "sells"
        return plain(f"it {verb} {{turned:qty}} of it", turned=other.quantity)
    entry = _most_telling(plan, symbol, side)
    if entry is not None:
        return of_document(entry.template, entry.facts, entry.reason)
    return plain(_where_nothing_says(plan, symbol))


def _most_telling(plan: Plan, symbol: str, side: Side) -> NotTraded | None:
    """The entry of the ledger on that side that says most: the best candidate's first."""
    gains = {candidate.id: candidate.gain for candidate in plan.candidates}
    entries = [
        entry
        for entry in plan.not_traded
        if entry.symbol == symbol and entry.side in (side, None) and entry.stage in TELLING
    ]

    def rank(entry: NotTraded) -> tuple[int, float, str]:
        gain = gains.get(entry.candidate or "", NO_GAIN)
        return TELLING.index(entry.stage), -gain, entry.rule

    return min(entries, key=rank, default=None)


NO_GAIN = 0.0


def _where_nothing_says(plan: Plan, symbol: str) -> str:
    """Why a plan has no entry on a symbol."""
    if symbol in plan.excluded:
        return "it is left out there on your word"
    if any(position.symbol == symbol for position in plan.kept_out):
        return "it is valued there and not traded"
    held = any(row.symbol == symbol and row.quantity for row in plan.holdings)
    if symbol not in targets_of(plan) and not held:
        return "it is not owned there and has no target"
    if not plan.steps:
        return "no list of orders there gains enough to act on"
    return "the best list of orders there is without it"
