"""The document: the orders, what they cost, what else was weighed, and what was not traded."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from steelyard.canonical import Amount, FactValue, Number, Positive, Record
from steelyard.notices import Stage
from steelyard.orders import Side
from steelyard.plans.account import MULTIPLIER, LotShown

TEMPLATE = "each `{fact:format}` is filled from `facts`"


class CandidateShown(Record):
    """A row of the candidate table; `gain` is the net of that order alone, feasible or not."""

    id: str
    symbol: str
    side: Side
    quantity: Amount
    price: Annotated[Positive, Field(description="newest price, the security's currency")]
    currency: Annotated[str, Field(description="of the price")]
    multiplier: Annotated[Positive, Field(description=MULTIPLIER)]
    fx_rate: Annotated[Positive, Field(description="base per unit of that currency")]
    notional_base: Amount
    cost: Amount
    priority: Number
    sources: tuple[str, ...]
    tags: tuple[str, ...]
    gain: Number


class CostShown(Record):
    """Base currency."""

    total: Amount
    commission: Amount
    spread: Amount
    fx: Amount


class PlanCosts(CostShown):
    """Sum over steps and conversions; `tax` is payable later, not taken from cash, null when not
    estimated.
    """

    tax: Amount | None


class Adds(Record):
    """What the plan loses without an order.

    score          net of the plan less net without it
    base_per_year  the same as money a year; null where nothing says what a point is worth
    drift_pp       percentage points of drift that it takes away; null without targets
    how            resolved: the best plan without that security; drop_one: the other orders as
                   they are
    """

    score: Number
    base_per_year: Amount | None
    drift_pp: Number | None
    how: Literal["resolved", "drop_one"]


class Step(Record):
    """One order. `adds` is what the plan loses without it; `lots` are those sold.

    candidate      row of the table with this very size; null where only the search has it
    refined_from   quantity of that row where the size was fitted afterwards; else null
    """

    n: int
    candidate: str | None
    refined_from: Amount | None
    side: Side
    symbol: str
    name: str
    quantity: Amount
    price: Positive
    price_source: Annotated[str, Field(description="file that the price is from")]
    price_on: Annotated[date, Field(description="session of the price")]
    price_unit: Annotated[str, Field(description="in which it was quoted: GBp, else its currency")]
    multiplier: Annotated[Positive, Field(description=MULTIPLIER)]
    currency: str
    fx_rate: Positive
    notional: Amount
    notional_base: Amount
    costs: CostShown
    weight_before: Number
    weight_after: Number
    adds: Adds
    lots: tuple[LotShown, ...]
    tags: tuple[str, ...]
    proposed_by: tuple[str, ...]
    reason: str
    reason_template: Annotated[str, Field(description=f"of `reason`: {TEMPLATE}")]
    narrative: str
    template: Annotated[str, Field(description="of `narrative`; it has that of the reason in it")]
    facts: dict[str, FactValue]


class LaterStep(Record):
    """An order of the second half of a plan."""

    side: Side
    symbol: str
    quantity: Amount
    notional_base: Annotated[Amount, Field(description="at the prices of the plan, base currency")]


class SecondHalf(Record):
    """What the next plan does with the money of the sales, at the prices of this one.

    on            day on which that money has settled
    drift_after   after both halves, as a fraction
    """

    on: date
    steps: tuple[LaterStep, ...] = Field(description="its orders, sells first")
    cost: Annotated[Amount, Field(description="of its orders, base currency")]
    drift_after: Number


class Conversion(Record):
    """Money that turns from one currency into another, once for each currency.

    Cash pays first for what is quoted in it; what a currency then lacks is bought, and of what it
    has over only what base cash lacks is sold. `cost` in base currency.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_: Annotated[str, Field(alias="from")]
    to: str
    amount: Amount
    rate: Positive
    cost: Amount


PROPOSED = (
    "patterns and generators that proposed exactly this set of orders; empty where only the search "
    "found it"
)


class AlternativeStep(Record):
    """An order of an alternative."""

    side: Side
    symbol: str
    quantity: Amount


class Alternative(Record):
    """Another end state that was scored by the same function."""

    name: str
    score: Number
    improvement: Number
    cost: Amount
    turnover: Number
    drift_after: Number | None
    weights: dict[str, Number] | None = Field(
        description="weights after of what the unrestricted optimum trades; else null"
    )
    proposed_by: Annotated[tuple[str, ...], Field(description=PROPOSED)]
    steps: tuple[AlternativeStep, ...]


class NotTraded(Record):
    """Something that stopped before the plan: by which stage, rule, number and margin.

    candidate   row of the table; None for a wish that never became one
    module      calculator that wished it, or filter that stopped it; None = no single one
    """

    candidate: str | None
    module: str | None
    symbol: str
    side: Side | None
    stage: Stage
    rule: str
    value: Number | None
    limit: Number | None
    margin: Number | None
    reason: str
    template: Annotated[str, Field(description=f"of `reason`: {TEMPLATE}")]
    facts: dict[str, FactValue]
