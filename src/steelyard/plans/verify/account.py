"""What is owned: prices, rates, values, weights, lots, open orders, cash before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from steelyard.plans.verify.book import BUY, FUNDS, ONE, SELL, ZERO, Book, gain, signed
from steelyard.plans.verify.tally import Place, Record, Tally, at_least, at_most

SATURDAY = 5
LONGEST_SETTLEMENT_DAYS = 366
TARGETS_MAY_SUM_TO = Decimal("1.000001")


def check_account(book: Book, tally: Tally) -> None:
    """Every figure of the holdings and the cash."""
    top = tally.at("", book.doc)
    _rates(book, tally)
    _value(book, top)
    for n, holding in enumerate(book.doc["holdings"]):
        _holding(book, tally.at(f"holdings[{n}]", holding), holding)
    _names(book, top)
    _targets(book, top)
    _open_orders(book, top)
    _after(book, top)
    _cash_after(book, top)
    _ladder(book, top)


def _rates(book: Book, tally: Tally) -> None:
    """One currency, one rate; the base currency is worth 1; no price is of tomorrow."""
    doc, one_rate = book.doc, "one rate for one currency"
    rates = tally.at("cash_rates", doc["cash_rates"])
    for currency, amount in doc["cash"].items():
        has = currency in doc["cash_rates"] or not amount
        tally.rule(rates.path(currency), has, "a rate", None, "every balance has a rate")
    for currency in doc["cash_rates"]:
        rates.amount(currency, book.rates[currency], one_rate)
        has = currency in doc["cash"]
        tally.rule(rates.path(currency), has, "a balance", None, "only balances have a cash rate")
    for part in ("holdings", "candidates", "steps"):
        for n, row in enumerate(doc[part]):
            place = tally.at(f"{part}[{n}]", row)
            place.amount("fx_rate", book.rates.get(row["currency"]), one_rate)
    prices = tally.at("prices_as_of", doc["prices_as_of"])
    for key in ("quotes", "history"):
        old = doc["prices_as_of"][key] <= doc["as_of"]
        prices.rule(key, old, f"at most {doc['as_of']}", "no price is newer than the plan")


def _value(book: Book, top: Place) -> None:
    worth = sum((holding["value"] for holding in book.doc["holdings"]), ZERO)
    top.amount("value", worth + book.cash_before, "value = holdings + cash in base")
    reserve = book.limits["cash_reserve_weight"] * book.value
    top.amount("reserve", reserve, "reserve = weight x value")
    top.rule("value", book.value >= 0, at_least(ZERO), "the value is not negative")


def _holding(book: Book, place: Place, holding: Record) -> None:
    quantity, unit = holding["quantity"], holding["price"] * holding["fx_rate"]
    place.amount("value", quantity * unit, "value = quantity x price x rate")
    place.amount("lot_value", holding["lot_size"] * unit, "lot value = lot size x price x rate")
    place.number("weight", book.weight(holding["value"]), "weight = value / portfolio value")
    place.rule("quantity", quantity >= 0, at_least(ZERO), "no short holding")
    place.same("is_fund", holding["product_type"] in FUNDS, "funds are told by their type")
    lots = sum((lot["quantity"] for lot in holding["lots"]), ZERO)
    place.amount("quantity", lots, "the lots are the holding")
    for n, lot in enumerate(holding["lots"]):
        at = place.tally.at(f"{place.where}.lots[{n}]", lot)
        at.rule("quantity", lot["quantity"] > 0, "more than 0", "no empty lot")
        due = gain(lot, lot["quantity"], holding)
        at.amount("gain", due, "gain = (price - cost) x quantity x rate")
    target, half = holding["target"], book.doc["rules"]["drift_band_weight"]
    edges = (None, None) if target is None else (max(ZERO, target - half), target + half)
    band = dict(zip(("low", "high"), holding["band"] or (None, None), strict=True))
    for name, edge in zip(("low", "high"), edges, strict=True):
        at = place.tally.at(f"{place.where}.band", band)
        at.number(name, edge, f"the {name} edge of the band around the target")


def _names(book: Book, top: Place) -> None:
    """No symbol twice, none that was left out on the user's word."""
    for part in ("holdings", "holdings_after"):
        times = Counter(row["symbol"] for row in book.doc[part])
        twice = [symbol for symbol, count in times.items() if count > 1]
        top.tally.rule(part, not twice, "each once", twice, "a symbol stands once")
    listed = {*book.holdings, *(row["symbol"] for row in book.doc["candidates"])}
    touched = [symbol for symbol in book.doc["excluded"] if symbol in listed]
    top.rule("excluded", not touched, f"nothing of {touched}", "what is excluded is not touched")


def _targets(book: Book, top: Place) -> None:
    drift = top.tally.at("drift", book.doc["drift"])
    absent = [row["target"] for row in book.doc["drift"]["absent"]]
    drift.number("absent_target", sum(absent, ZERO), "the absent targets are their sum")
    targets = [holding["target"] for holding in book.doc["holdings"]]
    if not book.by_targets:
        none = not absent and all(target is None for target in targets)
        top.tally.rule("holdings", none, "no target", targets, "no targets were given")
        return
    weights = [target for target in targets if target is not None]
    every = len(weights) == len(targets)
    top.tally.rule("holdings", every, "a target", targets, "every holding has a target")
    total, least = sum(weights, drift.row["absent_target"]), min(weights, default=ZERO)
    fits = total <= TARGETS_MAY_SUM_TO
    top.tally.rule("holdings", fits, at_most(ONE), total, "targets sum to at most 1")
    top.tally.rule("holdings", least >= 0, at_least(ZERO), least, "no target is negative")


def _open_orders(book: Book, top: Place) -> None:
    """An open sell reserves shares, an open buy reserves money."""
    reserved: Counter[str] = Counter()
    money = ZERO
    for n, order in enumerate(book.doc["open_orders"]):
        place = top.tally.at(f"open_orders[{n}]", order)
        quantity, price, rate = order["quantity"], order["price"], order["fx_rate"]
        place.rule("quantity", quantity > 0, "more than 0", "an open order is for something")
        if order["side"] == SELL:
            reserved[order["symbol"]] += quantity
            place.same("price", None, "an open sell reserves no money")
            place.same("fx_rate", None, "an open sell reserves no money")
            continue
        for key in ("price", "fx_rate"):
            place.rule(key, order[key] is not None, f"a {key}", "an open buy has a price and rate")
        money += quantity * (price or ZERO) * (rate or ZERO)
    top.amount("open_buys", money, "open buys = quantity x price x rate")
    for n, holding in enumerate(book.doc["holdings"]):
        rest = max(ZERO, holding["quantity"] - Decimal(reserved[holding["symbol"]]))
        place = top.tally.at(f"holdings[{n}]", holding)
        place.amount("sellable", rest, "sellable = quantity less open sells")


def _after(book: Book, top: Place) -> None:
    """Quantities and weights after the steps; everything together is still the value."""
    doc = book.doc
    before, later = ([row["symbol"] for row in doc[key]] for key in ("holdings", "holdings_after"))
    same = "the same symbols before and after"
    top.tally.rule("holdings_after", before == later, before, later, same)
    moved: Counter[str] = Counter()
    for step in book.steps:
        moved[step["symbol"]] += step["quantity"] if step["side"] == BUY else -step["quantity"]
    for n, after in enumerate(doc["holdings_after"]):
        holding = book.holdings.get(after["symbol"])
        if holding is None:
            continue
        place = top.tally.at(f"holdings_after[{n}]", after)
        quantity = holding["quantity"] + Decimal(moved[after["symbol"]])
        place.amount("quantity", quantity, "quantity after = before + steps")
        weight = book.weight(quantity * holding["price"] * holding["fx_rate"])
        place.number("weight", weight, "weight after = value after / value")
        place.rule("quantity", quantity >= 0, at_least(ZERO), "nothing is sold short")
    if book.value > 0:
        weights = [after["weight"] for after in doc["holdings_after"]]
        cash = book.weight(book.in_base(doc["cash_after"]) + doc["costs"]["total"])
        whole = top.tally.at("holdings_after", {"": sum(weights, cash)})
        whole.number("", ONE, "weights after + cash after + costs = 1", *weights, cash)


def _cash_after(book: Book, top: Place) -> None:
    """Sales come in, buys and costs go out, all in the base currency; other balances stay."""
    doc = book.doc
    base, after = doc["base_currency"], doc["cash_after"]
    due, names = sorted({*doc["cash"], base}), sorted(after)
    top.tally.rule("cash_after", due == names, due, names, "the currencies of the cash after")
    brought = [signed(step) - step["costs"]["total"] for step in book.steps]
    balances = top.tally.at("cash_after", after)
    for currency in after:
        cash = doc["cash"].get(currency, ZERO) + (sum(brought, ZERO) if currency == base else ZERO)
        balances.amount(currency, cash, "cash after = cash + sales - buys - costs")
    if not book.steps:
        return

    def floor(what: str, least: Decimal, rest: Decimal) -> None:
        top.tally.rule("cash_after", rest >= least, at_least(least), rest, what)

    free = book.cash_before - doc["open_buys"]
    reserve = min(doc["reserve"], free)
    rest = book.in_base(after) - doc["open_buys"]
    floor("the reserve stays in cash, or what there was", reserve, rest)
    settled = book.limits["funding"] == "settled"
    # what a sale brings is not settled yet; what its costs take beyond that is due
    pays = [min(money, ZERO) if settled else money for money in brought]
    rest = book.spendable + sum(pays, ZERO)
    money = "settled money alone pays" if settled else "money that is there pays"
    floor(f"{money}, open buys keep theirs", min(ZERO, book.spendable), rest)
    if settled:
        rest += free - book.spendable
        floor("the reserve stays in settled cash, or what there was", reserve, rest)


def _ladder(book: Book, top: Place) -> None:
    """What is settled today, what is there once traded, what is settled later, by currency."""
    doc, days = book.doc, book.limits["settlement_days"]
    limits = top.tally.at("rules.limits", book.limits)
    in_range = 0 <= days <= LONGEST_SETTLEMENT_DAYS and doc["as_of"].year < date.max.year - 1
    allowed = f"0 to {LONGEST_SETTLEMENT_DAYS}"
    limits.rule("settlement_days", in_range, allowed, "a settlement that can be dated")
    if not in_range:
        return
    due = list(_rungs(book, weekdays_after(doc["as_of"], days)))
    count = len(doc["cash_ladder"])
    top.tally.rule("cash_ladder", len(due) == count, len(due), count, "rungs of the cash ladder")
    for n, (rung, row) in enumerate(zip(due, doc["cash_ladder"], strict=False)):
        place = top.tally.at(f"cash_ladder[{n}]", row)
        place.amount("balance", rung["balance"], "balance of the cash ladder")
        for key in ("date", "currency", "kind", "estimated"):
            place.same(key, rung[key], f"{key} of the cash ladder")


def _rungs(book: Book, settled_on: date) -> Iterator[dict[str, Any]]:
    doc = book.doc
    for currency in sorted(doc["cash_after"]):
        before, after = doc["cash"].get(currency, ZERO), doc["cash_after"][currency]
        rung = {"date": doc["as_of"], "currency": currency, "balance": before, "kind": "settled"}
        yield {**rung, "estimated": False}
        if before != after:
            rung |= {"balance": after, "estimated": True}
            yield {**rung, "kind": "traded"}
            yield {**rung, "date": settled_on}


def weekdays_after(day: date, count: int) -> date:
    """`count` weekdays after `day`; a weekend counts as the Monday after it.

    >>> weekdays_after(date(2022, 12, 30), 1), weekdays_after(date(2022, 12, 31), 1)
    (datetime.date(2023, 1, 2), datetime.date(2023, 1, 3))
    """
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    for _ in range(count):
        day += timedelta(days=3 if day.weekday() == SATURDAY - 1 else 1)
    return day
