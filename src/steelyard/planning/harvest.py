"""Targets lent by a security that is sold at a loss to the one that takes its place.

A target is a wish for a class of things as much as for one: while what is in it is sold to take a
loss, and may then not be bought for a while, its next of kin stands in for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from steelyard.arrays import frozen
from steelyard.modules.context import Context
from steelyard.modules.opportunities.tax_loss import NOBODY, Params, partner_of, swaps
from steelyard.modules.registry import Kind
from steelyard.modules.wash_sales import groups, last_trades
from steelyard.notices import Notice
from steelyard.planning.case import Case
from steelyard.planning.findings import Findings
from steelyard.planning.valuation import Priced, Valuation
from steelyard.sentences import percent
from steelyard.strategies import Strategy

TAX_LOSS = "tax_loss"


def harvests(strategy: Strategy, disabled: Mapping[str, str]) -> Params | None:
    """The parameters of the calculator where it works; None where it does not."""
    choice = strategy.choice(Kind.OPPORTUNITY, TAX_LOSS)
    out = {choice.module.name, choice.module.qualified} & disabled.keys()
    params = choice.params
    return params if isinstance(params, Params) and choice.enabled and not out else None


def partners(case: Case, valuation: Valuation) -> set[str]:
    """What may take the place of something held: of its class or its substitutes, with a price."""
    if harvests(case.strategy, case.disabled) is None:
        return set()
    owned = [p.security for p in valuation.priced.values() if p.quantity > 0]
    kin = {item for security in owned for item in security.classes.items()}
    alike = {security.substitute for security in owned} - {""}
    return {
        symbol
        for symbol, p in valuation.priced.items()
        if _buyable(p) and (kin & set(p.security.classes.items()) or p.security.substitute in alike)
    }


def _buyable(p: Priced) -> bool:
    return p.fresh and p.security.allow_buy


def lent(ctx: Context, case: Case, findings: Findings) -> Context:
    """The context in which what is sold at a loss, or was, lends its target; each said first."""
    params = harvests(case.strategy, case.disabled)
    if params is None or ctx.target_weights is None or not ctx.lot_rule.short:
        return ctx
    asked, same = swaps(ctx, params), groups(ctx)
    targets, stays = ctx.target_weights.copy(), ctx.weights.copy()
    partner: dict[int, int] = {}
    for swap in asked:
        partner[swap.sold], stays[swap.sold] = swap.bought, ctx.weights[swap.sold] - swap.weight
    barred = last_trades(ctx, at_loss=True) if ctx.lots.wash_sale_days else {}
    leaving = {swap.sold for swap in asked}
    for i in np.flatnonzero(targets > ctx.weights).tolist():
        if same[i] in barred and i not in partner:
            partner[i] = partner_of(ctx, i, leaving)
    for i, k in sorted(partner.items()):
        moved = float(targets[i] - min(targets[i], max(0.0, stays[i])))
        if k != NOBODY and moved > 0:
            targets[i], targets[k] = targets[i] - moved, targets[k] + moved
            findings.warnings.append(_said(ctx, (i, k), moved, sold=i in leaving))
    return replace(ctx, target_weights=frozen(targets))


def _said(ctx: Context, pair: tuple[int, int], moved: float, *, sold: bool) -> Notice:
    """`sold`: is it sold at a loss now? Else it, or what counts as the same, was."""
    symbol, other = (ctx.symbols[i] for i in pair)
    why = f"{symbol} is sold at a loss (tax_loss)"
    if not sold:
        days = ctx.lots.wash_sale_days
        why = f"{symbol}, or what counts as the same, was sold at a loss within {days} days"
    message = (
        f"{percent(moved)} % of value that the targets give {symbol} stand for {other}: {why}."
    )
    return Notice(code="target_lent", message=message, symbol=symbol, head=True)
