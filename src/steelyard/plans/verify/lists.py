"""What binds an order by itself, and what binds the orders of a list together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from steelyard.plans.verify.book import (
    BUY,
    EXEMPT,
    HALF,
    PROFITS,
    SEARCH,
    SELL,
    SETTLED,
    STOP,
    ZERO,
    Book,
    signed,
)
from steelyard.plans.verify.tally import (
    AMOUNT_SLACK,
    NUMBER_SLACK,
    Place,
    Record,
    Tally,
    at_least,
    at_most,
    number_of,
)

WEIGHT_SLACK = Decimal("1e-9")
"""A limit on a weight is met within this: a whole lot may be that far over by rounding."""
TARGET_SLACK = Decimal("1e-11")
"""Of a target that was published with 12 significant digits."""
CROSSES = "no order passes its target by half a lot, and a tie does not cross"
RAISES = "an order that passes its target raises no drift"


def check_order(book: Book, order: Record, holding: Record, place: Place) -> None:
    """What binds an order by itself, whatever else is traded."""
    quantity, whole, lot = order["quantity"], holding["quantity"], holding["lot_size"]
    side, amount = order["side"], order["notional_base"]
    exits = side == SELL and quantity == whole
    place.rule("quantity", quantity > 0, "more than 0", "an order is for something")
    in_lots, due = exits or quantity % lot == 0, f"a multiple of {lot}, or {whole}"
    place.rule("quantity", in_lots, due, "whole lots, or the whole holding")
    least = book.least(order)
    raises = side == SELL and book.is_short  # whatever its size and its dates
    enough = exits or raises or amount >= least * (1 - WEIGHT_SLACK)
    place.rule("notional_base", enough, at_least(least), "the least order, full exits exempt")
    allowed = bool(book.limits[f"allow_{side}"] and holding[f"allow_{side}"])
    place.rule("side", allowed, "an allowed side", "strategy and security allow the side")
    over = passes(book, order, holding)
    if over is not None and not raises:
        most = HALF * book.weight(holding["lot_value"])
        fits = over < most or (over != most and over <= most + TARGET_SLACK)
        place.rule("quantity", fits, f"less than {most:.6g} of value past it", CROSSES)
    (_sale if side == SELL else _buy)(book, order, holding, place)
    if not raises and not _stops(book, order):
        _dates(book, order, holding, place)
    _panic(book, order, holding, place)


def passes(book: Book, order: Record, holding: Record) -> Decimal | None:
    """By how much weight an order ends beyond its target, on pre-trade prices; None: it has none.

    Below 0 where it stops short of it. What is sold and has no target aims at nothing.
    """
    target = holding["target"]
    if target is None and order["side"] == BUY:
        return None
    after = book.weight(holding["value"] - signed(order))
    off = after - (target or ZERO)
    return Decimal(off if order["side"] == BUY else -off)


def _sale(book: Book, order: Record, holding: Record, place: Place) -> None:
    sellable = holding["sellable"]
    fits = order["quantity"] <= sellable
    place.rule("quantity", fits, at_most(sellable), "no more than may be sold")
    classed = holding["class_name"] in {row["name"] for row in book.doc["classes"]}
    waits = bool(book.unpriced) and holding["target"] == 0 and not classed
    name = "nothing is sold for having no target while another cannot be bought"
    place.rule("side", not waits, f"a price of {', '.join(book.unpriced)}", name)


def _buy(book: Book, order: Record, holding: Record, place: Place) -> None:
    if holding["product_type"] in EXEMPT:
        return
    before, amount = book.weight(holding["value"]), order["notional_base"]
    cap = max(book.limits["max_position_weight"], holding["target"] or ZERO, before)
    fits = before + book.weight(amount) <= cap + WEIGHT_SLACK
    name = "the position cap, the target over it, or the weight before"
    place.rule("quantity", fits, at_most(cap), name)


def _stops(book: Book, order: Record) -> bool:
    """Is it a sale at a trailing stop, which no date holds up? By a strategy that has one."""
    if order["side"] != SELL or STOP not in order["tags"]:
        return False
    who = {*order.get("proposed_by", ()), *order.get("sources", ())}
    return book.trails or bool(who - {PROFITS, SEARCH})


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
    if share is None or order["side"] != SELL or not quantity:
        return
    if None in [lot["unit_cost"] for lot in lots]:
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


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the orders of a list, base currency.

    traded   buys and sales
    flow     sales less buys, before costs
    cost     of all orders, as if foreign ones converted whole
    due      what sales cost beyond what they bring, and all that buys take: at most 0
    """

    count: int
    traded: Decimal
    flow: Decimal
    cost: Decimal
    due: Decimal

    def plus(self, order: Record, cost: Decimal, times: int) -> Totals:
        """With an order, or (times = -1) without it."""
        moved = signed(order)
        return Totals(
            self.count + times,
            self.traded + times * order["notional_base"],
            self.flow + times * moved,
            self.cost + times * cost,
            self.due + times * min(moved - cost, ZERO),
        )


def totals(orders: Iterable[tuple[Record, Decimal]]) -> Totals:
    """Of orders, each with its cost."""
    whole = Totals(0, ZERO, ZERO, ZERO, ZERO)
    for order, cost in orders:
        whole = whole.plus(order, cost, 1)
    return whole


def check_list(book: Book, whole: Totals, tally: Tally, where: str = "") -> None:
    """The limits of a list; `where` of what is checked, empty for the plan."""
    most, cap = book.doc["rules"]["max_orders"], book.limits["max_turnover_weight"]
    if most is not None:
        at, fits = where or "steps", whole.count <= most
        tally.rule(at, fits, at_most(most), whole.count, "at most so many orders")
    turnover = book.weight(whole.traded) * HALF
    if cap is not None:
        fits = turnover <= cap + WEIGHT_SLACK
        tally.rule(where or "turnover", fits, at_most(cap), turnover, "the turnover cap")
    if whole.count:
        settled = book.limits["funding"] == SETTLED
        # what a sale brings is not settled yet; what its costs take beyond that is due
        money = book.spendable + (whole.due if settled else whole.flow - whole.cost)
        money += AMOUNT_SLACK
        pays = "settled money alone pays" if settled else "money that is there pays"
        name = f"{pays}, the reserve stays, or what there was, and open buys keep theirs"
        fits = money >= book.least_cash
        tally.rule(where or "cash_after", fits, at_least(book.least_cash), money, name)


def drift_without(book: Book, order: Record, moved: Decimal, cash_off: Decimal) -> Decimal:
    """Drift of a list with an order smaller by a weight, less drift with it, fractions of value.

    moved      what would not be traded, above 0 for a sale; the whole order drops it
    cash_off   weight of cash after the list, before costs, less its target
    """
    holding = book.holdings[order["symbol"]]
    weight = book.weight(holding["value"] - signed(order))
    off = weight - (holding["target"] or ZERO)
    change = abs(off + moved) + abs(cash_off - moved) - abs(off) - abs(cash_off)
    return HALF * change


def check_crossings(
    book: Book, orders: Iterable[Record], cash_off: Decimal, tally: Tally, where: str
) -> None:
    """An order that ends past its target may not raise the drift of its list, cash included.

    It is held against the same order one lot smaller, which ends before the target.
    """
    for order in orders:
        holding = book.holdings[order["symbol"]]
        over = passes(book, order, holding)
        exits = order["side"] == SELL and order["quantity"] == holding["quantity"]
        if over is None or over <= TARGET_SLACK or exits:
            continue
        if order["side"] == SELL and book.is_short:
            continue  # what is owed is paid
        lot = book.weight(holding["lot_value"]) * (1 if order["side"] == SELL else -1)
        takes = drift_without(book, order, lot, cash_off)
        due = f"no more drift than one lot less of {order['symbol']}"
        tally.rule(where, takes >= -NUMBER_SLACK, due, -takes, RAISES)
