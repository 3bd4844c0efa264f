"""The second half of a plan: its orders in lots, its money, and where both halves end."""

from __future__ import annotations

from decimal import Decimal

from steelyard.plans.verify.account import weekdays_after
from steelyard.plans.verify.book import BUY, HALF, SELL, SETTLED, ZERO, Book, signed
from steelyard.plans.verify.tally import Record, Tally, at_least


def check_second_half(book: Book, tally: Tally) -> None:
    """Where there is one: this plan only sells, and the money of its sales pays for it."""
    half = book.doc["second_half"]
    if half is None:
        return
    place = tally.at("second_half", half)
    sells = bool(book.steps) and all(step["side"] == SELL for step in book.steps)
    alone = sells and book.limits["funding"] == SETTLED
    tally.rule("second_half", alone, "sales that wait", "others", "half a plan only sells")
    settles = weekdays_after(book.doc["as_of"], book.limits["settlement_days"])
    place.same("on", settles, "the day on which the sales have settled")
    buys = any(step["side"] == BUY for step in half["steps"])
    tally.rule("second_half.steps", buys, "a buy", "none", "the second half buys")
    costs = [_cost(book, step, n, tally) for n, step in enumerate(half["steps"])]
    if None in costs:
        return
    cost = sum((amount for amount in costs if amount is not None), ZERO)
    place.amount("cost", cost, "cost of the second half")
    rest = book.in_base(book.doc["cash_after"]) + book.flow(half["steps"]) - cost
    least = min(ZERO, book.in_base(book.doc["cash_after"]))
    tally.rule("second_half.cost", rest >= least, at_least(least), rest, "there is money for it")
    place.number("drift_after", _drift(book, half["steps"]), "drift after both halves")


def _cost(book: Book, step: Record, n: int, tally: Tally) -> Decimal | None:
    """Of one order; None for what the document does not hold."""
    where, holding = f"second_half.steps[{n}]", book.holdings.get(step["symbol"])
    order = book.order(step["symbol"], step["side"], step["quantity"])
    if order is None or holding is None:
        what = "a second half that buys what is neither held nor targeted"
        tally.skip(what, "the document does not hold its price")
        return None
    place = tally.at(where, step)
    place.amount("notional_base", order["notional_base"], "notional at the prices of the plan")
    lots = step["quantity"] % holding["lot_size"] == 0
    whole = step["side"] == SELL and step["quantity"] == _left(book, step["symbol"])
    place.rule("quantity", lots or whole, "whole lots", "whole lots, or all that is left")
    allowed = bool(book.limits[f"allow_{step['side']}"] and holding[f"allow_{step['side']}"])
    place.rule("side", allowed, "an allowed side", "strategy and security allow the side")
    return book.cost_of(order["notional_base"], holding["currency"])["total"]


def _left(book: Book, symbol: str) -> Decimal:
    """Shares after the first half."""
    rows = [row["quantity"] for row in book.doc["holdings_after"] if row["symbol"] == symbol]
    return Decimal(rows[0]) if rows else ZERO


def _drift(book: Book, later: list[Record]) -> Decimal:
    """Half the sum of distances from target after the orders of both halves."""
    moves: dict[str, Decimal] = {}
    for order in (*book.steps, *later):
        moves[order["symbol"]] = moves.get(order["symbol"], ZERO) - book.weight(signed(order))
    off = [
        abs(book.weight(row["value"]) + moves.get(symbol, ZERO) - (row["target"] or ZERO))
        for symbol, row in book.holdings.items()
    ]
    cash = book.cash_before + book.flow(book.steps) + book.flow(later)
    off += [abs(book.weight(cash) - book.target_cash)]
    off += [abs(book.weight(row["value"])) for row in book.kept_out]
    return Decimal(HALF * (sum(off, ZERO) + book.doc["drift"]["absent_target"]))
