"""Recently traded: leave a security alone for a while after an order in it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from steelyard.arrays import FloatArray
from steelyard.modules.candidates import Candidates, Ruling
from steelyard.modules.context import Context
from steelyard.modules.filters import OnMissing, Rule, purchase_unknown, ruling, sale_unknown, since
from steelyard.modules.registry import ModuleParams, sequence_filter
from steelyard.settings import setting

Days = Annotated[int, Field(ge=0, le=3650)]


class Params(ModuleParams):
    """Cooldowns in calendar days, each counted from the last order of one side."""

    buy_cooldown_days: Days = setting(
        30,
        "days from a buy to the next buy; from this day on it may be bought; with targets 0, "
        "unless you set it",
    )
    sell_cooldown_days: Days = setting(
        180,
        "days from a sale to the next sale; from this day on it may be sold; with targets 0, "
        "unless you set it",
    )
    opposite_days: Days = setting(90, "no order against the last one up to and including this day")
    on_missing: OnMissing = "allow"


@sequence_filter(
    "recently_traded", form="mask", version="1.0.0", params=Params, tags=("buy", "sell")
)
def recently_traded(ctx: Context, candidates: Candidates, params: Params) -> Ruling:
    """Drop orders too soon after one of the same side, and orders that would undo a recent one."""
    rules = [
        _again(ctx, "buy_cooldown_days", params.buy_cooldown_days, buys=True),
        _again(ctx, "sell_cooldown_days", params.sell_cooldown_days, buys=False),
        _undo(ctx, params.opposite_days, buys=True),
        _undo(ctx, params.opposite_days, buys=False),
    ]
    return ruling(ctx, candidates, rules, params.on_missing)


def _days(ctx: Context, bought: bool) -> FloatArray:
    return ctx.days_since_bought if bought else ctx.days_since_sold


def _again(ctx: Context, name: str, limit: int, *, buys: bool) -> Rule:
    """The same side twice: blocked while days < limit."""
    days = _days(ctx, bought=buys)
    unknown, done = (purchase_unknown(ctx), "bought") if buys else (sale_unknown(ctx), "sold")
    return Rule(
        name=name,
        buys=buys,
        metric="last_bought" if buys else "last_sold",
        value=days,
        unknown=unknown & (limit > 0),
        broken=days < limit,
        limit=limit,
        why=since(f"{done} {{days:days}} ago, not again before {{limit:days}}", days, limit),
    )


def _undo(ctx: Context, limit: int, *, buys: bool) -> Rule:
    """The other side: blocked while days <= limit, that day included."""
    days = _days(ctx, bought=not buys)
    unknown = sale_unknown(ctx) if buys else purchase_unknown(ctx)
    done, undone = ("sold", "bought back") if buys else ("bought", "sold")
    return Rule(
        name="opposite_days",
        buys=buys,
        metric="last_sold" if buys else "last_bought",
        value=days,
        unknown=unknown,
        broken=days <= limit,
        limit=limit,
        why=since(f"{done} {{days:days}} ago, not {undone} within {{limit:days}}", days, limit),
    )
