"""From the chosen set to the plan document: exact money, weights, ladders, and the ledger of what
stopped.

Decimal in, decimal out: quantities x prices x rates are never rounded here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from steelyard.canonical import published
from steelyard.money import ZERO
from steelyard.notices import Notice
from steelyard.orders import Side
from steelyard.planning import narrative
from steelyard.planning.bands import BANDS, FUNDING
from steelyard.planning.blocking import NOTHING, what_waits
from steelyard.planning.costs import exact, total_costs
from steelyard.planning.document.account import (
    cash_after_of,
    cash_ladder,
    drift_shown,
    holdings_after,
    holdings_shown,
    kept_out,
    open_orders,
    prices_as_of,
    settling,
    strategy_shown,
)
from steelyard.planning.document.alternatives import alternatives, proposers
from steelyard.planning.document.bands import bands_shown
from steelyard.planning.document.certificate import certificate_shown
from steelyard.planning.document.classes import classes_shown
from steelyard.planning.document.gains import realised_gain, sentences, tax_of
from steelyard.planning.document.orders import (
    candidates_shown,
    conversions,
    costs_of,
    not_traded,
    step_shown,
    turnover,
)
from steelyard.planning.document.score import score_shown
from steelyard.planning.drift import drift_after
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.new_money import NEW_MONEY
from steelyard.planning.solve import Solution, step_order
from steelyard.plans.account import Drift, RegimeShown, Rules, Thresholds
from steelyard.plans.answers import WhatIf
from steelyard.plans.orders import PlanCosts, Step
from steelyard.plans.plan import Occasion, Plan, Verdict, seal
from steelyard.plans.score import Objective as ObjectiveShown
from steelyard.sentences import Sentence, facts_of


def _figures(
    m: Solution, steps: Sequence[Step], drift: Drift, costs: PlanCosts
) -> narrative.Figures:
    """What the verdict tells in numbers."""
    ctx, snapshot = m.ctx, m.case.snapshot
    cash_after = cash_after_of(snapshot, steps, costs)
    rates = {**m.valuation.cash_rates, ctx.base_currency: Decimal(1)}
    reserve = Decimal(repr(ctx.reserve_weight)) * m.valuation.value
    in_base = sum((amount * rates[c] for c, amount in cash_after.items() if amount), ZERO)
    return narrative.Figures(
        drift_before=drift.before,
        drift_after=drift.after,
        cost=costs.total,
        turnover=turnover(m.orders, m.choice.plan.row),
        candidates=m.table.m,
        sold=_traded(steps, Side.SELL),
        bought=_traded(steps, Side.BUY),
        cash_before=snapshot.balances.get(ctx.base_currency, ZERO),
        cash_after=cash_after,
        over_reserve=in_base - m.valuation.open_buys - reserve,
        reserve=reserve,
        passed_over=_passed_over(m),
        bands=tuple(bands_shown(m)),
        invested=sum((s.notional_base for s in steps if NEW_MONEY in s.tags), ZERO),
    )


def _passed_over(m: Solution) -> tuple[float | None, Decimal] | None:
    """Drift after and cost of the best plan found, where it is not worth it."""
    best = m.choice.best
    if m.choice.acts or best is None:
        return None
    return drift_after(m.ctx, m.orders, best.row), sum(
        (costs_of(m, j).total for j in best.row), ZERO
    )


def _verdict(
    m: Solution, figures: narrative.Figures, short: Sequence[Sentence], findings: Findings
) -> Verdict:
    """What to do, in a sentence, and what must be said with it; what is blocked comes first."""
    waits = what_waits(findings.problems)
    headline = narrative.verdict(m.ctx, m.choice, figures, waits)
    first = [waits] if waits is not None and m.choice.acts else []
    stay = narrative.unanswered(figures.bands) if m.choice.only else None
    parts = [*short, *first, *([] if stay is None else [stay])]
    detail = narrative.detail(m.ctx, m.orders, m.choice, m.certificate, parts, findings.runs)
    return Verdict(
        action="act" if m.choice.acts else "hold",
        previous=m.ctx.state.previous_verdict,
        text=headline.text,
        template=headline.template,
        detail=detail.text,
        detail_template=detail.template,
        facts=dict(sorted({**facts_of(detail), **facts_of(headline)}.items())),
    )


def write(
    m: Solution, guard: Guard, what_if: WhatIf | None, warnings: tuple[Notice, ...] = ()
) -> Plan:
    """The sealed plan document.

    what_if    the reports beside the plan
    warnings   what the importers noticed: they come first
    """
    snapshot, market, strategy = m.case.snapshot, m.case.market, m.case.strategy
    ctx, choice, findings = m.ctx, m.choice, guard.findings
    order = step_order(m.orders, choice.plan.row)
    steps = [step_shown(m, n, j) for n, j in enumerate(order, start=1)]
    costs = total_costs(steps, tax_of(m))
    drift = drift_shown(m)
    holdings, after = tuple(holdings_shown(m)), tuple(holdings_after(m))
    figures = _figures(m, steps, drift, costs)
    cash_after, reserve = figures.cash_after, figures.reserve
    short = list(narrative.shortfalls(ctx, figures))
    return seal(
        Plan(
            plan_id="",
            verdict=_verdict(m, figures, [*(s for _, s in short), *sentences(m)], findings),
            bucket=snapshot.bucket,
            as_of=snapshot.as_of,
            prices_as_of=prices_as_of(m),
            price_source=market.source,
            strategy=strategy_shown(strategy),
            base_currency=ctx.base_currency,
            value=m.valuation.value,
            flows=(),
            occasions=occasions(m),
            cash=snapshot.settled,
            settling=tuple(settling(snapshot)),
            cash_after=cash_after,
            cash_rates=dict(sorted(m.valuation.cash_rates.items())),
            reserve=reserve,
            open_buys=m.valuation.open_buys,
            open_orders=tuple(open_orders(m)),
            rules=Rules(
                costs=ctx.costs,
                limits=ctx.limits,
                thresholds=Thresholds(
                    names=ctx.n,
                    min_trade_weight=ctx.limits.min_trade_weight,
                    order_hurdle=ctx.score.order_hurdle,
                    min_improvement=ctx.score.min_improvement,
                ),
                max_depth=strategy.search.max_depth,
                max_orders=strategy.most_orders,
                min_order_base=exact(published(ctx.min_order_weight * ctx.value)),
                drift_band_weight=strategy.rebalance.drift_band_weight,
            ),
            excluded=snapshot.excluded,
            kept_out=tuple(kept_out(m)),
            holdings=holdings,
            holdings_after=after,
            bands=figures.bands,
            classes=tuple(classes_shown(m, holdings, after)),
            realised_gain=realised_gain(m),
            candidates=tuple(candidates_shown(m)),
            steps=tuple(steps),
            proposed_by=proposers(m, choice.plan),
            conversions=tuple(conversions(m, steps)),
            score=score_shown(m),
            objective=ObjectiveShown(
                mode="none" if ctx.target_weights is None else "targets", profile=ctx.score.profile
            ),
            certificate=certificate_shown(m),
            alternatives=tuple(alternatives(m)),
            what_if=what_if,
            explanation=None,
            regime=RegimeShown(
                name=ctx.regime.name,
                distance=ctx.regime.distance,
                observations=ctx.regime.observations,
            ),
            drift=drift,
            turnover=turnover(m.orders, choice.plan.row),
            costs=costs,
            cash_ladder=tuple(cash_ladder(m, cash_after)),
            not_traded=tuple(not_traded(stop) for stop in findings.stops),
            problems=(
                *(Notice(code=code, message=sentence.text) for code, sentence in short),
                *sorted(findings.problems, key=lambda problem: problem.code not in NOTHING),
            ),
            warnings=(*warnings, *findings.warnings),
            data_coverage=tuple(findings.coverage),
            reproducible=m.evidence.stopped != "seconds" and not guard.late,
            modules=tuple(findings.runs),
            timings=tuple(findings.timings),
            seed=ctx.seed,
            inputs_sha256=m.inputs_sha256,
        )
    )


def occasions(m: Solution) -> tuple[Occasion, ...]:
    """What is traded for whatever the score gains."""
    rows = (m.orders.proposals[j] for j in m.choice.base.row)
    asked = {proposal.source for proposals in rows for proposal in proposals}
    money: tuple[Occasion, ...] = ("new_money",) if NEW_MONEY in asked else ()
    return (*money, "band") if asked & {BANDS, FUNDING} else money


def _traded(steps: Iterable[Step], side: Side) -> Decimal:
    return sum((step.notional_base for step in steps if step.side is side), ZERO)
