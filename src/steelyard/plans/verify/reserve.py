"""The reserve: the setting or the regime that it follows, and what a bear market leaves unspent."""

from __future__ import annotations

from decimal import Decimal

from steelyard.plans.verify.book import BUY, ONE, ZERO, Book
from steelyard.plans.verify.tally import Place, Record
from steelyard.plans.verify.words import check_sentence

PATTERNS, FOLLOWS = "pattern_generators", "market_regime"
BEAR, UNKNOWN = "bear", "unknown"
NOISE = Decimal("1e-9")
"""A gain so close to 0, of the value, may be none."""


def check_reserve(book: Book, top: Place) -> None:
    """Reserve and reason are those of the settings, the regime and the cash."""
    regime, rules = _binding(book), book.settings["regime"]
    own = book.limits["cash_reserve_weight"]
    wanted = ZERO if regime is None else rules[f"{regime}_cash"]
    least = max(own, wanted)
    spare = max(ZERO, book.weight(_own_cash(book)) - least)
    share = rules["bear_buys"] if regime == BEAR else ONE
    reserve = (least + (ONE - share) * spare) * book.value
    top.amount("reserve", reserve, "reserve = weight x value")
    place = top.tally.at("reserve_reason", book.doc["reserve_reason"])
    check_sentence(place, {"least": least, "spare": spare, "share": share})
    named = "(limits.cash_reserve_weight)"
    if regime is not None and wanted >= own:
        named = f"in a {regime} market (regime.{regime}_cash)"
    place.rule("template", named in place.row["template"], named, "the reason names its setting")
    budget = "spare" in place.row["facts"]
    place.rule("facts", budget == (share < 1 and spare > 0), "its budget", "a bear has a budget")
    _no_averaging_down(book, top, bear=regime == BEAR)


def _binding(book: Book) -> str | None:
    """The regime that sets limits: a known one, where what asks for it is in service."""
    follows = any(own["name"] == FOLLOWS for own in book.settings["modules"][PATTERNS])
    idle = any(
        (run["kind"], run["name"], run["outcome"]) == (PATTERNS, FOLLOWS, "disabled")
        for run in book.doc["modules"]
    )
    regime: str = book.doc["regime"]["name"]
    return regime if follows and not idle and regime != UNKNOWN else None


def _own_cash(book: Book) -> Decimal:
    """Cash that is there and that no open buy reserves."""
    return book.in_base(book.available) - Decimal(book.doc["open_buys"])


def _no_averaging_down(book: Book, top: Place, *, bear: bool) -> None:
    """In a bear market no candidate and no step buys more of what is held below its cost."""
    if not bear or book.settings["regime"]["bear_averaging_down"]:
        return
    for part in ("candidates", "steps"):
        for n, row in enumerate(book.doc[part]):
            if row["side"] == BUY:
                falls = _falls(book.holdings.get(row["symbol"]))
                place = top.tally.at(f"{part}[{n}]", row)
                place.rule("side", not falls, "no buy", "a bear market averages nothing down")


def _falls(holding: Record | None) -> bool:
    """Is it held below its cost, all of which is known?"""
    gains = [] if holding is None else [lot["gain"] for lot in holding["lots"]]
    if holding is None or not gains or None in gains:
        return False
    return bool(sum(gains, ZERO) < -NOISE * holding["value"])
