"""A module whose answer fails late, when it is used, costs only itself: the plan is made again as
without it, and names it.
"""

import logging
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from builders.world import BUSY, World, with_call, without
from steelyard.errors import DeadlineStruck, FailedLate
from steelyard.modules.candidates import Candidate, Ranking, Ruling
from steelyard.modules.registry import Kind
from steelyard.modules.terms import BlackBox, Part, Term
from steelyard.notices import Drop
from steelyard.orders import Side
from steelyard.planning.findings import Findings, kept_to
from steelyard.planning.planner import Local
from steelyard.planning.questions.explain import Case, explain
from steelyard.sentences import say

ROWS = "correlation_aware"
RANK = "diversity"


def proposing(of: World) -> World:
    return replace(
        of,
        strategy=replace(
            of.strategy, search=of.strategy.search.model_copy(update={"scope": "proposals"})
        ),
    )


def with_form(of: World, name: str, form: str, call) -> World:
    """The world with one filter on, of that form, doing what is said."""
    choices = tuple(
        (
            replace(choice, enabled=True, module=replace(choice.module, form=form, call=call))
            if choice.module.name == name
            else choice
        )
        for choice in of.strategy.choices[Kind.FILTER]
    )
    return replace(
        of,
        strategy=replace(
            of.strategy, choices=MappingProxyType({**of.strategy.choices, Kind.FILTER: choices})
        ),
    )


def off(of: World, kind: Kind, name: str) -> World:
    return replace(of, strategy=without(of.strategy, kind, name))


def on_the(nth: int, good, bad):
    """A function that is good until its nth call, then bad: made anew for every plan that asks for
    it.
    """

    def build(ctx, table, params):
        calls = [0]

        def answer(rows):
            calls[0] += 1
            return bad(rows) if calls[0] >= nth else good(rows)

        return answer

    return build


def out_of_luck(rows):
    raise RuntimeError("out of luck")


def scribbling(rows):
    rows[:] = 0
    return np.ones(len(rows), dtype=bool)


def allow(rows):
    return np.ones(len(rows), dtype=bool)


def zero(rows):
    return np.zeros(len(rows))


LATE_ROWS = {
    "raises at once": on_the(1, allow, out_of_luck),
    "raises in mid-stream": on_the(3, allow, out_of_luck),
    "raises in the search": on_the(30, allow, out_of_luck),
    "one answer for all": on_the(2, allow, lambda rows: True),
    "numbers": on_the(2, allow, lambda rows: np.ones(len(rows))),
    "too few": on_the(2, allow, lambda rows: np.ones(max(len(rows) - 1, 0), dtype=bool)),
    "writes into the rows": on_the(2, allow, scribbling),
    "None": on_the(2, allow, lambda rows: None),
}

LATE_RANKS = {
    "raises in mid-stream": on_the(3, zero, out_of_luck),
    "no numbers": on_the(2, zero, lambda rows: np.full(len(rows), np.nan)),
    "too many": on_the(2, zero, lambda rows: np.zeros(len(rows) + 1)),
    "writes into the rows": on_the(2, zero, scribbling),
}


def same(plan, other) -> None:
    assert [(s.side, s.quantity, s.symbol) for s in plan.steps] == [
        (s.side, s.quantity, s.symbol) for s in other.steps
    ]
    assert plan.score == other.score
    assert plan.certificate.model_copy(update={"seconds": 0}) == other.certificate.model_copy(
        update={"seconds": 0}
    )
    assert plan.not_traded == other.not_traded


def named(plan, qualified: str) -> None:
    """The plan names the module, once."""
    assert [(notice.code, notice.module) for notice in plan.problems] == [
        ("module_failed", qualified)
    ]
    run = [run for run in plan.modules if f"{run.kind}.{run.name}" == qualified]
    assert [(r.outcome, r.count) for r in run] == [("failed", None)]
    assert run[0].error in plan.problems[0].message
    assert (
        f"without 1 module that failed or is out of service: {qualified.rpartition('.')[2]}."
        in plan.verdict.detail
    )


@pytest.mark.parametrize("scope", [lambda of: of, proposing], ids=["candidates", "proposals"])
@pytest.mark.parametrize("call", LATE_ROWS.values(), ids=LATE_ROWS.keys())
def test_a_row_predicate_that_fails_costs_only_itself(call, scope):
    plan = scope(with_form(BUSY, ROWS, "rows", call)).plan()

    named(plan, f"filters.{ROWS}")
    same(plan, scope(off(BUSY, Kind.FILTER, ROWS)).plan())


@pytest.mark.parametrize("call", LATE_RANKS.values(), ids=LATE_RANKS.keys())
def test_a_ranking_that_fails_costs_only_itself(call):
    plan = proposing(with_form(BUSY, RANK, "rank", lambda *given: Ranking(call(*given), 10))).plan(
        steps=Local(batch_size=8)
    )

    named(plan, f"filters.{RANK}")
    same(plan, proposing(off(BUSY, Kind.FILTER, RANK)).plan())


def test_two_filters_that_fail_late_are_both_left_out():
    both = with_form(BUSY, ROWS, "rows", LATE_ROWS["raises in mid-stream"])
    both = proposing(
        with_form(both, RANK, "rank", lambda *given: Ranking(LATE_RANKS["no numbers"](*given), 10))
    )
    plan = both.plan()

    assert {notice.module for notice in plan.problems} == {f"filters.{ROWS}", f"filters.{RANK}"}
    same(plan, proposing(off(off(BUSY, Kind.FILTER, ROWS), Kind.FILTER, RANK)).plan())


def test_a_mask_that_fails_for_securities_not_held_is_left_out_of_the_whole_plan():
    def partial(ctx, table, params):
        if table.m and not ctx.held[table.security].any():
            raise RuntimeError("only held ones, please")
        return Ruling(np.ones(table.m, dtype=bool), {})

    open_world = replace(BUSY, targets=None)
    plan = replace(
        open_world, strategy=with_call(BUSY.strategy, Kind.FILTER, "eligibility", partial)
    ).plan()

    named(plan, "filters.eligibility")
    same(plan, off(open_world, Kind.FILTER, "eligibility").plan())


@pytest.mark.parametrize(
    "figure", [float("nan"), float("inf"), None], ids=["nan", "infinite", "raises"]
)
def test_the_formula_of_a_score_term_that_fails_at_some_weights_costs_only_itself(figure):
    def term(ctx, params):
        def raw(weights, cash):
            if weights.max(initial=0.0) > 0.15:
                if figure is None:
                    raise RuntimeError("out of luck")
                return figure
            return 0.0

        return Term("quality", (Part("q", 1.0, 0.0, 1.0, raw, BlackBox()),))

    plan = replace(BUSY, strategy=with_call(BUSY.strategy, Kind.TERM, "quality", term)).plan()

    named(plan, "score_terms.quality")
    same(plan, off(BUSY, Kind.TERM, "quality").plan())


def test_a_deadline_in_mid_stream_makes_the_plan_not_reproducible():
    def slow(rows):
        raise DeadlineStruck("it took longer than 10 seconds")

    plan = with_form(BUSY, ROWS, "rows", on_the(2, allow, slow)).plan()

    named(plan, f"filters.{ROWS}")
    assert not plan.reproducible


def test_the_same_failure_makes_the_same_plan():
    faulty = with_form(BUSY, ROWS, "rows", LATE_ROWS["raises in the search"])

    assert faulty.plan().plan_id == faulty.plan().plan_id


def test_a_module_that_is_known_to_have_failed_is_not_asked_again():
    findings = Findings()
    asked = []

    def work():
        asked.append(dict(findings.gone))
        raise FailedLate("filters.x", "E: no")

    with pytest.raises(
        FailedLate,
        match=r"filters.x failed while its answer was used: E: no\. Nothing was made with it",
    ):
        findings.settled(work)
    assert asked == [{}, {"filters.x": "E: no"}]


def test_a_failure_inside_of_another_module_is_that_of_the_module_whose_answer_it_was():
    inner = next(
        choice.module for choice in BUSY.strategy.choices[Kind.FILTER] if choice.module.name == ROWS
    )
    answer = kept_to(inner, out_of_luck)
    nosy = replace(
        BUSY,
        strategy=with_call(BUSY.strategy, Kind.PATTERN, "direct_buy", lambda *given: answer(None)),
    )

    with pytest.raises(FailedLate, match=rf"filters\.{ROWS} failed"):
        nosy.plan()


def test_what_a_plan_was_made_without_its_explanation_is_without_too():
    faulty = with_form(BUSY, ROWS, "rows", LATE_ROWS["raises at once"])
    case = Case(
        snapshot=faulty.snapshot,
        market=faulty.market,
        strategy=faulty.strategy,
        targets=faulty.targets,
    )

    explained = explain(case, faulty.plan())

    assert (
        explained.explanation
        == explain(
            replace(case, strategy=off(BUSY, Kind.FILTER, ROWS).strategy), explained
        ).explanation
    )


# what a module of any quality says


class Silent(Exception):
    def __str__(self):
        raise ValueError("no text")


def raising(error):
    def call(*given):
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Silent(), "Silent: an error without a text"),
        (RuntimeError("\ud800"), r"RuntimeError: \ud800"),
        (RuntimeError("\x1b[31m\n\u202e red"), r"RuntimeError: \u001b[31m \u202e red"),
        (RuntimeError("x" * 10**7), f"RuntimeError: {'x' * 485}…"),
    ],
    ids=["without a text", "no text of a file", "what a terminal obeys", "ten million letters"],
)
def test_an_error_of_any_text_is_one_short_line_of_the_plan(error, told):
    plan = replace(
        BUSY, strategy=with_call(BUSY.strategy, Kind.OPPORTUNITY, "weight_based", raising(error))
    ).plan()

    named(plan, "opportunity_calculators.weight_based")
    assert plan.problems[0].message.endswith(f"failed: {told}")
    plan.to_json().encode()


@pytest.mark.parametrize("name", [5, ("a",), "", "a.b", "\x1b[31m", "\ud800", "x" * 10**6])
def test_a_variant_that_no_plan_could_show_costs_the_pattern(name):
    def pattern(ctx, table, params):
        return {name: np.zeros((1, ctx.search.max_depth), dtype=np.int64)}

    plan = proposing(
        replace(BUSY, strategy=with_call(BUSY.strategy, Kind.PATTERN, "direct_buy", pattern))
    ).plan()

    named(plan, "pattern_generators.direct_buy")
    assert len(plan.problems[0].message) < 300
    same(plan, proposing(off(BUSY, Kind.PATTERN, "direct_buy")).plan())


@pytest.mark.parametrize("number", [24, -2, 2**63])
def test_a_sequence_of_unknown_candidates_costs_the_pattern(number):
    def pattern(ctx, table, params):
        return np.full((1, ctx.search.max_depth), number)

    plan = proposing(
        replace(BUSY, strategy=with_call(BUSY.strategy, Kind.PATTERN, "direct_buy", pattern))
    ).plan()

    named(plan, "pattern_generators.direct_buy")
    assert "Nothing was planned" not in plan.problems[0].message


def all_but_the_first(**told):
    return lambda ctx, table, params: Ruling(np.arange(table.m) > 0, **told)


@pytest.mark.parametrize(
    "mask",
    [
        all_but_the_first(drops={0: "because"}),
        all_but_the_first(drops={0: Drop("r", float("nan"), None, say("no"))}),
        all_but_the_first(drops={0: Drop("r", None, None, "no")}),
        lambda ctx, table, params: Ruling(np.ones(table.m, dtype=bool), {}, unknown=((5, 6),)),
        lambda ctx, table, params: Ruling(np.ones(table.m, dtype=bool), {}, unknown="abc"),
        lambda ctx, table, params: Ruling(np.ones(table.m), {}),
    ],
)
def test_a_ruling_that_no_plan_could_tell_costs_the_filter(mask):
    plan = replace(BUSY, strategy=with_call(BUSY.strategy, Kind.FILTER, "eligibility", mask)).plan()

    named(plan, "filters.eligibility")
    same(plan, off(BUSY, Kind.FILTER, "eligibility").plan())


@pytest.mark.parametrize("most", [2.5, None, "x", -1])
def test_a_ranking_that_keeps_no_number_of_proposals_costs_the_filter(most):
    named(
        proposing(with_form(BUSY, RANK, "rank", lambda *given: Ranking(zero, most))).plan(),
        f"filters.{RANK}",
    )


def test_pairs_that_are_not_true_or_false_cost_the_filter():
    named(
        with_form(
            BUSY, ROWS, "pairs", lambda ctx, table, params: np.full((table.m, table.m), np.nan)
        ).plan(),
        f"filters.{ROWS}",
    )


@pytest.mark.parametrize("odd", [{"why": "text"}, {"why": None}, {"tags": "ab"}, {"tags": (5,)}])
def test_a_candidate_that_no_plan_could_explain_costs_the_calculator(odd):
    def calculate(ctx, params):
        return [
            Candidate(
                **{
                    "side": Side.BUY,
                    "symbol": "CC",
                    "weights": (0.1,),
                    "priority_weight": 1.0,
                    "why": say("x"),
                }
                | odd
            )
        ]

    plan = replace(
        BUSY, strategy=with_call(BUSY.strategy, Kind.OPPORTUNITY, "weight_based", calculate)
    ).plan()

    named(plan, "opportunity_calculators.weight_based")


def test_a_module_is_out_of_service_whatever_the_reason_says():
    plan = BUSY.plan(disabled={"filters.diversity": "", "filters.eligibility": ""})

    assert [notice.code for notice in plan.problems if notice.module == "filters.eligibility"] == [
        "module_disabled"
    ]


# the log


def test_at_debug_every_module_of_a_plan_is_one_line_with_bucket_name_count_and_time(caplog):
    with caplog.at_level(logging.DEBUG, logger="steelyard.modules"):
        plan = BUSY.plan(disabled={"filters.recently_traded": "tired"})

    assert sorted((r.qualified, r.outcome, r.count) for r in caplog.records) == sorted(
        (f"{run.kind}.{run.name}", run.outcome, run.count) for run in plan.modules
    )
    assert {r.bucket for r in caplog.records} == {BUSY.snapshot.bucket}
    assert all(r.elapsed_ms >= 0 for r in caplog.records)
    assert any(
        r.elapsed_ms > 0 for r in caplog.records if r.qualified.startswith("sequence_generators.")
    )
    line = next(r.getMessage() for r in caplog.records if r.qualified == "filters.recently_traded")
    assert (
        line
        == f"module bucket={BUSY.snapshot.bucket} name=filters.recently_traded outcome=disabled"
        " count=- elapsed_ms=0.000"
    )


def test_above_debug_nothing_is_logged(caplog):
    with caplog.at_level(logging.INFO, logger="steelyard.modules"):
        BUSY.plan()

    assert caplog.records == []


def test_a_bucket_with_spaces_is_quoted_in_the_log(caplog):
    odd = replace(BUSY, snapshot=replace(BUSY.snapshot, bucket="my core\n"))
    with caplog.at_level(logging.DEBUG, logger="steelyard.modules"):
        odd.plan()

    assert 'bucket="my core\\n" name=' in caplog.records[0].getMessage()
