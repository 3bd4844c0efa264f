"""What a refused order means, by status, code and words together; all else is unknown.

The codes are generic: 42210000 comes with wash trades, prices and unknown ids alike, and 40310000
with money and shares alike, so a code alone decides nothing.
"""

from __future__ import annotations

import re

from steelyard.brokers.alpaca.web import Answer
from steelyard.brokers.broker import Rejected, Unknown

BAD, UNAUTHORISED, FORBIDDEN, NOT_FOUND, UNPROCESSABLE = 400, 401, 403, 404, 422
INTRADAY = 40310100
VALIDATED = frozenset({40010000, 40010001, 40310000, INTRADAY, 42210000})
"""Codes that only an order which was looked at and refused has."""
DUPLICATE = re.compile(r"client_order_id must be unique|duplicate client.?order.?id", re.IGNORECASE)
RULES: tuple[tuple[int, str, str], ...] = (
    (FORBIDDEN, "DAY_TRADE", r"pattern day trad|day trad(e|ing) (protection|limit|count)"),
    (FORBIDDEN, "INTRADAY_MARGIN", r"intraday margin"),
    (FORBIDDEN, "SHORTABLE", r"\bshort(able|ing|ed)?\b"),
    (FORBIDDEN, "WASH", r"wash trade"),
    (FORBIDDEN, "NOT_FRACTIONAL", r"fraction"),
    (FORBIDDEN, "BELOW_MINIMUM", r"minim(al|um) amount|cost basis must be"),
    (FORBIDDEN, "QUANTITY", r"insufficient qty|qty available"),
    (FORBIDDEN, "FUNDS", r"insufficient (day trading |non-marginable )?buying power"),
    (FORBIDDEN, "ACCOUNT", r"account .*(restrict|block|not authori[sz]ed|not active|liquidat)"),
    (FORBIDDEN, "ACCOUNT", r"trading is blocked|new orders are rejected"),
    (UNPROCESSABLE, "WASH", r"wash trade"),
    (UNPROCESSABLE, "NOT_FRACTIONAL", r"fraction|qty must be (an )?integer"),
    (UNPROCESSABLE, "BELOW_MINIMUM", r"minim(al|um) (amount|order)|notional .*must be"),
    (UNPROCESSABLE, "PRICE", r"sub-?penny|limit.?price|pricing criteria"),
    (UNPROCESSABLE, "NOT_TRADABLE", r"asset .*(not found|not tradable|not active)|invalid symbol"),
    (UNPROCESSABLE, "SHORTABLE", r"\bshort(able|ing|ed)?\b"),
    (UNPROCESSABLE, "SESSION", r"market .*(closed|hours)|time.?in.?force|extended.?hours"),
    (UNPROCESSABLE, "QUANTITY", r"\bqty\b|quantity"),
)
"""(status, our code, words): the first that fits."""


def refusal(answer: Answer) -> Rejected | Unknown:
    """What became of an order whose answer is no success; never guessed."""
    if answer.status == UNAUTHORISED:
        return Rejected("ACCOUNT", f"the keys are not those of this host: {answer.message}")
    for status, code, words in RULES:
        fits = answer.status == status and answer.code in VALIDATED
        if fits and re.search(words, answer.message, re.IGNORECASE):
            return Rejected(code, answer.message)
    if answer.status == FORBIDDEN and answer.code == INTRADAY:
        return Rejected("INTRADAY_MARGIN", answer.message)
    if answer.status in {BAD, FORBIDDEN, UNPROCESSABLE} and answer.code in VALIDATED:
        return Rejected("OTHER", answer.message)
    if answer.status == NOT_FOUND and answer.code and "asset" in answer.message.lower():
        return Rejected("NOT_TRADABLE", answer.message)
    return Unknown(f"Alpaca answered {answer.status}: {answer.message}")


def repeated(answer: Answer) -> bool:
    """Does it say that an order of this client id is there already?"""
    refused = answer.status in {BAD, UNPROCESSABLE} and answer.code > 0
    return refused and DUPLICATE.search(answer.message) is not None


def over(answer: Answer) -> bool:
    """Does it say that an order cannot be cancelled any more? That is an outcome, no error."""
    words = r"already (in|filled|cancell?ed|expired|rejected)|not cancel+able|pending cancel"
    return answer.status == UNPROCESSABLE and re.search(words, answer.message, re.I) is not None
