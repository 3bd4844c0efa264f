"""docs/contributions.md is written by script and leaves out no module."""

import pytest
from benchmarks.contributions import Subject, alone, everything, ground, shown, switched, tables

from benchmarks import contributions
from builders.world import BUSY
from steelyard.modules.registry import Kind, modules

KINDS = (Kind.OPPORTUNITY, Kind.PATTERN, Kind.SEQUENCE, Kind.FILTER)
NEVER_GROUND = {"partial_execution", "constraint_relaxation", "correlation_aware", "diversity"}


def test_the_page_has_a_figure_for_every_module_in_all_three_scopes():
    page = contributions.PAGE.read_text(encoding="utf-8")

    for kind in KINDS:
        for name, module in modules(kind).items():
            row = f"| {kind.value} · {name} |"
            lines = [line for line in page.splitlines() if line.startswith(row)]
            proposes = kind is not Kind.FILTER and module.form != "what_if"
            assert len(lines) == (4 if proposes else 3), name


def test_a_module_is_measured_against_everything_that_proposes_and_the_usual_filters():
    assert all(choice.enabled for kind in KINDS for choice in everything("proposals").choices[kind])

    for kind in KINDS:
        strategy = ground("proposals", kind)
        choices = [choice for other in KINDS for choice in strategy.choices[other]]
        off = {choice.module.name for choice in choices if not choice.enabled}
        generators = {"combinatorial", "enhanced_combinatorial"} if kind is Kind.PATTERN else set()
        assert off == NEVER_GROUND | generators

    single = alone(ground("proposals", Kind.SEQUENCE), Kind.PATTERN, "rebalance")
    proposers = (*single.enabled(Kind.PATTERN), *single.enabled(Kind.SEQUENCE))
    assert [choice.module.name for choice in proposers] == ["rebalance"]


def test_a_figure_has_its_sign_and_nothing_is_a_dash():
    figures = [shown(figure, signed=True) for figure in (0.0, -0.25, 0.25)]

    assert figures == ["–", "−0.2500", "+0.2500"]
    assert shown(0.25, signed=False) == "0.2500"


def test_the_tables_measure_what_they_say():
    subject = Subject("made", BUSY)
    lines = list(tables([subject]))
    rows = [line for line in lines if " · " in line and line.startswith("| ")]
    silent = {line.split("|")[1].strip() for line in rows if line.split("|")[2].strip() == "–"}

    proposals = lines[next(k for k, line in enumerate(lines) if '"proposals"' in line) :]

    def figure(name: str) -> float:
        text = next(line for line in proposals if name in line).split("|")[2].strip()
        return float(text.replace("−", "-"))

    strategy = ground("proposals", Kind.OPPORTUNITY)
    without = switched(strategy, Kind.OPPORTUNITY, {"weight_based": False})
    net, gain = subject.net(strategy), subject.net(strategy) - subject.net(without)
    assert figure("opportunity_calculators: the plan") == pytest.approx(net, abs=1e-4)
    assert figure("· weight_based") == pytest.approx(gain, abs=2e-4)
    assert figure("· weight_based") > 0
    idle = {name.strip(" .") for name in lines[-1].split(",")}
    assert idle <= silent
    assert "pattern_generators · averaging_down" in idle
    assert "opportunity_calculators · weight_based" not in idle
