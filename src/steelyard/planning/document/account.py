"""The account before and after: prices, holdings, drift, cash by day, whose rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

import numpy as np

from steelyard.lots import by_age
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.bands import edges_of
from steelyard.planning.document.classes import class_of
from steelyard.planning.document.orders import lot_shown, price_origin
from steelyard.planning.drift import drift_of
from steelyard.planning.planning_set import last_bought
from steelyard.planning.solve import Solution
from steelyard.planning.valuation import quoted
from steelyard.plans.account import (
    AbsentTargetShown,
    CashRung,
    Drift,
    HoldingAfter,
    HoldingShown,
    KeptOutShown,
    OpenOrderShown,
    PricesAsOf,
    SettlingShown,
    StrategyRef,
)
from steelyard.plans.orders import PlanCosts, Step
from steelyard.portfolio import Snapshot
from steelyard.sentences import cased, facts_of
from steelyard.strategies import Strategy


def drift_shown(m: Solution) -> Drift:
    ctx = m.ctx
    return Drift(
        before=drift_of(ctx, ctx.weights, ctx.cash_weight),
        after=m.drift,
        absent_target=ctx.absent_target,
        absent=tuple(
            AbsentTargetShown(symbol=absent.symbol, target=absent.target, why=absent.why)
            for absent in ctx.absent
        ),
    )


def cash_after_of(
    snapshot: Snapshot, steps: Iterable[Step], costs: PlanCosts
) -> dict[str, Decimal]:
    """Every balance when all has settled: what is on its way, and the plan's own orders."""
    after = snapshot.available("proceeds")
    flow = sum(
        (step.notional_base if step.side is Side.SELL else -step.notional_base for step in steps),
        ZERO,
    )
    after[snapshot.base_currency] = after.get(snapshot.base_currency, ZERO) + flow - costs.total
    return dict(sorted(after.items()))


def prices_as_of(m: Solution) -> PricesAsOf:
    quotes = [m.valuation.priced[symbol].on for symbol in m.ctx.symbols]
    return PricesAsOf(
        quotes=max(quotes, default=m.case.snapshot.as_of),
        history=m.case.market.last or m.case.snapshot.as_of,
    )


def _shown(m: Solution) -> list[str]:
    """Symbols that the tables of holdings list: held, targeted or traded."""
    ctx, traded = m.ctx, {int(m.orders.security[j]) for j in m.choice.plan.row}
    targeted = ctx.target_weights if ctx.target_weights is not None else np.zeros(ctx.n)
    return [
        symbol
        for i, symbol in enumerate(ctx.symbols)
        if ctx.quantities[i] > 0 or targeted[i] > 0 or i in traded
    ]


def strategy_shown(strategy: Strategy) -> StrategyRef:
    """Whose rules, and all of them: what `Strategy.sha256` is the hash of."""
    return StrategyRef(
        name=strategy.name,
        version=strategy.version,
        sha256=strategy.sha256,
        settings=dict(strategy.content),
    )


def open_orders(m: Solution) -> Iterable[OpenOrderShown]:
    priced = {**m.valuation.priced, **quoted(m.valuation.kept_out)}
    for order in m.case.snapshot.open_orders:
        if not order.open_quantity:
            continue
        p = priced.get(order.symbol) if order.side is Side.BUY else None
        yield OpenOrderShown(
            symbol=order.symbol,
            side=order.side,
            quantity=order.open_quantity,
            price=None if p is None else order.limit_price or p.price,
            multiplier=None if p is None else p.security.multiplier,
            fx_rate=None if p is None else p.rate,
        )


def holdings_shown(m: Solution) -> Iterable[HoldingShown]:
    ctx, edges = m.ctx, edges_of(m.ctx)
    for symbol in _shown(m):
        i, p = ctx.place[symbol], m.valuation.priced[symbol]
        target = None if ctx.target_weights is None else float(ctx.target_weights[i])
        yield HoldingShown(
            symbol=symbol,
            name=p.security.name,
            group=p.security.group,
            class_name=(name := class_of(m.case.target_weights, p.security)),
            preference=None if name is None else p.security.preference,
            quantity=p.quantity,
            sellable=p.quantity - min(p.quantity, m.case.snapshot.open_quantity(symbol, Side.SELL)),
            lot_size=p.security.lot_size,
            lot_value=p.security.lot_size * p.share,
            is_fund=p.security.is_fund,
            product_type=p.security.product_type,
            allow_buy=p.security.allow_buy,
            allow_sell=p.security.allow_sell,
            price=p.price,
            **price_origin(p.quote, p.security),
            multiplier=p.security.multiplier,
            currency=p.security.currency,
            fx_rate=p.rate,
            value=p.value,
            weight=float(ctx.weights[i]),
            target=target,
            band=None if edges is None else (float(edges.low[i]), float(edges.high[i])),
            last_bought=last_bought(p.holding),
            last_sold=p.holding.last_sold if p.holding else None,
            lots=tuple(
                lot_shown(lot, lot.quantity, p)
                for lot in (by_age(p.holding.lots) if p.holding else ())
            ),
        )


def kept_out(m: Solution) -> Iterable[KeptOutShown]:
    """What is held and not traded, with its value."""
    for position in m.valuation.kept_out:
        security, quote, why = position.security, position.quote, position.drop.why
        origin = dict.fromkeys(("price_source", "price_on", "price_unit"))
        yield KeptOutShown(
            symbol=security.symbol,
            name=security.name,
            product_type=security.product_type,
            quantity=position.holding.quantity,
            price=None if quote is None else quote.price,
            **(origin if quote is None else price_origin(quote, security)),
            multiplier=security.multiplier,
            currency=security.currency,
            fx_rate=position.rate,
            value=position.value,
            weight=weight_of(m, position.value),
            why=cased(why.text),
            template=why.template,
            facts=facts_of(why),
        )


def weight_of(m: Solution, amount: Decimal) -> float:
    """Of value; 0 where nothing is owned."""
    return float(amount) / m.ctx.value if m.valuation.value > 0 else 0.0


def settling(snapshot: Snapshot) -> Iterable[SettlingShown]:
    """Money on its way, first things first."""
    for entry in snapshot.pending:
        yield SettlingShown(currency=entry.currency, amount=entry.amount, on=entry.on)


def holdings_after(m: Solution) -> Iterable[HoldingAfter]:
    after = m.orders.after(m.ctx.weights, m.choice.plan.row)
    moved = {int(m.orders.security[j]): j for j in m.choice.plan.row}
    for symbol in _shown(m):
        i = m.ctx.place[symbol]
        quantity = m.valuation.priced[symbol].quantity
        if i in moved:
            quantity += (
                m.orders.quantity[moved[i]]
                if m.orders.is_buy[moved[i]]
                else -m.orders.quantity[moved[i]]
            )
        yield HoldingAfter(
            symbol=symbol, quantity=quantity, weight=float(after[i]) if quantity else 0.0
        )


def cash_ladder(m: Solution, cash_after: Mapping[str, Decimal]) -> Iterable[CashRung]:
    """Per currency: settled today, there once traded, then settled on each day that brings money:
    what was on its way on its own day, the orders after the settlement days.
    """
    snapshot = m.case.snapshot
    today, before = snapshot.as_of, snapshot.settled
    settles = settlement_date(today, m.ctx.limits.settlement_days)
    for currency, after in cash_after.items():
        balance = before.get(currency, ZERO)
        yield CashRung(
            date=today, currency=currency, balance=balance, kind="settled", estimated=False
        )
        days: dict[date, Decimal] = {}
        for entry in snapshot.pending:
            if entry.currency == currency:
                days[entry.on] = days.get(entry.on, ZERO) + entry.amount
        traded = after - balance - sum(days.values(), ZERO)
        if traded:
            days[settles] = days.get(settles, ZERO) + traded
            yield CashRung(
                date=today, currency=currency, balance=after, kind="traded", estimated=True
            )
        for day in sorted(days):
            balance += days[day]
            yield CashRung(
                date=day,
                currency=currency,
                balance=balance,
                kind="settled",
                estimated=bool(traded) and day >= settles,
            )


def settlement_date(traded: date, weekdays: int) -> date:
    """`weekdays` working days after `traded`: an estimate, exchange holidays are not known."""
    return date.fromisoformat(str(np.busday_offset(traded, weekdays, roll="forward")))
