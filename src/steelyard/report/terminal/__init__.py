"""A plan as people read it in a terminal, the answer first.

`show` prints in this order: what and when, verdict, trades with a reason under each, costs, drift,
weights, score, cash ladder, what was not traded and why, alternatives, certificate, problems, seal.
`show_why` prints the whole story of one symbol. Both only format: every sentence with a finding
comes from the plan.
Narrow windows lose columns, never text; colour repeats what words and shapes say.
"""

from __future__ import annotations

from rich.console import Console

from steelyard.plans.plan import Plan
from steelyard.plans.verify import Report
from steelyard.report.terminal.sections import (
    alternatives,
    candidates,
    cash,
    certificate,
    costs,
    drift,
    explanation,
    head,
    modules,
    not_traded,
    notes,
    score,
    seal,
    time_taken,
    trades,
    weights,
    what_if,
    why,
)
from steelyard.report.terminal.sections.view import View

SECTIONS = (
    head,
    trades,
    costs,
    drift,
    weights,
    score,
    cash,
    not_traded,
    alternatives,
    what_if,
    explanation,
)
EXPLAINED = (candidates, modules)
LAST = (certificate, notes, seal)


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
    view = View(console, plan, explain, opinion)
    for section in (
        *SECTIONS,
        *(EXPLAINED if explain else ()),
        *LAST,
        *((time_taken,) if timings else ()),
    ):
        section.draw(view)


def show_why(plan: Plan, symbol: str, console: Console) -> None:
    """Print the story of one symbol: holding, order, every candidate, kept or not."""
    why.draw(View(console, plan, explain=True), symbol)
