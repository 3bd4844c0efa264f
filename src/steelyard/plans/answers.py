"""The document: answers to what would change the plan, and how sure it is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from steelyard.canonical import Amount, FactValue, Number, Positive, Record
from steelyard.orders import Side
from steelyard.plans.orders import TEMPLATE, AlternativeStep


class Told(Record):
    """A finding with its sentence; every number of the text is one of the facts."""

    text: str
    template: Annotated[str, Field(description=f"of `text`: {TEMPLATE}")]
    facts: dict[str, FactValue]


class Stability(Told):
    """Bootstrap re-estimates: share in which the plan beats hold (or hold stays), mean regret."""

    resamples: int
    share: Number
    mean_regret: Number


class Counterfactual(Told):
    """What one changed rule would gain: score units, and costs in base currency as heavy.

    Where a search is not proven the gain lies in a span, and no more of it is claimed.
    """

    name: str
    setting: str
    now: Number
    then: Number
    gain: Number
    gain_least: Number | None
    gain_most: Number | None
    money: Amount | None


class Threshold(Told):
    """Price at which a step leaves the plan, others as they are; null = none in the range tried."""

    n: int
    symbol: str
    side: Side
    price_now: Positive
    price: Positive | None
    off_target: Number | None


class Relaxation(Told):
    """The smallest loosening tried of one limit under which a plan beats hold."""

    setting: str
    now: Number
    then: Number
    improvement: Number


class Deposit(Told):
    """The smallest deposit with which buys alone reach the targets.

    amount   on top of the deposits of the plan; 0 = no more is needed, null = none does it
    symbol   what decides it; null where nothing is over its target
    """

    amount: Amount | None
    currency: Annotated[str, Field(description="of the amount: the base currency")]
    symbol: str | None


class Explanation(Record):
    """What would change the plan and how sure it is; made when asked for, not part of the id."""

    text: str
    stability: Stability
    counterfactuals: tuple[Counterfactual, ...]
    thresholds: tuple[Threshold, ...]
    unasked: Told | None
    relaxations: tuple[Relaxation, ...]
    deposit: Deposit | None = Field(
        default=None,
        description="the smallest deposit that needs no sale; null without targets",
    )


class Filling(Record):
    """What one order of the plan fills in a scenario; `notional_base` is at the plan's price."""

    n: Annotated[int, Field(description="number of the step")]
    quantity: Annotated[Positive, Field(description="shares that fill, in whole lots")]
    notional_base: Annotated[Amount, Field(description="quantity x price x fx_rate, base currency")]


class FillScenario(Told):
    """The plan partly filled: what of it fills, and what that end state is worth by the score."""

    name: Annotated[str, Field(description="what fills, in words")]
    fills: tuple[Filling, ...] = Field(
        description="the orders that fill at all, in order of execution"
    )
    improvement: Number = Field(
        description=(
            "over hold, net of charges; an order that fills in part pays its whole commission"
        )
    )
    cash_after: Annotated[Number, Field(description="all cash after costs, of value")]
    keeps_reserve: bool = Field(
        description="is the cash after at least what the plan itself must leave"
    )


class Robustness(Told):
    """What becomes of the plan where its orders fill in part: end states, none of them a plan."""

    worst: Annotated[Number, Field(description="least improvement of all scenarios")]
    mean: Annotated[Number, Field(description="mean improvement of all scenarios")]
    share: Annotated[Number, Field(description="share of scenarios that still beat hold")]
    scenarios: tuple[FillScenario, ...] = Field(
        description="prefixes of the plan, then one order in part and the others whole"
    )


class RelaxedStep(AlternativeStep):
    """An order of a plan that breaks a rule: never an order to place."""

    relaxed_constraints: tuple[str, ...] = Field(
        description="the settings that were loosened for it"
    )


class Loosened(Told):
    """What one loosened rule would gain, by solving again: the price of that rule, not a plan."""

    name: Annotated[str, Field(description="the rule in words")]
    setting: str = Field(
        description="its dotted name; `securities.SYMBOL` is one of the securities"
    )
    now: Annotated[Number, Field(description="as it is; a switch is 0 or 1")]
    then: Annotated[Number, Field(description="as it was tried")]
    unit: Annotated[str, Field(description="what `gain_per_unit` is per; pp is a percentage point")]
    gain: Number = Field(description="net improvement that the plan would gain, score units")
    gain_per_unit: Annotated[Number, Field(description="gain for one unit of the rule")]
    steps: tuple[RelaxedStep, ...] = Field(
        description="the orders of the relaxed plan, in order of execution"
    )


class WhatIf(Record):
    """Reports of the what-if generators that are on: they change nothing in the plan."""

    fills: Robustness | None = Field(
        description=(
            "the plan partly filled; null when not asked for, or where there is nothing to fill"
        )
    )
    relaxations: tuple[Loosened, ...] = Field(
        description="each rule loosened alone, in the order of the generator"
    )
