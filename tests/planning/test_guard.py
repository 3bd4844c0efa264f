"""A module that fails, early or late, costs only itself: the plan is as without it and names it."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from builders.changes import (
    USUAL,
    calling,
    enabled,
    exact,
    off,
    same_plan,
    scoped,
    usual,
    with_form,
)
from builders.each import each
from builders.proposers import OVER_AND_UNDER
from builders.world import BUSY, World, choosing
from steelyard.errors import DeadlineStruck, FailedLate, InternalError, PlanRefused
from steelyard.modules.candidates import Candidate, Ranking, Ruling
from steelyard.modules.registry import Kind
from steelyard.modules.terms import BlackBox, Part, Term, linear_part
from steelyard.notices import Drop
from steelyard.orders import Side
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard, kept_to, settled
from steelyard.planning.questions.explain import explain
from steelyard.planning.solve import local
from steelyard.sentences import say
from steelyard.targets import TargetsFailed

ROWS, RANK = "correlation_aware", "diversity"


def named(plan, qualified: str) -> None:
    """The plan names the module, once."""
    problems = [(notice.code, notice.module) for notice in plan.problems]
    assert problems == [("module_failed", qualified)]
    runs = [run for run in plan.modules if f"{run.kind}.{run.name}" == qualified]
    assert [(run.outcome, run.count) for run in runs] == [("failed", None)]
    assert runs[0].error
    assert runs[0].error in plan.problems[0].message
    missing = f"1 module that failed or is out of service: {qualified.rpartition('.')[2]}."
    assert f"without {missing}" in plan.verdict.detail


def let(of: World, *names: str) -> World:
    """The world whose strategy plans without these filters where they fail."""

    def allow(choice):
        return {"on_failure": "allow"} if choice.module.name in names else {}

    return replace(of, strategy=choosing(of.strategy, Kind.FILTER, allow))


def left_out(faulty: World, kind: Kind, name: str, **options) -> None:
    """The plan names the module and is the plan without it."""
    plan = faulty.plan(**options)
    named(plan, f"{kind}.{name}")
    same_plan(plan, off(BASES[faulty.strategy.search.scope], kind, name).planned)


BASES = {scope: scoped(BUSY, scope) for scope in ("quantities", "candidates", "proposals")}


def failing(*_):
    raise RuntimeError("out of luck")


# what it answers at once


def candidate(symbol="CC", weights=(0.05,), priority_weight=1.0, side=Side.BUY, **changes):
    record = Candidate(side, symbol, weights, priority_weight, say("for a test"))
    return lambda ctx, params: [replace(record, **changes)]


def rows(answer):
    """A pattern that answers with an array made of the table and the depth."""
    return lambda ctx, table, params: answer(table, ctx.search.max_depth)


def blocks(*arrays):
    return lambda ctx, table, seeds, params: iter(arrays)


def raises_later(ctx, table, seeds, params):
    yield np.full((1, ctx.search.max_depth), -1)
    raise RuntimeError("out of luck")


def variant(name):
    return rows(lambda table, depth: {name: np.zeros((1, depth), dtype=np.int64)})


def all_but_the_first(**answer):
    return lambda ctx, table, params: Ruling(np.arange(table.m) > 0, **answer)


def all_kept(**answer):
    return lambda ctx, table, params: Ruling(np.ones(table.m, dtype=bool), {}, **answer)


def quality(name="quality", n=0, of=0.0):
    """A term of that name over `n` numbers too many, all of them `of`."""
    return lambda ctx, params: Term(
        name, (linear_part("q", 1.0, (0.0, 1.0), np.full(ctx.n + n, of), 0.0),)
    )


FAULTY = {
    (Kind.OPPORTUNITY, "opportunity_buys"): {
        "raises": failing, "an unknown symbol": candidate("NOPE"),
        "not a number": candidate(weights=(float("nan"),)),
        "endless": candidate(weights=(float("inf"),)),
        "a buy of less than nothing": candidate(weights=(-0.05,)),
        "a sale of more": candidate("AA", side=Side.SELL), "nothing": candidate(weights=(0.0,)),
        "too heavy": candidate(priority_weight=9.0),
        "a heavy nothing": candidate(priority_weight=float("nan")),
        "why is text": candidate(why="text"), "no why": candidate(why=None),
        "tags are text": candidate(tags="ab"), "a tag is a number": candidate(tags=(5,)),
        "not a list": lambda ctx, params: 7, "None": lambda ctx, params: None,
    },
    (Kind.PATTERN, "direct_buy"): {
        "raises": failing,
        "the wrong depth": rows(lambda table, depth: np.zeros((1, 2), dtype=np.int64)),
        "one dimension": rows(lambda table, depth: np.zeros(5, dtype=np.int64)),
        "floats": rows(lambda table, depth: np.zeros((1, depth))),
        "an unknown candidate": rows(lambda table, depth: np.full((1, depth), table.m)),
        "a number under PAD": rows(lambda table, depth: np.full((1, depth), -2)),
        "a number of 64 bits": rows(lambda table, depth: np.full((1, depth), 2**63)),
        "None": rows(lambda table, depth: None),
        **{
            f"variant {str(name)[:8]!a}": variant(name)
            for name in (5, ("a",), "", "a.b", "\x1b[31m", "\ud800", "x" * 10**6)
        },
    },
    (Kind.SEQUENCE, "enhanced_combinatorial"): {
        "raises": failing, "raises later": raises_later,
        "the wrong depth": blocks(np.zeros((1, 2), dtype=np.int64)),
        "an unknown candidate": blocks(np.full((1, 5), 10**6)),
        "not an iterator": lambda ctx, table, seeds, params: 7,
    },
    (Kind.FILTER, "eligibility"): {
        "raises": failing,
        "not a ruling": lambda ctx, table, params: np.ones(table.m, dtype=bool),
        "None": lambda ctx, table, params: None,
        "a drop is text": all_but_the_first(drops={0: "because"}),
        "a value of nothing": all_but_the_first(
            drops={0: Drop("r", float("nan"), None, say("no"))}
        ),
        "a why is text": all_but_the_first(drops={0: Drop("r", None, None, "no")}),
        "unknown numbers": all_kept(unknown=((5, 6),)),
        "unknown text": all_kept(unknown="abc"),
        "numbers": lambda ctx, table, params: Ruling(np.ones(table.m), {}),
    },
    (Kind.TERM, "quality"): {
        "raises": failing, "not finite": quality(of=np.nan), "the wrong size": quality(n=3),
        "another name": quality("fame"), "None": lambda ctx, params: None,
    },
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), FAULTY, ids=[name for _, name in FAULTY])
def test_a_module_that_answers_wrongly_costs_only_itself(kind, name):
    of = BASES["proposals" if kind in {Kind.PATTERN, Kind.SEQUENCE} else "candidates"]

    def costs_only_itself(call):
        plan = let(calling(of, kind, name, call), name).plan()
        named(plan, f"{kind}.{name}")
        assert len(plan.problems[0].message) < 300
        assert "Nothing was planned" not in plan.problems[0].message
        same_plan(plan, off(of, kind, name).planned)

    each(FAULTY[kind, name], costs_only_itself)


def test_a_filter_of_pairs_that_answers_wrongly_costs_only_itself():
    of = enabled(OVER_AND_UNDER, Kind.FILTER, ROWS)

    def costs_only_itself(answer):
        plan = let(calling(of, Kind.FILTER, ROWS, answer), ROWS).plan()
        named(plan, f"filters.{ROWS}")
        assert exact(plan) == exact(OVER_AND_UNDER.planned)

    no_reason = Ruling(np.zeros(0, dtype=bool), {})
    wrong = {
        "shape": lambda ctx, table, params: np.ones((1, 2), dtype=bool),
        "not true or false": lambda ctx, table, params: np.full((table.m, table.m), np.nan),
        "no reason": lambda ctx, table, params: (
            np.zeros((table.m, table.m)),
            replace(no_reason, keep=np.zeros(table.m, dtype=bool)),
        ),
    }
    each(wrong, costs_only_itself)


def test_a_ranking_that_keeps_no_number_of_proposals_costs_the_filter():
    def costs_only_itself(most):
        faulty = with_form(BASES["proposals"], RANK, "rank", lambda *_: Ranking(zero, most))
        left_out(faulty, Kind.FILTER, RANK)

    each({str(most): most for most in (2.5, None, "x", -1)}, costs_only_itself)


# what fails when its answer is used


def on_the(nth, good, bad):
    """A function that is good until its nth call, then bad: made anew for every plan that asks."""

    def build(ctx, table, params):
        calls = [0]

        def answer(rows):
            calls[0] += 1
            return bad(rows) if calls[0] >= nth else good(rows)

        return answer

    return build


def allow(rows):
    return np.ones(len(rows), dtype=bool)


def zero(rows):
    return np.zeros(len(rows))


def scribbling(rows):
    rows[:] = 0
    return np.ones(len(rows), dtype=bool)


LATE_ROWS = {
    "raises at once": on_the(1, allow, failing),
    "raises in mid-stream": on_the(3, allow, failing),
    "raises in the search": on_the(30, allow, failing),
    "one answer for all": on_the(2, allow, lambda rows: True),
    "numbers": on_the(2, allow, lambda rows: np.ones(len(rows))),
    "too few": on_the(2, allow, lambda rows: np.ones(max(len(rows) - 1, 0), dtype=bool)),
    "writes into the rows": on_the(2, allow, scribbling),
    "None": on_the(2, allow, lambda rows: None),
}

LATE_RANKS = {
    "raises in mid-stream": on_the(3, zero, failing),
    "no numbers": on_the(2, zero, lambda rows: np.full(len(rows), np.nan)),
    "too many": on_the(2, zero, lambda rows: np.zeros(len(rows) + 1)),
    "writes into the rows": on_the(2, zero, scribbling),
}


def ranked(call, most=10):
    return lambda *known: Ranking(call(*known), most)


@pytest.mark.parametrize("scope", BASES)
def test_a_row_predicate_that_fails_costs_only_itself(scope):
    def costs_only_itself(call):
        left_out(let(with_form(BASES[scope], ROWS, "rows", call), ROWS), Kind.FILTER, ROWS)

    each(LATE_ROWS, costs_only_itself)


def test_a_ranking_that_fails_costs_only_itself():
    def costs_only_itself(call):
        faulty = with_form(BASES["proposals"], RANK, "rank", ranked(call))
        left_out(faulty, Kind.FILTER, RANK, steps=local(batch_size=8))

    each(LATE_RANKS, costs_only_itself)


def test_two_filters_that_fail_late_are_both_left_out():
    faulty = with_form(BASES["proposals"], ROWS, "rows", LATE_ROWS["raises in mid-stream"])
    plan = let(with_form(faulty, RANK, "rank", ranked(LATE_RANKS["no numbers"])), ROWS).plan()

    assert {notice.module for notice in plan.problems} == {f"filters.{ROWS}", f"filters.{RANK}"}
    same_plan(plan, off(BASES["proposals"], Kind.FILTER, ROWS, RANK).planned)


def test_the_formula_of_a_score_term_that_fails_at_some_weights_costs_only_itself():
    def costs_only_itself(figure):
        def raw(weights, cash):
            if weights.max(initial=0.0) <= 0.15:
                return 0.0
            return failing() if figure is None else figure

        term = Term("quality", (Part("q", 1.0, 0.0, 1.0, raw, BlackBox()),))
        left_out(calling(BUSY, Kind.TERM, "quality", lambda *_: term), Kind.TERM, "quality")

    each({"nan": float("nan"), "infinite": float("inf"), "raises": None}, costs_only_itself)


def split_quality(lie):
    """The plan with a quality term whose formula differs from its arrays by `lie` of weights."""

    def lying(ctx, params):
        part = linear_part("q", 1.0, (0.3, 0.75), ctx.quality, 0.55)
        raw = part.raw
        return Term("quality", (replace(part, raw=lambda w, cash: raw(w, cash) + lie(w)),))

    return calling(USUAL, Kind.TERM, "quality", lying).plan()


def test_a_term_whose_formula_and_arrays_disagree_is_left_out_and_named():
    plan = split_quality(lambda weights: float(weights[0]) ** 2)

    named(plan, "score_terms.quality")
    assert "the formula gives" in plan.problems[0].message
    assert "quality" not in {term.name for term in plan.score.terms}


def test_a_term_whose_formula_and_arrays_disagree_only_somewhere_withholds_the_plan():
    with pytest.raises(InternalError, match="No plan was made"):
        split_quality(lambda weights: 0.01 * float(weights.max() - weights.min()) ** 2)


def test_a_deadline_in_mid_stream_makes_the_plan_not_reproducible():
    def slow(rows):
        raise DeadlineStruck("it took longer than 10 seconds")

    plan = let(with_form(BUSY, ROWS, "rows", on_the(2, allow, slow)), ROWS).plan()

    named(plan, f"filters.{ROWS}")
    assert not plan.reproducible


def test_the_same_failure_makes_the_same_plan():
    faulty = with_form(BUSY, ROWS, "rows", LATE_ROWS["raises in the search"])

    assert faulty.plan().plan_id == faulty.plan().plan_id


def test_a_module_that_is_known_to_have_failed_is_not_asked_again():
    asked = []

    def work(guard):
        asked.append(dict(guard.gone))
        raise FailedLate("filters.x", "E: no")

    late = r"filters.x failed while its answer was used: E: no\. Nothing was made with it"
    with pytest.raises(FailedLate, match=late):
        settled(work, Guard())
    assert asked == [{}, {"filters.x": "E: no"}]


def test_a_failure_inside_of_another_module_is_that_of_the_module_whose_answer_it_was():
    filters = {choice.module.name: choice.module for choice in BUSY.strategy.choices[Kind.FILTER]}
    answer = kept_to(filters[ROWS], failing)

    with pytest.raises(FailedLate, match=rf"filters\.{ROWS} failed"):
        calling(BUSY, Kind.PATTERN, "direct_buy", lambda *_: answer(None)).plan()


def test_what_a_plan_was_made_without_its_explanation_is_without_too():
    faulty = let(with_form(USUAL, ROWS, "rows", LATE_ROWS["raises at once"]), ROWS)

    explained = explain(faulty.case, faulty.plan())

    without = explain(off(USUAL, Kind.FILTER, ROWS).case, explained)
    assert explained.explanation == without.explanation


# out of service


def test_a_module_out_of_service_is_a_problem_and_not_run():
    def is_left_out(kind, name):
        of = let(BUSY, name)
        plan = of.plan(disabled={f"{kind}.{name}": "three failures"})
        problems = [(notice.code, notice.module) for notice in plan.problems]
        assert problems == [("module_disabled", f"{kind}.{name}")]
        assert "three failures" in plan.problems[0].message
        assert plan.score == off(of, kind, name).planned.score
        assert plan.inputs_sha256 != of.planned.inputs_sha256

    each({key: key for key in FAULTY}, is_left_out)


def test_a_bare_name_puts_every_module_of_that_name_out_of_service_whatever_the_reason_says():
    plan = USUAL.plan(disabled={"averaging_down": ""})

    assert {(notice.code, notice.module) for notice in plan.problems} == {
        ("module_disabled", "opportunity_calculators.averaging_down"),
        ("module_disabled", "pattern_generators.averaging_down"),
    }


def every(kind):
    choices = USUAL.strategy.choices[kind]
    return {choice.module.qualified: "off" for choice in choices if choice.enabled}


def test_all_calculators_out_of_service_are_a_hold_that_says_so():
    out = every(Kind.OPPORTUNITY)

    def is_a_hold(of):
        plan = of.plan(disabled=out)
        assert plan.verdict.action == "hold"
        assert {notice.code for notice in plan.problems} == {"module_disabled"}
        assert len(plan.problems) == len(out)

    table = scoped(USUAL, "candidates")
    each({"of the table": table, "without targets": usual(targets=None)}, is_a_hold)


def test_over_whole_lots_targets_are_reason_enough_to_trade_without_any_calculator():
    plan = USUAL.plan(disabled=every(Kind.OPPORTUNITY))

    assert plan.verdict.action == "act"
    assert plan.score.plan == USUAL.planned.score.plan
    assert len(plan.problems) == len(every(Kind.OPPORTUNITY))


def test_without_any_score_term_the_plan_is_refused():
    with pytest.raises(PlanRefused, match="No score term is left"):
        USUAL.plan(disabled=every(Kind.TERM))


def test_failed_targets_are_a_problem_with_their_reason_and_the_plan_goes_on_without():
    plan = replace(USUAL, targets=TargetsFailed("The optimiser found no solution.")).plan()

    assert [notice.code for notice in plan.problems] == ["targets_failed"]
    assert "The optimiser found no solution." in plan.problems[0].message
    assert plan.steps == replace(USUAL, targets=None).plan().steps


# what is said of it


class Silent(Exception):
    def __str__(self):
        raise ValueError("no text")


def test_an_error_of_any_text_is_one_short_line_of_the_plan():
    def is_a_line(error, line):
        def call(*_):
            raise error

        plan = calling(BUSY, Kind.OPPORTUNITY, "weight_based", call).plan()
        named(plan, "opportunity_calculators.weight_based")
        assert plan.problems[0].message.endswith(f"failed: {line}")
        plan.to_json().encode()

    red = "\x1b[31m\n\u202e red"
    errors = {
        "without a text": (Silent(), "Silent: an error without a text"),
        "no text of a file": (RuntimeError("\ud800"), r"RuntimeError: \ud800"),
        "what a terminal obeys": (RuntimeError(red), r"RuntimeError: \u001b[31m \u202e red"),
        "ten million letters": (RuntimeError("x" * 10**7), f"RuntimeError: {'x' * 485}…"),
    }
    each(errors, is_a_line)


def test_at_debug_every_module_of_a_plan_is_one_line_with_bucket_name_count_and_time(caplog):
    with caplog.at_level(logging.DEBUG, logger="steelyard.modules"):
        plan = BUSY.plan(disabled={"filters.recently_traded": "tired"})

    lines = {record.qualified: record for record in caplog.records}
    runs = {f"{run.kind}.{run.name}": (run.outcome, run.count) for run in plan.modules}
    assert len(lines) == len(caplog.records)
    assert {name: (line.outcome, line.count) for name, line in lines.items()} == runs
    assert {line.bucket_id for line in lines.values()} == {BUSY.snapshot.bucket}
    assert all(line.elapsed_ms >= 0 for line in lines.values())
    assert any(n.startswith("sequence_generators.") and lines[n].elapsed_ms > 0 for n in lines)
    assert lines["filters.recently_traded"].getMessage() == (
        f"module bucket={BUSY.snapshot.bucket} name=filters.recently_traded outcome=disabled"
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


def test_what_is_guarded_is_timed_by_the_clock_that_is_passed_in():
    ticks = iter([1.0, 3.5])
    findings = Findings(clock=lambda: next(ticks))

    with findings.timed("work"):
        pass

    assert [(timing.name, timing.seconds) for timing in findings.timings] == [("work", 2.5)]


def test_where_a_module_failed_is_logged_at_debug_at_once_and_late(caplog):
    late = with_form(BUSY, ROWS, "rows", LATE_ROWS["raises at once"])
    for name, of in {
        "averaging_down": calling(BUSY, Kind.OPPORTUNITY, "averaging_down", failing), ROWS: late,
    }.items():  # fmt: skip
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="steelyard.modules"):
            of.plan()

        (record,) = (record for record in caplog.records if record.exc_info)
        assert record.qualified.endswith(f".{name}")
        assert "in failing\n" in caplog.text
        assert "RuntimeError: out of luck" in caplog.text
