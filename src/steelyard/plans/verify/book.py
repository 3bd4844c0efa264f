"""The document as the checks look at it: decimals, and the few figures that everything is held
against.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from steelyard.plans.verify.tally import Record

ZERO, ONE, HALF = Decimal(0), Decimal(1), Decimal("0.5")
BPS = Decimal(10_000)
BY_TARGETS = "targets"
FILTERS = "filters"
SELL, BUY = "sell", "buy"
STORM, NO_APPETITE = "high_volatility", "aggression"
"""Rules under which nothing is bought at all."""
UNRESTRICTED = "unrestricted"
"""Name of the alternative that has no orders: any quantities, in any number of orders."""


@dataclass(frozen=True)
class Book:
    """A document in the form of `form.PLAN`, and as it was read; where two entries have one name,
    the first counts here.
    """

    doc: Mapping[str, Any]
    raw: Mapping[str, Any]

    @cached_property
    def value(self) -> Decimal:
        """V, base currency."""
        return Decimal(self.doc["value"])

    @cached_property
    def holdings(self) -> Mapping[str, Record]:
        """Symbol -> what is held, targeted or traded."""
        return by(self.doc["holdings"], "symbol")

    @cached_property
    def candidates(self) -> Mapping[str, Record]:
        """Id -> row of the candidate table."""
        return by(self.doc["candidates"], "id")

    @cached_property
    def table(self) -> Mapping[tuple[str, str, Decimal], Record]:
        """Symbol, side and quantity -> row of the candidate table."""
        return {
            (row["symbol"], row["side"], row["quantity"]): row
            for row in reversed(self.doc["candidates"])
        }

    @cached_property
    def steps(self) -> list[Record]:
        """The orders of the plan."""
        return list(self.doc["steps"])

    @cached_property
    def by_targets(self) -> bool:
        """Were target weights given?"""
        return bool(self.doc["objective"]["mode"] == BY_TARGETS)

    @cached_property
    def limits(self) -> Record:
        """What a plan may never break."""
        limits: Record = self.doc["rules"]["limits"]
        return limits

    @cached_property
    def costs(self) -> Record:
        """What an order costs."""
        costs: Record = self.doc["rules"]["costs"]
        return costs

    @cached_property
    def score_settings(self) -> Record:
        """The score section of the strategy."""
        settings: Record = self.doc["strategy"]["settings"]["score"]
        return settings

    @cached_property
    def filters(self) -> Mapping[str, Mapping[str, Any]]:
        """Name -> parameters of the filters of the strategy that really ran."""
        ran = {
            run["name"]
            for run in self.doc["modules"]
            if run["kind"] == FILTERS and run["outcome"] in {"ok", "nothing"}
        }
        return {
            one["name"]: one["params"]
            for one in self.doc["strategy"]["settings"]["modules"][FILTERS]
            if one["name"] in ran
        }

    @cached_property
    def rates(self) -> Mapping[str, Decimal]:
        """Currency -> base per unit, from whoever names it first: cash, holdings, candidates."""
        found: dict[str, Decimal] = {self.doc["base_currency"]: ONE}
        for currency, rate in self.doc["cash_rates"].items():
            found.setdefault(currency, rate)
        for row in (*self.doc["holdings"], *self.doc["candidates"]):
            found.setdefault(row["currency"], row["fx_rate"])
        return found

    @cached_property
    def cash_before(self) -> Decimal:
        """All cash, base currency."""
        return self.in_base(self.doc["cash"])

    @cached_property
    def spendable(self) -> Decimal:
        """What may pay for orders: base cash that no open buy reserves."""
        return Decimal(self.doc["cash"].get(self.doc["base_currency"], ZERO)) - Decimal(
            self.doc["open_buys"]
        )

    @cached_property
    def target_cash(self) -> Decimal:
        """What the targets leave for cash."""
        targets = (holding["target"] or ZERO for holding in self.doc["holdings"])
        return max(ZERO, ONE - sum(targets, self.doc["drift"]["absent_target"]))

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """Every section of the strategy, as it was read."""
        settings: Mapping[str, Any] = self.raw["strategy"]["settings"]
        return settings

    def in_base(self, balances: Mapping[str, Decimal]) -> Decimal:
        """Balances of several currencies in base; one without a rate counts nothing, and is a
        failed check elsewhere.
        """
        return sum(
            (amount * self.rates.get(currency, ZERO) for currency, amount in balances.items()), ZERO
        )

    def weight(self, amount: Decimal) -> Decimal:
        """Of the pre-trade value; 0 where nothing is owned."""
        return amount / self.value if self.value > 0 else ZERO

    def flow(self, orders: Iterable[Record]) -> Decimal:
        """What orders bring to the cash before costs, base currency: sales less buys."""
        return sum((signed(order) for order in orders), ZERO)

    def cost_of(self, notional_base: Decimal, currency: str) -> dict[str, Decimal]:
        """Commission, half the spread, conversion margin, and their sum."""
        rules = self.costs
        parts = {
            "commission": rules["fixed"] + rules["percent"] * notional_base,
            "spread": rules["spread_bps"] * HALF / BPS * notional_base,
            "fx": (
                rules["fx_percent"] * notional_base
                if currency != self.doc["base_currency"]
                else ZERO
            ),
        }
        return {**parts, "total": sum(parts.values(), ZERO)}

    def taxed_gain(self, symbol: str, quantity: Decimal) -> tuple[Decimal, bool]:
        """Gain of a sale over the lots whose cost is known, base currency; and whether every cost
        is known.
        """
        holding = self.holdings.get(symbol)
        if holding is None:
            return ZERO, True
        gains = [
            gain(lot, taken, holding) for lot, taken in oldest_first(holding["lots"], quantity)
        ]
        return sum((one for one in gains if one is not None), ZERO), None not in gains


def by(rows: Iterable[Record], key: str) -> dict[str, Record]:
    """Rows by a field; of several with one name the first."""
    found: dict[str, Record] = {}
    for row in rows:
        found.setdefault(row[key], row)
    return found


def signed(order: Record) -> Decimal:
    """Notional in base, above 0 for a sale."""
    amount = Decimal(order["notional_base"])
    return amount if order["side"] == SELL else -amount


def oldest_first(lots: Iterable[Record], quantity: Decimal) -> list[tuple[Record, Decimal]]:
    """Which lots a sale takes, and how much of each: of unknown age first, of one day the dearest
    first.
    """
    taken: list[tuple[Record, Decimal]] = []
    due = quantity
    for lot in sorted(
        lots,
        key=lambda one: (
            one["acquired"] or date.min,
            -(one["unit_cost"] or ZERO),
            -one["quantity"],
        ),
    ):
        part = min(due, lot["quantity"])
        if part > 0:
            taken.append((lot, part))
        due -= max(part, ZERO)
    return taken


def gain(lot: Record, quantity: Decimal, holding: Record) -> Decimal | None:
    """(price - cost) x quantity x rate; None when the cost is unknown."""
    if lot["unit_cost"] is None:
        return None
    return Decimal((holding["price"] - lot["unit_cost"]) * quantity * holding["fx_rate"])
