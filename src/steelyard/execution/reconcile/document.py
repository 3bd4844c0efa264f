"""A reconciliation as plain JSON values, and back what a journal needs of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from steelyard.brokers.broker import Activity, BrokerFill
from steelyard.canonical import plain
from steelyard.execution.reconcile.records import (
    Break,
    CashLine,
    Opening,
    PositionLine,
    Reconciliation,
)
from steelyard.orders import Side


def document(result: Reconciliation) -> dict[str, Any]:
    """`clean`, `breaks`, `cash` and `holdings` of the broker, and each line behind them."""
    return {
        "account": result.account,
        "at": result.at.isoformat(),
        "clean": result.clean,
        "breaks": [_break(each) for each in result.breaks],
        "cash": {line.currency: plain(line.broker) for line in result.cash},
        "holdings": [_position(line) for line in result.positions],
        "cash_lines": [_cash(line) for line in result.cash],
        "explained": [activity_document(each) for each in result.explained],
        "foreign": [fill_document(fill) for fill in result.foreign],
        "reads": result.reads,
    }


def opening_document(opening: Opening) -> dict[str, Any]:
    """An opening, to be kept."""
    return {
        "at": opening.at.isoformat(),
        "positions": _amounts(opening.positions),
        "cash": _amounts(opening.cash),
        "seen": sorted(opening.seen),
    }


def opening_of(content: Mapping[str, Any]) -> Opening:
    """The opening that was kept."""
    return Opening(
        at=datetime.fromisoformat(content["at"]),
        positions=_restored(content["positions"]),
        cash=_restored(content["cash"]),
        seen=frozenset(content["seen"]),
    )


def activity_document(each: Activity) -> dict[str, Any]:
    """An activity, to be kept."""
    return {
        "activity_id": each.activity_id,
        "kind": each.kind,
        "at": each.at.isoformat(),
        "cash": _amounts(each.cash),
        "symbol": each.symbol,
        "shares": plain(each.shares),
    }


def activity_of(content: Mapping[str, Any]) -> Activity:
    """The activity that was kept."""
    return Activity(
        activity_id=content["activity_id"],
        kind=content["kind"],
        at=datetime.fromisoformat(content["at"]),
        cash=_restored(content["cash"]),
        symbol=content["symbol"],
        shares=Decimal(content["shares"]),
    )


def fill_document(fill: BrokerFill) -> dict[str, Any]:
    """An execution, to be kept."""
    return {
        "execution_id": fill.exec_id,
        "client_order_id": fill.client_order_id,
        "symbol": fill.symbol,
        "side": fill.side.value,
        "quantity": plain(fill.quantity),
        "price": plain(fill.price),
        "value": plain(fill.value),
        "fee": plain(fill.fee),
        "currency": fill.currency,
        "at": fill.at.isoformat(),
    }


def fill_of(content: Mapping[str, Any]) -> BrokerFill:
    """The execution that was kept."""
    return BrokerFill(
        exec_id=content["execution_id"],
        client_order_id=content["client_order_id"],
        symbol=content["symbol"],
        side=Side(content["side"]),
        quantity=Decimal(content["quantity"]),
        price=Decimal(content["price"]),
        value=Decimal(content["value"]),
        fee=Decimal(content["fee"]),
        currency=content["currency"],
        at=datetime.fromisoformat(content["at"]),
    )


def _amounts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: plain(amounts[name]) for name in sorted(amounts)}


def _restored(amounts: Mapping[str, str]) -> Mapping[str, Decimal]:
    return MappingProxyType({name: Decimal(text) for name, text in amounts.items()})


def _or_null(figure: Decimal | None) -> str | None:
    return None if figure is None else plain(figure)


def _break(each: Break) -> dict[str, Any]:
    return {
        "level": each.level,
        "code": each.code,
        "subject": each.subject,
        "why": each.why,
        "ours": _or_null(each.ours),
        "broker": _or_null(each.broker),
        "difference": _or_null(each.difference),
        "tolerance": plain(each.tolerance),
    }


def _position(line: PositionLine) -> dict[str, Any]:
    return {
        "symbol": line.symbol,
        "quantity": plain(line.broker),
        "expected": plain(line.expected),
        "opening": plain(line.opening),
        "fills": plain(line.fills),
        "actions": plain(line.actions),
        "foreign": plain(line.foreign),
        "unassigned": _or_null(line.unassigned),
    }


def _cash(line: CashLine) -> dict[str, Any]:
    return {
        "currency": line.currency,
        "amount": plain(line.broker),
        "expected": plain(line.expected),
        "opening": plain(line.opening),
        "sells": plain(line.sells),
        "buys": plain(line.buys),
        "fees": plain(line.fees),
        "explained": plain(line.explained),
        "foreign": plain(line.foreign),
    }
