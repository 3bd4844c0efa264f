"""What a plan was chosen by besides the score of today: the lists compared, paths, shocks, horizons
and the frontier.

What was drawn is not drawn again, nor what a list scores: both need the estimates. That the figures
agree, that the choice follows from them by the rule, and that nothing drawn is called proven is
held.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from steelyard.plans.verify.book import BY_SCORE, HOLD, ZERO, Book
from steelyard.plans.verify.charges import charge_rates, check_per_year
from steelyard.plans.verify.frontier import check_frontier
from steelyard.plans.verify.mode_words import rule_of
from steelyard.plans.verify.settings_of_modes import AHEAD, shares_of, years_of
from steelyard.plans.verify.tally import NUMBER_SLACK, Place, Record, Tally, at_least, at_most

DRAWN, SHOCKS = "monte_carlo", "stochastic"
DRAWS = frozenset({DRAWN, SHOCKS})
NEVER = frozenset({"proven", "within_one_lot"})
MOST_BESIDE = 13
"""The plan, hold, the best by the score of today and ten others."""
VALUE_SLACK = Decimal("1e-7")
"""Of figures with 8 significant digits, and of sums of them."""
NOTHING_GIVEN_UP = Decimal("1e-9")
PERCENT = 100
QUARTERS, MOST_PERIODS = 4, 60
BANDS = ("p05", "p25", "p50", "p75", "p95")
OF_HOLD = ("hold_p05", "hold_p50", "hold_p95")
ROUNDED = Decimal("0.02")
"""Of money that was rounded to cents."""

Orders = frozenset[tuple[str, str, Decimal]]


def check_modes(book: Book, tally: Tally) -> None:
    """The outlook, what was drawn, and the frontier; that there is none where nothing asks it."""
    place, outlook = tally.at("", book.doc), book.doc["outlook"]
    mode = book.evaluation["mode"]
    may = mode != BY_SCORE and not book.only_bands and not book.exact
    # who owes money may have nothing to choose among, nor has who owns nothing
    nothing = book.is_short or _owned(book) <= 0
    fits = (outlook is not None) == may or (may and nothing)
    place.rule("outlook", fits, f"of {mode}" if may else None, "a mode shows what it looked at")
    due = None if outlook is None else rule_of(book.evaluation)
    place.same("choice_rule", due, "the rule of the choice is that of the settings")
    _certificate(book, tally)
    check_frontier(book, tally)
    if outlook is None:
        return
    own = tally.at("outlook", outlook)
    own.same("mode", mode, "the mode is that of the strategy")
    _beside(book, own)
    _given_up(book, own)
    _fan(book, own)
    _shocks(book, own)
    _horizons(book, own)


def _certificate(book: Book, tally: Tally) -> None:
    """Nothing is proven of what a mode chose; what was drawn is told, and only that."""
    certificate, outlook = book.doc["certificate"], book.doc["outlook"]
    place, draws = tally.at("certificate", certificate), certificate["sampled"]
    has = (draws is not None) == (outlook is not None and book.evaluation["mode"] in DRAWS)
    place.rule("sampled", has, "where a mode draws", "what was drawn is told, and only that")
    if outlook is None:
        return
    never = certificate["status"] not in NEVER
    place.rule("status", never, "bounded or none", "a mode proves nothing")
    named = certificate["selected_by"] is not None
    place.rule("selected_by", named, "the mode", "what chose is named")
    if draws is not None:
        _draws(book, tally.at("certificate.sampled", draws))


def _draws(book: Book, place: Place) -> None:
    """How many, and that mean, tail and lead agree with the lists beside."""
    rules, row = book.evaluation, place.row
    place.same("paths", _paths(rules), "scenarios in pairs, of each shift as many")
    place.number("tail", rules["tail"], "the tail is as the strategy sets it")
    for mean, cvar in (("mean", "cvar"), ("hold_mean", "hold_cvar")):
        place.rule(cvar, row[cvar] <= row[mean], at_most(row[mean]), "a tail is under the mean")
    for error in ("standard_error", "cvar_error"):
        place.rule(error, row[error] >= 0, at_least(ZERO), "no error is negative")
    lists = book.doc["outlook"]["beside"]
    for other in lists:
        names = ("mean", "cvar") if other["chosen"] else ("hold_mean", "hold_cvar")
        if other["chosen"] or other["name"] == HOLD:
            for name, key in zip(names, ("mean", "cvar"), strict=True):
                place.same(name, other[key], "the figure of the list beside")
        if other["chosen"] and other["name"] == HOLD:
            place.same("hold_mean", other["mean"], "the plan is hold")
            place.same("hold_cvar", other["cvar"], "the plan is hold")
    _lead(lists, place)


def _lead(lists: Sequence[Record], place: Place) -> None:
    row, may_be = place.row, [other for other in lists if other["eligible"]]
    others = [other["value"] for other in may_be if not other["chosen"]]
    both = (row["lead"] is None) == (row["lead_error"] is None) == (not others)
    place.rule("lead", both, "where another list may be the plan", "a lead is over the next list")
    if row["lead"] is None or row["lead_error"] is None or not others:
        return
    place.rule("lead_error", row["lead_error"] >= 0, at_least(ZERO), "no error is negative")
    own = next((other["value"] for other in may_be if other["chosen"]), ZERO)
    _near(place, "lead", own - max(others), "lead = value - value of the next list")


def _paths(rules: Mapping[str, object]) -> int:
    """Scenarios: whole antithetic pairs, of each shift as many."""
    asked, shifts = int(str(rules["paths"])), rules["shifts"]
    if rules["mode"] == DRAWN or not isinstance(shifts, list | tuple):
        return 2 * math.ceil(asked / 2)
    count = len(shifts) or 1
    return count * 2 * math.ceil(math.ceil(asked / count) / 2)


def _near(place: Place, key: str, due: Decimal, name: str, slack: Decimal = VALUE_SLACK) -> None:
    """A figure that was rounded, or made of such."""
    close = abs(place.row[key] - due) <= slack * (1 + abs(due))
    place.rule(key, close, f"{due:.8g}", name)


def _beside(book: Book, place: Place) -> None:
    """Best first, one chosen, which is the plan; each valued by the rule."""
    outlook, tally = place.row, place.tally
    lists = outlook["beside"]
    count = len(lists)
    fits = 0 < count <= min(MOST_BESIDE, outlook["compared"])
    most = min(MOST_BESIDE, outlook["compared"])
    place.rule("compared", fits, f"{count} or more", f"at most {most} of those compared are shown")
    values = [other["value"] for other in lists if other["value"] is not None]
    falls = all(a >= b - VALUE_SLACK for a, b in pairwise(values))
    last = all(other["value"] is None for other in lists[len(values) :])
    tally.rule("outlook.beside", falls and last, "best first", "others", "best first")
    chosen = [other for other in lists if other["chosen"]]
    tally.rule("outlook.beside", len(chosen) == 1, 1, len(chosen), "one of the lists is the plan")
    holds = sum(other["name"] == HOLD for other in lists)
    tally.rule("outlook.beside", holds == 1, 1, holds, "hold is among them, once")
    first = next((other for other in lists if other["eligible"]), None)
    best = first is not None and any(
        other["chosen"] and other["value"] is not None
        and other["value"] >= first["value"] - VALUE_SLACK
        for other in lists
    )  # fmt: skip
    tally.rule("outlook.beside", best, "the best that may be it", "another", "the best is chosen")
    for n, other in enumerate(lists):
        _list(book, other, n, tally.at(f"outlook.beside[{n}]", other))


def _list(book: Book, other: Record, n: int, place: Place) -> None:
    own, hold = orders_of(other), other["name"] == HOLD
    place.same("name", HOLD if hold else f"list_{n + 1}", "the name of a list is its place")
    place.rule("steps", hold == (not own), "none of hold alone", "hold has no orders")
    if other["chosen"]:
        same = own == orders_of(book.doc)
        place.rule("steps", same, "those of the plan", "the list that is chosen is the plan")
        place.number("improvement", book.doc["score"]["improvement"], "that of the plan")
    elif hold:
        place.number("improvement", ZERO, "hold changes nothing")
    draws = book.evaluation["mode"] in DRAWS
    for key in ("mean", "cvar"):
        has = (other[key] is not None) == draws
        place.rule(key, has, "where a mode draws", "only what is drawn has a mean and a tail")
    if draws and None not in (other["mean"], other["cvar"], other["value"]):
        under = other["cvar"] <= other["mean"]
        place.rule("cvar", under, at_most(other["mean"]), "a tail is under the mean")
        weight = book.evaluation["tail_weight"]
        due = (1 - weight) * other["mean"] + weight * other["cvar"]
        _near(place, "value", due, "value = mean and tail, as the strategy weighs them")
    _may_be(book, other, place, hold=hold)


def _may_be(book: Book, other: Record, place: Place, *, hold: bool) -> None:
    """May it be the plan? Where nothing must be traded what is worth it may."""
    if other["chosen"]:
        place.same("eligible", True, "the plan may be the plan")
        return
    if book.is_short or book.base is not None:
        return
    over = other["improvement"] - max(book.asked, ZERO)
    if not hold and abs(over) <= NUMBER_SLACK:
        return  # on the edge rounding decides
    place.same("eligible", hold or over > 0, "what is worth its least improvement may be the plan")


def orders_of(row: Record) -> Orders:
    """Side, symbol and quantity of its orders."""
    return frozenset((step["side"], step["symbol"], step["quantity"]) for step in row["steps"])


def _given_up(book: Book, place: Place) -> None:
    """What the plan gives up by the score of today, against the best list by it."""
    given_up, lists = place.row["given_up"], place.row["beside"]
    may_be = [other for other in lists if other["eligible"]]
    plan = next((other for other in lists if other["chosen"]), None)
    if plan is None or not may_be:
        return  # noted with the lists
    best = max(may_be, key=_by_score)
    less = best["improvement"] - plan["improvement"]
    has = (given_up is not None) == (less > NOTHING_GIVEN_UP)
    on_edge = abs(less - NOTHING_GIVEN_UP) <= NUMBER_SLACK
    place.rule("given_up", has or on_edge, f"{less:.8g}", "what is given up by the score is told")
    if given_up is None:
        return
    own = place.tally.at("outlook.given_up", given_up)
    both = (PERCENT * Decimal(other["improvement"]) for other in (best, plan))
    own.number("points", PERCENT * less, "points = 100 x score given up", *both)
    check_per_year(book, charge_rates(book), given_up["points"] / PERCENT, own)
    valued = best["value"] is not None and plan["value"] is not None
    if valued and given_up["won"] is not None:
        _near(own, "won", plan["value"] - best["value"], "won = value of both, one less the other")
    else:
        has = (given_up["won"] is not None) == valued
        own.rule(
            "won", has, "of two on the frontier", "what is won is told where both have a value"
        )


def _by_score(other: Record) -> tuple[Decimal, bool, bool]:
    """Of lists of one score the plan, else one whose value is told, is the best."""
    return Decimal(other["improvement"]), other["chosen"], other["value"] is not None


def _fan(book: Book, place: Place) -> None:
    fan = place.row["fan"]
    has = (fan is not None) == (place.row["mode"] == DRAWN)
    place.rule("fan", has, "of monte_carlo", "only paths have a fan")
    if fan is None:
        return
    years = list(years_of(book.evaluation))[-1]
    periods = min(MOST_PERIODS, max(1, math.ceil(QUARTERS * float(years) - 1e-9)))
    count, tally = len(fan["points"]), place.tally
    tally.rule("outlook.fan.points", count == periods + 1, periods + 1, count, "today, and periods")
    if not fan["points"]:
        return
    for n, point in enumerate(fan["points"]):
        at = tally.at(f"outlook.fan.points[{n}]", point)
        at.number("years", years * n / periods, "periods are equal parts of the horizon")
        for names in (BANDS, OF_HOLD):
            for low, high in pairwise(names):
                rises = point[low] <= point[high]
                at.rule(high, rises, at_least(point[low]), "quantiles rise")
    _starts(book, fan["points"][0], tally.at("outlook.fan.points[0]", fan["points"][0]))
    _falls(book, fan, tally.at("outlook.fan", fan))


def _falls(book: Book, fan: Record, own: Place) -> None:
    """Falls on the way, and the share of the paths that ends lower."""
    for fall, deeper in (("fall_p50", "fall_p95"), ("hold_fall_p50", "hold_fall_p95")):
        fits = 0 <= fan[fall] <= fan[deeper] <= 1
        own.rule(deeper, fits, f"{fan[fall]} to 1", "a fall is a fraction, of few paths deeper")
    for loss in ("loss", "hold_loss"):
        own.rule(loss, 0 <= fan[loss] <= 1, "0 to 1", "a share of the paths")
        whole = fan[loss] * _paths(book.evaluation)
        counted = abs(whole - round(whole)) <= VALUE_SLACK * (1 + abs(whole))
        own.rule(loss, counted, "a count of paths", "a share of the paths")
    if book.steps:
        return
    for key in ("fall_p50", "fall_p95", "loss"):
        own.same(key, fan[f"hold_{key}"], "the plan is hold")
    for n, point in enumerate(fan["points"]):
        at = own.tally.at(f"outlook.fan.points[{n}]", point)
        for key in ("p05", "p50", "p95"):
            at.same(key, point[f"hold_{key}"], "the plan is hold")


def _owned(book: Book) -> Decimal:
    """What may be traded and all cash, base currency."""
    return sum((row["value"] for row in book.doc["holdings"]), book.cash_before)


def _starts(book: Book, first: Record, place: Place) -> None:
    """Today hold is what is owned and may be traded, and the plan that less its costs."""
    owned = _owned(book)
    paid = sum(map(book.charged, book.steps), ZERO)
    for names, due in ((BANDS, owned - paid), (OF_HOLD, owned)):
        for name in names:
            close = abs(first[name] - due) <= ROUNDED + NUMBER_SLACK * abs(due)
            place.rule(name, close, due, "today it is what is owned, less costs of the plan")


def _alike(own: Sequence[Decimal], due: Sequence[Decimal]) -> bool:
    """The same numbers, but for digits that a document does not have."""
    near = (abs(a - b) <= NUMBER_SLACK * (1 + abs(b)) for a, b in zip(own, due, strict=False))
    return len(own) == len(due) and all(near)


def _shocks(book: Book, place: Place) -> None:
    shocks, tally = place.row["shocks"], place.tally
    shifts = list(book.evaluation["shifts"]) if place.row["mode"] == SHOCKS else []
    own = [shock["shift"] for shock in shocks]
    same = _alike(own, shifts)
    tally.rule("outlook.shocks", same, shifts, own, "the shocks are those of the strategy")
    for n, shock in enumerate(shocks):
        at = tally.at(f"outlook.shocks[{n}]", shock)
        if not book.steps:
            at.same("plan", shock["hold"], "the plan is hold")
    draws = book.doc["certificate"]["sampled"]
    if not shocks or draws is None:
        return
    for key, mean in (("plan", "mean"), ("hold", "hold_mean")):
        each = sum((shock[key] for shock in shocks), ZERO) / len(shocks)
        close = abs(each - draws[mean]) <= VALUE_SLACK * (1 + abs(each))
        name = "each shock counts the same in the mean"
        tally.rule("outlook.shocks", close, f"{draws[mean]:.8g}", f"{each:.8g}", name)


def _horizons(book: Book, place: Place) -> None:
    horizons, tally, rules = place.row["horizons"], place.tally, book.evaluation
    ahead = place.row["mode"] == AHEAD
    due = list(years_of(rules)) if ahead else []
    years = [horizon["years"] for horizon in horizons]
    same = _alike(years, due)
    tally.rule("outlook.horizons", same, due, years, "the horizons are the strategy's")
    if not horizons or not same:
        return
    for n, (horizon, share) in enumerate(zip(horizons, shares_of(rules), strict=False)):
        at = tally.at(f"outlook.horizons[{n}]", horizon)
        at.number("share", share, "what a horizon counts, of all")
        at.rule("volatility", horizon["volatility"] >= 0, at_least(ZERO), "no risk is negative")
        at.rule(
            "annual_return", horizon["annual_return"] > -1, "over -1", "no more than all is lost"
        )
        if not book.steps:
            at.same("plan", horizon["hold"], "the plan is hold")
    for n, other in enumerate(place.row["beside"]):
        key = "plan" if other["chosen"] else "hold" if other["name"] == HOLD else None
        if key is not None and other["value"] is not None:
            due_value = sum((row["share"] * row[key] for row in horizons), ZERO)
            at = tally.at(f"outlook.beside[{n}]", other)
            _near(at, "value", due_value, "value = sum of share x score ahead")
