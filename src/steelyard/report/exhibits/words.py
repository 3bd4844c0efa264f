"""Names of the document as people read them, and numbers in the units of their rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from steelyard.planning.narrative import in_words
from steelyard.sentences import FORMATS, MINUS, SPACE, money, points, signed

LEAST_PRICE_DIGITS = 2
RATE_DIGITS = 6
OFF_SCALE = "off the scale"
IN_NAMES = frozenset("_./")
"""Signs inside the name of a file or a setting."""
NAMED = 8
"""Symbols named in a sentence before it says how many more there are."""


PARTS = {
    "conc": "concentration",
    "ind": "sectors",
    "country": "countries",
    "rao": "common movement",
    "tr": "total return",
    "q": "quality or steadiness",
    "vol": "volatility",
    "dd": "drawdown",
    "inc": "income",
    "fit": "distance from target",
    "cash": "distance from the cash target",
}
"""Part of a score term -> what it measures."""


def on_scale(score: float) -> str:
    """A score of 0 to 100 points; one under or over is no number that a reader must decode.

    >>> on_scale(0.4567), on_scale(-2.98), on_scale(1.2)
    ('45.67', 'off the scale', 'off the scale')
    """
    text = points(score)
    above = text != points(1.0) and score > 1
    return OFF_SCALE if text.startswith(MINUS) or above else text


def plain_words(name: str) -> str:
    """`max_depth` as words."""
    return name.replace("_", " ").strip()


def capital(text: str) -> str:
    """First letter upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Capital first, but not in the name of a file or a setting; full stop last."""
    named_first = IN_NAMES & set(text.partition(" ")[0].rstrip(",;:."))
    stop = "" if text.endswith((".", "!", "?")) or not text else "."
    return (text if named_first else capital(text)) + stop


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A number as a word and its noun: `Two trades`, `One sale`."""
    return f"{in_words(count)} {noun if count == 1 else plural or noun + 's'}"


def lower(text: str) -> str:
    """First letter lower case: a counted noun inside a sentence."""
    return text[:1].lower() + text[1:]


def named(symbols: Sequence[str], most: int = NAMED) -> str:
    """`A, B and 3 more`."""
    more = len(symbols) - most
    return ", ".join(symbols[:most]) + (f" and {more:,d} more" if more > 0 else "")


def price(amount: Decimal) -> str:
    """As quoted, with at least two decimals."""
    exponent = amount.as_tuple().exponent
    return money(amount, max(LEAST_PRICE_DIGITS, -exponent if isinstance(exponent, int) else 0))


def signed_money(amount: Decimal) -> str:
    """Whole units with thousands and a sign, except for 0."""
    text = money(amount, 0)
    return f"+{text}" if amount > 0 and text != "0" else text


def rate(amount: Decimal) -> str:
    """Six significant digits: a rate may be the inverse of a published one."""
    return money(amount, max(0, RATE_DIGITS - 1 - amount.adjusted()))


def _score(value: float) -> str:
    return signed(value, 2) if abs(value) <= 1 else OFF_SCALE


def _whole(unit: str) -> tuple[Callable[[float], str], Callable[[float], str]]:
    def of(text: str, value: float) -> str:
        return f"{text}{SPACE}{unit}" + ("" if abs(value) == 1 else "s")

    return (lambda n: of(money(n, 0), n)), (lambda n: of(signed(n, 0, scale=1), n))


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "\u2212")


SHARES = (FORMATS["pct"], FORMATS["spp"])
POINTS = (_score, _score)
DAYS, ORDERS, WEEKDAYS = _whole("day"), _whole("order"), _whole("weekday")
NUMBERS = (_number, _number)

OF_SHARES = (
    *(
        "no_crossing",
        "max_position",
        "min_order",
        "open_orders",
        "near_target",
        "cash",
        "small_buy",
    ),
    *("max_turnover", "max_group", "no_panic_sell_pct", "same_size"),
)
OF_POINTS = (
    *(
        "min_improvement",
        "net_gain",
        "not_proposed",
        "ranked_out",
        "row_filter",
        "passes_target",
        "not_searched",
        "not_chosen",
    ),
    "one_order_per_security",
)
UNITS = {
    **dict.fromkeys(OF_SHARES, SHARES),
    **dict.fromkeys(OF_POINTS, POINTS),
    **dict.fromkeys(("max_depth", "max_orders"), ORDERS),
    **dict.fromkeys(("stale_price", "stale_rate"), WEEKDAYS),
}
"""Rule -> how its numbers and its margin are written; `_days` are days, others plain numbers."""


def by_rule(rule: str, value: float | None, *, stage: str = "", margin: bool = False) -> str:
    """A number of the ledger in the unit of its rule; empty where the rule has none. What the
    search says of a rule that is not listed is a change of the score.
    """
    if value is None:
        return ""
    usual = POINTS if stage == "search" else NUMBERS
    units = UNITS.get(rule, DAYS if rule.endswith("_days") else usual)
    return units[1 if margin else 0](value)
