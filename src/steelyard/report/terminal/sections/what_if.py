"""What the plan is worth where it fills in part, and what each rule costs."""

from __future__ import annotations

from rich.text import Text

from steelyard.report.exhibits.what_if import Rule, Scenario, what_ifs
from steelyard.report.exhibits.words import counted, lower
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View
from steelyard.sentences import percent, signed


def draw(view: View) -> None:
    """Print the what-if reports; nothing where no generator of them ran."""
    exhibit = what_ifs(view.plan)
    if exhibit is None:
        return
    view.title(exhibit.heading)
    if exhibit.scenarios:
        view.say(exhibit.filled)
        shown = exhibit.scenarios + (exhibit.better if view.explain else ())
        heads = (Column("Filled"), Column("Net", "right"), Column("Cash, %", "right"), Column(""))
        view.table(heads, list(map(_filled, shown)))
        if exhibit.better and not view.explain:
            more = lower(counted(len(exhibit.better), "better one"))
            view.say(f"and {more}: steelyard plan --explain", style="dim")
    if exhibit.rules:
        view.emit([Text("")])
        columns = (
            Column("Looser"),
            Column("Now", "right"),
            Column("Then", "right"),
            Column("Adds", "right"),
            Column("", drop=1),
        )
        view.table(columns, [_looser(rule) for rule in exhibit.rules])
    if exhibit.idle:
        view.say(exhibit.idle, style="dim")
    view.say("None of this is in the plan.", style="dim")


def _filled(scenario: Scenario) -> Row:
    short = "" if scenario.kept else "under the reserve"
    return Row((scenario.name, signed(scenario.net, 2), percent(scenario.cash), short))


def _looser(rule: Rule) -> Row:
    each = "" if rule.each is None else f"{signed(rule.each, 2)} per {rule.unit}"
    return Row((rule.name, rule.now, rule.then, signed(rule.gain, 2), each))
