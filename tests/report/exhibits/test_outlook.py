"""What a mode chose by, on the page and in the terminal: fan, frontier, shocks, horizons, lists."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import pytest
from rich.console import Console

from builders.modes import MADE as EVERY
from builders.modes import MODES, chosen
from builders.plans import growth
from steelyard.plans.verify import check
from steelyard.report.exhibits import frontier as frontiers
from steelyard.report.exhibits.alternatives import weighed
from steelyard.report.exhibits.certificate import box
from steelyard.report.exhibits.frontier import frontier
from steelyard.report.exhibits.outlook import ends_of, outlook, paragraphs, span
from steelyard.report.exhibits.plot import BOTTOM, LINE, TOP, Axis, Label, apart
from steelyard.report.page import render
from steelyard.report.terminal import show

MADE = [name for name in EVERY if name != "nothing owned"]


def printed(name: str, width: int, *, explain: bool = True) -> str:
    plan = chosen(name)
    console = Console(file=io.StringIO(), width=width)
    show(plan, console, explain=explain, opinion=check(plan.document()))
    return console.file.getvalue()


def test_a_plan_by_the_score_alone_has_no_such_exhibit():
    plan = growth()

    assert outlook(plan) is None
    assert frontier(plan) is None
    assert paragraphs(plan, None) == [plan.verdict.detail]


@pytest.mark.parametrize("name", MADE)
def test_nothing_that_a_mode_chose_is_called_proven(name: str):
    plan = chosen(name)

    badge = box(plan)

    assert "not proven" in badge.badge
    words = " ".join((badge.said, plan.verdict.text, plan.verdict.detail, printed(name, 100)))
    assert re.findall(r"(?<!not )\b[Pp]roven\b", words) == []
    assert "recommend" not in words.lower()


@pytest.mark.parametrize("name", MADE)
def test_every_line_fits_the_window_and_the_plan_is_in_bold_among_its_lists(name: str):
    for width in (80, 160):
        lines = printed(name, width).splitlines()
        assert max(map(len, lines)) <= width
        assert any(line.startswith("  This plan") for line in lines)


@pytest.mark.parametrize("name", MADE)
def test_the_page_draws_what_its_tables_say_and_describes_it_in_words(name: str):
    page = render(chosen(name))
    ahead = outlook(chosen(name))

    assert ahead.heading in page
    drawn = ahead.plot is not None or ahead.frontier is not None
    section = page.partition('id="h-ahead"')[2].partition("</section>")[0]
    assert section.count('role="img"') == drawn
    assert (
        len(re.findall("<title id=[^>]*>[^<]+</title><desc id=[^>]*>[^<]+</desc>", section))
        == drawn
    )
    assert section.count("<table") == section.count("<caption")
    for grid in (*ahead.figures, ahead.lists):
        for line in grid.lines:
            assert len(line.cells) == len(grid.heads)


def test_the_fan_lies_inside_its_axis_and_opens():
    plan = chosen("monte_carlo")
    plot = outlook(plan).plot

    spots = [spot for line in plot.strokes for spot in line.dots]
    assert all(0 <= x <= 100 and TOP <= y <= plot.height - BOTTOM for x, y in spots)
    low, high = (line.dots for line in plot.strokes if line.kind == "plan-edge")
    assert low[0] == high[0]
    assert low[-1][1] > high[-1][1]
    assert [label.y for label in plot.labels] == sorted(label.y for label in plot.labels)
    assert ends_of(plan.outlook.fan)[-1][0] == "1\u00a0year"


def test_labels_at_one_height_stand_apart_and_inside():
    labels = apart([Label(100.0, str(n), "plan") for n in range(4)], 264.0)

    places = [label.y for label in labels]
    assert min(b - a for a, b in pairwise(places)) >= LINE - 0.01
    assert places[0] >= TOP


@pytest.mark.parametrize("values", [(0.3, 0.31), (5.0,), (-20.0, 83.0), (1e6, 3e6), (0.0, 0.0)])
def test_an_axis_covers_its_values_and_its_ticks_are_its_ends(values: tuple[float, ...]):
    axis = Axis.over(values, 200.0)

    ticks = axis.ticks()
    assert axis.low <= min(values) <= max(values) <= axis.high
    assert (ticks[0], ticks[-1]) == pytest.approx((axis.low, axis.high))
    assert 2 <= len(ticks) <= 8


def test_the_frontier_marks_the_plan_and_hold_and_tells_size_and_shade_apart():
    plan = chosen("multi_objective")
    exhibit = frontier(plan)

    kinds = [dot.kind for dot in exhibit.dots]
    assert len(kinds) == len(plan.frontier)
    assert kinds.count("plan") == 1
    assert all(frontiers.SMALLEST <= dot.size <= frontiers.LARGEST for dot in exhibit.dots)
    assert all(frontiers.PALEST <= dot.shade <= 1 for dot in exhibit.dots)
    names = [row.name for row in exhibit.rows]
    assert {"This plan", "Hold"} <= {*names}
    assert len(names) <= frontiers.MOST_ROWS


def test_a_mode_that_holds_says_what_it_gives_up_and_never_that_nothing_is_worth_it():
    plan = chosen("held for its costs")

    assert plan.verdict.text.startswith("Hold. The best plan by the score of today gains ")
    assert "holding comes out better" in plan.verdict.text
    assert f"gives up {plan.outlook.given_up.points:.2f} points" in plan.verdict.detail
    assert weighed(plan).heading.endswith("would gain by the score of today")
    text = printed("held for its costs", 100)
    assert "not worth it" not in text
    assert "a plan must gain" not in text
    assert "This plan: hold" in text


def test_where_nothing_is_worth_it_a_mode_says_so_as_without_one():
    plan = chosen("nothing worth it")

    assert plan.outlook.compared == 1
    assert "are asked for." in plan.verdict.text


@pytest.mark.parametrize("mode", MODES)
def test_the_way_a_plan_was_chosen_is_a_paragraph_of_its_own(mode: str):
    plan = chosen(mode)

    first, second = paragraphs(plan, outlook(plan))

    assert second.startswith("Chosen among ")
    assert f"{first} {second}" == plan.verdict.detail


def test_spans_are_told_in_units_that_fit():
    assert [span(years) for years in (0.0, 0.01, 0.25, 1.0, 2.5)] == [
        "today", "3.65\u00a0days", "3\u00a0months", "1\u00a0year", "2.5\u00a0years",
    ]  # fmt: skip
