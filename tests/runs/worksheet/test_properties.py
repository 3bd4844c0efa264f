"""What holds of every worksheet: the plan's own figures, no crash, and no cent lost."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.sheets import sheet_of
from builders.worlds import FEWER, worlds
from steelyard.orders import Side
from steelyard.planning.costs import order_costs
from steelyard.planning.score.reference import evaluate
from steelyard.runs.worksheet import Edits, Sheet, csv_of, document, figures
from steelyard.runs.worksheet.figures import orders_of
from steelyard.store.opening import open_store

ROUNDING = 1e-9


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    entry = open_store(str(tmp_path_factory.mktemp("sheets") / "s.db"))
    yield entry
    entry.close()


@st.composite
def edits(draw: st.DrawFn, sheet: Sheet) -> Edits:
    """Orders in any securities: struck, doubled, turned round, of one lot, of all that is held."""
    ctx, quantities = sheet.ctx, {}
    for i, symbol in enumerate(ctx.symbols):
        lot, holding = ctx.securities[i].lot_size, ctx.holdings[i]
        owned = Decimal(0) if holding is None else holding.quantity
        whole = owned // lot * lot
        own = sheet.calculated.get(symbol, Decimal(0))
        offered = [Decimal(0), lot, 7 * lot, 1000 * lot, -owned, -whole, own]
        offered += [-lot] if whole else []
        if draw(st.booleans()):
            quantities[symbol] = draw(st.sampled_from(offered))
    return Edits(quantities)


@settings(FEWER, deadline=None)
@given(of=worlds(), data=st.data())
def test_calculated_orders_give_the_document_and_any_others_keep_every_cent(store, of, data):
    sheet = sheet_of(store, of)
    plain = figures(sheet, Edits())

    assert plain.broken == ()
    assert plain.edited == plain.calculated
    assert plain.calculated.costs == sheet.plan.costs
    assert plain.calculated.net == pytest.approx(sheet.plan.score.improvement, abs=ROUNDING)

    change = data.draw(edits(sheet))
    result = figures(sheet, change)
    quantities = orders_of(sheet, change)

    assert document(result)["plan_id"] == sheet.plan.plan_id
    assert csv_of(sheet, change).count("\n") >= 1 + len(quantities)
    _no_cent_lost(sheet, result)
    _scored_by_hand(sheet, quantities, result)


def _no_cent_lost(sheet, result):
    """Before + sold − bought − costs = after, in base currency, exactly."""
    plan = sheet.plan
    rates = {p.security.currency: p.rate for p in sheet.valuation.priced.values()}
    rates |= {**sheet.valuation.cash_rates, plan.base_currency: Decimal(1)}
    moved = sum((-row.edited * row.price * row.fx_rate for row in result.rows), Decimal(0))

    def in_base(balances):
        return sum((amount * rates[c] for c, amount in balances.items() if amount), Decimal(0))

    before, after = in_base(plan.balances), in_base(result.edited.cash)
    assert abs(before + moved - result.edited.costs.total - after) < Decimal("1e-12")


def _scored_by_hand(sheet, quantities, result):
    """The figures from weights alone, by the readable evaluator, without a table of orders."""
    ctx, weights, cash = sheet.ctx, sheet.ctx.weights.copy(), sheet.ctx.cash_weight
    cost = 0.0
    for symbol, quantity in quantities.items():
        priced = sheet.valuation.priced[symbol]
        moved = float(quantity * priced.share) / ctx.value
        weights[ctx.place[symbol]] += moved
        cash -= moved
        foreign = priced.security.currency != ctx.base_currency
        cost += float(order_costs(ctx.costs, abs(quantity) * priced.share, foreign=foreign).total)
    objective = sheet.objective
    score = evaluate(objective.terms, objective.weights, weights, cash).score
    assert result.edited.score == pytest.approx(score, abs=1e-7, rel=1e-7)
    if ctx.target_weights is not None:
        off = np.abs(weights - ctx.target_weights).sum() + abs(cash - ctx.target_cash)
        drift = (off + ctx.absent_target + ctx.kept_out_weight) / 2
        assert result.edited.drift == pytest.approx(drift, abs=1e-7, rel=1e-7)
    if not sheet.objective.rates.tax and sheet.owed is None:
        rates = sheet.objective.rates
        charges = rates.cost * cost / ctx.value + rates.hurdle * len(quantities)
        net = math.fsum((score, -result.before.score, -charges))
        assert result.edited.net == pytest.approx(net, abs=1e-7, rel=1e-7)


@settings(FEWER, deadline=None)
@given(of=worlds())
def test_every_order_struck_is_holding(store, of):
    sheet = sheet_of(store, of)
    result = figures(sheet, Edits(dict.fromkeys(sheet.calculated, Decimal(0))))

    assert result.edited == result.before
    assert result.edited.net == 0
    assert result.edited.score == pytest.approx(sheet.plan.score.hold, abs=ROUNDING)
    assert result.edited.drift == pytest.approx(sheet.plan.drift.before, abs=ROUNDING)
    assert {row.edited for row in result.rows} <= {Decimal(0)}
    assert all(step.side in Side for step in sheet.plan.steps)
