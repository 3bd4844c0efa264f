"""The reference engine beside a plan of the planner: what each asks for before any choice.

Of each symbol the whole gap to its target, as `weight_based` asks for it and the planner sizes it,
against the exact row with the planner's thresholds and no want of money. Both directions of the
symbols; nothing is searched again and nothing is read, so it costs little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from steelyard.canonical import published
from steelyard.modules.context import NOISE, Context
from steelyard.modules.opportunities import weight_based
from steelyard.modules.registry import Kind
from steelyard.money import ZERO
from steelyard.notices import Drop
from steelyard.orders import Side
from steelyard.planning.costs import exact
from steelyard.planning.sizing import Sized, size
from steelyard.rebalance.calculate import DIGITS, rows_of
from steelyard.rebalance.planned import Account
from steelyard.rebalance.records import Charges, Purse, RebalancePlan
from steelyard.rebalance.shadow import Agreement, Compared, Line, Scale, compare, unexplained, worst

FAST_REASONS = {
    "min_order": "too_small",
    "no_crossing": "too_small",
    "max_position": "too_small",
    "allow_buy": "untradable",
    "allow_sell": "untradable",
    "bear_averaging_down": "untradable",
    "open_orders": "locked",
    "target_without_price": "waits",
}
"""Rule of the planner's sizing -> the word for it that both engines have."""
REFERENCE_REASONS = {
    "on_target": "near_target",
    "within_band": "near_target",
    "dust": "near_target",
    "below_min_order": "too_small",
    "rounds_to_zero": "too_small",
    "untradable": "untradable",
    "locked": "locked",
    "blocked": "waits",
    "no_price": "no_price",
}
NOTES = {"aggression": "fewer_buys", "high_volatility": "fewer_buys", "max_group": "group_limit"}
"""Rule -> the known difference that it is."""
EDGE = Decimal(2) * exact(NOISE)
"""Of value: so near to a threshold that floats cannot tell on which side a weight is."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Both engines on one portfolio.

    rows                a symbol each, sorted
    lots                symbol -> shares of one lot
    fast_seconds        how long the planner's side of the comparison took
    reference_seconds   the same of the reference engine
    """

    rows: tuple[Compared, ...]
    lots: Mapping[str, Decimal]
    fast_seconds: float
    reference_seconds: float

    @property
    def agreement(self) -> Agreement:
        """The worst of all symbols."""
        return worst(self.rows)

    @property
    def unexplained(self) -> tuple[Compared, ...]:
        """What nothing explains."""
        return unexplained(self.rows)


def watch(m: Account, clock: Callable[[], float] = time.perf_counter) -> Watched | None:
    """Compare both engines on what a plan was made of; None without targets or without value."""
    if m.ctx.target_weights is None or not m.valuation.value > 0 or m.ctx.exact is None:
        return None
    begun = clock()
    fast = dict(fast_lines(m))
    between = clock()
    rows = reference_rows(m)
    lines = {row.symbol: _line(row) for row in rows}
    ended = clock()
    scales = dict(_scales(m, rows))
    lots = {symbol: scale.lot for symbol, scale in scales.items()}
    return Watched(compare(fast, lines, scales), lots, between - begun, ended - between)


def fast_lines(m: Account) -> Iterator[tuple[str, Line]]:
    """Symbol -> the planner's order for the whole gap, or why there is none."""
    ctx, lent = m.ctx, _lent(m)
    asked = {c.symbol: c for c in weight_based.weight_based(ctx, _params(m))}
    for symbol in ctx.symbols:
        candidate = asked.get(symbol)
        if candidate is None:
            line = Line(None, ZERO, ZERO, _why_unasked(m, symbol), _small_exit(m, symbol))
        else:
            line = _of_order(ctx, size(ctx, "weight_based", candidate, candidate.weights[-1]))
        yield symbol, replace(line, note="lent_target") if symbol in lent else line
    for absent in ctx.absent:  # a class without a member keeps its spelling there
        yield absent.symbol.upper(), Line(None, ZERO, ZERO, "no_price")


def _lent(m: Account) -> frozenset[str]:
    """Symbols whose target another one has for a while, for a loss is to be taken."""
    ctx = m.ctx
    if ctx.target_weights is None:
        return frozenset()
    weights = zip(ctx.symbols, ctx.target_weights.tolist(), strict=True)
    return frozenset(
        symbol
        for symbol, weight in weights
        if abs(exact(weight) - m.targets.get(symbol, ZERO)) > EDGE
    )


def _params(m: Account) -> weight_based.Params:
    """The parameters of the strategy, whether the calculator is on or not."""
    choices = m.case.strategy.choices[Kind.OPPORTUNITY]
    params = next(c.params for c in choices if c.module.name == "weight_based")
    return params if isinstance(params, weight_based.Params) else weight_based.Params()


def _of_order(ctx: Context, order: Sized | Drop) -> Line:
    if isinstance(order, Drop):
        reason = FAST_REASONS.get(order.rule, order.rule)
        if order.rule == "no_crossing" and not (order.value or 0.0) > 0:
            reason = "too_small" if order.limit else "near_target"
        return Line(None, ZERO, ZERO, reason, NOTES.get(order.rule, ""))
    money = Decimal(repr(order.weight)) * Decimal(repr(ctx.value))
    smaller = order.side is Side.BUY and ctx.state.aggression < 1
    return Line(order.side, order.quantity, money, "trades", "fewer_buys" if smaller else "")


def _why_unasked(m: Account, symbol: str) -> str:
    ctx, i = m.ctx, m.ctx.place[symbol]
    gap = 0.0 if ctx.target_weights is None else float(ctx.target_weights[i] - ctx.weights[i])
    if abs(gap) <= _params(m).min_gap_threshold + NOISE:
        return "near_target"
    return "near_target" if (ctx.can_buy[i] if gap > 0 else ctx.can_sell[i]) else "untradable"


def _small_exit(m: Account, symbol: str) -> str:
    ctx, i = m.ctx, m.ctx.place[symbol]
    untargeted = ctx.target_weights is not None and ctx.target_weights[i] == 0
    small = ctx.weights[i] <= _params(m).min_gap_threshold + NOISE
    return "small_exit" if untargeted and ctx.held[i] and small else ""


def reference_rows(m: Account) -> tuple[RebalancePlan, ...]:
    """The exact rows by the planner's thresholds, as if there were money for every buy."""
    band = exact(published(_params(m).min_gap_threshold))
    value = m.valuation.value
    least = exact(published(m.ctx.min_order_weight)) * value
    purse = Purse(value, 10 * value, ZERO)
    positions = [replace(row, band=band, charges=Charges()) for row in m.positions()]
    return rows_of(positions, m.targets, purse, replace(m.rules, min_order_base=least))


def _line(row: RebalancePlan) -> Line:
    if not row.trades:
        return Line(None, ZERO, ZERO, REFERENCE_REASONS.get(row.reason, row.reason))
    side = Side.BUY if row.trade_amount > 0 else Side.SELL
    return Line(side, row.quantity, abs(row.trade_amount), "trades")


def _scales(m: Account, rows: tuple[RebalancePlan, ...]) -> Iterator[tuple[str, Scale]]:
    value, ctx = m.valuation.value, m.ctx
    band = exact(published(_params(m).min_gap_threshold))
    least = exact(published(ctx.min_order_weight)) * value
    with localcontext(prec=DIGITS):
        for row in rows:
            if row.symbol not in ctx.place:
                continue
            priced = m.valuation.priced[row.symbol]
            near_band = abs(abs(row.drift) - band) <= EDGE
            near_target = 0 < abs(row.drift) <= EDGE
            scale = Scale(priced.security.lot_size, priced.share, near_band or near_target, least)
            yield row.symbol, scale
