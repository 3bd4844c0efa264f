"""An exchange in memory that speaks Alpaca's JSON, written apart from the adapter: the referee.

It counts what was really ordered, whatever was answered.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any

Reply = tuple[int, Any]
START = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)
SATURDAY, LAST_YEAR = 5, 2029
HALF = Decimal("0.01")
"""Of the spread."""
OVER = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})


@cache
def table() -> Mapping[str, Any]:
    """The rows of replies.toml."""
    text = (Path(__file__).parent / "replies.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def shapes() -> Mapping[str, Any]:
    """Name -> what a success looks like."""
    return {row["name"]: json.loads(row["body"]) for row in table()["shape"]}


class Exchange:
    """One account: money, shares, orders and fills.

    prices   what may be traded, at which price it is filled
    thin     after the first fill nobody trades but at the far side of the spread
    """

    def __init__(
        self, cash: str = "10000", shares: Mapping[str, str] | None = None,
        prices: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.lock = RLock()
        self.thin = False
        self.now = START
        self.cash = Decimal(cash)
        self.shares = {symbol: Decimal(n) for symbol, n in (shares or {"AA": "10"}).items()}
        prices = prices or {"AA": "100", "BB": "50"}
        self.prices = {symbol: Decimal(price) for symbol, price in prices.items()}
        self._at_first = dict(self.shares)
        self.orders: list[dict[str, Any]] = []
        self.fills: list[dict[str, Any]] = []
        self.dividends: list[dict[str, Any]] = []

    def tick(self, seconds: float = 1.0) -> None:
        """Time passes: each open order is filled by half, and then whole."""
        with self.lock:
            self.now += timedelta(seconds=seconds)
            for order in self.orders:
                if order["status"] == "pending_cancel":
                    order["status"] = "canceled"
                elif order["status"] not in OVER:
                    self._fill(order)

    def pay_dividend(self) -> None:
        """Money that no order brings."""
        with self.lock:
            row = shapes()["dividend"]
            self.cash += Decimal(row["net_amount"])
            self.dividends.append(row)

    def place(self, body: Mapping[str, str]) -> Reply:
        """POST /v2/orders."""
        with self.lock:
            key, symbol, quantity = body["client_order_id"], body["symbol"], Decimal(body["qty"])
            if any(order["client_order_id"] == key for order in self.orders):
                return 422, {"code": 40010001, "message": "client_order_id must be unique"}
            if symbol not in self.prices:
                return 422, {"code": 42210000, "message": f'asset "{symbol}" not found'}
            if body["side"] == "sell" and quantity > self._free(symbol):
                return 403, {"code": 40310000, "message": "insufficient qty available for order"}
            if body["side"] == "buy" and quantity * Decimal(body["limit_price"]) > self._power():
                return 403, {"code": 40310000, "message": "insufficient buying power"}
            at = self.now + timedelta(microseconds=len(self.orders))
            order = shapes()["order"] | dict(body) | {
                "id": f"0000-{len(self.orders):06}", "created_at": _time(at),
                "submitted_at": _time(at),
            }  # fmt: skip
            self.orders.append(order)
            return 200, dict(order)

    def cancel(self, number: str) -> Reply:
        """DELETE /v2/orders/{id}."""
        with self.lock:
            for order in self.orders:
                if order["id"] == number:
                    if order["status"] in OVER:
                        words = f'order is already in "{order["status"]}" state'
                        return 422, {"code": 42210000, "message": words}
                    order["status"] = "pending_cancel"
                    return 204, b""
            return 404, {"code": 40410000, "message": f"order not found for {number}"}

    def read(self, path: str, query: Mapping[str, str]) -> Reply:
        """Every GET."""
        with self.lock:
            first, _, last = path.rpartition("/")
            if path == "/v2/orders:by_client_order_id":
                return self._one("client_order_id", query["client_order_id"])
            if first == "/v2/orders":
                return self._one("id", last)
            if first == "/v2/assets":
                return self._asset(last)
            lists = {
                "/v2/account": self._account, "/v2/clock": self._clock,
                "/v2/positions": self._positions,
            }  # fmt: skip
            if path in lists:
                return 200, lists[path]()
            queries = {
                "/v2/orders": self._orders, "/v2/calendar": self._calendar,
                "/v2/account/activities/FILL": self._fills,
                "/v2/account/activities": self._activities,
                "/v2/stocks/quotes/latest": self._quotes, "/v2/stocks/bars": self._bars,
            }  # fmt: skip
            if path in queries:
                return 200, queries[path](query)
            return 404, {"code": 40410000, "message": "not found"}

    def _fill(self, order: dict[str, Any]) -> None:
        quantity, filled = Decimal(order["qty"]), Decimal(order["filled_qty"])
        price = self.prices[order["symbol"]]
        buys = order["side"] == "buy"
        limit = Decimal(order["limit_price"])
        gap = HALF if self.thin and self.shares != self._at_first else Decimal(0)
        if (limit < price + gap) if buys else (limit > price - gap):
            order["status"] = "partially_filled" if filled else "new"
            return
        part = quantity - filled if filled else (quantity / 2).quantize(Decimal("1e-9"))
        sign = 1 if buys else -1
        symbol = order["symbol"]
        self.shares[symbol] = self.shares.get(symbol, Decimal(0)) + sign * part
        self.cash -= sign * part * price
        filled += part
        status = "filled" if filled == quantity else "partially_filled"
        order.update(status=status, filled_qty=str(filled), filled_avg_price=str(price))
        self.fills.append(
            shapes()["fill"] | {
                "id": f"{self.now:%Y%m%d%H%M%S}{len(self.fills):03}::{len(self.fills):06}",
                "transaction_time": _time(self.now), "price": str(price), "qty": str(part),
                "side": order["side"], "symbol": symbol, "order_id": order["id"],
            }
        )  # fmt: skip

    def _open(self) -> list[dict[str, Any]]:
        return [order for order in self.orders if order["status"] not in OVER]

    def _rest(self, side: str, symbol: str = "") -> list[tuple[Decimal, Decimal]]:
        return [
            (Decimal(o["qty"]) - Decimal(o["filled_qty"]), Decimal(o["limit_price"]))
            for o in self._open()
            if o["side"] == side and symbol in {"", o["symbol"]}
        ]

    def _free(self, symbol: str) -> Decimal:
        bound = sum((rest for rest, _ in self._rest("sell", symbol)), Decimal(0))
        return self.shares.get(symbol, Decimal(0)) - bound

    def _power(self) -> Decimal:
        return self.cash - sum((rest * limit for rest, limit in self._rest("buy")), Decimal(0))

    def _account(self) -> Any:
        power = str(self._power())
        return shapes()["account"] | {
            "cash": str(self.cash), "non_marginable_buying_power": power,
            "buying_power": str(4 * self._power()),
        }  # fmt: skip

    def _clock(self) -> Any:
        return shapes()["clock"] | {"timestamp": _time(self.now)}

    def _positions(self) -> Any:
        return [
            shapes()["position"]
            | {"symbol": symbol, "qty": str(n), "qty_available": str(self._free(symbol))}
            for symbol, n in self.shares.items()
            if n
        ]

    def _one(self, field: str, value: str) -> Reply:
        for order in self.orders:
            if order[field] == value:
                return 200, dict(order)
        return 404, {"code": 40410000, "message": f"order not found for {value}"}

    def _asset(self, symbol: str) -> Reply:
        if symbol not in self.prices:
            return 404, {"code": 40410000, "message": f"asset not found for {symbol}"}
        return 200, shapes()["asset"] | {"symbol": symbol}

    def _orders(self, query: Mapping[str, str]) -> Any:
        after = datetime.fromisoformat(query["after"])
        rows = self._open() if query["status"] == "open" else self.orders
        later = [row for row in rows if datetime.fromisoformat(row["submitted_at"]) > after]
        return [dict(row) for row in later[: int(query["limit"])]]

    def _calendar(self, query: Mapping[str, str]) -> Any:
        day, last = (date.fromisoformat(query[name]) for name in ("start", "end"))
        days = (day + timedelta(days=n) for n in range((last - day).days + 1))
        open_days = (d for d in days if d.weekday() < SATURDAY and d.year <= LAST_YEAR)
        return [shapes()["day"] | {"date": str(d)} for d in open_days]

    def _fills(self, query: Mapping[str, str]) -> Any:
        return _paged(self.fills, query)

    def _activities(self, query: Mapping[str, str]) -> Any:
        return _paged([*self.fills, *self.dividends], query)

    def _quotes(self, query: Mapping[str, str]) -> Any:
        return {
            "quotes": {
                symbol: shapes()["quote"] | {
                    "bp": float(self.prices[symbol] - HALF),
                    "ap": float(self.prices[symbol] + HALF), "t": _time(self.now),
                }
                for symbol in query["symbols"].split(",")
                if symbol in self.prices
            }
        }  # fmt: skip

    def _bars(self, query: Mapping[str, str]) -> Any:
        bars = {
            symbol: [shapes()["bar"] | {"c": float(self.prices[symbol])}] * 25
            for symbol in query["symbols"].split(",")
            if symbol in self.prices
        }
        return {"bars": bars, "next_page_token": None}


def _paged(rows: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    start = 0
    if "page_token" in query:
        start = 1 + [row["id"] for row in rows].index(query["page_token"])
    return [dict(row) for row in rows[start : start + int(query["page_size"])]]


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
