"""The document as the checks look at it: decimals, and the few figures that all is held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from steelyard.plans.verify.tally import Record

ZERO, ONE, HALF = Decimal(0), Decimal(1), Decimal("0.5")
FUNDS = frozenset({"ETF", "ETC", "MUTUALFUND"})
EXEMPT = FUNDS | {"CASHLIKE"}
"""Product types that no single-name rule is for."""
BPS = Decimal(10_000)
BY_TARGETS = "targets"
SETTLED = "settled"
FILTERS, FILTER = "filters", "filter"
STOP, PROFITS, SEARCH = "trailing_stop", "profit_taking", "search"
"""Tag of a sale that no date holds up, the calculator with a setting for it, and who asks for the
sizes that no calculator asks for.
"""
SELL, BUY = "sell", "buy"
ACT, HOLD = "act", "hold"
PROPOSALS, QUANTITIES, EXACT = "proposals", "quantities", "targets"
STORM, NO_APPETITE = "high_volatility", "aggression"
"""Rules under which nothing is bought at all."""
BY_SCORE = "single_objective"
UNRESTRICTED, GREEDY, PROPOSAL = "unrestricted", "greedy", "proposal"
CANDIDATES = "candidates"
NEW_MONEY, BANDS, FUNDING = "new_money", "band", "band_funding"
"""Tags of orders that are traded whatever the score gains."""
ASKED_FOR = "asked_for"
"""The alternative of these alone."""
"""Names of alternatives; the first has no orders: any quantities, in any number of orders."""
LEFT_OUT = "left out"
"""Why a target is absent that the user excluded; every other reason is a price or rate."""
RUNNER_UP = "runner_up_"


@dataclass(frozen=True)
class Book:
    """A document ready to calculate with; where two entries have one name, the first counts."""

    doc: Mapping[str, Any]

    @cached_property
    def value(self) -> Decimal:
        """V, base currency: what weights are of, after withdrawals."""
        return Decimal(self.doc["value"]) - self.withdrawn

    @cached_property
    def withdrawn(self) -> Decimal:
        """What the owner takes out, base currency."""
        out = (-row["amount"] * row["fx_rate"] for row in self.doc["flows"] if row["amount"] < 0)
        return sum(out, ZERO)

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
        rows = reversed(self.doc["candidates"])
        return {(row["symbol"], row["side"], row["quantity"]): row for row in rows}

    @cached_property
    def priced(self) -> Mapping[str, Record]:
        """Symbol -> a candidate of it: one price for one security."""
        return by(self.doc["candidates"], "symbol")

    @cached_property
    def step_of(self) -> Mapping[str, Record]:
        """Symbol -> the step that trades it."""
        return by(self.steps, "symbol")

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
    def thresholds(self) -> Record:
        """What an order and a plan must be worth, as resolved for this plan."""
        thresholds: Record = self.doc["rules"]["thresholds"]
        return thresholds

    @cached_property
    def by_quantities(self) -> bool:
        """Was every quantity searched, not only those of the table?"""
        return bool(self.doc["certificate"]["scope"] == QUANTITIES)

    @cached_property
    def evaluation(self) -> Record:
        """How the strategy chooses among the best lists; documents before 1.8 by the score."""
        rules: Record = self.settings.get("evaluation", {"mode": BY_SCORE})
        return rules

    @cached_property
    def by_mode(self) -> bool:
        """Did more than the score of today decide?"""
        return self.doc["outlook"] is not None

    @cached_property
    def exact(self) -> bool:
        """Do the orders follow from the targets, with nothing searched?"""
        return bool(self.doc["certificate"]["scope"] == EXACT)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """Every section of the strategy."""
        settings: Mapping[str, Any] = self.doc["strategy"]["settings"]
        return settings

    @cached_property
    def lots(self) -> Mapping[str, Any]:
        """Which tax lots a sale takes; documents before 1.4 sold the oldest first."""
        oldest = {"method": "fifo", "long_days": 365, "max_gain_base": None}
        return {**oldest, **self.settings.get("lots", {})}

    @cached_property
    def filters(self) -> Mapping[str, Mapping[str, Any]]:
        """Name -> parameters of the filters of the strategy that really ran."""
        runs = [run for run in self.doc["modules"] if run["kind"] == FILTERS]
        ran = {run["name"] for run in runs if run["outcome"] in {"ok", "nothing"}}
        modules = self.settings["modules"].get(FILTERS, ())
        return {module["name"]: module["params"] for module in modules if module["name"] in ran}

    @cached_property
    def trails(self) -> bool:
        """Does the strategy sell what fell from its peak?"""
        modules = self.settings["modules"].get("opportunity_calculators", ())
        own = [module["params"] for module in modules if module["name"] == PROFITS]
        return any(params.get("trailing_stop_distance") is not None for params in own)

    @cached_property
    def filtered(self) -> frozenset[tuple[str, str]]:
        """(symbol, side) of what a filter stopped."""
        stops = (row for row in self.doc["not_traded"] if row["stage"] == FILTER)
        return frozenset((row["symbol"], row["side"]) for row in stops)

    @cached_property
    def rates(self) -> Mapping[str, Decimal]:
        """Currency -> base per unit, from who names it first: cash, holdings, candidates."""
        rates: dict[str, Decimal] = {self.doc["base_currency"]: ONE}
        for currency, rate in self.doc["cash_rates"].items():
            rates.setdefault(currency, rate)
        for row in (*self.doc["holdings"], *self.doc["candidates"], *self.kept_out):
            if row["fx_rate"] is not None:
                rates.setdefault(row["currency"], row["fx_rate"])
        return rates

    @cached_property
    def kept_out(self) -> list[Record]:
        """What is held and not traded."""
        return list(self.doc["kept_out"])

    @cached_property
    def balances(self) -> Mapping[str, Decimal]:
        """Currency -> all its cash, settled or not, after every flow."""
        return self.with_coming(arriving=True)

    @cached_property
    def available(self) -> Mapping[str, Decimal]:
        """Currency -> what counts as there: what arrives may have to settle first."""
        return self.with_coming(arriving=self.limits["funding"] != SETTLED)

    def with_coming(self, *, arriving: bool, flows: bool = True) -> dict[str, Decimal]:
        """The settled balances less what is to leave, and with what is to arrive."""
        whole, today = dict(self.doc["cash"]), self.doc["as_of"]
        rows = [(row["currency"], row["amount"], row["on"]) for row in self.doc["settling"]]
        if flows:
            rows += [(row["currency"], row["amount"], row["date"]) for row in self.doc["flows"]]
        for currency, amount, day in rows:
            counts = arriving or day <= today
            there = amount if counts else min(ZERO, amount)
            whole[currency] = whole.get(currency, ZERO) + there
        return whole

    @cached_property
    def cash_before(self) -> Decimal:
        """All cash, base currency, settled or not, after every flow."""
        return self.in_base(self.balances)

    def good_for(self, balances: Mapping[str, Decimal]) -> Decimal:
        """What balances pay in base currency, the conversion of foreign ones taken off."""
        base, margin = self.doc["base_currency"], self.costs["fx_percent"]
        foreign = {key: abs(amount) for key, amount in balances.items() if key != base}
        return Decimal(self.in_base(balances) - margin * self.in_base(foreign))

    @cached_property
    def spendable(self) -> Decimal:
        """What may pay for orders: cash that is there and no open buy reserves."""
        return self.good_for(self.available) - Decimal(self.doc["open_buys"])

    @cached_property
    def keeps(self) -> Decimal:
        """What buys leave of it: the reserve, or what was there before flows."""
        arriving = self.limits["funding"] != SETTLED
        before = self.good_for(self.with_coming(arriving=arriving, flows=False))
        before -= Decimal(self.doc["open_buys"])
        return min(Decimal(self.doc["reserve"]), max(before, ZERO))

    @cached_property
    def least_cash(self) -> Decimal:
        """What orders leave of it: as buys do, or what is there."""
        return min(self.keeps, self.spendable)

    @cached_property
    def is_short(self) -> bool:
        """Is cash under 0, or not enough for withdrawals, with all that is on its way?"""
        whole, promised = self.good_for(self.balances), Decimal(self.doc["open_buys"])
        before = self.good_for(self.with_coming(arriving=True, flows=False)) - promised
        stays = self.doc["reserve"] if before < 0 else min(self.doc["reserve"], before)
        taken_out = bool(self.withdrawn) and whole - promised < stays
        return self.value > 0 and (whole < 0 or taken_out)

    @cached_property
    def only_bands(self) -> bool:
        """Are weights outside their bands all that is traded for?"""
        by_bands = self.settings["rebalance"]["trigger"] == BANDS
        return self.by_targets and by_bands and not self.exact

    @cached_property
    def base(self) -> Record | None:
        """The alternative that is traded whatever the score gains."""
        named = by(self.doc["alternatives"], "name")
        return named.get(ASKED_FOR)

    @cached_property
    def free(self) -> Mapping[tuple[str, str], Decimal]:
        """(symbol, side) -> quantity up to which no hurdle is charged."""
        steps = () if self.base is None else self.base["steps"]
        return {(step["symbol"], step["side"]): step["quantity"] for step in steps}

    @cached_property
    def rests(self) -> bool:
        """Is no more traded than what is traded whatever the score gains?"""
        steps = {(step["symbol"], step["side"]): step["quantity"] for step in self.steps}
        return steps == self.free

    @cached_property
    def asked(self) -> Decimal:
        """Improvement that a plan must reach which trades more than it has to."""
        return Decimal(self.doc["score"]["min_improvement"])

    def hurdles(self, orders: Iterable[Record]) -> int:
        """How many orders are charged their hurdle."""
        return sum(not self._is_free(order) for order in orders)

    def _is_free(self, order: Record) -> bool:
        """No larger than what must be traded; of what was brought, in any size."""
        own = self.free.get((order["symbol"], order["side"]))
        return own is not None and (bool(self.brought) or order["quantity"] <= own)

    @cached_property
    def brought(self) -> Decimal:
        """What the owner brings, base currency."""
        brings = (row["amount"] * row["fx_rate"] for row in self.doc["flows"] if row["amount"] > 0)
        return sum(brings, ZERO)

    @cached_property
    def least_of_new_money(self) -> Decimal:
        """The least order in money, and for its commission; no share of the value."""
        spare = self.limits["max_cost_share"] - self.costs["percent"]
        least = self.costs["fixed"] / spare if spare > 0 else ZERO
        return max(Decimal(self.limits["min_trade_base"]), Decimal(least))

    def least(self, order: Record) -> Decimal:
        """The least amount of an order, base currency."""
        least = Decimal(self.doc["rules"]["min_order_base"])
        new = self.only_bands or (self.base is not None and order["side"] == BUY)
        return min(least, self.least_of_new_money) if new else least

    @cached_property
    def target_cash(self) -> Decimal:
        """What the targets leave for cash."""
        targets = (holding["target"] or ZERO for holding in self.doc["holdings"])
        return max(ZERO, ONE - sum(targets, self.doc["drift"]["absent_target"]))

    @cached_property
    def unpriced(self) -> list[str]:
        """Targets without a usable price."""
        absent = self.doc["drift"]["absent"]
        return [row["symbol"] for row in absent if row["why"] != LEFT_OUT]

    @cached_property
    def cash_weight_after(self) -> Decimal:
        """All cash after the plan, before costs."""
        return self.weight(self.cash_before + self.flow(self.steps))

    def invested_in(self, dimension: str, label: object) -> Decimal:
        """What a sector or a country is of all that is held; each label of a security an even
        part of it.
        """
        held = sum((row["value"] for row in self.doc["holdings"]), ZERO)
        parts = (
            row["value"] / len(row[dimension])
            for row in self.doc["holdings"]
            if label in row[dimension]
        )
        return sum(parts, ZERO) / held if held > 0 else ZERO

    def in_base(self, balances: Mapping[str, Decimal]) -> Decimal:
        """Balances in base; one without a rate counts 0, and is a failed check elsewhere."""
        amounts = (amount * self.rates.get(key, ZERO) for key, amount in balances.items())
        return sum(amounts, ZERO)

    def weight(self, amount: Decimal) -> Decimal:
        """Of the pre-trade value; 0 where nothing is owned."""
        return amount / self.value if self.value > 0 else ZERO

    def flow(self, orders: Iterable[Record]) -> Decimal:
        """What orders bring to the cash before costs, base currency: sales less buys."""
        return sum(map(signed, orders), ZERO)

    def cost_of(self, notional_base: Decimal, currency: str) -> dict[str, Decimal]:
        """Commission, half the spread, conversion margin, and their sum."""
        rules = self.costs
        foreign = currency != self.doc["base_currency"]
        parts = {
            "commission": rules["fixed"] + rules["percent"] * notional_base,
            "spread": rules["spread_bps"] * HALF / BPS * notional_base,
            "fx": rules["fx_percent"] * notional_base if foreign else ZERO,
        }
        return {**parts, "total": sum(parts.values(), ZERO)}

    def charged(self, step: Record) -> Decimal:
        """Cost of a step as the score counts it: a foreign order as if it converted whole."""
        return self.cost_of(step["notional_base"], step["currency"])["total"]

    def order(self, symbol: str, side: str, quantity: Decimal) -> Record | None:
        """An order by the prices of the document; None where that has no price of the security."""
        row = self.table.get((symbol, side, quantity))
        security = self.holdings.get(symbol) or self.priced.get(symbol)
        if row is not None or security is None:
            return row
        amount = quantity * security["price"] * per_point(security)
        alike = [
            row for row in self.doc["candidates"] if (row["symbol"], row["side"]) == (symbol, side)
        ]
        return {
            "symbol": symbol,
            "tags": [tag for row in alike for tag in row["tags"]],
            "sources": [source for row in alike for source in row["sources"]],
            "side": side,
            "quantity": quantity,
            "currency": security["currency"],
            "notional_base": amount,
            "cost": self.cost_of(amount, security["currency"])["total"],
        }


def by(rows: Iterable[Record], key: str) -> dict[str, Record]:
    """Rows by a field; of several with one name the first."""
    first: dict[str, Record] = {}
    for row in rows:
        first.setdefault(row[key], row)
    return first


def signed(order: Record) -> Decimal:
    """Notional in base, above 0 for a sale."""
    amount = Decimal(order["notional_base"])
    return amount if order["side"] == SELL else -amount


def gain(lot: Record, quantity: Decimal, holding: Record) -> Decimal | None:
    """(price - cost) x multiplier x quantity x rate; None when the cost is unknown."""
    if lot["unit_cost"] is None:
        return None
    return Decimal((holding["price"] - lot["unit_cost"]) * quantity * per_point(holding))


def per_point(row: Record) -> Decimal:
    """What one share is worth at a price of 1, base currency: multiplier x rate."""
    return Decimal(row["multiplier"] * row["fx_rate"])
