"""What stopped before the plan, and why."""

from __future__ import annotations

from collections.abc import Iterable

from steelyard.notices import Stage
from steelyard.plans.orders import NotTraded
from steelyard.report.exhibits.stopped import TELLING, stopped
from steelyard.report.exhibits.words import by_rule, counted, lower, plain_words
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View, side_of

REASONS_SHOWN = 6
"""Rows without `explain`."""
STAGES: tuple[Stage, ...] = (*TELLING, "merge")
"""Order of the ledger; last what lives on in another size."""

HEADS = (
    Column("Symbol"),
    Column("Side"),
    Column("Stopped at"),
    Column("Candidate", drop=1),
    Column("Asked by", drop=3),
    Column("Value", "right", drop=2),
    Column("Limit", "right", drop=2),
    Column("Margin", "right", drop=2),
)


def draw(view: View) -> None:
    """Print what stopped the securities that stay; every entry of the ledger with `explain`."""
    if view.explain:
        view.title(f"What stopped before the plan, and why: {len(view.plan.not_traded)} entries")
        view.table(HEADS, [row(entry) for entry in in_order(view.plan.not_traded)])
        return
    exhibit = stopped(view.plan)
    if not exhibit.rows:
        return
    view.title(exhibit.heading)
    rows = [
        Row((f"{row.stage}: {row.rule}", side_of(row.side), row.symbols), under=(row.reason,))
        for row in exhibit.rows
    ]
    view.table((Column("Stopped at"), Column("Side"), Column("Symbols")), rows[:REASONS_SHOWN])
    hidden = len(rows) - REASONS_SHOWN
    more = "Every candidate of a symbol: "
    if hidden > 0:
        more = f"and {lower(counted(hidden, 'more reason'))}: "
    view.say(f"{more}steelyard why SYMBOL", style="dim")


def in_order(entries: Iterable[NotTraded]) -> list[NotTraded]:
    """By symbol, then as `STAGES` says."""
    return sorted(
        entries, key=lambda e: (e.symbol, STAGES.index(e.stage), e.rule, e.candidate or "")
    )


def row(entry: NotTraded) -> Row:
    """An entry of the ledger with its numbers."""
    numbers = (
        by_rule(entry.rule, entry.value, stage=entry.stage),
        by_rule(entry.rule, entry.limit, stage=entry.stage),
        by_rule(entry.rule, entry.margin, stage=entry.stage, margin=True),
    )
    rule = f"{entry.stage}: {plain_words(entry.rule)}"
    who = (entry.candidate or "", entry.module or "")
    return Row((entry.symbol, side_of(entry.side), rule, *who, *numbers), under=(entry.reason,))
