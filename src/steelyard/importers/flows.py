"""Deposits and withdrawals as arguments: `USD=1200`, `USD=12000@2026-01-15`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

import numpy as np

from steelyard.errors import InputError
from steelyard.importers import values
from steelyard.money import ZERO
from steelyard.portfolio import Flow

Option = Literal["--deposit", "--withdraw", "deposit", "withdraw"]
"""What a flow is given by: of the command line, or of Python."""
FORMS: dict[Option, str] = {
    "--deposit": "USD=1200",
    "--withdraw": "USD=1200 or USD=1200@2026-01-15",
    "deposit": "{'USD': 1200}",
    "withdraw": "{'USD': 1200} or {'USD': (1200, '2026-01-15')}",
}
REVERSE: dict[Option, Option] = {
    "--deposit": "--withdraw",
    "--withdraw": "--deposit",
    "deposit": "withdraw",
    "withdraw": "deposit",
}
LEAST = Decimal("0.01")
"""Of a flow, in its currency."""


@dataclass(frozen=True, slots=True)
class AskedFlow:
    """A flow whose day may not be said: then it is so many weekdays after that of the plan."""

    currency: str
    amount: Decimal
    on: date | None
    weekdays: int = 0

    def at(self, as_of: date) -> Flow:
        """The flow of a plan of that day."""
        day = self.on or as_of
        if self.on is None and self.weekdays:
            later = np.busday_offset(as_of, self.weekdays, roll="forward")
            day = date.fromisoformat(str(later))
        return Flow(self.currency, self.amount, day)


def deposits(texts: Iterable[str], option: Option = "--deposit") -> list[AskedFlow]:
    """Deposits of `USD=1200` arguments, there on the day of the plan; InputError otherwise."""
    flows = []
    for text in texts:
        if "@" in text:
            why = "a deposit is there on the day of the plan and has no other"
            raise _bad(text, option, why, FORMS[option])
        flows.append(AskedFlow(*_money(text, option, text), None))
    return flows


def withdrawals(
    texts: Iterable[str], weekdays: int, option: Option = "--withdraw"
) -> list[AskedFlow]:
    """Withdrawals of `USD=1200[@DATE]` arguments; InputError for other forms.

    weekdays   after which what the plan sells has settled: the day of one that names none
    """
    flows = []
    for text in texts:
        money, at, day = text.partition("@")
        currency, amount = _money(text, option, money)
        try:
            on = values.day(day.strip(), "date") if at else None
        except values.BadCell as error:
            raise _bad(text, option, str(error), FORMS[option]) from error
        flows.append(AskedFlow(currency, -amount, on, weekdays))
    return flows


def amount_of(text: str, option: str, form: str) -> tuple[str, Decimal]:
    """(currency, amount) of `USD=1200`; InputError for another form."""
    name, equals, amount = text.partition("=")
    try:
        unit = values.unit(name.strip(), "currency")
        if not equals or not amount.strip():
            raise values.BadCell("the amount is missing")
        return unit.currency, unit.major(values.amount(amount.strip(), "amount"))
    except values.BadCell as error:
        raise _bad(text, option, str(error), form) from error


def _money(text: str, option: Option, part: str) -> tuple[str, Decimal]:
    """(currency, amount of a cent or more); `part` is the text without its day."""
    currency, amount = amount_of(part, option, FORMS[option])
    if amount <= ZERO:
        raise _bad(
            text,
            option,
            f"the amount must be above 0; {REVERSE[option]} goes the other way",
            FORMS[option],
        )
    if amount < LEAST:
        raise _bad(text, option, f"the amount is under {LEAST}", FORMS[option])
    return currency, amount


def _bad(text: str, option: str, why: str, form: str) -> InputError:
    hint = f"Write {form}."
    return InputError(
        f"{option} {values.shown(text)} is not usable: {why}. {values.NOTHING} {hint}",
        code="bad_flow",
        place=option,
        value=text,
        limit=f"{LEAST} and more",
        hint=hint,
    )
