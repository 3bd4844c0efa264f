"""Bands: their edges, what is outside, what is traded for it, and the words of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from steelyard.plans.verify.book import BANDS, FUNDING, NEW_MONEY, SELL, ZERO, Book
from steelyard.plans.verify.tally import NUMBER_SLACK, Place, Record, Tally

ON_EDGE = Decimal("1e-9")
"""Of value: what is this far outside its band is on the edge."""
NAMED = 5
COUNTS = (
    *("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven"),
    *("Eight", "Nine", "Ten", "Eleven", "Twelve"),
)
CASH = "CASH"


def check_bands(book: Book, tally: Tally) -> None:
    """Every band is of a holding, a class or cash, and says what is outside."""
    doc = book.doc
    due, names = list(_due(book)), [(row["kind"], row["name"]) for row in doc["bands"]]
    listed = [(row["kind"], row["name"]) for row in due]
    tally.rule("bands", names == listed, listed, names, "a band of each weight with a target")
    for n, (row, other) in enumerate(zip(doc["bands"], due, strict=False)):
        place = tally.at(f"bands[{n}]", row)
        for key in ("weight", "weight_after", "low", "high"):
            if other[key] is not None:
                place.number(key, other[key], f"{key} of what the band is around")
        off = beyond(row)
        if abs(off) > NUMBER_SLACK:
            place.same("breached", off > 0, "breached = outside before the plan")
    if book.only_bands:
        _traded(book, tally)


def _due(book: Book) -> Iterator[dict[str, Any]]:
    doc = book.doc
    if not book.by_targets:
        return
    after = {row["symbol"]: row["weight"] for row in doc["holdings_after"]}
    for holding in doc["holdings"]:
        low, high = holding["band"] or (None, None)
        weights = {"weight": holding["weight"], "weight_after": after.get(holding["symbol"])}
        yield {"kind": "symbol", "name": holding["symbol"], "low": low, "high": high, **weights}
    for row in doc["classes"]:
        low, high = row["band"] or (None, None)
        weights = {"weight": row["weight"], "weight_after": row["weight_after"]}
        yield {"kind": "class", "name": row["name"], "low": low, "high": high, **weights}
    cash = book.weight(book.cash_before - doc["open_buys"])
    later = cash + book.weight(book.flow(book.steps))
    edges = {"low": None, "high": None}  # of cash a width of its own is an input
    yield {"kind": "cash", "name": CASH, "weight": cash, "weight_after": later, **edges}


def around(place: Place, target: Decimal, band: Any) -> None:
    """A band is around its target; how wide is an input where the targets file says it."""
    low, high = band
    half = high - target
    fits = half >= -NUMBER_SLACK and abs(max(ZERO, target - half) - low) <= 2 * NUMBER_SLACK
    place.rule("band", fits, f"around {target}", "a band is around its target")


def beyond(row: Record, key: str = "weight") -> Decimal:
    """How far a weight is outside its band; up to 0 inside."""
    return Decimal(max(row["low"] - row[key], row[key] - row["high"]))


def _traded(book: Book, tally: Tally) -> None:
    """Nothing is traded but what is outside, what pays for it, and new money."""
    out = {row["name"] for row in book.doc["bands"] if row["breached"]}
    steps = list(book.steps)
    tags = {BANDS, FUNDING, NEW_MONEY}
    for n, step in enumerate(steps):
        place = tally.at(f"steps[{n}]", step)
        raises = book.is_short and step["side"] == SELL  # whatever the bands say
        asked_for = raises or bool(tags & {*step["tags"]})
        place.rule("tags", asked_for, sorted(tags), "the bands ask for it")
        if BANDS in step["tags"]:
            holding = book.holdings.get(step["symbol"], {})
            own = {step["symbol"], holding.get("class_name")}
            place.rule("symbol", bool(own & out), sorted(out), "an answer is to a breach")
    asked = [step for step in steps if {BANDS, FUNDING} & {*step["tags"]}]
    tally.rule("steps", bool(out) or not asked, "none", len(asked), "all inside: nothing is traded")


def outside(book: Book, facts: dict[str, object]) -> str:
    """Which weights are outside before the plan."""
    rows = book.doc["bands"]
    out = [row for row in rows if row["breached"]]
    if not out:
        facts["names"] = Decimal(len(rows))
        return "All {names:count} weights are inside their bands."
    first = max(out, key=beyond)
    named = book.doc["verdict"]["facts"].get("outside")
    ties = [row for row in out if beyond(row) >= beyond(first) - NUMBER_SLACK]
    first = next((row for row in ties if _called(row) == named), first)
    facts |= {"outside": _called(first), "beyond": beyond(first)}
    if len(out) == 1:
        return "{outside:text} is {beyond:pp} outside its band."
    count = len(out)
    facts["many"] = COUNTS[count] if count < len(COUNTS) else f"{count:,d}"
    what = "weights are outside their bands"
    if any(row["kind"] == "class" for row in out):
        what = "bands of securities and classes are left"
    return f"{{many:text}} {what}, {{outside:text}} most, by {{beyond:pp}}."


def unanswered(book: Book, facts: dict[str, object]) -> str:
    """Which weights stay outside, in a plan that is made to bring them back."""
    if not book.only_bands:
        return ""
    rows = [row for row in book.doc["bands"] if row["breached"]]
    stay = [_called(row) for row in rows if beyond(row, "weight_after") > ON_EDGE]
    if not stay:
        return ""
    more = f" and {len(stay) - NAMED} more" if len(stay) > NAMED else ""
    facts["stay"] = ", ".join(stay[:NAMED]) + more
    verb, them = "stays outside its band", "it"
    if len(stay) > 1:
        verb, them = "stay outside their bands", "them"
    shut = "".join(
        f"nothing may be {done} (limits.allow_{side} is off); "
        for side, done in (("sell", "sold"), ("buy", "bought"))
        if not book.limits[f"allow_{side}"]
    )
    return f"{{stay:text}} {verb}: {shut}lots, money, filters or limits leave no order for {them}."


def _called(row: Record) -> str:
    return "Cash" if row["kind"] == "cash" else str(row["name"])
