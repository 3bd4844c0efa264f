"""The difference of two plans as a page: what is other, trade by trade, in money and points."""

from __future__ import annotations

from steelyard.plans.diff import PlanDiff
from steelyard.report.exhibits.two_plans import two_plans
from steelyard.report.page.look import environment, style


def render_diff(diff: PlanDiff) -> str:
    """A difference as HTML text; the same one gives the same bytes."""
    page = environment().get_template("two_plans.html")
    return page.render(diff=diff, same=diff.same, shown=two_plans(diff), style=style())
