"""Settings with their units, ranges and defaults: the sections of a strategy that are not modules.

Every number that shapes a plan is a field here or a parameter of a module, never a literal
elsewhere.
Weights are fractions of portfolio value; `_base` is money in the base currency; `_bps` is 1/10,000.
Defaults of the score: the measured model of `docs/scoring.md`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    field_validator,
    model_validator,
)

Profile = Literal["balanced", "conservative", "aggressive"]
Funding = Literal["proceeds", "settled"]
Scope = Literal["proposals", "candidates", "quantities"]

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
"""Of a whole that is the sum of all."""
Finite = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]

SUM_TOLERANCE = 1e-6
LEAST_SPAN = 1e-6
"""Between the two values of an anchor; a part is divided by it."""


def setting(default: Any, description: str, **bounds: Any) -> Any:
    """A field of a section: its default, what it says in docs and schema, and pydantic's bounds."""
    return Field(default, description=description, **bounds)


class Section(BaseModel):
    """A frozen table of a strategy: unknown keys are errors, values are never coerced from text."""

    # in a plan document every field is there, at its default too
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        json_schema_serialization_defaults_required=True,
    )


class Costs(Section):
    """What an order costs, in money of the base currency."""

    fixed: float = setting(2.0, "commission per order, base currency", ge=0, le=1_000_000)
    percent: float = setting(0.002, "commission, fraction of the order's amount", ge=0, le=0.1)
    spread_bps: float = setting(0.0, "full bid-ask spread; half of it is paid", ge=0, le=1000)
    fx_percent: float = setting(0.0, "margin of currency conversion, of the amount", ge=0, le=0.05)


class Limits(Section):
    """What a plan may never break; never above max(cap, the value before): no-worsening."""

    cash_reserve_weight: Fraction = setting(0.02, "cash that stays, of value")
    min_trade_base: float = setting(
        0.0, "smallest order, base currency, beside other rules", ge=0, le=1e12
    )
    min_trade_weight: Fraction = setting(
        0.005, "smallest order, of value; follows the number of names"
    )
    max_cost_share: float = setting(
        0.01, "smallest order: commission under this share of it", gt=0, le=1
    )
    max_turnover_weight: float | None = setting(
        None, "one-way turnover, of value; off when absent", gt=0, le=2
    )
    max_orders: int | None = setting(
        None, "most orders in a plan; off when absent", ge=1, le=1_000_000
    )
    max_position_weight: float = setting(
        0.20,
        "largest single name, of value; funds exempt, and a target wins over the default",
        gt=0,
        le=1,
    )
    max_group_weight: float | None = setting(
        None, "largest sector or country; off when absent", gt=0, le=1
    )
    allow_buy: bool = setting(True, "may anything be bought")
    allow_sell: bool = setting(True, "may anything be sold")
    funding: Funding = setting(
        "proceeds", "this plan's sales pay for its buys (proceeds), or settled cash"
    )
    settlement_days: int = setting(1, "weekdays from trade to settlement", ge=0, le=10)
    max_stale_sessions: int = setting(
        5, "oldest usable price or rate, in weekdays before the as-of date", ge=0, le=60
    )
    pause_volatility_ratio: float | None = setting(
        None,
        "no buys while the volatility of a month is over this many times that of a year; "
        "off when absent",
        gt=0,
        le=10,
    )

    @field_validator("max_orders", mode="before")
    @classmethod
    def _some_orders(cls, most: object) -> object:
        if most == 0 and not isinstance(most, bool):
            instead = "to stop buys or sales set limits.allow_buy or limits.allow_sell = false"
            raise ValueError(f"0 orders are no plan; {instead}, and for no limit leave it out")
        return most


class Search(Section):
    """How far the search goes; its budget is in nodes, the same on every machine."""

    scope: Scope = setting(
        "quantities", "what the plan is the best of; where no file says it, by what the file sets"
    )
    max_depth: int = setting(
        5,
        "most orders in a proposal and in a set of candidates; of a plan where a file says it",
        ge=1,
        le=10,
    )
    refine: bool = setting(
        True,
        "fit the quantities of the chosen orders, where the scope searches none itself; off where "
        "a file says the scope",
    )
    resolved_orders: int = setting(
        12,
        "plans of at most so many orders are solved again without each, for what it is worth",
        ge=0,
        le=50,
    )
    beam_width: int = setting(20, "lists kept per depth before the proof starts", ge=1, le=1000)
    max_nodes: int = setting(20_000, "nodes that the proof may branch", ge=1, le=10_000_000)
    max_seconds: float = setting(
        60.0, "safety limit; meeting it is not reproducible", gt=0, le=86_400
    )
    max_candidates: int = setting(
        2_000, "largest candidate table that is searched", ge=1, le=20_000
    )


class Planner(Section):
    """What patterns and generators draw from; never cuts the table that is searched."""

    max_opportunities_per_category: int = setting(
        5, "securities that a pattern draws per calculator", ge=1, le=20
    )
    priority_threshold: Fraction = setting(0.3, "least priority that patterns and generators draw")
    base_trade_weight: float = setting(
        0.01, "rung of the ladder of order sizes, of value", gt=0, le=1
    )
    diverse_selection: bool = setting(
        False, "draw from every country or sector in turn, not by priority alone"
    )
    diversity_weight: Fraction = setting(
        0.3, "how much a first of its group outweighs priority when diverse"
    )


class Regime(Section):
    """How a market regime is told from an index, and the limits of a plan that follows it.

    A plan follows it where pattern `market_regime` is on: its reserve is the cash of the regime
    where that is more than `limits.cash_reserve_weight`, and without targets the score wants no
    more cash than a bull market and no less than a bear market does.
    """

    enter: float = setting(0.05, "distance from the average where bull, bear begin", gt=0, le=0.5)
    leave: float = setting(0.03, "distance where bull or bear ends; at most `enter`", ge=0, le=0.5)
    window: int = setting(200, "sessions of the average; with fewer no regime", ge=20, le=500)
    bull_cash: Fraction = setting(0.02, "cash wanted in a bull market, of value")
    bear_cash: Fraction = setting(0.05, "cash wanted in a bear market, of value")
    sideways_cash: Fraction = setting(0.03, "cash wanted in a sideways market, of value")
    bear_buys: Fraction = setting(
        0.5, "of the cash over the reserve, most that one plan spends in a bear market"
    )
    bear_averaging_down: bool = setting(
        False, "does a bear market let more be bought of what is held below its cost"
    )

    @model_validator(mode="after")
    def _leaves_inside(self) -> Self:
        if self.leave > self.enter:
            leave = f"leave is {self.leave:g} and enter {self.enter:g}"
            raise ValueError(f"{leave}; a regime may not end farther out than it begins")
        return self


class Rebalance(Section):
    """Bands around the targets, and what leaving one sets off; a targets file may say its own."""

    drift_band_weight: Fraction = setting(
        0.01, "half width of the band around a target weight, of value"
    )
    band_relative: float | None = setting(
        None,
        "half width of the band, of the target; the smaller holds; off when absent",
        gt=0,
        le=1,
    )
    trigger: Literal["score", "band"] = setting(
        "score", "what a plan trades for: a better score, or a weight outside its band"
    )
    to: Literal["target", "edge"] = setting(
        "target", "where a weight outside its band goes with trigger = band"
    )


LotMethod = Literal["fifo", "lifo", "hifo", "min_tax", "specific"]


class Lots(Section):
    """Which tax lots a sale takes, and what it may realise."""

    method: LotMethod = setting(
        "fifo",
        "lots that a sale takes: oldest, newest or dearest first, least tax, or named one by one "
        "(specific: dearest first)",
    )
    long_days: int = setting(365, "days of holding over which a gain is long-term", ge=0, le=36_500)
    max_gain_base: float | None = setting(
        None, "most net gain realised in a year, base currency; off when absent", ge=0, le=1e12
    )
    wash_sale_days: int = setting(
        0,
        "days either side of a sale at a loss without a buy of the same or a substitute; 0 = off",
        ge=0,
        le=366,
    )


Anchor = tuple[Finite, Finite]


def _increasing(anchor: Anchor) -> Anchor:
    if not anchor[1] - anchor[0] >= LEAST_SPAN:
        form = "(value shown as 0, value shown as 1)"
        raise ValueError(f"an anchor is {form} and must increase, not {anchor}")
    return anchor


Scale = Annotated[Anchor, Field(strict=False), AfterValidator(_increasing)]


class Anchors(Section):
    """Raw value shown as 0 and as 1 of every part: fixed, so that scores compare across dates."""

    fit: Scale = (-0.10, 0.0)
    conc: Scale = (-0.22, -0.05)
    ind: Scale = (-0.34, -0.12)
    country: Scale = (-1.00, -0.20)
    rao: Scale = (-0.60, -0.30)
    tr: Scale = (0.02, 0.11)
    q: Scale = (0.30, 0.75)
    vol: Scale = (-0.30, -0.10)
    dd: Scale = (-0.75, -0.15)
    inc: Scale = (0.0, 0.04)
    cash: Scale = (-0.02, 0.0)


class Shares(Section):
    """Base of tables of shares: they need a positive sum and are used divided by it."""

    @model_validator(mode="after")
    def _positive_sum(self) -> Self:
        if not math.fsum(getattr(self, name) for name in type(self).model_fields) > 0:
            raise ValueError("at least one share must be above 0")
        return self

    def normalised(self) -> dict[str, float]:
        """Each share divided by the sum of all."""
        raw: dict[str, float] = {name: getattr(self, name) for name in type(self).model_fields}
        total = math.fsum(raw.values())
        return {name: value / total for name, value in raw.items()}


class DiversificationParts(Shares):
    """Shares of the parts of diversification; a part with fewer than two groups drops out."""

    conc: Share = 0.35
    ind: Share = 0.25
    country: Share = 0.15
    rao: Share = 0.25


class StabilityParts(Shares):
    """Shares of the parts of stability."""

    vol: Share = 0.7
    dd: Share = 0.3


class ProfileWeights(Shares):
    """Shares of the terms in one profile, before target fit or cash takes its part."""

    tr: Share
    div: Share
    q: Share
    stab: Share
    inc: Share


PROFILES: Mapping[Profile, ProfileWeights] = {
    "balanced": ProfileWeights(tr=0.35, div=0.25, q=0.20, stab=0.15, inc=0.05),
    "conservative": ProfileWeights(tr=0.25, div=0.30, q=0.20, stab=0.20, inc=0.05),
    "aggressive": ProfileWeights(tr=0.45, div=0.20, q=0.25, stab=0.05, inc=0.05),
}


class Neutral(Section):
    """What stands for a metric that is missing: it neither helps nor hurts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    mu: float = setting(0.065, "expected return a year", ge=-0.5, le=1, allow_inf_nan=False)
    quality: Fraction = 0.55
    drawdown: Fraction = 0.40
    vol: float = setting(0.25, "volatility a year", gt=0, le=5)
    corr: Annotated[float, Field(ge=-1, le=1)] = 0.40
    yield_: Annotated[float, Field(ge=0, le=1, alias="yield")] = 0.02


class Score(Section):
    """The score: profile, anchors and charges; `docs/scoring.md` has formulas and evidence."""

    profile: Profile = setting("balanced", "shares of the terms")
    extra_diversification: Fraction = setting(
        0.0, "added to the share of diversification before scaling"
    )
    anchors: Anchors = Anchors()
    diversification_parts: DiversificationParts = DiversificationParts()
    stability_parts: StabilityParts = StabilityParts()
    further: Annotated[
        dict[str, Fraction],
        Field(description="weights of score terms that are not built in; they sum to less than 1"),
    ] = Field(default_factory=dict)
    target_fit_weight: float = setting(
        0.5, "weight of target fit when targets are given", ge=0, lt=1
    )
    cash_weight: float = setting(0.1, "weight of the cash term without targets", ge=0, lt=1)
    cash_target: Fraction = setting(0.05, "cash share that the cash term prefers")
    fund_names: float = setting(
        10.0, "names that a fund counts as in concentration", ge=1, le=100_000
    )
    holding_years: float = setting(2.0, "years over which costs are spread", ge=0.01, le=100)
    cost_aversion: float = setting(
        5.0, "how much a sure cost outweighs an estimated gain", ge=0, le=1000
    )
    order_hurdle: float = setting(
        0.001, "score that each order must be worth; follows the number of names", ge=0, le=1000
    )
    min_improvement: float = setting(
        0.005,
        "net score under which the answer is hold; follows the number of names",
        ge=0,
        le=1000,
    )
    latch_share: Fraction = setting(0.7, "share of min_improvement that keeps an act verdict")
    min_score_per_return: float = setting(
        1.0, "least score per unit of yearly return, in charges", ge=0, le=1000
    )
    expected_return: Literal["given", "history"] = setting(
        "given",
        "of securities without one in the securities file: the same for all, or by past growth",
    )
    volatility: Literal["mixed", "756"] = setting(
        "mixed", "days it is measured over: 756 and 63, variances averaged, or 756 alone"
    )
    risk_free: float = setting(0.02, "return of cash a year", ge=-0.05, le=0.5)
    equity_premium: float = setting(
        0.045, "over risk_free, prior return of a security a year", ge=0, le=0.5
    )
    tax_rate: Fraction = setting(0.0, "tax on realised gains; 0 = not charged")
    tax_rate_long: Fraction | None = setting(
        None, "tax on gains of lots held over lots.long_days; tax_rate when absent"
    )
    tax_years: float = setting(5.0, "years by which a sale brings tax forward", ge=0.01, le=100)
    neutral: Neutral = Neutral()

    @model_validator(mode="after")
    def _further_leaves_room(self) -> Self:
        total = math.fsum(self.further.values())
        if not total < 1:
            rule = "they must leave some weight to the built-in ones"
            raise ValueError(f"the further terms sum to {total:.6g}; {rule}")
        return self

    def profile_weights(self) -> dict[str, float]:
        """Shares of the five terms of the profile; they sum to 1."""
        profile = PROFILES[self.profile]
        div = profile.div + self.extra_diversification
        return profile.model_copy(update={"div": div}).normalised()


Mode = Literal[
    "single_objective", "multi_objective", "stochastic", "monte_carlo", "multi_timeframe"
]
DEFAULT_SHIFTS = (-0.10, -0.05, 0.0, 0.05, 0.10)
DEFAULT_HORIZONS: Mapping[str, tuple[float, ...]] = {"multi_timeframe": (1.0, 3.0, 5.0)}
A_YEAR = (1.0,)
LONGEST_YEARS = 50
SHORTEST_YEARS = 0.0039
"""A trading day: 1 / 252, however it is rounded."""
MOST_SCENARIOS = 1_000_000


def _listed(value: object) -> object:
    """One number is a list of one."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (value,) if number else value


def _no_percent(value: object) -> object:
    """A move of the market is a fraction; 10 is not taken for 10 %."""
    if not isinstance(value, int | float) or isinstance(value, bool) or DEEPEST <= value < 1:
        return value
    if DEEPEST <= value / 100 < 1 <= abs(value):
        meant = f"did you mean {value / 100:g} (for {value:g} %)"
        raise ValueError(f"{value:g} is no fraction from {DEEPEST:g} to below 1; {meant}")
    return value


DEEPEST = -0.95
Shift = Annotated[float, Field(ge=DEEPEST, lt=1, allow_inf_nan=False), BeforeValidator(_no_percent)]
Years = Annotated[float, Field(ge=SHORTEST_YEARS, le=LONGEST_YEARS, allow_inf_nan=False)]
Horizons = Annotated[
    tuple[Years, ...],
    Field(strict=False),
    BeforeValidator(_listed, json_schema_input_type=Years | tuple[Years, ...]),
]


class ObjectiveShares(Shares):
    """What each objective counts in the choice from a frontier, each scaled over the frontier."""

    score: Share = 0.5
    diversification: Share = 0.2
    risk: Share = 0.2
    cost: Share = 0.1


class Evaluation(Section):
    """How the plan is chosen among the best lists of the search: by the score as it is today, or by
    what becomes of them.
    """

    mode: Mode = setting(
        "single_objective",
        "by the score alone; by several objectives; over shocks (stochastic), drawn paths "
        "(monte_carlo) or horizons",
    )
    paths: int = setting(
        10_000, "scenarios that are drawn, in antithetic pairs", ge=10, le=MOST_SCENARIOS
    )
    horizon_years: Horizons = setting(
        (),
        "years ahead, a number or several: monte_carlo takes the last, multi_timeframe each; "
        "empty = 1, and 1, 3 and 5",
        max_length=12,
    )
    horizon_shares: Annotated[tuple[Share, ...], Field(strict=False)] = setting(
        (), "what each horizon counts; empty = .2, .3 and .5 of three, the same of others"
    )
    shifts: Annotated[tuple[Shift, ...], Field(strict=False)] = setting(
        DEFAULT_SHIFTS,
        "stochastic: moves of the whole market, as fractions, each as likely",
        min_length=1,
        max_length=50,
    )
    tail: float = setting(
        0.05, "share of the scenarios that is the tail, whose mean is CVaR", gt=0, le=0.5
    )
    tail_weight: Fraction = setting(0.5, "what CVaR counts beside the mean, which has the rest")
    objectives: ObjectiveShares = ObjectiveShares()
    compared: int = setting(
        50, "most lists of the search that are compared in another way", ge=2, le=1_000
    )

    @model_validator(mode="after")
    def _horizons(self) -> Self:
        years, shares = self.horizon_years, self.horizon_shares
        if any(later <= earlier for earlier, later in pairwise(years)):
            raise ValueError(f"horizon_years must increase, not {list(years)}")
        count = len(self.horizons)
        if shares and self.mode == "multi_timeframe" and len(shares) != count:
            raise ValueError(f"{len(shares)} horizon_shares of {count} horizons; give one for each")
        if shares and not math.fsum(shares) > 0:
            raise ValueError("at least one of horizon_shares must be above 0")
        return self

    @property
    def horizons(self) -> tuple[float, ...]:
        """Years ahead, ascending: those that are set, else those of the mode."""
        return self.horizon_years or DEFAULT_HORIZONS.get(self.mode, A_YEAR)

    @property
    def shares(self) -> tuple[float, ...]:
        """What each horizon counts; they sum to 1."""
        count = len(self.horizons)
        usual = (0.2, 0.3, 0.5) if count == 3 else (1.0,) * count  # noqa: PLR2004 - the documents'
        raw = self.horizon_shares or usual
        return tuple(share / math.fsum(raw) for share in raw)

    @property
    def sampled(self) -> bool:
        """Does it draw at random?"""
        return self.mode in ("stochastic", "monte_carlo")


GroupWeights = Annotated[
    dict[str, Fraction], PlainSerializer(lambda groups: dict(sorted(groups.items())))
]


class Groups(Section):
    """Target weights of sectors and countries, as fractions of the invested part."""

    sector: GroupWeights = Field(default_factory=dict)
    country: GroupWeights = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sums(self) -> Self:
        for name, weights in (("sector", self.sector), ("country", self.country)):
            total = math.fsum(weights.values())
            if weights and not total <= 1 + SUM_TOLERANCE:
                raise ValueError(f"the {name} targets sum to {total:.6g}; they may not exceed 1")
        return self


class Plugins(Section):
    """Modules from outside: off until listed, pinned by their hash, in a worker process."""

    folder: str | None = setting(None, "folder of the plugin files; relative to the strategy file")
    files: Annotated[
        dict[str, str], Field(description="file name in the folder to `sha256:` and its digest")
    ] = Field(default_factory=dict)
    entry_points: tuple[str, ...] = setting(
        (), "names in the entry point group `steelyard.plugins`", strict=False
    )
    seconds: float = setting(10.0, "longest that one call of a plugin may take", gt=0, le=3600)
    megabytes: int = setting(
        1024, "most memory of a plugin worker beyond its start", ge=256, le=65_536
    )


@dataclass(frozen=True)
class Rules:
    """The sections of a strategy that modules may see."""

    costs: Costs = field(default_factory=Costs)
    limits: Limits = field(default_factory=Limits)
    planner: Planner = field(default_factory=Planner)
    search: Search = field(default_factory=Search)
    score: Score = field(default_factory=Score)
    groups: Groups = field(default_factory=Groups)
    regime: Regime = field(default_factory=Regime)
    rebalance: Rebalance = field(default_factory=Rebalance)
    lots: Lots = field(default_factory=Lots)
    evaluation: Evaluation = field(default_factory=Evaluation)
