"""What patterns and generators draw from: rows of the finished table by category, in order, cut."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from steelyard.arrays import FloatArray, IntArray
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.notices import Drop
from steelyard.sentences import say

ONE_MORE_OF_A_GROUP = 0.5
"""By how much each order of a group before it lowers the appeal of another: 1, 2/3, 1/2, …"""


def drawn(ctx: Context, table: Candidates) -> dict[str, tuple[int, ...]]:
    """Category -> all rows that patterns could draw, over the threshold, by priority."""
    members: dict[str, list[int]] = {}
    for j, proposals in enumerate(table.proposals):
        for source in sorted(
            {_category(proposal.source, bool(table.is_buy[j])) for proposal in proposals}
        ):
            members.setdefault(source, []).append(j)
    return {
        source: draw(table, rows, ctx.planner.priority_threshold)
        for source, rows in sorted(members.items())
    }


def _category(source: str, is_buy: bool) -> str:
    if source != "weight_based":
        return source
    return "rebalance_buys" if is_buy else "rebalance_sells"


def draw(table: Candidates, rows: Sequence[int], threshold: float) -> tuple[int, ...]:
    """Per security and side the row of highest priority, in order of it; what gains only with an
    order of the other side after all others, by that; ties as in the table.
    """
    ordered = sorted(
        (j for j in rows if table.pull[j] >= threshold and table.pull[j] > 0),
        key=lambda j: (-table.priority[j], -table.together[j], j),
    )
    first: dict[tuple[int, bool], int] = {}
    for j in ordered:
        first.setdefault((int(table.security[j]), bool(table.is_buy[j])), j)
    return tuple(first.values())


def group_of(ctx: Context) -> IntArray:
    """(n,) country of each security, else its sector, -1 without; of several the largest share."""
    grouping = next(
        (grouping for grouping in (ctx.countries, ctx.sectors) if grouping.counts), None
    )
    if grouping is None:
        return np.full(ctx.n, -1, dtype=np.int64)
    return np.where(grouping.labelled, grouping.shares.argmax(axis=1), -1)


def diverse_appeal(ctx: Context, table: Candidates, pool: Sequence[int]) -> FloatArray:
    """(m,) priority, mixed with how few orders of its side and group come before in the pool."""
    group, rank = (
        group_of(ctx)[table.security],
        np.lexsort((np.arange(table.m), -table.together, -table.priority)).argsort(),
    )
    others = np.array(pool, dtype=np.int64)
    alike = (group[:, None] == group[others]) & (table.is_buy[:, None] == table.is_buy[others])
    before = (
        alike & (rank[others] < rank[:, None]) & (table.security[:, None] != table.security[others])
    )
    weight = ctx.planner.diversity_weight
    return np.asarray(
        (1 - weight) * table.priority + weight / (1 + ONE_MORE_OF_A_GROUP * before.sum(axis=1))
    )


def spread(table: Candidates, group: IntArray, rows: Sequence[int], most: int) -> tuple[int, ...]:
    """At most `most` of the rows: as many of each group, then the rest by priority; a list that
    fits stays whole.

    group   (m,)  of each order
    rows    by priority
    """
    members: dict[int, list[int]] = {}
    for j in rows:
        members.setdefault(int(group[j]), []).append(j)
    each = max(1, most // max(1, len(members)))
    # groups of equal priority: the one whose first order comes first
    by_priority = sorted(
        members.values(), key=lambda own: (-math.fsum(table.pull[own]), rows.index(own[0]))
    )
    first = [j for own in by_priority for j in own[:each]]
    rest = [j for j in rows if j not in first]
    return by_appeal(table, [*first, *rest][:most])


def by_appeal(table: Candidates, rows: Sequence[int]) -> tuple[int, ...]:
    """The rows as a pattern draws them."""
    return tuple(table.by_appeal(rows))


def cut_by(ctx: Context, table: Candidates, j: int) -> Drop | None:
    """Which rule of `[planner]` keeps an order from patterns in every size; None: they draw it, or
    the plan is not the best of what they propose.
    """
    side = (table.security == table.security[j]) & (table.is_buy == table.is_buy[j])
    rows = {int(k) for k in np.flatnonzero(side)}
    if ctx.search.scope != "proposals" or any(rows & {*drew} for drew in table.draws.values()):
        return None
    planner, best = ctx.planner, float(table.pull[sorted(rows)].max())
    if best < planner.priority_threshold or best == 0:
        why = say(
            "its priority is {priority:ratio} at most; under {least:ratio} patterns and "
            "generators draw nothing (planner.priority_threshold)",
            priority=best,
            least=planner.priority_threshold,
        )
        return Drop("priority_threshold", best, planner.priority_threshold, why)
    most = planner.max_opportunities_per_category
    places = [
        place
        for category in drawn(ctx, table).values()
        for place, k in enumerate(category, start=1)
        if k in rows
    ]
    why = say(
        "it comes as number {place:count} of its calculator by priority, and patterns draw "
        "{most:count} (planner.max_opportunities_per_category)",
        place=min(places),
        most=most,
    )
    return Drop("max_opportunities_per_category", float(min(places)), float(most), why)
