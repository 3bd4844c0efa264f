"""What a person reads before they stand behind a plan; each note has an id that stays its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from steelyard.orders import Side
from steelyard.plans.plan import Plan


@dataclass(frozen=True, slots=True)
class Note:
    """Something to read: `about` says of what, in a word or two, behind `I have read the note on`.

    id   the same for the same note: in forms, and in what is recorded
    """

    id: str
    about: str
    text: str


def notes(plan: Plan) -> tuple[Note, ...]:
    """Notes of a plan: taxes that nobody knows, and what was read or decided while planning."""
    return (*_taxes(plan), *_heads(plan))


def _taxes(plan: Plan) -> Iterator[Note]:
    symbols = sorted(
        {
            step.symbol
            for step in plan.steps
            if step.side is Side.SELL and any(lot.unit_cost is None for lot in step.lots)
        }
    )
    if symbols:
        names = " and ".join(filter(None, (", ".join(symbols[:-1]), symbols[-1])))
        text = f"The tax on {names} is unknown: no cost is given for what is sold."
        yield Note("tax", "taxes", text)


def _heads(plan: Plan) -> Iterator[Note]:
    codes: dict[str, int] = {}
    for warning in plan.warnings:
        if warning.head:
            codes[warning.code] = codes.get(warning.code, 0) + 1
            count = codes[warning.code]
            name = warning.code if count == 1 else f"{warning.code}-{count}"
            about = warning.symbol or f"the {warning.code.replace('_', ' ')}"
            yield Note(name, about, warning.message)
