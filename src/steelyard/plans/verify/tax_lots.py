"""Which lots a sale takes by the method of the strategy, what they realise, and the tax on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from steelyard.plans.verify.book import SELL, ZERO, Book, per_point
from steelyard.plans.verify.tally import Place, Record, Tally, at_most

SPECIFIC = "specific"
LIFO, FIFO, MIN_TAX = "lifo", "fifo", "min_tax"
SOLD_BY = "the lots are sold by lots.method"
TOLD = "The broker must be told which lots are sold: each sale lists them."
SOME = Decimal("1e-12")
"""Money that a sum of exact gains may be off by its digits."""

Part = tuple[Record, Decimal]
"""A lot, and how much of it is sold."""


@dataclass(frozen=True)
class TaxLots:
    """The lots of a document by the rules of its strategy."""

    book: Book

    @cached_property
    def method(self) -> str:
        """How lots are chosen."""
        return str(self.book.lots["method"])

    @cached_property
    def rates(self) -> tuple[Decimal, Decimal]:
        """Tax rate of short- and long-term gains."""
        score = self.book.settings["score"]
        long = score.get("tax_rate_long")
        return score["tax_rate"], score["tax_rate"] if long is None else long

    def is_long(self, lot: Record) -> bool:
        """Is it held for longer than the settings ask for?"""
        if lot["acquired"] is None:
            return False
        days = (self.book.doc["as_of"] - lot["acquired"]).days
        return bool(days > self.book.lots["long_days"])

    def rate(self, lot: Record) -> Decimal:
        """Tax rate of its term."""
        return self.rates[self.is_long(lot)]

    def sold(self, symbol: str, quantity: Decimal) -> list[Part]:
        """What a sale takes, lot by lot."""
        parts, due = list[Part](), quantity
        holding = self.book.holdings.get(symbol)
        for lot in () if holding is None else self.in_order(holding):
            part = min(due, lot["quantity"])
            if part > 0:
                parts.append((lot, part))
            due -= max(part, ZERO)
        return parts

    def in_order(self, holding: Record) -> list[Record]:
        """The lots of a holding as the method takes them; of two alike the older, then dearer."""

        def key(lot: Record) -> tuple[Decimal, Decimal, date, Decimal, Decimal]:
            day, cost = lot["acquired"] or date.min, lot["unit_cost"] or ZERO
            first, second = {
                FIFO: (ZERO, ZERO),
                LIFO: (-Decimal(day.toordinal()), ZERO),
                MIN_TAX: (self.rate(lot) * (holding["price"] - cost), -cost),
            }.get(self.method, (-cost, ZERO))
            return first, second, day, -cost, -lot["quantity"]

        return sorted(holding["lots"], key=key)

    def gains(self, symbol: str, quantity: Decimal) -> list[tuple[Record, Decimal | None]]:
        """Each lot sold with its gain, base currency; None where its cost is unknown."""
        holding = self.book.holdings.get(symbol)
        if holding is None:
            return []
        each = per_point(holding)
        return [
            (
                lot,
                None
                if lot["unit_cost"] is None
                else (holding["price"] - lot["unit_cost"]) * part * each,
            )
            for lot, part in self.sold(symbol, quantity)
        ]

    def tax(self, sales: Iterable[tuple[str, Decimal]]) -> tuple[Decimal, bool]:
        """(tax over the lots of known cost, base currency; is every cost known) of sales."""
        sold = [pair for sale in sales for pair in self.gains(*sale)]
        taxes = (self.rate(lot) * gain for lot, gain in sold if gain is not None)
        return sum(taxes, ZERO), all(gain is not None for _, gain in sold)

    @cached_property
    def realised(self) -> list[tuple[str, Record, Decimal | None]]:
        """(symbol, lot, gain) of every lot that the steps sell."""
        sales = [step for step in self.book.steps if step["side"] == SELL]
        return [
            (step["symbol"], lot, gain)
            for step in sales
            for lot, gain in self.gains(step["symbol"], step["quantity"])
        ]

    def of_term(self, *, is_long: bool) -> list[Decimal | None]:
        """Gains of the lots of a term."""
        return [gain for _, lot, gain in self.realised if self.is_long(lot) is is_long]


def check_lots(book: Book, tally: Tally) -> None:
    """Each sale takes its lots in order; what all of them realise, and within which budget."""
    lots = TaxLots(book)
    for n, step in enumerate(book.steps):
        if step["symbol"] in book.holdings:
            _lots_of(lots, step, tally.at(f"steps[{n}]", step))
    _realised(lots, tally)


def _lots_of(lots: TaxLots, step: Record, place: Place) -> None:
    sells = step["side"] == SELL
    due = lots.sold(step["symbol"], step["quantity"]) if sells else []
    gains = lots.gains(step["symbol"], step["quantity"]) if sells else []
    count, where = len(step["lots"]), f"{place.where}.lots"
    place.tally.rule(where, len(due) == count, len(due), count, "lots sold")
    rows = zip(due, gains, step["lots"], strict=False)
    for n, ((lot, quantity), (_, gain), row) in enumerate(rows):
        at = place.tally.at(f"{where}[{n}]", row)
        at.same("acquired", lot["acquired"], SOLD_BY)
        at.amount("quantity", quantity, "quantity of a lot sold")
        at.amount("unit_cost", lot["unit_cost"], "unit cost of a lot sold")
        at.amount("gain", gain, "gain = (price - cost) x multiplier x quantity x rate")
    if sells:
        sold = sum((lot["quantity"] for lot in step["lots"]), ZERO)
        place.amount("quantity", sold, "the lots sold are the order")


def _realised(lots: TaxLots, tally: Tally) -> None:
    shown, book = lots.book.doc["realised_gain"], lots.book
    due = bool(lots.realised)
    has = shown is not None
    tally.rule("realised_gain", has is due, due, has, "gains stand where something is sold")
    if shown is None:
        return
    place = tally.at("realised_gain", shown)
    place.same("currency", book.doc["base_currency"], "the base currency")
    for key, is_long in (("short", False), ("long", True)):
        gains = lots.of_term(is_long=is_long)
        costed = [gain for gain in gains if gain is not None]
        total = sum(costed, ZERO) if len(costed) == len(gains) else None
        place.amount(key, total, "net gain of the lots of a term that are sold")
    budget = book.lots["max_gain_base"]
    place.amount("budget", budget, "the yearly budget is as the strategy sets it")
    if budget is None:
        return
    room = max(ZERO, budget - (shown["before"] or ZERO))
    # a lot of unknown cost may have cost nothing
    whole = sum((_at_most(lots, *lot) for lot in _sold_lots(lots)), ZERO)
    name = "sales realise no more than the yearly budget leaves"
    tally.rule("realised_gain", whole <= room + SOME, at_most(room), whole, name)


def _sold_lots(lots: TaxLots) -> list[tuple[str, Record, Decimal]]:
    sales = [step for step in lots.book.steps if step["side"] == SELL]
    return [
        (step["symbol"], lot, part)
        for step in sales
        for lot, part in lots.sold(step["symbol"], step["quantity"])
    ]


def _at_most(lots: TaxLots, symbol: str, lot: Record, part: Decimal) -> Decimal:
    holding = lots.book.holdings[symbol]
    return Decimal((holding["price"] - (lot["unit_cost"] or ZERO)) * part * per_point(holding))


def gains_told(book: Book, facts: dict[str, object]) -> str:
    """The sentences of the verdict on what the sales realise."""
    lots = TaxLots(book)
    if not lots.realised:
        return ""
    unknown = sorted({symbol for symbol, _, gain in lots.realised if gain is None})
    parts = [_gained(lots, facts)]
    if unknown:
        facts["gain_unknown"] = ", ".join(unknown)
        parts.append("What is realised is unknown for {gain_unknown:text}: no cost is given.")
    several = {symbol for symbol, row in book.holdings.items() if len(row["lots"]) > 1}
    if lots.method == SPECIFIC and several & {symbol for symbol, _, _ in lots.realised}:
        parts.append(TOLD)
    return " ".join(part for part in parts if part)


def _gained(lots: TaxLots, facts: dict[str, object]) -> str:
    terms = {long: lots.of_term(is_long=long) for long in (False, True)}
    costed = {long: [gain for gain in gains if gain is not None] for long, gains in terms.items()}
    if not any(costed.values()):
        return ""
    short, long = (sum(costed[key], ZERO) for key in (False, True))
    net = short + long
    facts |= {"what": "loss" if net < 0 else "gain", "gained": abs(net)}
    facts["gain_currency"] = lots.book.doc["base_currency"]
    words = "The sales realise a net {what:text} of {gain_currency:text} {gained:money}"
    if all(costed.values()):
        facts |= {"gained_short": short, "gained_long": long}
        words += ": {gained_short:money} short-term and {gained_long:money} long-term"
    else:
        words += ", long-term" if costed[True] else ", short-term"
    if any(lot["acquired"] is None for _, lot, _ in lots.realised):
        words += "; a lot without a date counts as short-term"
    return f"{words}.{_of_the_year(lots, net, facts)}"


def _of_the_year(lots: TaxLots, net: Decimal, facts: dict[str, object]) -> str:
    shown = lots.book.doc["realised_gain"]
    if shown is None or lots.book.lots["max_gain_base"] is None:
        return ""
    facts["gain_year"] = net + (shown["before"] or ZERO)
    facts["gain_budget"] = lots.book.lots["max_gain_base"]
    words = " That makes {gain_year:money} this year, of at most {gain_budget:money}"
    if shown["before"] is None:
        words += ", nothing being known of what was sold before"
    return f"{words}."
