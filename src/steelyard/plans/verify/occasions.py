"""What is traded whatever the score gains: new money, by its rule, in decimals."""

from __future__ import annotations

from decimal import Decimal

from steelyard.plans.verify.book import ASKED_FOR, BANDS, BUY, FUNDING, NEW_MONEY, ZERO, Book
from steelyard.plans.verify.tally import Record, Tally, at_least, at_most

NOTICED = Decimal("0.005")
"""Of value: less cash over its target that nobody brought is not new money."""
SHORTFALL = "shortfall"
SLACK = Decimal("1e-9")


def check_occasions(book: Book, tally: Tally) -> None:
    """The occasions, and that what they ask for is what their rules say."""
    top, tags = tally.at("", book.doc), {tag for step in book.steps for tag in step["tags"]}
    due = [SHORTFALL] if book.is_short else []
    money = book.base is not None and (not book.only_bands or NEW_MONEY in tags)
    due += [NEW_MONEY] if money else []
    due += [BANDS] if {BANDS, FUNDING} & tags else []
    top.same("occasions", due, "what is traded whatever the score gains")
    if book.base is not None and not book.only_bands:
        _new_money(book, book.base, tally)


def over_target(book: Book) -> Decimal:
    """Cash before any order over its target and what stays, base currency."""
    waits = book.doc["drift"]["absent_target"]  # for a target that cannot be bought
    least = max((book.target_cash + waits) * book.value, book.keeps)
    cash = book.in_base(book.available) - book.doc["open_buys"]
    return Decimal(min(cash - least, book.spendable))


def _new_money(book: Book, base: Record, tally: Tally) -> None:
    """It is there, it pays for what it buys, and the largest gap has as much as it pays for."""
    name = next(n for n, o in enumerate(book.doc["alternatives"]) if o["name"] == ASKED_FOR)
    place, money = tally.at(f"alternatives[{name}]", base), over_target(book)
    least = ZERO if book.brought else NOTICED * book.value
    enough = money > 0 and money >= least * (1 - SLACK)
    place.rule("name", enough, at_least(least), "new money is over target and reserve")
    for step in base["steps"]:
        under = step["side"] == BUY and _gap(book, step) > 0
        place.rule("steps", under, "buys under target", "new money buys what is under its target")
    spent = base["cost"] + sum((_amount(book, step) for step in base["steps"]), ZERO)
    fits = spent <= money + SLACK * book.value
    place.rule("cost", fits, at_most(money), "new money pays for what it buys")


def _amount(book: Book, step: Record) -> Decimal:
    order = book.order(step["symbol"], step["side"], step["quantity"])
    return ZERO if order is None else Decimal(order["notional_base"])


def _gap(book: Book, step: Record) -> Decimal:
    """Of value under the target, before the plan."""
    holding = book.holdings.get(step["symbol"])
    if holding is None:
        return ZERO
    return Decimal((holding["target"] or ZERO) - book.weight(holding["value"]))
