"""Who proposed the plan: a line in the terminal, all names on request and in the page's seal."""

import pytest

from builders import plans as sample
from builders.pages import read
from report.terminal.test_terminal import flat, shown
from steelyard.plans.verify import check
from steelyard.report.exhibits.proposers import SEARCH, Credit, credited, proposed
from steelyard.report.page import render

MANY = (
    "deep_rebalance", "mixed_strategy", "adaptive.cash_drag", "rebalance", "enhanced_combinatorial",
)  # fmt: skip


def by(plan, *modules, others=()):
    """The plan proposed by `modules`, its alternatives by `others`."""
    alternatives = tuple(
        other.model_copy(update={"proposed_by": others}) for other in plan.alternatives
    )
    return plan.model_copy(update={"proposed_by": modules, "alternatives": alternatives})


@pytest.fixture(scope="module")
def growth():
    return sample.growth()


def test_the_first_modules_are_named_in_the_terminal_and_the_rest_counted(growth):
    assert (
        "Proposed as a whole by deep_rebalance, mixed_strategy, adaptive.cash_drag and 2 more."
        in flat(shown(by(growth, *MANY)))
    )


def test_explaining_names_every_module_also_of_the_alternatives(growth):
    text = flat(shown(by(growth, *MANY, others=("income_gap",)), 140, explain=True))

    assert f"Proposed as a whole by {', '.join(MANY)}." in text
    sources = text[text.index("Orders of Come from") : text.index("The candidate table")]
    assert all(
        module in sources for module in (*MANY, "income_gap", "Hold, greedy list, best proposal")
    )


def test_a_plan_that_no_module_proposed_was_found_by_the_search_alone(growth):
    assert proposed(()) == "Found by the search alone."
    assert "Found by the search alone." in shown(by(growth))
    assert credited(by(growth))[0] == Credit(
        "This plan, runner-up 1, runner-up 2, runner-up 3", SEARCH
    )


def test_sets_of_the_same_modules_stand_in_one_line(growth):
    runners = tuple(
        other.model_copy(update={"proposed_by": ("rebalance",)})
        for other in growth.alternatives
        if other.name.startswith("runner")
    )

    sources = credited(
        growth.model_copy(update={"proposed_by": ("rebalance",), "alternatives": runners})
    )

    assert sources == [Credit("This plan, runner-up 1, runner-up 2, runner-up 3", "rebalance")]


def test_a_plan_that_holds_was_proposed_by_nobody():
    plan = sample.hold().model_copy(update={"alternatives": ()})

    assert credited(plan) == []
    assert "Come from" not in shown(plan, explain=True)
    assert "Found by the search" not in shown(plan)
    assert (
        "Where the orders come from" not in read(render(plan, check(sample.hold().document()))).text
    )


def test_the_seal_of_the_page_names_every_module(growth):
    plan = by(growth, *MANY, others=("averaging_down",))
    seal = read(render(plan, check(growth.document()))).one("footer", klass="seal")

    assert f"This plan: {', '.join(MANY)}" in seal.text
    assert "unrestricted: averaging_down" in seal.text
