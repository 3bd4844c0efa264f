"""Why of one symbol: gates in the order of the pipeline, and what each candidate ended with."""

from __future__ import annotations

from builders.plans import growth, hold, untargeted
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.gates import HEADS, ORDER
from steelyard.report.exhibits.why import why

STAGES = [HEADS[stage] for stage in ORDER]


def symbols(plan: Plan) -> list[str]:
    """Every symbol that the plan says something of."""
    rows = (*plan.holdings, *plan.candidates, *plan.not_traded)
    return sorted({row.symbol for row in rows})


def test_the_first_gate_that_stops_is_the_last_and_traded_symbols_pass_all() -> None:
    for plan in (growth(), hold(), untargeted()):
        for symbol in symbols(plan):
            story = why(plan, symbol)
            levels = [gate.level for gate in story.gates]
            stops = levels.count("stop")
            assert stops == (0 if story.step else min(1, len(levels)))
            assert "stop" not in levels[:-1]
            order = [STAGES.index(gate.stage) for gate in story.gates]
            assert order == sorted(order)


def test_a_margin_is_what_is_left_to_the_limit() -> None:
    story = why(growth(), "AAPL")
    gates = {gate.rule: gate for gate in story.gates}
    least = gates["At least the least order"]
    assert least.margin == "30,428 clear"
    cap = gates["Weight of a single name after"]
    assert (cap.value, cap.limit, cap.margin) == ("12.4\xa0%", "20.0\xa0%", "7.6\xa0pp clear")


def test_what_stopped_is_told_with_rule_value_and_margin() -> None:
    story = why(growth(), "AMD")
    last = story.gates[-1]
    assert (last.rule, last.level, last.margin) == ("Net gain", "stop", "0.11 short")
    assert story.verdict == "Kept as it is."
    assert any(text.startswith("Also buy") for text in story.would)


def test_every_candidate_of_the_table_is_there_with_its_end() -> None:
    plan = growth()
    for symbol in symbols(plan):
        own = {row.id for row in plan.candidates if row.symbol == symbol}
        ended = why(plan, symbol).ended
        assert {end.name for end in ended if end.name} == own
        assert all(end.at for end in ended)
