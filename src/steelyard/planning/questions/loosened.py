"""What a generator asks for beside the plan: the price of a rule, by solving without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from steelyard.errors import ModuleError, PlanRefused
from steelyard.modules.registry import Kind, Module
from steelyard.modules.sequences import Loosening
from steelyard.notices import Notice
from steelyard.planning.case import Case
from steelyard.planning.guard import Guard
from steelyard.planning.questions.again import Answer, asked_by
from steelyard.planning.questions.counterfactuals import gain_of
from steelyard.planning.questions.rules import ORDER_LIMITS, Change
from steelyard.planning.solve import Solution, Steps, step_order
from steelyard.plans.answers import Loosened, RelaxedStep
from steelyard.portfolio import Security
from steelyard.sentences import Fact, Sentence, say, worded
from steelyard.strategies import Strategy

POINTS = 100
"""Percentage points in 1."""

FORMS: Mapping[str, tuple[str, str]] = {
    "pp": ("pct", "percentage point"),
    "order": ("count", "order"),
    "day": ("days", "day"),
    "lot": ("ratio", "lot"),
    "switch": ("", ""),
}
"""Unit -> how its values are written, and what one is called; any other is a currency."""


def loosened(
    solution: Solution, module: Module, question: Loosening, guard: Guard, steps: Steps
) -> Loosened | None:
    """What the plan would gain without the rule, by solving again; None where that is refused.

    A warning says so then. A module that fails late there is not taken out of the plan itself.
    """
    asked = asked_by(solution, guard, steps)
    try:
        other = asked.again(_applied(solution.case, question), prove=True)
    except PlanRefused as refused:
        message = f"{question.name} could not be tried ({question.setting}): {refused}"
        guard.findings.warnings.append(
            Notice(code="what_if_refused", message=message, module=module.qualified)
        )
        return None
    guard.late |= other.late
    gain = gain_of(asked.now, other)
    units = abs(question.then - question.now) * (POINTS if question.unit == "pp" else 1)
    order = step_order(other.orders, other.choice.plan.row)
    return Loosened(
        name=question.name,
        setting=question.setting,
        now=question.now,
        then=question.then,
        unit=question.unit,
        gain=gain,
        gain_per_unit=gain / units,
        steps=tuple(_relaxed(other, j, question.setting) for j in order),
        **worded(_price_of(question, gain, gain / units)),
    )


def _relaxed(other: Answer, j: int, setting: str) -> RelaxedStep:
    table = other.orders
    return RelaxedStep(
        side=table.side(j),
        symbol=other.ctx.symbols[table.security[j]],
        quantity=table.quantity[j],
        relaxed_constraints=(setting,),
    )


def _applied(case: Case, question: Loosening) -> Case:
    """The case with the rule loosened; raises ModuleError for one that there is not."""
    kind, _, rest = question.setting.partition(".")
    owner, _, name = rest.rpartition(".")
    if kind == "securities" and name == "lot_size":
        part = Decimal(repr(question.then))
        return _with_securities(case, lambda s: replace(s, lot_size=s.lot_size * part))
    if kind == "securities" and name == "allow_sell":
        return _with_securities(
            case, lambda s: replace(s, allow_sell=True) if s.symbol == owner else s
        )
    if kind == "filters":
        return replace(case, strategy=_with_parameter(case.strategy, owner, name, question.then))
    if question.setting in ORDER_LIMITS:
        return Change(question.name, kind, rest, question.now, question.then).applied(case)
    now = getattr(getattr(case.strategy, kind, None), rest, None)
    if now is None:
        raise ModuleError(
            f"it loosens {question.setting}, which is no rule of the strategy",
            code="loosens_no_rule",
            place=question.setting,
        )
    return case.with_setting(kind, rest, type(now)(question.then))


def _with_securities(case: Case, change: Callable[[Security], Security]) -> Case:
    securities = tuple(change(security) for security in case.snapshot.securities)
    return replace(case, snapshot=replace(case.snapshot, securities=securities))


def _with_parameter(strategy: Strategy, filter_name: str, name: str, value: float) -> Strategy:
    """The strategy with one whole number of a filter changed."""
    changed = tuple(
        (
            replace(choice, params=choice.params.model_copy(update={name: int(value)}))
            if choice.module.name == filter_name
            else choice
        )
        for choice in strategy.choices[Kind.FILTER]
    )
    return replace(strategy, choices=MappingProxyType({**strategy.choices, Kind.FILTER: changed}))


def _price_of(question: Loosening, gain: float, per_unit: float) -> Sentence:
    """What the rule costs, in all and for one unit of it."""
    form, unit = FORMS.get(question.unit, ("money", question.unit))
    facts: dict[str, Fact] = {"what": question.name}
    text = "{what:text}"
    if form:
        whole = form in ("count", "days")
        facts |= {
            "now": int(question.now) if whole else question.now,
            "then": int(question.then) if whole else question.then,
        }
        text += f" ({{now:{form}}} to {{then:{form}}})"
    if gain == 0:
        return say(text + " changes nothing", **facts)
    facts["gain"] = gain
    text += ": {gain:spoints} points"
    if not form:
        return say(text, **facts)
    return say(text + ", {each:spoints} for each {unit:text}", each=per_unit, unit=unit, **facts)
