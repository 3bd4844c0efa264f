"""Rows of cash to balances by currency, and to what is still on its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from steelyard.errors import RejectedRow
from steelyard.importers.cash_words import is_cash_name, is_plain_cash
from steelyard.importers.statement import Balance
from steelyard.importers.values import shown
from steelyard.money import ZERO
from steelyard.notices import Notice
from steelyard.portfolio import Settling


@dataclass
class Cash:
    """Rows of cash: balances by currency, and what is still on its way.

    default   the currency of a row that names none
    """

    file: str
    default: str
    balances: dict[str, Decimal] = field(default_factory=dict)
    settling: list[Settling] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    _lines: dict[tuple[str, str, date | None, Decimal | None], int] = field(default_factory=dict)
    _words: dict[str, str] = field(default_factory=dict)

    def take(self, row: Balance, *, decided: bool = False) -> None:
        """Add a balance, or reject it where it stands already.

        decided   was it a security by its form? Then it is said that it was read as cash
        """
        currency = row.currency or self.default or "USD"
        if row.settles is None and (decided or is_cash_name(row.label)):
            self._words[row.label] = currency
        # of our own form CASH:CUR stands once a day; a broker may have several rows of one word
        amount = row.amount if row.label else None
        first = self._lines.setdefault((row.label, currency, row.settles, amount), row.line)
        if first != row.line and row.amount:
            name = shown(row.label) if row.label else f"CASH:{currency}"
            reason = f"{name} stands on line {first} already"
            self.rejected.append(RejectedRow(self.file, row.line, reason, "same_cash"))
        elif row.settles is None:
            self.balances[currency] = self.balances.get(currency, ZERO) + row.amount
        else:
            self.settling.append(Settling(currency, row.amount, row.settles))

    @property
    def funds(self) -> tuple[str, ...]:
        """What is no plain word of cash: funds at a price of 1, if it is one."""
        return tuple(sorted(w.upper().rstrip("*") for w in self._words if not is_plain_cash(w)))

    def notices(self) -> Iterator[Notice]:
        """Say which words were read as cash, and in which currency; first what is no plain word."""
        for word, currency in sorted(self._words.items()):
            message = f"{shown(word)} of {self.file} is read as cash in {currency}."
            yield Notice(code="read_as_cash", message=message, head=not is_plain_cash(word))
