"""Diversity: the rank of one proposal, and the running choice of the first ones."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.context import candidates, context
from steelyard.arrays import PAD
from steelyard.modules.candidates import Ranking, Scores
from steelyard.modules.filters.diversity import Params, diversity, variety
from steelyard.planning.keep import best
from steelyard.planning.proposals import keep_best

LABELS = {"sectors": ["Tech", "Tech", "Energy", ""], "countries": ["US", "CH", "US", "US"]}


def world(**labels):
    ctx = context("A B C D", weights=[0.2] * 4, **labels)
    return ctx, candidates(ctx, "sell A .1 .8 x", "buy B .1 .6 x", "buy C .1 .4 y", "buy D .1 .2 x")


def rows(*sets, depth=5):
    return np.array([[*chosen, *[PAD] * (depth - len(chosen))] for chosen in sets], dtype=np.int64)


def test_the_rank_is_mean_priority_and_diversity_by_their_shares():
    ctx, table = world(**LABELS)
    chosen = rows((0, 2))

    varied = variety(ctx, table, chosen)[0]

    # two sectors of a half each, one country, two calculators for two orders
    assert varied == pytest.approx(0.4 * 0.5 + 0.3 * 0.0 + 0.3 * 1.0)
    for share in (0.0, 0.3, 1.0):
        assert diversity(ctx, table, Params(diversity_weight=share)).value(chosen)[
            0
        ] == pytest.approx((1 - share) * 0.6 + share * varied)


def test_one_order_is_spread_over_nothing():
    ctx, table = world(**LABELS)

    # only that one calculator sized one order; an unlabelled security counts half in each sector
    assert variety(ctx, table, rows((0,), (3,))) == pytest.approx([0.3, 0.3 + 0.4 * 0.5])


def test_without_groups_only_the_calculators_vary():
    ctx, table = world()

    assert variety(ctx, table, rows((0, 1), (0, 2), (0, 1, 2, 3))) == pytest.approx(
        [0.15, 0.3, 0.15]
    )


def test_proposals_of_too_little_variety_never_stay():
    ctx, table = world(**LABELS)
    least = variety(ctx, table, rows((0, 2)))[0]
    chosen = rows((0, 1), (0, 2))

    value = diversity(ctx, table, Params(min_diversity_score=least)).value(chosen)

    assert np.isfinite(value).tolist() == [variety(ctx, table, chosen)[0] >= least, True]


@given(st.lists(st.integers(1, 15), min_size=1, max_size=15, unique=True), st.integers(1, 5))
def test_a_row_has_its_rank_whatever_batch_it_comes_in(numbers, cut):
    ctx, table = world(**LABELS)
    every = rows(*[[j for j in range(4) if number >> j & 1] for number in numbers])
    ranking = diversity(ctx, table, Params())

    whole = ranking.value(every)

    parts = np.concatenate(
        [ranking.value(every[start : start + cut]) for start in range(0, len(every), cut)]
    )
    assert parts.tolist() == whole.tolist()


# keeping

EVERY = rows(*[chosen for size in (1, 2, 3) for chosen in itertools.combinations(range(8), size)])


def by_table(values, most):
    """A ranking with a value for each row of EVERY."""
    known = {bytes(row): value for row, value in zip(EVERY, values, strict=True)}
    return Ranking(
        lambda some: np.array(
            [known[bytes(row)] for row in np.ascontiguousarray(some)], dtype=np.float64
        ),
        most,
    )


def batches(order, net, size):
    for number, start in enumerate(range(0, len(order), size)):
        part = order[start : start + size]
        yield Scores(number, EVERY[part], net[part])


@given(
    st.permutations(range(len(EVERY))), st.integers(1, 100), st.integers(1, 40), st.integers(0, 5)
)
def test_neither_the_order_of_arrival_nor_the_size_of_a_batch_changes_what_stays(
    order, size, most, seed
):
    random = np.random.default_rng(seed)
    # few values, so that the cut falls among equals
    values, net = random.integers(0, 4, len(EVERY)).astype(float), random.normal(size=len(EVERY))
    net[random.random(len(EVERY)) < 0.2] = -np.inf
    ranked = (by_table(values, most),)

    usual = keep_best(5, batches(list(range(len(EVERY))), net, len(EVERY)), ranked)
    other = keep_best(5, batches(order, net, size), ranked)

    assert other.rows.tolist() == usual.rows.tolist()
    assert other.net.tolist() == usual.net.tolist()
    assert other.seen == usual.seen == int(np.isfinite(net).sum())


def test_what_stays_is_the_first_by_rank_of_all_that_is_feasible_and_its_best_comes_first():
    values, net = np.arange(len(EVERY), dtype=float), -np.arange(len(EVERY), dtype=float)
    net[-1] = -np.inf

    pool = keep_best(5, batches(list(range(len(EVERY))), net, 7), (by_table(values, 3),))

    assert pool.rows.tolist() == EVERY[[-4, -3, -2]].tolist()
    assert pool.net.tolist() == net[[-4, -3, -2]].tolist()


def test_a_row_stays_only_where_every_ranking_keeps_it():
    values, net = np.arange(len(EVERY), dtype=float), np.zeros(len(EVERY))

    pool = keep_best(
        5,
        batches(list(range(len(EVERY))), net, 7),
        (by_table(values, 10), by_table(-values, len(EVERY) - 5)),
    )

    assert sorted(pool.rows.tolist()) == sorted(EVERY[-10:-5].tolist())


def test_without_rankings_the_best_stay():
    net = np.arange(len(EVERY), dtype=float)
    order = list(range(len(EVERY)))

    assert (
        keep_best(5, batches(order, net, 9), ()).rows.tolist()
        == best(5, batches(order, net, 9)).rows.tolist()
    )


def test_nothing_offered_keeps_nothing():
    pool = keep_best(5, [], (Ranking(lambda some: np.zeros(len(some)), 3),))

    assert pool.rows.shape == (0, 5)
    assert pool.seen == 0


def test_a_rank_of_minus_infinity_never_stays():
    values, net = np.full(len(EVERY), -np.inf), np.zeros(len(EVERY))

    assert (
        len(keep_best(5, batches(list(range(len(EVERY))), net, 9), (by_table(values, 3),)).rows)
        == 0
    )
