"""Classes: rows with bands, their drift, and why a member has the target that it has."""

import io
import re

import pytest
from rich.console import Console

from builders.classes import classed
from builders.world import world
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.classes import classes, why_member
from steelyard.report.page import render
from steelyard.report.terminal import show, show_why
from steelyard.settings import Limits, Search
from steelyard.targets import Band


@pytest.fixture(scope="module")
def plan() -> Plan:
    of = world(
        "AA 30 @ 100", "BB 40 @ 50", "CC 50 @ 20", "DD 0 @ 10", "EE 10 @ 50", cash="3500",
        funds=("AA", "BB", "CC", "DD", "EE"), limits=Limits(max_position_weight=1.0),
        search=Search(scope="candidates"), cost_prices={"AA": "120", "BB": "40"},
    )  # fmt: skip
    return classed(
        of, {"Large": "AA BB", "<b>Small</b>": "CC DD", "Other": "EE"},
        {"Large": 0.3, "<b>Small</b>": 0.6},
        preference={"DD": 1}, frozen={"CC"}, bands={"Large": Band(0.05)},
    ).plan()  # fmt: skip


def test_rows_are_the_classes_with_their_drift_and_what_is_in_none_as_one(plan: Plan):
    shown = classes(plan)

    assert shown is not None
    assert [(row.symbol, row.name) for row in shown.rows] == [
        ("<b>Small</b>", "CC, DD"), ("Large", "AA, BB"),
    ]  # fmt: skip
    # off by .5 and .2, and what is in neither by .3
    assert shown.before == pytest.approx((0.5 + 0.2 + 0.3) / 2)
    assert shown.rows[1].band == pytest.approx((0.25, 0.35))
    assert shown.after < 0.03
    assert [row.state for row in shown.rows] == ["closed", "closed"]
    assert classes(plan.model_copy(update={"classes": ()})) is None


def test_each_member_says_how_its_target_follows(plan: Plan):
    rows, wrong = {row.symbol: row for row in plan.holdings}, []
    for symbol, parts in (
        ("DD", ("Class <b>Small</b>: 10.0 % of value", "target 60.0 %", "with preference 1")),
        ("CC", ("CC keeps its weight", "goes to DD, for CC may not be bought")),
        ("AA", ("target 30.0 %, band 25.0 % to 35.0 %", "20.0 % of it is to come from AA")),
        ("BB", ("BB keeps its weight: what the class has too much of comes from AA",)),
        ("EE", ("Class Other has no target.",)),
    ):
        text = why_member(plan, rows[symbol]).replace("\u00a0", " ")
        wrong += [(symbol, part, text) for part in parts if part not in text]
    assert not wrong


def test_page_terminal_and_why_show_them_and_obey_no_name(plan: Plan):
    def printed(draw) -> str:
        console = Console(file=io.StringIO(), width=120, highlight=False)
        draw(console)
        return re.sub(r"\s+", " ", console.file.getvalue())

    page = render(plan)
    assert "By class the drift goes from 50.0" in page
    assert "&lt;b&gt;Small&lt;/b&gt;" in page
    assert "<b>Small</b>" not in page.replace("<\\/b>", "")
    text = printed(lambda console: show(plan, console))
    assert "<b>Small</b> CC, DD 10.0" in text
    assert "Large AA, BB 50.0" in text
    assert "25.0 to 35.0" in text
    assert "Class Large:" in printed(lambda console: show_why(plan, "AA", console))
