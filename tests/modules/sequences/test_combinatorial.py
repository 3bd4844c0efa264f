"""Combinatorial: the most promising first, every number of sales and buys in turn, affordable."""

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builders.context import candidates, context
from steelyard.arrays import PAD, frozen
from steelyard.ledger import feasible
from steelyard.modules.sequences.combinatorial import Params, combinatorial, promise

TWENTY = " ".join("ABCDEFGHIJKLMNOPQRST")


def found(ctx, table, params=None, seeds=None):
    """All rows, as tuples without pads."""
    seeds = np.full((0, ctx.search.max_depth), PAD, dtype=np.int64) if seeds is None else seeds
    blocks = list(combinatorial(ctx, table, seeds, params or Params()))
    return [tuple(j for j in row if j != PAD) for block in blocks for row in block.tolist()]


def worth(table, values):
    """The table with what each order is worth in a pair; alone it is worth nothing."""
    return replace(table, paired=frozen(np.array(values, dtype=np.float64)))


def large(depth=5):
    """Ten names to sell and ten to buy; the later the better."""
    ctx = context(TWENTY, weights=[0.08] * 10 + [0.0] * 10, cash=0.2, max_depth=depth)
    sells = [f"sell {s} .02 {0.3 + k / 20} rebalance_sells" for k, s in enumerate("ABCDEFGHIJ")]
    buys = [f"buy {s} .02 {0.3 + k / 20} opportunity_buys" for k, s in enumerate("KLMNOPQRST")]
    table = candidates(ctx, *sells, *buys, cost=0.0005)
    return ctx, worth(table, [*range(10), *range(10)])


def shape(table, row):
    bought = int(table.is_buy[list(row)].sum())
    return len(row) - bought, bought


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sell", "buy"]), st.sampled_from("ABCD"),
            st.sampled_from([0.05, 0.1, 0.2]), st.sampled_from([0.3, 0.9]),
        ),
        max_size=6,
        unique_by=lambda order: order[:2],
    ),
    st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=6, max_size=6),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(0, 3),
)  # fmt: skip
def test_when_they_are_few_every_feasible_combination_comes_once(
    wanted, values, depth, max_sells, max_buys
):
    ctx = context("A B C D", weights=[0.24] * 4, cash=0.04, max_depth=depth)
    table = candidates(
        ctx,
        *(f"{side} {symbol} {size} {priority} x" for side, symbol, size, priority in wanted),
        cost=0.001,
    )
    table = worth(table, values[: table.m])

    rows = found(ctx, table, Params(max_sells=max_sells, max_buys=max_buys, max_combinations=100))

    every = (
        row for size in range(1, depth + 1) for row in itertools.combinations(range(table.m), size)
    )
    fitting = {
        row
        for row in every
        if shape(table, row)[0] <= max_sells and shape(table, row)[1] <= max_buys
    }
    assert len(rows) == len(set(rows))
    assert set(rows) == {row for row in fitting if feasible(table.account, np.array([row])).all()}


def test_of_one_shape_the_more_promising_come_first():
    ctx, table = large()

    rows = found(ctx, table, Params(max_combinations=500))

    by_shape = {}
    for row in rows:
        by_shape.setdefault(shape(table, row), []).append(sum(promise(table)[list(row)]))
    assert len(by_shape) == 4 * 4 - len({(0, 0), (3, 3)})
    assert all(sums == sorted(sums, reverse=True) for sums in by_shape.values())


def test_the_first_of_each_shape_is_its_most_promising():
    ctx, table = large()

    first = found(ctx, table)[:2]

    # ranks 7, 8 and 9 are worth most: three sales with two buys, two sales with three buys
    assert {tuple(ctx.symbols[table.security[j]] for j in row) for row in first} == {
        tuple("HIJST"),
        tuple("IJRST"),
    }


def test_neither_the_first_sale_nor_the_largest_sequences_use_up_what_is_wanted():
    ctx, table = large()

    rows = found(ctx, table)

    assert len(rows) == 50
    assert {shape(table, row) for row in rows} == {
        (s, b) for s in range(4) for b in range(4) if 1 <= s + b <= 5
    }
    assert len({row[0] for row in rows if not table.is_buy[row[0]]}) > 3


def test_an_order_is_worth_the_better_of_alone_and_in_a_pair_and_never_less_than_nothing():
    ctx = context("A B C")
    table = candidates(ctx, *[f"buy {s} .1 .9 x" for s in "ABC"])
    table = replace(
        table,
        alone=frozen(np.array([1.0, -2.0, -2.0])),
        paired=frozen(np.array([0.5, 3.0, -np.inf])),
    )

    assert promise(table).tolist() == [1.0, 3.0, 0.0]


def test_a_sequence_keeps_to_the_numbers_of_sales_and_buys():
    ctx, table = large()

    for sells, buys in ((0, 3), (3, 0), (1, 1)):
        rows = found(ctx, table, Params(max_sells=sells, max_buys=buys))
        sold, bought = zip(*(shape(table, row) for row in rows), strict=True)
        assert (max(sold), max(bought)) == (sells, buys)


def test_only_the_first_securities_of_each_side_by_priority_are_drawn_from():
    ctx, table = large()

    rows = found(ctx, table, Params(max_candidates=2))

    assert {ctx.symbols[table.security[j]] for row in rows for j in row} == set("IJST")


def test_a_depth_of_one_gives_single_orders():
    ctx, table = large(depth=1)

    assert sorted(found(ctx, table)) == [(j,) for j in range(20)]


def test_a_seed_sequence_is_not_proposed_again():
    ctx = context("A B", weights=[0.4, 0.4])
    table = candidates(ctx, "sell A .1 .9 x", "buy B .1 .9 x")

    assert sorted(found(ctx, table, seeds=np.array([[1, 0, PAD, PAD, PAD]]))) == [(0,), (1,)]


def test_what_cash_never_pays_for_ends_after_a_bounded_number_of_combinations():
    ctx = context(TWENTY, weights=[0.05] * 20, cash=0.0)
    table = candidates(ctx, *[f"buy {symbol} .05 .9 opportunity_buys" for symbol in TWENTY.split()])

    assert found(ctx, table, Params(max_candidates=20, max_buys=10)) == []


def test_nothing_to_draw_from_gives_nothing():
    ctx = context("A B")

    assert found(ctx, candidates(ctx)) == []


def test_equal_promises_are_decided_by_priority():
    ctx = context("A B C", weights=[0.1] * 3)
    table = candidates(ctx, "buy A .1 .5 x", "buy B .1 .9 x", "buy C .1 .7 x")

    rows = found(ctx, table, Params(max_buys=1))

    assert [ctx.symbols[table.security[row[0]]] for row in rows] == ["B", "C", "A"]
