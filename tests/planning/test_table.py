"""The candidate table: priorities and charges, with all its sets enumerated."""

import itertools
from dataclasses import replace
from decimal import Decimal

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from builders.world import Prepared, prepared
from builders.worlds import FEWER, worlds
from steelyard.arrays import PAD
from steelyard.ledger import feasible
from steelyard.modules.candidates import Candidates
from steelyard.modules.registry import Kind, modules
from steelyard.modules.tables import evaluate
from steelyard.modules.terms import end_state
from steelyard.planning.collapse import collapse
from steelyard.planning.table import paired_gains, with_scores

MOST_ROWS = 8
USUAL_WEIGHTS = {
    name: module.params().model_dump()["priority_weight"]
    for name, module in modules(Kind.OPPORTUNITY).items()
}
DEPTH = 3


def sets_of(m: int) -> np.ndarray:
    rows = [row for size in range(1, DEPTH + 1) for row in itertools.combinations(range(m), size)]
    return np.array([[*row, *[PAD] * (DEPTH - len(row))] for row in rows], dtype=np.int64).reshape(
        -1, DEPTH
    )


def only_rows(table: Candidates, rows: list[int]) -> Candidates:
    """Some rows of a table."""
    account, at = table.account, np.array(rows, dtype=np.int64)
    clashes = account.conflicts[np.ix_(at, at)] if account.any_conflict else np.zeros((0, 0), bool)
    some = {
        name: getattr(table, name)[at]
        for name in ("security", "is_buy", "delta", "cost", "tax", "full_exit")
    }
    listed = {
        name: tuple(getattr(table, name)[j] for j in rows)
        for name in ("ids", "quantity", "proposals")
    }
    return replace(
        table, **some, **listed, free=None if table.free is None else table.free[at],
        account=replace(
            account, security=account.security[at], delta=account.delta[at],
            cost=account.cost[at], conflicts=clashes, group_shares=account.group_shares[at],
            exact=None,
        ),
    )  # fmt: skip


def nets(of: Prepared, cost: np.ndarray, hurdle: float | None = None) -> np.ndarray:
    """Net of every set of the first rows under other costs, -inf where one does not fit today."""
    table, model = of.table, of.objective.model
    rates = of.objective.rates if hurdle is None else replace(of.objective.rates, hurdle=hurdle)
    start = end_state(of.ctx.weights, of.ctx.cash_weight)
    tables = collapse(model, start, table.security, table.delta, cost, table.tax, rates)
    rows = sets_of(min(MOST_ROWS, table.m))
    return np.where(feasible(table.account, rows), evaluate(tables, rows), -np.inf)


@FEWER
@given(worlds(), st.sampled_from([0.0001, 0.01]), st.sampled_from([0.0, 0.001, 0.02]))
def test_a_dearer_commission_lowers_the_net_of_every_set_and_hold_never_loses_by_it(
    of, fixed, percent
):
    stage = prepared(of)
    assume(stage.table.m)
    cost = stage.table.cost
    dearer = cost + fixed + percent * np.abs(stage.table.delta)

    before, after = nets(stage, cost), nets(stage, dearer)

    finite = np.isfinite(before)
    assert (after[finite] < before[finite]).all()
    least = of.strategy.score.min_improvement
    if not (before >= max(least, 1e-300)).any():
        assert not (after >= max(least, 1e-300)).any()


@FEWER
@given(worlds(), st.sampled_from([0.0, 0.002, 0.05]))
def test_a_higher_hurdle_never_adds_orders_to_the_best_set(of, more):
    stage = prepared(of)
    assume(stage.table.m)
    size = (sets_of(min(MOST_ROWS, stage.table.m)) != PAD).sum(axis=1)
    low, high = (
        nets(stage, stage.table.cost, stage.objective.rates.hurdle + extra) for extra in (0.0, more)
    )

    def fewest(net):
        return min([0] if net.max() <= 0 else size[net >= net.max() - 1e-12])

    def most(net):
        return 0 if net.max() < 0 else max(size[net >= net.max() - 1e-12])

    assert fewest(high) <= most(low)


@FEWER
@given(worlds())
def test_a_priority_is_what_an_order_gains_alone_and_together_what_it_gains_with_another(of):
    stage = prepared(of)
    table = stage.table
    assume(table.m)
    multiplier = stage.ctx.priority_multiplier[table.security]
    multiplier = np.where(table.is_buy, multiplier, 1 / multiplier)
    rows = [(j, PAD) for j in range(table.m)]
    rows += [
        (j, k)
        for j in range(table.m)
        for k in range(table.m)
        if table.is_buy[j] < table.is_buy[k] and table.security[j] != table.security[k]
    ]
    cells = np.array(rows, dtype=np.int64)
    net = np.where(feasible(table.account, cells), evaluate(table.tables, cells), -np.inf)

    for j in range(table.m):
        best = net[(cells == j).any(axis=1)].max()
        assert table.paired[j] == best
        gain = max(table.alone[j], 0.0)
        weights = {p.source: USUAL_WEIGHTS.get(p.source, 1.0) for p in table.proposals[j]}
        least, most = (
            multiplier[j] * weight * gain / (multiplier[j] * weight * gain + 0.005)
            for weight in (min(weights.values()), max(weights.values()))
        )
        assert least - 1e-12 <= table.priority[j] <= most + 1e-12 < 1 + 1e-12
        assert table.priority[j] < 1
        assert (table.together[j] > 0) == (best > 0)
    assert np.array_equal(paired_gains(table, table.alone), table.paired)


@FEWER
@given(worlds())
def test_no_other_candidate_changes_a_priority(of):
    """Not an order that can never be paid, and not the half of the others that is there."""
    stage = prepared(of)
    table = stage.table
    assume(table.m)
    m = table.m
    # one more buy, of another security, that no cash pays for
    last, account = stage.ctx.n - 1, table.account
    wider = replace(
        table,
        ids=(*table.ids, f"c{m + 1}"),
        security=np.append(table.security, last),
        is_buy=np.append(table.is_buy, True),
        quantity=(*table.quantity, Decimal(1)),
        delta=np.append(table.delta, 1e6),
        cost=np.append(table.cost, 0.0),
        tax=np.append(table.tax, 0.0),
        full_exit=np.append(table.full_exit, False),
        proposals=(*table.proposals, table.proposals[0]),
        free=None if table.free is None else np.append(table.free, False),
        account=replace(
            account, security=np.append(account.security, last),
            delta=np.append(account.delta, 1e6), cost=np.append(account.cost, 0.0),
            conflicts=np.pad(account.conflicts, (0, 1)),
            group_shares=np.pad(account.group_shares, ((0, 1), (0, 0))),
        ),
    )  # fmt: skip

    def scores(of):
        return with_scores(
            stage.ctx, of, stage.objective.model, stage.objective.rates, np.ones(of.m)
        )

    before, after = scores(table), scores(wider)
    fewer = scores(only_rows(table, [*range(0, m, 2)]))

    assert np.allclose(fewer.priority, before.priority[::2], rtol=1e-9, atol=0)
    assert after.priority[:m].tolist() == before.priority.tolist()
    assert after.priority[m] == 0
