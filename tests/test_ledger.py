"""The cash walk: what fits together, on arrays."""

import itertools
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.arrays import padded, row_sums
from steelyard.ledger import (
    LOT_TOLERANCE,
    SAFETY,
    Account,
    ExactCash,
    clashes,
    feasible,
    fill,
    groups_kept,
    whole_lots,
)
from steelyard.modules.tables import Tables
from steelyard.planning.search.extend import ROUNDING
from steelyard.planning.search.problem import Problem

PAD = -1


def account(
    delta,
    *,
    security=None,
    cost=0.0,
    cash=0.1,
    spendable=None,
    reserve=0.02,
    settled=False,
    turnover=None,
    conflicts=(),
    groups=None,
    cap=None,
):
    m = len(delta)
    forbidden = np.zeros((m, m), dtype=bool)
    for a, b in conflicts:
        forbidden[a, b] = forbidden[b, a] = True
    shares, before = groups if groups is not None else (np.zeros((m, 0)), np.zeros(0))

    def closed(values, dtype=np.float64):
        array = np.array(values, dtype=dtype)
        array.setflags(write=False)
        return array

    return Account(
        security=closed(range(m) if security is None else security, np.int64), delta=closed(delta),
        cost=closed(np.broadcast_to(cost, (m,))), conflicts=closed(forbidden, np.bool_), cash=cash,
        spendable=cash if spendable is None else spendable, reserve=reserve, settled_only=settled,
        turnover_cap=turnover, group_shares=closed(shares), group_weights=closed(before),
        group_cap=cap,
    )  # fmt: skip


def fits(book, *row):
    cells = np.array([[*row, *[PAD] * (4 - len(row))]], dtype=np.int64)
    return bool(feasible(book, cells)[0])


def test_nothing_always_fits():
    assert fits(account([0.5], cash=-3.0))
    assert feasible(account([]), np.full((2, 4), PAD)).tolist() == [True, True]


def test_a_buy_takes_its_amount_and_its_cost_and_leaves_the_reserve():
    assert fits(account([0.07], cost=0.009), 0)
    assert not fits(account([0.07], cost=0.0101), 0)


def test_a_set_that_leaves_exactly_the_floor_fits_whatever_the_floats_say():
    # 0.1 - 0.07 - 0.01 - 0.02 is -3.5e-18 in floats and nothing in decimals
    assert fits(account([0.07], cost=0.01), 0)
    assert not fits(account([0.07], cost=0.01 + 1e-16), 0)
    assert not fits(account([0.07], cost=0.01, cash=0.1 - 1e-16), 0)


def test_exact_money_decides_where_there_is_any():
    third = account([0.1 / 3] * 3, cash=0.1, reserve=0.0)
    for spare, good in (("9.30", True), ("9.29999999999999999", False)):
        exact = ExactCash((Decimal("-3.10"),) * 3, Decimal(spare))

        assert fits(replace(third, exact=exact), 0, 1, 2) is good
        assert fits(replace(third, exact=exact), 0, 1)


def test_what_is_clear_of_the_floor_is_not_asked_of_the_decimals():
    wrong = ExactCash((Decimal(-1),), Decimal(0))

    assert fits(replace(account([0.07]), exact=wrong), 0)
    assert not wrong.spare + wrong.flows[0] >= 0


def test_a_sale_pays_for_a_buy_unless_only_settled_money_counts():
    orders = [-0.2, 0.25]

    assert fits(account(orders), 0, 1)
    assert not fits(account(orders), 1)
    assert not fits(account(orders, settled=True), 0, 1)
    assert fits(account([-0.2, 0.05], settled=True), 0, 1)


def test_a_sale_pays_its_own_commission_even_where_only_settled_money_counts():
    low = account([-0.2, 0.001], cash=0.01, cost=0.001, settled=True)

    assert fits(low, 0)
    assert not fits(low, 1)
    assert not fits(low, 0, 1)


def test_a_sale_that_costs_more_than_it_brings_takes_the_difference_from_the_cash():
    dust = [-0.001]

    assert not fits(account(dust, cash=0.02, cost=0.002, settled=True), 0)
    assert fits(account(dust, cash=0.03, cost=0.002, settled=True), 0)
    assert not fits(account(dust, cash=0.02, cost=0.002), 0)


def test_under_the_reserve_cash_may_not_fall_further_but_sales_go_on():
    low = account([-0.2, 0.19, 0.2], cash=0.01, cost=0.001)

    assert fits(low, 0)
    assert fits(low, 0, 1)
    assert not fits(low, 0, 2)


def test_a_debt_is_not_deepened():
    owing = account([-0.2, 0.1, 0.21], cash=-0.3)

    assert fits(owing, 0, 1)
    assert not fits(owing, 1)
    assert not fits(owing, 0, 2)


def test_foreign_cash_counts_for_the_reserve_but_pays_for_nothing():
    rich_abroad = account([0.05, 0.07], cash=0.5, spendable=0.06)

    assert fits(rich_abroad, 0)
    assert not fits(rich_abroad, 1)
    assert rich_abroad.floor == 0


def test_a_foreign_debt_raises_what_must_stay_at_home():
    assert account([0.05], cash=0.0, spendable=0.06, reserve=0.02).floor == 0.06
    assert account([0.05], cash=0.05, spendable=0.06, reserve=0.02).floor == pytest.approx(0.03)


def test_a_security_comes_once_and_a_conflict_keeps_two_apart():
    book = account([-0.1, -0.05, 0.02, 0.02], security=[0, 0, 1, 2], conflicts=[(1, 3)])

    assert not fits(book, 0, 1)
    assert not fits(book, 1, 3)
    assert fits(book, 0, 3)
    assert fits(book, 1, 2)


def test_turnover_counts_half_of_both_sides():
    assert fits(account([-0.2, 0.2], turnover=0.2), 0, 1)
    assert not fits(account([-0.2, 0.21], turnover=0.2), 0, 1)


def test_a_group_may_not_pass_its_cap_or_what_it_was():
    groups = (np.array([[1, 0], [0, 1], [0.5, 0.5]]), np.array([0.5, 0.28]))

    capped = account([0.01, 0.03, 0.02], groups=groups, cap=0.3)

    assert not fits(capped, 0)
    assert not fits(capped, 1)
    assert not fits(capped, 2)
    assert fits(account([-0.01, 0.02, 0.02], groups=groups, cap=0.3), 0, 1)
    assert groups_kept(capped, np.full((1, 2), PAD)).tolist() == [True]


def test_a_cap_over_no_group_is_no_cap():
    assert fits(account([0.05], groups=(np.zeros((1, 0)), np.zeros(0)), cap=0.1), 0)
    assert groups_kept(account([], cap=0.1), np.full((3, 2), PAD)).tolist() == [True] * 3


@st.composite
def accounts(draw):
    m = draw(st.integers(0, 6))
    weight = st.floats(-0.3, 0.3).filter(lambda x: abs(x) > 1e-4)
    groups = (
        np.array(
            draw(
                st.lists(
                    st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=2),
                    min_size=m,
                    max_size=m,
                )
            )
        ).reshape(m, 2),
        np.array([0.3, 0.4]),
    )
    cash = draw(st.floats(-0.3, 0.6))
    pair = st.tuples(st.integers(0, m - 1), st.integers(0, m - 1)).filter(lambda p: p[0] != p[1])
    return account(
        draw(st.lists(weight, min_size=m, max_size=m)),
        security=draw(st.lists(st.integers(0, 4), min_size=m, max_size=m)),
        cost=draw(st.sampled_from([0.0, 0.001])), cash=cash,
        spendable=cash - draw(st.sampled_from([0.0, 0.1, -0.05])),
        reserve=draw(st.sampled_from([0.0, 0.02, 0.5])), settled=draw(st.booleans()),
        turnover=draw(st.sampled_from([None, 0.2])),
        conflicts=draw(st.lists(pair, max_size=2)) if m > 1 else (), groups=groups,
        cap=draw(st.sampled_from([None, 0.35])),
    )  # fmt: skip


def by_hand(book, row):
    """The same rules in plain numbers."""
    if not row:
        return True, 1.0
    brought = [-book.delta[j] - book.cost[j] for j in row]
    cash = book.spendable + sum(
        min(money, 0.0) if book.settled_only else money for money in brought
    )
    foreign = book.cash - book.spendable
    margins = (
        [cash - min(max(book.reserve - foreign, 0.0), book.spendable)]
        if min(brought) < 0
        else [1.0]
    )
    if book.turnover_cap is not None:
        margins.append(book.turnover_cap - sum(abs(book.delta[j]) for j in row) / 2)
    if book.group_cap is not None:
        for g, before in enumerate(book.group_weights):
            margins.append(
                max(book.group_cap, before)
                - before
                - sum(book.delta[j] * book.group_shares[j, g] for j in row)
                + SAFETY
            )
    distinct = len({int(book.security[j]) for j in row}) == len(row)
    together = not any(book.conflicts[a, b] for a, b in itertools.combinations(row, 2))
    return distinct and together and min(margins) >= 0, min(map(abs, margins))


@given(accounts())
def test_every_set_is_judged_as_by_hand(book):
    m = len(book.delta)
    for size in range(min(m, 3) + 1):
        for row in itertools.combinations(range(m), size):
            good, margin = by_hand(book, row)
            if margin > 1e-9:
                assert fits(book, *row) == good


@given(accounts())
def test_what_fill_takes_fits_and_it_takes_all_that_fits(book):
    m = len(book.delta)

    row = fill(book, [], range(m), 4)

    assert len(row) <= 4
    if row:
        assert fits(book, *row)
    assert len(row) == 4 or not any(
        fits(book, *row, j) for j in range(m) if j > max(row, default=-1)
    )


def test_fill_honours_the_caps_on_turnover_and_groups():
    groups = (np.array([[1.0], [0.0], [1.0]]), np.array([0.28]))

    assert fill(account([0.03, 0.03, 0.01], groups=groups, cap=0.3), [], range(3), 3) == [1, 2]
    assert fill(account([-0.1, 0.15, 0.05], turnover=0.1), [], range(3), 3) == [0, 2]


def test_fill_keeps_what_was_chosen_and_skips_what_does_not_fit():
    book = account([-0.1, 0.3, 0.05, 0.05], cash=0.05)

    assert fill(book, [0], [1, 2, 3], 4) == [0, 2, 3]
    assert fill(book, [0], [1, 2, 3], 2) == [0, 2]
    assert fill(book, [], [1], 4) == []


@given(accounts())
def test_hold_is_always_feasible_and_no_sale_that_brings_money_is_refused_for_cash(book):
    uncapped = replace(book, turnover_cap=None, group_cap=None)

    assert fits(book)
    assert all(fits(uncapped, j) for j in np.flatnonzero(book.delta + book.cost < 0))


@given(accounts())
def test_the_linear_limits_of_the_search_let_every_feasible_set_through(book):
    m = len(book.delta)
    problem = Problem(Tables(np.zeros(m), np.zeros((m, m)), ()), book, 3)
    use, limits = problem.limits

    for row in itertools.chain.from_iterable(
        itertools.combinations(range(m), size) for size in range(4)
    ):
        if fits(book, *row):
            assert (use[:, list(row)].sum(axis=1) <= limits + ROUNDING).all()


@given(accounts(), st.randoms(use_true_random=False))
def test_a_row_is_judged_alike_in_any_batch_and_order(book, random):
    m = len(book.delta)
    rows = np.array(
        [
            [*row, *[PAD] * (3 - len(row))]
            for size in range(4)
            for row in itertools.combinations(range(m), size)
        ],
        dtype=np.int64,
    )
    together = feasible(book, rows)

    order = random.sample(range(len(rows)), len(rows))
    assert feasible(book, rows[order]).tolist() == together[order].tolist()
    assert [bool(feasible(book, rows[k : k + 1])[0]) for k in range(len(rows))] == together.tolist()


def test_clashes_are_asked_of_pairs_only():
    book = account([0.1, 0.1], security=[3, 3])

    assert clashes(book, np.array([[0, PAD], [0, 1], [PAD, PAD]])).tolist() == [False, True, False]


def test_a_pad_reads_zero():
    assert padded(np.array([1.0, 2.0]))[PAD] == 0
    assert row_sums(np.array([1.0, 2.0]), np.array([[0, 1], [1, PAD], [PAD, PAD]])).tolist() == [
        3.0, 2.0, 0.0,
    ]  # fmt: skip


def test_lots_are_whole_and_never_more_than_the_size_but_for_division_noise():
    sizes = np.array([0.3, 0.29, 0.1 * 3, 0.3 - 1e-12, 0.0, 1e-30, 1.0])
    lot = np.array([0.1] * 5 + [1.0, 1 / 3])
    lots = whole_lots(sizes, lot)

    assert lots.tolist() == [3, 2, 3, 3, 0, 0, 3]
    assert (lots * lot <= sizes + LOT_TOLERANCE * lot).all()
