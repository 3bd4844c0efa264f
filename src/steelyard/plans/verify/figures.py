"""Sums and differences of the score, its charges, the drift, the steps and the alternatives.

What the terms are worth needs the estimates and is not judged; that they add up is.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from steelyard.plans.verify.book import (
    ACT,
    ASKED_FOR,
    CANDIDATES,
    GREEDY,
    HALF,
    HOLD,
    ONE,
    PROPOSAL,
    PROPOSALS,
    RUNNER_UP,
    SELL,
    UNRESTRICTED,
    ZERO,
    Book,
    signed,
)
from steelyard.plans.verify.charges import Rates, charge_rates, check_per_year
from steelyard.plans.verify.lists import check_order, drift_without
from steelyard.plans.verify.tally import NUMBER_SLACK, Place, Record, Tally, at_least, at_most
from steelyard.plans.verify.tax_lots import TaxLots

RESOLVED = "resolved"
HURDLE = "each order is charged its hurdle, new money is not"
PERCENT = 100
STATES = (HOLD, "plan")
DIGITS_SLACK = Decimal("1e-11")
"""Of a number that was published with 12 significant digits."""


def check_figures(book: Book, tally: Tally) -> None:
    """Everything that is a number of the score or of the whole."""
    _terms(book, tally)
    _score(book, tally)
    _drift(book, tally)
    _adds(book, tally)
    _alternatives(book, tally)


def _terms(book: Book, tally: Tally) -> None:
    score = book.doc["score"]
    for n, term in enumerate(score["terms"]):
        place = tally.at(f"score.terms[{n}]", term)
        for m, part in enumerate(term["parts"]):
            _part(part, tally.at(f"{place.where}.parts[{m}]", part))
        if term["parts"]:
            shares = sum((part["share"] for part in term["parts"]), ZERO)
            whole = tally.at(place.where, {"parts": shares})
            whole.number("parts", ONE, "shares of the parts sum to 1")
        for state in STATES:
            parts = [part["share"] * part[state] for part in term["parts"]]
            place.number(state, sum(parts, ZERO), "term = sum of share x part", *parts)
        ends = [abs(term[state] - end) for state in STATES for end in (ZERO, ONE)]
        if min(ends) > NUMBER_SLACK:
            outside = not all(0 <= term[state] <= 1 for state in STATES)
            place.same("off_scale", outside, "off scale = outside 0 to 1")
    place = tally.at("score", score)
    weights = sum((term["weight"] for term in score["terms"]), ZERO)
    # with every share 0 there is nothing to weigh, and hold wins
    whole = tally.at("score", {"terms": weights})
    whole.number("terms", ONE if weights else ZERO, "weights of the terms sum to 1")
    for state in STATES:
        terms = [term["weight"] * term[state] for term in score["terms"]]
        place.number(state, sum(terms, ZERO), "score = sum of weight x term", *terms)
    runs = [run for run in book.doc["modules"] if run["kind"] == "score_terms"]
    ran = [run["name"] for run in runs if run["outcome"] == "ok"]
    names = [term["name"] for term in score["terms"]]
    tally.rule("score.terms", sorted(ran) == sorted(names), ran, names, "the terms that ran")


def _part(part: Record, place: Place) -> None:
    low, high = part["scale"]
    place.rule("scale", low < high, f"more than {low}", "a scale goes up")
    for state in STATES if low < high else ():
        raw = part[f"raw_{state}"]
        due = (raw - low) / (high - low)
        # the raw figure was rounded before, and a narrow scale makes much of that
        slack = DIGITS_SLACK * (abs(raw) + abs(low) + abs(high)) / (high - low) + NUMBER_SLACK
        close = abs(due - part[state]) <= slack
        place.rule(state, close, f"{due:.12g}", "scaled = (raw - low) / (high - low)")


def _score(book: Book, tally: Tally) -> None:
    doc, score, settings = book.doc, book.doc["score"], book.settings["score"]
    place, charges = tally.at("score", score), score["charges"]
    net = score["plan"] - score["hold"] - sum(charges.values(), ZERO)
    name = "improvement = plan - hold - charges"
    place.number("improvement", net, name, score["plan"], score["hold"])
    rates = charge_rates(book)
    due, name = "scales and years above 0", "charges can be calculated"
    tally.rule("strategy.settings.score", rates is not None, due, "others", name)
    if rates is not None:
        at = tally.at("score.charges", charges)
        charged = sum(map(book.charged, book.steps), ZERO)
        cost, taxed = (book.weight(money) for money in (charged, _tax(book)))
        at.number("cost", rates.cost * cost, "cost is charged by the settings")
        at.number("tax", rates.tax * taxed, "tax is charged by the settings")
        at.number("hurdle", rates.hurdle * book.hurdles(book.steps), HURDLE)
    latched = settings["latch_share"] if doc["verdict"]["previous"] == ACT else ONE
    least = latched * book.thresholds["min_improvement"]
    place.number("min_improvement", least, "least improvement by the settings")
    verdict = tally.at("verdict", doc["verdict"])
    verdict.same("action", ACT if book.steps else HOLD, "act = there are steps")
    if book.steps:
        enough = score["improvement"] >= book.asked - NUMBER_SLACK
        enough = book.rests or (enough and (net > 0 or book.base is not None))
        enough |= book.is_short  # what is owed is paid, whatever it is worth
        enough |= book.exact  # no score decided
        due = at_least(book.asked)
        place.rule("improvement", enough, due, "a plan is worth its least improvement")
    elif score["terms"]:
        place.number("improvement", ZERO, "hold improves nothing")


def _tax(book: Book, orders: list[Record] | None = None) -> Decimal:
    """Tax money of the sales among orders, else of the steps; lots of unknown cost left out."""
    orders = book.steps if orders is None else orders
    sold = [(order["symbol"], order["quantity"]) for order in orders if order["side"] == SELL]
    return TaxLots(book).tax(sold)[0]


def _drift(book: Book, tally: Tally) -> None:
    place = tally.at("drift", book.doc["drift"])
    name = "drift = half the sum of distances from target, cash included"
    place.number("before", drift(book, {}, ZERO), name)
    bought = book.weight(-book.flow(book.steps))
    place.number("after", drift(book, _moves(book, book.steps), bought), name)


def drift(book: Book, moves: Mapping[str, Decimal], bought: Decimal) -> Decimal | None:
    """Half the sum of distances from target after `moves` of weight; None without targets."""
    if not book.by_targets:
        return None
    off = [
        abs(book.weight(row["value"]) + moves.get(symbol, ZERO) - (row["target"] or ZERO))
        for symbol, row in book.holdings.items()
    ]
    # cash before costs, so that the distances of one state sum to its value
    cash = abs(book.weight(book.cash_before) - bought - book.target_cash)
    off += [abs(book.weight(row["value"])) for row in book.kept_out]
    return Decimal(HALF * (sum(off, cash) + book.doc["drift"]["absent_target"]))


def _adds(book: Book, tally: Tally) -> None:
    """What each step is worth: alone derived where the other orders stay as they are."""
    doc, rates = book.doc, charge_rates(book)
    improvement, gap = doc["score"]["improvement"], doc["certificate"]["search_gap"]
    few = len(book.steps) <= book.settings["search"]["resolved_orders"]
    cash_off = book.cash_weight_after - book.target_cash
    for n, step in enumerate(book.steps):
        adds, resolved = step["adds"], step["adds"]["how"] == RESOLVED
        place = tally.at(f"steps[{n}].adds", adds)
        check_per_year(book, rates, adds["score"], place)
        place.rule("how", few or not resolved, "drop_one", "only a short plan is solved again")
        if resolved:
            _resolved(book, place, gap)
        elif len(book.steps) == 1:
            place.number("score", improvement, "one step adds the whole improvement")
        if not book.by_targets or resolved:
            has = (adds["drift_pp"] is not None) == book.by_targets
            place.rule("drift_pp", has, "with targets", "drift is from targets")
        elif step["symbol"] in book.holdings:
            moved = book.weight(signed(step))
            due = PERCENT * drift_without(book, step, moved, cash_off)
            place.number("drift_pp", due, "drift without a step less drift with it")


def _resolved(book: Book, place: Place, gap: Decimal | None) -> None:
    """The best plan without a security is none of those that are better than the bound."""
    what = "what a step that was solved again adds to the drift"
    place.tally.skip(what, "the plan without it is not in the document")
    if gap is None or book.is_short or not book.doc["score"]["terms"]:
        return
    refined = book.doc["certificate"]["refined"] or ZERO
    least, adds = -(gap + refined + NUMBER_SLACK), place.row["score"]
    place.rule("score", adds >= least, at_least(least), "no plan without it is over the bound")


def _moves(book: Book, orders: list[Record]) -> dict[str, Decimal]:
    """Symbol -> change of weight."""
    moves: dict[str, Decimal] = {}
    for order in orders:
        weight = book.weight(order["notional_base"])
        change = -weight if order["side"] == SELL else weight
        moves[order["symbol"]] = moves.get(order["symbol"], ZERO) + change
    return moves


def _alternatives(book: Book, tally: Tally) -> None:
    others, rates = book.doc["alternatives"], charge_rates(book)
    names, due = [other["name"] for other in others], _due_names(book)
    tally.rule("alternatives", names == due, due, names, "the alternatives of the scope")
    for n, other in enumerate(others):
        place = tally.at(f"alternatives[{n}]", other)
        if other["name"] == UNRESTRICTED:
            _unrestricted(book, other, rates, place)
            continue
        orders = [_order(book, order, m, place) for m, order in enumerate(other["steps"])]
        rows = [order for order in orders if order is not None]
        if len(rows) == len(orders):
            _alternative(book, other, rows, rates, place)


def _order(book: Book, order: Record, m: int, place: Place) -> Record | None:
    """An order of an alternative by the prices of the document: a candidate, or any whole lots."""
    key = order["symbol"], order["side"], order["quantity"]
    where, row = f"{place.where}.steps[{m}]", book.table.get(key)
    if row is not None or not book.by_quantities:
        name = "an order of an alternative is a candidate"
        place.tally.rule(where, row is not None, "a candidate", key, name)
        return row
    row, holding = book.order(*key), book.holdings.get(order["symbol"])
    name = "an order of an alternative is for what is held, targeted or a candidate"
    place.tally.rule(where, row is not None, "a security of the document", key, name)
    if row is not None and holding is not None:
        check_order(book, row, holding, place.tally.at(where, row))
    return row


def _due_names(book: Book) -> list[str]:
    """Hold, greedy, the best of narrower scopes, those next to the best, any quantities."""
    if book.exact:
        return [HOLD]
    certificate, others = book.doc["certificate"], book.doc["alternatives"]
    names = {other["name"] for other in others}
    proposed = certificate["scope"] != PROPOSALS and certificate["sequences"] > 0
    if book.by_quantities and book.is_short:  # one that brings less than lists of any size is none
        proposed = proposed and PROPOSAL in names
    next_best = sum(other["name"].startswith(RUNNER_UP) for other in others)
    runners_up = [f"{RUNNER_UP}{n}" for n in range(1, next_best + 1)]
    # where a table has a set that may be a plan is not in the document
    tabled = book.by_quantities and CANDIDATES in names
    narrower = [*([PROPOSAL] if proposed else []), *([CANDIDATES] if tabled else [])]
    asked = [ASKED_FOR] if book.base is not None else []
    return [HOLD, GREEDY, *narrower, *asked, *runners_up, UNRESTRICTED]


def _alternative(
    book: Book, other: Record, rows: list[Record], rates: Rates | None, place: Place
) -> None:
    """A list of candidates: its costs, turnover, drift and charges are derived."""
    score = book.doc["score"]
    cost = sum((row["cost"] for row in rows), ZERO)
    place.amount("cost", cost, "cost of the orders")
    traded = sum((row["notional_base"] for row in rows), ZERO)
    place.number("turnover", book.weight(traded) / 2, "turnover = half of all orders / value")
    after = drift(book, _moves(book, rows), book.weight(-book.flow(rows)))
    place.number("drift_after", after, "drift after the orders")
    place.same("weights", None, "an order list holds no weights")
    if rates is not None:
        charged = rates.cost * book.weight(cost) + rates.tax * book.weight(_tax(book, rows))
        due = other["score"] - score["hold"] - charged - rates.hurdle * book.hurdles(rows)
        place.number("improvement", due, "improvement = score - hold - charges", score["hold"])
    if not rows:
        place.number("score", score["hold"], "the score of doing nothing")
    if len(rows) == 1 and "gain" in rows[0]:
        # a table beside a search of all quantities is charged every hurdle
        spared = (len(rows) - book.hurdles(rows)) * book.by_quantities
        due = rows[0]["gain"] + spared * book.thresholds["order_hurdle"]
        place.number("improvement", due, "what the one order gains")
    _less_a_step(book, rows, place)


def _less_a_step(book: Book, rows: list[Record], place: Place) -> None:
    """The plan itself, or the plan less one step, is worth what the plan says."""
    orders = {(row["symbol"], row["side"], row["quantity"]) for row in rows}
    adds = {(s["symbol"], s["side"], s["quantity"]): s["adds"] for s in book.steps}
    without = [adds[order] for order in adds.keys() - orders]
    if not orders <= adds.keys() or len(without) > 1:
        return
    due = book.doc["score"]["improvement"] - sum((step["score"] for step in without), ZERO)
    if without and without[0]["how"] == RESOLVED:
        if book.is_short and without[0] in [s["adds"] for s in book.steps if s["side"] == SELL]:
            return  # less a sale that raises what is owed it may be no plan
        # the best plan without the security is no worse than the plan less its order
        under, name = place.row["improvement"] <= due + NUMBER_SLACK, "best without the security"
        place.rule("improvement", under, at_most(due), name)
        return
    place.number("improvement", due, "improvement of the plan less what a step adds")
    if not without:
        place.same("proposed_by", book.doc["proposed_by"], "who proposed the plan")


def _unrestricted(book: Book, other: Record, rates: Rates | None, place: Place) -> None:
    """Any quantities in any number of orders: no hurdle is charged, and costs in proportion."""
    hold, weights = book.doc["score"]["hold"], other["weights"]
    place.rule("steps", not other["steps"], "none", "the unrestricted optimum has no orders")
    place.rule("weights", weights is not None, "weights", "the unrestricted optimum has weights")
    if rates is not None:
        due = other["score"] - hold - rates.cost * book.weight(other["cost"])
        place.number("improvement", due, "improvement = score - hold - charges", hold)
    if weights is None:
        return
    before = {symbol: book.weight(row["value"]) for symbol, row in book.holdings.items()}
    moves = {symbol: weight - before.get(symbol, ZERO) for symbol, weight in weights.items()}
    traded = {symbol: abs(move) for symbol, move in moves.items()}
    turnover = HALF * sum(traded.values(), ZERO)
    place.number("turnover", turnover, "turnover = half of all that is traded")
    rows = (*book.doc["candidates"], *book.doc["holdings"])
    currencies = {row["symbol"]: row["currency"] for row in rows}
    if traded.keys() <= currencies.keys():
        fixed = book.cost_of(ZERO, book.doc["base_currency"])["total"]
        moneys = {symbol: weight * max(book.value, ZERO) for symbol, weight in traded.items()}
        cost = sum(book.cost_of(moneys[s], currencies[s])["total"] - fixed for s in moneys)
        place.number("cost", Decimal(cost), "cost in proportion to what is traded")
    else:
        why = "the document does not hold the currency of everything that it trades"
        place.tally.skip(place.path("cost"), why)
    after = drift(book, moves, sum(moves.values(), ZERO))
    place.number("drift_after", after, "drift after")
    least = min(weights.values(), default=ZERO)
    place.rule("weights", least >= -NUMBER_SLACK, at_least(ZERO), "nothing is sold short")
