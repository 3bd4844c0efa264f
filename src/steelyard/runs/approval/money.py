"""Totals of a plan in base currency, and the number that a person types to say that they saw it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.plans.plan import Plan
from steelyard.sentences import money

SEPARATORS = frozenset(",'\u2019\u00a0\u202f\u2009 _")
"""Signs between digits that mean nothing."""
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Base currency, at the prices of the plan.

    cash_after   all of it once everything has settled
    tax          on the gains of the sales; None = not estimated
    """

    currency: str
    sells: Decimal
    buys: Decimal
    conversions: Decimal
    costs: Decimal
    cash_after: Decimal
    tax: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """What is typed: whole units of base currency; of less than one unit the cents."""

    amount: Decimal
    of: Literal["bought", "sold"]
    text: str

    @property
    def asks(self) -> str:
        """The words beside the field."""
        return f"Type {self.text} to confirm"

    def is_typed(self, words: str) -> bool:
        """Is it what a person typed? Separators between thousands may be left out."""
        return _bare(words) in {_bare(self.text), _bare(f"{self.amount:.2f}")}


def _bare(words: str) -> str:
    return "".join(sign for sign in words.strip() if sign not in SEPARATORS)


def totals(plan: Plan) -> Totals:
    """Totals of a plan."""
    values = dict.fromkeys(Side, ZERO)
    for step in plan.steps:
        values[step.side] += step.notional_base
    changed = {each.from_: ZERO for each in plan.conversions}
    for each in plan.conversions:
        changed[each.from_] += each.amount
    return Totals(
        currency=plan.base_currency,
        sells=values[Side.SELL],
        buys=values[Side.BUY],
        conversions=_converted(plan, changed),
        costs=plan.costs.total,
        cash_after=plan.in_base(plan.cash_after),
        tax=plan.costs.tax,
    )


def _converted(plan: Plan, changed: dict[str, Decimal]) -> Decimal:
    """Money that is converted, at the rates of the plan's cash and holdings."""
    rates = {row.currency: row.fx_rate for row in plan.holdings}
    rates |= dict(plan.cash_rates) | {plan.base_currency: Decimal(1)}
    return sum((amount * rates[name] for name, amount in changed.items()), ZERO)


def number(total: Totals) -> Number:
    """What is typed for a plan: the money bought, or sold where nothing is bought."""
    of: Literal["bought", "sold"] = "bought" if total.buys else "sold"
    amount = total.buys or total.sells
    whole = amount.quantize(Decimal(1), ROUND_HALF_EVEN)
    if not whole:
        amount = amount.quantize(CENT, ROUND_HALF_EVEN)
        return Number(amount=amount, of=of, text=money(amount))
    return Number(amount=whole, of=of, text=money(whole, 0))
