"""The difference of two plans as a document: trades, money, score, reasons, and what moved.

`a` and `b` are the two plans, `change` is b less a; it is null where either is missing or where
the two may not be compared, and then a sentence says why. Units are those of the plan document.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from steelyard.canonical import Amount, Number, Positive, Record
from steelyard.orders import Side
from steelyard.plans.answers import Told

SCHEMA: Literal["steelyard.plan-diff/1"] = "steelyard.plan-diff/1"
Letter = Literal["A", "B"]
"""How sentences call the two plans."""


class Amounts(Record):
    """An amount in both plans."""

    a: Amount | None
    b: Amount | None
    change: Amount | None


class Numbers(Record):
    """A ratio or a score in both plans."""

    a: Number | None
    b: Number | None
    change: Number | None


class Rules(Record):
    """Whose rules made a plan; `title` is the name where there is none."""

    name: str
    version: int | None
    sha256: str
    title: str


class Answer(Record):
    """What a plan says to do."""

    action: Literal["act", "hold"]
    text: str


class Compared(Record):
    """One of the two plans."""

    plan_id: str
    bucket: str
    as_of: date
    strategy: Rules
    verdict: Answer
    base_currency: str
    value: Amount
    orders: int


class Trade(Record):
    """An order that only one of the plans has.

    opposite   what the other plan trades on the other side; null = nothing
    why        why the other plan does not trade it
    """

    side: Side
    symbol: str
    name: str
    quantity: Amount
    price: Positive
    currency: str
    notional_base: Amount
    base_currency: str
    reason: str
    narrative: str
    opposite: Amount | None
    why: Told


class Changed(Record):
    """An order that both have, of another quantity or at another price."""

    side: Side
    symbol: str
    name: str
    currency: str
    quantity: Amounts
    price: Amounts
    notional_base: Amounts


class Money(Record):
    """What leaves and enters the account; changes are null where `not_compared` says why."""

    base_currency: str | None = Field(description="of both; null where they have two")
    not_compared: Told | None
    buys: Amounts
    sells: Amounts
    cost: Amounts
    tax: Amounts
    turnover: Numbers
    cash_after: dict[str, Amounts] = Field(description="by currency, when all has settled")


class TermDiff(Record):
    """A term of the score: `gain` is weight x (plan - hold), what it adds to the improvement."""

    name: str
    weight: Numbers
    gain: Numbers


class Proof(Record):
    """How far each plan is from the best; `gap` in points."""

    a: str
    b: str
    gap: Numbers


class ScoreDiff(Record):
    """hold + sum of gains = plan, and that less hold and charges = improvement, in each plan.

    comparable   before_charges: improvements are charged by other settings, hold and plan are not
    """

    comparable: Literal["all", "before_charges", "none"]
    not_compared: Told | None
    hold: Numbers
    plan: Numbers
    improvement: Numbers
    cost: Numbers
    tax: Numbers
    hurdle: Numbers
    terms: tuple[TermDiff, ...]
    drift_before: Numbers
    drift_after: Numbers
    certificate: Proof


class PriceMoved(Record):
    """A price, or a rate in base per unit; `change` is a share of the old, null in two currencies
    and of what only one of them has.
    """

    symbol: Annotated[str, Field(description="the security, or the currency")]
    currency: str
    old: Positive | None
    new: Positive | None
    change: Number | None


class AmountMoved(Record):
    """Shares of a holding, or cash of a currency."""

    name: str
    old: Amount
    new: Amount


class TargetMoved(Record):
    """A target weight; `class:NAME` is that of a class; null = none."""

    name: str
    old: Number | None
    new: Number | None


class FlowMoved(Record):
    """Money brought or taken out in one of the plans alone."""

    plan: Letter
    date: date
    currency: str
    amount: Amount


class RuleMoved(Record):
    """A setting by its key in a strategy file; null = off, or no such setting."""

    key: str
    old: Any
    new: Any


class Moved(Record):
    """What went into the plans and is not the same, from A to B."""

    as_of: tuple[date, date] | None = Field(description="null where it is one day")
    prices: tuple[PriceMoved, ...]
    rates: tuple[PriceMoved, ...]
    holdings: tuple[AmountMoved, ...]
    cash: tuple[AmountMoved, ...]
    targets: tuple[TargetMoved, ...]
    flows: tuple[FlowMoved, ...]
    rules: tuple[RuleMoved, ...]

    @property
    def nothing(self) -> bool:
        """Is all the same?"""
        return not any(getattr(self, name) for name in type(self).model_fields)


class Reason(Told):
    """A sentence on the difference; `symbol` where it is of one trade."""

    symbol: str | None


class PlanDiff(Record):
    """The difference of plan B from plan A."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Annotated[Literal["steelyard.plan-diff/1"], Field(alias="schema")] = SCHEMA
    same: bool = Field(description="is it one plan?")
    a: Compared
    b: Compared
    trades_added: tuple[Trade, ...] = Field(description="only in B, largest first")
    trades_removed: tuple[Trade, ...] = Field(description="only in A, largest first")
    trades_changed: tuple[Changed, ...]
    money: Money
    score: ScoreDiff
    reasons: tuple[Reason, ...]
    moved: Moved

    def document(self) -> dict[str, Any]:
        """The document as plain JSON values."""
        return self.model_dump(mode="json", by_alias=True)
