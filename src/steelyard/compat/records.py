"""The documents' records: what a plan is asked with, and what it answers.

Money is in the account's currency unless a field says otherwise, weights are fractions, dates are
dates or ISO text. A field that nothing reads does not exist: to pass one is a TypeError.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from numbers import Real
from typing import Any

from steelyard.errors import InputError, one_line
from steelyard.importers import Inputs
from steelyard.market import Market
from steelyard.plans.orders import Step
from steelyard.plans.plan import Plan
from steelyard.portfolio import Holding, Snapshot
from steelyard.portfolio import Security as HouseSecurity

Day = date | str | None
CORE = "core"
"""The bucket of whatever names no other."""
NOTHING = "Nothing was planned."
LONGEST_SHOWN = 60
"""Characters of a wrong value that are shown."""


@dataclass(frozen=True, kw_only=True)
class PortfolioContext:
    """What the account aims at, and facts by symbol.

    country_weights      target share per country group, of what is invested
    industry_weights     the same per industry group
    positions            symbol -> value; checked against quantity x price, not used
    total_value          positions, with or without cash; checked, not used
    security_countries   symbol -> country
    security_industries  symbol -> industries, separated by commas
    security_scores      symbol -> quality 0..1; missing = unknown
    security_dividends   symbol -> yield, fraction a year; missing = unknown
    country_to_group     country -> group of `country_weights`; an unknown country is in OTHER
    industry_to_group    the same for industries
    position_avg_prices  symbol -> average cost, where the position has none
    current_prices       symbol -> price in the security's currency
    history              closes by date, rates, index; without it return and risk are neutral
    """

    country_weights: Mapping[str, float] = field(default_factory=dict)
    industry_weights: Mapping[str, float] = field(default_factory=dict)
    positions: Mapping[str, float] = field(default_factory=dict)
    total_value: float | None = None
    security_countries: Mapping[str, str] = field(default_factory=dict)
    security_industries: Mapping[str, str] = field(default_factory=dict)
    security_scores: Mapping[str, float] = field(default_factory=dict)
    security_dividends: Mapping[str, float] = field(default_factory=dict)
    country_to_group: Mapping[str, str] = field(default_factory=dict)
    industry_to_group: Mapping[str, str] = field(default_factory=dict)
    position_avg_prices: Mapping[str, float] = field(default_factory=dict)
    current_prices: Mapping[str, float] = field(default_factory=dict)
    history: Market | None = None


@dataclass(frozen=True, kw_only=True)
class Position:
    """Shares that are held.

    avg_price, current_price   per share in `currency`; None = unknown
    currency_rate              units of the account's currency for one of `currency`
    market_value_eur           in the account's currency; checked against the rest, not used
    last_bought_at, last_sold_at   what a trade repository has comes before them
    """

    symbol: str
    quantity: float
    avg_price: float | None = None
    current_price: float | None = None
    currency: str = "EUR"
    currency_rate: float | None = None
    market_value_eur: float | None = None
    first_bought_at: Day = None
    last_bought_at: Day = None
    last_sold_at: Day = None
    bucket_id: str = CORE


@dataclass(frozen=True, kw_only=True)
class Security:
    """What may be traded; a sale must be opted in, as in the documents.

    industry              names, separated by commas
    min_lot               shares; orders are multiples of it
    active                False = never bought
    currency              None = that of its position, else the account's
    priority_multiplier   > 0; buys x, sells divided by it
    """

    symbol: str
    name: str = ""
    product_type: str | None = None
    country: str | None = None
    industry: str | None = None
    priority_multiplier: float = 1.0
    min_lot: float = 1
    active: bool = True
    allow_buy: bool = True
    allow_sell: bool = False
    currency: str | None = None
    bucket_id: str = CORE


def is_number(value: object) -> bool:
    """Is it a finite number of any type? A truth value is none."""
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return False
    return math.isfinite(value)


def shown(value: object) -> str:
    """A wrong value and what it is, in a few words."""
    return f"{one_line(repr(value), LONGEST_SHOWN)} ({type(value).__name__})"


def unusable(what: str, value: str, rule: str) -> InputError:
    """The refusal of a value that breaks a rule."""
    return InputError(
        f"{what} is {value}; it must be {rule}. {NOTHING}",
        code="unusable_value",
        place=what,
        value=value,
        limit=rule,
    )


def _check_kind(value: object, what: str, kind: type) -> None:
    if not isinstance(value, kind):
        raise unusable(what, shown(value), f"a {kind.__name__}")


@dataclass(frozen=True, kw_only=True)
class PlannerContext:
    """Everything that `plan(context)` and `dry_run(context)` take.

    available_cash   in the account's currency
    current_prices   symbol -> price in the security's currency; comes before every other source
    target_weights   symbol -> fraction of value; None = no targets
    base_currency    of the account; None = the one currency that everything is in
    as_of            None = newest date of the history, else today; nothing later is looked at
    Raises InputError for records of another kind.
    """

    portfolio_context: PortfolioContext = field(default_factory=PortfolioContext)
    positions: Sequence[Position] = ()
    securities: Sequence[Security] = ()
    available_cash: float = 0.0
    current_prices: Mapping[str, float] | None = None
    target_weights: Mapping[str, float] | None = None
    base_currency: str | None = None
    as_of: Day = None

    def __post_init__(self) -> None:
        _check_kind(self.portfolio_context, "portfolio_context", PortfolioContext)
        for what, records, kind in (
            ("positions", self.positions, Position),
            ("securities", self.securities, Security),
        ):
            _check_kind(records, what, Sequence)
            for record in records:
                _check_kind(record, f"one of {what}", kind)

    @property
    def history(self) -> Market | None:
        """Of the portfolio context."""
        return self.portfolio_context.history

    @classmethod
    def of(cls, inputs: Inputs) -> PlannerContext:
        """The records of what the importers read; tax lots become one, with the average cost.

        Raises InputError for what they cannot hold: foreign balances, open orders, classes.
        """
        snapshot, market = inputs.snapshot, inputs.market
        base = snapshot.base_currency
        foreign = sorted(c for c, balance in snapshot.cash.items() if balance and c != base)
        classes = inputs.targets is not None and bool(inputs.targets.classes)
        if foreign or snapshot.open_orders or classes:
            orders = f"{len(snapshot.open_orders)} open orders"
            what = f"balances in {', '.join(foreign)}" if foreign else orders
            what = "targets of classes" if classes else what
            refusal = f"The account has {what}, which a planner context cannot hold"
            raise InputError(
                f"{refusal}. Nothing was planned: use planner.plan.",
                code="context_cannot_hold",
                value=what,
                hint="use planner.plan",
            )
        return cls(
            portfolio_context=_portfolio_context(snapshot.securities, market),
            positions=tuple(_position(holding, snapshot, market) for holding in snapshot.holdings),
            securities=tuple(_security(s, snapshot.bucket) for s in snapshot.securities),
            available_cash=float(snapshot.cash.get(base, 0)),
            target_weights=None if inputs.targets is None else dict(inputs.targets.weights),
            base_currency=base,
            as_of=snapshot.as_of,
        )


def _portfolio_context(securities: Sequence[HouseSecurity], history: Market) -> PortfolioContext:
    yields = {s.symbol: s.dividend_yield for s in securities if s.dividend_yield is not None}
    return PortfolioContext(
        security_countries={s.symbol: ",".join(s.countries) for s in securities if s.countries},
        security_industries={s.symbol: ",".join(s.sectors) for s in securities if s.sectors},
        security_scores={s.symbol: s.quality for s in securities if s.quality is not None},
        security_dividends=yields,
        history=history,
    )


def _position(holding: Holding, snapshot: Snapshot, market: Market) -> Position:
    security = snapshot.security(holding.symbol)
    currency = security.currency if security else market.fx.base
    rate = market.fx.latest(currency, snapshot.as_of)
    quote, cost = market.quotes.get(holding.symbol), holding.average_cost
    return Position(
        symbol=holding.symbol,
        quantity=float(holding.quantity),
        avg_price=None if cost is None else float(cost),
        current_price=None if quote is None else float(quote.price),
        currency=currency,
        currency_rate=None if rate is None else float(rate.rate),
        first_bought_at=holding.acquired,
        last_bought_at=holding.last_bought
        or max((lot.acquired for lot in holding.lots if lot.acquired), default=None),
        last_sold_at=holding.last_sold,
        bucket_id=snapshot.bucket,
    )


def _security(security: HouseSecurity, bucket: str) -> Security:
    return Security(
        symbol=security.symbol,
        name=security.name,
        product_type=security.product_type,
        country=",".join(security.countries) or None,
        industry=",".join(security.sectors) or None,
        priority_multiplier=security.priority_multiplier,
        min_lot=float(security.lot_size),
        allow_buy=security.allow_buy,
        allow_sell=security.allow_sell,
        currency=security.currency,
        bucket_id=bucket,
    )


@dataclass(frozen=True)
class HolisticStep:
    """One order of a plan; `estimated_price` in `currency`, `estimated_value` in the account's."""

    step_number: int
    side: str
    symbol: str
    name: str
    quantity: float
    estimated_price: float
    estimated_value: float
    currency: str
    reason: str
    narrative: str
    is_windfall: bool
    is_averaging_down: bool
    contributes_to: tuple[str, ...]


@dataclass(frozen=True)
class HolisticPlan:
    """A plan in the documents' words; `document` is the whole of it.

    current_score, end_state_score   the same function on both sides: the score of doing nothing,
                                     and of the plan after its charges. Usually 0..1, not clipped
    improvement                      end_state_score - current_score
    score_breakdown                  term -> before, after, weight, contribution; and `charges`
    cash_required, cash_generated    what the buys cost and the sales bring, without their costs
    feasible                         always True: what cash and limits do not allow is no plan
    warnings, problems               sentences; a problem: full inputs might give another plan
    evaluated, total, final          sequences that the plan is made of, and all; is it of all?
    run_key                          of what is stored of it; None = nothing is
    """

    steps: tuple[HolisticStep, ...]
    current_score: float
    end_state_score: float
    improvement: float
    narrative_summary: str
    score_breakdown: Mapping[str, Any]
    cash_required: float
    cash_generated: float
    feasible: bool
    warnings: tuple[str, ...]
    problems: tuple[str, ...]
    document: Plan
    evaluated: int = 0
    total: int = 0
    final: bool = True
    run_key: str | None = None

    @classmethod
    def of(cls, plan: Plan, warnings: Sequence[str] = ()) -> HolisticPlan:
        """The plan in the documents' words; `warnings` come before the plan's own."""
        score = plan.score
        after = score.plan - score.charges.total
        return cls(
            steps=tuple(_step(step) for step in plan.steps),
            current_score=score.hold,
            end_state_score=after,
            improvement=after - score.hold,
            narrative_summary=" ".join(filter(None, (plan.verdict.text, plan.verdict.detail))),
            score_breakdown=_breakdown(plan),
            cash_required=_amount(plan, "buy"),
            cash_generated=_amount(plan, "sell"),
            feasible=True,
            warnings=(*warnings, *(notice.message for notice in plan.warnings)),
            problems=tuple(notice.message for notice in plan.problems),
            document=plan,
            evaluated=plan.certificate.sequences,
            total=plan.certificate.sequences,
        )


def _amount(plan: Plan, side: str) -> float:
    return sum(float(step.notional_base) for step in plan.steps if step.side == side)


def _step(step: Step) -> HolisticStep:
    return HolisticStep(
        step_number=step.n,
        side=step.side.value.upper(),
        symbol=step.symbol,
        name=step.name,
        quantity=float(step.quantity),
        estimated_price=float(step.price),
        estimated_value=float(step.notional_base),
        currency=step.currency,
        reason=step.reason,
        narrative=step.narrative,
        is_windfall="windfall" in step.tags,
        is_averaging_down="averaging_down" in step.tags,
        contributes_to=step.tags,
    )


def _breakdown(plan: Plan) -> dict[str, Any]:
    score, paid = plan.score, plan.score.charges
    terms = {
        term.name: {
            "before": term.hold,
            "after": term.plan,
            "weight": term.weight,
            "contribution": term.weight * (term.plan - term.hold),
        }
        for term in score.terms
    }
    charges = {"cost": paid.cost, "tax": paid.tax, "orders": paid.hurdle, "total": paid.total}
    return {**terms, "charges": charges, "risk_profile": plan.objective.profile}


def build_minimal_context() -> PlannerContext:
    """The smallest context that a configuration can be tried on: cash, and one thing to buy."""
    return PlannerContext(
        securities=(Security(symbol="AAA", name="A security"),),
        current_prices={"AAA": 100.0},
        available_cash=10_000.0,
        target_weights={"AAA": 0.15},
        base_currency="EUR",
    )
