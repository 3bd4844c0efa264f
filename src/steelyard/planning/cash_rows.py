"""Sales for cash that a year's budget of gains or turnover binds, as rows of the table.

The same lists that the search over whole lots starts from: without them a table has sales of what
is missing and of everything, which fit neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import BoolArray, frozen
from steelyard.modules.context import Context
from steelyard.planning.gate import Gate
from steelyard.planning.overdraft import needs, sale_for_cash, sales_for_cash
from steelyard.planning.raising import Sales, binds, most_sold, raising
from steelyard.planning.reach import reach_of
from steelyard.planning.sizing import Sized
from steelyard.planning.table import account_of
from steelyard.planning.ways import BUY, lot_quantity, orders_at, trades_of

Filtered = Callable[[list[Sized]], tuple[list[Sized], BoolArray]]
"""What filters leave of rows, and (m, m) the pairs of them that they keep apart."""


@dataclass(frozen=True, slots=True)
class CashRows:
    """Sales for cash, and which of them bring together what is missing, or most of it."""

    rows: tuple[Sized, ...]
    lists: tuple[tuple[Sized, ...], ...] = ()


def cash_rows(ctx: Context, filtered: Filtered) -> CashRows:
    """The sales of each holding, and lists of sales that fit the budget and turnover."""
    rows = {(row.i, row.quantity): row for row in sales_for_cash(ctx)}
    lists = tuple(_lists(ctx, filtered)) if rows else ()
    for row in (row for whole in lists for row in whole):
        rows.setdefault((row.i, row.quantity), row)
    return CashRows(tuple(rows.values()), lists)


def _lists(ctx: Context, filtered: Filtered) -> list[tuple[Sized, ...]]:
    every = trades_of(ctx, reach_of(ctx, for_cash=True))
    every = every.only(every.kind != BUY)
    gate = Gate(
        ctx=ctx,
        trades=every,
        account=account_of(ctx, ()),
        turning=np.zeros(len(every.kind), dtype=np.int64),
        orders=ctx.search.max_depth,
    )
    if not binds(gate):
        return []
    largest = orders_at(ctx, every, every.most)
    rows, conflicts = filtered(largest)
    left = {id(row) for row in rows}
    keep = np.array([id(row) in left for row in largest], dtype=np.bool_)
    gate = Gate(
        ctx=ctx,
        trades=every.only(keep),
        account=gate.account,
        turning=frozen(gate.turning[keep]),
        orders=gate.orders,
    )
    pairs = np.argwhere(np.triu(conflicts | conflicts.T))
    sales = [some for need in needs(ctx) for some in raising(gate, pairs, need)]
    return [_sized(gate, some) for some in (*sales, most_sold(gate, pairs)) if some]


def _sized(gate: Gate, sales: Sales) -> tuple[Sized, ...]:
    ctx, trades = gate.ctx, gate.trades
    orders = [(int(trades.security[w]), int(trades.kind[w]), lots) for w, lots in sales]
    return tuple(sale_for_cash(ctx, i, lots * lot_quantity(ctx, i, k)) for i, k, lots in orders)
