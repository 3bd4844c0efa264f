"""The document: the score by term and part, and how far the plan is from the best."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from steelyard.canonical import Amount, FactValue, Number, Record
from steelyard.orders import Side
from steelyard.plans.orders import TEMPLATE
from steelyard.plans.outlook import Sampled
from steelyard.settings import Scope


class PartShown(Record):
    """A part of a term: share, raw and scaled value (0..1 unless off scale) before and after."""

    name: str
    share: Number
    scale: tuple[Number, Number] = Field(description="raw value that is scaled to 0, and to 1")
    raw_hold: Number
    raw_plan: Number
    hold: Number
    plan: Number


class TermShown(Record):
    """A term, unclipped; people see 100 x, clipped to 0..100 and marked `off_scale`."""

    name: str
    weight: Number
    hold: Number
    plan: Number
    off_scale: bool
    parts: tuple[PartShown, ...]


class Charges(Record):
    """What the improvement is charged, in score units."""

    cost: Number
    tax: Number
    hurdle: Number

    @property
    def total(self) -> float:
        """All three."""
        return self.cost + self.tax + self.hurdle


class ForesightShown(Record):
    """Volatility that came over the volatility that a prediction made like this plan's had said,
    quarter by quarter, for what the plan ends with; with its sentence.
    """

    text: str
    template: Annotated[str, Field(description=f"of `text`: {TEMPLATE}")]
    facts: dict[str, FactValue]
    quarters: int = Field(description="past quarters, each predicted from what came before it")
    median: Number
    least: Number = Field(description="one in ten is lower")
    most: Number = Field(description="one in ten is higher")
    covered: Number = Field(description="share of what is held that has enough history")


class ScoreShown(Record):
    """hold and plan = sum of weight x unclipped term; improvement = plan - hold - charges."""

    hold: Number
    plan: Number
    improvement: Number
    min_improvement: Number
    charges: Charges
    terms: tuple[TermShown, ...]
    foresight: ForesightShown | None = Field(
        description="what predictions of volatility were worth; null where history is too short"
    )


class Objective(Record):
    """What the score aims at."""

    mode: Literal["targets", "none"]
    profile: str


class Gap(Record):
    """How far the plan is at most from the best possible one.

    points          score x 100
    base_per_year   the same as money a year: score / lambda x value; null where nothing says what
                    a point is worth
    of_improvement  share of the plan's improvement; null of a plan that holds
    """

    points: Number
    base_per_year: Amount | None
    of_improvement: Number | None


class OrderChange(Record):
    """An order of a neighbour that the plan has not, or has in another size."""

    side: Side
    symbol: str
    quantity: Amount
    was: Annotated[Amount | None, Field(description="signed shares of the plan; null = none")]


class Neighbour(Record):
    """A list that differs from the plan by one order or two, judged by the reference evaluator.

    change   what differs, in words
    orders   the orders that differ, each as it is in the neighbour; quantity 0 = dropped
    """

    change: str
    orders: tuple[OrderChange, ...]
    improvement: Number
    feasible: bool


class Certificate(Record):
    """How far the plan is from the best one. `bound` is on the scale of hold + improvement.

    scope          "targets": the orders follow from the target weights, and nothing was searched
    covers         what it is the best of
    selected_by    black-box terms that re-ranked the best sets, and how many; null when none did
    gap            the search gap in points, money a year, and as a share of the improvement
    local_optimum  which changes were searched and improve nothing; null where quantities are not
                   searched
    refined        score that fitting the quantities added; null where they were not fitted
    neighbours     the best lists that are one change away
    sampled        what was drawn at random; null where nothing was, and nothing is proven where it
                   is not null
    """

    scope: Scope | Literal["targets"]
    covers: str
    selected_by: str | None
    status: Literal["proven", "within_one_lot", "bounded", "none"]
    search_gap: Number | None
    search_gap_of_improvement: Number | None
    gap: Gap | None
    bound: Number | None
    structural_headroom: Number | None
    local_optimum: Literal["pairs", "single"] | None
    refined: Number | None
    neighbours: tuple[Neighbour, ...]
    sampled: Sampled | None
    nodes: int | None
    candidates: int
    sequences: int
    seconds: float | None
