"""What a reader must know before trusting the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard.report.exhibits.notes import LEVELS, Note, rest
from steelyard.report.terminal.sections.view import View


def draw(view: View) -> None:
    """Print all notes that do not stand in the head, as what was left out does."""
    plan = view.plan.model_copy(update={"excluded": ()})
    tell(view, rest(plan), "What to know before trusting the numbers")


def tell(view: View, entries: Sequence[Note], title: str) -> None:
    """Problems, warnings and missing data, each with its consequence."""
    if not entries:
        return
    view.title(title)
    for note in entries:
        view.say(f"{LEVELS[note.level]}{note.title} {note.text}")
