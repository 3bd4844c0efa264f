"""Two strategies compared, as it is drawn: every line on one scale, names that are alike apart."""

from dataclasses import replace

import numpy as np
import pytest

from builders.commands import run
from builders.world import world
from steelyard.importers import Inputs
from steelyard.report.exhibits.ab import LEAST_REACH, ROWS, differences
from steelyard.report.page.ab import render
from steelyard.report.terminal.ab import answer, strip
from steelyard.runs.compare import Posed, Refused, compare
from steelyard.settings import Limits
from steelyard.strategies import default

BUSY = world(
    "AA 60 @ 100", "BB 20 @ 100", "CC 0 @ 50",
    cash="2000", targets={"AA": 0.3, "BB": 0.35, "CC": 0.3},
)  # fmt: skip
GENTLE = replace(default(), limits=Limits(max_turnover_weight=0.02))


INPUTS = Inputs(
    snapshot=BUSY.snapshot, market=BUSY.market, targets=BUSY.targets, warnings=(),
    as_of_from="given",
)  # fmt: skip


def compared(a, b):
    return compare(a, b, [Posed("x", INPUTS)], np.random.default_rng(0))


@pytest.fixture(scope="module")
def comparison():
    return compared(default(), GENTLE)


def many(comparison, count):
    (case,) = comparison.snapshots
    cases = tuple(replace(case, label=f"s{n:03}") for n in range(count))
    return replace(comparison, snapshots=cases)


def test_the_scale_has_zero_in_its_middle_and_every_bar_within(comparison):
    picture = differences(comparison)
    (line,) = picture.lines

    assert picture.scale.low == -picture.scale.high
    assert picture.scale.at(0.0) == pytest.approx(50.0)
    assert all(abs(bar.value) <= picture.scale.high for bar in line.bars)
    assert picture.mean is None


def test_differences_under_a_point_look_small():
    assert differences(compared(GENTLE, GENTLE)).scale.high == pytest.approx(LEAST_REACH)


def test_of_many_snapshots_the_first_and_the_last_are_drawn_and_the_others_counted(comparison):
    picture = differences(many(comparison, ROWS + 30))

    assert (len(picture.lines), picture.hidden) == (ROWS, 30)
    assert (picture.lines[0].label, picture.lines[-1].label) == ("s000", f"s{ROWS + 29:03}")
    assert "30 snapshots between the first and the last" in render(many(comparison, ROWS + 30))


def test_strategies_of_one_name_are_told_apart(comparison):
    assert comparison.names == ("default", "default")
    assert answer(comparison) == "default (A) is better than default (B)."


def test_a_reason_that_both_have_stands_once(comparison):
    (case,) = comparison.snapshots
    both = replace(case, a=Refused("no price"), b=Refused("no price"))
    apart = replace(case, a=Refused("no price"), b=Refused("no rate"))
    shown = [differences(replace(comparison, snapshots=(c,))).lines[0].notes for c in (both, apart)]

    assert shown == [("No price.",), ("A: No price.", "B: No rate.")]


def test_a_bar_in_the_terminal_begins_at_the_axis_on_the_side_of_its_sign():
    assert strip(0.5, 1.0).partition("┃") == (" " * 12, "┃", "█" * 6 + " " * 6)
    assert strip(-1.0, 1.0).partition("┃") == ("█" * 12, "┃", " " * 12)


def test_the_help_says_what_decides():
    assert "no worse by the other" in " ".join(run("strategy", "ab", "--help").stdout.split())
