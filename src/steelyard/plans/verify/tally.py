"""Checks and what comes of them: what was due, what the document says, where it says so.

Amounts are exact decimals and must agree to rounding of the 28th digit. Numbers were published with
12 significant digits, so sums of them agree to 1e-10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from steelyard.canonical import plain

AMOUNT_SLACK = Decimal("1e-12")
AMOUNT_SLACK_OF_ITSELF = Decimal("1e-22")
NUMBER_SLACK = Decimal("1e-10")
"""Absolute up to 1, of itself above."""
ID = "plan_id"
SHOWN_DIGITS = 15
"""Significant digits of a derived figure in a message."""

Record = Mapping[str, Any]
"""A part of the document, with amounts and numbers as decimals."""


@dataclass(frozen=True, slots=True)
class Check:
    """One figure or rule that does not agree.

    name      what must hold
    expected  what was derived, None for a check that holds no figure
    found     what the document says
    where     path in the document, as `steps[0].notional`
    """

    name: str
    expected: str | None
    found: str | None
    where: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, what does not agree, and what could not be checked.

    checked      how many figures and rules were derived anew
    failed       those that do not agree, in the order of the checks
    unchecked    (field of the document, why a change of it may go unseen)
    not_checked  (what else, why)
    """

    checked: int
    failed: tuple[Check, ...]
    unchecked: tuple[tuple[str, str], ...]
    not_checked: tuple[tuple[str, str], ...]

    @property
    def ok(self) -> bool:
        """Does everything agree?"""
        return not self.failed

    @property
    def edited(self) -> bool:
        """Was the document changed after it was made?"""
        return any(check.where == ID for check in self.failed)


@dataclass(slots=True)
class Tally:
    """Collects checks while a document is walked."""

    checked: int = 0
    failed: list[Check] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def at(self, where: str, row: Record) -> Place:
        """A record of the document, to check field by field."""
        return Place(self, where, row)

    def rule(self, where: str, agrees: bool, due: object, found: object, name: str) -> None:
        """A rule, or a figure that is no field; `due` says what is allowed."""
        self.checked += 1
        if not agrees:
            self.failed.append(Check(name, shown(due), shown(found), where))

    def skip(self, what: str, why: str) -> None:
        """Say once what could not be checked."""
        self.skipped.setdefault(what, why)


@dataclass(frozen=True, slots=True)
class Place:
    """One record of the document; each check is of one of its fields."""

    tally: Tally
    where: str
    row: Record

    def amount(self, key: str, due: Decimal | None, name: str) -> None:
        """Exact money, prices, quantities and rates."""
        self._close(key, due, name, AMOUNT_SLACK, AMOUNT_SLACK_OF_ITSELF)

    def number(self, key: str, due: Decimal | None, name: str, *parts: Decimal) -> None:
        """Weights, scores, ratios; `parts` were summed and may be much larger than their sum."""
        largest = max(map(abs, parts), default=Decimal(0))
        self._close(key, due, name, NUMBER_SLACK * (1 + largest), NUMBER_SLACK)

    def same(self, key: str, due: object, name: str) -> None:
        """What must be equal as it stands: words, dates, counts."""
        self.rule(key, due == self.row[key], due, name)

    def rule(self, key: str, agrees: bool, due: object, name: str) -> None:
        """A limit; `due` says what is allowed."""
        self.tally.checked += 1
        if not agrees:
            actual = shown(self.row[key])
            self.tally.failed.append(Check(name, shown(due), actual, self.path(key)))

    def path(self, key: str) -> str:
        """Where a field of the record stands."""
        return f"{self.where}.{key}" if self.where else key

    def _close(
        self, key: str, due: Decimal | None, name: str, slack: Decimal, of_itself: Decimal
    ) -> None:
        actual = self.row[key]
        if due is None or actual is None:
            self.rule(key, due is actual, due, name)
        else:
            close = due == actual or abs(due - actual) <= slack + of_itself * abs(due)
            self.rule(key, close, due, name)


def number_of(value: object) -> Decimal | None:
    """A finite number of whatever kind, decimals as text among them; None for all else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = repr(value)
        number = Decimal(value) if isinstance(value, str | Decimal) else None
    except (ArithmeticError, ValueError):
        return None
    return number if number is not None and number.is_finite() else None


def shown(thing: object) -> str | None:
    """A figure as a person reads it, without the digits that only a computer needs."""
    if thing is None:
        return None
    if isinstance(thing, Decimal):
        if not thing:
            return "0"
        return plain(round(thing, max(0, SHOWN_DIGITS - thing.adjusted() - 1)))
    if isinstance(thing, tuple | list | set | frozenset):
        return ", ".join(str(shown(part)) for part in thing) or "none"
    return str(thing)


def at_most(limit: Decimal) -> str:
    """`at most 0.2`."""
    return f"at most {shown(limit)}"


def at_least(limit: Decimal) -> str:
    """`at least 0.2`."""
    return f"at least {shown(limit)}"
