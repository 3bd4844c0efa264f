"""Every order, possible or chosen: amounts, costs, lots, limits, masks, lots sold, conversions, and
where each ends.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import Any

from steelyard.plans.verify.book import (
    BUY,
    NO_APPETITE,
    ONE,
    SELL,
    STORM,
    ZERO,
    Book,
    gain,
    oldest_first,
    signed,
)
from steelyard.plans.verify.tally import Record, Tally, at_least, at_most

WEIGHT_SLACK = Decimal("1e-9")
"""A limit on a weight is met within this: a whole lot may be that far over by rounding."""
FILTERS_OF_DATES = ("eligibility", "recently_traded")
SIZING = "sizing"
PARTS_OF_COST = ("commission", "spread", "fx", "total")


def check_orders(book: Book, tally: Tally) -> None:
    """The candidate table, the steps, and what became of every candidate."""
    prices = {symbol: holding["price"] for symbol, holding in book.holdings.items()}
    for n, row in enumerate(book.doc["candidates"]):
        _candidate(book, row, f"candidates[{n}]", prices, tally)
    for n, step in enumerate(book.steps):
        _step(book, step, n, tally)
    _together(book, tally)
    _totals(book, tally)
    _conversions(book, tally)
    _ends(book, tally)
    _least_order(book, tally)
    _pauses(book, tally)
    _filters_left_out(book, tally)


def _candidate(
    book: Book, row: Record, where: str, prices: dict[str, Decimal], tally: Tally
) -> None:
    price = prices.setdefault(row["symbol"], row["price"])
    tally.amount("one price for one security", f"{where}.price", price, row["price"])
    amount = row["quantity"] * row["price"] * row["fx_rate"]
    tally.amount(
        "notional in base = quantity x price x rate",
        f"{where}.notional_base",
        amount,
        row["notional_base"],
    )
    tally.amount(
        "cost = commission + half spread + conversion",
        f"{where}.cost",
        book.cost_of(amount, row["currency"])["total"],
        row["cost"],
    )
    tally.rule(
        "a priority is 0 to 1",
        f"{where}.priority",
        0 <= row["priority"] <= 1,
        "0 to 1",
        row["priority"],
    )
    holding = book.holdings.get(row["symbol"])
    if holding is None:
        tally.skip(
            "lots, caps and flags of candidates that are neither held nor targeted",
            "the document describes them only where they are traded",
        )
        tally.same("what is not held cannot be sold", f"{where}.side", BUY, row["side"])
        return
    tally.same(
        "one currency for one security", f"{where}.currency", holding["currency"], row["currency"]
    )
    _order(book, row, holding, where, tally)


def _order(book: Book, order: Record, holding: Record, where: str, tally: Tally) -> None:
    """What binds an order by itself, whatever else is traded."""
    quantity, held, lot = order["quantity"], holding["quantity"], holding["lot_size"]
    exits = order["side"] == SELL and quantity == held
    tally.rule(
        "an order is for something", f"{where}.quantity", quantity > 0, "more than 0", quantity
    )
    tally.rule(
        "whole lots, or the whole holding",
        f"{where}.quantity",
        exits or quantity % lot == 0,
        f"a multiple of {lot}, or {held}",
        quantity,
    )
    amount, least = order["notional_base"], book.doc["rules"]["min_order_base"]
    tally.rule(
        "the least order, full exits exempt",
        f"{where}.notional_base",
        exits or amount >= least * (1 - WEIGHT_SLACK),
        at_least(least),
        amount,
    )
    allowed = bool(book.limits[f"allow_{order['side']}"] and holding[f"allow_{order['side']}"])
    tally.rule(
        "strategy and security allow the side",
        f"{where}.side",
        allowed,
        "a side that is allowed",
        order["side"],
    )
    before = book.weight(holding["value"])
    if order["side"] == SELL:
        tally.rule(
            "no more than may be sold",
            f"{where}.quantity",
            quantity <= holding["sellable"],
            at_most(holding["sellable"]),
            quantity,
        )
        after = before - book.weight(amount)
        _towards(after, holding["target"] or ZERO, order, where, tally)
    else:
        after = before + book.weight(amount)
        if holding["target"] is not None:
            _towards(after, holding["target"], order, where, tally)
        if not holding["is_fund"]:
            cap = max(book.limits["max_position_weight"], before)
            tally.rule(
                "the position cap, or the weight before",
                f"{where}.quantity",
                after <= cap + WEIGHT_SLACK,
                at_most(cap),
                after,
            )
    _dates(book, order, holding, where, tally)
    _panic(book, order, holding, where, tally)


def _towards(after: Decimal, target: Decimal, order: Record, where: str, tally: Tally) -> None:
    """A sale stops at the target from above, a buy from below."""
    if order["side"] == SELL:
        tally.rule(
            "no sale goes under the target",
            f"{where}.quantity",
            after >= target - WEIGHT_SLACK,
            at_least(target),
            after,
        )
    else:
        tally.rule(
            "no buy goes over the target",
            f"{where}.quantity",
            after <= target + WEIGHT_SLACK,
            at_most(target),
            after,
        )


def _dates(book: Book, order: Record, holding: Record, where: str, tally: Tally) -> None:
    """The holding time and the cooldowns of the strategy, where they are on."""
    bought, sold = (_days(book, holding[key]) for key in ("last_bought", "last_sold"))
    held = _wait(book.filters.get("eligibility"), "min_hold_days")
    again = _wait(book.filters.get("recently_traded"), f"{order['side']}_cooldown_days")
    opposite = _wait(book.filters.get("recently_traded"), "opposite_days", included=True)
    same, other = (sold, bought) if order["side"] == SELL else (bought, sold)
    waits = [
        ("days between orders of one side", same, again),
        ("days between orders of opposite sides", other, opposite),
    ]
    if order["side"] == SELL:
        waits.append(("days from the last buy to a sale", bought, held))
    for name, days, wait in waits:
        if days is not None and wait:
            tally.rule(name, f"{where}.side", days >= wait, f"at least {wait}", days)


def _panic(book: Book, order: Record, holding: Record, where: str, tally: Tally) -> None:
    """No sale of what is too far below its average cost, where the strategy asks for that and every
    cost is known.
    """
    share = (book.filters.get("eligibility") or {}).get("no_panic_sell_pct")
    lots = holding["lots"]
    if (
        not isinstance(share, int | float)
        or order["side"] != SELL
        or not holding["quantity"]
        or None in [lot["unit_cost"] for lot in lots]
    ):
        return
    average = sum((lot["unit_cost"] * lot["quantity"] for lot in lots), ZERO) / holding["quantity"]
    least = average * (1 - Decimal(repr(share)))
    tally.rule(
        "no sale at a deep loss",
        f"{where}.side",
        holding["price"] >= least * (1 - WEIGHT_SLACK),
        at_least(least),
        holding["price"],
    )


def _wait(params: Any, name: str, *, included: bool = False) -> int:
    """Days that a filter asks for; 0 when it is off. `included` also asks for the last of them."""
    days = params.get(name) if isinstance(params, dict) else None
    return days + included if isinstance(days, int) else 0


def _days(book: Book, then: Any) -> int | None:
    return None if then is None else int((book.doc["as_of"] - then).days)


def _step(book: Book, step: Record, n: int, tally: Tally) -> None:
    where = f"steps[{n}]"
    tally.same("steps are numbered", f"{where}.n", n + 1, step["n"])
    tally.amount(
        "notional = quantity x price",
        f"{where}.notional",
        step["quantity"] * step["price"],
        step["notional"],
    )
    amount = step["quantity"] * step["price"] * step["fx_rate"]
    tally.amount(
        "notional in base = quantity x price x rate",
        f"{where}.notional_base",
        amount,
        step["notional_base"],
    )
    for part, due in book.cost_of(amount, step["currency"]).items():
        tally.amount(f"{part} by the rules", f"{where}.costs.{part}", due, step["costs"][part])
    row = book.candidates.get(step["candidate"])
    tally.rule(
        "a step is a candidate",
        f"{where}.candidate",
        row is not None,
        "an id of the table",
        step["candidate"],
    )
    if row is not None:
        _is_candidate(step, row, where, tally)
    holding = book.holdings.get(step["symbol"])
    tally.rule(
        "a step is in a security that is listed",
        f"{where}.symbol",
        holding is not None,
        "a symbol of the holdings",
        step["symbol"],
    )
    if holding is not None:
        _in_holding(book, step, holding, where, tally)
        _order(book, step, holding, where, tally)
        _lots(step, holding, where, tally)


def _is_candidate(step: Record, row: Record, where: str, tally: Tally) -> None:
    for key in ("symbol", "side", "currency"):
        tally.same(f"{key} of the candidate", f"{where}.{key}", row[key], step[key])
    for key in ("quantity", "price", "fx_rate", "notional_base"):
        tally.amount(f"{key} of the candidate", f"{where}.{key}", row[key], step[key])
    tally.amount(
        "cost of the candidate", f"{where}.costs.total", row["cost"], step["costs"]["total"]
    )
    tally.same(
        "who proposed the candidate", f"{where}.proposed_by", row["sources"], step["proposed_by"]
    )


def _in_holding(book: Book, step: Record, holding: Record, where: str, tally: Tally) -> None:
    for key in ("name", "currency"):
        tally.same(f"{key} of the holding", f"{where}.{key}", holding[key], step[key])
    tally.amount("price of the holding", f"{where}.price", holding["price"], step["price"])
    before = book.weight(holding["value"])
    tally.number(
        "weight before = value / portfolio value",
        f"{where}.weight_before",
        before,
        step["weight_before"],
    )
    after = before - book.weight(signed(step))
    tally.number(
        "weight after = weight before + order / portfolio value",
        f"{where}.weight_after",
        after,
        step["weight_after"],
    )


def _lots(step: Record, holding: Record, where: str, tally: Tally) -> None:
    """A sale takes the oldest lots."""
    due = oldest_first(holding["lots"], step["quantity"]) if step["side"] == SELL else []
    tally.same("lots sold", f"{where}.lots", len(due), len(step["lots"]))
    for n, ((lot, taken), found) in enumerate(zip(due, step["lots"], strict=False)):
        at = f"{where}.lots[{n}]"
        tally.same("the oldest lots are sold", f"{at}.acquired", lot["acquired"], found["acquired"])
        tally.amount("quantity of a lot sold", f"{at}.quantity", taken, found["quantity"])
        tally.amount(
            "unit cost of a lot sold", f"{at}.unit_cost", lot["unit_cost"], found["unit_cost"]
        )
        tally.amount(
            "gain = (price - cost) x quantity x rate",
            f"{at}.gain",
            gain(lot, taken, holding),
            found["gain"],
        )
    sold = sum((lot["quantity"] for lot in step["lots"]), ZERO)
    if step["side"] == SELL:
        tally.amount("the lots sold are the order", f"{where}.lots", step["quantity"], sold)


def _together(book: Book, tally: Tally) -> None:
    """What binds the steps as a list."""
    doc, steps = book.doc, book.steps
    depth = doc["rules"]["max_depth"]
    tally.rule(
        "at most so many orders", "steps", len(steps) <= depth, f"at most {depth}", len(steps)
    )
    for symbol, count in Counter(step["symbol"] for step in steps).items():
        tally.same("one order per security", f"steps: {symbol}", 1, count)
    for first, then in pairwise(steps):
        at, in_order = f"steps[{then['n'] - 1}]", (first["side"], then["side"]) != (BUY, SELL)
        tally.rule("sells come before buys", f"{at}.side", in_order, "sells first", then["side"])
        if first["side"] == then["side"]:
            smaller = then["notional_base"] <= first["notional_base"] * (ONE + WEIGHT_SLACK)
            tally.rule(
                "larger orders first",
                f"{at}.notional_base",
                smaller,
                at_most(first["notional_base"]),
                then["notional_base"],
            )
    traded = sum((step["notional_base"] for step in steps), ZERO)
    tally.number(
        "turnover = half of all orders / value",
        "turnover",
        book.weight(traded) / 2,
        doc["turnover"],
    )
    cap = book.limits["max_turnover_weight"]
    if cap is not None:
        tally.rule(
            "the turnover cap",
            "turnover",
            doc["turnover"] <= cap + WEIGHT_SLACK,
            at_most(cap),
            doc["turnover"],
        )
    if book.limits["max_group_weight"] is not None:
        tally.skip(
            "sector and country caps",
            "the document does not hold the sectors and countries of the securities",
        )


def _totals(book: Book, tally: Tally) -> None:
    for part in PARTS_OF_COST:
        due = sum((step["costs"][part] for step in book.steps), ZERO)
        tally.amount(f"{part} of all steps", f"costs.{part}", due, book.doc["costs"][part])
    rate = book.score_settings["tax_rate"]
    sales = [
        book.taxed_gain(step["symbol"], step["quantity"])
        for step in book.steps
        if step["side"] == SELL
    ]
    known = bool(rate) and all(every for _, every in sales)
    due_tax = rate * sum((taxed for taxed, _ in sales), ZERO) if known else None
    tally.amount(
        "tax = rate x gains of the lots sold", "costs.tax", due_tax, book.doc["costs"]["tax"]
    )


def _conversions(book: Book, tally: Tally) -> None:
    """Every foreign order converts its whole notional at the rate of the plan."""
    base = book.doc["base_currency"]
    foreign = [step for step in book.steps if step["currency"] != base]
    tally.same(
        "one conversion for each foreign order",
        "conversions",
        len(foreign),
        len(book.doc["conversions"]),
    )
    for n, (step, found) in enumerate(zip(foreign, book.doc["conversions"], strict=False)):
        where, sells = f"conversions[{n}]", step["side"] == SELL
        tally.same(
            "converted from", f"{where}.from", step["currency"] if sells else base, found["from"]
        )
        tally.same("converted to", f"{where}.to", base if sells else step["currency"], found["to"])
        amount = step["quantity"] * step["price"] * (ONE if sells else step["fx_rate"])
        tally.amount("the whole order is converted", f"{where}.amount", amount, found["amount"])
        tally.amount(
            "rate of the conversion",
            f"{where}.rate",
            step["fx_rate"] if sells else 1 / step["fx_rate"],
            found["rate"],
        )
        tally.amount("cost of the conversion", f"{where}.cost", step["costs"]["fx"], found["cost"])


def _ends(book: Book, tally: Tally) -> None:
    """Every candidate is a step or is said not to be traded, once; what is said of it is of it."""
    ends = Counter(step["candidate"] for step in book.steps)
    ends.update(
        stop["candidate"] for stop in book.doc["not_traded"] if stop["candidate"] is not None
    )
    for row_id, count in Counter(row["id"] for row in book.doc["candidates"]).items():
        tally.same("a candidate stands once in the table", f"candidates: {row_id}", 1, count)
        tally.same("a candidate ends once", f"candidates: {row_id}", 1, ends.pop(row_id, 0))
    for unknown in ends:
        tally.rule(
            "only candidates are not traded",
            f"not_traded: {unknown}",
            False,
            "an id of the table",
            unknown,
        )
    for n, stop in enumerate(book.doc["not_traded"]):
        row = book.candidates.get(stop["candidate"])
        if row is not None:
            due, found = (row["symbol"], row["side"]), (stop["symbol"], stop["side"])
            tally.same("symbol and side of the candidate", f"not_traded[{n}]", due, found)


def _least_order(book: Book, tally: Tally) -> None:
    """The least order: by money, by weight, and so that its fixed commission stays a small share of
    it.
    """
    limits, costs = book.limits, book.costs
    value = book.value if book.value > 0 else ONE
    least = max(limits["min_trade_base"], limits["min_trade_weight"] * value)
    spare = limits["max_cost_share"] - costs["percent"]
    if spare > 0:
        least = max(least, costs["fixed"] / spare)
    tally.number(
        "the least order by the rules",
        "rules.min_order_base",
        least,
        book.doc["rules"]["min_order_base"],
    )


def _pauses(book: Book, tally: Tally) -> None:
    """Where buys are said to be stopped altogether there is none, and the number that stops them is
    beyond its limit.
    """
    limit = book.limits["pause_volatility_ratio"]
    for n, stop in enumerate(book.doc["not_traded"]):
        if stop["stage"] != SIZING or stop["rule"] not in {STORM, NO_APPETITE}:
            continue
        where, value = f"not_traded[{n}]", stop["value"]
        buys = [row["id"] for row in book.doc["candidates"] if row["side"] == BUY]
        tally.same("where buys are paused there is none", where, [], buys)
        if stop["rule"] == STORM:
            tally.number(
                "the pause of buys is as the strategy sets it",
                f"{where}.limit",
                limit,
                stop["limit"],
            )
            over = None not in (value, limit) and value > limit
            tally.rule(
                "buys pause over the limit alone",
                f"{where}.value",
                over,
                f"more than {limit}",
                value,
            )
        else:
            tally.number(
                "a bucket that buys nothing has no appetite", f"{where}.value", ZERO, value
            )
    if limit is not None:
        tally.skip(
            "limits.pause_volatility_ratio where it stops nothing",
            "the document does not hold the volatility of the market",
        )


def _filters_left_out(book: Book, tally: Tally) -> None:
    """Filters that need what the document does not hold."""
    for name, params in book.filters.items():
        if name not in FILTERS_OF_DATES:
            tally.skip(f"filter {name}", "the document does not hold what it looks at")
            continue
        if params.get("on_missing") == "deny":
            tally.skip(
                f"{name}: on_missing",
                "whether an unknown date was denied is not derived, only known dates",
            )
