"""Filters that fail closed: while one does not work, nothing is traded on the sides that it guards.

A rule that keeps from a sale, and cannot be asked, is no leave to sell. `on_failure = "allow"` in
the filter's table of the strategy plans without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from steelyard.modules.context import Context
from steelyard.modules.registry import Kind
from steelyard.notices import Drop, Notice
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.sentences import Sentence, say
from steelyard.strategies import Strategy

BOTH = frozenset({"buy", "sell"})
BLOCKED = {
    frozenset({"buy"}): "buys_blocked",
    frozenset({"sell"}): "sales_blocked",
    BOTH: "trades_blocked",
}
"""Sides -> the code of the problem that says so."""
NOTHING = {
    "buys_blocked": "Nothing is bought",
    "sales_blocked": "Nothing is sold",
    "trades_blocked": "Nothing is bought or sold",
}


@dataclass(frozen=True, slots=True)
class Blocked:
    """A filter that does not work, by its name, and the sides on which so nothing is traded."""

    name: str
    sides: frozenset[str]


def blocked(ctx: Context, strategy: Strategy, guard: Guard) -> tuple[Blocked, ...]:
    """The filters that fail closed and do not work in this plan; noted where they are run."""
    quiet = replace(guard, findings=Findings(), bucket=None)
    choices = [choice for choice in strategy.enabled(Kind.FILTER) if choice.fails_closed]
    idle = [c for c in choices if quiet.hindered(c.module, ctx) in {"failed", "disabled"}]
    lost = (Blocked(name, BOTH) for name in strategy.lost)
    return (*(Blocked(c.module.name, c.module.guards) for c in idle), *lost)


def sides_of(waiting: Iterable[Blocked]) -> frozenset[str]:
    """The sides on which nothing is traded."""
    return frozenset().union(*(block.sides for block in waiting))


def drop_of(waiting: Sequence[Blocked], side: str) -> Drop:
    """Why an order is not made: the first filter that guards its side and does not work."""
    name = next(block.name for block in waiting if side in block.sides)
    why = say(
        "the filter {filter:text} does not work, so it lets nothing through",
        filter=name,
    )
    return Drop("filter_failed", None, None, why)


def notices(waiting: Iterable[Blocked]) -> Iterator[Notice]:
    """A problem for each filter that blocks."""
    for block in waiting:
        code, module = BLOCKED[block.sides], f"{Kind.FILTER}.{block.name}"
        message = (
            f"{NOTHING[code]}: the filter {block.name} does not work, so it lets nothing through. "
            f'Mend it, or say {module}.on_failure = "allow" to plan without it.'
        )
        yield Notice(code=code, message=message, module=module)


def what_waits(problems: Iterable[Notice]) -> Sentence | None:
    """One sentence of what the problems say is blocked."""
    rows = [problem for problem in problems if problem.code in NOTHING]
    if not rows:
        return None
    codes = {row.code for row in rows}
    code = codes.pop() if len(codes) == 1 else BLOCKED[BOTH]
    names = ", ".join((row.module or "").rpartition(".")[2] for row in rows)
    why = "the filters {blocking:text} do not work, so they let nothing through."
    if len(rows) == 1:
        why = "the filter {blocking:text} does not work, so it lets nothing through."
    return say(f"{NOTHING[code]}: {why}", blocking=names)
