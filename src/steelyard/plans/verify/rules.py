"""Whose rules: the strategy's hash, the plan's rules, modules, regime and what it covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from steelyard.plans.verify.book import PROPOSALS, QUANTITIES, Book
from steelyard.plans.verify.reading import hash_of
from steelyard.plans.verify.tally import Place, Record, Tally

NEUTRAL_OF = {
    "expected_return": "mu",
    "volatility": "vol",
    "quality": "quality",
    "drawdown": "drawdown",
    "correlation": "corr",
    "dividend_yield": "yield",
}
"""Metric of the data coverage -> the setting that stands for it where it is missing."""
THRESHOLDS = (
    ("limits", "min_trade_weight"),
    ("score", "order_hurdle"),
    ("score", "min_improvement"),
)
EVERY_LIST = (
    "every whole-lot order list of any size and any number of orders that the filters and limits "
    "allow"
)
BY_TARGETS = "exact orders to the target weights; nothing was searched"
BY_BANDS = "what the weights outside their bands ask for"
EVERY_ASKED = (
    "every whole-lot order list of what the calculators ask for, any number of orders that the "
    "filters and limits allow"
)
"""What a plan in scope quantities is the best of: with targets, and without."""
WITH_ERROR = frozenset({"no_input", "failed", "disabled"})


def check_rules(book: Book, settings: object, tally: Tally) -> None:
    """The rules that bind the plan are those of its strategy; `settings` as they were read."""
    own, rules = book.settings, book.doc["rules"]
    strategy = tally.at("strategy", book.doc["strategy"])
    strategy.same("sha256", hash_of(settings), "the strategy's hash is that of its settings")
    as_set = "a rule is as the strategy sets it"
    for section in ("costs", "limits"):
        place = tally.at(f"rules.{section}", rules[section])
        for name in rules[section]:
            place.same(name, own[section].get(name), as_set)
    place = tally.at("rules", rules)
    place.same("max_depth", own["search"]["max_depth"], as_set)
    _most_orders(book, place)
    _thresholds(book, tally)
    place.same("drift_band_weight", own["rebalance"]["drift_band_weight"], as_set)
    objective = tally.at("objective", book.doc["objective"])
    objective.same("profile", own["score"]["profile"], "the profile of the strategy")
    _regime(own["regime"], book.doc["regime"], tally)
    _modules(book, tally)
    _covers(book, tally)
    _coverage(book, tally)


def _most_orders(book: Book, place: Place) -> None:
    """The limit of orders, as the plan decided it; of sets of candidates the depth too."""
    limit, depth = book.limits["max_orders"], book.settings["search"]["max_depth"]
    if not (book.by_quantities or book.exact):
        limit = depth if limit is None else min(limit, depth)
    place.same("max_orders", limit, "most orders: the limit, and the depth of a set of candidates")


def _thresholds(book: Book, tally: Tally) -> None:
    """The thresholds as the plan decided them for its number of names."""
    own, shown = book.settings, book.thresholds
    place = tally.at("rules.thresholds", shown)
    for section, name in THRESHOLDS:
        place.same(name, own[section][name], "a threshold is as the strategy sets it")
    listed = {row["symbol"] for part in ("holdings", "candidates") for row in book.doc[part]}
    least = len(listed)
    place.rule("names", shown["names"] >= least, f"at least {least}", "what is listed is counted")


def _regime(rules: Record, regime: Record, tally: Tally) -> None:
    """The regime is one that its distance allows; which of two depends on the days before."""
    name, distance, count = regime["name"], regime["distance"], regime["observations"]
    place = tally.at("regime", regime)
    has = (distance is not None) == (name != "unknown")
    place.rule("distance", has, "for a known regime", "only a known regime has a distance")
    place.rule("observations", count >= 0, "0 or more", "a whole number of levels")
    if name == "unknown" or distance is None:
        return
    allowed = {
        "bull": distance >= rules["leave"],
        "bear": distance <= -rules["leave"],
        "sideways": abs(distance) < rules["enter"],
    }
    due = f"one that begins and ends at {distance}"
    place.rule("name", allowed[name], due, "a regime that the distance allows")
    enough = count >= rules["window"]
    place.rule("observations", enough, f"at least {rules['window']}", "enough levels for a regime")


def _modules(book: Book, tally: Tally) -> None:
    """What ran is what the strategy has on, and says why it gave nothing."""
    settings = book.settings["modules"]
    has = {(kind, own["name"], own["version"]) for kind in settings for own in settings[kind]}
    ran: Counter[tuple[str, str, str]] = Counter()
    for n, run in enumerate(book.doc["modules"]):
        place = tally.at(f"modules[{n}]", run)
        key = run["kind"], run["name"], run["version"]
        ran[key] += 1
        place.rule("name", key in has, "a module of the strategy", "what ran is on")
        why = (run["error"] is not None) == (run["outcome"] in WITH_ERROR)
        place.rule("error", why, f"for {', '.join(sorted(WITH_ERROR))}", "no result has a reason")
    once = all(ran[key] == 1 for key in has)
    tally.rule(
        "modules", once, "each once", len(book.doc["modules"]), "every module that is on ran"
    )


def _covers(book: Book, tally: Tally) -> None:
    """What the plan is the best of, in words, from the counts and the scope."""
    certificate, search = book.doc["certificate"], book.settings["search"]
    place = tally.at("certificate", certificate)
    place.same("candidates", len(book.doc["candidates"]), "candidates of the table")
    if book.exact:
        place.same("covers", BY_TARGETS, "what the plan is")
        return
    place.same("scope", search["scope"], "the scope of the strategy")
    if book.only_bands:
        place.same("covers", BY_BANDS, "what the plan is the best of")
        return
    seen = certificate["sequences"]
    if certificate["scope"] == QUANTITIES:
        most = book.doc["rules"]["max_orders"]
        orders = "" if most is None else f", of at most {most:,d} order{'s' * (most != 1)}"
        every = EVERY_LIST if book.doc["objective"]["mode"] == "targets" else EVERY_ASKED
        place.same("covers", every + orders, "what the plan is the best of")
        return
    if certificate["scope"] != PROPOSALS:
        lists = f"every list of at most {search['max_depth']} of {certificate['candidates']:,d}"
        due = f"{lists} candidates, one order per security"
        place.same("covers", due, "what the plan is the best of")
        return
    most = min(_by_rank(book), default=seen)
    due = f"best of {seen:,d} proposals"
    if most < seen:
        due = f"best of at most {most:,d} of {seen:,d} proposals, the first by rank"
    place.same("covers", due, "what the plan is the best of")


def _by_rank(book: Book) -> Iterator[int]:
    """How many proposals each rank filter that ran leaves."""
    for params in book.filters.values():
        most = params.get("max_sequences")
        if isinstance(most, int):
            yield most


def _coverage(book: Book, tally: Tally) -> None:
    """What stands for a missing metric is the neutral value of the settings."""
    score = book.settings["score"]
    neutral = dict(score["neutral"])
    if score["expected_return"] == "given":
        neutral["mu"] = score["risk_free"] + score["equity_premium"]
    for n, missing in enumerate(book.doc["data_coverage"]):
        if missing["used"] is not None and missing["metric"] in NEUTRAL_OF:
            place = tally.at(f"data_coverage[{n}]", missing)
            place.number("used", neutral[NEUTRAL_OF[missing["metric"]]], "the neutral value")
