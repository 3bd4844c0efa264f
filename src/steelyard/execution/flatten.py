"""Selling everything: what a person asks for without a plan, on the same way as every order.

The document says what the broker had when it was asked; it names itself by its own hash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from steelyard.brokers.broker import Asset, Broker, BrokerAccount, Quote
from steelyard.canonical import plain, sha256
from steelyard.execution.answers import account_of, usable
from steelyard.execution.approved import Approved, Instruction
from steelyard.money import ZERO
from steelyard.orders import Side

FORM = "steelyard.flatten/1"
WEIGHT_OF_ALL = Decimal(1)


def flattening(
    broker: Broker, bucket: str, rates: Mapping[str, Decimal], multipliers: Mapping[str, Decimal]
) -> str:
    """The document of selling all that the account has and may sell; raises BrokerError.

    rates         currency -> base per unit; multipliers: symbol -> value of a share at a price of 1
    A position without a quote or a rate, and a short, is in it as not sold.
    """
    account = account_of(broker)
    symbols = [position.symbol for position in account.positions]
    quotes, assets = usable(broker.quotes(symbols)), broker.assets(symbols)
    known = {account.base_currency: Decimal(1), **rates}
    orders = [
        _order(position.symbol, position.available, quotes, assets, multipliers)
        for position in account.positions
        if position.available > 0
        and position.symbol in quotes
        and position.symbol in assets
        and assets[position.symbol].currency in known
    ]
    sold = {order["symbol"] for order in orders}
    document = {
        "form": FORM,
        "bucket": bucket,
        "at": account.at.isoformat(),
        "base_currency": account.base_currency,
        "orders": orders,
        "not_sold": sorted(set(symbols) - sold),
        "positions": _amounts({each.symbol: each.quantity for each in account.positions}),
        "cash": _amounts({each.currency: each.amount for each in account.cash}),
        "rates": _amounts({name: known[name] for name in _currencies(account, assets, known)}),
    }
    return json.dumps(document, sort_keys=True)


def _currencies(
    account: BrokerAccount, assets: Mapping[str, Asset], known: Mapping[str, Decimal]
) -> list[str]:
    used = {balance.currency for balance in account.cash}
    used |= {asset.currency for asset in assets.values()} | {account.base_currency}
    return sorted(used & known.keys())


def _order(
    symbol: str,
    quantity: Decimal,
    quotes: Mapping[str, Quote],
    assets: Mapping[str, Asset],
    multipliers: Mapping[str, Decimal],
) -> dict[str, str]:
    quote = quotes[symbol]
    return {
        "symbol": symbol,
        "quantity": plain(quantity),
        "price": plain((quote.bid + quote.ask) / 2),
        "currency": assets[symbol].currency,
        "lot_size": plain(assets[symbol].lot_size),
        "multiplier": plain(multipliers.get(symbol, Decimal(1))),
    }


def is_flattening(content: Mapping[str, Any]) -> bool:
    """Is it such a document, and no plan?"""
    return content.get("form") == FORM


def flattened(content: Mapping[str, Any]) -> Approved:
    """The document as execution sees it."""
    rates = _decimals(content["rates"])
    positions = _decimals(content["positions"])
    rows = content["orders"]
    orders = tuple(_instruction(n, row, rates, positions) for n, row in enumerate(rows, start=1))
    prices = {each.symbol: each.price for each in orders}
    cash = _decimals(content["cash"])
    value = sum((amount * rates[name] for name, amount in cash.items()), ZERO)
    value += sum((each.value_base for each in orders), ZERO)
    nothing: Mapping[str, Any] = MappingProxyType({})
    return Approved(
        plan_id=sha256(dict(content)),
        purpose="flatten",
        bucket=content["bucket"],
        as_of=datetime.fromisoformat(content["at"]).date(),
        base_currency=content["base_currency"],
        value=value,
        reserve=ZERO,
        withdrawals=ZERO,
        version=None,
        instructions=orders,
        positions=MappingProxyType(positions),
        prices=MappingProxyType(prices),
        currencies=MappingProxyType({each.symbol: each.currency for each in orders}),
        multipliers=MappingProxyType({each.symbol: each.multiplier for each in orders}),
        lots=MappingProxyType({each.symbol: each.lot_size for each in orders}),
        cash=MappingProxyType(cash),
        deposits=nothing,
        rates=MappingProxyType(rates),
        problems=(),
        heads=(),
        reproducible=True,
        degraded=False,
        saved_at=None,
        weights_after=MappingProxyType({"CASH": WEIGHT_OF_ALL}),
        sectors=nothing,
        fees=(ZERO, ZERO, ZERO),
    )


def _instruction(
    step: int,
    row: Mapping[str, str],
    rates: Mapping[str, Decimal],
    positions: Mapping[str, Decimal],
) -> Instruction:
    quantity = Decimal(row["quantity"])
    return Instruction(
        step=step,
        symbol=row["symbol"],
        side=Side.SELL,
        quantity=quantity,
        price=Decimal(row["price"]),
        currency=row["currency"],
        multiplier=Decimal(row["multiplier"]),
        fx_rate=rates[row["currency"]],
        lot_size=Decimal(row["lot_size"]),
        fixed_cost=ZERO,
        percent_cost=ZERO,
        full_exit=quantity == positions[row["symbol"]],
        reason="everything is sold",
    )


def _amounts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: plain(amounts[name]) for name in sorted(amounts)}


def _decimals(texts: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in texts.items()}
