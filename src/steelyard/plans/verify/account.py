"""What is owned: prices, rates, values, weights, lots, open orders, cash before and after, the
ladder of cash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from steelyard.plans.verify.book import BUY, ONE, SELL, ZERO, Book, gain, signed
from steelyard.plans.verify.tally import Record, Tally, at_least, at_most

SATURDAY = 5
LONGEST_SETTLEMENT_DAYS = 366
TARGETS_MAY_SUM_TO = Decimal("1.000001")


def check_account(book: Book, tally: Tally) -> None:
    """Every figure of the holdings and the cash."""
    _rates(book, tally)
    _value(book, tally)
    for n, holding in enumerate(book.doc["holdings"]):
        _holding(book, holding, f"holdings[{n}]", tally)
    _names(book, tally)
    _targets(book, tally)
    _open_orders(book, tally)
    _after(book, tally)
    _cash_after(book, tally)
    _ladder(book, tally)


def _rates(book: Book, tally: Tally) -> None:
    """One currency, one rate; the base currency is worth 1."""
    doc = book.doc
    for currency, amount in doc["cash"].items():
        if amount:
            tally.rule(
                "every balance has a rate",
                f"cash_rates.{currency}",
                currency in doc["cash_rates"],
                "a rate",
                doc["cash_rates"].get(currency),
            )
    for currency, rate in doc["cash_rates"].items():
        tally.amount(
            "one rate for one currency", f"cash_rates.{currency}", book.rates[currency], rate
        )
    for part in ("holdings", "candidates", "steps"):
        for n, row in enumerate(doc[part]):
            tally.amount(
                "one rate for one currency",
                f"{part}[{n}].fx_rate",
                book.rates.get(row["currency"]),
                row["fx_rate"],
            )


def _value(book: Book, tally: Tally) -> None:
    held = sum((holding["value"] for holding in book.doc["holdings"]), ZERO)
    tally.amount("value = holdings + cash in base", "value", held + book.cash_before, book.value)
    tally.amount(
        "reserve = weight x value",
        "reserve",
        book.limits["cash_reserve_weight"] * book.value,
        book.doc["reserve"],
    )
    tally.rule("the value is not negative", "value", book.value >= 0, at_least(ZERO), book.value)


def _holding(book: Book, holding: Record, where: str, tally: Tally) -> None:
    unit = holding["price"] * holding["fx_rate"]
    tally.amount(
        "value = quantity x price x rate",
        f"{where}.value",
        holding["quantity"] * unit,
        holding["value"],
    )
    tally.amount(
        "lot value = lot size x price x rate",
        f"{where}.lot_value",
        holding["lot_size"] * unit,
        holding["lot_value"],
    )
    tally.number(
        "weight = value / portfolio value",
        f"{where}.weight",
        book.weight(holding["value"]),
        holding["weight"],
    )
    tally.rule(
        "no short holding",
        f"{where}.quantity",
        holding["quantity"] >= 0,
        at_least(ZERO),
        holding["quantity"],
    )
    lots = sum((lot["quantity"] for lot in holding["lots"]), ZERO)
    tally.amount("the lots are the holding", f"{where}.lots", holding["quantity"], lots)
    for n, lot in enumerate(holding["lots"]):
        tally.rule(
            "no empty lot",
            f"{where}.lots[{n}].quantity",
            lot["quantity"] > 0,
            "more than 0",
            lot["quantity"],
        )
        tally.amount(
            "gain = (price - cost) x quantity x rate",
            f"{where}.lots[{n}].gain",
            gain(lot, lot["quantity"], holding),
            lot["gain"],
        )
    target, half = holding["target"], book.doc["rules"]["drift_band_weight"]
    due = (None, None) if target is None else (max(ZERO, target - half), target + half)
    for name, edge, found in zip(
        ("low", "high"), due, holding["band"] or (None, None), strict=True
    ):
        tally.number(f"the {name} edge of the band around the target", f"{where}.band", edge, found)


def _names(book: Book, tally: Tally) -> None:
    """No symbol twice, none that was left out on the user's word."""
    for part in ("holdings", "holdings_after"):
        times = Counter(row["symbol"] for row in book.doc[part])
        for symbol, count in times.items():
            tally.same("a symbol stands once", f"{part}: {symbol}", 1, count)
    for symbol in book.doc["excluded"]:
        traded = symbol in book.holdings or any(
            row["symbol"] == symbol for row in book.doc["candidates"]
        )
        tally.rule(
            "what is excluded is not touched",
            f"excluded: {symbol}",
            not traded,
            "no holding, no candidate",
            "it is there" if traded else "none",
        )


def _targets(book: Book, tally: Tally) -> None:
    targets = [holding["target"] for holding in book.doc["holdings"]]
    if not book.by_targets:
        tally.number(
            "no targets were given", "drift.absent_target", ZERO, book.doc["drift"]["absent_target"]
        )
        tally.rule(
            "no targets were given",
            "holdings",
            all(target is None for target in targets),
            "no target",
            targets,
        )
        return
    known = [target for target in targets if target is not None]
    tally.same("every holding has a target", "holdings", len(targets), len(known))
    total = sum(known, book.doc["drift"]["absent_target"])
    tally.rule(
        "targets sum to at most 1", "holdings", total <= TARGETS_MAY_SUM_TO, at_most(ONE), total
    )
    tally.rule(
        "no target is negative",
        "holdings",
        all(target >= 0 for target in known),
        at_least(ZERO),
        min(known, default=ZERO),
    )


def _open_orders(book: Book, tally: Tally) -> None:
    """An open sell reserves shares, an open buy reserves money."""
    reserved: Counter[str] = Counter()
    money = ZERO
    for n, order in enumerate(book.doc["open_orders"]):
        where = f"open_orders[{n}]"
        tally.rule(
            "an open order is for something",
            f"{where}.quantity",
            order["quantity"] > 0,
            "more than 0",
            order["quantity"],
        )
        if order["side"] == SELL:
            reserved[order["symbol"]] += order["quantity"]
            tally.same(
                "an open sell reserves no money",
                where,
                (None, None),
                (order["price"], order["fx_rate"]),
            )
        else:
            tally.rule(
                "an open buy has a price and a rate",
                where,
                None not in (order["price"], order["fx_rate"]),
                "both",
                order["price"],
            )
            money += order["quantity"] * (order["price"] or ZERO) * (order["fx_rate"] or ZERO)
    tally.amount("open buys = quantity x price x rate", "open_buys", money, book.doc["open_buys"])
    for n, holding in enumerate(book.doc["holdings"]):
        left = max(ZERO, holding["quantity"] - Decimal(reserved[holding["symbol"]]))
        tally.amount(
            "sellable = quantity less open sells",
            f"holdings[{n}].sellable",
            left,
            holding["sellable"],
        )


def _after(book: Book, tally: Tally) -> None:
    """Quantities and weights after the steps; everything together is still the value."""
    doc = book.doc
    tally.same(
        "the same symbols before and after",
        "holdings_after",
        _symbols(doc["holdings"]),
        _symbols(doc["holdings_after"]),
    )
    moved: Counter[str] = Counter()
    for step in book.steps:
        moved[step["symbol"]] += step["quantity"] if step["side"] == BUY else -step["quantity"]
    for n, after in enumerate(doc["holdings_after"]):
        holding = book.holdings.get(after["symbol"])
        if holding is None:
            continue
        quantity = holding["quantity"] + Decimal(moved[after["symbol"]])
        tally.amount(
            "quantity after = before + steps",
            f"holdings_after[{n}].quantity",
            quantity,
            after["quantity"],
        )
        weight = book.weight(quantity * holding["price"] * holding["fx_rate"])
        tally.number(
            "weight after = value after / value",
            f"holdings_after[{n}].weight",
            weight,
            after["weight"],
        )
        tally.rule(
            "nothing is sold short",
            f"holdings_after[{n}].quantity",
            after["quantity"] >= 0,
            at_least(ZERO),
            after["quantity"],
        )
    if book.value > 0:
        weights = [after["weight"] for after in doc["holdings_after"]]
        cash = book.weight(book.in_base(doc["cash_after"]) + doc["costs"]["total"])
        tally.number(
            "weights after + cash after + costs = 1",
            "holdings_after",
            ONE,
            sum(weights, cash),
            *weights,
            cash,
        )


def _symbols(rows: list[Record]) -> list[str]:
    return [row["symbol"] for row in rows]


def _cash_after(book: Book, tally: Tally) -> None:
    """Sales come in, buys and costs go out, all in the base currency; other balances stay."""
    doc = book.doc
    base = doc["base_currency"]
    tally.same(
        "the currencies of the cash after",
        "cash_after",
        sorted({*doc["cash"], base}),
        sorted(doc["cash_after"]),
    )
    paid = book.flow(book.steps) - sum((step["costs"]["total"] for step in book.steps), ZERO)
    for currency, found in doc["cash_after"].items():
        due = doc["cash"].get(currency, ZERO) + (paid if currency == base else ZERO)
        tally.amount(
            "cash after = cash + sales - buys - costs", f"cash_after.{currency}", due, found
        )
    if not book.steps:
        return
    free = book.cash_before - doc["open_buys"]
    least, left = min(doc["reserve"], free), book.in_base(doc["cash_after"]) - doc["open_buys"]
    tally.rule(
        "the reserve stays in cash, or what there was",
        "cash_after",
        left >= least,
        at_least(least),
        left,
    )
    settled = book.limits["funding"] == "settled"
    brought = [signed(step) - step["costs"]["total"] for step in book.steps]
    # what a sale brings is not settled yet; what its costs take beyond that is due
    rest = book.spendable + sum((min(money, ZERO) if settled else money for money in brought), ZERO)
    floor = min(ZERO, book.spendable)
    what = (
        "settled money alone pays, open buys keep theirs"
        if settled
        else "money that is there pays, open buys keep theirs"
    )
    tally.rule(what, "cash_after", rest >= floor, at_least(floor), rest)
    if settled:
        remains = free - book.spendable + rest
        tally.rule(
            "the reserve stays in settled cash, or what there was",
            "cash_after",
            remains >= least,
            at_least(least),
            remains,
        )


def _ladder(book: Book, tally: Tally) -> None:
    """What is settled today, what is there once traded, what is settled later; in the order of the
    currencies.
    """
    doc, days = book.doc, book.limits["settlement_days"]
    in_range = 0 <= days <= LONGEST_SETTLEMENT_DAYS and doc["as_of"].year < date.max.year - 1
    tally.rule(
        "a settlement that can be dated",
        "rules.limits.settlement_days",
        in_range,
        f"0 to {LONGEST_SETTLEMENT_DAYS}",
        days,
    )
    if not in_range:
        return
    due = list(_rungs(book, weekdays_after(doc["as_of"], days)))
    tally.same("rungs of the cash ladder", "cash_ladder", len(due), len(doc["cash_ladder"]))
    for n, (rung, found) in enumerate(zip(due, doc["cash_ladder"], strict=False)):
        where = f"cash_ladder[{n}]"
        tally.amount(
            "balance of the cash ladder", f"{where}.balance", rung["balance"], found["balance"]
        )
        for key in ("date", "currency", "kind", "estimated"):
            tally.same(f"{key} of the cash ladder", f"{where}.{key}", rung[key], found[key])


def _rungs(book: Book, settled_on: date) -> Iterator[dict[str, Any]]:
    doc = book.doc
    for currency in sorted(doc["cash_after"]):
        before, after = doc["cash"].get(currency, ZERO), doc["cash_after"][currency]
        today = {"date": doc["as_of"], "currency": currency}
        yield {**today, "balance": before, "kind": "settled", "estimated": False}
        if before != after:
            yield {**today, "balance": after, "kind": "traded", "estimated": True}
            yield {
                **today,
                "date": settled_on,
                "balance": after,
                "kind": "settled",
                "estimated": True,
            }


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
