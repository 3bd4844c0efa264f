"""Market regime: what the market asks for, told from the history of an index, never a setting.

Where it is on, the regime also sets limits of the plan in every scope: its reserve, what a bear
market lets be spent, and that a bear market averages nothing down (`Context.reserve_weight`,
`Context.falls_in_bear`).
"""

from __future__ import annotations

from collections.abc import Iterable

from steelyard.arrays import IntArray, product, scaled
from steelyard.ledger import SAFETY, fill
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import OneSequence, buys, fitted, padded_rows, sells, shrinking
from steelyard.modules.registry import pattern_generator
from steelyard.settings import setting


class Params(OneSequence):
    """How much is sold before anything is bought; cash and buys of each regime are in `regime`."""

    max_sells: int = setting(2, "most sales in a bull or sideways market", ge=0, le=10)
    bear_sell_share: float = setting(
        0.5, "share of the orders that a bear market sells by risk, before raising cash", ge=0, le=1
    )


@pattern_generator(
    "market_regime",
    version="1.0.0",
    params=Params,
    tags=("sell", "buy"),
    needs=("market_regime",),
    on=False,
)
def market_regime(ctx: Context, candidates: Candidates, params: Params) -> dict[str, IntArray]:
    """Bull takes profits and buys, bear sells risk and raises cash, sideways restores the targets.

    Whatever is bought leaves the cash that the regime wants; a bear buys nothing. Unknown does
    nothing. In every scope the regime sets the limits of `[regime]`.
    """
    depth = ctx.search.max_depth
    offered: tuple[str, ...]
    match ctx.regime.name:
        case "bull":
            sold = _sold(candidates, "profit_taking", most=min(params.max_sells, depth - 1))
            goal, offered = ctx.rules.regime.bull_cash, ("opportunity_buys", "rebalance_buys")
        case "bear":
            sold = _shed(ctx, candidates, int(params.bear_sell_share * depth))
            goal, offered = ctx.rules.regime.bear_cash, ()
        case "sideways":
            sold = _sold(candidates, "rebalance_sells", most=min(params.max_sells, depth - 1))
            goal, offered = ctx.rules.regime.sideways_cash, ("rebalance_buys", "opportunity_buys")
        case "unknown":
            return {}
    in_turn = [row for category in offered for row in buys(candidates, category)]
    in_turn = shrinking(candidates, in_turn)
    return {ctx.regime.name: padded_rows([_bought(candidates, sold, in_turn, depth, goal)], depth)}


def _sold(candidates: Candidates, category: str, most: int) -> list[int]:
    return fitted(candidates, [], sells(candidates, category), most)


def _shed(ctx: Context, candidates: Candidates, most: int) -> list[int]:
    """Sales of what adds most to risk, then as many more as the cash of a bear market needs."""
    sigma = ctx.estimates.volatility
    risk = ctx.weights * product(scaled(ctx.estimates.correlation, sigma), ctx.weights)
    offered = sorted(
        sells(candidates, "profit_taking", "rebalance_sells"),
        key=lambda row: -risk[candidates.security[row]],
    )
    orders = fitted(candidates, [], offered, most)
    for row in offered:
        if _cash(candidates, orders) >= ctx.rules.regime.bear_cash - SAFETY:
            break
        orders = fitted(candidates, orders, [row], ctx.search.max_depth)
    return orders


def _bought(
    candidates: Candidates, sold: list[int], offered: Iterable[int], depth: int, goal: float
) -> list[int]:
    """The sales and every buy that leaves the goal in cash; one that does not is passed over."""
    orders = sold
    for row in offered:
        with_it = fill(candidates.account, orders, [row], depth)
        if _cash(candidates, with_it) >= goal - SAFETY:
            orders = with_it
    return orders


def _cash(candidates: Candidates, rows: list[int]) -> float:
    """All cash after some orders, of value."""
    return candidates.account.cash - float((candidates.delta + candidates.cost)[rows].sum())
