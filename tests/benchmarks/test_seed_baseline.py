"""The recorded inputs arrive whole: value, costs, breaches and the earlier scores come out."""

import hashlib
from dataclasses import replace
from decimal import Decimal

import pytest
from benchmarks.planning import judge, orders_of, prepare, watch
from benchmarks.seed_baseline import DATA, SIZES, case

from steelyard.settings import Search


@pytest.mark.parametrize("n", SIZES)
def test_value_and_costs_are_the_recorded_ones(n):
    recorded = case(n)

    prepared = prepare(recorded.inputs)
    theirs = judge(prepared, recorded.recorded.orders)

    figures, value = recorded.recorded.figures, prepared.ctx.value
    assert value == pytest.approx(recorded.portfolio["total_value_eur"], abs=0.01)
    assert theirs.cost * value == pytest.approx(figures["cost_eur"], abs=0.01)
    assert theirs.cash_after * value == pytest.approx(figures["cash_after_costs"], abs=0.02)
    assert theirs.off_lot == figures["lot_violations"]


def test_the_formula_of_the_earlier_score_reproduces_its_recorded_scores():
    for n in SIZES:
        of, recorded = case(n), case(n).recorded
        for orders, figures in (({}, recorded.hold), (recorded.orders, recorded.figures)):
            for groups, name in ((True, "end_groups"), (False, "end_nogroups")):
                assert of.original_score(orders, with_groups=groups) == figures[name], n


def test_our_own_plan_is_judged_as_the_plan_document_says():
    inputs = case(20).inputs
    plan = inputs.plan()

    ours = judge(prepare(inputs), orders_of(plan))

    assert ours.hold == pytest.approx(plan.score.hold, abs=1e-11)
    # a judge of any orders charges each its hurdle, also what new money buys
    uncharged = 0.001 * len(plan.steps) - plan.score.charges.hurdle
    assert ours.net == pytest.approx(plan.score.improvement - uncharged, abs=1e-11)
    assert (ours.off_lot, ours.cash_missing) == (0, 0.0)


def test_an_order_off_lot_and_a_reserve_that_is_not_kept_are_counted():
    prepared = prepare(case(20).inputs)
    lots = {s.symbol: s.lot_size for s in prepared.ctx.securities}
    symbol = next(symbol for symbol, lot in lots.items() if lot > 1)

    judged = judge(prepared, {symbol: lots[symbol] + 1})
    broke = judge(prepared, {symbol: Decimal(10_000) * lots[symbol]})

    assert judged.off_lot == 1
    assert (broke.off_lot, broke.cash_missing > 0) == (0, True)


def test_selling_a_whole_odd_holding_is_no_breach_of_lots():
    prepared = prepare(case(20).inputs)
    i = int(prepared.ctx.held.argmax())

    whole = -Decimal(repr(float(prepared.ctx.quantities[i])))
    assert judge(prepared, {prepared.ctx.symbols[i]: whole}).off_lot == 0


def test_the_files_are_those_of_the_source_note():
    lines = (DATA / "SOURCE.md").read_text().splitlines()
    listed = dict(reversed(line.split()) for line in lines if line.startswith("    "))

    hashes = {name: hashlib.sha256((DATA / name).read_bytes()).hexdigest() for name in listed}
    assert len(listed) == 8
    assert hashes == listed


def test_the_stopwatch_sees_the_first_set_that_is_good_enough_before_the_search_ends():
    # sets of candidates are what it looks at
    table = Search(scope="candidates", refine=False)
    inputs = replace(case(20).inputs, strategy=replace(case(20).inputs.strategy, search=table))
    net = inputs.plan().score.improvement

    nothing, all_of_it, too_much = (watch(inputs, aim) for aim in (0.0, net - 1e-9, net + 1.0))

    assert 0 < nothing.first <= nothing.searched
    assert 0 < all_of_it.first <= all_of_it.searched + 0.5
    assert too_much.first is None
    assert too_much.searched > 0
