"""What holds of every pattern: its rows may be plans, sells first, and it is part of real plans."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.changes import alone, only_with, proposing, traded
from builders.context import candidates, context
from builders.proposers import WORLDS
from builders.world import solution
from steelyard.arrays import PAD
from steelyard.ledger import feasible
from steelyard.modules.patterns import padded_rows
from steelyard.modules.registry import Kind, modules

SIX = "A B C D E F"
CALCULATORS = modules(Kind.OPPORTUNITY)
PATTERNS = sorted(set(WORLDS) - {"combinatorial"})
ONE_SIDE = {"multi_sell": {"-"}, "cash_generation": {"-"}, "opportunity_first": {"+"}}


def test_equal_sequences_are_listed_once_and_empty_ones_never():
    assert padded_rows([[2, 1], [], [1, 2], [3]], 3).tolist() == [[2, 1, PAD], [3, PAD, PAD]]


sides, sizes = st.sampled_from(["sell", "buy"]), st.sampled_from([0.02, 0.05, 0.1])
priorities = st.sampled_from([0.1, 0.5, 0.5, 0.9])
lines = st.tuples(
    sides, st.sampled_from(SIX.split()), sizes, priorities, st.sampled_from(sorted(CALCULATORS))
)


@given(
    st.lists(lines, max_size=12, unique_by=lambda line: line[:3]),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.03, 0.2]),
)
def test_every_row_of_every_pattern_is_a_set_that_the_ledger_allows(drawn, depth, cash):
    ctx = context(SIX, weights=(1 - cash) / 6, cash=cash, max_depth=depth)
    table = candidates(ctx, *(" ".join(map(str, line)) for line in drawn), cost=0.0005)

    for module in modules(Kind.PATTERN).values():
        answer = module.call(ctx, table, module.params())
        for rows in answer.values() if isinstance(answer, Mapping) else [answer]:
            assert rows.shape[1] == depth
            assert feasible(table.account, rows).all()
            assert (rows >= 0).any(axis=1).all()
            for row in rows:
                assert (np.diff(table.is_buy[row[row >= 0]].astype(int)) >= 0).all()


# as part of a plan, from public inputs


def proposers(of):
    """Who proposed the plan."""
    answer = solution(of)
    return answer.proposers[answer.choice.plan.row]


@pytest.mark.parametrize("name", PATTERNS)
def test_alone_and_among_all_patterns_each_makes_a_plan_of_its_own_sides(name):
    single = alone(proposing(WORLDS[name]), name)
    plan = single.planned

    assert plan.verdict.action == "act"
    assert plan.certificate.scope == "proposals"
    assert plan.proposed_by == (name,)
    assert {order[0] for order in traded(plan)} == ONE_SIDE.get(name, {"-", "+"})
    among = proposers(only_with(proposing(WORLDS[name]), Kind.SEQUENCE))
    # what others reinvest is whatever is worth buying: among them a mix is no longer the best
    if name != "mixed_strategy":
        assert name in among
