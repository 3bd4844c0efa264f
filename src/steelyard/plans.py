"""The plan document: one schema for the command line, the report, the API and the store.

Money, prices and quantities are decimal strings; weights, scores and ratios are numbers with 12
significant digits; what is missing is null, never NaN. `plan_id` is the SHA-256 of the document
without `plan_id`, `warnings`, `timings`, `explanation`, `certificate.seconds` and
`certificate.nodes`.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from steelyard.canonical import Amount, Number, Record, sha256
from steelyard.notices import Coverage, ModuleRun, Notice, Stage, Timing
from steelyard.orders import Side
from steelyard.settings import Costs, Limits

SCHEMA: Literal["steelyard.plan/1"] = "steelyard.plan/1"


FactValue = str | int | float | None


class Verdict(Record):
    """What to do, in one sentence. `previous` is the verdict that was handed in."""

    action: Literal["act", "hold"]
    previous: Literal["act", "hold"] | None
    text: str
    detail: str
    facts: dict[str, FactValue]


class PricesAsOf(Record):
    """Sessions of the newest quote used and of the newest row of the history."""

    quotes: date
    history: date


class StrategyRef(Record):
    """Which rules made the plan; `sha256` is of `settings`: the strategy with every default filled
    in.
    """

    name: str
    version: int | None
    sha256: str
    settings: Annotated[
        dict[str, Any],
        Field(description="every section and every module that runs, with its parameters"),
    ]


class LotShown(Record):
    """A tax lot; `gain` is on the shown quantity, base currency."""

    acquired: date | None
    quantity: Amount
    unit_cost: Amount | None
    gain: Amount | None = None


class Rules(Record):
    """What binds the plan, so that it can be checked from the document alone.

    min_order_base     least order, base currency; full exits are exempt
    drift_band_weight  half width of the band shown around a target
    """

    costs: Costs
    limits: Limits
    max_depth: int
    min_order_base: Amount
    drift_band_weight: Number


class OpenOrderShown(Record):
    """An order that was open before the plan: a buy reserves money, a sell reserves shares.

    quantity           shares that may still trade
    price, fx_rate     what a buy reserves: its limit, else the newest price, and base per unit;
                       null for a sell
    """

    symbol: str
    side: Side
    quantity: Amount
    price: Annotated[
        Amount | None,
        Field(
            description=(
                "limit, else newest price of a buy, the security's currency; null for a sell"
            )
        ),
    ]
    fx_rate: Annotated[
        Amount | None, Field(description="base per unit of that currency; null for a sell")
    ]


class HoldingShown(Record):
    """A security that is held, targeted or traded, before the plan; `band` is (low, high) around
    the target.

    lot_size           shares; an order is a multiple of it, or the whole holding
    lot_value          what one lot costs, base currency
    sellable           shares that no open sell reserves
    """

    symbol: str
    name: str
    group: str | None
    quantity: Amount
    sellable: Amount
    lot_size: Amount
    lot_value: Annotated[Amount, Field(description="what one lot costs, base currency")]
    is_fund: bool
    allow_buy: bool
    allow_sell: bool
    price: Amount
    currency: str
    fx_rate: Amount
    value: Amount
    weight: Number
    target: Number | None
    band: tuple[Number, Number] | None
    last_bought: Annotated[
        date | None,
        Field(description="date of the last buy, else of the newest lot; null when unknown"),
    ]
    last_sold: Annotated[
        date | None, Field(description="date of the last sale; null when there is none on record")
    ]
    lots: tuple[LotShown, ...]


class HoldingAfter(Record):
    """The same security after the plan; weights are of the pre-trade value."""

    symbol: str
    quantity: Amount
    weight: Number


class CandidateShown(Record):
    """A row of the candidate table; `gain` is the net improvement of that order alone, feasible or
    not.
    """

    id: str
    symbol: str
    side: Side
    quantity: Amount
    price: Annotated[Amount, Field(description="newest price, the security's currency")]
    currency: Annotated[str, Field(description="of the price")]
    fx_rate: Annotated[Amount, Field(description="base per unit of that currency")]
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
    """Sum over the steps; `tax` is payable later, not taken from cash, null when not estimated."""

    tax: Amount | None


class Step(Record):
    """One order. `adds` is what the plan's net loses without it; `lots` are those sold."""

    n: int
    candidate: str
    side: Side
    symbol: str
    name: str
    quantity: Amount
    price: Amount
    currency: str
    fx_rate: Amount
    notional: Amount
    notional_base: Amount
    costs: CostShown
    weight_before: Number
    weight_after: Number
    adds: Number
    lots: tuple[LotShown, ...]
    tags: tuple[str, ...]
    proposed_by: tuple[str, ...]
    reason: str
    narrative: str
    facts: dict[str, FactValue]


class Conversion(Record):
    """Money that an order turns from one currency into another; `cost` in base currency."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_: Annotated[str, Field(alias="from")]
    to: str
    amount: Amount
    rate: Amount
    cost: Amount


class PartShown(Record):
    """A part of a term: its share, raw and scaled value (0..1 unless off scale) before and
    after.
    """

    name: str
    share: Number
    scale: Annotated[
        tuple[Number, Number], Field(description="raw value that is scaled to 0, and to 1")
    ]
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


class ScoreShown(Record):
    """hold and plan = sum of weight x unclipped term; improvement = plan - hold - charges."""

    hold: Number
    plan: Number
    improvement: Number
    min_improvement: Number
    charges: Charges
    terms: tuple[TermShown, ...]


class Objective(Record):
    """What the score aims at."""

    mode: Literal["targets", "none"]
    profile: str


class Certificate(Record):
    """How far the plan is from the best one. `bound` is on the scale of hold + improvement.

    covers        what it is the best of
    selected_by   black-box terms that re-ranked the best sets, and how many; null when none did
    """

    scope: Literal["proposals", "candidates"]
    covers: str
    selected_by: str | None
    status: Literal["proven", "bounded", "none"]
    search_gap: Number | None
    search_gap_of_improvement: Number | None
    bound: Number | None
    structural_headroom: Number | None
    nodes: int | None
    candidates: int
    sequences: int
    seconds: float | None


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
    weights: Annotated[
        dict[str, Number] | None,
        Field(description="weights after of what the unrestricted optimum trades; else null"),
    ]
    proposed_by: Annotated[tuple[str, ...], Field(description=PROPOSED)]
    steps: tuple[AlternativeStep, ...]


class AbsentTargetShown(Record):
    """A target that no order can buy, and why in a few words: `no price`."""

    symbol: Annotated[str, Field(description="the security")]
    target: Annotated[Number, Field(description="its target weight, of value")]
    why: Annotated[str, Field(description="what is missing")]


class Drift(Record):
    """Half the sum of absolute deviations from target, cash included."""

    before: Number | None
    after: Number | None
    absent_target: Annotated[
        Number,
        Field(
            description=(
                "target weight of securities without a price, which no order can buy; part of both"
            )
        ),
    ]
    absent: Annotated[
        tuple[AbsentTargetShown, ...], Field(description="each of them, largest first")
    ]


class CashRung(Record):
    """The balance of one currency at the end of a date: `traded` counts unsettled money, `settled`
    does not.
    """

    date: date
    currency: str
    balance: Amount
    kind: Literal["traded", "settled"]
    estimated: bool


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
    facts: dict[str, FactValue]


class Told(Record):
    """A finding with its sentence; every number of the text is one of the facts."""

    text: str
    facts: dict[str, FactValue]


class Stability(Told):
    """Bootstrap re-estimates of returns and risk: share in which the plan beats hold (or hold
    stays), mean regret in score.
    """

    resamples: int
    share: Number
    mean_regret: Number


class Counterfactual(Told):
    """What one changed rule would gain: score units, and the costs in base currency that weigh as
    much.
    """

    name: str
    setting: str
    now: Number
    then: Number
    gain: Number
    money: Amount | None


class Threshold(Told):
    """Price at which a step leaves the plan, other prices as they are; null = it stays over the
    range looked at.
    """

    n: int
    symbol: str
    side: Side
    price_now: Amount
    price: Amount | None
    off_target: Number | None


class Relaxation(Told):
    """The smallest loosening tried of one limit under which a plan beats hold."""

    setting: str
    now: Number
    then: Number
    improvement: Number


class Explanation(Record):
    """What would change the plan and how sure it is; made only when asked for, not part of the plan
    id.
    """

    text: str
    stability: Stability
    counterfactuals: tuple[Counterfactual, ...]
    thresholds: tuple[Threshold, ...]
    relaxations: tuple[Relaxation, ...]


class RegimeShown(Record):
    """What the market does, told from the history of an index; `unknown` without enough of it."""

    name: Literal["bull", "bear", "sideways", "unknown"]
    distance: Annotated[
        Number | None,
        Field(description="newest level over its moving average, less 1; null when unknown"),
    ]
    observations: Annotated[int, Field(description="levels of the index that it is told from")]


class Filling(Record):
    """What one order of the plan fills in a scenario; `notional_base` is at the plan's price."""

    n: Annotated[int, Field(description="number of the step")]
    quantity: Annotated[Amount, Field(description="shares that fill, in whole lots")]
    notional_base: Annotated[Amount, Field(description="quantity x price x fx_rate, base currency")]


class FillScenario(Told):
    """The plan partly filled: what of it fills, and what that end state is worth by the same
    score.
    """

    name: Annotated[str, Field(description="what fills, in words")]
    fills: Annotated[
        tuple[Filling, ...], Field(description="the orders that fill at all, in order of execution")
    ]
    improvement: Annotated[
        Number,
        Field(
            description=(
                "over hold, net of charges; an order that fills in part pays its whole commission"
            )
        ),
    ]
    cash_after: Annotated[Number, Field(description="all cash after costs, of value")]
    keeps_reserve: Annotated[
        bool, Field(description="is the cash after at least what the plan itself must leave")
    ]


class Robustness(Told):
    """What becomes of the plan where its orders fill in part: the end states of scenarios, none of
    which is a plan.
    """

    worst: Annotated[Number, Field(description="least improvement of all scenarios")]
    mean: Annotated[Number, Field(description="mean improvement of all scenarios")]
    share: Annotated[Number, Field(description="share of scenarios that still beat hold")]
    scenarios: Annotated[
        tuple[FillScenario, ...],
        Field(description="prefixes of the plan, then one order in part and the others whole"),
    ]


class RelaxedStep(AlternativeStep):
    """An order of a plan that breaks a rule: never an order to place."""

    relaxed_constraints: Annotated[
        tuple[str, ...], Field(description="the settings that were loosened for it")
    ]


class Loosened(Told):
    """What one loosened rule would gain, by solving again: the price of that rule, not a plan."""

    name: Annotated[str, Field(description="the rule in words")]
    setting: Annotated[
        str, Field(description="its dotted name; `securities.SYMBOL` is one of the securities")
    ]
    now: Annotated[Number, Field(description="as it is; a switch is 0 or 1")]
    then: Annotated[Number, Field(description="as it was tried")]
    unit: Annotated[str, Field(description="what `gain_per_unit` is per; pp is a percentage point")]
    gain: Annotated[
        Number, Field(description="net improvement that the plan would gain, score units")
    ]
    gain_per_unit: Annotated[Number, Field(description="gain for one unit of the rule")]
    steps: Annotated[
        tuple[RelaxedStep, ...],
        Field(description="the orders of the relaxed plan, in order of execution"),
    ]


class WhatIf(Record):
    """Reports of the what-if generators that are on: they change nothing in the plan."""

    fills: Annotated[
        Robustness | None,
        Field(
            description=(
                "the plan partly filled; null when not asked for, or where there is nothing to fill"
            )
        ),
    ]
    relaxations: Annotated[
        tuple[Loosened, ...],
        Field(description="each rule loosened alone, in the order of the generator"),
    ]


class Plan(Record):
    """A plan; "hold" is one. See the module docstring for units."""

    schema_: Annotated[Literal["steelyard.plan/1"], Field(alias="schema")] = SCHEMA
    plan_id: str
    verdict: Verdict
    bucket: str
    as_of: date
    prices_as_of: PricesAsOf
    price_source: str
    strategy: StrategyRef
    base_currency: str
    value: Amount
    cash: dict[str, Amount]
    cash_after: dict[str, Amount]
    cash_rates: Annotated[
        dict[str, Amount],
        Field(description="base per unit of each currency of which there is cash"),
    ]
    reserve: Amount
    open_buys: Amount
    open_orders: Annotated[
        tuple[OpenOrderShown, ...], Field(description="orders that were open before the plan")
    ]
    rules: Rules
    excluded: tuple[str, ...]
    holdings: tuple[HoldingShown, ...]
    holdings_after: tuple[HoldingAfter, ...]
    candidates: tuple[CandidateShown, ...]
    steps: tuple[Step, ...]
    proposed_by: Annotated[tuple[str, ...], Field(description=PROPOSED)]
    conversions: tuple[Conversion, ...]
    score: ScoreShown
    objective: Objective
    certificate: Certificate
    alternatives: tuple[Alternative, ...]
    what_if: Annotated[
        WhatIf | None, Field(description="what-if reports; null unless a generator of them is on")
    ]
    explanation: Explanation | None
    regime: Annotated[RegimeShown, Field(description="what the market does")]
    drift: Drift
    turnover: Number
    costs: PlanCosts
    cash_ladder: tuple[CashRung, ...]
    not_traded: tuple[NotTraded, ...]
    problems: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    data_coverage: tuple[Coverage, ...]
    reproducible: bool
    modules: tuple[ModuleRun, ...]
    timings: tuple[Timing, ...]
    seed: int
    inputs_sha256: str

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def document(self) -> dict[str, Any]:
        """The document as plain JSON values."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self) -> str:
        """The document as indented JSON text, keys in the order of the schema."""
        return json.dumps(self.document(), indent=2, ensure_ascii=False, allow_nan=False)

    def step(self, symbol: str) -> Step | None:
        """The step that trades a symbol; None when nothing does."""
        return next((step for step in self.steps if step.symbol == symbol), None)


OUTSIDE_ID = ("plan_id", "warnings", "timings", "explanation")
"""Parts of the document that say how it was made, not what it says."""


def plan_id(document: dict[str, Any]) -> str:
    """SHA-256 of the document's content as canonical JSON, 64 hexadecimal digits."""
    content = {key: value for key, value in document.items() if key not in OUTSIDE_ID}
    content["certificate"] = {
        key: value
        for key, value in document["certificate"].items()
        if key not in {"seconds", "nodes"}
    }
    return sha256(content)


def seal(plan: Plan) -> Plan:
    """The same plan with its id filled in."""
    return plan.model_copy(update={"plan_id": plan_id(plan.document())})


def json_schema() -> dict[str, Any]:
    """JSON Schema of the document as it is written."""
    return Plan.model_json_schema(mode="serialization", by_alias=True)
