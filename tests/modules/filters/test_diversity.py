"""Diversity: the rank of one proposal, and what the ranks do to a plan."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.changes import YOUNG, enabled, off, proposing, scoped, usual
from builders.context import candidates, context
from builders.world import BUSY, solution
from steelyard.arrays import PAD
from steelyard.modules.filters.diversity import Params, diversity, variety
from steelyard.modules.registry import Kind

FREE = proposing(BUSY)

LABELS = {"sectors": ["Tech", "Tech", "Energy", ""], "countries": ["US", "CH", "US", "US"]}


def small(**labels):
    ctx = context("A B C D", weights=[0.2] * 4, **labels)
    table = candidates(ctx, "sell A .1 .8 x", "buy B .1 .6 x", "buy C .1 .4 y", "buy D .1 .2 x")
    return ctx, replace(table, tables=replace(table.tables, linear=np.array([4, 3, 2, 1]) / 1000))


def rows(*sets, depth=5):
    return np.array([[*chosen, *[PAD] * (depth - len(chosen))] for chosen in sets], dtype=np.int64)


def test_the_rank_is_the_net_score_and_diversity_by_its_share_of_a_near_tie():
    ctx, table = small(**LABELS)
    chosen = rows((0, 2))

    varied = variety(ctx, table, chosen)[0]

    # two sectors of a half each, one country, two calculators for two orders
    assert varied == pytest.approx(0.4 * 0.5 + 0.3 * 0.0 + 0.3 * 1.0)
    for share in (0.0, 0.3, 1.0):
        (rank,) = diversity(ctx, table, Params(diversity_weight=share)).value(chosen)
        assert rank == pytest.approx(0.004 + 0.002 + share * 0.001 * varied)


def test_a_better_proposal_is_never_left_out_for_a_more_varied_one_but_of_near_ties_is():
    ctx, table = small(**LABELS)
    plain, varied = rows((0, 1)), rows((0, 2))  # .007 and .006 of net

    def first(near_tie):
        of = Params(diversity_weight=1.0, near_tie=near_tie)
        value = diversity(ctx, table, of).value(np.concatenate([plain, varied]))
        return int(value.argmax())

    gap = float(np.diff(variety(ctx, table, np.concatenate([plain, varied])))[0])
    assert gap > 0
    assert [first(0.0), first(0.9 * 0.001 / gap), first(1.1 * 0.001 / gap)] == [0, 0, 1]


def test_one_order_is_spread_over_nothing():
    ctx, table = small(**LABELS)

    # only that one calculator sized one order; an unlabelled security counts half in each sector
    assert variety(ctx, table, rows((0,), (3,))) == pytest.approx([0.3, 0.3 + 0.4 * 0.5])


def test_without_groups_only_the_calculators_vary():
    ctx, table = small()

    varied = variety(ctx, table, rows((0, 1), (0, 2), (0, 1, 2, 3)))
    assert varied == pytest.approx([0.15, 0.3, 0.15])


def test_proposals_of_too_little_variety_never_stay():
    ctx, table = small(**LABELS)
    least = variety(ctx, table, rows((0, 2)))[0]
    chosen = rows((0, 1), (0, 2))

    value = diversity(ctx, table, Params(min_diversity_score=least)).value(chosen)

    assert np.isfinite(value).tolist() == [variety(ctx, table, chosen)[0] >= least, True]


@given(st.lists(st.integers(1, 15), min_size=1, max_size=15, unique=True), st.integers(1, 5))
def test_a_row_has_its_rank_whatever_batch_it_comes_in(numbers, cut):
    ctx, table = small(**LABELS)
    every = rows(*[[j for j in range(4) if number >> j & 1] for number in numbers])
    ranking = diversity(ctx, table, Params())

    parts = [ranking.value(every[start : start + cut]) for start in range(0, len(every), cut)]
    assert np.concatenate(parts).tolist() == ranking.value(every).tolist()


# in a plan


def first_of(most, **params):
    return enabled(FREE, Kind.FILTER, "diversity", max_sequences=most, **params)


def test_only_the_first_proposals_stay_and_the_certificate_says_of_how_many():
    usual, one = FREE.planned, first_of(1, diversity_weight=1.0, near_tie=0.1).plan()

    sequences = f"{usual.certificate.sequences:,d} proposals"
    assert one.certificate.sequences == usual.certificate.sequences > 1
    assert usual.certificate.covers == f"best of {sequences}"
    assert one.certificate.covers == f"best of at most 1 of {sequences}, the first by rank"


def test_of_proposals_that_are_no_near_ties_the_best_stays_however_few_stay():
    assert first_of(1, diversity_weight=1.0).plan().steps == FREE.planned.steps


def test_where_all_stay_no_plan_changes():
    plan = first_of(100_000).plan()

    assert plan.steps == FREE.planned.steps
    assert plan.score == FREE.planned.score


def test_over_the_whole_table_it_does_not_run_and_says_so():
    for scope in ("candidates", "quantities"):
        of = scoped(BUSY, scope)
        plan = enabled(
            of, Kind.FILTER, "diversity", max_sequences=1, min_diversity_score=1.0
        ).plan()

        assert plan.steps == of.planned.steps
        assert plan.certificate.covers == of.planned.certificate.covers
        (run,) = [run for run in plan.modules if run.name == "diversity"]
        assert run.outcome == "no_input"
        assert run.error == f"it ranks proposals, and search.scope is {scope}"


def test_among_proposals_a_better_plan_of_too_little_variety_is_kept_out():
    def varied(of):
        """Diversity of the plan, 0..1, by the filter's own measure."""
        answer = solution(of)
        row = np.array([answer.choice.plan.row], dtype=np.int64)
        return float(variety(answer.ctx, answer.table, row)[0])

    free = off(proposing(usual(sessions=YOUNG)), Kind.FILTER, "eligibility", "recently_traded")
    least = varied(free) + 0.01
    strict = {"min_diversity_score": least, "max_sequences": 100_000}
    strict = enabled(free, Kind.FILTER, "diversity", **strict)

    assert varied(free) < least <= varied(strict)
    assert strict.plan().score.improvement < free.plan().score.improvement
