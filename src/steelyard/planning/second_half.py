"""Where settled money alone pays: what the next plan does once the sales of this one have settled.

A plan whose sales only fund later buys is half a plan. The other half is found by planning again, at
the same prices, the account as it stands when the sales have settled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.costs import exact, lots_sold, order_costs
from steelyard.planning.drift import drift_of
from steelyard.planning.solve import Solution, Steps, solved
from steelyard.portfolio import Holding, Snapshot

SAME_DRIFT = 0.0005
"""A drift that moves by less is the same: half of what is shown of it."""


def second_half(m: Solution, steps: Steps) -> Solution | None:
    """The plan after this one; None where this one is no half, or the next one buys nothing."""
    ctx, before = m.ctx, drift_of(m.ctx, m.ctx.weights, m.ctx.cash_weight)
    if ctx.limits.funding != "settled" or ctx.is_short or not m.choice.acts:
        return None
    bought = any(m.orders.is_buy[j] for j in m.choice.plan.row)
    if bought or before is None or m.drift is None or before - m.drift >= SAME_DRIFT:
        return None
    then, _ = solved(_settled(m), steps)
    buys = [j for j in then.choice.plan.row if then.orders.is_buy[j]]
    return then if buys else None


def _settled(m: Solution) -> Case:
    """The case once the plan's sales have settled: flows and money on its way are cash too."""
    snapshot, case = m.case.snapshot, m.case
    sold = {m.ctx.symbols[m.orders.security[j]]: m.orders.quantity[j] for j in m.choice.plan.row}
    holdings = tuple(_less(snapshot, h, sold.get(h.symbol, ZERO)) for h in snapshot.holdings)
    cash = dict(snapshot.balances)
    for symbol, quantity in sold.items():
        priced = m.valuation.priced[symbol]
        amount = quantity * priced.unit_price
        costs = order_costs(m.ctx.costs, amount * priced.rate, foreign=False)
        for currency, moved in ((priced.security.currency, amount), _charge(m, costs.total)):
            cash[currency] = cash.get(currency, ZERO) + moved
    later = replace(snapshot, holdings=holdings, cash=cash, settling=(), flows=())
    return replace(case, snapshot=later)


def _charge(m: Solution, total: Decimal) -> tuple[str, Decimal]:
    return m.ctx.base_currency, -total


def _less(snapshot: Snapshot, holding: Holding, sold: Decimal) -> Holding:
    """A holding after a sale; its lots are what no sale took."""
    if not sold:
        return holding
    taken_from = lots_sold(holding.lots, sold)
    rest = []
    for lot in holding.lots:
        gone = sum((part for other, part in taken_from if other is lot), ZERO)
        rest += [replace(lot, quantity=lot.quantity - gone)] if gone < lot.quantity else []
    return replace(
        holding, quantity=holding.quantity - sold, lots=tuple(rest), last_sold=snapshot.as_of
    )
