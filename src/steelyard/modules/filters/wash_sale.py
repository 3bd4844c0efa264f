"""Wash sale: no sale at a loss beside a buy of the same, or of a substitute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from steelyard.arrays import BoolArray, flags, frozen
from steelyard.modules.candidates import Candidates, Ruling
from steelyard.modules.context import Context
from steelyard.modules.filters import OnMissing
from steelyard.modules.registry import ModuleParams, sequence_filter
from steelyard.modules.wash_sales import Group, Last, groups, last_trades
from steelyard.notices import Drop
from steelyard.sentences import say

RULE = "wash_sale"


class Params(ModuleParams):
    """What to do where a date or a cost is unknown; the days are `lots.wash_sale_days`."""

    on_missing: OnMissing = "allow"


@sequence_filter(
    "wash_sale", form="pairs", version="1.0.0", params=Params, needs=("wash_sale_days",),
    tags=("buy", "sell"),
)  # fmt: skip
def wash_sale(ctx: Context, candidates: Candidates, params: Params) -> tuple[BoolArray, Ruling]:
    """Keep a sale at a loss and a buy of the same, or of a substitute, `lots.wash_sale_days` apart.

    A sale is at a loss where it takes any lot at a loss, whatever the others gain.
    """
    same, loses = groups(ctx), _losses(ctx, candidates)
    sold, bought = last_trades(ctx, at_loss=True), last_trades(ctx, at_loss=False)
    drops: dict[int, Drop] = {}
    unknown: set[tuple[str, str]] = set()
    for row, i in enumerate(candidates.security.tolist()):
        if candidates.is_buy[row]:
            drop = _drop(ctx, sold.get(same[i]), "sold at a loss", "bought")
        else:
            lacks = list(_lacks(ctx, candidates, row))
            unknown |= {(ctx.symbols[i], metric) for metric in lacks}
            drop = _denied(lacks[0]) if lacks and params.on_missing == "deny" else None
            if drop is None and loses[row]:
                drop = _drop(ctx, bought.get(same[i]), "bought", "sold at a loss")
        if drop is not None:
            drops[row] = drop
    keep = flags(row not in drops for row in range(candidates.m))
    return _apart(candidates, same, loses), Ruling(keep, drops, tuple(sorted(unknown)))


def _drop(ctx: Context, last: Last | None, done: str, asked: str) -> Drop | None:
    """Why an order may not follow the last of the other side; None where it may."""
    if last is None:
        return None
    limit = ctx.lots.wash_sale_days
    why = say(
        f"{{other:text}} was {done} {{days:days}} ago; the same or a substitute is not {asked} "
        "within {limit:days} (lots.wash_sale_days)",
        other=last.symbol,
        days=last.days,
        limit=limit,
    )
    return Drop(RULE, float(last.days), float(limit), why)


def _denied(metric: str) -> Drop:
    why = say("{metric:text} is unknown, and wash_sale denies what it cannot check", metric=metric)
    return Drop(RULE, None, None, why)


def _losses(ctx: Context, candidates: Candidates) -> BoolArray:
    """(m,) does a sale take a lot at a loss?"""
    rows = zip(
        candidates.security.tolist(), candidates.is_buy.tolist(), candidates.quantity, strict=True
    )
    return flags(
        not is_buy
        and any((ctx.gain_of(i, lot) or 0.0) < 0 for lot, _ in ctx.lots_sold(i, quantity))
        for i, is_buy, quantity in rows
    )


def _lacks(ctx: Context, candidates: Candidates, row: int) -> Iterator[str]:
    """What is unknown of a sale: the cost of a lot that it takes, when the security was bought."""
    i = int(candidates.security[row])
    if any(lot.unit_cost is None for lot, _ in ctx.lots_sold(i, candidates.quantity[row])):
        yield "average_cost"
    if np.isnan(ctx.days_since_bought[i]):
        yield "last_bought"


def _apart(candidates: Candidates, same: Sequence[Group], loses: BoolArray) -> BoolArray:
    """(m, m) sales at a loss and buys of one group."""
    apart = np.zeros((candidates.m, candidates.m), dtype=np.bool_)
    buys: dict[Group, list[int]] = {}
    for row in np.flatnonzero(candidates.is_buy).tolist():
        buys.setdefault(same[candidates.security[row]], []).append(row)
    for row in np.flatnonzero(loses).tolist():
        others = buys.get(same[candidates.security[row]], [])
        apart[row, others] = apart[others, row] = True
    return frozen(apart)
