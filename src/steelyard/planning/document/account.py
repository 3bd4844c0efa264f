"""The account before and after: prices, holdings, drift, cash by day, whose rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    FlowShown,
    HoldingAfter,
    HoldingShown,
    KeptOutShown,
    OpenOrderShown,
    PricesAsOf,
    SettlingShown,
    StrategyRef,
)
from steelyard.portfolio import Flow, Settling, Snapshot
from steelyard.sentences import FORMATS, Sentence, cased, facts_of, money, say
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


def flows_shown(m: Solution) -> Iterable[FlowShown]:
    """Money that the owner brings and takes out, first things first."""
    flows = sorted(m.case.snapshot.flows, key=lambda flow: (flow.on, flow.currency, flow.amount))
    for flow in flows:
        rate = m.valuation.cash_rates[flow.currency]
        yield FlowShown(date=flow.on, currency=flow.currency, amount=flow.amount, fx_rate=rate)


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
        title=strategy.title,
        text_sha256=strategy.text_sha256,
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
            sectors=tuple(p.security.sectors),
            countries=tuple(p.security.countries),
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
    """Per currency: settled today, there once traded, then settled on each day that moves money:
    what was on its way and flows on their own days, the orders after the settlement days.
    """
    settles = settlement_date(m.case.snapshot.as_of, m.ctx.limits.settlement_days)
    for currency, after in cash_after.items():
        yield from _rungs(m.case.snapshot, currency, after, settles)


def _rungs(snapshot: Snapshot, currency: str, after: Decimal, settles: date) -> Iterable[CashRung]:
    """The rungs of one currency; flows of today are there from the first on, and so are orders
    that settle today.
    """
    today = snapshot.as_of
    flows = _by_day(snapshot.flows, currency)
    days = _by_day((*snapshot.pending, *snapshot.flows), currency)
    balance = snapshot.settled.get(currency, ZERO)
    traded = after - balance - sum(days.values(), ZERO)
    if traded:
        days[settles] = days.get(settles, ZERO) + traded
    at_once = bool(traded) and settles == today
    balance += days.pop(today, ZERO)
    yield CashRung(
        date=today, currency=currency, balance=balance, kind="settled", estimated=at_once
    )
    later = sorted(day for day in flows if day > today)
    if traded or later:
        whole = after - sum((flows[day] for day in later), ZERO)
        for day, amount in [(today, ZERO), *((day, flows[day]) for day in later)]:
            whole += amount
            yield CashRung(
                date=day, currency=currency, balance=whole, kind="traded", estimated=bool(traded)
            )
    for day in sorted(days):
        balance += days[day]
        estimated = bool(traded) and day >= settles
        yield CashRung(
            date=day, currency=currency, balance=balance, kind="settled", estimated=estimated
        )


def _by_day(entries: Iterable[Settling | Flow], currency: str) -> dict[date, Decimal]:
    """Money of a currency by the day on which it moves."""
    days: dict[date, Decimal] = {}
    for entry in entries:
        if entry.currency == currency:
            days[entry.on] = days.get(entry.on, ZERO) + entry.amount
    return days


def late(m: Solution, ladder: Sequence[CashRung]) -> Iterable[tuple[str, Sentence]]:
    """(code, sentence) of withdrawals that leave before what pays for them has settled."""
    currencies = sorted({flow.currency for flow in m.case.snapshot.flows if flow.amount < 0})
    gaps = [gap for currency in currencies for gap in _gap(ladder, currency)]
    if gaps:
        yield (
            "cash_late",
            say(
                "{late:text} of settled money is missing: a withdrawal leaves before what pays for "
                "it has settled.",
                late="; ".join(gaps),
            ),
        )


def _gap(ladder: Sequence[CashRung], currency: str) -> Iterable[str]:
    """How much settled money of a currency is missing on which days, where it comes later."""
    rungs = [rung for rung in ladder if rung.currency == currency and rung.kind == "settled"]
    short = [rung for rung in rungs if rung.balance < 0]
    if short and rungs[-1].balance >= 0:
        until = min(rung.date for rung in rungs if rung.date > short[-1].date)
        days = " until ".join(map(FORMATS["date"], (short[0].date, until)))
        yield f"{currency} {money(-min(rung.balance for rung in short))} from {days}"


def settlement_date(traded: date, weekdays: int) -> date:
    """`weekdays` working days after `traded`: an estimate, exchange holidays are not known."""
    return date.fromisoformat(str(np.busday_offset(traded, weekdays, roll="forward")))
