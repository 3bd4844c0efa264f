"""docs/contributions.md is written by script and leaves out no module."""

from dataclasses import replace

import pytest
from benchmarks.contributions import Subject, alone, everything, shown, tables, without

from benchmarks import contributions
from planner.made import BUSY
from steelyard.registry import Kind, modules

KINDS = (Kind.OPPORTUNITY, Kind.PATTERN, Kind.SEQUENCE, Kind.FILTER)


def test_the_page_has_a_figure_for_every_module_in_both_scopes():
    page = contributions.PAGE.read_text(encoding="utf-8")

    for kind in KINDS:
        for name, module in modules(kind).items():
            lines = [line for line in page.splitlines() if line.startswith(f"| {kind.value} · {name} |")]
            proposes = kind is not Kind.FILTER and module.form != "what_if"
            assert len(lines) == (3 if proposes else 2), name


def test_everything_is_on_and_one_at_a_time_is_left_out_or_kept_alone():
    strategy = everything("proposals")

    assert all(choice.enabled for kind in KINDS for choice in strategy.choices[kind])
    rest = without(strategy, Kind.PATTERN, "rebalance")
    assert {choice.module.name for choice in rest.choices[Kind.PATTERN] if not choice.enabled} == {"rebalance"}
    kept = alone(strategy, Kind.PATTERN, "rebalance")
    assert [choice.module.name for kind in (Kind.PATTERN, Kind.SEQUENCE) for choice in kept.enabled(kind)] == ["rebalance"]


@pytest.mark.parametrize(
    ("figure", "signed", "text"), [(0.0, True, "–"), (-0.25, True, "−0.2500"), (0.25, True, "+0.2500"), (0.25, False, "0.2500")]
)
def test_a_figure_has_its_sign_and_nothing_is_a_dash(figure, signed, text):
    assert shown(figure, signed=signed) == text


def test_the_tables_measure_what_they_say():
    given = replace(BUSY, strategy=everything("proposals"))

    lines = list(tables([Subject("made", given)]))

    whole = next(line for line in lines if "everything on" in line)
    assert float(whole.split("|")[2]) == pytest.approx(100 * given.plan().score.improvement, abs=1e-4)
