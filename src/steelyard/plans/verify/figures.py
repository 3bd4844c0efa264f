"""Sums and differences of the score, its charges, the drift, the alternatives and the certificate.

What the terms are worth needs the estimates and is not judged; that they add up is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from steelyard.plans.verify.book import HALF, ONE, SELL, UNRESTRICTED, ZERO, Book
from steelyard.plans.verify.reading import hash_of
from steelyard.plans.verify.tally import NUMBER_SLACK, Record, Tally, at_least, at_most

TOTAL_RETURN = "total_return"
ACT = "act"
NEUTRAL_OF: Mapping[str, str] = {
    "expected_return": "mu",
    "volatility": "vol",
    "quality": "quality",
    "drawdown": "drawdown",
    "correlation": "corr",
    "dividend_yield": "yield",
}
"""Metric of the data coverage -> the setting that stands for it where it is missing."""
DIGITS_SLACK = Decimal("1e-11")
"""Of a number that was published with 12 significant digits."""


def check_figures(book: Book, tally: Tally) -> None:
    """Everything that is a number of the score or of the whole."""
    _terms(book, tally)
    _score(book, tally)
    _drift(book, tally)
    _alternatives(book, tally)
    _certificate(book, tally)
    _coverage(book, tally)


def check_rules(book: Book, tally: Tally) -> None:
    """The rules that bind the plan are those of its strategy, as JSON values: so they are
    hashed.
    """
    settings, rules = book.settings, book.raw["rules"]
    tally.same(
        "the strategy's hash is that of its settings",
        "strategy.sha256",
        hash_of(settings),
        book.doc["strategy"]["sha256"],
    )
    for section in ("costs", "limits"):
        own = settings.get(section)
        tally.same(
            "every rule is a setting",
            f"rules.{section}",
            sorted(own if isinstance(own, dict) else ()),
            sorted(rules[section]),
        )
        for name, value in rules[section].items():
            due = own.get(name) if isinstance(own, dict) else None
            tally.same("a rule is as the strategy sets it", f"rules.{section}.{name}", due, value)
    own = book.doc["strategy"]["settings"]
    tally.same(
        "a rule is as the strategy sets it",
        "rules.max_depth",
        own["search"]["max_depth"],
        rules["max_depth"],
    )
    band = own["rebalance"]["drift_band_weight"]
    tally.number(
        "a rule is as the strategy sets it",
        "rules.drift_band_weight",
        band,
        book.doc["rules"]["drift_band_weight"],
    )
    tally.same(
        "the scope of the strategy",
        "certificate.scope",
        own["search"]["scope"],
        book.doc["certificate"]["scope"],
    )
    tally.same(
        "the profile of the strategy",
        "objective.profile",
        own["score"]["profile"],
        book.doc["objective"]["profile"],
    )
    _regime(own["regime"], book.doc["regime"], tally)


def _regime(rules: Record, regime: Record, tally: Tally) -> None:
    """The market regime is one that its distance allows; which of two it is depends on the days
    before.
    """
    name, distance, count = regime["name"], regime["distance"], regime["observations"]
    tally.same(
        "only a known regime has a distance",
        "regime.distance",
        name != "unknown",
        distance is not None,
    )
    tally.rule("a whole number of levels", "regime.observations", count >= 0, "0 or more", count)
    if name == "unknown" or distance is None:
        return
    allowed = {
        "bull": distance >= rules["leave"],
        "bear": distance <= -rules["leave"],
        "sideways": abs(distance) < rules["enter"],
    }
    tally.rule(
        "a regime that the distance allows",
        "regime.name",
        allowed[name],
        "one that begins and ends there",
        f"{name} at {distance}",
    )
    tally.rule(
        "enough levels for a regime",
        "regime.observations",
        count >= rules["window"],
        f"at least {rules['window']}",
        count,
    )


def _terms(book: Book, tally: Tally) -> None:
    score = book.doc["score"]
    for n, term in enumerate(score["terms"]):
        where = f"score.terms[{n}]"
        for m, part in enumerate(term["parts"]):
            _part(part, f"{where}.parts[{m}]", tally)
        if term["parts"]:
            shares = sum((part["share"] for part in term["parts"]), ZERO)
            tally.number("shares of the parts sum to 1", f"{where}.parts", ONE, shares)
        for state in ("hold", "plan"):
            parts = [part["share"] * part[state] for part in term["parts"]]
            tally.number(
                "term = sum of share x part",
                f"{where}.{state}",
                sum(parts, ZERO),
                term[state],
                *parts,
            )
        inside = all(-NUMBER_SLACK <= term[state] <= 1 + NUMBER_SLACK for state in ("hold", "plan"))
        edge = any(
            abs(term[state] - end) <= NUMBER_SLACK
            for state in ("hold", "plan")
            for end in (ZERO, ONE)
        )
        if not edge:
            tally.same(
                "off scale = outside 0 to 1", f"{where}.off_scale", not inside, term["off_scale"]
            )
    weights = sum((term["weight"] for term in score["terms"]), ZERO)
    # with every share 0 there is nothing to weigh, and hold wins
    tally.number("weights of the terms sum to 1", "score.terms", ONE if weights else ZERO, weights)
    for state in ("hold", "plan"):
        terms = [term["weight"] * term[state] for term in score["terms"]]
        tally.number(
            "score = sum of weight x term", f"score.{state}", sum(terms, ZERO), score[state], *terms
        )


def _part(part: Record, where: str, tally: Tally) -> None:
    low, high = part["scale"]
    tally.rule("a scale goes up", f"{where}.scale", low < high, f"more than {low}", high)
    if low >= high:
        return
    for state in ("hold", "plan"):
        raw = part[f"raw_{state}"]
        due = (raw - low) / (high - low)
        # the raw figure was rounded before, and a narrow scale makes much of that
        slack = DIGITS_SLACK * (abs(raw) + abs(low) + abs(high)) / (high - low) + NUMBER_SLACK
        tally.rule(
            "scaled = (raw - low) / (high - low)",
            f"{where}.{state}",
            abs(due - part[state]) <= slack,
            f"{due:.12g}",
            part[state],
        )


@dataclass(frozen=True, slots=True)
class Rates:
    """Score per unit of cost / V, per unit of tax / V, per order."""

    cost: Decimal
    tax: Decimal
    hurdle: Decimal


def charge_rates(book: Book) -> Rates | None:
    """What the settings charge; None where they make no sense.

    A unit of yearly return is worth the weight of the return term over its scale, or a least score
    if that is more.
    """
    settings = book.score_settings
    low, high = settings["anchors"]["tr"]
    if (
        low >= high
        or settings["holding_years"] <= 0
        or settings["tax_years"] <= 0
        or settings["neutral"]["mu"] <= -1
    ):
        return None
    weight = sum(
        (term["weight"] for term in book.doc["score"]["terms"] if term["name"] == TOTAL_RETURN),
        ZERO,
    )
    per_return = max(weight / (high - low), settings["min_score_per_return"])
    brought_forward = 1 - (1 + settings["neutral"]["mu"]) ** -settings["tax_years"]
    return Rates(
        cost=per_return * settings["cost_aversion"] / settings["holding_years"],
        tax=per_return * brought_forward / settings["tax_years"],
        hurdle=settings["order_hurdle"],
    )


def _score(book: Book, tally: Tally) -> None:
    doc, score = book.doc, book.doc["score"]
    charges, settings = score["charges"], book.score_settings
    improvement = score["plan"] - score["hold"] - sum(charges.values(), ZERO)
    tally.number(
        "improvement = plan - hold - charges",
        "score.improvement",
        improvement,
        score["improvement"],
        score["plan"],
        score["hold"],
    )
    rates = charge_rates(book)
    tally.rule(
        "charges can be calculated",
        "strategy.settings.score",
        rates is not None,
        "scales and years above 0",
        rates is not None,
    )
    if rates is not None:
        cost = rates.cost * book.weight(doc["costs"]["total"])
        tally.number("cost is charged by the settings", "score.charges.cost", cost, charges["cost"])
        taxed = book.weight(_tax(book, book.steps))
        tally.number(
            "tax is charged by the settings", "score.charges.tax", rates.tax * taxed, charges["tax"]
        )
        tally.number(
            "each order is charged its hurdle",
            "score.charges.hurdle",
            rates.hurdle * len(book.steps),
            charges["hurdle"],
        )
    latched = settings["latch_share"] if doc["verdict"]["previous"] == ACT else ONE
    tally.number(
        "least improvement by the settings",
        "score.min_improvement",
        latched * settings["min_improvement"],
        score["min_improvement"],
    )
    acts = bool(book.steps)
    tally.same(
        "act = there are steps", "verdict.action", ACT if acts else "hold", doc["verdict"]["action"]
    )
    if acts:
        enough = (
            score["improvement"] > 0
            and score["improvement"] >= score["min_improvement"] - NUMBER_SLACK
        )
        tally.rule(
            "a plan is worth its least improvement",
            "score.improvement",
            enough,
            at_least(score["min_improvement"]),
            score["improvement"],
        )
    elif score["terms"]:
        tally.number("hold improves nothing", "score.improvement", ZERO, score["improvement"])
    if len(book.steps) == 1:
        tally.number(
            "one step adds the whole improvement",
            "steps[0].adds",
            score["improvement"],
            book.steps[0]["adds"],
        )


def _tax(book: Book, orders: list[Record]) -> Decimal:
    """Tax money of the sales among orders, lots of unknown cost left out."""
    sales = (
        book.taxed_gain(order["symbol"], order["quantity"])[0]
        for order in orders
        if order["side"] == SELL
    )
    rate: Decimal = book.score_settings["tax_rate"]
    return rate * sum(sales, ZERO)


def _drift(book: Book, tally: Tally) -> None:
    bought = book.weight(-book.flow(book.steps))
    for state, due in (
        ("before", drift(book, {}, ZERO)),
        ("after", drift(book, _moves(book, book.steps), bought)),
    ):
        tally.number(
            "drift = half the sum of distances from target, cash included",
            f"drift.{state}",
            due,
            book.doc["drift"][state],
        )


def drift(book: Book, moves: Mapping[str, Decimal], bought: Decimal) -> Decimal | None:
    """Half the sum of distances from target after `moves` of weight, cash before costs included;
    None without targets.
    """
    if not book.by_targets:
        return None
    weights = {
        symbol: book.weight(row["value"]) + moves.get(symbol, ZERO)
        for symbol, row in book.holdings.items()
    }
    off = sum(
        (
            abs(weight - (book.holdings[symbol]["target"] or ZERO))
            for symbol, weight in weights.items()
        ),
        ZERO,
    )
    absent: Decimal = book.doc["drift"]["absent_target"]
    return HALF * (off + absent + abs(book.weight(book.cash_before) - bought - book.target_cash))


def _moves(book: Book, orders: list[Record]) -> dict[str, Decimal]:
    """Symbol -> change of weight."""
    moves: dict[str, Decimal] = {}
    for order in orders:
        change = book.weight(order["notional_base"])
        moves[order["symbol"]] = moves.get(order["symbol"], ZERO) + (
            -change if order["side"] == SELL else change
        )
    return moves


def _alternatives(book: Book, tally: Tally) -> None:
    doc = book.doc
    rates = charge_rates(book)
    for n, other in enumerate(doc["alternatives"]):
        where = f"alternatives[{n}]"
        if other["name"] == UNRESTRICTED:
            _unrestricted(book, other, rates, where, tally)
            continue
        rows: list[Record] = []
        for m, order in enumerate(other["steps"]):
            row = book.table.get((order["symbol"], order["side"], order["quantity"]))
            tally.rule(
                "an order of an alternative is a candidate",
                f"{where}.steps[{m}]",
                row is not None,
                "symbol, side and quantity of one",
                order["quantity"],
            )
            rows += [] if row is None else [row]
        if len(rows) == len(other["steps"]):
            _alternative(book, other, rows, rates, where, tally)


def _alternative(
    book: Book, other: Record, rows: list[Record], rates: Rates | None, where: str, tally: Tally
) -> None:
    """An alternative that is a list of candidates: its costs, turnover, drift and charges are
    known.
    """
    score = book.doc["score"]
    cost = sum((row["cost"] for row in rows), ZERO)
    tally.amount("cost of the orders", f"{where}.cost", cost, other["cost"])
    traded = sum((row["notional_base"] for row in rows), ZERO)
    tally.number(
        "turnover = half of all orders / value",
        f"{where}.turnover",
        book.weight(traded) / 2,
        other["turnover"],
    )
    after = drift(book, _moves(book, rows), book.weight(-book.flow(rows)))
    tally.number("drift after the orders", f"{where}.drift_after", after, other["drift_after"])
    tally.same("an order list holds no weights", f"{where}.weights", None, other["weights"])
    if rates is not None:
        charged = (
            rates.cost * book.weight(cost)
            + rates.tax * book.weight(_tax(book, rows))
            + rates.hurdle * len(rows)
        )
        due = other["score"] - score["hold"] - charged
        tally.number(
            "improvement = score - hold - charges",
            f"{where}.improvement",
            due,
            other["improvement"],
            score["hold"],
        )
    if not rows:
        tally.number("the score of doing nothing", f"{where}.score", score["hold"], other["score"])
    if len(rows) == 1:
        tally.number(
            "what the one order gains",
            f"{where}.improvement",
            rows[0]["gain"],
            other["improvement"],
        )
    _same_orders(book, other, rows, where, tally)


def _same_orders(book: Book, other: Record, rows: list[Record], where: str, tally: Tally) -> None:
    """An alternative that is the plan, or the plan less one step, is worth what the plan says."""
    score = book.doc["score"]
    ids, plan = (
        {row["id"] for row in rows},
        {step["candidate"]: step["adds"] for step in book.steps},
    )
    left_out = plan.keys() - ids
    if ids - plan.keys() or len(left_out) > 1:
        return
    due = score["improvement"] - sum((plan[candidate] for candidate in left_out), ZERO)
    tally.number(
        "improvement of the plan less what a step adds",
        f"{where}.improvement",
        due,
        other["improvement"],
    )


def _unrestricted(book: Book, other: Record, rates: Rates | None, where: str, tally: Tally) -> None:
    """Any quantities in any number of orders: no order is charged its hurdle, and costs are in
    proportion.
    """
    score = book.doc["score"]
    tally.same("the unrestricted optimum has no orders", f"{where}.steps", 0, len(other["steps"]))
    if rates is not None:
        due = other["score"] - score["hold"] - rates.cost * book.weight(other["cost"])
        tally.number(
            "improvement = score - hold - charges",
            f"{where}.improvement",
            due,
            other["improvement"],
            score["hold"],
        )
    weights = other["weights"]
    tally.rule(
        "the unrestricted optimum has weights",
        f"{where}.weights",
        weights is not None,
        "weights",
        weights,
    )
    if weights is None:
        return
    held = {symbol: book.weight(row["value"]) for symbol, row in book.holdings.items()}
    moves = {symbol: weight - held.get(symbol, ZERO) for symbol, weight in weights.items()}
    traded = {symbol: abs(move) for symbol, move in moves.items()}
    tally.number(
        "turnover = half of all that is traded",
        f"{where}.turnover",
        HALF * sum(traded.values(), ZERO),
        other["turnover"],
    )
    currencies = {
        row["symbol"]: row["currency"] for row in (*book.doc["candidates"], *book.doc["holdings"])
    }
    if traded.keys() <= currencies.keys():
        least = book.cost_of(ZERO, book.doc["base_currency"])["total"]
        costs = (
            book.cost_of(traded[symbol] * max(book.value, ZERO), currencies[symbol])["total"]
            - least
            for symbol in traded
        )
        tally.number(
            "cost in proportion to what is traded", f"{where}.cost", sum(costs, ZERO), other["cost"]
        )
    else:
        tally.skip(
            f"{where}.cost", "the document does not hold the currency of everything that it trades"
        )
    after = drift(book, moves, sum(moves.values(), ZERO))
    tally.number("drift after", f"{where}.drift_after", after, other["drift_after"])
    tally.rule(
        "nothing is sold short",
        f"{where}.weights",
        all(weight >= -NUMBER_SLACK for weight in weights.values()),
        at_least(ZERO),
        min(weights.values(), default=ZERO),
    )


def _kept_by_rank(doc: Record) -> Iterator[object]:
    """How many proposals the rank filters keep, as the strategy has it."""
    for module in doc["strategy"]["settings"].get("modules", {}).get("filters", ()):
        if "max_sequences" in module["params"]:
            yield module["params"]["max_sequences"]


def _certificate(book: Book, tally: Tally) -> None:
    doc, certificate, score = book.doc, book.doc["certificate"], book.doc["score"]
    tally.same(
        "candidates of the table",
        "certificate.candidates",
        len(doc["candidates"]),
        certificate["candidates"],
    )
    counts = Counter(
        (
            certificate["sequences"],
            certificate["candidates"],
            doc["rules"]["max_depth"],
            *_kept_by_rank(doc),
        )
    )
    told = Counter(
        int(number.replace(",", ""))
        for number in re.findall(r"[0-9][0-9,]*", certificate["covers"])
    )
    strange = sorted(told - counts)
    tally.rule(
        "counts in words are counts",
        "certificate.covers",
        not strange,
        "counts of the certificate",
        strange,
    )
    _status(certificate, tally)
    bound, gap = certificate["bound"], certificate["search_gap"]
    if bound is None or gap is None:
        return
    reached = score["hold"] + score["improvement"]
    tally.number(
        "search gap = bound - (hold + improvement)",
        "certificate.search_gap",
        bound - reached,
        gap,
        bound,
        score["hold"],
    )
    tally.rule("no gap is negative", "certificate.search_gap", gap >= 0, at_least(ZERO), gap)
    share = gap / score["improvement"] if score["improvement"] > 0 else None
    of_it = certificate["search_gap_of_improvement"]
    if share is None or of_it is None:
        tally.number(
            "search gap / improvement", "certificate.search_gap_of_improvement", share, of_it
        )
    else:
        # a small improvement makes much of the rounding of the gap
        close = (
            abs(share - of_it)
            <= NUMBER_SLACK + DIGITS_SLACK / score["improvement"] + DIGITS_SLACK * share
        )
        tally.rule(
            "search gap / improvement",
            "certificate.search_gap_of_improvement",
            close,
            f"{share:.12g}",
            of_it,
        )
    slack = NUMBER_SLACK * (1 + abs(bound))
    for n, other in enumerate(doc["alternatives"]):
        worth = score["hold"] + other["improvement"]
        if other["name"] != UNRESTRICTED and other["improvement"] >= score["min_improvement"]:
            tally.rule(
                "no alternative is over the bound",
                f"alternatives[{n}].improvement",
                worth <= bound + slack,
                at_most(bound),
                worth,
            )
        elif other["name"] == UNRESTRICTED and certificate["structural_headroom"] is not None:
            headroom = certificate["structural_headroom"]
            least = other["improvement"] - score["improvement"]
            tally.rule(
                "the headroom covers the unrestricted optimum",
                "certificate.structural_headroom",
                headroom >= least - slack,
                at_least(least),
                headroom,
            )


def _status(certificate: Record, tally: Tally) -> None:
    status, gap = certificate["status"], certificate["search_gap"]
    known = gap is not None and certificate["bound"] is not None

    def rule(kept: bool, due: str) -> None:
        tally.rule(f"what {status} means", "certificate.status", kept, due, gap)

    if status == "proven":
        rule(
            known and gap == 0 and certificate["selected_by"] is None,
            "a bound, a gap of 0, and no black box",
        )
    elif status == "bounded":
        # re-ranked by a black box: nothing is proven, whatever the gap
        rule(
            known and (gap > 0 or certificate["selected_by"] is not None),
            "a bound and a gap above 0",
        )
    else:
        rule(not known and certificate["search_gap_of_improvement"] is None, "no bound and no gap")


def _coverage(book: Book, tally: Tally) -> None:
    """What stands for a missing metric is the neutral value of the settings."""
    neutral = book.score_settings["neutral"]
    for n, missing in enumerate(book.doc["data_coverage"]):
        if missing["used"] is not None and missing["metric"] in NEUTRAL_OF:
            tally.number(
                "the neutral value of the settings",
                f"data_coverage[{n}].used",
                neutral[NEUTRAL_OF[missing["metric"]]],
                missing["used"],
            )
