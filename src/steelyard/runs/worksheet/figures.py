"""The figures of a worksheet: before, calculated and edited, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import numpy as np

from steelyard.money import ZERO
from steelyard.planning.bands import edges_of
from steelyard.planning.choice import one_by_one
from steelyard.planning.document.orders import costs_of, notional_base
from steelyard.planning.solve import Solution
from steelyard.runs.worksheet.broken import broken
from steelyard.runs.worksheet.records import Against, Broken, Edits, Figures, Row, Standing
from steelyard.runs.worksheet.sheet import Sheet
from steelyard.runs.worksheet.standing import standing_of
from steelyard.runs.worksheet.words import headline, sentences


def figures(sheet: Sheet, edits: Edits, *, worths: bool = True) -> Figures:
    """What the edited orders come to, against the calculated ones; milliseconds.

    worths   also what each order adds: every one is scored again without it, half of the time

    Symbols that are in no row of the plan are passed over: `edits_of` refuses them.
    """
    quantities = orders_of(sheet, edits)
    m = sheet.solution(quantities)
    before, calculated = sheet.standings
    edited = calculated if quantities == sheet.calculated else standing_of(m)
    every = tuple(broken(sheet, m, sheet.orders(quantities), quantities))
    against = _against(sheet, calculated, edited)
    adds = _adds(sheet, m) if worths else {}
    rows = tuple(_rows(sheet, m, quantities, edits.locked, every, adds))
    head = headline(sheet, against, edited, changed=quantities != sheet.calculated)
    return Figures(
        plan_id=sheet.plan.plan_id,
        base_currency=sheet.ctx.base_currency,
        edits=edits,
        before=before,
        calculated=calculated,
        edited=edited,
        against=against,
        rows=rows,
        broken=every,
        headline=head,
        sentences=tuple(sentences(sheet, m, edited, every)),
    )


def orders_of(sheet: Sheet, edits: Edits) -> dict[str, Decimal]:
    """The orders as edited: symbol -> signed shares, none of them 0, in the plan's order."""
    merged = {**sheet.calculated, **edits.quantities}
    return {symbol: q for symbol, q in merged.items() if q and symbol in sheet.ctx.place}


def _against(sheet: Sheet, calculated: Standing, edited: Standing) -> Against:
    score = edited.net - calculated.net
    drifts = edited.drift, calculated.drift
    drift = None if drifts[0] is None or drifts[1] is None else drifts[0] - drifts[1]
    return Against(
        score=score,
        base_per_year=sheet.objective.rates.base_per_year(score, sheet.ctx.value),
        drift=drift,
        cost=edited.costs.total - calculated.costs.total,
    )


def _adds(sheet: Sheet, m: Solution) -> dict[int, float]:
    """What the orders lose without each of them, by its place in the table."""
    worths = one_by_one(sheet.ctx, m.objective, m.choice)
    return {j: worth.score for j, worth in zip(m.choice.plan.row, worths, strict=True)}


def _rows(
    sheet: Sheet,
    m: Solution,
    quantities: Mapping[str, Decimal],
    locked: frozenset[str],
    every: Iterable[Broken],
    adds: Mapping[int, float],
) -> Iterable[Row]:
    """What is held, targeted or traded; as in the plan, then by symbol what the plan has not."""
    ctx, edges, row = sheet.ctx, edges_of(sheet.ctx), m.choice.plan.row
    order = {ctx.symbols[m.orders.security[j]]: j for j in row}
    limits: dict[str, list[Broken]] = {}
    for limit in every:
        if limit.symbol is not None:
            limits.setdefault(limit.symbol, []).append(limit)
    after, planned = m.orders.after(ctx.weights, row), sheet.weights
    for symbol in _shown(sheet, quantities):
        i, j = ctx.place[symbol], order.get(symbol)
        priced, target = m.valuation.priced[symbol], ctx.target_weights
        exit_ = j is not None and bool(m.orders.full_exit[j])
        yield Row(
            symbol=symbol,
            name=priced.security.name,
            currency=priced.security.currency,
            lot=priced.security.lot_size,
            owned=priced.quantity,
            price=priced.price,
            fx_rate=priced.rate,
            calculated=sheet.calculated.get(symbol, ZERO),
            edited=quantities.get(symbol, ZERO),
            locked=symbol in locked,
            notional_base=ZERO if j is None else notional_base(m, j),
            cost=ZERO if j is None else costs_of(m, j).total,
            weight=float(ctx.weights[i]),
            weight_calculated=float(planned[i]),
            weight_after=0.0 if exit_ else float(after[i]),
            target=None if target is None else float(target[i]),
            band=None if edges is None else (float(edges.low[i]), float(edges.high[i])),
            adds=None if j is None else adds.get(j),
            broken=tuple(limits.get(symbol, ())),
        )


def _shown(sheet: Sheet, quantities: Mapping[str, Decimal]) -> list[str]:
    """First the orders of the plan, then the others by symbol."""
    ctx = sheet.ctx
    targeted = np.zeros(ctx.n) if ctx.target_weights is None else ctx.target_weights
    rest = {
        symbol
        for i, symbol in enumerate(ctx.symbols)
        if ctx.quantities[i] > 0 or targeted[i] > 0 or symbol in quantities
    }
    return [*sheet.calculated, *sorted(rest - sheet.calculated.keys())]
