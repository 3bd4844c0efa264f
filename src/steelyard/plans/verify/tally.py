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
    """One figure or rule.

    name      what must hold
    expected  what was derived, None for a check that holds no figure
    found     what the document says
    where     path in the document, as `steps[0].notional`
    """

    name: str
    ok: bool
    expected: str | None
    found: str | None
    where: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was checked, and what could not be: pairs of what and why."""

    checks: tuple[Check, ...]
    not_checked: tuple[tuple[str, str], ...]

    @property
    def ok(self) -> bool:
        """Does everything agree?"""
        return all(check.ok for check in self.checks)

    @property
    def edited(self) -> bool:
        """Was the document changed after it was made?"""
        return any(check.where == ID and not check.ok for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """What does not agree, in the order of the checks."""
        return tuple(check for check in self.checks if not check.ok)


@dataclass(slots=True)
class Tally:
    """Collects checks while a document is walked."""

    checks: list[Check] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def amount(self, name: str, where: str, due: Decimal | None, found: Decimal | None) -> None:
        """Exact money, prices, quantities and rates."""
        self._compare(name, where, due, found, AMOUNT_SLACK, AMOUNT_SLACK_OF_ITSELF)

    def number(
        self, name: str, where: str, due: Decimal | None, found: Decimal | None, *parts: Decimal
    ) -> None:
        """Weights, scores and ratios; `parts` are what was summed, where they may be much larger
        than their sum.
        """
        largest = max((abs(part) for part in parts), default=Decimal(0))
        self._compare(name, where, due, found, NUMBER_SLACK * (1 + largest), NUMBER_SLACK)

    def same(self, name: str, where: str, due: object, found: object) -> None:
        """What must be equal as it stands: words, dates, counts."""
        self.checks.append(Check(name, due == found, told(due), told(found), where))

    def rule(self, name: str, where: str, kept: bool, due: str, found: object) -> None:
        """A limit; `due` says what is allowed."""
        self.checks.append(Check(name, kept, due, told(found), where))

    def skip(self, what: str, why: str) -> None:
        """Say once what could not be checked."""
        self.skipped.setdefault(what, why)

    def report(self) -> Report:
        """What has been collected."""
        return Report(tuple(self.checks), tuple(self.skipped.items()))

    def _compare(
        self,
        name: str,
        where: str,
        due: Decimal | None,
        found: Decimal | None,
        slack: Decimal,
        of_itself: Decimal,
    ) -> None:
        if due is None or found is None:
            ok = due is None and found is None
        else:
            ok = abs(due - found) <= slack + of_itself * abs(due)
        self.checks.append(Check(name, ok, told(due), told(found), where))


def told(thing: object) -> str | None:
    """A figure as a person reads it, without the digits that only a computer needs."""
    if thing is None:
        return None
    if isinstance(thing, Decimal):
        if not thing:
            return "0"
        return plain(round(thing, max(0, SHOWN_DIGITS - thing.adjusted() - 1)))
    if isinstance(thing, tuple | list | set | frozenset):
        return ", ".join(str(told(part)) for part in thing) or "none"
    return str(thing)


def at_most(limit: Decimal) -> str:
    """`at most 0.2`."""
    return f"at most {told(limit)}"


def at_least(limit: Decimal) -> str:
    """`at least 0.2`."""
    return f"at least {told(limit)}"
