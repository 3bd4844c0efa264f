"""Why a symbol is not traded, in words with their numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from steelyard.modules.context import Context
from steelyard.notices import Drop, Stop
from steelyard.orders import Side
from steelyard.rebalance.records import Reason, RebalancePlan
from steelyard.sentences import Fact, say

WORDS: Mapping[Reason, str] = {
    "on_target": "on its target",
    "within_band": "{weight:pct} of value, {off:pp} off its target of {target:pct}: inside its "
    "band",
    "below_min_order": "{weight:pct} of value, target {target:pct}: the order would be smaller "
    "than the least of {least:pct}",
    "rounds_to_zero": "{weight:pct} of value, target {target:pct}: the order rounds to nothing in "
    "whole lots",
    "no_cash": "{weight:pct} of value, target {target:pct}: no cash over the reserve is left for "
    "it",
    "no_price": "it has a target of {target:pct} and no usable price",
    "dust": "what is held of it is too little to be sold",
    "costs_more": "{weight:pct} of value, target {target:pct}: selling it would cost more than it "
    "brings",
    "untradable": "{weight:pct} of value, target {target:pct}: switched off, or its price is too "
    "old",
    "locked": "open sell orders already cover all of it",
    "short": "it is held short, and shorts are not traded",
    "blocked": "{weight:pct} of value, target {target:pct}: it waits while another target has no "
    "price",
}
"""Reason of a row without an order -> why."""


def stops_of(
    ctx: Context, rows: Iterable[RebalancePlan], filtered: Collection[str]
) -> Iterator[Stop]:
    """A stop of each row without an order; what a filter stopped has its own."""
    for row in rows:
        if row.trades or row.symbol in filtered or row.symbol not in ctx.place:
            continue  # a target that cannot be bought is told by the valuation
        side = Side.SELL if row.current_value > row.target_value else Side.BUY
        yield Stop(row.symbol, side, "sizing", _drop(ctx, row))


def _drop(ctx: Context, row: RebalancePlan) -> Drop:
    words = WORDS[row.reason]
    facts: dict[str, Fact] = {
        "weight": float(row.current_weight),
        "target": float(row.target_weight),
        "off": abs(float(row.drift)),
        "least": ctx.min_order_weight,
    }
    used = {name: fact for name, fact in facts.items() if f"{{{name}:" in words}
    value = abs(float(row.drift)) if "off" in used else None
    return Drop(row.reason, value, None, say(words, **used))
