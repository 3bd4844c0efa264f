"""The orders in exact money: candidates, steps with their lots and costs, conversions, stops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from steelyard.market import Quote
from steelyard.modules.candidates import Orders
from steelyard.notices import Stop
from steelyard.planning import narrative
from steelyard.planning.costs import exact, order_costs, with_fx
from steelyard.planning.document.conversions import Cashed, Converted, converted
from steelyard.planning.solve import Solution
from steelyard.planning.valuation import Priced
from steelyard.plans.account import LotShown
from steelyard.plans.orders import Adds, CandidateShown, CostShown, NotTraded, Step
from steelyard.portfolio import Security, TaxLot
from steelyard.sentences import cased, facts_of


def turnover(table: Orders, row: Iterable[int]) -> float:
    return float(sum(abs(table.delta[j]) for j in row)) / 2


def priced_of(m: Solution, j: int) -> Priced:
    return m.valuation.priced[m.ctx.symbols[m.orders.security[j]]]


def notional_base(m: Solution, j: int) -> Decimal:
    p = priced_of(m, j)
    return m.orders.quantity[j] * p.share


def costs_of(m: Solution, j: int) -> CostShown:
    return order_costs(
        m.ctx.costs,
        notional_base(m, j),
        foreign=priced_of(m, j).security.currency != m.ctx.base_currency,
    )


def lots_of(m: Solution, j: int) -> tuple[LotShown, ...]:
    p = priced_of(m, j)
    if m.orders.is_buy[j] or p.holding is None:
        return ()
    sold = m.ctx.lots_sold(int(m.orders.security[j]), m.orders.quantity[j])
    return tuple(lot_shown(lot, shares, p) for lot, shares in sold)


def lot_shown(lot: TaxLot, quantity: Decimal, p: Priced) -> LotShown:
    per_quote = quantity * p.security.multiplier * p.rate
    gain = None if lot.unit_cost is None else (p.price - lot.unit_cost) * per_quote
    return LotShown(
        acquired=lot.acquired,
        quantity=quantity,
        unit_cost=lot.unit_cost,
        gain=gain,
        account=lot.account,
    )


def price_origin(quote: Quote, security: Security) -> dict[str, Any]:
    """Where a price is from, of which session, and in what it was quoted."""
    return {
        "price_source": quote.source,
        "price_on": quote.on,
        "price_unit": quote.unit or security.currency,
    }


def carried_out(m: Solution, order: Sequence[int]) -> Converted:
    """The plan's orders on its cash after all flows: what they convert, and what stays."""
    parts = [(priced_of(m, j), costs_of(m, j)) for j in order]
    rates = {**m.valuation.cash_rates, **{p.security.currency: p.rate for p, _ in parts}}
    cashed = [
        Cashed(
            m.orders.side(j),
            p.security.currency,
            m.orders.quantity[j] * p.unit_price,
            charge.commission + charge.spread,
        )
        for j, (p, charge) in zip(order, parts, strict=True)
    ]
    terms = exact(m.ctx.costs.fx_percent), m.valuation.open_buys
    balances = m.case.snapshot.available("proceeds")
    return converted(balances, cashed, m.ctx.base_currency, rates, terms)


def step_shown(m: Solution, n: int, j: int, margin: Decimal) -> Step:
    """An order of the plan; `margin` is what converting for it costs."""
    p, table = priced_of(m, j), m.orders
    adds = adds_shown(m, j)
    amount = notional_base(m, j)
    worth = narrative.StepWorth(adds, amount, m.because.get(j))
    why, does = narrative.step(m.ctx, table, j, worth)
    weight = float(m.ctx.weights[table.security[j]])
    return Step(
        n=n,
        candidate=table.ids[j],
        refined_from=table.refined_from[j] if table.refined_from else None,
        side=table.side(j),
        symbol=p.security.symbol,
        name=p.security.name,
        quantity=table.quantity[j],
        price=p.price,
        **price_origin(p.quote, p.security),
        multiplier=p.security.multiplier,
        currency=p.security.currency,
        fx_rate=p.rate,
        notional=table.quantity[j] * p.unit_price,
        notional_base=amount,
        costs=with_fx(costs_of(m, j), margin),
        weight_before=weight,
        weight_after=0.0 if table.full_exit[j] else weight + float(table.delta[j]),
        adds=adds,
        lots=lots_of(m, j),
        tags=_tags(table, j),
        proposed_by=tuple(proposal.source for proposal in table.proposals[j]),
        reason=why.text,
        reason_template=why.template,
        narrative=does.text,
        template=does.template,
        facts=facts_of(does),
    )


def adds_shown(m: Solution, j: int) -> Adds:
    """What the plan loses without order j."""
    worth, drift = m.worth[j], m.drift
    return Adds(
        score=worth.score,
        base_per_year=m.objective.rates.base_per_year(worth.score, m.ctx.value),
        drift_pp=None if worth.drift is None or drift is None else 100 * (worth.drift - drift),
        how="resolved" if worth.resolved else "drop_one",
    )


def _tags(table: Orders, j: int) -> tuple[str, ...]:
    return tuple(sorted({tag for proposal in table.proposals[j] for tag in proposal.tags}))


def candidates_shown(m: Solution) -> Iterable[CandidateShown]:
    table = m.table
    for j in range(table.m):
        p = priced_of(m, j)
        yield CandidateShown(
            id=table.ids[j],
            symbol=m.ctx.symbols[table.security[j]],
            side=table.side(j),
            quantity=table.quantity[j],
            price=p.price,
            multiplier=p.security.multiplier,
            currency=p.security.currency,
            fx_rate=p.rate,
            notional_base=notional_base(m, j),
            cost=costs_of(m, j).total,
            priority=float(table.priority[j]),
            sources=tuple(proposal.source for proposal in table.proposals[j]),
            tags=_tags(table, j),
            gain=float(table.alone[j]),
        )


def not_traded(stop: Stop) -> NotTraded:
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
