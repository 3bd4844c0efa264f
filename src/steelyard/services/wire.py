"""The documents' requests and answers as JSON: their names and fields, and a few more of ours.

Unknown fields, numbers that are not finite, and values of another type are refused. Every model
knows the record that it stands for: `record()` gives it, validating a record gives the model back.
What ours adds is optional, and its description says so.

Money is in the account's currency unless `currency` says otherwise, weights are fractions, days
are `YYYY-MM-DD`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    Tag,
    model_validator,
)

from steelyard.compat import asked
from steelyard.compat.records import PortfolioContext
from steelyard.services.either import OURS, WHOLE, by

MOST_SECURITIES = 5_000
MOST_SEQUENCES = 5_000
MOST_SESSIONS = 6_000

Symbol = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(max_length=500)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]
Money = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
Positive = Annotated[float, Field(ge=1e-9, le=1e15, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]


def _shares(number: float) -> float:
    """Whole shares as a whole number."""
    return int(number) if float(number).is_integer() else number


Whole = PlainSerializer(_shares, return_type=float)
Shares = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False), Whole]
Weight = Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Score = Annotated[float, Field(allow_inf_nan=False)]
Spent = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""An amount that is answered: what amounts within their bounds come to."""
Priority = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]

Symbols = Annotated[tuple[Symbol, ...], Field(strict=False, max_length=MOST_SECURITIES)]
Weights = Annotated[dict[Symbol, Weight], Field(max_length=MOST_SECURITIES)]
Prices = Annotated[dict[Symbol, Positive], Field(max_length=MOST_SECURITIES)]
Words = Annotated[dict[Symbol, Text], Field(max_length=MOST_SECURITIES)]
Texts = Annotated[tuple[str, ...], Field(strict=False)]


def ours(default: Any, what: str) -> Any:
    """An optional field that the documents do not have."""
    return Field(default, description=f"{what} (ours, not in the documents)")


class Wire(BaseModel):
    """A model of the documents and the record that it stands for.

    record_type   what `record` makes
    renamed       field -> its name in the record, where that differs
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    record_type: ClassVar[type] = dict
    renamed: ClassVar[Mapping[str, str]] = {}

    def record(self) -> Any:
        """What it stands for."""
        return self.record_type(
            **{
                self.renamed.get(name, name): _plain(getattr(self, name))
                for name in type(self).model_fields
            }
        )

    @classmethod
    def of(cls, record: object) -> Self:
        """The model of a record."""
        return cls.model_validate(record)

    @model_validator(mode="before")
    @classmethod
    def _of_record(cls, value: object) -> object:
        if cls.record_type is dict or not isinstance(value, cls.record_type):
            return value
        return {
            name: _mapping(getattr(value, cls.renamed.get(name, name))) for name in cls.model_fields
        }


def _plain(value: object) -> object:
    if isinstance(value, Wire):
        return value.record()
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value


def _mapping(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value


class ActionCandidateModel(Wire):
    """A possible trade."""

    record_type = asked.Action
    side: Literal["BUY", "SELL"]
    symbol: Symbol
    name: Text = ""
    quantity: Annotated[float, Field(gt=0, allow_inf_nan=False), Whole]
    price: Positive = Field(description="per share, in `currency`")
    value_eur: Spent = Field(description="in the account's currency, costs not in it")
    currency: Currency = "EUR"
    priority: Priority = 0.0
    reason: Annotated[str, Field(max_length=2000)] = ""
    tags: Annotated[tuple[Text, ...], Field(strict=False, max_length=50)] = ()
    paired_priority: Priority | None = ours(None, "priority with one order of the other side")


Actions = Annotated[tuple[ActionCandidateModel, ...], Field(strict=False, max_length=5_000)]
Sequence = Annotated[
    tuple[ActionCandidateModel, ...],
    Field(strict=False, min_length=1, max_length=asked.MOST_ORDERS),
]
Sequences = Annotated[tuple[Sequence, ...], Field(strict=False, max_length=MOST_SEQUENCES)]


class _Traded(Wire):
    """What ours adds to every position."""

    currency_rate: Positive | None = ours(None, "units of the account's currency for one")
    first_bought_at: Day | None = ours(None, "when it was first bought")
    last_bought_at: Day | None = ours(None, "for cooldowns")
    last_sold_at: Day | None = ours(None, "for cooldowns")


class _Described(Wire):
    """What ours adds to every security."""

    record_type = asked.AskedSecurity
    product_type: Text | None = ours(None, "EQUITY, ETF, BOND, ...; EQUITY without")
    min_lot: Positive = ours(1.0, "orders are multiples of it")
    priority_multiplier: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = ours(
        1.0, "raises buys, lowers sales"
    )
    dividend_yield: Share | None = ours(None, "a fraction a year")
    quality: Share | None = ours(None, "quality score, 0 to 1")


class PositionInput(_Traded):
    """A holding, as the evaluator and the coordinator take it."""

    record_type = asked.AskedPosition
    renamed = {
        "average_cost": "avg_price",
        "value_eur": "market_value_eur",
        "unrealized_gain_loss": "unrealized_pnl",
        "unrealized_gain_loss_percent": "unrealized_pnl_pct",
    }
    symbol: Symbol
    quantity: Shares
    average_cost: Positive | None = None
    current_price: Positive | None = None
    value_eur: Amount | None = Field(None, description="checked, not used")
    currency: Currency = "EUR"
    unrealized_gain_loss: Money | None = Field(None, description="checked, not used")
    unrealized_gain_loss_percent: Money | None = Field(
        None, description="a fraction or percent; checked, not used"
    )


class SecurityInput(_Described):
    """A security, as the evaluator and the coordinator take it."""

    symbol: Symbol
    name: Text = ""
    current_price: Positive | None = None
    currency: Currency = "EUR"
    market_cap: Amount | None = Field(None, description="not used")
    sector: Text | None = None
    industry: Text | None = Field(None, description="several separated by commas")
    country: Text | None = ours(None, "several separated by commas")
    isin: Annotated[str, Field(max_length=12)] = ours("", "for brokers")
    allow_buy: bool = ours(True, "may it be bought")
    allow_sell: bool = ours(True, "may it be sold")


class PortfolioContextInput(Wire):
    """The account, as the evaluator and the coordinator take it."""

    record_type = asked.Account
    total_value_eur: Amount = Field(description="checked, not used")
    available_cash: Money
    invested_value: Amount = Field(description="checked, not used")
    num_positions: Count = Field(description="checked, not used")
    target_allocation: Weights | None = Field(
        None, description="by symbol; target weights stand before it"
    )
    country_weights: Weights = ours({}, "targets of countries, of what is invested")
    industry_weights: Weights = ours({}, "targets of industries, of what is invested")


class Opportunity:
    """Models of the opportunity service that have the names of others."""

    class PortfolioContextInput(Wire):
        """The account, as the opportunity service takes it."""

        record_type = PortfolioContext
        positions: Annotated[dict[Symbol, Amount], Field(max_length=MOST_SECURITIES)] = Field(
            {}, description="symbol -> value; checked, not used"
        )
        total_value: Amount | None = Field(None, description="checked, not used")
        country_weights: Weights = {}
        industry_weights: Weights = {}
        security_countries: Words = {}
        security_industries: Words = {}

        @model_validator(mode="before")
        @classmethod
        def _null_is_none(cls, value: object) -> object:
            if not isinstance(value, dict):
                return value
            names = ("security_countries", "security_industries")
            return {k: v for k, v in value.items() if k not in names or v is not None}

    class PositionInput(_Traded):
        """A holding, as the opportunity service takes it."""

        record_type = asked.AskedPosition
        symbol: Symbol
        quantity: Shares
        avg_price: Positive | None = None
        market_value_eur: Amount | None = None
        unrealized_pnl_pct: Money | None = Field(None, description="checked, not used")
        currency: Currency = ours("EUR", "of its price")
        current_price: Positive | None = ours(None, "per share")

    class SecurityInput(_Described):
        """A security, as the opportunity service takes it."""

        symbol: Symbol
        name: Text = ""
        isin: Annotated[str, Field(max_length=12)] = ""
        country: Text | None = None
        industry: Text | None = None
        allow_buy: bool = True
        allow_sell: bool = True
        currency: Currency | None = ours(None, "of its price; else that of its position")


class ClosesInput(Wire):
    """Past prices: return and risk are estimated from them, and neutral without."""

    record_type = asked.Closes
    dates: Annotated[tuple[Day, ...], Field(strict=False, max_length=MOST_SESSIONS)]
    prices: Annotated[
        dict[
            Symbol,
            Annotated[tuple[Positive | None, ...], Field(strict=False, max_length=MOST_SESSIONS)],
        ],
        Field(max_length=MOST_SECURITIES),
    ] = Field(description="symbol -> a close for each date in its own currency, null = none")
    adjusted: bool = Field(True, description="they contain dividends")


class _Asked(Wire):
    """What ours adds to every request."""

    record_type = asked.Asked
    as_of: Day | None = ours(None, "the day of the plan; newest close, else today")
    base_currency: Currency = ours("EUR", "what the account counts in")
    exchange_rates: Annotated[dict[Currency, Positive], Field(max_length=200)] = ours(
        {}, "currency -> units of the account's for one"
    )
    closes: ClosesInput | None = ours(None, "past prices")
    strategy: dict[str, Any] = ours({}, "more rules, as keys of a strategy; over all others")
    seed: Annotated[int, Field(ge=0, le=2**53)] = ours(0, "of random draws")


Fixed = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=0.1, allow_inf_nan=False)]
Scope = Literal["proposals", "candidates", "quantities"]


class IdentifyOpportunitiesRequest(_Asked):
    """`POST /opportunity/identify`."""

    portfolio_context: Opportunity.PortfolioContextInput
    positions: Annotated[
        tuple[Opportunity.PositionInput, ...], Field(strict=False, max_length=MOST_SECURITIES)
    ]
    securities: Annotated[
        tuple[Opportunity.SecurityInput, ...], Field(strict=False, max_length=MOST_SECURITIES)
    ]
    available_cash: Money
    target_weights: Weights | None = None
    current_prices: Prices | None = None
    transaction_cost_fixed: Fixed = 2.0
    transaction_cost_percent: Percent = 0.002
    recently_sold: Symbols | None = None
    ineligible_symbols: Symbols | None = None


class _Lists(Wire):
    """The documents' five lists."""

    profit_taking: Actions = ()
    averaging_down: Actions = ()
    rebalance_sells: Actions = ()
    rebalance_buys: Actions = ()
    opportunity_buys: Actions = ()


class OpportunitiesInput(_Lists):
    """The five lists; also as the opportunity service answers, whose warnings are not used."""

    model_config = ConfigDict(
        json_schema_extra=lambda schema: schema["properties"].update(
            warnings={"type": "array", "items": {"type": "string"}, "description": "not used"}
        )
    )

    @model_validator(mode="before")
    @classmethod
    def _as_answered(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: content for name, content in value.items() if name != "warnings"}


class IdentifyOpportunitiesResponse(_Lists):
    """The five lists, and what was assumed."""

    warnings: Texts = ours((), "what was assumed")


class FeasibilitySettings(Wire):
    """What a trade must be to be drawn."""

    available_cash: Amount
    transaction_cost_fixed: Fixed = 2.0
    transaction_cost_percent: Percent = 0.002
    min_trade_value: Amount = 100.0
    priority_threshold: Share = 0.3


class CombinatorialSettings(Wire):
    """Which sequences are made, and how many."""

    max_depth: Annotated[int, Field(ge=1, le=10)] = 4
    max_combinations: Annotated[int, Field(ge=10, le=10_000)] = 1000
    max_opportunities_per_category: Annotated[int, Field(ge=1, le=20)] = 5
    priority_threshold: Share = 0.3
    combinatorial_max_combinations_per_depth: Annotated[int, Field(ge=10, le=200)] = 50
    combinatorial_max_sells: Annotated[int, Field(ge=1, le=10)] = 4
    combinatorial_max_buys: Annotated[int, Field(ge=1, le=10)] = 4
    combinatorial_max_candidates: Annotated[int, Field(ge=4, le=30)] = 12
    enable_weighted_combinations: bool = True
    enable_diverse_selection: bool = True
    diversity_weight: Share = 0.3
    enable_adaptive_patterns: bool = True
    enable_partial_execution: bool = True
    enable_constraint_relaxation: bool = True
    enable_market_regime: bool = False


class FilterSettings(Wire):
    """Which sequences may be a plan."""

    enable_correlation_aware: bool = True
    correlation_threshold: Share = 0.7
    min_sequence_value: Amount = 100.0
    max_sequence_value: Positive | None = None


class GenerateSequencesRequest(_Asked):
    """`POST /generator/generate`; the answer is a stream of `SequenceBatch`, one a line."""

    opportunities: OpportunitiesInput
    feasibility: FeasibilitySettings
    combinatorial: CombinatorialSettings = CombinatorialSettings()
    filters: FilterSettings = FilterSettings()
    batch_size: Annotated[int, Field(ge=10, le=5000)] = 500
    portfolio_context: PortfolioContextInput | None = None
    positions: Annotated[
        tuple[PositionInput, ...], Field(strict=False, max_length=MOST_SECURITIES)
    ] = ()
    securities: Annotated[
        tuple[SecurityInput, ...], Field(strict=False, max_length=MOST_SECURITIES)
    ] = ()
    market_regime: Literal["bull", "bear", "sideways"] | None = None
    target_weights: Weights | None = ours(None, "by symbol")
    current_prices: Prices | None = ours(None, "by symbol")


class SequenceBatch(Wire):
    """One line of the generator's stream."""

    batch_number: Count = Field(description="from 0")
    sequences: Annotated[tuple[Sequence, ...], Field(strict=False)]
    total_batches: Count | None = Field(description="known in the last batch")
    more_available: bool
    warnings: Texts = ours((), "what was assumed; in the first batch")


class EvaluationSettings(Wire):
    """How sequences are scored, and how many come back."""

    beam_width: Annotated[int, Field(ge=1, le=100)] = 10
    transaction_cost_fixed: Fixed = 2.0
    transaction_cost_percent: Percent = 0.002
    cost_penalty_factor: Share = 0.1
    enable_multi_objective: bool = False
    enable_stochastic_scenarios: bool = False
    stochastic_scenario_shifts: (
        Annotated[tuple[Weight, ...], Field(strict=False, max_length=50)] | None
    ) = None
    enable_monte_carlo: bool = False
    monte_carlo_paths: Annotated[int, Field(ge=10, le=500)] = 100
    enable_multi_timeframe: bool = False
    enable_priority_sorting: bool = True


class EvaluateSequencesRequest(_Asked):
    """`POST /evaluator/evaluate`."""

    sequences: Sequences
    portfolio_context: PortfolioContextInput
    positions: Annotated[tuple[PositionInput, ...], Field(strict=False, max_length=MOST_SECURITIES)]
    securities: Annotated[
        tuple[SecurityInput, ...], Field(strict=False, max_length=MOST_SECURITIES)
    ]
    current_prices: Prices | None = None
    settings: EvaluationSettings = EvaluationSettings()
    target_weights: Weights | None = ours(None, "by symbol")


class StoppedBy(Wire):
    """The rule that an infeasible sequence breaks: its number and the limit it met."""

    rule: str
    value: Score | None
    limit: Score | None
    message: str
    symbol: str | None = None


class SequenceEvaluationResult(Wire):
    """What a sequence is worth. Scores are 0..1 where no term is off its scale."""

    sequence: Sequence
    end_state_score: Score = Field(description="of what is held then, less charges")
    diversification_score: Score
    risk_score: Score = Field(description="stability: higher is safer")
    total_score: Score = Field(
        description="what sequences are ordered by: end_state_score, or with scenarios or horizons "
        "what they come to; with several objectives `metrics.value` orders the frontier"
    )
    total_cost: Spent
    cash_required: Spent = Field(description="buys and all costs")
    feasible: bool
    metrics: dict[str, Score]
    stopped_by: StoppedBy | None = ours(None, "why it is not feasible")


class EvaluateSequencesResponse(Wire):
    """The best sequences: feasible ones first, each by total_score.

    With several objectives those that none beats in all of them come first, by `metrics.value`.
    """

    top_sequences: Annotated[tuple[SequenceEvaluationResult, ...], Field(strict=False)]
    total_evaluated: Count
    beam_width: int
    warnings: Texts = ours((), "what was assumed")


class PlanParameters(FilterSettings, CombinatorialSettings, EvaluationSettings):
    """All settings of the other services in one."""

    min_trade_value: Amount = 100.0
    batch_size: Annotated[int, Field(ge=10, le=5000)] = 500
    enable_partial_execution: bool = False
    enable_constraint_relaxation: bool = False
    enable_early_termination: bool = True
    min_batches_to_evaluate: Annotated[int, Field(ge=1, le=20)] = 2
    plateau_threshold: Annotated[int, Field(ge=1, le=10)] = 3
    scope: Scope = ours("proposals", "what the plan is the best of")


class EvaluatorConfig(Wire):
    """Which evaluators; the topology decides, and a warning says so."""

    record_type = asked.Evaluators
    urls: Annotated[tuple[Text, ...], Field(strict=False, max_length=64)] = ()
    load_balancing: Literal["round_robin"] = "round_robin"


class CreatePlanRequest(_Asked):
    """`POST /coordinator/create-plan`, `POST /planning/create`, `steelyard plan --request`."""

    portfolio_context: PortfolioContextInput
    positions: Annotated[tuple[PositionInput, ...], Field(strict=False, max_length=MOST_SECURITIES)]
    securities: Annotated[
        tuple[SecurityInput, ...], Field(strict=False, max_length=MOST_SECURITIES)
    ]
    available_cash: Money
    target_weights: Weights | None = None
    current_prices: Prices | None = None
    parameters: PlanParameters = PlanParameters()
    evaluator_config: EvaluatorConfig | None = None


class BucketRequest(Wire):
    """The next plan of a stored bucket; only where there is a store."""

    bucket: Symbol


PlanRequest = Annotated[
    Annotated[CreatePlanRequest, Tag(WHOLE)] | Annotated[BucketRequest, Tag(OURS)],
    by("bucket", BucketRequest),
]
"""What is to be planned: all that a plan needs, or the name of a bucket."""


class HolisticStepModel(Wire):
    """One order of a plan."""

    step_number: Annotated[int, Field(ge=1)]
    action: ActionCandidateModel
    narrative: str
    reason: str
    cumulative_cost: Spent
    cumulative_cash_change: Score


class PlanMetadata(Wire):
    """How the plan was searched for."""

    beam_size: int
    best_sequence_length: Count


class HolisticPlanModel(Wire):
    """The plan in the documents' words."""

    steps: Annotated[tuple[HolisticStepModel, ...], Field(strict=False)]
    narrative: str
    total_score: Score
    end_state_score: Score
    diversification_score: Score
    risk_score: Score
    total_cost: Spent
    cash_required: Spent
    feasible: bool
    metadata: PlanMetadata


class ExecutionStats(Wire):
    """What making it took; not part of the plan's id."""

    total_time_seconds: Spent
    opportunities_identified: Count
    sequences_generated: Count
    sequences_evaluated: Count
    batches_processed: Count
    evaluators_used: Count


class CreatePlanResponse(Wire):
    """The plan, what making it took, and our whole plan document beside."""

    plan: HolisticPlanModel
    stats: ExecutionStats
    plan_id: str = Field(description="the same for the same request (ours, not in the documents)")
    warnings: Texts = ours((), "what was assumed, and what is worth knowing")
    problems: Texts = ours((), "what went wrong: the plan may differ from that of full inputs")
    document: dict[str, Any] = Field(
        description="the whole plan, schema of plan.md (ours, not in the documents)"
    )
