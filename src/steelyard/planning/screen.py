"""What the filters of a strategy say of ways to trade: which may be used, and which not together.

The table's run asked them too and noted what came of it: here they are asked again without a word,
about every security at its largest size. A filter that fails now was relied on: the plan is made
again as without it, or without the sides that it guards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from steelyard.arrays import BoolArray, IntArray, frozen
from steelyard.ledger import Gains
from steelyard.modules import contract
from steelyard.modules.candidates import Candidates, Orders
from steelyard.modules.context import Context
from steelyard.modules.registry import BUILT_IN, Kind
from steelyard.planning.blocking import blocked, sides_of
from steelyard.planning.costs import cost_rates
from steelyard.planning.group_limits import group_limits
from steelyard.planning.guard import Guard, kept_to
from steelyard.planning.overdraft import ruling_of
from steelyard.planning.search.lots import LotList
from steelyard.planning.table import account_of, bare_table, unscored
from steelyard.planning.ways import BUY, EXIT, Trades, lot_quantity, sized
from steelyard.planning.wishes import serves
from steelyard.strategies import ModuleChoice, Strategy

T = TypeVar("T")
Judge = Callable[[LotList], bool]
"""Does a filter let a whole list through?"""


def screened(
    ctx: Context, trades: Trades, strategy: Strategy, guard: Guard
) -> tuple[Trades, IntArray, tuple[Judge, ...]]:
    """The ways that the filters leave, pairs (c, 2) of them that may not go together, and the
    filters that have to be asked of every list: those whose answer depends on the size, and those
    that judge rows.
    """
    sides = sides_of(blocked(ctx, strategy, guard))
    side = np.where(trades.kind == BUY, "buy", "sell")
    trades = trades.only(~np.isin(side, sorted(sides)))
    choices = [c for c in strategy.enabled(Kind.FILTER) if serves(c, ctx, guard)]
    judges: list[ModuleChoice] = [c for c in choices if c.module.form == "rows"]
    for choice in choices:
        if choice.module.form == "mask" and len(trades.security):
            keep, by_size = _mask(ctx, trades, choice)
            trades = trades.only(keep)
            judges += [choice] if by_size else []
    pairs = np.zeros((0, 2), dtype=np.int64)
    for choice in choices:
        if choice.module.form == "pairs" and len(trades.security):
            trades, pairs, by_list = _apart(ctx, trades, pairs, choice)
            judges += [choice] if by_list else []
    return trades, frozen(pairs), tuple(_judges(ctx, trades, judges))


def _probe(ctx: Context, trades: Trades, lots: IntArray) -> Candidates:
    """Each way as a row of so many lots; its cash walk is in floats, for nothing asks it."""
    delta, m = trades.lot * lots, len(lots)
    cost = ctx.costs.fixed / ctx.value + np.abs(delta) * cost_rates(ctx)[trades.security]
    every = zip(trades.security.tolist(), trades.kind.tolist(), lots.tolist(), strict=True)
    columns = Orders(
        ids=tuple(f"c{j + 1}" for j in range(m)),
        security=frozen(trades.security),
        is_buy=frozen(trades.kind == BUY),
        quantity=tuple(count * lot_quantity(ctx, i, kind) for i, kind, count in every),
        delta=frozen(delta),
        cost=frozen(cost),
        tax=frozen(trades.tax + trades.tax_rate * lots),
        full_exit=frozen(trades.kind == EXIT),
        proposals=trades.proposals,
        account=replace(
            account_of(ctx, ()),
            security=frozen(trades.security),
            delta=frozen(delta),
            cost=frozen(cost),
            group_shares=frozen(group_limits(ctx).shares[trades.security]),
            exact=None,
            gains=_gains(ctx, trades, lots),
        ),
    )
    return unscored(columns)


def _gains(ctx: Context, trades: Trades, lots: IntArray) -> Gains | None:
    own = account_of(ctx, ()).gains
    return None if own is None else Gains(trades.gain + trades.gain_rate * lots, own.room)


def _mask(ctx: Context, trades: Trades, choice: ModuleChoice) -> tuple[BoolArray, bool]:
    """(w,) which ways a mask filter leaves, and whether its answer depends on the size."""
    largest = _kept(ctx, _probe(ctx, trades, trades.most), choice)
    if choice.module.source == BUILT_IN:
        return largest, False
    least = _kept(ctx, _probe(ctx, trades, trades.least), choice)
    return largest | least, bool((largest != least).any())


def _kept(ctx: Context, table: Candidates, choice: ModuleChoice) -> BoolArray:
    def ask() -> BoolArray:
        return ruling_of(ctx, table, choice.module, choice.params).keep

    return kept_to(choice.module, ask)()


def _apart(
    ctx: Context, trades: Trades, pairs: IntArray, choice: ModuleChoice
) -> tuple[Trades, IntArray, bool]:
    """What a pair filter leaves, all pairs so far with its own, and whether it judges lists."""
    table = _probe(ctx, trades, trades.most)

    def ask() -> tuple[BoolArray, BoolArray, bool]:
        answer = choice.module.call(ctx, table, choice.params)
        apart, ruling, judge = contract.pairs(ctx, answer, table.m)
        keep = np.ones(table.m, dtype=np.bool_) if ruling is None else ruling.keep
        return apart, keep, judge is not None

    apart, keep, by_list = kept_to(choice.module, ask)()
    more = np.argwhere(np.triu(apart))
    more = more[trades.security[more[:, 0]] != trades.security[more[:, 1]]]
    pairs = np.unique(np.concatenate([pairs, more]), axis=0)
    pairs = pairs[keep[pairs].all(axis=1)]
    return trades.only(keep), (np.cumsum(keep) - 1)[pairs], by_list


def _judges(ctx: Context, trades: Trades, choices: Sequence[ModuleChoice]) -> Iterator[Judge]:
    for choice in choices:
        judge = _mask_judge if choice.module.form == "mask" else _row_judge
        yield kept_to(choice.module, judge(ctx, trades, choice))


def _row_judge(ctx: Context, trades: Trades, choice: ModuleChoice) -> Judge:
    """A predicate of rows of a table: of one that holds the list and no more."""

    def judge(orders: LotList) -> bool:
        rows = sized(ctx, trades, orders)
        answer = choice.module.call(ctx, bare_table(ctx, rows), choice.params)
        if choice.module.form == "pairs":
            _, ruling, answer = contract.pairs(ctx, answer, len(rows))
            if answer is None or (ruling is not None and not ruling.keep.all()):
                return ruling is None or bool(ruling.keep.all())
        depth = max(len(rows), ctx.search.max_depth)
        predicate = contract.predicate(answer, depth)
        row = np.full((1, depth), -1, dtype=np.int64)
        row[0, : len(rows)] = np.arange(len(rows))
        return bool(predicate(row)[0])

    return judge


def _mask_judge(ctx: Context, trades: Trades, choice: ModuleChoice) -> Judge:
    def judge(orders: LotList) -> bool:
        return bool(_kept(ctx, bare_table(ctx, sized(ctx, trades, orders)), choice).all())

    return judge
