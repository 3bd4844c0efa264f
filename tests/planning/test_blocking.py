"""A filter that fails blocks the sides that it guards, in every scope, and that is said first."""

from dataclasses import replace

import pytest

from builders.changes import calling, scoped, traded, with_form
from builders.each import each
from builders.world import BUSY, choosing
from steelyard import strategies
from steelyard.errors import SettingsError
from steelyard.modules.registry import Kind
from steelyard.plans.verify import check
from steelyard.strategies.writing import effective

SCOPES = ("quantities", "candidates", "proposals")
SELLS, TRADES = "eligibility", "recently_traded"


def failing(*_):
    raise RuntimeError("out of luck")


def late(ctx, table, params):
    """A predicate of rows that fails when it is asked."""
    return failing


def agrees(plan):
    assert check(plan.document()).failed == ()


def sides(plan):
    return {step.side.value for step in plan.steps}


def test_a_filter_of_sales_that_fails_lets_no_sale_through_and_the_plan_says_so_first():
    def blocks(scope):
        of = scoped(BUSY, scope)
        assert "sell" in sides(of.planned)

        plan = calling(of, Kind.FILTER, SELLS, failing).plan()

        assert sides(plan) == {"buy"}
        assert [(p.code, p.module) for p in plan.problems] == [
            ("sales_blocked", f"filters.{SELLS}"), ("module_failed", f"filters.{SELLS}"),
        ]  # fmt: skip
        first = "Nothing is sold: the filter eligibility does not work, so it lets nothing through."
        assert plan.verdict.detail.startswith(first)
        agrees(plan)

    each({scope: scope for scope in SCOPES}, blocks)


def test_a_filter_of_both_sides_that_fails_is_a_hold_that_says_why():
    def holds(scope):
        plan = calling(scoped(BUSY, scope), Kind.FILTER, TRADES, failing).plan()

        assert plan.verdict.text == (
            "Hold. Nothing is bought or sold: the filter recently_traded does not work, so it lets "
            "nothing through."
        )
        assert plan.problems[0].code == "trades_blocked"
        assert 'filters.recently_traded.on_failure = "allow"' in plan.problems[0].message
        agrees(plan)

    each({scope: scope for scope in SCOPES}, holds)


def test_one_that_fails_when_it_is_asked_about_a_list_blocks_too():
    def blocks(scope):
        faulty = with_form(scoped(BUSY, scope), "correlation_aware", "rows", late)
        plan = faulty.plan()

        assert plan.problems[0].code == "buys_blocked"  # its tags name buys alone
        assert sides(plan) <= {"sell"}
        agrees(plan)

    each({scope: scope for scope in SCOPES}, blocks)


def test_one_whose_tags_name_no_side_guards_both():
    def untagged(choice):
        module = replace(choice.module, tags=("mine",), call=failing)
        return {"module": module} if choice.module.name == SELLS else {}

    plan = replace(BUSY, strategy=choosing(BUSY.strategy, Kind.FILTER, untagged)).plan()

    assert plan.problems[0].code == "trades_blocked"
    assert plan.steps == ()


def test_one_that_is_out_of_service_blocks_as_one_that_fails():
    plan = BUSY.plan(disabled={f"filters.{SELLS}": "three failures"})

    assert [problem.code for problem in plan.problems] == ["sales_blocked", "module_disabled"]
    assert sides(plan) == {"buy"}


def test_with_on_failure_allow_the_plan_is_as_without_the_filter():
    changes = {"filters": {SELLS: {"on_failure": "allow"}}}
    strategy = strategies.overlay(BUSY.strategy, changes, why="own")
    plan = calling(replace(BUSY, strategy=strategy), Kind.FILTER, SELLS, failing).plan()

    assert [problem.code for problem in plan.problems] == ["module_failed"]
    assert traded(plan) == traded(BUSY.planned)


def test_a_filter_of_a_plugin_that_cannot_be_loaded_blocks_unless_it_may_fail(tmp_path):
    def codes(table):
        pinned = f'files = {{"gone.py" = "sha256:{"0" * 64}"}}'
        text = f'[plugins]\nfolder = "."\n{pinned}\n[filters.mine]\n{table}'
        (tmp_path / "own.toml").write_text(text)
        strategy = strategies.load(tmp_path / "own.toml")
        plan = replace(BUSY, strategy=strategy).plan()
        assert bool(plan.steps) is ("trades_blocked" not in {p.code for p in plan.problems})
        return {problem.code for problem in plan.problems if problem.module == "filters.mine"}

    assert codes("") == {"trades_blocked"}
    assert codes('on_failure = "allow"') == codes("enabled = false") == set()


def test_a_strategy_says_what_to_do_while_a_filter_fails():
    allowed = strategies.parse('[filters.eligibility]\non_failure = "allow"', "own")
    again = strategies.parse(effective(allowed), "own")

    assert allowed.choice(Kind.FILTER, SELLS).on_failure == "allow"
    assert again.choice(Kind.FILTER, SELLS).on_failure == "allow"
    assert allowed.sha256 != strategies.parse("", "own").sha256
    assert strategies.parse('[filters.eligibility]\non_failure = "block"', "own").sha256 == (
        strategies.parse("", "own").sha256
    )


def test_what_nobody_can_mean_by_it_is_refused():
    wrong = {
        "another word": ('[filters.eligibility]\non_failure = "pray"', '"block" or "allow"'),
        "a truth": ("[filters.eligibility]\non_failure = true", '"block" or "allow"'),
        "of a ranking": ('[filters.diversity]\non_failure = "allow"', "forbids no order"),
        "of a pattern": ('[pattern_generators.rebalance]\non_failure = "allow"', "on_failure"),
        "inside params": ('[filters.eligibility.params]\non_failure = "allow"', "no parameter"),
    }

    def refused(text, why):
        with pytest.raises(SettingsError, match=why):
            strategies.parse(text, "own")

    each(wrong, refused)
