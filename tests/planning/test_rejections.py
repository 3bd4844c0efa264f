"""Why everything else is not in a plan: the rule that stopped it, and not another one."""

from dataclasses import replace

from builders.changes import (
    BB_AND_CC_ALIKE,
    ONE_BUY,
    USUAL,
    YOUNG,
    enabled,
    proposing,
    stops,
    traded,
    usual,
)
from builders.world import with_module
from steelyard.modules.registry import Kind, Module, ModuleParams
from steelyard.modules.terms import BlackBox, Part, Term
from steelyard.settings import Limits


def rules(plan):
    return {row.rule for row in plan.not_traded}


def test_an_order_that_a_cap_keeps_out_is_told_as_that_and_not_as_want_of_money():
    plan = usual(limits=Limits(max_turnover_weight=0.001)).plan()

    assert plan.verdict.action == "hold"
    assert {row.rule for row in plan.not_traded if row.candidate is not None} == {"max_turnover"}


def test_what_a_filter_keeps_out_is_told_as_that_and_not_as_never_proposed():
    of = usual(sessions=YOUNG)
    first = {"max_sequences": 1000, "min_diversity_score": 0.2}

    pairs = enabled(BB_AND_CC_ALIKE, Kind.FILTER, "correlation_aware").plan()
    lazy = replace(of, strategy=with_module(of.strategy, ONE_BUY)).plan()
    first = enabled(proposing(of), Kind.FILTER, "diversity", **first).plan()

    assert "conflict" in rules(pairs)
    assert "row_filter" in rules(lazy)
    ranked = [row.reason for row in first.not_traded if row.rule == "ranked_out"]
    assert ranked[0].startswith("The plan with it was proposed and would gain ")


def test_what_a_term_that_only_re_ranks_keeps_out_of_the_plan_is_not_told_as_a_loss():
    def shy_of_cc(ctx, params):
        """A term without an array form that wants nothing held of CC."""
        i = ctx.symbols.index("CC")
        part = Part("shy", 1.0, 0.0, 1.0, lambda w, cash: -float(w[i] > 0), BlackBox(1.0))
        return Term("shy", (part,))

    shy = Module(Kind.TERM, "shy", "1.0.0", "Nothing of CC", ModuleParams, shy_of_cc)
    score = USUAL.strategy.score.model_copy(update={"further": {"shy": 0.9}})

    plan = replace(USUAL, strategy=with_module(replace(USUAL.strategy, score=score), shy)).plan()

    assert "+CC" in traded(USUAL.planned) - traded(plan)
    assert ("search", "not_searched") in stops(plan, "CC")


def test_a_security_that_may_not_be_traded_is_not_said_to_be_near_its_target():
    plan = usual(limits=Limits(allow_buy=False)).plan()

    stop = next(row for row in plan.not_traded if row.symbol == "CC")
    assert stop.rule != "near_target"
    assert "less than any calculator acts on" not in stop.reason
