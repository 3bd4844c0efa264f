"""What-if reports and the market regime, on the page and in the terminal."""

import functools
import io
from dataclasses import replace

import pytest
from rich.console import Console

from builders.changes import enabled
from builders.regimes import WORLDS, under
from builders.world import BUSY
from steelyard.modules.registry import Kind
from steelyard.plans.plan import Plan
from steelyard.plans.verify import check
from steelyard.report.exhibits.regime import regime
from steelyard.report.exhibits.what_if import SHOWN, what_ifs
from steelyard.report.page import render
from steelyard.report.terminal import show
from steelyard.sentences import SPACE
from steelyard.settings import Limits

NAMES = ("partial_execution", "constraint_relaxation")


@functools.cache
def asked(*names: str, turnover: float | None = 0.1) -> Plan:
    of = replace(BUSY, strategy=replace(BUSY.strategy, limits=Limits(max_turnover_weight=turnover)))
    for name in names:
        of = enabled(of, Kind.SEQUENCE, name)
    return of.plan()


def printed(plan: Plan, width: int = 100, *, explain: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width)
    show(plan, console, explain=explain)
    return console.file.getvalue()


def test_the_least_scenarios_come_first_and_all_are_there():
    plan = asked(*NAMES)
    exhibit = what_ifs(plan)

    nets = [scenario.net for scenario in (*exhibit.scenarios, *exhibit.better)]
    assert nets == sorted(scenario.improvement for scenario in plan.what_if.fills.scenarios)
    assert len(exhibit.scenarios) == SHOWN


def test_rules_that_cost_nothing_are_named_and_not_listed():
    exhibit = what_ifs(asked(*NAMES))

    assert "More turnover" in [rule.name for rule in exhibit.rules]
    assert [rule.gain for rule in exhibit.rules] == sorted(
        (rule.gain for rule in exhibit.rules), reverse=True
    )
    assert exhibit.idle.endswith(": nothing would change.")
    assert len(exhibit.rules) + exhibit.idle.count(",") + 1 == len(
        asked(*NAMES).what_if.relaxations
    )


@pytest.mark.parametrize(
    ("names", "heading"),
    [(NAMES[:1], "What if it fills in part"), (NAMES[1:], "What if a rule were looser")],
)
def test_a_report_of_one_kind_has_its_own_heading(names, heading):
    assert what_ifs(asked(*names)).heading == heading
    assert heading in printed(asked(*names))
    assert heading in render(asked(*names))


def test_without_a_report_nothing_is_shown():
    assert what_ifs(asked()) is None
    assert "What if" not in printed(asked())
    assert 'aria-labelledby="h-if"' not in render(asked())


@pytest.mark.parametrize("width", [60, 100, 160])
def test_the_terminal_says_it_at_every_width(width):
    text = " ".join(printed(asked(*NAMES), width).split())

    assert "None of this is in the plan." in text
    assert "better ones: steelyard plan --explain" in text or not what_ifs(asked(*NAMES)).better
    assert all(len(line) <= width for line in printed(asked(*NAMES), width).splitlines())


def test_explain_lists_every_scenario():
    text = printed(asked(*NAMES), 160, explain=True)

    assert all(
        scenario.name.replace(SPACE, " ") in text
        for scenario in (*what_ifs(asked(*NAMES)).scenarios, *what_ifs(asked(*NAMES)).better)
    )


def test_a_scenario_under_the_reserve_is_marked_in_words():
    plan = asked(*NAMES, turnover=None)
    short = plan.what_if.fills.model_copy(
        update={
            "scenarios": tuple(
                scenario.model_copy(update={"keeps_reserve": False})
                for scenario in plan.what_if.fills.scenarios
            )
        }
    )
    marked = plan.model_copy(update={"what_if": plan.what_if.model_copy(update={"fills": short})})

    assert "under the reserve" in printed(marked)
    page = render(marked, check(plan.document()))
    assert page.count("under the reserve") == len(short.scenarios)


@pytest.mark.parametrize("name", WORLDS)
def test_a_regime_is_told_where_a_module_asks_for_it(name):
    plan = WORLDS[name].plan()

    assert regime(plan).startswith(f"Market regime: {name}. The index is ")
    assert f"Market regime: {name}." in printed(plan)
    assert f"Market regime: {name}." in render(plan)


def test_an_unknown_regime_is_told_and_one_that_nobody_asks_for_is_not():
    assert regime(under(None).plan()) == "Market regime: unknown."
    assert regime(BUSY.plan()) == ""
