"""The collapsed tables: the score of a set, of any size, equal to the readable evaluator."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from builders.tables import gradient
from builders.world import prepared
from builders.worlds import FEWER, worlds
from steelyard.arrays import PAD
from steelyard.modules.tables import CHUNK, evaluate
from steelyard.modules.terms import end_state
from steelyard.planning.choice import AGREEMENT
from steelyard.planning.scored import score_set


def random_rows(solved, seed, count=20, depth=5):
    """Sets of orders in distinct securities, feasible or not."""
    random = np.random.default_rng(seed)
    rows = np.full((count, depth), PAD, dtype=np.int64)
    for row in rows:
        order = random.permutation(solved.table.m)
        _, first = np.unique(solved.table.security[order], return_index=True)
        chosen = sorted(order[np.sort(first)][: random.integers(1, depth + 1)])
        row[: len(chosen)] = chosen
    return rows


@FEWER
@given(worlds(), st.integers(0, 2**32))
def test_the_tables_agree_with_the_readable_evaluator_on_any_set(portfolio, seed):
    solved = prepared(portfolio)
    assume(solved.table.m)
    hold = score_set(solved.ctx, solved.objective, solved.table, (), 0.0).evaluation.score
    rows = random_rows(solved, seed)

    for row, net in zip(rows, evaluate(solved.table.tables, rows), strict=True):
        scored = score_set(
            solved.ctx, solved.objective, solved.table, [int(j) for j in row if j != PAD], hold
        )
        assert net == pytest.approx(scored.net, abs=AGREEMENT * max(1, abs(hold)), rel=0)


@FEWER
@given(worlds(), st.integers(0, 2**32))
def test_a_set_is_worth_the_same_in_any_order_and_any_batch(portfolio, seed):
    solved = prepared(portfolio)
    assume(solved.table.m)
    rows = random_rows(solved, seed)
    together = evaluate(solved.table.tables, rows)

    assert [
        evaluate(solved.table.tables, rows[k : k + 1])[0] for k in range(len(rows))
    ] == together.tolist()
    assert evaluate(solved.table.tables, rows[:, ::-1]) == pytest.approx(
        together, abs=1e-12, rel=1e-12
    )


@FEWER
@given(worlds())
def test_the_linear_table_is_the_slope_along_each_order_less_its_charges(portfolio):
    solved = prepared(portfolio)
    assume(solved.table.m)
    table, rates = solved.table, solved.objective.rates
    slope = gradient(solved.objective.model, end_state(solved.ctx.weights, solved.ctx.cash_weight))
    along = table.delta * (slope[table.security] - slope[-1])
    charged = rates.cost * table.cost + rates.tax * table.tax + rates.hurdle * table.hurdled
    norms = sum(norm.k * norm.linear / (2 * np.sqrt(norm.v0)) for norm in table.tables.norms)

    assert table.tables.linear - norms == pytest.approx(along - charged, rel=1e-7, abs=1e-9)


@FEWER
@given(worlds())
def test_what_is_subtracted_is_never_negative_so_the_score_is_concave(portfolio):
    tables = prepared(portfolio).table.tables
    assume(len(tables.linear))

    for matrix in (tables.quadratic, *(norm.quadratic for norm in tables.norms)):
        assert np.array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix)[0] >= -1e-9 * max(1, np.abs(matrix).max())
    assert all(norm.k >= 0 for norm in tables.norms)


@FEWER
@given(worlds())
def test_doing_nothing_is_worth_nothing(portfolio):
    assert evaluate(prepared(portfolio).table.tables, np.full((1, 5), PAD)).tolist() == [0.0]


def test_no_rows_have_no_worth_and_many_are_done_in_chunks():
    from builders.changes import usual

    tables = prepared(usual()).table.tables
    assert evaluate(tables, np.zeros((0, 3), dtype=np.int64)).shape == (0,)
    portfolio = evaluate(tables, np.array([[0, 1]]))[0]
    assert set(evaluate(tables, np.tile([0, 1], (CHUNK + 3, 1))).tolist()) == {portfolio}
