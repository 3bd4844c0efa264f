"""A snapshot and target weights to one exact row a symbol."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from types import MappingProxyType

from steelyard.errors import InputError, PlanRefused
from steelyard.money import ZERO, no_number
from steelyard.orders import Side
from steelyard.portfolio import NOT_TRADED_TYPES, Holding, Security, Snapshot
from steelyard.rebalance.calculate import DIGITS, rows_of
from steelyard.rebalance.records import Position, Purse, RebalancePlan
from steelyard.rebalance.rules import Thresholds
from steelyard.rebalance.weights import Weight, targets_of

NONE: Mapping[str, Decimal] = MappingProxyType({})
DEFAULT = Thresholds()


def calculate_rebalance_plan(
    target_weights: Mapping[str, Weight],
    snapshot: Snapshot,
    prices: Mapping[str, Decimal] = NONE,
    rates: Mapping[str, Decimal] = NONE,
    rules: Thresholds = DEFAULT,
) -> dict[str, RebalancePlan]:
    """Symbol -> what is done with it: sales, then buys, each side largest first, then what holds.

    prices   symbol -> of one share, as quoted; over those that the holdings come with
    rates    currency -> base per unit, of every foreign one
    Before costs, and without a clock: prices are taken to be of the snapshot's day. What is wanted
    and has no price is not bought; what is held and has none refuses everything.
    Raises InputError for weights that are none, PlanRefused where no plan may be made.
    """
    targets = targets_of(target_weights)
    owned = {holding.symbol: holding for holding in snapshot.holdings}
    symbols = {s for s, holding in owned.items() if holding.quantity} | {*targets}
    with localcontext(prec=DIGITS):
        buying = {order.symbol for order in snapshot.open_orders if order.side is Side.BUY}
        every = sorted(symbols | buying)
        shares = {s: _share(s, snapshot, owned.get(s), prices, rates) for s in every}
        rows = [
            _position(symbol, snapshot, owned.get(symbol), shares[symbol], rules)
            for symbol in sorted(symbols - {*snapshot.excluded})
        ]
        cash = _cash(snapshot, rates)
        value = sum((row.value for row in rows), cash)
        spendable = cash - _open_buys(snapshot, shares)
    purse = Purse(value, spendable, rules.cash_reserve_weight * value)
    return {row.symbol: row for row in rows_of(rows, targets, purse, rules)}


def _share(
    symbol: str,
    snapshot: Snapshot,
    holding: Holding | None,
    prices: Mapping[str, Decimal],
    rates: Mapping[str, Decimal],
) -> Decimal | None:
    """What one share costs, base currency; None where price or rate is not known."""
    price = prices.get(symbol, holding.price if holding else None)
    security = snapshot.security(symbol) or Security(symbol, snapshot.base_currency)
    rate = _rate(security.currency, snapshot, rates)
    if price is None or rate is None:
        return None
    if no_number(price, positive=True):
        raise InputError(
            f"The price of {symbol} is {price!r}; a price is a Decimal above 0. Nothing was "
            "calculated.",
            code="bad_price",
            place=symbol,
            value=price,
            limit="above 0",
        )
    return price * security.multiplier * rate


def _rate(currency: str, snapshot: Snapshot, rates: Mapping[str, Decimal]) -> Decimal | None:
    return Decimal(1) if currency == snapshot.base_currency else rates.get(currency)


def _position(
    symbol: str,
    snapshot: Snapshot,
    holding: Holding | None,
    share: Decimal | None,
    rules: Thresholds,
) -> Position:
    security = snapshot.security(symbol)
    quantity = holding.quantity if holding else ZERO
    kept_out = security is not None and security.product_type in NOT_TRADED_TYPES
    return Position(
        symbol=symbol,
        quantity=quantity,
        price=share,
        step=security.lot_size if security else rules.quantity_step,
        available=quantity - snapshot.open_quantity(symbol, Side.SELL),
        can_buy=security is None or security.allow_buy,
        can_sell=security is None or security.allow_sell,
        waits="not_traded" if kept_out else "",
    )


def _cash(snapshot: Snapshot, rates: Mapping[str, Decimal]) -> Decimal:
    """All balances, base currency; raises PlanRefused for a currency without a rate."""
    total = ZERO
    for currency, amount in snapshot.balances.items():
        rate = _rate(currency, snapshot, rates)
        if rate is None:
            raise PlanRefused(
                f"There is no exchange rate from {currency} into {snapshot.base_currency}, so the "
                "value of the portfolio is unknown. No order was made. Add the rate.",
                code="value_unknown",
                place=currency,
                hint="add the rate",
            )
        total += amount * rate
    return total


def _open_buys(snapshot: Snapshot, shares: Mapping[str, Decimal | None]) -> Decimal:
    """What open buys may still take, base currency; raises PlanRefused for one without a price."""
    total = ZERO
    for order in snapshot.open_orders:
        share = shares.get(order.symbol)
        if order.side is not Side.BUY or not order.open_quantity:
            continue
        if share is None:
            raise PlanRefused(
                f"The open buy {order.client_order_id} of {order.symbol} cannot be valued: it has "
                "no price. No order was made. Add the price.",
                code="open_buy_without_price",
                place=order.symbol,
                value=order.client_order_id,
                hint="add the price",
            )
        total += order.open_quantity * share
    return total
