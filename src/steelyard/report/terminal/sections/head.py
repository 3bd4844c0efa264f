"""What and when, then the verdict: the first lines of a plan."""

from __future__ import annotations

from rich.text import Text

from steelyard.plans.plan import Plan
from steelyard.report.exhibits.fold import MOST
from steelyard.report.exhibits.notes import LEVELS, first
from steelyard.report.exhibits.regime import regime
from steelyard.report.exhibits.words import counted, named
from steelyard.report.terminal.columns import sentence
from steelyard.report.terminal.sections.view import View, day, in_base


def draw(view: View) -> None:
    """Print bucket, strategy, day, value, market regime, and the verdict with its figures."""
    plan = view.plan
    what = f"{plan.bucket} · {plan.strategy.shown} · as of {day(plan.as_of)}"
    view.say(f"{what} · value {in_base(plan, plan.value)}", indent=0)
    if regime(plan):
        view.say(regime(plan), indent=0)
    view.emit([Text("")])
    for line in sentence(plan.verdict.text, view.width, style="bold"):
        view.emit([line])
    if plan.verdict.detail:
        view.say(plan.verdict.detail, indent=0)
    if plan.problems:
        view.say(_problems(plan), indent=0)
    if plan.excluded:
        out = f"Left out on your word: {named(plan.excluded, MOST)}."
        view.say(f"{out} Values and weights are without them.", indent=0)
    _first(view)


def _problems(plan: Plan) -> str:
    """How many, and where they stand: what the verdict says is not said again."""
    above = sum(problem.message in plan.verdict.detail for problem in plan.problems)
    places = {0: "told below", len(plan.problems): "told above"}
    counts = f"{counted(len(plan.problems), 'problem')}, {places.get(above, 'told here')}"
    them = "it" if len(plan.problems) == 1 else "them"
    return f"{counts}: see {them} before anything is sent." if plan.steps else f"{counts}."


def _first(view: View) -> None:
    """Problems and what was decided about the inputs, before any trade."""
    head = first(view.plan)
    if head.notes:
        view.emit([Text("")])
    for note in head.notes:
        view.say(f"{LEVELS[note.level]}{note.title} {note.text}")
    if head.more:
        view.say(f"and {head.more} more below")
