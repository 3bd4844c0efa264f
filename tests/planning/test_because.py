"""A step's reason names the term that its worth comes from, then the module that proposed it."""

import numpy as np
import pytest

from builders.changes import USUAL, scoped
from builders.each import each
from builders.world import BUSY, solution, world
from steelyard.plans.verify import check


def test_the_reason_of_a_step_names_what_decides_and_then_who_asked():
    def named(of):
        plan = of.plan()
        assert plan.steps
        for step in plan.steps:
            term, asked_by = step.facts.get("term"), step.facts.get("asked_by")
            assert term in {term.name.replace("_", " ") for term in plan.score.terms}
            assert step.reason.startswith(f"for {term}")
            if asked_by is not None:
                assert asked_by in step.proposed_by
                assert f", by {asked_by}: " in step.reason
        assert any("asked_by" in step.facts for step in plan.steps)
        assert check(plan.document()).failed == ()

    free = world("AA 400 @ 100", "BB 150 @ 50", "DD 90 @ 100", cash="9000")
    each(
        {
            "targets": USUAL, "without": free, "candidates": scoped(BUSY, "candidates"),
            "proposals": scoped(BUSY, "proposals"),
        },
        named,
    )  # fmt: skip


def test_the_term_is_the_one_that_loses_most_without_the_order():
    answer = solution(scoped(BUSY, "candidates"))
    ctx, choice, objective = answer.ctx, answer.choice, answer.objective
    end = choice.orders.after(ctx.weights, choice.plan.row)
    cash = ctx.cash_weight - float(sum(choice.orders.delta[list(choice.plan.row)]))

    for j in choice.plan.row:
        without = end.copy()
        without[choice.orders.security[j]] -= choice.orders.delta[j]
        back = cash + float(choice.orders.delta[j])
        gains = {
            term.name: objective.weights[term.name] * sum(
                part.share * (part.raw(end, cash) - part.raw(without, back)) / (part.hi - part.lo)
                for part in term.parts
            )
            for term in objective.terms
        }  # fmt: skip
        name = max(gains, key=lambda term: gains[term])
        assert answer.because[j].term == name
        assert answer.because[j].gain == pytest.approx(gains[name], abs=1e-9)
    assert np.isfinite([answer.because[j].gain for j in choice.plan.row]).all()


def test_a_size_that_only_the_search_has_says_who_asked_for_one_of_its_kind():
    plan = world("AA 700 @ 100", "BB 60 @ 100", "CC 50 @ 100", cash="10000", sessions=800).plan()

    (sale,) = (step for step in plan.steps if step.side.value == "sell")
    assert sale.proposed_by[0] == "rebalance_sells"
    assert "over the position cap" in sale.reason
