"""Two engines beside each other: what each would do, and whether what differs is explained.

Pure: lines in, classes out. Nothing here can send an order, and nothing that is compared can.

    equal         one side, quantity within one lot, money within a cent, one kind of reason
    boundary      one of them is on the edge of a threshold, within what a float can tell
    known         a difference that stands in KNOWN, with its name
    unexplained   anything else; also a symbol that only one of them has
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from steelyard.money import ZERO
from steelyard.orders import Side

CENT = Decimal("0.01")
DIGITS_OF_MONEY = Decimal("1e-12")
"""A float tells money apart to so much of it."""


class Agreement(StrEnum):
    """How two lines stand to each other, worst last."""

    EQUAL = "equal"
    BOUNDARY = "boundary"
    KNOWN = "known"
    UNEXPLAINED = "unexplained"


WORST = tuple(Agreement)

KNOWN: Mapping[str, str] = {
    "small_exit": "the planner leaves a holding without a target that is smaller than its "
    "threshold; exact rebalancing sells it whole",
    "fewer_buys": "the state of a bucket makes the planner's buys smaller, or stops them",
    "group_limit": "the planner lets no order of a sector or country over its target grow it",
    "lent_target": "a strategy that takes losses lends the target of what it sells to another",
    "least_order": "one engine's order is a lot under the least order, and the other's is not",
}
"""Names of differences that are meant to be, each with its reason."""


@dataclass(frozen=True, slots=True)
class Line:
    """What an engine would do with a symbol, before any choice between orders.

    side       None = nothing
    quantity   shares
    money      base currency
    reason     a word of the vocabulary that both engines are brought to
    note       a name of KNOWN where the engine says that it differs on purpose; "" = none
    """

    side: Side | None
    quantity: Decimal
    money: Decimal
    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a difference in a symbol is measured with.

    lot       shares
    price     base currency of one share
    on_edge   is the symbol so near to a threshold that floats cannot tell on which side it is?
    least     the least order, base currency
    """

    lot: Decimal
    price: Decimal
    on_edge: bool
    least: Decimal


@dataclass(frozen=True, slots=True)
class Compared:
    """A symbol in both engines; None where one of them has none."""

    symbol: str
    agreement: Agreement
    fast: Line | None
    reference: Line | None
    difference: str = ""
    known: str = ""


def compare(
    fast: Mapping[str, Line], reference: Mapping[str, Line], scales: Mapping[str, Scale]
) -> tuple[Compared, ...]:
    """Every symbol of either engine, sorted."""
    return tuple(
        _compared(symbol, fast.get(symbol), reference.get(symbol), scales.get(symbol))
        for symbol in sorted({*fast, *reference})
    )


def _compared(
    symbol: str, fast: Line | None, reference: Line | None, scale: Scale | None
) -> Compared:
    if fast is None or reference is None:
        missing = "planner" if fast is None else "reference engine"
        words = f"the {missing} has no line for it"
        return Compared(symbol, Agreement.UNEXPLAINED, fast, reference, words)
    difference = differs(fast, reference, scale.lot if scale else ZERO)
    if not difference:
        return Compared(symbol, Agreement.EQUAL, fast, reference)
    if scale is not None and scale.on_edge:
        return Compared(symbol, Agreement.BOUNDARY, fast, reference, difference)
    name = fast.note or reference.note or _by_a_lot(fast, reference, scale)
    agreement = Agreement.KNOWN if name else Agreement.UNEXPLAINED
    return Compared(symbol, agreement, fast, reference, difference, name)


def differs(fast: Line, reference: Line, lot: Decimal) -> str:
    """What is not the same, in words; "" where all is."""
    if fast.side is not reference.side:
        return f"{_does(fast)} against {_does(reference)}"
    if abs(fast.quantity - reference.quantity) > lot:
        return f"{_does(fast)} against {_does(reference)}: more than one lot apart"
    apart = abs(fast.money - reference.money)
    close = max(CENT, DIGITS_OF_MONEY * abs(reference.money))
    if fast.quantity == reference.quantity and apart > close:
        return f"money {fast.money:f} against {reference.money:f} for one quantity"
    if fast.reason != reference.reason:
        return f"reason {fast.reason} against {reference.reason}"
    return ""


def _does(line: Line) -> str:
    if line.side is None:
        return f"nothing ({line.reason})"
    return f"{line.side.value} {line.quantity.normalize():f}"


def _by_a_lot(fast: Line, reference: Line, scale: Scale | None) -> str:
    """Does only one of them trade, for the other's order is a lot smaller and so too small?"""
    sides = {fast.side, reference.side} - {None}
    reasons = {line.reason for line in (fast, reference) if line.side is None}
    if scale is None or len(sides) != 1 or reasons != {"too_small"}:
        return ""
    money = max(fast.money, reference.money)
    return "least_order" if money - scale.lot * scale.price < scale.least else ""


def worst(rows: Iterable[Compared]) -> Agreement:
    """The worst of all; equal where there is none."""
    return max((row.agreement for row in rows), key=WORST.index, default=Agreement.EQUAL)


def unexplained(rows: Iterable[Compared]) -> tuple[Compared, ...]:
    """Those that nothing explains."""
    return tuple(row for row in rows if row.agreement is Agreement.UNEXPLAINED)


# the order in which two engines send


@dataclass(frozen=True, slots=True)
class Sent:
    """An order in the sequence of a run: its phase, then as it was sent."""

    phase: str
    side: Side
    symbol: str
    quantity: Decimal


def same_sequence(
    fast: Sequence[Sent], reference: Sequence[Sent], lots: Mapping[str, Decimal]
) -> tuple[Compared, ...]:
    """Orders as multisets of each phase; where in its phase an order stands does not count."""
    rows = []
    phases = sorted({order.phase for order in (*fast, *reference)})
    for phase in phases:
        lines = [_lines([o for o in orders if o.phase == phase]) for orders in (fast, reference)]
        scales = {s: Scale(lots.get(s, ZERO), ZERO, False, ZERO) for s in {*lines[0], *lines[1]}}
        rows += [_of_phase(row, phase) for row in compare(lines[0], lines[1], scales)]
    return (*rows, *_twice(fast, reference))


def _lines(orders: Sequence[Sent]) -> dict[str, Line]:
    """Symbol -> all of it that is sent in a phase."""
    lines: dict[str, Line] = {}
    for order in orders:
        there = lines.get(order.symbol)
        quantity = order.quantity + (there.quantity if there else ZERO)
        lines[order.symbol] = Line(order.side, quantity, ZERO, order.phase)
    return lines


def _of_phase(row: Compared, phase: str) -> Compared:
    if not row.difference:
        return row
    words = f"{phase}: {row.difference}"
    return Compared(row.symbol, row.agreement, row.fast, row.reference, words, row.known)


def _twice(fast: Sequence[Sent], reference: Sequence[Sent]) -> list[Compared]:
    """Symbols that one engine sends in more orders than the other."""
    counts = [Counter((o.phase, o.symbol, o.side) for o in orders) for orders in (fast, reference)]
    keys = sorted(key for key in {*counts[0], *counts[1]} if counts[0][key] != counts[1][key])
    both = [key for key in keys if counts[0][key] and counts[1][key]]
    return [
        Compared(
            symbol, Agreement.UNEXPLAINED, None, None,
            f"{phase}: {counts[0][key]} orders against {counts[1][key]}",
        )
        for key in both
        for phase, symbol, _ in [key]
    ]  # fmt: skip


# what became of the orders on one scripted broker


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a leg: its terminal state, and what was filled of it."""

    state: str
    filled: Decimal
    average_price: Decimal | None


def same_settlement(
    fast: Mapping[str, Settled], reference: Mapping[str, Settled], lots: Mapping[str, Decimal]
) -> tuple[Compared, ...]:
    """Legs by symbol: the same terminal states, and fills within one lot.

    At what price is the market's: the orders of two runs meet it at moments of their own.
    """
    rows = []
    for symbol in sorted({*fast, *reference}):
        one_leg, other = fast.get(symbol), reference.get(symbol)
        words = _settled_apart(one_leg, other, lots.get(symbol, ZERO))
        agreement = Agreement.UNEXPLAINED if words else Agreement.EQUAL
        rows.append(Compared(symbol, agreement, None, None, words))
    return tuple(rows)


def _settled_apart(fast: Settled | None, reference: Settled | None, lot: Decimal) -> str:
    if fast is None or reference is None:
        return "only one engine has a leg for it"
    if fast.state != reference.state:
        return f"{fast.state} against {reference.state}"
    if abs(fast.filled - reference.filled) > lot:
        return f"{fast.filled:f} filled against {reference.filled:f}"
    return ""
