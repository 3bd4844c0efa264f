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

<<<<<<< HEAD
MOST_DEPTH = 10
MOST_ORDERS = 1_000_000
MORE_RESERVE = 0.01
LOOSER_CAP = 0.05

=======
>>>>>>> questions
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
<<<<<<< HEAD


def counterfactuals(solution: Solution, steps: Steps, tell: Progress) -> Iterator[Counterfactual]:
    """What one looser rule would gain, by solving again: each rule in force, alone."""
    changes = list(_changes(solution.case.strategy))
    worth = solution.objective.rates.cost
    for k, (name, section, setting, now, then) in enumerate(changes):
        tell("solving with one rule changed", k, len(changes))
        other, _ = solved(solution.case.with_setting(section, setting, then), steps)
        gain = other.choice.plan.net - solution.choice.plan.net
        money = Decimal(repr(round(gain / worth * solution.ctx.value, 2))) if worth > 0 else None
        yield Counterfactual(
            name=name,
            setting=f"{section}.{setting}",
            now=now,
            then=then,
            gain=gain,
            money=money,
            **worded(_counterfactual_text(solution.ctx, name, now, then, gain, money)),
        )


def _changes(strategy: Strategy) -> Iterator[tuple[str, str, str, float, float]]:
    """(name, section, setting, now, then) of every rule that is in force."""
    limits, orders = strategy.limits, _more_orders(strategy)
    if orders is not None:
        section, setting, now, most = orders
        if now < most:
            yield "one more order", section, setting, now, now + 1
    yield (
        "another percent of reserve",
        "limits",
        "cash_reserve_weight",
        limits.cash_reserve_weight,
        _up(limits.cash_reserve_weight, MORE_RESERVE),
    )
    if limits.max_position_weight < 1:
        yield (
            "a looser position cap",
            "limits",
            "max_position_weight",
            limits.max_position_weight,
            _up(limits.max_position_weight, LOOSER_CAP),
        )
    if limits.max_group_weight is not None and limits.max_group_weight < 1:
        yield (
            "a looser group cap",
            "limits",
            "max_group_weight",
            limits.max_group_weight,
            _up(limits.max_group_weight, LOOSER_CAP),
        )
    if limits.max_turnover_weight is not None:
        yield (
            "more turnover",
            "limits",
            "max_turnover_weight",
            limits.max_turnover_weight,
            limits.max_turnover_weight + LOOSER_CAP,
        )


def _more_orders(strategy: Strategy) -> tuple[str, str, int, int] | None:
    """(section, setting, now, most) of what limits the orders of a plan; None where nothing does.

    Over quantities a depth that binds stands in the limit of orders: see `strategies/planned.py`.
    """
    limit, depth = strategy.limits.max_orders, strategy.search.max_depth
    if strategy.search.scope != "quantities" and (limit is None or depth < limit):
        return "search", "max_depth", depth, MOST_DEPTH
    return None if limit is None else ("limits", "max_orders", limit, MOST_ORDERS)


def _up(weight: float, by: float) -> float:
    """A weight raised, at most to 1, without the noise of binary fractions."""
    return min(1.0, round(weight + by, 9))


def _counterfactual_text(
    ctx: Context, name: str, now: float, then: float, gain: float, money: Decimal | None
) -> Sentence:
    form = "count" if name == "one more order" else "pct"
    change = f"{{change:text}} ({{now:{form}}} to {{then:{form}}})"
    facts: dict[str, Any] = {
        "change": name[0].upper() + name[1:],
        "now": now,
        "then": then,
        "gain": gain,
    }
    if gain == 0 or money is None:
        return say(change + " changes nothing.", **facts)
    facts |= {"currency": ctx.base_currency, "worth": abs(money)}
    return say(
        change
        + " changes the plan by {gain:spoints} points, as much as {currency:text} {worth:whole} of"
        " costs.",
        **facts,
    )


def relaxations(solution: Solution, steps: Steps, tell: Progress) -> Iterator[Relaxation]:
    """Of a hold plan: each limit alone, loosened step by step until a plan gets through."""
    ladders = list(_ladders(solution.case.strategy))
    for k, (section, setting, now, rungs) in enumerate(ladders):
        tell("loosening one limit at a time", k, len(ladders))
        for then in rungs:
            other, _ = solved(solution.case.with_setting(section, setting, then), steps)
            if not other.choice.acts:
                continue
            sentence = say(
                "A plan gets through when {setting:text} goes from {now:text} to {then:text}: it "
                "gains {gain:points} points net.",
                setting=f"{section}.{setting}",
                now=_number(now),
                then=_number(then),
                gain=other.choice.plan.net,
            )
            yield Relaxation(
                setting=f"{section}.{setting}",
                now=now,
                then=then,
                improvement=other.choice.plan.net,
                **worded(sentence),
            )
            break


def _ladders(strategy: Strategy) -> Iterator[tuple[str, str, float, list[float]]]:
    """(section, setting, now, values to try, mildest first)."""
    limits, score, orders = strategy.limits, strategy.score, _more_orders(strategy)
    yield (
        "score",
        "min_improvement",
        score.min_improvement,
        [score.min_improvement * share for share in (0.75, 0.5, 0.25, 0.0)],
    )
    yield (
        "limits",
        "cash_reserve_weight",
        limits.cash_reserve_weight,
        [limits.cash_reserve_weight * share for share in (0.75, 0.5, 0.25, 0.0)],
    )
    yield (
        "limits",
        "min_trade_weight",
        limits.min_trade_weight,
        [limits.min_trade_weight * share for share in (0.5, 0.25, 0.0)],
    )
    if orders is not None:
        section, setting, least, most = orders
        yield section, setting, least, list(range(least + 1, min(most, least + MOST_DEPTH) + 1))
    for cap in ("max_position_weight", "max_group_weight", "max_turnover_weight"):
        now = getattr(limits, cap)
        if now is not None and now < 1:
            yield "limits", cap, now, [_up(now, by) for by in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)]


def _number(value: float) -> str:
    return plain(Decimal(repr(value)))
=======
>>>>>>> questions
