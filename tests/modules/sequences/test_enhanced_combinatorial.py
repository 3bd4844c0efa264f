"""Enhanced combinatorial: all combinations if few, else a seeded sample without repeats."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.context import candidates, context, orders
from steelyard.arrays import PAD
from steelyard.ledger import feasible
from steelyard.modules.sequences import generator
from steelyard.modules.sequences.enhanced_combinatorial import (
    Params,
    enhanced_combinatorial,
    sampling_weights,
)

TWENTY = " ".join("ABCDEFGHIJKLMNOPQRST")


def found(ctx, table, params=None, seeds=None):
    """All rows, as tuples without pads."""
    seeds = np.full((0, ctx.search.max_depth), PAD, dtype=np.int64) if seeds is None else seeds
    blocks = list(enhanced_combinatorial(ctx, table, seeds, params or Params()))
    return [tuple(j for j in row if j != PAD) for block in blocks for row in block.tolist()]


def large(**options):
    """Ten names to sell and ten to buy, two sizes each: far more combinations than are wanted."""
    ctx = context(TWENTY, weights=[0.08] * 10 + [0.0] * 10, cash=0.2, **options)
    sells = [
        f"sell {s} {size} {0.3 + k / 20} rebalance_sells"
        for k, s in enumerate("ABCDEFGHIJ")
        for size in (0.02, 0.05)
    ]
    buys = [
        f"buy {s} {size} {0.3 + k / 20} opportunity_buys"
        for k, s in enumerate("KLMNOPQRST")
        for size in (0.02, 0.06)
    ]
    return ctx, candidates(ctx, *sells, *buys, cost=0.0005)


def oracle(ctx, table, params):
    """Every feasible set by brute force over the whole table."""
    depth, wanted = ctx.search.max_depth, set()
    for size in range(1, depth + 1):
        for row in itertools.combinations(range(table.m), size):
            bought = int(table.is_buy[list(row)].sum())
            fits = bought <= params.max_buys and size - bought <= params.max_sells
            if fits and feasible(table.account, np.array([row])).all():
                wanted.add(row)
    return wanted


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sell", "buy"]), st.sampled_from("ABCD"),
            st.sampled_from([0.05, 0.1, 0.2]), st.sampled_from([0.3, 0.6, 0.9]),
        ),
        max_size=8,
        unique_by=lambda order: order[:3],
    ),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(0, 3),
)  # fmt: skip
def test_when_they_are_few_every_feasible_combination_comes_once(
    wanted, depth, max_sells, max_buys
):
    ctx = context("A B C D", weights=[0.24] * 4, cash=0.04, max_depth=depth)
    table = candidates(
        ctx,
        *(f"{side} {symbol} {size} {priority} x" for side, symbol, size, priority in wanted),
        cost=0.001,
    )
    params = Params(max_sells=max_sells, max_buys=max_buys)

    rows = found(ctx, table, params)

    assert len(rows) == len(set(rows))
    assert set(rows) == oracle(ctx, table, params)


def test_many_combinations_are_sampled_up_to_the_number_wanted():
    ctx, table = large()

    rows = found(ctx, table)

    assert len(rows) == 1000
    assert len(set(map(frozenset, rows))) == 1000


def test_every_sampled_row_is_sorted_affordable_and_within_its_limits():
    ctx, table = large()
    seeds = np.full((0, 5), PAD, dtype=np.int64)

    for block in enhanced_combinatorial(ctx, table, seeds, Params(max_sells=2, max_buys=3)):
        assert block.shape[1] == 5
        assert len(block) <= 256
        assert feasible(table.account, block).all()
        bought = np.where(block >= 0, table.is_buy[block], False).sum(axis=1)
        sold = np.where(block >= 0, ~table.is_buy[block], False).sum(axis=1)
        assert (bought <= 3).all()
        assert (sold <= 2).all()
        assert ((bought + sold) >= 1).all()


def test_buys_alone_sales_alone_and_both_together_are_all_drawn():
    ctx, table = large()

    mixes = {frozenset(bool(table.is_buy[j]) for j in row) for row in found(ctx, table)}

    assert mixes == {frozenset({True}), frozenset({False}), frozenset({True, False})}


def test_better_candidates_are_drawn_more_often():
    ctx, table = large()

    drawn = Counter(ctx.symbols[table.security[j]] for row in found(ctx, table) for j in row)

    assert drawn["J"] > 2 * drawn["A"]
    assert drawn["T"] > 2 * drawn["K"]


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    rows = [found(*large(seed=seed)) for seed in (7, 7, 8)]

    assert rows[0] == rows[1]
    assert rows[0] != rows[2]


def test_random_numbers_depend_on_the_name_of_the_module():
    ctx = context("A", seed=3)

    first, again, other = (generator(ctx, name).random() for name in ("one", "one", "two"))
    assert first == again != other


def test_a_seed_sequence_is_not_proposed_again():
    ctx = context("A B", weights=[0.4, 0.4])
    table = candidates(ctx, "sell A .1 .9 x", "buy B .1 .9 x")

    # a seed may list its orders in any order
    assert found(ctx, table, seeds=np.array([[1, 0, PAD, PAD, PAD]])) == [(1,), (0,)]


def test_only_the_best_securities_of_each_side_are_drawn_from():
    ctx, table = large()

    rows = found(ctx, table, Params(max_candidates=2))

    assert {ctx.symbols[table.security[j]] for row in rows for j in row} == set("IJST")


def test_sizes_say_whether_one_order_of_a_security_is_drawn_or_all():
    ctx, table = large()

    def drawn(sizes):
        return {j for row in found(ctx, table, Params(sizes=sizes)) for j in row}

    assert drawn("best") == set(table.pool)
    assert drawn("all") == set(range(table.m))


def test_half_of_a_sample_draws_the_best_order_of_each_security_only():
    ctx, table = large()

    rows = found(ctx, table)

    assert all(set(row) <= set(table.pool) for row in rows[:500])
    assert not all(set(row) <= set(table.pool) for row in rows[500:])


def test_better_sizes_of_a_security_are_drawn_more_often():
    ctx = context(TWENTY, weights=[0.05] * 20, cash=1.0)
    buys = [
        f"buy {symbol} {size} {priority} x"
        for symbol in TWENTY.split()
        for size, priority in ((0.02, 0.3), (0.03, 0.6), (0.04, 0.9))
    ]
    table = candidates(ctx, *buys)

    drawn = Counter(
        round(float(table.delta[j]), 2)
        for row in found(ctx, table, Params(max_candidates=20))[500:]
        for j in row
    )

    assert drawn[0.04] > 2 * drawn[0.03] > 2 * drawn[0.02] > 0


def test_a_side_without_candidates_leaves_the_other_alone():
    ctx = context(TWENTY, weights=[0.0] * 20)
    buys = [f"buy {symbol} {w} .9 x" for symbol in TWENTY.split() for w in (0.05, 0.1)]
    table = candidates(ctx, *buys)

    rows = found(ctx, table)

    assert len(rows) == 1000
    assert all(table.is_buy[list(row)].all() for row in rows)


def test_a_number_wanted_of_one_is_kept():
    assert len(found(*large(), Params(max_combinations=1))) == 1


def test_nothing_to_draw_from_gives_nothing():
    ctx = context("A B")

    assert found(ctx, candidates(ctx)) == []


def test_what_cash_never_pays_for_ends_after_a_bounded_number_of_draws():
    ctx = context(TWENTY, weights=[0.05] * 20, cash=0.0)
    buys = [f"buy {symbol} {w} .9 x" for symbol in TWENTY.split() for w in (0.05, 0.1)]

    assert found(ctx, candidates(ctx, *buys)) == []


def test_sampling_weights_grow_with_the_square_of_the_priority_and_equal_ones_are_even():
    weights = sampling_weights(np.array([0.9, 0.6, 0.3]))

    assert weights.sum() == pytest.approx(1)
    assert weights / weights[2] == pytest.approx([11, 3.5, 1])
    assert sampling_weights(np.array([0.5, 0.5])).tolist() == [0.5, 0.5]


def test_what_trades_in_the_groups_of_a_recent_one_comes_after_all_that_is_more_varied():
    sectors = ["Tech", "Tech", "Energy", "Health"]
    ctx = context("A B C D", weights=0.0, sectors=sectors, countries=["US", "US", "US", "CH"])
    table = candidates(ctx, *(f"buy {symbol} .1 .9 x" for symbol in "ABCD"))

    def singles(most):
        params = Params(max_buys=1, max_likeness=most)
        blocks = enhanced_combinatorial(ctx, table, np.zeros((0, 5), dtype=np.int64), params)
        return orders(ctx, table, np.concatenate(list(blocks)))

    # B trades where A does
    assert singles(1.0) == [["+A"], ["+B"], ["+C"], ["+D"]]
    assert singles(0.8) == [["+A"], ["+C"], ["+D"], ["+B"]]
