"""What if: the plan partly filled, and the plan without one of its rules. Reports beside a plan,
never a plan.

1. ask the what-if generators that are on                     sequences/, form "what_if"
2. score what fills by the reference evaluator                choose.score_set
3. solve again with the rule loosened, as the plan was        Case.solved

The generators answer when the plan is made, and what they say goes into its field `what_if` alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

from steelyard.errors import ModuleError, PlanRefused
from steelyard.market import Market
from steelyard.modules.registry import Kind, Module, ModuleParams
from steelyard.modules.sequences import Fill, Loosening, Order
from steelyard.notices import Notice
from steelyard.orders import Side
from steelyard.planning.choice import Scored, score_set
from steelyard.planning.document import Material, plain_facts, sentence_case, step_order
from steelyard.planning.findings import Findings
from steelyard.planning.proof import PROVEN
from steelyard.planning.sizing import Sized
from steelyard.planning.table import bare_table
from steelyard.plans.answers import (
    Filling,
    FillScenario,
    Loosened,
    RelaxedStep,
    Robustness,
    WhatIf,
)
from steelyard.portfolio import BucketState, Security, Snapshot
from steelyard.sentences import Fact, Sentence, say
from steelyard.strategies import ModuleChoice, Strategy
from steelyard.targets import Targets, TargetsFailed

POINTS = 100
"""Percentage points in 1."""

Solver = Callable[..., Material]
"""`planner.solve`, or what stands for it: passed in, since it lies above this file."""

FORMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "pp": ("pct", "percentage point"),
        "order": ("count", "order"),
        "day": ("days", "day"),
        "lot": ("ratio", "lot"),
        "switch": ("", ""),
    }
)
"""Unit -> how its values are written, and what one of it is called; any other unit is a
currency.
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """The inputs of a plan, to be solved again with one thing changed."""

    snapshot: Snapshot
    market: Market
    strategy: Strategy
    targets: Targets | TargetsFailed | None = None
    state: BucketState | None = None
    seed: int = 0
    disabled: Mapping[str, str] = field(default_factory=dict)
    solver: Solver

    def solved(self, **changes: Any) -> Material:
        """The plan's material after a change of the case."""
        case = replace(self, **changes)
        findings = Findings(disabled=case.disabled)
        return findings.settled(partial(case.solved_into, findings))

    def solved_into(self, findings: Findings) -> Material:
        """The plan's material, with what the stages report."""
        return self.solver(
            self.snapshot,
            self.market,
            self.strategy,
            targets=self.targets,
            state=self.state,
            seed=self.seed,
            findings=findings,
        )

    def with_setting(self, section: str, name: str, value: float) -> Strategy:
        """The strategy with one number changed."""
        changed = getattr(self.strategy, section).model_copy(update={name: value})
        return replace(self.strategy, **{section: changed})


def consider(case: Case, made: Material, findings: Findings) -> WhatIf | None:
    """What the generators that are on say of the plan that the case makes; None when none is."""
    generators = [
        choice for choice in case.strategy.enabled(Kind.SEQUENCE) if choice.module.form == "what_if"
    ]
    if not generators:
        return None
    scenarios: list[FillScenario] = []
    relaxations: list[Loosened] = []
    for choice in generators:
        found = _asked(case, made, choice, findings)
        scenarios += [one for one in found if isinstance(one, FillScenario)]
        relaxations += [one for one in found if isinstance(one, Loosened)]
    return WhatIf(fills=_robustness(scenarios), relaxations=tuple(relaxations))


def _asked(
    case: Case, made: Material, choice: ModuleChoice, findings: Findings
) -> list[FillScenario | Loosened]:
    """The answers of one generator; its failure costs only itself."""
    order = tuple(step_order(made.table, made.choice.plan.row))

    def work(params: ModuleParams) -> list[FillScenario | Loosened]:
        asked = choice.module.call(made.ctx, made.table, order, case.strategy.content, params)
        answers = [_answer(case, made, order, choice.module, one, findings) for one in asked]
        return [answer for answer in answers if answer is not None]

    return findings.guarded(choice.module, made.ctx, choice.params, work, len) or []


def _answer(
    case: Case, made: Material, order: Order, module: Module, asked: Any, findings: Findings
) -> FillScenario | Loosened | None:
    if isinstance(asked, Fill):
        return _filled(made, order, asked)
    if isinstance(asked, Loosening):
        return _loosened(case, made, module, asked, findings)
    raise ModuleError(f"it asks for a {type(asked).__name__}; a what-if is a Fill or a Loosening")


# the plan partly filled


def _filled(made: Material, order: Order, fill: Fill) -> FillScenario:
    """The end state of a scenario, by the score of the plan."""
    ctx, table = made.ctx, made.table
    wrong = fill.parent != order or len(fill.quantities) != len(order)
    if wrong or any(
        not 0 <= q <= table.quantity[j] for j, q in zip(order, fill.quantities, strict=False)
    ):
        raise ModuleError("it asks for a filling that is none of this plan")
    orders = [
        (n, j, q)
        for n, (j, q) in enumerate(zip(order, fill.quantities, strict=True), start=1)
        if q > 0
    ]
    filled = bare_table(ctx, [_part(made, j, q) for _, j, q in orders])
    scored = score_set(
        ctx, made.objective, filled, range(len(orders)), made.choice.hold.evaluation.score
    )
    cash = ctx.cash_weight - math.fsum(float(change) for change in filled.delta) - scored.cost
    return FillScenario(
        name=fill.why.text,
        fills=tuple(_filling(made, n, j, q) for n, j, q in orders),
        improvement=scored.net,
        cash_after=cash,
        keeps_reserve=filled.account.pays(range(len(orders))),
        **_told(_scenario(fill.why, scored, cash)),
    )


def _part(made: Material, j: int, quantity: Decimal) -> Sized:
    """Part of an order, or all of it: then it weighs exactly what the table says."""
    table = made.table
    whole = table.quantity[j]
    return Sized(
        i=int(table.security[j]),
        side=Side.BUY if table.is_buy[j] else Side.SELL,
        quantity=quantity,
        weight=abs(float(table.delta[j])) * float(quantity / whole),
        full_exit=bool(table.full_exit[j]) and quantity == whole,
        to_target=False,
        priority_weight=1.0,
        proposals=table.proposals[j],
    )


def _filling(made: Material, n: int, j: int, quantity: Decimal) -> Filling:
    p = made.valuation.priced[made.ctx.symbols[made.table.security[j]]]
    return Filling(n=n, quantity=quantity, notional_base=quantity * p.price * p.rate)


def _scenario(why: Sentence, scored: Scored, cash: float) -> Sentence:
    return _with(why, ": {net:spoints} points, {cash:pct} in cash", net=scored.net, cash=cash)


def _robustness(scenarios: list[FillScenario]) -> Robustness | None:
    """All scenarios in one sentence; None where there is none."""
    if not scenarios:
        return None
    nets = [scenario.improvement for scenario in scenarios]
    beats, short = (
        sum(net > 0 for net in nets),
        sum(not scenario.keeps_reserve for scenario in scenarios),
    )
    worst, mean = min(nets), math.fsum(nets) / len(nets)
    told = say(
        "filled in part, the plan beats hold in {beats:count} of {scenarios:count} scenarios: "
        "{mean:spoints} points net on average, "
        "{worst:spoints} at worst",
        beats=beats,
        scenarios=len(nets),
        mean=mean,
        worst=worst,
    )
    if short:
        told = _with(told, "; {short:count} would leave less cash than must stay", short=short)
    return Robustness(
        worst=worst, mean=mean, share=beats / len(nets), scenarios=tuple(scenarios), **_told(told)
    )


# the plan without one of its rules


def _loosened(
    case: Case, made: Material, module: Module, asked: Loosening, findings: Findings
) -> Loosened | None:
    """What the plan would gain without the rule, by solving again; None, and a warning, where that
    is refused.
    """
    # a module that fails late here must not be taken out of the plan itself
    inner = Findings(disabled=case.disabled, gone=dict(findings.gone))
    try:
        other = inner.settled(partial(_applied(case, asked).solved_into, inner))
    except PlanRefused as refused:
        message = f"{asked.name} could not be tried ({asked.setting}): {refused}"
        findings.warnings.append(
            Notice(code="what_if_refused", message=message, module=module.qualified)
        )
        return None
    findings.late |= inner.late or other.evidence.proof.stopped == "seconds"
    gain = other.choice.plan.net - made.choice.plan.net
    gain = 0.0 if abs(gain) <= PROVEN else gain
    per_unit = gain / (abs(asked.then - asked.now) * (POINTS if asked.unit == "pp" else 1))
    order = step_order(other.table, other.choice.plan.row)
    return Loosened(
        name=asked.name,
        setting=asked.setting,
        now=asked.now,
        then=asked.then,
        unit=asked.unit,
        gain=gain,
        gain_per_unit=per_unit,
        steps=tuple(_relaxed(other, j, asked.setting) for j in order),
        **_told(_price_of(asked, gain, per_unit)),
    )


def _relaxed(other: Material, j: int, setting: str) -> RelaxedStep:
    table = other.table
    return RelaxedStep(
        side=Side.BUY if table.is_buy[j] else Side.SELL,
        symbol=other.ctx.symbols[table.security[j]],
        quantity=table.quantity[j],
        relaxed_constraints=(setting,),
    )


def _applied(case: Case, asked: Loosening) -> Case:
    """The case with the rule loosened; raises ModuleError for one that there is not."""
    kind, _, rest = asked.setting.partition(".")
    owner, _, name = rest.rpartition(".")
    if kind == "securities" and name == "lot_size":
        part = Decimal(repr(asked.then))
        return _with_securities(
            case, lambda security: replace(security, lot_size=security.lot_size * part)
        )
    if kind == "securities" and name == "allow_sell":
        return _with_securities(
            case,
            lambda security: (
                replace(security, allow_sell=True) if security.symbol == owner else security
            ),
        )
    if kind == "filters":
        return replace(case, strategy=_with_parameter(case.strategy, owner, name, asked.then))
    now = getattr(getattr(case.strategy, kind, None), rest, None)
    if now is None:
        raise ModuleError(f"it loosens {asked.setting}, which is no rule of the strategy")
    return replace(case, strategy=case.with_setting(kind, rest, type(now)(asked.then)))


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


def _price_of(asked: Loosening, gain: float, per_unit: float) -> Sentence:
    """What the rule costs, in all and for one unit of it."""
    form, one = FORMS.get(asked.unit, ("money", asked.unit))
    facts: dict[str, Fact] = {"what": asked.name}
    text = "{what:text}"
    if form:
        whole = form in ("count", "days")
        facts |= {
            "now": int(asked.now) if whole else asked.now,
            "then": int(asked.then) if whole else asked.then,
        }
        text += f" ({{now:{form}}} to {{then:{form}}})"
    if gain == 0:
        return say(text + " changes nothing", **facts)
    facts["gain"] = gain
    text += ": {gain:spoints} points"
    if not form:
        return say(text, **facts)
    return say(text + ", {each:spoints} for each {unit:text}", each=per_unit, unit=one, **facts)


def _with(sentence: Sentence, more: str, **facts: Fact) -> Sentence:
    return say(sentence.template + more, **sentence.facts, **facts)


def _told(sentence: Sentence) -> dict[str, Any]:
    return {"text": sentence_case(sentence), "facts": plain_facts(sentence.facts)}
