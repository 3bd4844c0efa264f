"""A plan as people read it in a terminal, the answer first.

`show` prints the sections in the order of `sections.order`, `show_why` the whole story of one
symbol, `show_plan_diff` and `show_strategy_diff` what tells two apart. All only format: every
sentence with a finding comes from the plan. Narrow windows lose columns, never text; colour repeats
what words and shapes say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.plans.diff import PlanDiff
    from steelyard.plans.plan import Plan
    from steelyard.plans.verify import Report
    from steelyard.strategies.diff import StrategyDiff


def show(
    plan: Plan,
    console: Console,
    *,
    explain: bool = False,
    timings: bool = False,
    opinion: Report | None = None,
) -> None:
    """Print a plan; `explain` adds every part, candidate, reason and module.

    opinion   what `verify.check` says of its document; None asks it
    """
    from steelyard.report.terminal.sections import order, view  # noqa: PLC0415 lists need none

    shown = view.View(console, plan, explain, opinion)
    explained, timed = order.EXPLAINED if explain else (), order.TIMED if timings else ()
    for section in (*order.SECTIONS, *explained, *order.LAST, *timed):
        section.draw(shown)


def show_why(plan: Plan, symbol: str, console: Console) -> None:
    """Print the story of one symbol: holding, order, every candidate, kept or not."""
    from steelyard.report.terminal.sections import view, why  # noqa: PLC0415 see `show`

    why.draw(view.View(console, plan, explain=True), symbol)


def show_plan_diff(diff: PlanDiff, console: Console) -> None:
    """Print what tells two plans apart."""
    from steelyard.report.terminal import two_plans  # noqa: PLC0415 see `show`

    two_plans.draw(diff, console)


def show_strategy_diff(diff: StrategyDiff, console: Console) -> None:
    """Print what tells two strategies apart."""
    from steelyard.report.terminal import two_strategies  # noqa: PLC0415 see `show`

    two_strategies.draw(diff, console)
