"""From the chosen set to the plan document: exact money, weights, ladders, and the ledger of what
stopped.

Decimal in, decimal out: quantities x prices x rates are never rounded here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

import numpy as np

from steelyard.canonical import published
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.money import ZERO
from steelyard.notices import Notice, Stop
from steelyard.orders import Side
from steelyard.planning import narrative
from steelyard.planning.choice import Scored
from steelyard.planning.costs import by_age, cost_rate, exact, lots_sold, order_costs, total_costs
from steelyard.planning.guard import Guard
from steelyard.planning.planning_set import last_bought
from steelyard.planning.solve import Solution, step_order
from steelyard.planning.valuation import Priced
from steelyard.plans.account import (
    AbsentTargetShown,
    CashRung,
    Drift,
    HoldingAfter,
    HoldingShown,
    LotShown,
    OpenOrderShown,
    PricesAsOf,
    RegimeShown,
    Rules,
    StrategyRef,
)
from steelyard.plans.answers import WhatIf
from steelyard.plans.orders import (
    Alternative,
    AlternativeStep,
    CandidateShown,
    Conversion,
    CostShown,
    NotTraded,
    PlanCosts,
    Step,
)
from steelyard.plans.plan import Plan, Verdict, seal
from steelyard.plans.score import Charges, PartShown, ScoreShown, TermShown
from steelyard.plans.score import Objective as ObjectiveShown
from steelyard.portfolio import Snapshot, TaxLot
from steelyard.sentences import cased, facts_of
from steelyard.strategies import Strategy


def write(
    m: Solution, guard: Guard, what_if: WhatIf | None, warnings: tuple[Notice, ...] = ()
) -> Plan:
    """The sealed plan document.

    what_if    the reports beside the plan
    warnings   what the importers noticed: they come first
    """
    snapshot, market, strategy = m.case.snapshot, m.case.market, m.case.strategy
    ctx, choice, findings = m.ctx, m.choice, guard.findings
    order = step_order(m.table, choice.plan.row)
    steps = [_step(m, n, j) for n, j in enumerate(order, start=1)]
    costs = total_costs(steps, _tax(m))
    cash_after = _cash_after(snapshot, steps, costs)
    drift = _drift(m)
    figures = narrative.Figures(
        drift.before, drift.after, costs.total, _turnover(m.table, choice.plan.row), m.table.m
    )
    headline, detail = (
        narrative.verdict(ctx, choice, figures),
        narrative.detail(ctx, m.table, choice, findings.runs),
    )
    return seal(
        Plan(
            plan_id="",
            verdict=Verdict(
                action="act" if choice.acts else "hold",
                previous=ctx.state.previous_verdict,
                text=headline.text,
                template=headline.template,
                detail=detail.text,
                detail_template=detail.template,
                facts=dict(sorted({**facts_of(detail), **facts_of(headline)}.items())),
            ),
            bucket=snapshot.bucket,
            as_of=snapshot.as_of,
            prices_as_of=_prices_as_of(m),
            price_source=market.source,
            strategy=_strategy(strategy),
            base_currency=ctx.base_currency,
            value=m.valuation.value,
            cash=dict(sorted(snapshot.cash.items())),
            cash_after=cash_after,
            cash_rates=dict(sorted(m.valuation.cash_rates.items())),
            reserve=Decimal(repr(ctx.reserve_weight)) * m.valuation.value,
            open_buys=m.valuation.open_buys,
            open_orders=tuple(_open_orders(m)),
            rules=Rules(
                costs=ctx.costs,
                limits=ctx.limits,
                max_depth=ctx.search.max_depth,
                min_order_base=exact(published(ctx.min_order_weight * ctx.value)),
                drift_band_weight=strategy.rebalance.drift_band_weight,
            ),
            excluded=snapshot.excluded,
            holdings=tuple(_holdings(m)),
            holdings_after=tuple(_holdings_after(m)),
            candidates=tuple(_candidates(m)),
            steps=tuple(steps),
            proposed_by=_proposers(m, choice.plan),
            conversions=tuple(_conversions(m, steps)),
            score=_score(m),
            objective=ObjectiveShown(
                mode="none" if ctx.target_weights is None else "targets", profile=ctx.score.profile
            ),
            certificate=m.certificate,
            alternatives=tuple(_alternatives(m)),
            what_if=what_if,
            explanation=None,
            regime=RegimeShown(
                name=ctx.regime.name,
                distance=ctx.regime.distance,
                observations=ctx.regime.observations,
            ),
            drift=drift,
            turnover=_turnover(m.table, choice.plan.row),
            costs=costs,
            cash_ladder=tuple(_cash_ladder(m, cash_after)),
            not_traded=tuple(_not_traded(stop) for stop in findings.stops),
            problems=tuple(findings.problems),
            warnings=(*warnings, *findings.warnings),
            data_coverage=tuple(findings.coverage),
            reproducible=m.evidence.proof.stopped != "seconds" and not guard.late,
            modules=tuple(findings.runs),
            timings=tuple(findings.timings),
            seed=ctx.seed,
            inputs_sha256=m.inputs_sha256,
        )
    )


def drift_of(ctx: Context, weights: np.ndarray, cash: float) -> float | None:
    """Half the sum of absolute deviations from target, cash included; None without targets."""
    if ctx.target_weights is None:
        return None
    return (
        float(
            np.abs(weights - ctx.target_weights).sum()
            + abs(cash - ctx.target_cash)
            + ctx.absent_target
        )
        / 2
    )


def _drift(m: Solution) -> Drift:
    ctx = m.ctx
    return Drift(
        before=drift_of(ctx, ctx.weights, ctx.cash_weight),
        after=_drift_after(m, m.choice.plan),
        absent_target=ctx.absent_target,
        absent=tuple(
            AbsentTargetShown(symbol=absent.symbol, target=absent.target, why=absent.why)
            for absent in ctx.absent
        ),
    )


def _drift_after(m: Solution, scored: Scored) -> float | None:
    # cash before costs, so that the deviations of one state sum to its value
    after = m.table.after(m.ctx.weights, scored.row)
    return drift_of(
        m.ctx, after, m.ctx.cash_weight - float(sum(m.table.delta[j] for j in scored.row))
    )


def _turnover(table: Candidates, row: Iterable[int]) -> float:
    return float(sum(abs(table.delta[j]) for j in row)) / 2


def _row(m: Solution, j: int) -> Priced:
    return m.valuation.priced[m.ctx.symbols[m.table.security[j]]]


def _notional_base(m: Solution, j: int) -> Decimal:
    p = _row(m, j)
    return m.table.quantity[j] * p.price * p.rate


def _costs_of(m: Solution, j: int) -> CostShown:
    return order_costs(
        m.ctx.costs,
        _notional_base(m, j),
        foreign=_row(m, j).security.currency != m.ctx.base_currency,
    )


def _tax(m: Solution) -> Decimal | None:
    """Tax of the plan's sales; None without a rate, or where the cost of a sold lot is unknown."""
    if m.ctx.score.tax_rate == 0:
        return None
    gains = [
        lot.gain for j in m.choice.plan.row if not m.table.is_buy[j] for lot in _lots_sold(m, j)
    ]
    if any(gain is None for gain in gains):
        return None
    return exact(m.ctx.score.tax_rate) * sum((gain for gain in gains if gain is not None), ZERO)


def _lots_sold(m: Solution, j: int) -> tuple[LotShown, ...]:
    p = _row(m, j)
    if m.table.is_buy[j] or p.holding is None:
        return ()
    return tuple(
        _lot(lot, shares, p) for lot, shares in lots_sold(p.holding.lots, m.table.quantity[j])
    )


def _lot(lot: TaxLot, quantity: Decimal, p: Priced) -> LotShown:
    gain = None if lot.unit_cost is None else (p.price - lot.unit_cost) * quantity * p.rate
    return LotShown(acquired=lot.acquired, quantity=quantity, unit_cost=lot.unit_cost, gain=gain)


def _step(m: Solution, n: int, j: int) -> Step:
    p, table = _row(m, j), m.table
    adds = m.choice.adds[m.choice.plan.row.index(j)]
    notional_base = _notional_base(m, j)
    why, does = narrative.step(m.ctx, table, j, adds, notional_base)
    weight = float(m.ctx.weights[table.security[j]])
    return Step(
        n=n,
        candidate=table.ids[j],
        side=table.side(j),
        symbol=p.security.symbol,
        name=p.security.name,
        quantity=table.quantity[j],
        price=p.price,
        currency=p.security.currency,
        fx_rate=p.rate,
        notional=table.quantity[j] * p.price,
        notional_base=notional_base,
        costs=_costs_of(m, j),
        weight_before=weight,
        weight_after=0.0 if table.full_exit[j] else weight + float(table.delta[j]),
        adds=adds,
        lots=_lots_sold(m, j),
        tags=_tags(table, j),
        proposed_by=tuple(proposal.source for proposal in table.proposals[j]),
        reason=why.text,
        reason_template=why.template,
        narrative=does.text,
        template=does.template,
        facts=facts_of(does),
    )


def _tags(table: Candidates, j: int) -> tuple[str, ...]:
    return tuple(sorted({tag for proposal in table.proposals[j] for tag in proposal.tags}))


def _conversions(m: Solution, steps: Iterable[Step]) -> Iterable[Conversion]:
    """Every foreign order converts its whole notional at the as-of rate."""
    base = m.ctx.base_currency
    for step in steps:
        if step.currency == base:
            continue
        if step.side is Side.SELL:
            yield Conversion(
                from_=step.currency,
                to=base,
                amount=step.notional,
                rate=step.fx_rate,
                cost=step.costs.fx,
            )
        else:
            yield Conversion(
                from_=base,
                to=step.currency,
                amount=step.notional_base,
                rate=1 / step.fx_rate,
                cost=step.costs.fx,
            )


def _cash_after(snapshot: Snapshot, steps: Iterable[Step], costs: PlanCosts) -> dict[str, Decimal]:
    after = {**snapshot.cash}
    flow = sum(
        (step.notional_base if step.side is Side.SELL else -step.notional_base for step in steps),
        ZERO,
    )
    after[snapshot.base_currency] = after.get(snapshot.base_currency, ZERO) + flow - costs.total
    return dict(sorted(after.items()))


def _prices_as_of(m: Solution) -> PricesAsOf:
    quotes = [m.valuation.priced[symbol].on for symbol in m.ctx.symbols]
    return PricesAsOf(
        quotes=max(quotes, default=m.case.snapshot.as_of),
        history=m.case.market.last or m.case.snapshot.as_of,
    )


def _shown(m: Solution) -> list[str]:
    """Symbols that the tables of holdings list: held, targeted or traded."""
    ctx, traded = m.ctx, {int(m.table.security[j]) for j in m.choice.plan.row}
    targeted = ctx.target_weights if ctx.target_weights is not None else np.zeros(ctx.n)
    return [
        symbol
        for i, symbol in enumerate(ctx.symbols)
        if ctx.quantities[i] > 0 or targeted[i] > 0 or i in traded
    ]


def _strategy(strategy: Strategy) -> StrategyRef:
    """Whose rules, and all of them: what `Strategy.sha256` is the hash of."""
    return StrategyRef(
        name=strategy.name,
        version=strategy.version,
        sha256=strategy.sha256,
        settings=dict(strategy.content),
    )


def _open_orders(m: Solution) -> Iterable[OpenOrderShown]:
    for order in m.case.snapshot.open_orders:
        if not order.open_quantity:
            continue
        p = m.valuation.priced.get(order.symbol) if order.side is Side.BUY else None
        yield OpenOrderShown(
            symbol=order.symbol,
            side=order.side,
            quantity=order.open_quantity,
            price=None if p is None else order.limit_price or p.price,
            fx_rate=None if p is None else p.rate,
        )


def _holdings(m: Solution) -> Iterable[HoldingShown]:
    ctx, half = m.ctx, m.case.strategy.rebalance.drift_band_weight
    for symbol in _shown(m):
        i, p = ctx.symbols.index(symbol), m.valuation.priced[symbol]
        target = None if ctx.target_weights is None else float(ctx.target_weights[i])
        yield HoldingShown(
            symbol=symbol,
            name=p.security.name,
            group=p.security.group,
            quantity=p.quantity,
            sellable=p.quantity - min(p.quantity, m.case.snapshot.open_quantity(symbol, Side.SELL)),
            lot_size=p.security.lot_size,
            lot_value=p.security.lot_size * p.price * p.rate,
            is_fund=p.security.is_fund,
            allow_buy=p.security.allow_buy,
            allow_sell=p.security.allow_sell,
            price=p.price,
            currency=p.security.currency,
            fx_rate=p.rate,
            value=p.value,
            weight=float(ctx.weights[i]),
            target=target,
            band=None if target is None else (max(0.0, target - half), target + half),
            last_bought=last_bought(p.holding),
            last_sold=p.holding.last_sold if p.holding else None,
            lots=tuple(
                _lot(lot, lot.quantity, p) for lot in (by_age(p.holding.lots) if p.holding else ())
            ),
        )


def _holdings_after(m: Solution) -> Iterable[HoldingAfter]:
    after = m.table.after(m.ctx.weights, m.choice.plan.row)
    moved = {int(m.table.security[j]): j for j in m.choice.plan.row}
    for symbol in _shown(m):
        i = m.ctx.symbols.index(symbol)
        quantity = m.valuation.priced[symbol].quantity
        if i in moved:
            quantity += (
                m.table.quantity[moved[i]]
                if m.table.is_buy[moved[i]]
                else -m.table.quantity[moved[i]]
            )
        yield HoldingAfter(
            symbol=symbol, quantity=quantity, weight=float(after[i]) if quantity else 0.0
        )


def _candidates(m: Solution) -> Iterable[CandidateShown]:
    table = m.table
    for j in range(table.m):
        p = _row(m, j)
        yield CandidateShown(
            id=table.ids[j],
            symbol=m.ctx.symbols[table.security[j]],
            side=table.side(j),
            quantity=table.quantity[j],
            price=p.price,
            currency=p.security.currency,
            fx_rate=p.rate,
            notional_base=_notional_base(m, j),
            cost=_costs_of(m, j).total,
            priority=float(table.priority[j]),
            sources=tuple(proposal.source for proposal in table.proposals[j]),
            tags=_tags(table, j),
            gain=float(table.alone[j]),
        )


def _score(m: Solution) -> ScoreShown:
    hold, plan = m.choice.hold.evaluation, m.choice.plan.evaluation
    cost, tax, hurdle = m.choice.plan.charges
    terms = []
    for term, before, after in zip(m.objective.terms, hold.terms, plan.terms, strict=True):
        parts = tuple(
            PartShown(
                name=b.name,
                share=b.share,
                scale=(part.lo, part.hi),
                raw_hold=b.raw,
                raw_plan=a.raw,
                hold=b.scaled,
                plan=a.scaled,
            )
            for part, b, a in zip(term.parts, before.parts, after.parts, strict=True)
        )
        off_scale = before.off_scale or after.off_scale
        terms.append(
            TermShown(
                name=before.name,
                weight=before.weight,
                hold=before.value,
                plan=after.value,
                off_scale=off_scale,
                parts=parts,
            )
        )
    return ScoreShown(
        hold=hold.score,
        plan=plan.score,
        improvement=m.choice.plan.net,
        min_improvement=m.choice.threshold,
        charges=Charges(cost=cost, tax=tax, hurdle=hurdle),
        terms=tuple(terms),
    )


def _proposers(m: Solution, scored: Scored) -> tuple[str, ...]:
    """Who proposed a set, in the order in which they ran."""
    return tuple(m.proposers.get(scored.row, ()))


def _alternatives(m: Solution) -> Iterable[Alternative]:
    """Hold, the named lists, the runners-up, and the continuous optimum that no list reaches."""
    yield _alternative(m, "hold", m.choice.hold)
    for name, scored in m.choice.named.items():
        yield _alternative(m, name, scored)
    for n, scored in enumerate(m.choice.runners_up, start=1):
        yield _alternative(m, f"runner_up_{n}", scored)
    yield _unrestricted(m)


def _unrestricted(m: Solution) -> Alternative:
    """Any quantities in any number of orders: figures alone, since no order list makes them."""
    free, ctx = m.evidence.unrestricted, m.ctx
    traded = np.abs(free.weights - ctx.weights)
    rates = np.array([cost_rate(ctx, i) for i in range(ctx.n)])
    cost = float(traded @ rates)
    charges = m.objective.rates.cost * cost
    cash = ctx.cash_weight - float((free.weights - ctx.weights).sum())
    return Alternative(
        name="unrestricted",
        score=m.choice.hold.evaluation.score + free.net + charges,
        improvement=free.net,
        cost=exact(published(cost * ctx.value)),
        turnover=float(traded.sum()) / 2,
        drift_after=drift_of(ctx, free.weights, cash),
        weights={
            symbol: float(w)
            for symbol, w, moved in zip(ctx.symbols, free.weights, traded, strict=True)
            if moved > 0
        },
        proposed_by=(),
        steps=(),
    )


def _alternative(m: Solution, name: str, scored: Scored) -> Alternative:
    order = step_order(m.table, scored.row)
    return Alternative(
        name=name,
        score=scored.evaluation.score,
        improvement=scored.net,
        cost=sum((_costs_of(m, j).total for j in order), ZERO),
        turnover=_turnover(m.table, order),
        drift_after=_drift_after(m, scored),
        weights=None,
        proposed_by=_proposers(m, scored),
        steps=tuple(
            AlternativeStep(
                side=m.table.side(j),
                symbol=m.ctx.symbols[m.table.security[j]],
                quantity=m.table.quantity[j],
            )
            for j in order
        ),
    )


def _cash_ladder(m: Solution, cash_after: Mapping[str, Decimal]) -> Iterable[CashRung]:
    """Per currency: settled today, there once traded, settled after the settlement days."""
    today = m.case.snapshot.as_of
    settles = settlement_date(today, m.ctx.limits.settlement_days)
    for currency, after in cash_after.items():
        before = m.case.snapshot.cash.get(currency, ZERO)
        yield CashRung(
            date=today, currency=currency, balance=before, kind="settled", estimated=False
        )
        if after != before:
            yield CashRung(
                date=today, currency=currency, balance=after, kind="traded", estimated=True
            )
            yield CashRung(
                date=settles, currency=currency, balance=after, kind="settled", estimated=True
            )


def settlement_date(traded: date, weekdays: int) -> date:
    """`weekdays` working days after `traded`: an estimate, exchange holidays are not known."""
    return date.fromisoformat(str(np.busday_offset(traded, weekdays, roll="forward")))


def _not_traded(stop: Stop) -> NotTraded:
    drop, why = stop.drop, stop.drop.why
    margin = None if drop.value is None or drop.limit is None else drop.value - drop.limit
    return NotTraded(
        candidate=stop.candidate,
        module=stop.module,
        symbol=stop.symbol,
        side=stop.side,
        stage=stop.stage,
        rule=drop.rule,
        value=drop.value,
        limit=drop.limit,
        margin=margin,
        reason=cased(why.text),
        template=why.template,
        facts=facts_of(why),
    )
