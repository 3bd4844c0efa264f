"""docs/contributions.md is written by script and leaves out no module."""

import pytest
from benchmarks.contributions import Subject, alone, everything, ground, shown, switched, tables

from benchmarks import contributions
from builders.world import BUSY
from steelyard.modules.registry import Kind, modules

KINDS = (Kind.OPPORTUNITY, Kind.PATTERN, Kind.SEQUENCE, Kind.FILTER)


def test_the_page_has_a_figure_for_every_module_in_both_scopes():
    page = contributions.PAGE.read_text(encoding="utf-8")

    for kind in KINDS:
        for name, module in modules(kind).items():
            lines = [
                line for line in page.splitlines() if line.startswith(f"| {kind.value} · {name} |")
            ]
            proposes = kind is not Kind.FILTER and module.form != "what_if"
            assert len(lines) == (3 if proposes else 2), name


def test_a_module_is_measured_against_everything_that_proposes_and_the_usual_filters():
    assert all(choice.enabled for kind in KINDS for choice in everything("proposals").choices[kind])

    for kind in KINDS:
        strategy = ground("proposals", kind)
        off = {
            choice.module.name
            for other in KINDS
            for choice in strategy.choices[other]
            if not choice.enabled
        }
        generators = {"combinatorial", "enhanced_combinatorial"} if kind is Kind.PATTERN else set()
        assert (
            off
            == {
                "partial_execution",
                "constraint_relaxation",
                "correlation_aware",
                "diversity",
            }
            | generators
        )

    kept = alone(ground("proposals", Kind.SEQUENCE), Kind.PATTERN, "rebalance")
    assert [
        choice.module.name
        for kind in (Kind.PATTERN, Kind.SEQUENCE)
        for choice in kept.enabled(kind)
    ] == ["rebalance"]


@pytest.mark.parametrize(
    ("figure", "signed", "text"),
    [(0.0, True, "–"), (-0.25, True, "−0.2500"), (0.25, True, "+0.2500"), (0.25, False, "0.2500")],
)
def test_a_figure_has_its_sign_and_nothing_is_a_dash(figure, signed, text):
    assert shown(figure, signed=signed) == text


def test_the_tables_measure_what_they_say():
    given = Subject("made", BUSY)
    lines = list(tables([given]))

    def figure(name: str) -> float:
        text = next(line for line in lines if name in line).split("|")[2].strip()
        return float(text.replace("−", "-"))

    strategy = ground("proposals", Kind.OPPORTUNITY)
    without = switched(strategy, Kind.OPPORTUNITY, {"weight_based": False})
    assert figure("opportunity_calculators: the plan") == pytest.approx(
        given.net(strategy), abs=1e-4
    )
    assert figure("· weight_based") == pytest.approx(
        given.net(strategy) - given.net(without), abs=2e-4
    )
    assert figure("· weight_based") > 0
