"""What if: how the plan fares filled in part, what each rule costs, what would change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from steelyard.plans.answers import FillScenario, Loosened
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.words import capital, sentence
from steelyard.sentences import FORMATS, money

SHOWN = 5
"""Scenarios that are shown at once."""

Form = Callable[[float], str]
PLAIN: dict[str, Form] = {
    "pp": FORMATS["pct"],
    "lot": FORMATS["ratio"],
    "day": lambda days: FORMATS["days"](int(days)),
    "order": lambda count: FORMATS["count"](int(count)),
    "switch": lambda on: "on" if on else "off",
}
"""Unit -> how a rule is written; any other unit is a currency."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What fills, and that end state: score units, cash of value, is the reserve kept."""

    name: str
    net: float
    cash: float
    kept: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it is and as tried, and its gain, in all and for one unit; None: a switch."""

    name: str
    now: str
    then: str
    gain: float
    each: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class WhatIfs:
    """The exhibit; `filled` may be empty, `idle` names the rules that cost nothing.

    scenarios   the least, the least first
    better      the others
    """

    heading: str
    filled: str
    scenarios: tuple[Scenario, ...]
    better: tuple[Scenario, ...]
    rules: tuple[Rule, ...]
    idle: str


BY_SCORE = (
    "These answers are by the score of today alone; the plan was chosen by more than it, so that "
    "it may change sooner or later than they say."
)
"""Before answers on a plan that a mode chose: they are found by solving again without it."""


def what_ifs(plan: Plan) -> WhatIfs | None:
    """The exhibit of a plan; None where no generator of what-if reports said anything."""
    report = plan.what_if
    if report is None or (report.fills is None and not report.relaxations):
        return None
    fills = report.fills.scenarios if report.fills else ()
    scenarios = sorted(map(_scenario, fills), key=lambda scenario: scenario.net)
    rules = sorted(report.relaxations, key=lambda rule: -rule.gain)
    idle = [rule.name for rule in rules if rule.gain == 0]
    parts = ["it fills in part"] * bool(fills) + ["a rule were looser"] * bool(rules)
    return WhatIfs(
        heading=f"What if {', or '.join(parts)}",
        filled=report.fills.text if report.fills else "",
        scenarios=tuple(scenarios[:SHOWN]),
        better=tuple(scenarios[SHOWN:]),
        rules=tuple(_rule(rule, plan.base_currency) for rule in rules if rule.gain != 0),
        idle=sentence(f"{capital(', '.join(idle))}: nothing would change") if idle else "",
    )


def would(plan: Plan) -> list[str]:
    """What would change the plan, in sentences, where that was asked for."""
    asked = plan.explanation
    if asked is None:
        return []
    answers = (
        asked.stability,
        *asked.thresholds,
        *asked.counterfactuals,
        *asked.relaxations,
        *([] if asked.deposit is None else [asked.deposit]),
    )
    first = [] if plan.outlook is None else [BY_SCORE]
    return [*first, *(answer.text for answer in answers)]


def _scenario(fill: FillScenario) -> Scenario:
    return Scenario(capital(fill.name), fill.improvement, fill.cash_after, fill.keeps_reserve)


def _rule(rule: Loosened, base: str) -> Rule:
    form = PLAIN.get(rule.unit, money)
    switch = rule.unit == "switch"
    return Rule(
        name=capital(rule.name),
        now=form(rule.now),
        then=form(rule.then),
        gain=rule.gain,
        each=None if switch else rule.gain_per_unit,
        unit="" if switch else base if rule.unit not in PLAIN else rule.unit,
    )
