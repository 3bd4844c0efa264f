"""What the filters of a strategy say against orders that a person states: each asked of all.

In a plan one filter sees what the one before it leaves. Here every filter is asked of the whole
list, so that a person who mends one thing does not meet the next only then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from steelyard.arrays import BoolArray
from steelyard.modules import contract
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind, ModuleParams
from steelyard.notices import Drop
from steelyard.planning.blocking import Blocked, blocked, drop_of, sides_of
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.overdraft import ruling_of
from steelyard.planning.sizing import Sized
from steelyard.planning.table import bare_table
from steelyard.sentences import say
from steelyard.strategies import ModuleChoice, Strategy


@dataclass(frozen=True, slots=True)
class Objection:
    """A rule that keeps an order out, or two of them apart, or the whole list.

    rows   of the orders that it is about; () = all of them together
    """

    rows: tuple[int, ...]
    drop: Drop


def objections(
    ctx: Context, orders: Sequence[Sized], strategy: Strategy, guard: Guard
) -> Iterator[Objection]:
    """Everything that filters have against the orders; nothing is noted in the guard."""
    quiet = replace(guard, findings=Findings(), bucket=None, broken={*guard.broken})
    table = bare_table(ctx, orders)
    yield from _blocked(table, blocked(ctx, strategy, quiet))
    for choice in strategy.enabled(Kind.FILTER) if orders else ():
        yield from _of_filter(ctx, table, choice, quiet)


def _blocked(table: Candidates, waiting: Sequence[Blocked]) -> Iterator[Objection]:
    """Orders on sides that a filter guards which does not work."""
    sides = sides_of(waiting)
    for j in range(table.m):
        if table.side(j).value in sides:
            yield Objection((j,), drop_of(waiting, table.side(j).value))


def _of_filter(
    ctx: Context, table: Candidates, choice: ModuleChoice, guard: Guard
) -> Iterator[Objection]:
    ask = {"mask": _mask, "pairs": _pairs, "rows": _rows}.get(choice.module.form or "")
    if ask is None:
        return

    def work(params: ModuleParams) -> list[Objection]:
        return ask(ctx, table, replace(choice, params=params))

    run = guard.run(choice.module, ctx, choice.params, work, len)
    if run.outcome == "failed" and choice.fails_closed:
        yield from _blocked(table, (Blocked(choice.module.name, choice.module.guards),))
    yield from run.value or ()


def _mask(ctx: Context, table: Candidates, choice: ModuleChoice) -> list[Objection]:
    ruling = ruling_of(ctx, table, choice.module, choice.params)
    return [Objection((j,), drop) for j, drop in sorted(ruling.drops.items())]


def _pairs(ctx: Context, table: Candidates, choice: ModuleChoice) -> list[Objection]:
    """Pairs kept apart, what may not be traded at all, and what it says of the whole list."""
    answer = choice.module.call(ctx, table, choice.params)
    apart, ruling, judge = contract.pairs(ctx, answer, table.m)
    name = choice.module.name
    why = say("the filter {filter:text} keeps two orders apart", filter=name)
    drop = Drop(name, None, None, why)
    pairs = np.argwhere(np.triu(apart | apart.T, 1)).tolist()
    every = [Objection((a, b), drop) for a, b in pairs]
    if ruling is not None:
        every += [Objection((j,), drop) for j, drop in sorted(ruling.drops.items())]
    return every if judge is None else [*every, *_judged(ctx, table, name, judge)]


def _rows(ctx: Context, table: Candidates, choice: ModuleChoice) -> list[Objection]:
    answer = choice.module.call(ctx, table, choice.params)
    return _judged(ctx, table, choice.module.name, answer)


def _judged(ctx: Context, table: Candidates, name: str, answer: object) -> list[Objection]:
    """What a predicate of rows says of the whole list, however long it is."""
    depth = max(table.m, ctx.search.max_depth)
    row = np.full((1, depth), -1, dtype=np.int64)
    row[0, : table.m] = np.arange(table.m)
    good: BoolArray = contract.predicate(answer, depth)(row)
    if good[0]:
        return []
    why = say("the filter {filter:text} does not let these orders through together", filter=name)
    return [Objection((), Drop(name, None, None, why))]
