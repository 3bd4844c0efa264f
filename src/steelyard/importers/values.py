"""Cells to values: what does not fit raises BadCell, whose text is the reason.

A number is plain digits, a date 2022-12-28, a weight a fraction; nothing is guessed.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from steelyard.canonical import plain

NOTHING = "Nothing was planned."
MAX_DIGITS = 40
"""Most characters in a number."""
MAX_EXPONENT = 12
"""Numbers like 1e6 are read up to this power of ten, either way."""
MAX_QUANTITY = Decimal("1e12")
MAX_PRICE = Decimal("1e12")
MAX_CASH = Decimal("1e15")
MAX_RATE = Decimal("1e9")
SHOWN_CHARACTERS = 40
"""How much of a cell a message repeats."""
WHOLE = 100
"""Percent."""
SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-/^=]{0,31}")
CURRENCY = re.compile(r"[A-Z]{3}")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,3}))?")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


class BadCell(ValueError):
    """A cell does not hold what its column promises; the text is the reason alone."""


def shown(text: str) -> str:
    """Foreign text in a message: quoted, without control characters, cut.

    >>> shown("12\\x1b[31m")
    "'12\\\\x1b[31m'"
    """
    return ascii(text) if len(text) <= SHOWN_CHARACTERS else ascii(text[:SHOWN_CHARACTERS]) + "…"


def number(text: str, column: str) -> Decimal:
    """Plain decimal number in the digits 0-9, with an exponent up to 12.

    >>> number("1.50", "price"), number("1e3", "price")
    (Decimal('1.50'), Decimal('1E+3'))
    """
    match = NUMBER.fullmatch(text) if len(text) <= MAX_DIGITS else None
    if match is None or abs(int(match[1] or 0)) > MAX_EXPONENT:
        raise BadCell(f"{column} {shown(text)} {_why_no_number(text)}")
    return Decimal(text)


def _why_no_number(text: str) -> str:
    """What is wrong with a text that is not a number here, and what to write instead."""
    other_digits = not text.isascii() and any(sign.isdigit() for sign in text)
    reasons = (
        (not text, "is missing"),
        (len(text) > MAX_DIGITS, f"has more than {MAX_DIGITS} characters"),
        (NOT_FINITE.fullmatch(text), "is not a finite number"),
        ("_" in text, "has underscores; write 1000, not 1_000"),
        (other_digits, "has other digits than 0-9"),
        (text.endswith("%"), f"is a percentage; write {_share(text)}"),
        ("," in text or "'" in text, "has a comma or an apostrophe; write 1234.5"),
        (NUMBER.fullmatch(text), f"has an exponent over {MAX_EXPONENT}"),
    )
    return next((reason for holds, reason in reasons if holds), "is not a number")


def _share(text: str) -> str:
    """How `12 %` is written here."""
    share = text[:-1].rstrip(" ")
    if not NUMBER.fullmatch(share) or len(share) > MAX_DIGITS:
        return "0.12 for 12%"
    return f"{plain(Decimal(share) / 100)} for {share}%"


def positive(text: str, column: str, most: Decimal) -> Decimal:
    """A number above 0 and at most `most`."""
    value = number(text, column)
    if value <= 0:
        raise BadCell(f"{column} {shown(text)} must be above 0")
    if value > most:
        raise BadCell(f"{column} {shown(text)} is over {most:,f}, the most that is read")
    return value


def amount(text: str, column: str) -> Decimal:
    """Money, of either sign."""
    value = number(text, column)
    if abs(value) > MAX_CASH:
        raise BadCell(f"{column} {shown(text)} is over {MAX_CASH:,f}, the most that is read")
    return value


def fraction(text: str, column: str) -> float:
    """A number from 0 to 1."""
    value = number(text, column)
    if not 0 <= value <= 1:
        rule = f"must be a fraction from 0 to 1; {as_fraction(value)}"
        raise BadCell(f"{column} {shown(text)} {rule}")
    return float(value)


def as_fraction(percent: Decimal) -> str:
    """How a percentage is written here, by the number that was given where it may be one.

    >>> as_fraction(Decimal(8))
    '8% is 0.08'
    """
    return f"{plain(percent)}% is {plain(percent / 100)}" if 1 < percent <= WHOLE else "12% is 0.12"


def day(text: str, column: str) -> date:
    """A date as 2022-12-28."""
    if not text:
        raise BadCell(f"{column} is missing")
    if not ISO_DATE.fullmatch(text):
        raise BadCell(f"{column} {shown(text)} is not a date; write 2022-12-28")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadCell(f"{column} {shown(text)} is not a day of the calendar") from error


def symbol(text: str) -> str:
    """A symbol in upper case."""
    upper = text.upper() if text.isascii() else text
    if not text:
        raise BadCell("symbol is missing")
    if not SYMBOL.fullmatch(upper):
        form = "it begins with A-Z or 0-9, then up to 31 of A-Z 0-9 . - / ^ ="
        raise BadCell(f"symbol {shown(text)} is not usable; {form}")
    return upper


def currency(text: str, column: str = "currency") -> str:
    """A currency code in upper case."""
    upper = text.upper() if text.isascii() else text
    if not CURRENCY.fullmatch(upper):
        what = f"{column} {shown(text)} is not a currency code"
        raise BadCell(f"{what}; write three letters like USD")
    return upper


def flag(text: str, column: str) -> bool:
    """`true` or `false`."""
    lower = text.lower()
    if lower not in {"true", "false"}:
        raise BadCell(f"{column} {shown(text)} must be true or false")
    return lower == "true"


def names(text: str) -> tuple[str, ...]:
    """Names separated by `;`, each once, in order."""
    parts = (piece.strip(" \t") for piece in text.split(";"))
    return tuple(dict.fromkeys(part for part in parts if part))
