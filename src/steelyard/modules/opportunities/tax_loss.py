"""Tax loss: sell lots at a loss, and hold the next member of the class in their place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from steelyard.modules.candidates import Candidate
from steelyard.modules.context import Context
from steelyard.modules.opportunities import PriorityWeight
from steelyard.modules.registry import ModuleParams, opportunity_calculator
from steelyard.modules.wash_sales import Group, groups, last_trades
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.portfolio import TaxLot
from steelyard.sentences import say
from steelyard.settings import setting

TAG = "tax_loss"
NOBODY = -1
"""In place of a security: none takes the place."""
BPS = 10_000


class Params(ModuleParams):
    """Which losses are worth taking; the tax that they save must pay for both orders too."""

    min_loss_share: float = setting(0.05, "least loss of a lot, of its cost", ge=0, le=1)
    min_loss_base: float = setting(
        200.0, "least loss of a security's lots together, base currency", ge=0, le=1e12
    )
    priority_weight: PriorityWeight = 1.0

    def most_sizes(self) -> int:
        """The lots at a loss."""
        return 1


@dataclass(frozen=True, slots=True)
class Swap:
    """Shares of security `sold` at a loss, and the security that takes their place.

    weight   of the shares, of value
    loss     base currency, > 0
    share    of their cost
    """

    sold: int
    bought: int
    weight: float
    loss: float
    share: float


@opportunity_calculator(
    "tax_loss", version="1.0.0", params=Params, on=False, tags=("buy", "sell"), needs=("tax_rate",)
)
def tax_loss(ctx: Context, params: Params) -> list[Candidate]:
    """Sell lots at a loss and buy the next member of the class in their place, or a substitute
    where no wash-sale window forbids it.
    """
    every = swaps(ctx, params)
    buys: dict[int, list[Swap]] = {}
    for swap in every:
        buys.setdefault(swap.bought, []).append(swap)
    sales = [
        Candidate(
            Side.SELL,
            ctx.symbols[swap.sold],
            (-swap.weight,),
            params.priority_weight,
            say(
                "lots at a loss of {base:text} {loss:money}, {share:pct} of their cost; "
                "{partner:text} takes their place",
                base=ctx.base_currency,
                loss=Decimal(f"{swap.loss:.2f}"),
                share=swap.share,
                partner=ctx.symbols[swap.bought],
            ),
            (TAG,),
        )
        for swap in every
    ]
    return [*sales, *(_buy(ctx, params, i, own) for i, own in sorted(buys.items()))]


def _buy(ctx: Context, params: Params, i: int, own: list[Swap]) -> Candidate:
    names = ", ".join(ctx.symbols[swap.sold] for swap in own)
    why = say("takes the place of {sold:text}, sold at a loss", sold=names)
    weight = math.fsum(swap.weight for swap in own)
    return Candidate(Side.BUY, ctx.symbols[i], (weight,), params.priority_weight, why, (TAG,))


def swaps(ctx: Context, params: Params) -> list[Swap]:
    """Every loss that is worth taking and has somewhere to go."""
    bought = last_trades(ctx, at_loss=False) if ctx.lots.wash_sale_days else {}
    same = groups(ctx)
    may = (i for i in np.flatnonzero(ctx.can_sell & ctx.held).tolist() if same[i] not in bought)
    losses = [loss for loss in (_loss(ctx, params, i) for i in may) if loss is not None]
    leaving = {loss.sold for loss in losses}
    placed = (replace(loss, bought=partner_of(ctx, loss.sold, leaving)) for loss in losses)
    return [swap for swap in placed if swap.bought != NOBODY and _pays(ctx, swap)]


def partner_of(ctx: Context, i: int, leaving: Set[int] = frozenset()) -> int:
    """What takes the place of security i: of its class the one with the lowest preference that may
    be bought; without a wash-sale window a substitute where the class has none. NOBODY without one.

    leaving   securities that are sold at a loss too
    """
    same = groups(ctx)
    window = bool(ctx.lots.wash_sale_days)
    barred: set[Group] = {same[k] for k in leaving} | {same[i]} if window else set()
    barred |= {*last_trades(ctx, at_loss=True)} if window else set()
    free = [
        k for k in np.flatnonzero(ctx.can_buy).tolist()
        if k not in leaving and k != i and same[k] not in barred
    ]  # fmt: skip
    mates = [k for k in free if _is_mate(ctx, i, k)]
    near = mates or [k for k in free if same[k] == same[i]]
    return min(near, key=lambda k: _rank(ctx, k), default=NOBODY)


def _is_mate(ctx: Context, i: int, k: int) -> bool:
    """Are they of one class, in a dimension that both are in?"""
    own, other = ctx.securities[i].classes, ctx.securities[k].classes
    return any(other.get(dimension) == name for dimension, name in own.items())


def _rank(ctx: Context, k: int) -> tuple[float, str]:
    preference = ctx.securities[k].preference
    return (math.inf if preference is None else preference, ctx.symbols[k])


def _loss(ctx: Context, params: Params, i: int) -> Swap | None:
    """The first lots that a sale would take, as long as each has lost enough, for NOBODY yet; None
    where that is too little.
    """
    quantity = sum((lot.quantity for lot in _losing(ctx, params, i)), ZERO)
    lot, holding = ctx.securities[i].lot_size, ctx.holdings[i]
    if holding is None or quantity > Decimal(repr(float(ctx.sellable[i]))):
        return None
    if quantity < holding.quantity:
        quantity = (quantity / lot).to_integral_value(ROUND_FLOOR) * lot
    parts = [(ctx.gain_of(i, lot) or 0.0, float(part)) for lot, part in ctx.lots_sold(i, quantity)]
    lost = -math.fsum(gain * part for gain, part in parts)
    cost = math.fsum((float(ctx.prices[i]) - gain) * part for gain, part in parts)
    base = lost * float(ctx.fx[i])
    if quantity <= 0 or base < params.min_loss_base:
        return None
    unit = float(ctx.prices[i] * ctx.fx[i]) / ctx.value
    return Swap(i, NOBODY, float(quantity) * unit, base, lost / cost)


def _losing(ctx: Context, params: Params, i: int) -> Iterator[TaxLot]:
    """The first lots of a sale while each is far enough under its cost."""
    price = float(ctx.prices[i])
    for lot in ctx.lot_order[i]:
        gain = ctx.gain_of(i, lot)
        if gain is None or gain >= 0 or -gain < params.min_loss_share * (price - gain):
            return
        yield lot


def _pays(ctx: Context, swap: Swap) -> bool:
    """Is the tax that a loss saves more than what both orders cost?"""
    saved, costs = swap.loss * float(min(ctx.lot_rule.short, ctx.lot_rule.long)), ctx.costs
    both = (ctx.securities[swap.sold], ctx.securities[swap.bought])
    foreign = sum(security.currency != ctx.base_currency for security in both)
    rate = 2 * costs.percent + costs.spread_bps / BPS + foreign * costs.fx_percent
    return saved > 2 * costs.fixed + rate * swap.weight * ctx.value
