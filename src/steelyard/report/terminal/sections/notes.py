"""What a reader must know before trusting the numbers."""

from __future__ import annotations

from steelyard.plans.plan import Plan
from steelyard.report.exhibits.notes import notes
from steelyard.report.terminal.sections.view import View

LEVELS = {"stop": "Problem: ", "warn": "Warning: ", "info": ""}


def draw(view: View) -> None:
    """Print all notes of the plan; what was left out stands in the head already."""
    plan = view.plan.model_copy(update={"excluded": ()})
    tell(view, plan, "What to know before trusting the numbers")


def tell(view: View, plan: Plan, title: str) -> None:
    """Problems, warnings and missing data of `plan`, each with its consequence."""
    entries = notes(plan)
    if not entries:
        return
    view.title(title)
    for note in entries:
        view.say(f"{LEVELS[note.level]}{note.title} {note.text}")
