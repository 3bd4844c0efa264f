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

Option = Literal["--deposit", "--withdraw"]
FORMS: dict[Option, str] = {
    "--deposit": "USD=1200",
    "--withdraw": "USD=1200 or USD=1200@2026-01-15",
}


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


def deposits(texts: Iterable[str]) -> list[AskedFlow]:
    """Deposits of `USD=1200` arguments, there on the day of the plan; InputError otherwise."""
    return [AskedFlow(*_money(text, "--deposit"), None) for text in texts]


def withdrawals(texts: Iterable[str], weekdays: int) -> list[AskedFlow]:
    """Withdrawals of `USD=1200[@DATE]` arguments; InputError for other forms.

    weekdays   after which what the plan sells has settled: the day of one that names none
    """
    flows = []
    for text in texts:
        money, at, day = text.partition("@")
        currency, amount = _money(text, "--withdraw", money)
        try:
            on = values.day(day.strip(), "date") if at else None
        except values.BadCell as error:
            raise _bad(text, "--withdraw", str(error)) from error
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


def _money(text: str, option: Option, part: str | None = None) -> tuple[str, Decimal]:
    """(currency, amount above 0); `part` is the text without its day."""
    currency, amount = amount_of(text if part is None else part, option, FORMS[option])
    if amount <= ZERO:
        other = "--withdraw" if option == "--deposit" else "--deposit"
        why = f"the amount must be above 0; what goes the other way is {other}"
        raise _bad(text, option, why)
    return currency, amount


def _bad(text: str, option: str, why: str, form: str = "") -> InputError:
    hint = f"Write {form or FORMS['--deposit' if option == '--deposit' else '--withdraw']}."
    return InputError(
        f"{option} {values.shown(text)} is not usable: {why}. {values.NOTHING} {hint}",
        code="bad_flow",
        place=option,
        value=text,
        hint=hint,
    )
