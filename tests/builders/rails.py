"""Facts of a live order that every rail lets through, and ways to change one of them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args, get_type_hints

from steelyard.brokers.broker import (
    Asset,
    BrokerAccount,
    BrokerOrder,
    Capabilities,
    MarketClock,
    Quote,
    Session,
    Ticket,
)
from steelyard.execution.halt import Switch
from steelyard.execution.rails import facts as records
from steelyard.execution.settings import Limits, LiveLimits, PaperHistoryNeeds
from steelyard.orders import OrderStatus, Side

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
SESSION = Session(
    date(2026, 3, 10),
    datetime(2026, 3, 10, 13, 30, tzinfo=UTC),
    datetime(2026, 3, 10, 20, 0, tzinfo=UTC),
)
D = Decimal


def at(seconds: float | Decimal) -> datetime:
    """So many seconds after now."""
    return NOW + timedelta(microseconds=int(D(str(seconds)) * 1_000_000))


def market(**changes: Any) -> Capabilities:
    """A real one."""
    usual = Capabilities(
        simulated=False, dedups_client_id=True, dedup_window=None, lookup_by_client_id=True,
        lists_all_orders=True, replays_executions=True, visibility_delay_s=0.0,
        terminal_is_final=True, fractional="qty", errors_in_2xx=False, reauth_every=None,
        serves="orders",
    )  # fmt: skip
    return replace(usual, **changes)


def open_order(symbol: str, side: Side, client_order_id: str = "p1zzz") -> BrokerOrder:
    """One that works at the broker."""
    return BrokerOrder(
        client_order_id=client_order_id, broker_id="b9", symbol=symbol, side=side,
        quantity=D(1), limit_price=D(1), status=OrderStatus.WORKING, filled_quantity=D(0),
    )  # fmt: skip


def live() -> Any:
    """Everything is known and well: a buy of 20 VT at 100 EUR, step 2 of a plan of two orders."""
    account = BrokerAccount(
        account_id="LIVE-1", mode="live", at=NOW, base_currency="USD", positions=(), cash=(),
        open_orders=(),
    )  # fmt: skip
    order = records.ApprovedOrder
    plan = records.PlanFacts(
        plan_id="abcdef123456", as_of=date(2026, 3, 10), made_at=at(-60), problems=(),
        heads=("units",), degraded=False, reproducible=True, value_base=D(100_000),
        keep_base=D(2000), weights={"VT": D("0.9"), "cash": D("0.1")},
        holdings={"VT": D(700), "AAA": D("40.5")},
        approved={
            1: order(symbol="AAA", side=Side.SELL, quantity=D("40.5"), price=D(50), currency="USD",
                     full_exit=True),
            2: order(symbol="VT", side=Side.BUY, quantity=D(30), price=D(100), currency="EUR",
                     filled=D(10)),
        },
    )  # fmt: skip
    ticket = Ticket(
        client_order_id="p1abc", symbol="VT", side=Side.BUY, quantity=D(20), limit_price=D(100),
        currency="EUR",
    )  # fmt: skip
    quote = Quote(
        symbol="VT", currency="EUR", bid=D("99.75"), ask=D("100.25"), at=at(-1), reference=D(100),
        volume=D(100_000),
    )  # fmt: skip
    other = replace(
        quote, symbol="AAA", currency="USD", bid=D("49.9"), ask=D("50.1"), reference=D(50)
    )
    asset = Asset(symbol="VT", currency="EUR", tradable=True, lot_size=D(1))
    return records.Facts(
        limits=LiveLimits(), history_needs=PaperHistoryNeeds(), mode="live", run_id="r-1",
        subject="abcdef123456", amount_base=D(5000), host="live", key="live",
        pinned_account="LIVE-1", account=account, capabilities=market(),
        history=records.PaperHistory(runs=20, days=10, unexplained=0),
        arm=records.ArmFacts(plan_id="abcdef123456", amount_base=D(5000), heads=("units",),
                             expires_at=at(60), used_by=""),
        switch=Switch(engaged=False), lock=records.Lock(True, 7, 7),
        reconciliation=records.Reconciliation(True, at(-60)),
        builds={"runner": "b1", "run": "b1"}, free_disk_bytes=300 * 2**20, journal_writable=True,
        clock=MarketClock(NOW, True, NOW), session=SESSION, previous_session=date(2026, 3, 9),
        newest_event_at=at(-5), run_started_at=at(-30), plan=plan,
        order=records.OrderFacts(ticket=ticket, step=2, attempt=0, fx_rate=D("1.25"),
                                 fx_at=at(-1), fee_base=D(2), free_shares=D(20), duplicate=False),
        day=records.DayFacts(orders_today=3, orders_in_run=1, last_order_at=at(-5),
                             turnover_base=D(0), rejects_in_row=0, rejects=0, failures=0,
                             failed_sells_base=D(0)),
        holdings={"VT": D(710), "AAA": D("40.5")}, fills={"VT": D(10)},
        values_base={"VT": D(60_000), "AAA": D(2000)}, sectors={"VT": "world", "AAA": "tech"},
        free_cash_base=D(50_000), quotes={"VT": quote, "AAA": other},
        assets={"VT": asset, "AAA": replace(asset, symbol="AAA", currency="USD")},
        restricted=frozenset({"BAD"}), last_trades={}, equity_open_base=D(100_000),
        equity_base=D(100_000),
    )  # fmt: skip


def sale() -> Any:
    """The other order of the plan: all 40.5 AAA, which is no whole lot."""
    return changed(
        live(),
        {
            "order.step": 1, "order.full_exit": True, "order.fx_rate": D(1),
            "order.free_shares": D("40.5"), "order.ticket.symbol": "AAA",
            "order.ticket.side": Side.SELL, "order.ticket.quantity": D("40.5"),
            "order.ticket.limit_price": D(50), "order.ticket.currency": "USD",
        },
    )  # fmt: skip


def paper() -> Any:
    """The buy in a simulated market, which has no clock, volume, rate time or close of its own."""
    return changed(
        live(),
        {
            "limits": Limits(), "mode": "paper", "account.mode": "paper", "host": None, "key": None,
            "pinned_account": None, "capabilities": market(simulated=True), "arm": None,
            "history": None, "clock.local": None, "plan.made_at": None, "order.fx_at": None,
            "quotes.VT.volume": None, "quotes.VT.reference": None, "previous_session": None,
        },
    )  # fmt: skip


def flatten() -> Any:
    """A person sells everything: the same sale, and no plan behind it."""
    return changed(sale(), {"purpose": "flatten", "plan": None})


def changed(record: Any, changes: dict[str, Any]) -> Any:
    """A record with other values: {"plan.value_base": …, "quotes.VT.bid": …}."""
    for path, value in changes.items():
        record = _with(record, path.split("."), value)
    return record


def _with(record: Any, path: list[str], value: Any) -> Any:
    name, *rest = path
    if is_dataclass(record):
        return replace(
            record, **{name: _with(getattr(record, name), rest, value) if rest else value}
        )
    if isinstance(record, dict):
        key = int(name) if name.isdigit() else name
        return {**record, key: _with(record[key], rest, value) if rest else value}
    return record.model_copy(update={name: value})


def may_be_none(record: Any, path: str) -> bool:
    """Can a datum be missing, by its type; an entry of a table always can."""
    *above, name = path.split(".")
    for part in above:
        record = (
            record[int(part) if part.isdigit() else part]
            if isinstance(record, dict)
            else getattr(record, part)
        )
    if not is_dataclass(record):
        return isinstance(record, dict)
    return type(None) in get_args(get_type_hints(type(record))[name])


def leaves(record: Any, place: str = "") -> dict[str, Any]:
    """Every value of a record, by its path: records and tables too."""
    inner: dict[str, Any] = {}
    if is_dataclass(record):
        inner = {each.name: getattr(record, each.name) for each in fields(record)}
    elif isinstance(record, dict):
        inner = {str(key): value for key, value in record.items() if "." not in str(key)}
    out = {}
    for name, value in inner.items():
        path = f"{place}{name}"
        out |= {path: value} | leaves(value, f"{path}.")
    return out
