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
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, model_validator

Profile = Literal["balanced", "conservative", "aggressive"]
Funding = Literal["proceeds", "settled"]

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
"""Of a whole that is the sum of all."""
Finite = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]

SUM_TOLERANCE = 1e-6
LEAST_SPAN = 1e-6
"""Between the two values of an anchor; a part is divided by it."""


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

    fixed: Annotated[
        float, Field(ge=0, le=1_000_000, description="commission per order, base currency")
    ] = 2.0
    percent: Annotated[
        float, Field(ge=0, le=0.05, description="commission, fraction of the order's amount")
    ] = 0.002
    spread_bps: Annotated[
        float, Field(ge=0, le=1000, description="full bid-ask spread; half of it is paid")
    ] = 0.0
    fx_percent: Annotated[
        float, Field(ge=0, le=0.05, description="margin of currency conversion, of the amount")
    ] = 0.0


class Limits(Section):
    """What a plan may never break; never above max(cap, the value before): no-worsening."""

    cash_reserve_weight: Annotated[Fraction, Field(description="cash that stays, of value")] = 0.02
    min_trade_base: Annotated[
        float, Field(ge=0, le=1e12, description="smallest order, base currency, beside other rules")
    ] = 0.0
    min_trade_weight: Annotated[Fraction, Field(description="smallest order, of value")] = 0.005
    max_cost_share: Annotated[
        float, Field(gt=0, le=1, description="smallest order: commission under this share of it")
    ] = 0.01
    max_turnover_weight: Annotated[
        float | None, Field(gt=0, le=2, description="one-way turnover, of value; off when absent")
    ] = None
    max_position_weight: Annotated[
        float, Field(gt=0, le=1, description="largest single company, of value; funds exempt")
    ] = 0.20
    max_group_weight: Annotated[
        float | None, Field(gt=0, le=1, description="largest sector or country; off when absent")
    ] = None
    allow_buy: Annotated[bool, Field(description="may anything be bought")] = True
    allow_sell: Annotated[bool, Field(description="may anything be sold")] = True
    funding: Annotated[
        Funding, Field(description="this plan's sales pay for its buys (proceeds), or settled cash")
    ] = "proceeds"
    settlement_days: Annotated[
        int, Field(ge=0, le=10, description="weekdays from trade to settlement")
    ] = 1
    max_stale_sessions: Annotated[
        int, Field(ge=0, le=60, description="oldest usable price, in sessions of the price file")
    ] = 5
    pause_volatility_ratio: Annotated[
        float | None,
        Field(
            gt=0,
            le=10,
            description=(
                "no buys while the volatility of a month is over this many times that of a year; "
                "off when absent"
            ),
        ),
    ] = None


class Search(Section):
    """How far the search goes; its budget is in nodes, the same on every machine."""

    scope: Annotated[
        Literal["proposals", "candidates"], Field(description="what the plan is the best of")
    ] = "candidates"
    max_depth: Annotated[int, Field(ge=1, le=10, description="most orders in a plan")] = 5
    beam_width: Annotated[
        int, Field(ge=1, le=1000, description="lists kept per depth before the proof starts")
    ] = 20
    max_nodes: Annotated[
        int, Field(ge=1, le=10_000_000, description="nodes that the proof may branch")
    ] = 20_000
    max_seconds: Annotated[
        float, Field(gt=0, le=86_400, description="safety limit; meeting it is not reproducible")
    ] = 60.0
    max_candidates: Annotated[
        int, Field(ge=1, le=20_000, description="largest candidate table that is searched")
    ] = 2_000


class Planner(Section):
    """What patterns and generators draw from; never cuts the table that is searched."""

    max_opportunities_per_category: Annotated[
        int, Field(ge=1, le=20, description="securities that a pattern draws per calculator")
    ] = 5
    priority_threshold: Annotated[
        Fraction, Field(description="least priority that patterns and generators draw")
    ] = 0.3
    base_trade_weight: Annotated[
        float, Field(gt=0, le=1, description="rung of the ladder of order sizes, of value")
    ] = 0.01
    diverse_selection: Annotated[
        bool, Field(description="draw from every country or sector in turn, not by priority alone")
    ] = False
    diversity_weight: Annotated[
        Fraction, Field(description="how much a first of its group outweighs priority when diverse")
    ] = 0.3


class Regime(Section):
    """How a market regime is told from an index, and the cash that each regime wants."""

    enter: Annotated[
        float, Field(gt=0, le=0.5, description="distance from the average where bull, bear begin")
    ] = 0.05
    leave: Annotated[
        float, Field(ge=0, le=0.5, description="distance where bull or bear ends; at most `enter`")
    ] = 0.03
    window: Annotated[
        int, Field(ge=20, le=500, description="sessions of the average; with fewer no regime")
    ] = 200
    bull_cash: Annotated[Fraction, Field(description="cash wanted in a bull market, of value")] = (
        0.02
    )
    bear_cash: Annotated[Fraction, Field(description="cash wanted in a bear market, of value")] = (
        0.05
    )
    sideways_cash: Annotated[
        Fraction, Field(description="cash wanted in a sideways market, of value")
    ] = 0.03

    @model_validator(mode="after")
    def _leaves_inside(self) -> Self:
        if self.leave > self.enter:
            raise ValueError(
                f"leave is {self.leave:g} and enter {self.enter:g}; a regime may not end farther "
                "out than it begins"
            )
        return self


class Rebalance(Section):
    """The band around a target that is shown as in or out."""

    drift_band_weight: Annotated[
        Fraction, Field(description="half width of the band around a target weight")
    ] = 0.01


Anchor = tuple[Finite, Finite]


def _increasing(anchor: Anchor) -> Anchor:
    if not anchor[1] - anchor[0] >= LEAST_SPAN:
        raise ValueError(
            f"an anchor is (value shown as 0, value shown as 1) and must increase, not {anchor}"
        )
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


PROFILES: Mapping[Profile, ProfileWeights] = MappingProxyType(
    {
        "balanced": ProfileWeights(tr=0.35, div=0.25, q=0.20, stab=0.15, inc=0.05),
        "conservative": ProfileWeights(tr=0.25, div=0.30, q=0.20, stab=0.20, inc=0.05),
        "aggressive": ProfileWeights(tr=0.45, div=0.20, q=0.25, stab=0.05, inc=0.05),
    }
)


class Neutral(Section):
    """What stands for a metric that is missing: it neither helps nor hurts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    mu: Annotated[
        float, Field(ge=-0.5, le=1, allow_inf_nan=False, description="expected return a year")
    ] = 0.065
    quality: Fraction = 0.55
    drawdown: Fraction = 0.40
    vol: Annotated[float, Field(gt=0, le=5, description="volatility a year")] = 0.25
    corr: Annotated[float, Field(ge=-1, le=1)] = 0.40
    yield_: Annotated[float, Field(ge=0, le=1, alias="yield")] = 0.02


class Score(Section):
    """The score: profile, anchors and charges; `docs/scoring.md` has formulas and evidence."""

    profile: Annotated[Profile, Field(description="shares of the terms")] = "balanced"
    extra_diversification: Annotated[
        Fraction, Field(description="added to the share of diversification before scaling")
    ] = 0.0
    anchors: Anchors = Anchors()
    diversification_parts: DiversificationParts = DiversificationParts()
    stability_parts: StabilityParts = StabilityParts()
    further: Annotated[
        dict[str, Fraction],
        Field(description="weights of score terms that are not built in; they sum to less than 1"),
    ] = Field(default_factory=dict)
    target_fit_weight: Annotated[
        float, Field(ge=0, lt=1, description="weight of target fit when targets are given")
    ] = 0.5
    cash_weight: Annotated[
        float, Field(ge=0, lt=1, description="weight of the cash term without targets")
    ] = 0.1
    cash_target: Annotated[Fraction, Field(description="cash share that the cash term prefers")] = (
        0.05
    )
    fund_names: Annotated[
        float, Field(ge=1, le=100_000, description="names that a fund counts as in concentration")
    ] = 10.0
    holding_years: Annotated[
        float, Field(ge=0.01, le=100, description="years over which costs are spread")
    ] = 2.0
    cost_aversion: Annotated[
        float, Field(ge=0, le=1000, description="how much a sure cost outweighs an estimated gain")
    ] = 5.0
    order_hurdle: Annotated[
        float, Field(ge=0, le=1000, description="score that each order must be worth")
    ] = 0.001
    min_improvement: Annotated[
        float, Field(ge=0, le=1000, description="net score under which the answer is hold")
    ] = 0.005
    latch_share: Annotated[
        Fraction, Field(description="share of min_improvement that keeps an act verdict")
    ] = 0.7
    min_score_per_return: Annotated[
        float, Field(ge=0, le=1000, description="least score per unit of yearly return, in charges")
    ] = 1.0
    risk_free: Annotated[float, Field(ge=-0.05, le=0.5, description="return of cash a year")] = 0.02
    equity_premium: Annotated[
        float, Field(ge=0, le=0.5, description="over risk_free, prior return of a security a year")
    ] = 0.045
    tax_rate: Annotated[Fraction, Field(description="tax on realised gains; 0 = not charged")] = 0.0
    tax_years: Annotated[
        float, Field(ge=0.01, le=100, description="years by which a sale brings tax forward")
    ] = 5.0
    neutral: Neutral = Neutral()

    @model_validator(mode="after")
    def _further_leaves_room(self) -> Self:
        total = math.fsum(self.further.values())
        if not total < 1:
            raise ValueError(
                f"the further terms sum to {total:.6g}; they must leave some weight to the built-in"
                " ones"
            )
        return self

    def profile_weights(self) -> dict[str, float]:
        """Shares of the five terms of the profile; they sum to 1."""
        profile = PROFILES[self.profile]
        return profile.model_copy(
            update={"div": profile.div + self.extra_diversification}
        ).normalised()


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

    folder: Annotated[
        str | None, Field(description="folder of the plugin files; relative to the strategy file")
    ] = None
    files: Annotated[
        dict[str, str], Field(description="file name in the folder to `sha256:` and its digest")
    ] = Field(default_factory=dict)
    entry_points: Annotated[
        tuple[str, ...],
        Field(strict=False, description="names in the entry point group `steelyard.plugins`"),
    ] = ()
    seconds: Annotated[
        float, Field(gt=0, le=3600, description="longest that one call of a plugin may take")
    ] = 10.0
    megabytes: Annotated[
        int, Field(ge=256, le=65_536, description="most memory of a plugin worker beyond its start")
    ] = 1024


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
