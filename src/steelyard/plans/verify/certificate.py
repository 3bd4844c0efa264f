"""How far the plan is from the best: bound, gap, status, and the lists that are one change away.

That the bound is one is not proven again, nor what a neighbour is worth; that they agree is held,
and that each neighbour that is said to be feasible keeps every limit that the document holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from steelyard.plans.verify.book import (
    CANDIDATES,
    GREEDY,
    HOLD,
    PROPOSAL,
    SELL,
    UNRESTRICTED,
    ZERO,
    Book,
)
from steelyard.plans.verify.charges import charge_rates, check_per_year
from steelyard.plans.verify.lists import (
    TARGET_SLACK,
    Totals,
    check_crossings,
    check_list,
    check_order,
    drift_without,
    passes,
    totals,
)
from steelyard.plans.verify.tally import (
    NUMBER_SLACK,
    Place,
    Record,
    Tally,
    at_least,
    at_most,
)

NO_GAP = Decimal("1e-9")
"""A gap up to this is none."""
MOST_NEIGHBOURS = 20
DIGITS_SLACK = Decimal("1e-11")
"""Of a number that was published with 12 significant digits."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps summed, and those of them that end past their target."""

    whole: Totals
    crossing: list[Record]


def check_certificate(book: Book, tally: Tally) -> None:
    """The certificate, and its neighbours."""
    certificate = book.doc["certificate"]
    place = tally.at("certificate", certificate)
    _status(book, place)
    _searched(book, place)
    _gap(book, place)
    _neighbours(book, tally)
    if certificate["bound"] is not None and certificate["search_gap"] is not None:
        _bound(book, place)


def _bound(book: Book, place: Place) -> None:
    """Nothing that may be the plan is over the bound."""
    certificate, score, tally = place.row, book.doc["score"], place.tally
    bound, gap = certificate["bound"], certificate["search_gap"]
    # the gap is of the set before its sizes were fitted
    reached = score["hold"] + score["improvement"] - (certificate["refined"] or ZERO)
    name = "search gap = bound - (hold + improvement)"
    place.number("search_gap", bound - reached, name, bound, score["hold"])
    place.rule("search_gap", gap >= 0, at_least(ZERO), "no gap is negative")
    _share_of_improvement(gap, score["improvement"], place)
    slack = NUMBER_SLACK * (1 + abs(bound) + abs(score["hold"]))
    for n, other in enumerate(book.doc["alternatives"]):
        if book.is_short and other["name"] in {HOLD, GREEDY}:
            continue  # they need not pay what is owed
        if book.only_bands and other["name"] != UNRESTRICTED:
            continue  # they need not answer what is outside its band
        if book.base is not None and other["name"] in {HOLD, GREEDY, PROPOSAL, CANDIDATES}:
            continue  # they need not invest the new money
        if book.by_quantities and other["name"] != UNRESTRICTED and _raises_drift(book, other):
            continue  # sizes of a table may pass a target at the cost of drift, a plan may not
        worth, at = score["hold"] + other["improvement"], tally.at(f"alternatives[{n}]", other)
        headroom = certificate["structural_headroom"]
        if other["name"] != UNRESTRICTED and other["improvement"] >= book.asked:
            under = worth <= bound + slack
            at.rule("improvement", under, at_most(bound), "no alternative is over the bound")
        elif other["name"] == UNRESTRICTED and headroom is not None:
            least = other["improvement"] - score["improvement"]
            name = "the headroom covers the unrestricted optimum"
            place.rule("structural_headroom", headroom >= least - slack, at_least(least), name)


def _raises_drift(book: Book, other: Record) -> bool:
    """Does an order of an alternative pass its target and so raise the drift of all?"""
    named = [book.order(o["symbol"], o["side"], o["quantity"]) for o in other["steps"]]
    orders = [order for order in named if order is not None and order["symbol"] in book.holdings]
    cash_off = book.weight(book.cash_before + book.flow(orders)) - book.target_cash
    for order in orders:
        holding = book.holdings[order["symbol"]]
        over = passes(book, order, holding)
        if over is None or over <= TARGET_SLACK or order["quantity"] == holding["quantity"]:
            continue
        lot = book.weight(holding["lot_value"]) * (1 if order["side"] == SELL else -1)
        if drift_without(book, order, lot, cash_off) < -NUMBER_SLACK:
            return True
    return False


def _share_of_improvement(gap: Decimal, improvement: Decimal, place: Place) -> None:
    key, name = "search_gap_of_improvement", "search gap / improvement"
    share = gap / improvement if improvement > 0 else None
    of_it = place.row[key]
    if share is None or of_it is None:
        place.number(key, share, name)
        return
    # a small improvement makes much of the rounding of the gap
    slack = NUMBER_SLACK + DIGITS_SLACK / improvement + DIGITS_SLACK * share
    place.rule(key, abs(share - of_it) <= slack, f"{share:.12g}", name)


def _status(book: Book, place: Place) -> None:
    certificate = place.row
    status, gap = certificate["status"], certificate["search_gap"]
    both = gap is not None and certificate["bound"] is not None
    ranked = certificate["selected_by"] is not None
    none = both and gap <= NO_GAP
    # re-ranked by a black box: nothing is proven, whatever the gap
    due, agrees = {
        "proven": ("a bound, a gap of 0, and no black box", none and not ranked),
        "within_one_lot": (
            "quantities, a bound and a gap above 0",
            both and not none and book.by_quantities and not ranked,
        ),
        "bounded": ("a bound and a gap above 0", both and (not none or ranked)),
        "none": ("no bound and no gap", not both),
    }[status]
    place.rule("status", agrees, due, f"what {status} means")
    if status == "none":
        for key in ("bound", "search_gap", "search_gap_of_improvement", "gap"):
            place.same(key, None, f"what {status} means")


def _searched(book: Book, place: Place) -> None:
    """What only a search over quantities says, and what only one over a table does."""
    certificate, name = place.row, "only quantities are searched change by change"
    # what is near is the best of the score; what a mode chose need not be
    by_quantities = book.by_quantities and not book.by_mode
    has = (certificate["local_optimum"] is not None) == by_quantities
    place.rule("local_optimum", has, "of quantities", name)
    count = len(certificate["neighbours"])
    most = MOST_NEIGHBOURS if by_quantities else 0
    place.rule("neighbours", count <= most, f"at most {most}", name)
    refined = certificate["refined"]
    fitted = any(step["refined_from"] is not None for step in book.steps)
    may = refined is None or (book.settings["search"]["refine"] and not book.by_quantities)
    place.rule("refined", may, "not fitted", "the strategy fits sizes afterwards")
    place.rule("refined", not fitted or refined is not None, "points", "what was fitted is told")
    place.rule("refined", refined is None or refined >= 0, at_least(ZERO), "fitting costs nothing")


def _gap(book: Book, place: Place) -> None:
    """The gap as people read it is the search gap."""
    certificate, gap = place.row, place.row["gap"]
    search_gap = certificate["search_gap"]
    has = (gap is not None) == (search_gap is not None)
    place.rule("gap", has, "the search gap", "both say how far the plan is")
    if gap is None or search_gap is None:
        return
    shown = place.tally.at("certificate.gap", gap)
    shown.number("points", 100 * search_gap, "points = 100 x score")
    check_per_year(book, charge_rates(book), search_gap, shown)
    share = certificate["search_gap_of_improvement"]
    shown.number("of_improvement", share, "the share of the improvement")


def _neighbours(book: Book, tally: Tally) -> None:
    whole = totals((step, step["costs"]["total"]) for step in book.steps)
    crossing = list(_crossing(book))
    for n, neighbour in enumerate(book.doc["certificate"]["neighbours"]):
        place = tally.at(f"certificate.neighbours[{n}]", neighbour)
        _changes(book, neighbour, place)
        _worth(book, neighbour, place)
        if neighbour["feasible"]:
            _feasible(book, neighbour, Plan(whole, crossing), place)


def _crossing(book: Book) -> Iterator[Record]:
    """Steps that end past their target."""
    for step in book.steps:
        holding = book.holdings.get(step["symbol"])
        over = None if holding is None else passes(book, step, holding)
        if over is not None and over > 0:
            yield step


def _changes(book: Book, neighbour: Record, place: Place) -> None:
    """One order or two that the plan has not, or has in another size."""
    count, times = len(neighbour["orders"]), Counter(o["symbol"] for o in neighbour["orders"])
    one_or_two = 1 <= count <= 2 and len(times) == count  # noqa: PLR2004
    place.rule("orders", one_or_two, "one or two", "a neighbour is one change away, or a pair")
    for m, order in enumerate(neighbour["orders"]):
        at = place.tally.at(f"{place.where}.orders[{m}]", order)
        step = book.step_of.get(order["symbol"])
        was = None if step is None else _signed(step)
        at.amount("was", was, "shares of the plan, negative when sold")
        at.rule("quantity", order["quantity"] >= 0, at_least(ZERO), "shares are not negative")
        other = _signed(order) != (was or ZERO)
        at.rule("quantity", other, "another size", "a neighbour differs from the plan")
        if step is not None and not order["quantity"]:
            at.same("side", step["side"], "what is dropped is of the plan")


def _signed(order: Record) -> Decimal:
    quantity = Decimal(order["quantity"])
    return -quantity if order["side"] == SELL else quantity


def _worth(book: Book, neighbour: Record, place: Place) -> None:
    """None that may be the plan is better, nor over the bound; one lot loses what is said."""
    score, certificate = book.doc["score"], book.doc["certificate"]
    improvement, most = neighbour["improvement"], score["improvement"] + NUMBER_SLACK
    if not neighbour["feasible"] or certificate["selected_by"] is not None:
        return
    # a plan holds although a list is better: it is not worth its least improvement
    over = improvement > most and improvement >= book.asked
    place.rule("improvement", not over, at_most(score["improvement"]), "no neighbour is better")
    bound = certificate["bound"]
    if bound is not None and improvement >= book.asked:
        under = score["hold"] + improvement <= bound + NUMBER_SLACK * (1 + abs(bound))
        place.rule("improvement", under, at_most(bound), "no neighbour is over the bound")
    if certificate["status"] == "within_one_lot" and _one_lot(book, neighbour):
        loss = score["improvement"] - improvement
        gap = certificate["search_gap"]
        fits = gap is not None and gap <= loss + NUMBER_SLACK
        place.rule("improvement", fits, "a loss of the gap or more", "what within_one_lot means")


def _one_lot(book: Book, neighbour: Record) -> bool:
    """Does it differ by one lot of an order of the plan?"""
    if len(neighbour["orders"]) != 1:
        return False
    order = neighbour["orders"][0]
    holding = book.holdings.get(order["symbol"])
    if holding is None or order["was"] is None or not order["quantity"]:
        return False
    return bool(abs(_signed(order) - order["was"]) == holding["lot_size"])


def _feasible(book: Book, neighbour: Record, plan: Plan, place: Place) -> None:
    """The plan with the changed orders keeps every limit that the document holds."""
    tally, whole, changed = place.tally, plan.whole, []
    for m, change in enumerate(neighbour["orders"]):
        step = book.step_of.get(change["symbol"])
        if step is not None:
            whole = whole.plus(step, book.charged(step), -1)
        if not change["quantity"]:
            continue
        order = book.order(change["symbol"], change["side"], change["quantity"])
        holding = book.holdings.get(change["symbol"])
        if order is None or holding is None:
            what = "neighbours that trade what is neither held, targeted nor traded"
            tally.skip(what, "the document does not hold its lots and flags")
            return
        check_order(book, order, holding, tally.at(f"{place.where}.orders[{m}]", order))
        whole = whole.plus(order, order["cost"], 1)
        changed.append(order)
    check_list(book, whole, tally, place.where)
    cash_off = book.weight(book.cash_before + whole.flow) - book.target_cash
    drawn = {order["symbol"] for order in neighbour["orders"]}
    same = [step for step in plan.crossing if step["symbol"] not in drawn]
    check_crossings(book, [*same, *changed], cash_off, tally, place.where)
