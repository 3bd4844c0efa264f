"""Patterns: seed sequences with one intent each, drawn from the best candidates.

In: a Context, the table of candidates and the pattern's Params. Out: (k, d) rows of candidate
indices, sells first, PAD at the end, d = `ctx.search.max_depth`; (0, d) when the intent finds
nothing. Patterns draw from `candidates.draws`, category by category in order of priority and
already cut as the strategy says, and ask the ledger what fits together: every row is a set of
orders that may be a plan, and what is drawn too large gives way to a smaller size of its own. A
pattern of several variants gives a mapping from variant to rows instead, and the plan names the
variant.

To add one: a file with a `Params` model and one function under `@pattern_generator`; its tests in
`tests/modules/patterns/`, its parameters in `tests/contracts/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from steelyard.arrays import PAD, IntArray, frozen
from steelyard.ledger import fill
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind, ModuleParams

MaxSells = Annotated[
    int,
    Field(
        ge=1,
        le=10,
        description="most sales in a sequence; each number of sales up to it has its own",
    ),
]


WEIGHT_BASED = "weight_based"
FED_BY_WEIGHT_BASED = ("rebalance_sells", "rebalance_buys")
"""Names under which the orders of `weight_based` are drawn."""


class OneSequence(ModuleParams):
    """A pattern of one sequence."""

    def most_sequences(self, depth: int) -> int:  # noqa: ARG002 - it does not depend on it
        """One."""
        return 1


class NoParams(OneSequence):
    """A pattern without settings of its own."""


def drawn_from(*categories: str) -> str:
    """Dependency of a pattern: one of the calculators whose orders it draws under these names.

    >>> drawn_from("rebalance_buys")
    'opportunity_calculators.rebalance_buys|opportunity_calculators.weight_based'
    """
    feeding = dict.fromkeys(
        (*categories, *(WEIGHT_BASED for name in categories if name in FED_BY_WEIGHT_BASED))
    )
    return "|".join(f"{Kind.OPPORTUNITY}.{name}" for name in feeding)


def sells(candidates: Candidates, *categories: str) -> list[int]:
    """Sales drawn from some categories, in order of priority, without repeats."""
    return [row for row in _drawn(candidates, categories) if not candidates.is_buy[row]]


def buys(candidates: Candidates, *categories: str) -> list[int]:
    """Buys drawn from some categories, in order of priority, without repeats."""
    return [row for row in _drawn(candidates, categories) if candidates.is_buy[row]]


def _drawn(candidates: Candidates, categories: Iterable[str]) -> list[int]:
    rows = {row for category in categories for row in candidates.draws.get(category, ())}
    return candidates.by_appeal(rows)


def reinvested(candidates: Candidates, *first: str) -> list[int]:
    """What sales pay for: buys of some categories, then all others, each by priority."""
    wanted = buys(candidates, *first)
    securities = set(candidates.security[wanted].tolist())
    rest = buys(candidates, *candidates.draws)
    return [*wanted, *(row for row in rest if candidates.security[row] not in securities)]


def every_size(candidates: Candidates, row: int) -> list[int]:
    """All orders of the table in the security and on the side of a drawn one, largest first."""
    alike = (candidates.security == candidates.security[row]) & (
        candidates.is_buy == candidates.is_buy[row]
    )
    return sorted(np.flatnonzero(alike).tolist(), key=lambda j: -abs(float(candidates.delta[j])))


def funding(candidates: Candidates, rows: Iterable[int]) -> list[int]:
    """Each drawn order in the size that is worth most together with one of the other side: of sales
    that pay for buys, and of buys that sales pay for.
    """
    return [
        max(every_size(candidates, row), key=lambda j: float(candidates.together[j]))
        for row in rows
    ]


def shrinking(candidates: Candidates, rows: Iterable[int]) -> list[int]:
    """Each drawn order, followed by the smaller sizes of it, largest first."""
    sizes: list[int] = []
    for row in rows:
        most = abs(float(candidates.delta[row]))
        smaller = (j for j in every_size(candidates, row) if abs(candidates.delta[j]) < most)
        sizes += [row, *smaller]
    return sizes


def fitted(
    candidates: Candidates, chosen: Sequence[int], offered: Iterable[int], depth: int
) -> list[int]:
    """Some orders and each of the offered ones that fits, in turn, or its largest smaller size
    that does: one size too dear is no reason to leave a security out.
    """
    return fill(candidates.account, chosen, shrinking(candidates, offered), depth)


def sells_then_buys(
    ctx: Context,
    candidates: Candidates,
    offered_sells: Sequence[int],
    offered_buys: Sequence[int],
    max_sells: int,
) -> list[list[int]]:
    """One sequence for each number of sales from 1 to `max_sells`, then every buy that fits.

    While there are buys, sales never take the last step: sales alone move nothing forward.
    """
    depth = ctx.search.max_depth
    most = min(max_sells, depth - 1 if offered_buys else depth)
    starts = [fitted(candidates, [], offered_sells, count) for count in range(1, most + 1)]
    return [fitted(candidates, start, offered_buys, depth) for start in starts if start]


def sells_then_buys_in_both_sizes(
    ctx: Context,
    candidates: Candidates,
    offered_sells: Sequence[int],
    offered_buys: Sequence[int],
    max_sells: int,
) -> list[list[int]]:
    """`sells_then_buys` in the sizes that are worth most alone, then in those worth most so."""
    return [
        sequence
        for sold, bought in both_sizes(candidates, offered_sells, offered_buys)
        for sequence in sells_then_buys(ctx, candidates, sold, bought, max_sells)
    ]


def both_sizes(
    candidates: Candidates, sold: Sequence[int], bought: Sequence[int]
) -> list[tuple[Sequence[int], Sequence[int]]]:
    """Drawn sales and buys as they are drawn, and in the sizes that fund each other."""
    return [(sold, bought), (funding(candidates, sold), funding(candidates, bought))]


def padded_rows(sequences: Iterable[Sequence[int]], depth: int) -> IntArray:
    """Sequences as (k, depth) rows in their order, empty ones and repeats of a set left out."""
    distinct = {frozenset(sequence): sequence for sequence in reversed(list(sequences)) if sequence}
    rows = np.full((len(distinct), depth), PAD, dtype=np.int64)
    for row, sequence in zip(rows, reversed(distinct.values()), strict=True):
        row[: len(sequence)] = sequence
    return frozen(rows)
