"""Options by their symbols: what brokers write, in the one form of the clearing house.

Source: OCC, Options Symbology Initiative (2010): root, yymmdd, C or P, strike in thousandths.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

ROOT = r"(?P<root>[A-Z]{1,6}[./]?[A-Z]?[0-9]?)"
"""BRK/B, BRKB; a digit stands behind the root of a contract that was adjusted."""
COMPACT = re.compile(
    rf"[-+.]? ?{ROOT} *(?P<yy>[0-9]{{2}})(?P<mm>[0-9]{{2}})(?P<dd>[0-9]{{2}})"
    r"(?P<right>[CP])(?P<strike>[0-9]+(?:\.[0-9]+)?)"
)
"""AAPL260116C00250000, AAPL  260116C00250000, -AAPL260116C250."""
DATES = (
    r"(?P<mm>[0-9]{1,2})/(?P<dd>[0-9]{1,2})/(?:20)?(?P<yy>[0-9]{2})",
    r"20(?P<yy>[0-9]{2})-(?P<mm>[0-9]{2})-(?P<dd>[0-9]{2})",
    r"(?P<dd>[0-9]{1,2}) ?(?P<month>[A-Z]{3}) ?(?:20)?(?P<yy>[0-9]{2})",
    r"(?P<month>[A-Z]{3}) (?P<dd>[0-9]{1,2}),? '?(?:20)?(?P<yy>[0-9]{2})",
)
TERMS = (
    r"\$?(?P<strike>[0-9,]+(?:\.[0-9]+)?) ?(?P<right>C|P|CALL|PUT)",
    r"(?P<right>C|P|CALL|PUT) ?\$?(?P<strike>[0-9,]+(?:\.[0-9]+)?)",
)
SPACED = tuple(re.compile(rf"{ROOT} {day} {terms}") for day in DATES for terms in TERMS)
"""AAPL 01/16/2026 250.00 C, AAPL 16JAN26 250 C, AAPL Jan 16 '26 $250 Call."""
MONTHS = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
THOUSANDTHS = 1000
STRIKE_DIGITS = 8
ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
DECIMAL_BASE = 10


def option_symbol(text: str) -> str | None:
    """The symbol of an option without blanks, as the clearing house writes it; None = no option.

    >>> option_symbol("AAPL 01/16/2026 250.00 C"), option_symbol("-AAPL260116C250")
    ('AAPL260116C00250000', 'AAPL260116C00250000')
    >>> option_symbol("AAPL 16JAN26 252.5 P"), option_symbol("AAPL")
    ('AAPL260116P00252500', None)
    """
    name = " ".join(text.upper().split()) if text.isascii() else ""
    match = next((m for form in (COMPACT, *SPACED) if (m := form.fullmatch(name))), None)
    if match is None or is_isin(name):
        return None
    parts = match.groupdict()
    month = MONTHS.index(parts["month"]) + 1 if parts.get("month") in MONTHS else parts.get("mm")
    strike = _thousandths(parts["strike"])
    try:
        expiry = date(2000 + int(parts["yy"]), int(month or 0), int(parts["dd"]))
    except ValueError:
        return None
    if strike is None:
        return None
    root = parts["root"].replace(".", "").replace("/", "")
    return f"{root}{expiry:%y%m%d}{parts['right'][0]}{strike:0{STRIKE_DIGITS}d}"


def _thousandths(strike: str) -> int | None:
    """The strike in thousandths: eight digits are that already; None where it is no strike."""
    plain = strike.replace(",", "")
    if plain.isdigit() and len(plain) == STRIKE_DIGITS:
        return int(plain) or None
    scaled = Decimal(plain) * THOUSANDTHS if any(map(str.isdigit, plain)) else Decimal(0)
    usable = 0 < scaled < DECIMAL_BASE**STRIKE_DIGITS and scaled == int(scaled)
    return int(scaled) if usable else None


def is_isin(text: str) -> bool:
    """Is a text an ISIN, its check digit right (ISO 6166)?

    >>> is_isin("IE00B3RBWM25"), is_isin("IE00B3RBWM26")
    (True, False)
    """
    if not ISIN.fullmatch(text):
        return False
    digits = "".join(str(int(sign, 36)) for sign in text)[::-1]
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(digits))
    return sum(n // DECIMAL_BASE + n % DECIMAL_BASE for n in doubled) % DECIMAL_BASE == 0


COMPACT_DATE = re.compile(r"[A-Z0-9]+?([0-9]{6})[CP][0-9]{8}")


def expiry(symbol: str) -> date | None:
    """The last day of an option by its symbol, as `option_symbol` gives it; None = no option.

    >>> expiry("AAPL260116C00250000"), expiry("AAPL")
    (datetime.date(2026, 1, 16), None)
    """
    match = COMPACT_DATE.fullmatch(symbol)
    if match is None:
        return None
    try:
        return date.fromisoformat(f"20{match[1][:2]}-{match[1][2:4]}-{match[1][4:]}")
    except ValueError:
        return None
