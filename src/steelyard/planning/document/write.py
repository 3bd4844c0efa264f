"""From the chosen set to the plan document: exact money, weights, ladders, and the ledger of what
stopped.

Decimal in, decimal out: quantities x prices x rates are never rounded here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from steelyard.canonical import published
from steelyard.modules.registry import Kind
from steelyard.money import ZERO
from steelyard.notices import Notice
from steelyard.orders import Side
from steelyard.planning import narrative
from steelyard.planning.bands import BANDS, FUNDING
from steelyard.planning.blocking import NOTHING, what_waits
from steelyard.planning.costs import exact, total_costs
from steelyard.planning.document.account import (
    cash_ladder,
    drift_shown,
    flows_shown,
    holdings_after,
    holdings_shown,
    kept_out,
    late,
    open_orders,
    prices_as_of,
    settling,
    strategy_shown,
)
from steelyard.planning.document.alternatives import alternatives, proposers
from steelyard.planning.document.bands import bands_shown
from steelyard.planning.document.classes import classes_shown
from steelyard.planning.document.gains import realised_gain, sentences, tax_of
from steelyard.planning.document.looked import Looked
from steelyard.planning.document.orders import (
    candidates_shown,
    carried_out,
    costs_of,
    not_traded,
    step_shown,
    turnover,
)
from steelyard.planning.document.reserve import reserve_reason
from steelyard.planning.document.score import score_shown
from steelyard.planning.document.second_half import half_shown
from steelyard.planning.drift import drift_after
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.modes.judge import rule_of
from steelyard.planning.new_money import NEW_MONEY
from steelyard.planning.solve import Solution, step_order
from steelyard.plans.account import Drift, RegimeShown, Rules, Thresholds
from steelyard.plans.answers import WhatIf
from steelyard.plans.orders import PlanCosts, Step
from steelyard.plans.plan import Occasion, Plan, Transport, Verdict, seal
from steelyard.plans.score import Objective as ObjectiveShown
from steelyard.sentences import Sentence, facts_of
from steelyard.strategies.planned import TOWARDS_TARGETS


def _figures(
    m: Solution, steps: Sequence[Step], drift: Drift, paid: tuple[PlanCosts, dict[str, Decimal]]
) -> narrative.Figures:
    """What the verdict tells in numbers.

    paid   costs, and every balance after
    """
    ctx, snapshot, (costs, cash_after) = m.ctx, m.case.snapshot, paid
    rates = {**_cash_rates(m, steps, cash_after), ctx.base_currency: Decimal(1)}
    reserve = Decimal(repr(ctx.reserve_weight)) * m.valuation.value
    sold, bought = (_traded(steps, side) for side in (Side.SELL, Side.BUY))
    in_base = sum((amount * rates[c] for c, amount in cash_after.items() if amount), ZERO)
    return narrative.Figures(
        drift_before=drift.before,
        drift_after=drift.after,
        cost=costs.total,
        turnover=turnover(m.orders, m.choice.plan.row),
        candidates=m.table.m,
        sold=sold,
        bought=bought,
        cash_before=snapshot.balances.get(ctx.base_currency, ZERO),
        cash_after=cash_after,
        over_reserve=in_base - m.valuation.open_buys - reserve,
        reserve=reserve,
        passed_over=_passed_over(m),
        nearest=next((near.net for near in m.near if near.feasible), None),
        bands=tuple(bands_shown(m)),
        invested=max(bought - sold, ZERO) if "new_money" in occasions(m) else ZERO,
        brought=m.valuation.brought,
        unaided=_unaided(m),
    )


def _unaided(m: Solution) -> str:
    """That the calculator which trades towards the targets is off, where there are targets."""
    choice = m.case.strategy.choice(Kind.OPPORTUNITY, TOWARDS_TARGETS)
    if m.ctx.target_weights is None or choice.enabled:
        return ""
    return f" The calculator {TOWARDS_TARGETS}, which trades towards targets, is off."


def _cash_rates(
    m: Solution, steps: Iterable[Step], cash_after: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """Base per unit of every currency in which there is cash, before or after."""
    rates = dict(m.valuation.cash_rates)
    for step in steps:
        if step.currency in cash_after and step.currency != m.ctx.base_currency:
            rates[step.currency] = step.fx_rate
    return dict(sorted(rates.items()))


def _passed_over(m: Solution) -> tuple[float | None, Decimal] | None:
    """Drift after and cost of the best plan found, where it is not worth it."""
    best = m.choice.best
    if m.choice.acts or best is None:
        return None
    return drift_after(m.ctx, m.orders, best.row), sum(
        (costs_of(m, j).total for j in best.row), ZERO
    )


def _verdict(
    m: Solution,
    figures: narrative.Figures,
    short: Sequence[Sentence],
    findings: Findings,
    looked: Looked,
) -> Verdict:
    """What to do, in a sentence, and what must be said with it; what is blocked comes first."""
    waits = what_waits(findings.problems)
    headline = narrative.verdict(m.ctx, m.choice, figures, waits, looked.outlook)
    first = [waits] if waits is not None and m.choice.acts else []
    stay = narrative.unanswered(figures.bands, m.ctx.limits) if m.choice.only else None
    traded = {m.ctx.symbols[m.orders.security[j]] for j in m.choice.plan.row}
    small = narrative.too_small(findings.stops, traded)
    parts = [*short, *first, *(part for part in (stay, small) if part is not None)]
    parts += narrative.second(figures, m.ctx.base_currency)
    by_mode = list(looked.words(m.ctx.base_currency))
    detail = narrative.detail(
        m.ctx, m.orders, m.choice, looked.certificate, parts, findings.runs, by_mode
    )
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
    m: Solution,
    guard: Guard,
    what_if: WhatIf | None,
    warnings: tuple[Notice, ...] = (),
    then: Solution | None = None,
) -> Plan:
    """The sealed plan document.

    what_if    the reports beside the plan
    warnings   what the importers noticed: they come first
    then       the plan after this one, where this one is half of both
    """
    snapshot, market, strategy = m.case.snapshot, m.case.market, m.case.strategy
    ctx, choice, findings = m.ctx, m.choice, guard.findings
    order = step_order(m.orders, choice.plan.row)
    paid = carried_out(m, order)
    pairs = enumerate(zip(order, paid.margins, strict=True), start=1)
    steps = [step_shown(m, n, j, margin) for n, (j, margin) in pairs]
    costs = total_costs(steps, paid.conversions, tax_of(m))
    drift = drift_shown(m)
    holdings, after = tuple(holdings_shown(m)), tuple(holdings_after(m))
    figures = replace(_figures(m, steps, drift, (costs, paid.balances)), later=half_shown(m, then))
    cash_after, reserve = paid.balances, figures.reserve
    ladder = tuple(cash_ladder(m, cash_after))
    short = [*narrative.shortfalls(ctx, figures), *late(m, ladder)]
    first, looked = [*(s for _, s in short), *sentences(m)], Looked.of(m)
    return seal(
        Plan(
            plan_id="",
            verdict=_verdict(m, figures, first, findings, looked),
            bucket=snapshot.bucket,
            as_of=snapshot.as_of,
            prices_as_of=prices_as_of(m),
            price_source=market.source,
            strategy=strategy_shown(strategy),
            base_currency=ctx.base_currency,
            value=m.valuation.before_withdrawals,
            flows=tuple(flows_shown(m)),
            occasions=occasions(m),
            cash=snapshot.settled,
            settling=tuple(settling(snapshot)),
            cash_after=cash_after,
            cash_rates=_cash_rates(m, steps, cash_after),
            reserve=reserve,
            reserve_reason=reserve_reason(ctx),
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
                max_orders=_most_orders(m),
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
            second_half=figures.later,
            proposed_by=proposers(m, choice.plan),
            conversions=paid.conversions,
            score=score_shown(m, guard),
            objective=ObjectiveShown(
                mode="none" if ctx.target_weights is None else "targets", profile=ctx.score.profile
            ),
            certificate=looked.certificate,
            alternatives=tuple(alternatives(m)),
            frontier=looked.frontier,
            choice_rule=None if choice.judgement is None else rule_of(ctx).text,
            outlook=looked.outlook,
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
            cash_ladder=ladder,
            not_traded=tuple(not_traded(stop) for stop in findings.stops),
            problems=(
                *(Notice(code=code, message=sentence.text) for code, sentence in short),
                *sorted(findings.problems, key=lambda problem: problem.code not in NOTHING),
            ),
            warnings=(*warnings, *findings.warnings),
            data_coverage=tuple(findings.coverage),
            reproducible=_stopped(m) != "seconds" and not guard.late,
            modules=tuple(findings.runs),
            timings=tuple(findings.timings),
            transport=_transport(findings),
            seed=ctx.seed,
            inputs_sha256=m.inputs_sha256,
        )
    )


def _transport(findings: Findings) -> Transport | None:
    if not findings.carried:
        return None
    return Transport(steps=dict(findings.carried), batches=dict(sorted(findings.batches.items())))


def _stopped(m: Solution) -> str | None:
    """Which budget ended the search, if there was one."""
    return None if m.evidence is None else m.evidence.stopped


def _most_orders(m: Solution) -> int | None:
    """Of a plan that follows from its targets no depth of a search is a limit."""
    return m.case.strategy.most_orders if m.evidence is not None else m.ctx.limits.max_orders


def occasions(m: Solution) -> tuple[Occasion, ...]:
    """What is traded for whatever the score gains."""
    rows = (m.orders.proposals[j] for j in {*m.choice.base.row, *m.choice.plan.row})
    asked = {proposal.source for proposals in rows for proposal in proposals}
    named: dict[Occasion, bool] = {
        "shortfall": m.ctx.is_short,
        "new_money": NEW_MONEY in asked,
        "band": bool(asked & {BANDS, FUNDING}),
    }
    return tuple(occasion for occasion, there in named.items() if there)


def _traded(steps: Iterable[Step], side: Side) -> Decimal:
    return sum((step.notional_base for step in steps if step.side is side), ZERO)
