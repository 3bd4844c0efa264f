"""Orders of two plans by symbol and side; and why the other plan does not trade what one trades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from steelyard.notices import Stage
from steelyard.orders import Side
from steelyard.plans.answers import Told
from steelyard.plans.diff.figures import amounts
from steelyard.plans.diff.moved import targets_of
from steelyard.plans.diff.records import Changed, Letter, Trade
from steelyard.plans.diff.words import joined, of_document, plain
from steelyard.plans.orders import NotTraded, Step
from steelyard.plans.plan import Plan
from steelyard.sentences import Sentence

TELLING: tuple[Stage, ...] = ("input", "filter", "search", "sizing", "plan", "opportunity")
"""Which stage says most of why something is not traded: what was barred, then what lost."""
NO_GAIN = 0.0
Key = tuple[str, Side]


@dataclass(frozen=True, slots=True)
class Indexed:
    """A plan with what is looked up in it for each order of the other.

    letter    how sentences call it
    orders    by symbol and side: a plan has one of each
    targets   by symbol
    stopped   what stopped before the plan, by symbol, what tells most first
    rows      candidate by symbol, side and quantity
    """

    letter: Letter
    plan: Plan
    orders: Mapping[Key, Step]
    targets: Mapping[str, float]
    stopped: Mapping[str, Sequence[NotTraded]]
    rows: Mapping[tuple[str, Side, Decimal], str]


def indexed(plan: Plan, letter: Letter) -> Indexed:
    """A plan as sentences call it, ready to be compared."""
    orders = {(step.symbol, step.side): step for step in plan.steps}
    rows = {(row.symbol, row.side, row.quantity): row.id for row in plan.candidates}
    return Indexed(letter, plan, orders, targets_of(plan), _stopped(plan), rows)


def _stopped(plan: Plan) -> Mapping[str, Sequence[NotTraded]]:
    """The ledger by symbol; of a stage the best candidate's entry first."""
    gains = {candidate.id: candidate.gain for candidate in plan.candidates}

    def rank(entry: NotTraded) -> tuple[int, float, str]:
        gain = gains.get(entry.candidate or "", NO_GAIN)
        return TELLING.index(entry.stage), -gain, entry.rule

    by_symbol: dict[str, list[NotTraded]] = {}
    telling = (entry for entry in plan.not_traded if entry.stage in TELLING)
    for entry in sorted(telling, key=rank):
        by_symbol.setdefault(entry.symbol, []).append(entry)
    return by_symbol


def only_in(ours: Indexed, other: Indexed) -> Iterator[Trade]:
    """The orders that the other plan has not, largest first."""
    steps = [step for key, step in ours.orders.items() if key not in other.orders]
    for step in sorted(steps, key=lambda s: (-s.notional_base, s.symbol, s.side)):
        opposite = other.orders.get((step.symbol, _turned(step.side)))
        yield Trade(
            **{name: getattr(step, name) for name in SHOWN},
            base_currency=ours.plan.base_currency,
            opposite=None if opposite is None else opposite.quantity,
            why=Told(**joined(why_not(other, step.symbol, step.side))),
        )


SHOWN = (
    *("side", "symbol", "name", "quantity", "price", "currency", "notional_base"),
    *("reason", "narrative"),
)
"""What of an order is told as it is."""


def changed(a: Indexed, b: Indexed, *, comparable: bool) -> Iterator[Changed]:
    """The orders of both, of another quantity or at another price, the largest change first."""
    pairs = [(a.orders[key], b.orders[key]) for key in a.orders if key in b.orders]
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
    return abs(new.quantity - old.quantity) * new.price * new.multiplier * new.fx_rate


def _turned(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY


def why_not(other: Indexed, symbol: str, side: Side) -> Sentence:
    """Why a plan does not trade a symbol on a side, as it says so itself."""
    turned = other.orders.get((symbol, _turned(side)))
    if turned is not None:
        verb = "buys" if turned.side is Side.BUY else "sells"
        return plain(f"it {verb} {{turned:qty}} of it", turned=turned.quantity)
    for entry in other.stopped.get(symbol, ()):
        if entry.side in (side, None):
            return of_document(entry.template, entry.facts, entry.reason)
    return plain(_where_nothing_says(other, symbol))


def why_not_as_large(other: Indexed, symbol: str, side: Side, quantity: Decimal) -> Sentence | None:
    """What a plan says of that very size of an order; None where it was no candidate of it."""
    row = other.rows.get((symbol, side, quantity))
    for entry in other.stopped.get(symbol, ()):
        if row is not None and entry.candidate == row:
            return of_document(entry.template, entry.facts, entry.reason)
    return None


def _where_nothing_says(other: Indexed, symbol: str) -> str:
    """Why a plan has no entry on a symbol."""
    plan = other.plan
    if symbol in plan.excluded:
        return "it is left out there on your word"
    if any(position.symbol == symbol for position in plan.kept_out):
        return "it is valued there and not traded"
    owned = any(row.symbol == symbol and row.quantity for row in plan.holdings)
    if symbol not in other.targets and not owned:
        return "it is not owned there and has no target"
    if plan.outlook is not None and (plan.steps or plan.outlook.given_up is not None):
        return "what is chosen there, by more than the score of today, is without it"
    if not plan.steps:
        return "no list of orders there gains enough to act on"
    return "the best list of orders there is without it"
