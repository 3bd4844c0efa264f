"""Every order, possible or chosen: amounts, costs, lots, limits, masks, and where each ends."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import Any

from steelyard.plans.verify.book import (
    BUY,
    EXEMPT,
    NO_APPETITE,
    ONE,
    SELL,
    STORM,
    ZERO,
    Book,
    gain,
    oldest_first,
    per_point,
    signed,
)
from steelyard.plans.verify.tally import Place, Record, Tally, at_least, at_most, number_of

WEIGHT_SLACK = Decimal("1e-9")
"""A limit on a weight is met within this: a whole lot may be that far over by rounding."""
FILTERS_OF_DATES = ("eligibility", "recently_traded")
SIZING = "sizing"
NOTIONAL_BASE = "notional in base = quantity x price x multiplier x rate"
PARTS_OF_COST = ("commission", "spread", "fx", "total")
OF_ITS_CANDIDATE = ("symbol", "side", "currency", "tags")


def check_orders(book: Book, tally: Tally) -> None:
    """The candidate table, the steps, and what became of every candidate."""
    top = tally.at("", book.doc)
    first = {**book.holdings}
    for n, row in enumerate(book.doc["candidates"]):
        _candidate(book, row, tally.at(f"candidates[{n}]", row), first)
    for n, step in enumerate(book.steps):
        _step(book, step, n, tally.at(f"steps[{n}]", step))
    _together(book, top)
    _totals(book, tally)
    _conversions(book, top)
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
    _order(book, row, holding, place)


def _order(book: Book, order: Record, holding: Record, place: Place) -> None:
    """What binds an order by itself, whatever else is traded."""
    quantity, whole, lot = order["quantity"], holding["quantity"], holding["lot_size"]
    side, amount = order["side"], order["notional_base"]
    exits = side == SELL and quantity == whole
    place.rule("quantity", quantity > 0, "more than 0", "an order is for something")
    in_lots, due = exits or quantity % lot == 0, f"a multiple of {lot}, or {whole}"
    place.rule("quantity", in_lots, due, "whole lots, or the whole holding")
    least = book.doc["rules"]["min_order_base"]
    enough = exits or amount >= least * (1 - WEIGHT_SLACK)
    place.rule("notional_base", enough, at_least(least), "the least order, full exits exempt")
    allowed = bool(book.limits[f"allow_{side}"] and holding[f"allow_{side}"])
    place.rule("side", allowed, "an allowed side", "strategy and security allow the side")
    before = book.weight(holding["value"])
    target = holding["target"]
    if side == SELL:
        sellable, after = holding["sellable"], before - book.weight(amount)
        place.rule("quantity", quantity <= sellable, at_most(sellable), "no more than may be sold")
        least_weight = target or ZERO
        over = after >= least_weight - WEIGHT_SLACK or book.overdrawn
        place.rule(
            "quantity", over, at_least(least_weight), "no sale goes under the target but for a debt"
        )
        waits = bool(book.unpriced) and target == 0
        name = "nothing is sold for having no target while another cannot be bought"
        place.rule("side", not waits, f"a price of {', '.join(book.unpriced)}", name)
    else:
        after = before + book.weight(amount)
        if target is not None:
            under = after <= target + WEIGHT_SLACK
            place.rule("quantity", under, at_most(target), "no buy goes over the target")
        if holding["product_type"] not in EXEMPT:
            cap = max(book.limits["max_position_weight"], target or ZERO, before)
            fits = after <= cap + WEIGHT_SLACK
            place.rule(
                "quantity",
                fits,
                at_most(cap),
                "the position cap, the target over it, or the weight before",
            )
    _dates(book, order, holding, place)
    _panic(book, order, holding, place)


def _dates(book: Book, order: Record, holding: Record, place: Place) -> None:
    """The holding time and the cooldowns of the strategy, where they are on."""
    bought, sold = (_days(book, holding[key]) for key in ("last_bought", "last_sold"))
    hold = _wait(book.filters.get("eligibility"), "min_hold_days")
    again = _wait(book.filters.get("recently_traded"), f"{order['side']}_cooldown_days")
    opposite = _wait(book.filters.get("recently_traded"), "opposite_days", included=True)
    same, other = (sold, bought) if order["side"] == SELL else (bought, sold)
    waits = [
        ("days between orders of one side", same, again),
        ("days between orders of opposite sides", other, opposite),
        *([("days from the last buy to a sale", bought, hold)] if order["side"] == SELL else []),
    ]
    for name, days, wait in waits:
        if days is not None and wait:
            place.rule("side", days >= wait, f"{wait} days, not {days}", name)


def _panic(book: Book, order: Record, holding: Record, place: Place) -> None:
    """No sale too far below the average cost, where the strategy asks and every cost is known."""
    share = number_of((book.filters.get("eligibility") or {}).get("no_panic_sell_pct"))
    lots, quantity = holding["lots"], holding["quantity"]
    unknown = None in [lot["unit_cost"] for lot in lots]
    if share is None or order["side"] != SELL or not quantity or unknown:
        return
    average = sum((lot["unit_cost"] * lot["quantity"] for lot in lots), ZERO) / quantity
    least = average * (1 - share)
    dear = holding["price"] >= least * (1 - WEIGHT_SLACK)
    place.rule("side", dear, f"a price of {at_least(least)}", "no sale at a deep loss")


def _wait(params: Any, name: str, *, included: bool = False) -> int:
    """Days that a filter asks for; 0 when it is off. `included` also asks for the last of them."""
    days = params.get(name) if isinstance(params, dict) else None
    return days + included if isinstance(days, int) else 0


def _days(book: Book, then: Any) -> int | None:
    return None if then is None else int((book.doc["as_of"] - then).days)


def _step(book: Book, step: Record, n: int, place: Place) -> None:
    place.same("n", n + 1, "steps are numbered")
    notional = step["quantity"] * step["price"] * step["multiplier"]
    place.amount("notional", notional, "notional = quantity x price x multiplier")
    amount = notional * step["fx_rate"]
    place.amount("notional_base", amount, NOTIONAL_BASE)
    costs = place.tally.at(f"{place.where}.costs", step["costs"])
    for part, due in book.cost_of(amount, step["currency"]).items():
        costs.amount(part, due, f"{part} by the rules")
    row = book.candidates.get(step["candidate"])
    place.rule("candidate", row is not None, "an id of the table", "a step is a candidate")
    if row is not None:
        for key in OF_ITS_CANDIDATE:
            place.same(key, row[key], f"{key} of the candidate")
        for key in ("quantity", "price", "multiplier", "fx_rate", "notional_base"):
            place.amount(key, row[key], f"{key} of the candidate")
        costs.amount("total", row["cost"], "cost of the candidate")
        place.same("proposed_by", row["sources"], "who proposed the candidate")
    holding = book.holdings.get(step["symbol"])
    place.rule("symbol", holding is not None, "a symbol of the holdings", "a step is listed")
    if holding is not None:
        _in_holding(book, step, holding, place)
        _order(book, step, holding, place)
        _lots(step, holding, place)


def _in_holding(book: Book, step: Record, holding: Record, place: Place) -> None:
    for key in ("name", "currency", "price_source", "price_on", "price_unit"):
        place.same(key, holding[key], f"{key} of the holding")
    place.amount("price", holding["price"], "price of the holding")
    before = book.weight(holding["value"])
    place.number("weight_before", before, "weight before = value / portfolio value")
    after = before - book.weight(signed(step))
    place.number("weight_after", after, "weight after = weight before + order / value")


def _lots(step: Record, holding: Record, place: Place) -> None:
    """A sale takes the oldest lots, and as many as it is for."""
    due = oldest_first(holding["lots"], step["quantity"]) if step["side"] == SELL else []
    count, where = len(step["lots"]), f"{place.where}.lots"
    place.tally.rule(where, len(due) == count, len(due), count, "lots sold")
    for n, ((lot, quantity), row) in enumerate(zip(due, step["lots"], strict=False)):
        at = place.tally.at(f"{where}[{n}]", row)
        at.same("acquired", lot["acquired"], "the oldest lots are sold")
        at.amount("quantity", quantity, "quantity of a lot sold")
        at.amount("unit_cost", lot["unit_cost"], "unit cost of a lot sold")
        due_gain = gain(lot, quantity, holding)
        at.amount("gain", due_gain, "gain = (price - cost) x multiplier x quantity x rate")
    if step["side"] == SELL:
        sold = sum((lot["quantity"] for lot in step["lots"]), ZERO)
        place.amount("quantity", sold, "the lots sold are the order")


def _together(book: Book, top: Place) -> None:
    """What binds the steps as a list."""
    doc, steps, tally = book.doc, book.steps, top.tally
    depth, count = doc["rules"]["max_depth"], len(steps)
    tally.rule("steps", count <= depth, f"at most {depth}", count, "at most so many orders")
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
    cap = book.limits["max_turnover_weight"]
    if cap is not None:
        fits = doc["turnover"] <= cap + WEIGHT_SLACK
        top.rule("turnover", fits, at_most(cap), "the turnover cap")
    if book.limits["max_group_weight"] is not None:
        why = "the document does not hold the sectors and countries of the securities"
        tally.skip("sector and country caps", why)


def _totals(book: Book, tally: Tally) -> None:
    place = tally.at("costs", book.doc["costs"])
    for part in PARTS_OF_COST:
        due = sum((step["costs"][part] for step in book.steps), ZERO)
        place.amount(part, due, f"{part} of all steps")
    rate = book.settings["score"]["tax_rate"]
    sold = [step for step in book.steps if step["side"] == SELL]
    sales = [book.taxed_gain(step["symbol"], step["quantity"]) for step in sold]
    counted = bool(rate) and all(every for _, every in sales)
    tax = rate * sum((taxed for taxed, _ in sales), ZERO) if counted else None
    place.amount("tax", tax, "tax = rate x gains of the lots sold")


def _conversions(book: Book, top: Place) -> None:
    """Every foreign order converts its whole notional at the rate of the plan."""
    base = book.doc["base_currency"]
    foreign = [step for step in book.steps if step["currency"] != base]
    due, count = len(foreign), len(book.doc["conversions"])
    top.tally.rule("conversions", due == count, due, count, "one conversion per foreign order")
    for n, (step, row) in enumerate(zip(foreign, book.doc["conversions"], strict=False)):
        place, sells = top.tally.at(f"conversions[{n}]", row), step["side"] == SELL
        place.same("from", step["currency"] if sells else base, "converted from")
        place.same("to", base if sells else step["currency"], "converted to")
        notional = step["quantity"] * step["price"] * step["multiplier"]
        amount = notional * (ONE if sells else step["fx_rate"])
        place.amount("amount", amount, "the whole order is converted")
        rate = step["fx_rate"] if sells else 1 / step["fx_rate"]
        place.amount("rate", rate, "rate of the conversion")
        place.amount("cost", step["costs"]["fx"], "cost of the conversion")


def _ends(book: Book, tally: Tally) -> None:
    """Every candidate is a step or is said not to be traded, once; what is said is of it."""
    stops = book.doc["not_traded"]
    ends = Counter(step["candidate"] for step in book.steps)
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
    least = max(limits["min_trade_base"], limits["min_trade_weight"] * value)
    spare = limits["max_cost_share"] - costs["percent"]
    if spare > 0:
        least = max(least, costs["fixed"] / spare)
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
