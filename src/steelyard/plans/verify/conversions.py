"""What is converted, and what cash is left: derived from the balances and the orders alone.

Cash of a currency pays for what is quoted in it. What a currency then lacks is bought, and what
base cash lacks comes from currencies that have more than they need; of these no more than to the
next cent. Charges that would leave it under 0 all the same are paid from what sales brought to
currencies that are under 0.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from steelyard.plans.verify.book import BUY, ONE, SELL, ZERO, Book
from steelyard.plans.verify.tally import Place, Record

CENT = Decimal("0.01")


def check_conversions(book: Book, top: Place) -> None:
    """Every conversion, and every balance after the plan."""
    after, lines = _carried_out(book)
    doc, tally = book.doc, top.tally
    due, names = sorted(after), sorted(doc["cash_after"])
    tally.rule("cash_after", due == names, due, names, "the currencies of the cash after")
    balances = tally.at("cash_after", doc["cash_after"])
    for currency in doc["cash_after"]:
        cash = after.get(currency, ZERO)
        balances.amount(currency, cash, "cash after = all cash + sales - buys - costs")
    count = len(doc["conversions"])
    tally.rule("conversions", len(lines) == count, len(lines), count, "what has to be converted")
    for n, (line, row) in enumerate(zip(lines, doc["conversions"], strict=False)):
        place = tally.at(f"conversions[{n}]", row)
        for key in ("from", "to"):
            place.same(key, line[key], f"converted {key}")
        for key in ("amount", "rate", "cost"):
            place.amount(key, line[key], f"{key} of the conversion")


def fx_of_steps(book: Book) -> list[Decimal]:
    """What converting costs each step: a buy what its currency lacks, a sale what leaves it."""
    margin, base = book.costs["fx_percent"], book.doc["base_currency"]
    there = dict(book.balances)
    leaves = {line["from"]: line["amount"] for line in _carried_out(book)[1]}
    leaves.pop(base, None)
    costs = []
    for step in book.steps:
        currency, notional = step["currency"], worth(step)
        if currency == base:
            costs.append(ZERO)
            continue
        own = max(there.get(currency, ZERO), ZERO)
        if step["side"] == BUY:
            part = notional - min(notional, own)
            there[currency] = there.get(currency, ZERO) - min(notional, own)
        else:
            part = min(notional, leaves.get(currency, ZERO))
            leaves[currency] = leaves.get(currency, ZERO) - part
            there[currency] = there.get(currency, ZERO) + notional
        costs.append(part * step["fx_rate"] * margin)
    return costs


def worth(step: Record) -> Decimal:
    """Of an order, its own currency."""
    return Decimal(step["quantity"] * step["price"] * step["multiplier"])


def _carried_out(book: Book) -> tuple[dict[str, Decimal], list[dict[str, Any]]]:
    """(currency -> balance after, conversions) of the steps."""
    base, margin = book.doc["base_currency"], book.costs["fx_percent"]
    before = {base: ZERO, **book.balances}
    after = dict(before)
    for step in book.steps:
        moved = worth(step) if step["side"] == SELL else -worth(step)
        after[step["currency"]] = after.get(step["currency"], ZERO) + moved
        after[base] -= step["costs"]["commission"] + step["costs"]["spread"]
    stays = max(ZERO, min(book.doc["open_buys"], before[base]))
    foreign = sorted(currency for currency in after if currency != base)
    lines: list[dict[str, Any]] = []
    for currency in foreign:
        rate, lacks = book.rates.get(currency, ZERO), -after[currency]
        others = sum((max(ZERO, after[c]) * book.rates.get(c, ZERO) for c in foreign), ZERO)
        money = max(ZERO, after[base] - stays + others * (ONE - margin))
        if lacks <= 0 or rate <= 0:
            continue
        price = rate * (ONE + margin)
        bought = lacks if lacks * price <= money else (money / price).quantize(CENT, ROUND_FLOOR)
        if bought > 0:
            paid = bought * rate
            after[currency] += bought
            after[base] -= bought * price
            line = {"from": base, "to": currency, "amount": paid, "rate": ONE / rate}
            lines.append({**line, "cost": paid * margin})
    owing = {currency for currency in foreign if after[currency] < 0}
    for currency in sorted(foreign, key=lambda c: (c in owing, c)):
        owes = currency in owing
        least = min(stays, before[base]) if owes else stays
        over = after[currency] - (min(ZERO, before.get(currency, ZERO)) if owes else ZERO)
        rate, lacks = book.rates.get(currency, ZERO), least - after[base]
        if lacks <= 0 or over <= 0 or rate <= 0:
            continue
        price = rate * (ONE - margin)
        sold = min(over, (lacks / price).quantize(CENT, ROUND_CEILING))
        after[currency] -= sold
        after[base] += sold * price
        line = {"from": currency, "to": base, "amount": sold, "rate": rate}
        lines.append({**line, "cost": sold * rate * margin})
    return {c: amount for c, amount in after.items() if amount or c in before}, lines
