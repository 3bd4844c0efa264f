"""The older planner tries every set; the newer one, which does not, must not be worse for it."""

import asyncio
from dataclasses import replace
from itertools import combinations

import pytest

from steelyard.compat import (
    HolisticPlan,
    PlannerContext,
    create_holistic_plan_modular,
    create_holistic_plan_original,
)
from steelyard.errors import PlanRefused


def made(plan, context: PlannerContext, **options) -> HolisticPlan:
    more = {"target_weights": context.target_weights, "as_of": context.as_of, **options}
    records = (
        context.portfolio_context, context.available_cash, context.securities, context.positions,
    )  # fmt: skip
    return asyncio.run(plan(*records, **more))


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_both_planners_end_at_the_same_score_with_the_same_orders(small: PlannerContext, depth):
    original, modular = (
        made(plan, small, max_plan_depth=depth)
        for plan in (create_holistic_plan_original, create_holistic_plan_modular)
    )

    assert original.end_state_score == modular.end_state_score
    assert [(s.side, s.symbol, s.quantity) for s in original.steps] == [
        (s.side, s.symbol, s.quantity) for s in modular.steps
    ]
    assert 0 < len(original.steps) <= depth


def test_every_set_that_can_be_paid_for_was_scored(small: PlannerContext):
    plan = made(create_holistic_plan_original, small, max_plan_depth=2).document

    sets = [s for size in (1, 2) for s in combinations(plan.candidates, size)]
    assert 0 < plan.certificate.sequences <= len(sets)
    assert plan.certificate.search_gap == pytest.approx(0, abs=1e-9)


def test_it_finds_what_nobody_proposed(bundled: PlannerContext):
    context = replace(bundled, target_weights=None)
    original, modular = (
        made(plan, context, max_plan_depth=2, enable_combinatorial=False)
        for plan in (create_holistic_plan_original, create_holistic_plan_modular)
    )

    assert original.end_state_score > modular.end_state_score


def test_a_table_with_too_many_sets_is_refused_with_how_to_make_it_smaller(bundled: PlannerContext):
    with pytest.raises(PlanRefused, match="lower max_plan_depth") as refused:
        made(create_holistic_plan_original, bundled)

    assert refused.value.fault.code == "too_many_sets"
