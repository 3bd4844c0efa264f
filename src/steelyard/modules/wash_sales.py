"""What counts as the same security for a wash sale, and when it was traded last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from steelyard.modules.context import Context

Group = tuple[bool, str]
"""What counts as the same: a group of substitutes, or a security by itself."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last trade of one kind in a group: whose, and how many days ago."""

    days: int
    symbol: str


def group_of(symbol: str, substitute: str) -> Group:
    """A security's group: that of its substitutes, else its own."""
    return (True, substitute) if substitute else (False, symbol)


def groups(ctx: Context) -> list[Group]:
    """(n,) the group of each security."""
    return [group_of(s.symbol, s.substitute) for s in ctx.securities]


def last_trades(ctx: Context, *, at_loss: bool) -> Mapping[Group, Last]:
    """Group -> its last sale at a loss, else its last buy, within `lots.wash_sale_days`, held or
    sold out.
    """
    last: dict[Group, Last] = {}
    for trade in ctx.past:
        day = trade.sold_at_loss if at_loss else trade.bought
        if day is None or (ctx.as_of - day).days > ctx.lots.wash_sale_days:
            continue
        group, days = group_of(trade.symbol, trade.substitute), (ctx.as_of - day).days
        if group not in last or days < last[group].days:
            last[group] = Last(days, trade.symbol)
    return last
