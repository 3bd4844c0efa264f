"""What is owned: prices, rates, values, weights, lots, open orders, cash before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from steelyard.plans.verify.bands import around
from steelyard.plans.verify.book import (
    BUY,
    FUNDS,
    ONE,
    SELL,
    ZERO,
    Book,
    gain,
    per_point,
)
from steelyard.plans.verify.reserve import check_reserve
from steelyard.plans.verify.tally import Place, Record, Tally, at_least, at_most
from steelyard.plans.verify.words import check_sentence

SATURDAY = 5
WEEK = 7
OPTION, FUTURE = "OPTION", "FUTURE"
WHAT = {OPTION: "an option", FUTURE: "a future"}
"""Types that are not traded, as their sentence names them."""
NOT_TRADED_TOO = "it stands in not_traded with the same words"
LONGEST_SETTLEMENT_DAYS = 366
TARGETS_MAY_SUM_TO = Decimal("1.000001")


def check_account(book: Book, tally: Tally) -> None:
    """Every figure of the holdings and the cash."""
    top = tally.at("", book.doc)
    _rates(book, tally)
    _value(book, top)
    _prices(book, tally)
    _settling(book, tally)
    _flows(book, tally)
    for n, position in enumerate(book.kept_out):
        _kept_out(book, tally.at(f"kept_out[{n}]", position), position)
    for n, holding in enumerate(book.doc["holdings"]):
        _holding(book, tally.at(f"holdings[{n}]", holding), holding)
    _names(book, top)
    _targets(book, top)
    _open_orders(book, top)
    _after(book, top)
    _ladder(book, top)


def _rates(book: Book, tally: Tally) -> None:
    """One currency, one rate; the base currency is worth 1; no price is of tomorrow."""
    doc, one_rate = book.doc, "one rate for one currency"
    rates = tally.at("cash_rates", doc["cash_rates"])
    for currency, amount in book.balances.items():
        has = currency in doc["cash_rates"] or not amount
        tally.rule(rates.path(currency), has, "a rate", None, "every balance has a rate")
    for currency in doc["cash_rates"]:
        rates.amount(currency, book.rates[currency], one_rate)
        has = currency in book.balances or currency in doc["cash_after"]
        tally.rule(rates.path(currency), has, "a balance", None, "only balances have a cash rate")
    for part in ("holdings", "candidates", "steps"):
        for n, row in enumerate(doc[part]):
            place = tally.at(f"{part}[{n}]", row)
            place.amount("fx_rate", book.rates.get(row["currency"]), one_rate)
    for n, row in enumerate(book.kept_out):
        rate = None if row["price"] is None else book.rates.get(row["currency"])
        tally.at(f"kept_out[{n}]", row).amount("fx_rate", rate, one_rate)
    prices = tally.at("prices_as_of", doc["prices_as_of"])
    for key in ("quotes", "history"):
        old = doc["prices_as_of"][key] <= doc["as_of"]
        prices.rule(key, old, f"at most {doc['as_of']}", "no price is newer than the plan")


def _prices(book: Book, tally: Tally) -> None:
    """Of which day each price is: none of tomorrow, none too old under what is held or traded."""
    doc, most = book.doc, book.limits["max_stale_sessions"]
    traded = {step["symbol"] for step in book.steps}
    for part in ("holdings", "kept_out"):
        for n, row in enumerate(doc[part]):
            place, day = tally.at(f"{part}[{n}]", row), row["price_on"]
            if day is None:
                continue  # a future that counts 0, held so below
            newest = doc["prices_as_of"]["quotes"] if part == "holdings" else doc["as_of"]
            place.rule("price_on", day <= newest, f"at most {newest}", "no price is of tomorrow")
            if row["quantity"] or row["symbol"] in traded:
                name = "what is held or traded has a young price"
                young = weekdays_between(day, doc["as_of"]) <= most
                place.rule("price_on", young, f"at most {most} weekdays old", name)


def _settling(book: Book, tally: Tally) -> None:
    """Money on its way comes after the day of the plan, first things first."""
    rows, as_of = book.doc["settling"], book.doc["as_of"]
    for n, row in enumerate(rows):
        place = tally.at(f"settling[{n}]", row)
        place.rule("on", row["on"] > as_of, f"after {as_of}", "what settled by today is cash")
        place.rule("amount", bool(row["amount"]), "an amount", "money on its way is some")
    days = [row["on"] for row in rows]
    tally.rule("settling", days == sorted(days), "by day", days, "first things first")


def _flows(book: Book, tally: Tally) -> None:
    """What the owner brings or takes out: never of a day that is past, first things first."""
    rows, as_of = book.doc["flows"], book.doc["as_of"]
    for n, row in enumerate(rows):
        place = tally.at(f"flows[{n}]", row)
        place.rule("date", row["date"] >= as_of, f"at least {as_of}", "no flow is of the past")
        place.rule("amount", bool(row["amount"]), "an amount", "a flow is of some money")
        place.amount("fx_rate", book.rates.get(row["currency"]), "one rate for one currency")
    order = [(row["date"], row["currency"], row["amount"]) for row in rows]
    tally.rule("flows", order == sorted(order), "by day", order, "first things first")


def _kept_out(book: Book, place: Place, row: Record) -> None:
    """A position that no order touches: what it is, what it is worth, why it is not traded."""
    priced, quantity = row["price"] is not None, row["quantity"]
    for key in ("price_source", "price_on", "price_unit", "fx_rate"):
        has = (row[key] is not None) is priced
        place.rule(key, has, "with a price", "a price has its source, day, unit and rate")
    price = row["price"] if priced else ZERO
    unit = price * per_point(row) if priced and row["fx_rate"] is not None else ZERO
    place.amount("value", quantity * unit, "value = quantity x price x multiplier x rate")
    place.number("weight", book.weight(row["value"]), "weight = value / portfolio value")
    kind = row["product_type"]
    due = kind in WHAT or quantity < 0
    place.rule("product_type", due, "a short, an option or a future", "why it is not traded")
    place.rule("quantity", bool(quantity), "some", "a position is for something")
    place.rule("price", priced or kind == FUTURE, "a price", "only a future may have no price")
    stops = [stop for stop in book.doc["not_traded"] if stop["symbol"] == row["symbol"]]
    words = {key: [stop[key] for stop in stops] for key in ("template", "facts")}
    for key, there in words.items():
        place.rule(key, row[key] in there, "as it stands there", NOT_TRADED_TOO)
    kind = WHAT.get(kind, "a short position")
    side = "short" if quantity < 0 else "long"
    check_sentence(place, {"kind": kind, "pieces": abs(quantity), "side": side}, text="why")


def _value(book: Book, top: Place) -> None:
    positions = (*book.doc["holdings"], *book.kept_out)
    worth = sum((position["value"] for position in positions), ZERO)
    name = "value = holdings + what is not traded + cash in base, settled or not, and deposits"
    top.amount("value", worth + book.cash_before + book.withdrawn, name)
    check_reserve(book, top)
    top.rule("value", book.value >= 0, at_least(ZERO), "the value is not negative")


def _holding(book: Book, place: Place, holding: Record) -> None:
    quantity, unit = holding["quantity"], holding["price"] * per_point(holding)
    place.amount("value", quantity * unit, "value = quantity x price x multiplier x rate")
    name = "lot value = lot size x price x multiplier x rate"
    place.amount("lot_value", holding["lot_size"] * unit, name)
    place.number("weight", book.weight(holding["value"]), "weight = value / portfolio value")
    place.rule("quantity", quantity >= 0, at_least(ZERO), "no short holding")
    place.same("is_fund", holding["product_type"] in FUNDS, "funds are told by their type")
    lots = sum((lot["quantity"] for lot in holding["lots"]), ZERO)
    place.amount("quantity", lots, "the lots are the holding")
    for n, lot in enumerate(holding["lots"]):
        at = place.tally.at(f"{place.where}.lots[{n}]", lot)
        at.rule("quantity", lot["quantity"] > 0, "more than 0", "no empty lot")
        due = gain(lot, lot["quantity"], holding)
        at.amount("gain", due, "gain = (price - cost) x multiplier x quantity x rate")
    target, band = holding["target"], holding["band"]
    place.rule("band", (band is None) == (target is None), "with a target", "a target has a band")
    if band is not None and target is not None:
        around(place, target, band)


def _names(book: Book, top: Place) -> None:
    """No symbol twice, none that was left out on the user's word."""
    for part in ("holdings", "holdings_after"):
        times = Counter(row["symbol"] for row in book.doc[part])
        twice = [symbol for symbol, count in times.items() if count > 1]
        top.tally.rule(part, not twice, "each once", twice, "a symbol stands once")
    traded = {*book.holdings, *(row["symbol"] for row in book.doc["candidates"])}
    symbols = [row["symbol"] for row in book.kept_out]
    once = len({*symbols}) == len(symbols) and not traded & {*symbols}
    top.tally.rule("kept_out", once, "each once", symbols, "what is not traded stands nowhere else")
    listed = {*traded, *symbols}
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
            place.same("multiplier", None, "an open sell reserves no money")
            continue
        for key in ("price", "fx_rate", "multiplier"):
            place.rule(key, order[key] is not None, f"a {key}", "an open buy has a price and rate")
        money += quantity * (price or ZERO) * (order["multiplier"] or ZERO) * (rate or ZERO)
        of_its_holding(book, order, place)
    top.amount("open_buys", money, "open buys = quantity x price x multiplier x rate")
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
        weight = book.weight(quantity * holding["price"] * per_point(holding))
        place.number("weight", weight, "weight after = value after / value")
        place.rule("quantity", quantity >= 0, at_least(ZERO), "nothing is sold short")
    if book.value > 0:
        weights = [row["weight"] for row in (*doc["holdings_after"], *book.kept_out)]
        cash = book.weight(book.in_base(doc["cash_after"]) + doc["costs"]["total"])
        whole = top.tally.at("holdings_after", {"": sum(weights, cash)})
        whole.number(
            "",
            ONE,
            "weights after, not traded among them, + cash after + costs = 1",
            *weights,
            cash,
        )


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
    for currency in sorted(book.doc["cash_after"]):
        yield from _rungs_of(book, currency, settled_on)


def _rungs_of(book: Book, currency: str, settled_on: date) -> Iterator[dict[str, Any]]:
    """A flow moves the settled balance on its day, and what is there once traded too; orders that
    settle today are in the first of them.
    """
    doc, today, after = book.doc, book.doc["as_of"], book.doc["cash_after"][currency]
    flows = [(r["date"], r["amount"]) for r in doc["flows"] if r["currency"] == currency]
    coming = [(r["on"], r["amount"]) for r in doc["settling"] if r["currency"] == currency]
    traded = after - book.balances.get(currency, ZERO)
    balance = doc["cash"].get(currency, ZERO) + _on(flows, today)
    at_once = bool(traded) and settled_on == today
    balance += traded if at_once else ZERO
    yield _rung(currency, today, balance, "settled", estimated=at_once)
    later = sorted({day for day, _ in flows if day > today})
    if traded or later:
        whole = after - sum((_on(flows, day) for day in later), ZERO)
        yield _rung(currency, today, whole, "traded", estimated=bool(traded))
        for day in later:
            whole += _on(flows, day)
            yield _rung(currency, day, whole, "traded", estimated=bool(traded))
    coming += [(day, amount) for day, amount in flows if day > today]
    coming += [(settled_on, traded)] if traded and not at_once else []
    for day in sorted({day for day, _ in coming}):
        balance += _on(coming, day)
        of_orders = bool(traded) and day >= settled_on
        yield _rung(currency, day, balance, "settled", estimated=of_orders)


def _on(moves: list[tuple[date, Decimal]], day: date) -> Decimal:
    return sum((amount for on, amount in moves if on == day), ZERO)


def _rung(
    currency: str, day: date, balance: Decimal, kind: str, *, estimated: bool
) -> dict[str, Any]:
    return {
        "currency": currency, "date": day, "balance": balance, "kind": kind, "estimated": estimated,
    }  # fmt: skip


def of_its_holding(book: Book, order: Record, place: Place) -> None:
    """One multiplier for one security, wherever it stands."""
    positions = (*book.doc["holdings"], *book.kept_out)
    rows = [row["multiplier"] for row in positions if row["symbol"] == order["symbol"]]
    for multiplier in rows[:1]:
        place.amount("multiplier", multiplier, "one multiplier for one security")


def weekdays_between(since: date, until: date) -> int:
    """Weekdays from one day up to another, not counting it: how old a price is.

    >>> weekdays_between(date(2026, 11, 27), date(2026, 11, 30))
    1
    """
    weeks, rest = divmod((until - since).days, WEEK)
    return SATURDAY * weeks + sum((since.weekday() + day) % WEEK < SATURDAY for day in range(rest))


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
