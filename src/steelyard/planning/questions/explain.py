"""What would change a plan, and how sure it is: asked for, slower, never part of the plan's id.

1. stability         under re-estimates of returns and risk, does the plan still beat hold
2. counterfactuals   one more order, a looser cap, another percent of reserve: the gain of each
3. thresholds        for each order, of many the largest, the price at which it leaves the plan
4. relaxations       of a hold plan: the smallest loosening that lets a plan through
5. deposit           the smallest one with which buys alone reach the targets
"""

from __future__ import annotations

from steelyard.errors import FailedLate, PlanRefused
from steelyard.notices import Notice
from steelyard.planning.case import Case
from steelyard.planning.questions.again import Progress, asked_of
from steelyard.planning.questions.counterfactuals import counterfactuals
from steelyard.planning.questions.deposit import deposit
from steelyard.planning.questions.relaxations import relaxations
from steelyard.planning.questions.stability import stability
from steelyard.planning.questions.thresholds import largest_first, thresholds, unasked
from steelyard.planning.solve import LOCAL, Steps
from steelyard.plans.answers import Explanation
from steelyard.plans.plan import Plan


def explain(case: Case, plan: Plan, progress: Progress | None = None, steps: Steps = LOCAL) -> Plan:
    """The plan with its explanation; `progress` is told what is being solved.

    The plan must be the one that the case makes. Where a module that worked in the plan fails in
    what is solved again, or nothing may be planned there, the plan stays as it is and a warning
    says why it is not explained.
    """
    try:
        explanation = _explanation(case, plan, progress or _silent, steps)
    except FailedLate as failed:
        why = f"{failed.module} failed when it was asked again: {failed.told}"
        return _unexplained(plan, why, failed.module)
    except PlanRefused as refused:
        return _unexplained(plan, f"solving again was refused: {refused}", None)
    return plan.model_copy(update={"explanation": explanation})


def _unexplained(plan: Plan, why: str, module: str | None) -> Plan:
    message = f"The plan is made, but not what would change it: {why.rstrip('.')}."
    notice = Notice(code="not_explained", message=message, module=module)
    return plan.model_copy(update={"warnings": (*plan.warnings, notice)})


def _explanation(case: Case, plan: Plan, tell: Progress, steps: Steps) -> Explanation:
    """Solve again for all parts; raises FailedLate and PlanRefused."""
    asked = asked_of(case, plan, steps)
    stable = stability(asked, tell)
    largest, rest = largest_first(plan.steps, asked.now.ctx.search.resolved_orders)
    return Explanation(
        text=stable.text,
        stability=stable,
        counterfactuals=tuple(counterfactuals(asked, tell)),
        thresholds=tuple(thresholds(asked, largest, tell)),
        unasked=unasked(len(largest), len(plan.steps)) if rest else None,
        relaxations=() if asked.now.choice.acts else tuple(relaxations(asked, tell)),
        deposit=deposit(asked.now.ctx),
    )


def _silent(what: str, done: int, total: int) -> None:
    """Nobody wants to know."""
