"""What and when, then the verdict: the first lines of a plan."""

from __future__ import annotations

from rich.text import Text

from steelyard.report.exhibits.fold import MOST
from steelyard.report.exhibits.notes import LEVELS, first
from steelyard.report.exhibits.regime import regime
from steelyard.report.exhibits.words import counted, named
from steelyard.report.terminal.columns import sentence
from steelyard.report.terminal.sections.view import View, day, in_base


def draw(view: View) -> None:
    """Print bucket, strategy, day, value, market regime, and the verdict with its figures."""
    plan = view.plan
    version = f" v{plan.strategy.version}" if plan.strategy.version is not None else ""
    what = f"{plan.bucket} · {plan.strategy.name}{version} · as of {day(plan.as_of)}"
    view.say(f"{what} · value {in_base(plan, plan.value)}", indent=0)
    if regime(plan):
        view.say(regime(plan), indent=0)
    view.emit([Text("")])
    for line in sentence(plan.verdict.text, view.width, style="bold"):
        view.emit([line])
    if plan.verdict.detail:
        view.say(plan.verdict.detail, indent=0)
    if plan.problems:
        them = "it" if len(plan.problems) == 1 else "them"
        count = counted(len(plan.problems), "problem")
        view.say(f"{count}: see {them} before anything is sent.", indent=0)
    if plan.excluded:
        out = f"Left out on your word: {named(plan.excluded, MOST)}."
        view.say(f"{out} Values and weights are without them.", indent=0)
    _first(view)


def _first(view: View) -> None:
    """Problems and what was decided about the inputs, before any trade."""
    head = first(view.plan)
    if head.notes:
        view.emit([Text("")])
    for note in head.notes:
        view.say(f"{LEVELS[note.level]}{note.title} {note.text}")
    if head.more:
        view.say(f"and {head.more} more below")
