"""What if: the generators that are on are asked of the plan; a report beside it, never a plan.

They answer when the plan is made, and what they say goes into its field `what_if` alone.
"""

from __future__ import annotations

from typing import Any

from steelyard.modules import contract
from steelyard.modules.candidates import Candidates
from steelyard.modules.registry import Kind, ModuleParams
from steelyard.modules.sequences import Fill
from steelyard.planning.guard import Guard
from steelyard.planning.questions.fills import filled, robustness
from steelyard.planning.questions.loosened import loosened
from steelyard.planning.solve import Solution, Steps, step_order
from steelyard.planning.table import unscored
from steelyard.plans.answers import FillScenario, Loosened, WhatIf
from steelyard.strategies import ModuleChoice


def consider(solution: Solution, guard: Guard, steps: Steps) -> WhatIf | None:
    """What the what-if generators that are on say of the plan; None when none is."""
    generators = [
        choice
        for choice in solution.case.strategy.enabled(Kind.SEQUENCE)
        if choice.module.form == "what_if"
    ]
    if not generators:
        return None
    answers = [answer for choice in generators for answer in _asked(solution, choice, guard, steps)]
    scenarios = [answer for answer in answers if isinstance(answer, FillScenario)]
    relaxations = tuple(answer for answer in answers if isinstance(answer, Loosened))
    return WhatIf(fills=robustness(scenarios), relaxations=relaxations)


def _asked(
    solution: Solution, choice: ModuleChoice, guard: Guard, steps: Steps
) -> list[FillScenario | Loosened]:
    """The answers of one generator; its failure costs only itself."""
    order = tuple(step_order(solution.orders, solution.choice.plan.row))
    settings = solution.case.strategy.content
    orders = solution.orders
    table = orders if isinstance(orders, Candidates) else unscored(orders)

    def answer(question: Any) -> FillScenario | Loosened | None:
        asked = contract.what_if(question, order, table)
        if isinstance(asked, Fill):
            return filled(solution, order, asked)
        return loosened(solution, choice.module, asked, guard, steps)

    def work(params: ModuleParams) -> list[FillScenario | Loosened]:
        questions = choice.module.call(solution.ctx, table, order, settings, params)
        return [reply for reply in map(answer, questions) if reply is not None]

    return guard.run(choice.module, solution.ctx, choice.params, work, len).value or []
