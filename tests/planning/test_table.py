"""The candidate table: priorities, charges and the threshold, with all its sets enumerated."""

import itertools
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from builders.world import Prepared, prepared, world
from builders.worlds import FEWER, worlds
from steelyard.arrays import PAD
from steelyard.ledger import feasible
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.direct_buy import direct_buy
from steelyard.modules.tables import evaluate
from steelyard.modules.terms import end_state
from steelyard.planning.collapse import collapse
from steelyard.planning.costs import lots_sold
from steelyard.planning.draws import draw
from steelyard.planning.table import paired_gains, with_scores
from steelyard.settings import Planner

MOST_ROWS = 8
DEPTH = 3


def sets_of(m: int) -> np.ndarray:
    rows = [row for size in range(1, DEPTH + 1) for row in itertools.combinations(range(m), size)]
    return np.array([[*row, *[PAD] * (DEPTH - len(row))] for row in rows], dtype=np.int64).reshape(
        -1, DEPTH
    )


def nets(made: Prepared, cost: np.ndarray, hurdle: float | None = None) -> np.ndarray:
    """Net of every set of the first rows of the table under other costs, or -inf where one does not
    fit at today's.
    """
    table, model = made.table, made.objective.model
    rates = made.objective.rates if hurdle is None else replace(made.objective.rates, hurdle=hurdle)
    tables = collapse(
        model,
        end_state(made.ctx.weights, made.ctx.cash_weight),
        table.security,
        table.delta,
        cost,
        table.tax,
        rates,
    )
    rows = sets_of(min(MOST_ROWS, table.m))
    return np.where(feasible(table.account, rows), evaluate(tables, rows), -np.inf)


@FEWER
@given(worlds(), st.sampled_from([0.0001, 0.01]), st.sampled_from([0.0, 0.001, 0.02]))
def test_a_dearer_commission_lowers_the_net_of_every_set_and_hold_never_loses_by_it(
    one, fixed, percent
):
    made = prepared(one)
    assume(made.table.m)
    cost = made.table.cost
    dearer = cost + fixed + percent * np.abs(made.table.delta)

    before, after = nets(made, cost), nets(made, dearer)

    finite = np.isfinite(before)
    assert (after[finite] < before[finite]).all()
    least = one.strategy.score.min_improvement
    if not (before >= max(least, 1e-300)).any():
        assert not (after >= max(least, 1e-300)).any()


@FEWER
@given(worlds(), st.sampled_from([0.0, 0.002, 0.05]))
def test_a_higher_hurdle_never_adds_orders_to_the_best_set(one, more):
    made = prepared(one)
    assume(made.table.m)
    size = (sets_of(min(MOST_ROWS, made.table.m)) != PAD).sum(axis=1)
    low, high = (
        nets(made, made.table.cost, made.objective.rates.hurdle + extra) for extra in (0.0, more)
    )

    def fewest(net):
        return min([0] if net.max() <= 0 else size[net >= net.max() - 1e-12])

    def most(net):
        return 0 if net.max() < 0 else max(size[net >= net.max() - 1e-12])

    assert fewest(high) <= most(low)


@FEWER
@given(worlds(), st.floats(1, 5))
def test_a_higher_least_improvement_never_turns_hold_into_act(one, times):
    score = one.strategy.score
    stricter = replace(
        one,
        strategy=replace(
            one.strategy,
            score=score.model_copy(update={"min_improvement": score.min_improvement * times}),
        ),
    )

    if one.plan().verdict.action == "hold":
        assert stricter.plan().verdict.action == "hold"


@FEWER
@given(worlds())
def test_a_priority_is_what_an_order_gains_in_a_small_plan(one):
    made = prepared(one)
    table, ctx = made.table, made.ctx
    assume(table.m)
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
        assert 0 <= table.priority[j] <= 1
        assert (table.priority[j] > 0) <= (best > 0)
    assert np.array_equal(paired_gains(table, table.alone), table.paired)
    assert ctx.score.min_improvement >= 0


@FEWER
@given(worlds())
def test_an_order_that_can_never_be_paid_changes_no_other_priority(one):
    made = prepared(one)
    table = made.table
    assume(table.m)
    m = table.m
    # one more buy, of another security, that no cash pays for
    wider = replace(
        table,
        ids=(*table.ids, f"c{m + 1}"),
        security=np.append(table.security, made.ctx.n - 1),
        is_buy=np.append(table.is_buy, True),
        quantity=(*table.quantity, Decimal(1)),
        delta=np.append(table.delta, 1e6),
        cost=np.append(table.cost, 0.0),
        tax=np.append(table.tax, 0.0),
        full_exit=np.append(table.full_exit, False),
        proposals=(*table.proposals, table.proposals[0]),
        account=replace(
            table.account,
            security=np.append(table.account.security, made.ctx.n - 1),
            delta=np.append(table.account.delta, 1e6),
            cost=np.append(table.account.cost, 0.0),
            conflicts=np.pad(table.account.conflicts, (0, 1)),
            group_shares=np.vstack(
                [table.account.group_shares, np.zeros((1, table.account.group_shares.shape[1]))]
            ),
        ),
    )

    ones = np.ones(m)
    before = with_scores(made.ctx, table, made.objective.model, made.objective.rates, ones)
    after = with_scores(
        made.ctx, wider, made.objective.model, made.objective.rates, np.append(ones, 1.0)
    )

    assert after.priority[:m].tolist() == before.priority.tolist()
    assert after.priority[m] == 0


def test_draws_take_one_row_per_security_and_side_in_order_of_priority_over_the_threshold():
    one = world(
        "AA 400 @ 100",
        "BB 150 @ 50",
        "CC 0 @ 20",
        cash="9000",
        targets={"AA": 0.2, "BB": 0.3, "CC": 0.3},
    )
    table = prepared(one).table

    drawn = draw(table, range(table.m), 0.3)

    sides = [(int(table.security[j]), bool(table.is_buy[j])) for j in drawn]
    assert len(set(sides)) == len(sides)
    assert [table.priority[j] for j in drawn] == sorted(
        (table.priority[j] for j in drawn), reverse=True
    )
    assert all(table.priority[j] >= 0.3 for j in drawn)
    assert table.pool == drawn
    assert draw(table, range(table.m), 1.1) == ()


@pytest.mark.parametrize("limit", [1, 2])
def test_a_category_is_cut_as_the_strategy_says_and_the_table_is_not(limit):
    def table(planner):
        return prepared(
            world(
                *(f"S{k} 0 @ 50" for k in range(6)),
                cash="90000",
                targets={f"S{k}": 0.15 for k in range(6)},
                planner=planner,
            )
        ).table

    cut, whole = table(Planner(max_opportunities_per_category=limit)), table(Planner())

    assert all(len(rows) <= limit for rows in cut.draws.values())
    assert cut.m == whole.m > limit


SIX = tuple(f"S{k}" for k in range(6))


def of_countries(countries: str = "", sectors: str = "", **planner) -> Prepared:
    """Six buys, each a little more wanted than the next; a letter for the country or sector of
    each, a blank for none.
    """
    one = world(
        *(f"{s} 0 @ 50" for s in SIX),
        cash="90000",
        targets={s: 0.17 - 0.01 * k for k, s in enumerate(SIX)},
        sessions=1,
        planner=Planner(priority_threshold=0.0, **planner),
    )
    labels = {"countries": countries.ljust(6), "sectors": sectors.ljust(6)}
    securities = tuple(
        replace(
            security,
            **{dimension: () if own[k] == " " else (own[k],) for dimension, own in labels.items()},
        )
        for k, security in enumerate(one.snapshot.securities)
    )
    return prepared(replace(one, snapshot=replace(one.snapshot, securities=securities)))


def drawn_by_weight(made: Prepared) -> str:
    """Who is drawn, in order: the k of each symbol S<k>."""
    return "".join(
        made.ctx.symbols[made.table.security[j]][1] for j in made.table.draws["rebalance_buys"]
    )


DIVERSE = {"diverse_selection": True, "max_opportunities_per_category": 3}


def test_by_default_priority_alone_decides_who_is_drawn():
    assert drawn_by_weight(of_countries("AAAABC", max_opportunities_per_category=3)) == "012"


@pytest.mark.parametrize("dimension", ["countries", "sectors"])
def test_a_diverse_draw_takes_as_many_of_every_group(dimension):
    assert set(drawn_by_weight(of_countries(**{dimension: "AAAABC"}, **DIVERSE))) == set("045")


def test_countries_count_before_sectors_and_a_single_group_is_none():
    assert set(drawn_by_weight(of_countries("AAAABC", "XYZXYZ", **DIVERSE))) == set("045")
    assert set(drawn_by_weight(of_countries("AAAAAA", "XXXYYZ", **DIVERSE))) == set("035")
    assert drawn_by_weight(of_countries("AAAAAA", **DIVERSE)) == "012"


def test_what_a_group_has_too_few_of_is_filled_by_priority():
    assert set(
        drawn_by_weight(of_countries("AAAAAB", **{**DIVERSE, "max_opportunities_per_category": 4}))
    ) == set("0125")


def test_with_more_groups_than_places_those_of_highest_total_priority_come_first():
    assert set(
        drawn_by_weight(of_countries("ABBCCD", **{**DIVERSE, "max_opportunities_per_category": 2}))
    ) == set("13")


def test_securities_without_a_label_are_one_group_of_their_own():
    assert set(drawn_by_weight(of_countries("A    B", **DIVERSE))) == set("015")


def test_a_list_that_fits_is_unchanged():
    usual, diverse = (
        of_countries("AAAABC").table,
        of_countries("AAAABC", diverse_selection=True, max_opportunities_per_category=6).table,
    )

    assert diverse.draws["rebalance_buys"] == draw(usual, range(usual.m), 0.0) == diverse.pool


def test_the_weight_of_diversity_sets_how_far_firsts_of_a_group_come_forward():
    def order(weight):
        return drawn_by_weight(
            of_countries("AAAABC", **DIVERSE, diversity_weight=weight)
        ), by_security(of_countries("AAAABC", **DIVERSE, diversity_weight=weight))

    def by_security(made):
        return "".join(made.ctx.symbols[made.table.security[j]][1] for j in made.table.pool)

    assert order(0.0) == ("045", "012345")
    assert order(1.0)[1] == "045123"


def test_a_diverse_draw_changes_what_patterns_propose_and_never_the_table():
    usual, diverse = (
        of_countries("AAAABC", max_opportunities_per_category=3),
        of_countries("AAAABC", **DIVERSE),
    )

    assert usual.table.ids == diverse.table.ids
    assert usual.table.priority.tolist() == diverse.table.priority.tolist()
    assert (
        direct_buy(usual.ctx, usual.table, NoParams()).tolist()
        != direct_buy(diverse.ctx, diverse.table, NoParams()).tolist()
    )


def test_lots_of_one_date_are_sold_in_an_order_of_their_own():
    from datetime import date

    from steelyard.portfolio import TaxLot

    day = date(2020, 1, 1)
    lots = (
        TaxLot(Decimal(1), day, Decimal(10)),
        TaxLot(Decimal(1), day, Decimal(30)),
        TaxLot(Decimal(1), day),
    )

    assert [lot.unit_cost for lot, _ in lots_sold(lots, Decimal(2))] == [30, 10]
    assert lots_sold(lots, Decimal("2.5")) == lots_sold(lots[::-1], Decimal("2.5"))
