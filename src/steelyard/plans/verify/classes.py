"""Classes: their weights from their members', and their members' targets from theirs.

A class that lacks weight gives it to its first member that may be bought; one that has too much
takes it from lots: losses, then the least tax, then the last preference.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from steelyard.plans.verify.bands import ON_EDGE, beyond
from steelyard.plans.verify.book import ONE, ZERO, Book
from steelyard.plans.verify.tally import NUMBER_SLACK, Place, Record, Tally
from steelyard.plans.verify.tax_lots import TaxLots

COLUMN = "class"
SAME = Decimal("1e-12")
"""A gap that is less is none."""
HARVEST = "tax_loss"
LENT = "what is sold at a loss lends its target to what takes its place"
LAST = 1
"""Where what has no preference stands."""


def check_classes(book: Book, tally: Tally) -> None:
    """Every figure of the classes, and that only they name a class of holdings."""
    rows: list[Record] = list(book.doc["classes"])
    names = [row["name"] for row in rows]
    tally.rule("classes", len({*names}) == len(names), "each once", names, "a class stands once")
    dimensions = sorted({row["dimension"] for row in rows})
    of_one = len(dimensions) <= 1 and all(d.partition(".")[0] == COLUMN for d in dimensions)
    tally.rule("classes", of_one, "one", dimensions, "the classes are of one dimension")
    for n, holding in enumerate(book.doc["holdings"]):
        _of_class(tally.at(f"holdings[{n}]", holding), holding, any_class=bool(rows))
    for n, row in enumerate(rows):
        _class(book, tally.at(f"classes[{n}]", row), row)
    keys = {key_of(row) for row in rows}
    absent = [row["symbol"] for row in book.doc["drift"]["absent"]]
    strays = [name for name in absent if is_class(name) and name not in keys]
    tally.rule("drift.absent", not strays, "classes", strays, "an absent class has a target")


def key_of(row: Record) -> str:
    """A class as drift.absent names it."""
    return f"{row['dimension']}:{row['name']}"


def is_class(name: str) -> bool:
    """Is it a class, and no symbol? Those have no small letters."""
    return name.startswith((f"{COLUMN}:", f"{COLUMN}."))


def _of_class(place: Place, holding: Record, *, any_class: bool) -> None:
    if not any_class:
        place.same("class_name", None, "without class targets no class is named")
    if holding["class_name"] is None:
        place.same("preference", None, "a preference is within a class")


def _class(book: Book, place: Place, row: Record) -> None:
    members = [h for h in book.doc["holdings"] if h["class_name"] == row["name"]]
    after = {h["symbol"]: h["weight"] for h in book.doc["holdings_after"]}
    symbols = [member["symbol"] for member in members]
    place.same("members", symbols, "its members are the holdings that name it")
    weights = [member["weight"] for member in members]
    place.number("weight", sum(weights, ZERO), "its weight is that of its members", *weights)
    later = [after.get(symbol, ZERO) for symbol in symbols]
    place.number("weight_after", sum(later, ZERO), "weight after is that of its members", *later)
    absent = sum(
        (a["target"] for a in book.doc["drift"]["absent"] if a["symbol"] == key_of(row)), ZERO
    )
    lends = any(run["name"] == HARVEST for run in book.doc["modules"])
    if lends:
        place.tally.skip("targets of members of classes", LENT)
    else:
        targets = [member["target"] or ZERO for member in members]
        place.number("target", sum(targets, absent), "targets of its members sum to it", *targets)
    low, high = row["band"]
    half = high - row["target"]
    around = half >= 0 and abs(max(ZERO, row["target"] - half) - low) < SAME
    place.rule("band", around, f"around {row['target']}", "a band is around its target")
    if not (row["by_rows"] or lends):
        _resolved(book, place, members, absent)


def _resolved(book: Book, place: Place, members: Sequence[Record], absent: Decimal) -> None:
    """Targets of the members, as the rule gives them."""
    due = {member["symbol"]: book.weight(member["value"]) for member in members}
    gap, first = place.row["target"] - sum(due.values(), ZERO), None
    if gap > SAME:
        buyable = [member for member in members if member["allow_buy"]]
        first = min(buyable, key=_rank, default=None)
        if first is not None:
            due[first["symbol"]] += gap
    elif gap < -SAME:
        for symbol, part in _taken_from(book, members, -gap):
            due[symbol] -= part
    listed = {holding["symbol"]: n for n, holding in enumerate(book.doc["holdings"])}
    for member in members:
        at = place.tally.at(f"holdings[{listed[member['symbol']]}]", member)
        at.number("target", due[member["symbol"]], f"its target within {place.row['name']}", ONE)
    if first is not None or gap <= SAME:
        _bands(book, place, members)
    unbought = gap if gap > SAME and first is None else ZERO
    rest = place.tally.at("drift.absent", {key_of(place.row): absent})
    rest.number(key_of(place.row), unbought, "what no member of a class can be bought for", ONE)


def _bands(book: Book, place: Place, members: Sequence[Record]) -> None:
    """Its members are outside their bands while it is outside its own; at their edges it is at
    its edge, where a plan goes to that.
    """
    off = beyond({**place.row, "low": place.row["band"][0], "high": place.row["band"][1]})
    bands = [(m, m["band"]) for m in members if m["band"] is not None]
    own = [beyond({**m, "low": low, "high": high}) for m, (low, high) in bands]
    outside = any(more > NUMBER_SLACK for more in own)
    if abs(off) > NUMBER_SLACK:
        where = "outside" if off > 0 else "inside"
        name = "its members are outside their bands while it is outside its own"
        place.rule("band", outside is (off > 0), f"members {where}", name)
    if off > NUMBER_SLACK and book.settings["rebalance"]["to"] == "edge":
        edges = sum((max(ZERO, more) for more in own), ZERO)
        place.rule("band", abs(edges - off) <= ON_EDGE, off, "edges of its members are its own")


def _rank(member: Record) -> tuple[int, Decimal, str]:
    """Lowest is bought first, highest sold first."""
    preference = member["preference"]
    own = (LAST, ZERO) if preference is None else (0, Decimal(preference))
    return (*own, member["symbol"])


def _taken_from(
    book: Book, members: Sequence[Record], excess: Decimal
) -> list[tuple[str, Decimal]]:
    """(symbol, weight) of the lots that an excess is sold from."""
    taxed = TaxLots(book)
    ranked = sorted(members, key=_rank, reverse=True)
    queues = [(m, taxed.sold(m["symbol"], m["quantity"])) for m in ranked]
    parts: list[tuple[str, Decimal]] = []
    while excess > SAME and any(lots for _, lots in queues):
        keys = [
            (not member["allow_sell"], *_burden(member, lots[0][0], taxed), n)
            for n, (member, lots) in enumerate(queues)
            if lots
        ]
        member, lots = queues[min(keys)[-1]]
        _, quantity = lots.pop(0)
        part = min(excess, book.weight(quantity * member["value"] / member["quantity"]))
        parts.append((member["symbol"], part))
        excess -= part
    return parts


def _burden(member: Record, lot: Record, taxed: TaxLots) -> tuple[bool, Decimal]:
    """(is it no loss, tax of its weight) of a lot; a cost that nobody knows counts as the price."""
    price = member["price"]
    cost = price if lot["unit_cost"] is None else lot["unit_cost"]
    return cost <= price, taxed.rate(lot) * (ONE - cost / price)
