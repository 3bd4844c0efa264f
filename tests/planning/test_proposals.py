"""What is kept of the proposals: the first by rank, whatever batch and order they come in."""

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builders.changes import enabled, proposing
from builders.world import BUSY
from steelyard.arrays import PAD
from steelyard.modules.candidates import Ranking, Scores
from steelyard.modules.registry import Kind
from steelyard.planning.keep import best
from steelyard.planning.proposals import keep_best
from steelyard.planning.solve import LOCAL, local

DEPTH = 5
EVERY = np.array(
    [
        [*chosen, *[PAD] * (DEPTH - size)]
        for size in (1, 2, 3)
        for chosen in itertools.combinations(range(8), size)
    ],
    dtype=np.int64,
)
IN_ORDER = list(range(len(EVERY)))
RISING = np.arange(len(EVERY), dtype=float)
FLAT = np.zeros(len(EVERY))


def by_table(values, most):
    """A ranking with a value for each row of EVERY."""
    ranks = {bytes(row): float(value) for row, value in zip(EVERY, values, strict=True)}
    return Ranking(
        lambda some: np.array([ranks[bytes(row)] for row in np.ascontiguousarray(some)]), most
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

    usual = keep_best(DEPTH, batches(IN_ORDER, net, len(EVERY)), ranked)
    other = keep_best(DEPTH, batches(order, net, size), ranked)

    assert other.rows.tolist() == usual.rows.tolist()
    assert other.net.tolist() == usual.net.tolist()
    assert other.seen == usual.seen == int(np.isfinite(net).sum())


def test_what_stays_is_the_first_by_rank_of_all_that_is_feasible_and_its_best_comes_first():
    net = -RISING
    net[-1] = -np.inf

    pool = keep_best(DEPTH, batches(IN_ORDER, net, 7), (by_table(RISING, 3),))

    assert pool.rows.tolist() == EVERY[[-4, -3, -2]].tolist()
    assert pool.net.tolist() == net[[-4, -3, -2]].tolist()


def test_a_row_stays_only_where_every_ranking_keeps_it():
    both = (by_table(RISING, 10), by_table(-RISING, len(EVERY) - 5))

    pool = keep_best(DEPTH, batches(IN_ORDER, FLAT, 7), both)

    assert sorted(pool.rows.tolist()) == sorted(EVERY[-10:-5].tolist())


def test_without_rankings_the_best_stay():
    pool = keep_best(DEPTH, batches(IN_ORDER, RISING, 9), ())

    assert pool.rows.tolist() == best(DEPTH, batches(IN_ORDER, RISING, 9)).rows.tolist()


def test_nothing_offered_or_a_rank_of_minus_infinity_keeps_nothing():
    nothing = keep_best(DEPTH, [], (Ranking(lambda some: np.zeros(len(some)), 3),))
    never = keep_best(DEPTH, batches(IN_ORDER, FLAT, 9), (by_table(FLAT - np.inf, 3),))

    assert nothing.rows.shape == (0, DEPTH)
    assert nothing.seen == 0
    assert len(never.rows) == 0


def backwards(steps):
    """Steps whose scores arrive in the opposite order."""

    def evaluate(*asked):
        return reversed(list(steps.evaluate(*asked)))

    return replace(steps, evaluate=evaluate)


def test_with_a_ranking_neither_batches_nor_their_order_change_the_plan():
    for most in (1, 3, 20):
        of = enabled(proposing(BUSY), Kind.FILTER, "diversity", max_sequences=most)

        each_way = (LOCAL, local(batch_size=7), backwards(local(batch_size=5)))
        assert len({of.plan(steps=steps).plan_id for steps in each_way}) == 1, most
