"""Every order, possible or chosen: amounts, costs, lots, limits, masks, and where each ends."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise

from steelyard.plans.verify.book import (
    BANDS,
    BUY,
    FUNDING,
    NEW_MONEY,
    NO_APPETITE,
    ONE,
    SELL,
    STORM,
    ZERO,
    Book,
    per_point,
    signed,
)
from steelyard.plans.verify.conversions import check_conversions, fx_of_steps
from steelyard.plans.verify.lists import (
    WEIGHT_SLACK,
    check_crossings,
    check_list,
    check_order,
    totals,
)
from steelyard.plans.verify.tally import Place, Record, Tally, at_least, at_most
from steelyard.plans.verify.tax_lots import TaxLots, check_lots

FILTERS_OF_DATES = ("eligibility", "recently_traded")
SIZING = "sizing"
ASKED = frozenset({NEW_MONEY, BANDS, FUNDING})
NOTIONAL_BASE = "notional in base = quantity x price x multiplier x rate"
PARTS_OF_COST = ("commission", "spread")
LEAST, FLOOR = Decimal(5), Decimal(1)
"""Least order of exact rebalancing where none is set, and at all."""
OF_ITS_CANDIDATE = ("symbol", "side", "currency")


def check_orders(book: Book, tally: Tally) -> None:
    """The candidate table, the steps, and what became of every candidate."""
    top = tally.at("", book.doc)
    first = {**book.holdings}
    for n, row in enumerate(book.doc["candidates"]):
        _candidate(book, row, tally.at(f"candidates[{n}]", row), first)
    for n, (step, fx) in enumerate(zip(book.steps, fx_of_steps(book), strict=True)):
        _step(book, step, n, fx, tally.at(f"steps[{n}]", step))
    _together(book, top)
    _totals(book, tally)
    check_lots(book, tally)
    check_conversions(book, top)
    _ends(book, tally)
    _least_order(book, tally)
    _pauses(book, tally)
    _filters_left_out(book, tally)


def _candidate(book: Book, row: Record, place: Place, first: dict[str, Record]) -> None:
    """`first`: symbol -> who names it first; a security has one price and one multiplier."""
    security = first.setdefault(row["symbol"], row)
    place.amount("price", security["price"], "one price for one security")
    place.amount("multiplier", security["multiplier"], "one multiplier for one security")
    amount = row["quantity"] * row["price"] * per_point(row)
    place.amount("notional_base", amount, NOTIONAL_BASE)
    cost = book.cost_of(amount, row["currency"])["total"]
    place.amount("cost", cost, "cost = commission + half spread + conversion")
    place.rule("priority", 0 <= row["priority"] <= 1, "0 to 1", "a priority is 0 to 1")
    holding = book.holdings.get(row["symbol"])
    if holding is None:
        what = "lots, caps and flags of candidates that are neither held nor targeted"
        place.tally.skip(what, "the document describes them only where they are traded")
        place.same("side", BUY, "what is not held cannot be sold")
        return
    place.same("currency", holding["currency"], "one currency for one security")
    check_order(book, row, holding, place)


def _step(book: Book, step: Record, n: int, fx: Decimal, place: Place) -> None:
    """`fx`: what converting for it costs."""
    place.same("n", n + 1, "steps are numbered")
    notional = step["quantity"] * step["price"] * step["multiplier"]
    place.amount("notional", notional, "notional = quantity x price x multiplier")
    amount = notional * step["fx_rate"]
    place.amount("notional_base", amount, NOTIONAL_BASE)
    costs = place.tally.at(f"{place.where}.costs", step["costs"])
    parts = {**book.cost_of(amount, step["currency"]), "fx": fx}
    parts["total"] = parts["commission"] + parts["spread"] + fx
    for part, due in parts.items():
        costs.amount(part, due, f"{part} by the rules")
    _of_candidate(book, step, place)
    own = book.free.get((step["symbol"], step["side"])) == step["quantity"]
    tagged = bool({NEW_MONEY, BANDS, FUNDING} & {*step["tags"]}) == own
    place.rule("tags", tagged, "of what must be traded", "who asks for what must be bought")
    holding = book.holdings.get(step["symbol"])
    place.rule("symbol", holding is not None, "a symbol of the holdings", "a step is listed")
    if holding is not None:
        _in_holding(book, step, holding, place)
        check_order(book, step, holding, place)


def _of_candidate(book: Book, step: Record, place: Place) -> None:
    """The row of the table that a step is, or was before its size was fitted."""
    if step["candidate"] is None:
        untabled = book.by_quantities or book.exact
        place.rule("candidate", untabled, "an id of the table", "a step is a candidate")
        size = step["symbol"], step["side"], step["quantity"]
        own = book.table.get(size, {"id": None})["id"]
        place.same("candidate", own, "a size of the table has its id")
        place.same("refined_from", None, "only a candidate is fitted")
        return
    row = book.candidates.get(step["candidate"])
    place.rule("candidate", row is not None, "an id of the table", "a step is a candidate")
    if row is None:
        return
    for key in OF_ITS_CANDIDATE:
        place.same(key, row[key], f"{key} of the candidate")
    for key in ("price", "multiplier", "fx_rate"):
        place.amount(key, row[key], f"{key} of the candidate")
    for key, sources, name in (
        ("tags", row["tags"], "tags of the candidate"),
        ("proposed_by", row["sources"], "who proposed the candidate"),
    ):
        due, own = (tuple(n for n in names if n not in ASKED) for names in (sources, step[key]))
        place.rule(key, due == own, due, name)
    if step["refined_from"] is None:
        place.amount("quantity", row["quantity"], "quantity of the candidate")
        return
    place.amount("refined_from", row["quantity"], "fitted from the size of the candidate")
    other = step["quantity"] != row["quantity"]
    place.rule("quantity", other, "another size", "what was fitted has another size")
    fits = book.settings["search"]["refine"] and not book.by_quantities
    place.rule("refined_from", fits, "not fitted", "the strategy fits sizes afterwards")


def _in_holding(book: Book, step: Record, holding: Record, place: Place) -> None:
    for key in ("name", "currency", "price_source", "price_on", "price_unit"):
        place.same(key, holding[key], f"{key} of the holding")
    place.amount("price", holding["price"], "price of the holding")
    before = book.weight(holding["value"])
    place.number("weight_before", before, "weight before = value / portfolio value")
    after = before - book.weight(signed(step))
    place.number("weight_after", after, "weight after = weight before + order / value")


def _together(book: Book, top: Place) -> None:
    """What binds the steps as a list."""
    doc, steps, tally = book.doc, book.steps, top.tally
    times = Counter(step["symbol"] for step in steps)
    twice = [symbol for symbol, orders in times.items() if orders > 1]
    tally.rule("steps", not twice, "each once", twice, "one order per security")
    for n, (first, then) in enumerate(pairwise(steps), start=1):
        place = tally.at(f"steps[{n}]", then)
        in_order = (first["side"], then["side"]) != (BUY, SELL)
        place.rule("side", in_order, "sells first", "sells come before buys")
        if first["side"] == then["side"]:
            largest = first["notional_base"] * (ONE + WEIGHT_SLACK)
            smaller = then["notional_base"] <= largest
            place.rule("notional_base", smaller, at_most(largest), "larger orders first")
    traded = sum((step["notional_base"] for step in steps), ZERO)
    top.number("turnover", book.weight(traded) / 2, "turnover = half of all orders / value")
    whole = totals((step, book.charged(step)) for step in steps)
    check_list(book, whole, tally)
    for currency, balance in doc["cash_after"].items():
        least = min(ZERO, book.balances.get(currency, ZERO))
        name = "no order and no conversion leaves a balance under 0"
        tally.rule(f"cash_after.{currency}", balance >= least, at_least(least), balance, name)
    # the sizes of a table are chosen before the cash is known
    listed = [step for step in steps if step["symbol"] in book.holdings and book.by_quantities]
    check_crossings(book, listed, book.cash_weight_after - book.target_cash, tally, "steps")
    if book.limits["max_group_weight"] is not None:
        why = "the document does not hold the sectors and countries of the securities"
        tally.skip("sector and country caps", why)


def _totals(book: Book, tally: Tally) -> None:
    place = tally.at("costs", book.doc["costs"])
    parts = {
        part: sum((step["costs"][part] for step in book.steps), ZERO) for part in PARTS_OF_COST
    }
    parts["fx"] = sum((row["cost"] for row in book.doc["conversions"]), ZERO)
    for part, due in {**parts, "total": sum(parts.values(), ZERO)}.items():
        place.amount(part, due, f"{part} of all steps and conversions")
    lots = TaxLots(book)
    sold = [(step["symbol"], step["quantity"]) for step in book.steps if step["side"] == SELL]
    tax, every = lots.tax(sold)
    payable = max(ZERO, tax) if any(lots.rates) and every else None
    place.amount("tax", payable, "tax = rate of the term x gains of the lots sold, of a net gain")


def _ends(book: Book, tally: Tally) -> None:
    """Every candidate is a step or is said not to be traded, once; what is said is of it."""
    stops = book.doc["not_traded"]
    ends = Counter(step["candidate"] for step in book.steps if step["candidate"] is not None)
    ends.update(stop["candidate"] for stop in stops if stop["candidate"] is not None)
    for row_id, count in Counter(row["id"] for row in book.doc["candidates"]).items():
        where, end = f"candidates: {row_id}", ends.pop(row_id, 0)
        tally.rule(where, count == 1, 1, count, "a candidate stands once in the table")
        tally.rule(where, end == 1, 1, end, "a candidate ends once")
    name = "only candidates are candidates"
    tally.rule("not_traded", not ends, "ids of the table", [*ends], name)
    for n, stop in enumerate(stops):
        row, place = book.candidates.get(stop["candidate"]), tally.at(f"not_traded[{n}]", stop)
        for key in ("symbol", "side") if row is not None else ():
            place.same(key, row[key] if row is not None else None, f"{key} of the candidate")


def _least_order(book: Book, tally: Tally) -> None:
    """The least order: by money, by weight, and so that its commission stays a small share."""
    limits, costs = book.limits, book.costs
    value = book.value if book.value > 0 else ONE
    least = max(limits["min_trade_base"], book.thresholds["min_trade_weight"] * value)
    spare = limits["max_cost_share"] - costs["percent"]
    if spare > 0:
        least = max(least, costs["fixed"] / spare)
    if book.exact:
        least = max(limits["min_trade_base"], FLOOR) if limits["min_trade_base"] else LEAST
    rules = tally.at("rules", book.doc["rules"])
    rules.number("min_order_base", least, "the least order by the rules")


def _pauses(book: Book, tally: Tally) -> None:
    """Where buys are said to be stopped altogether there is none, and by the number told."""
    limit = book.limits["pause_volatility_ratio"]
    buys = [row["id"] for row in book.doc["candidates"] if row["side"] == BUY]
    for n, stop in enumerate(book.doc["not_traded"]):
        if stop["stage"] != SIZING or stop["rule"] not in {STORM, NO_APPETITE}:
            continue
        place, value = tally.at(f"not_traded[{n}]", stop), stop["value"]
        tally.rule(place.where, not buys, "none", buys, "where buys are paused there is none")
        if stop["rule"] == STORM:
            place.number("limit", limit, "the pause of buys is as the strategy sets it")
            over = limit is not None and value is not None and value > limit
            place.rule("value", over, f"more than {limit}", "buys pause over the limit alone")
        else:
            place.number("value", ZERO, "a bucket that buys nothing has no appetite")
    if limit is not None:
        why = "the document does not hold the volatility of the market"
        tally.skip("limits.pause_volatility_ratio where it stops nothing", why)


def _filters_left_out(book: Book, tally: Tally) -> None:
    """Filters that need what the document does not hold."""
    for name, params in book.filters.items():
        if name not in FILTERS_OF_DATES:
            tally.skip(f"filter {name}", "the document does not hold what it looks at")
        elif params.get("on_missing") == "deny":
            why = "whether an unknown date was denied is not derived, only known dates"
            tally.skip(f"{name}: on_missing", why)
