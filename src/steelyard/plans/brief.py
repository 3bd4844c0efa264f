"""A plan on one screen: what `repr` shows, and what a notebook shows."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steelyard.plans.plan import Plan

SHOWN = 12
"""Orders that are listed; the others are counted."""
WIDTH, LINES = 80, 3
"""Characters of a line, and lines of a sentence."""
MOST_LINES, NOTE_LINES = 24, 6
"""Lines of all, and of them for problems and what was decided about the inputs."""
HEAD = ("", "side", "symbol", "quantity", "price", "value", "weight", "after", "cost")
LEFT = 3
"""The first so many columns are texts."""


def text(plan: Plan) -> str:
    """At most 24 lines, each of at most 80 characters."""
    lines = [_title(plan), *_wrapped(plan.verdict.text), *_wrapped(" · ".join(_figures(plan)))]
    table: list[str] = []
    if plan.steps:
        rows = [HEAD, *_rows(plan)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = ["", *(_line(row, widths) for row in rows), *_rest(plan)]
    room = min(NOTE_LINES, MOST_LINES - len(lines) - len(table))
    return "\n".join(line[:WIDTH] for line in [*lines, *_noted(plan, room), *table])


def html(plan: Plan) -> str:
    """The same as a fragment of a page: no style, no script."""
    head = [f"<b>{escape(_title(plan))}</b>", escape(plan.verdict.text)]
    notes = _notes(plan)
    head += map(escape, [" · ".join(_figures(plan)), *notes[:NOTE_LINES]])
    head += map(escape, _more(len(notes) - NOTE_LINES))
    return f"<div><p>{'<br>'.join(head)}</p>{_table(plan)}</div>"


def _table(plan: Plan) -> str:
    if not plan.steps:
        return ""
    header = "".join(f"<th>{name}</th>" for name in HEAD)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in _rows(plan)
    )
    rest = "".join(f"<p>{escape(line)}</p>" for line in _rest(plan))
    return f"<table><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>{rest}"


def _title(plan: Plan) -> str:
    ref = f"{plan.plan_id[:12]} · " if plan.plan_id else ""
    return f"Plan {ref}{plan.bucket} · {plan.as_of} · strategy {plan.strategy.shown}"


def _figures(plan: Plan) -> Iterator[str]:
    base, drift = plan.base_currency, plan.drift
    yield f"value {plan.value:,.2f} {base}"
    if drift.before is not None and drift.after is not None:
        yield f"drift {drift.before:.1%} → {drift.after:.1%}"
    if plan.outlook is not None:
        yield f"chosen by {plan.outlook.mode}, not proven"
    yield f"turnover {plan.turnover:.1%}"
    yield f"costs {plan.costs.total:,.2f} {base}"
    after = ", ".join(f"{amount:,.2f} {name}" for name, amount in plan.cash_after.items())
    yield f"cash after {after or 'none'}"


def _notes(plan: Plan) -> list[str]:
    """Problems, then what is said first of the inputs."""
    heads = (warning for warning in plan.warnings if warning.head)
    return [
        *(f"Problem: {problem.message}" for problem in plan.problems),
        *(f"Warning: {warning.message}" for warning in heads),
    ]


def _noted(plan: Plan, room: int) -> Iterator[str]:
    """The notes in so many lines, two for each where all fit, else one; the others counted."""
    notes = _notes(plan)
    each = 2 if 2 * len(notes) <= room else 1
    shown = len(notes) if each * len(notes) <= room else room - 1
    for note in notes[:shown]:
        yield from _wrapped(note, each)
    yield from _more(len(notes) - shown)


def _more(count: int) -> Iterator[str]:
    if count > 0:
        yield f"and {count} more: plan.problems, plan.warnings"


def _rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    for step in plan.steps[:SHOWN]:
        yield (
            str(step.n),
            step.side.value,
            step.symbol,
            f"{step.quantity:,f}",
            f"{step.price:,f} {step.currency}",
            f"{step.notional_base:,.0f}",
            f"{step.weight_before:.1%}",
            f"{step.weight_after:.1%}",
            f"{step.costs.total:,.2f}",
        )


def _rest(plan: Plan) -> Iterator[str]:
    if len(plan.steps) > SHOWN:
        yield f'and {len(plan.steps) - SHOWN} more orders: plan.to_frame("steps")'


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if LEFT > n > 0 else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells)


def _wrapped(sentence: str, lines: int = LINES) -> list[str]:
    return textwrap.wrap(sentence, WIDTH, max_lines=lines, placeholder=" …")
