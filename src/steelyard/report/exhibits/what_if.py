"""What-if reports: how the plan fares where it fills in part, and what each rule costs; the least
and the dearest first.
"""

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
    """A rule, as it is and as tried, and what loosening it gains: score units, in all and for one
    unit; None for a switch.
    """

    name: str
    now: str
    then: str
    gain: float
    each: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class WhatIfs:
    """The exhibit; `filled` is empty where nothing fills in part, `idle` names the rules that cost
    nothing.

    scenarios   the least, the least first
    better      the others
    """

    heading: str
    filled: str
    scenarios: tuple[Scenario, ...]
    better: tuple[Scenario, ...]
    rules: tuple[Rule, ...]
    idle: str


def what_ifs(plan: Plan) -> WhatIfs | None:
    """The exhibit of a plan; None where no generator of what-if reports was on, or none said
    anything.
    """
    told = plan.what_if
    if told is None or (told.fills is None and not told.relaxations):
        return None
    scenarios = sorted(told.fills.scenarios if told.fills else (), key=lambda one: one.improvement)
    rules = sorted(told.relaxations, key=lambda one: -one.gain)
    idle = [one.name for one in rules if one.gain == 0]
    return WhatIfs(
        heading=(
            "What if it fills in part, or a rule were looser"
            if scenarios and rules
            else _heading(filled=bool(scenarios))
        ),
        filled=told.fills.text if told.fills else "",
        scenarios=tuple(map(_scenario, scenarios[:SHOWN])),
        better=tuple(map(_scenario, scenarios[SHOWN:])),
        rules=tuple(_rule(one, plan.base_currency) for one in rules if one.gain != 0),
        idle=sentence(f"{capital(', '.join(idle))}: nothing would change") if idle else "",
    )


def _heading(*, filled: bool) -> str:
    return "What if it fills in part" if filled else "What if a rule were looser"


def _scenario(one: FillScenario) -> Scenario:
    return Scenario(capital(one.name), one.improvement, one.cash_after, one.keeps_reserve)


def _rule(one: Loosened, base: str) -> Rule:
    form = PLAIN.get(one.unit, money)
    switch = one.unit == "switch"
    return Rule(
        name=capital(one.name),
        now=form(one.now),
        then=form(one.then),
        gain=one.gain,
        each=None if switch else one.gain_per_unit,
        unit="" if switch else base if one.unit not in PLAIN else one.unit,
    )
