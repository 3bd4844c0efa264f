"""Cells to values: what does not fit raises BadCell, whose text is the reason.

A number is plain digits, a date 2022-12-28, a weight a fraction; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from unicodedata import category

from steelyard.canonical import plain
from steelyard.errors import RejectedRow

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
MAX_YEARLY = Decimal("0.5")
WHOLE = 100
"""Percent."""
MOST_MARKS = 3
"""Combining marks that one letter may carry."""
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0") | {
    *map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
}
"""Signs that count as printable and are not seen: fillers, joiners, selectors of variants."""
SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.:\-/^=]{0,31}")
CURRENCY = re.compile(r"[A-Z]{3}")
SEPARATORS = re.compile(r"[-/ ]")
"""What stands for the dot of BRK.B elsewhere."""
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,3}))?")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MINOR_UNITS = {
    "GBp": ("GBP", 100),
    "GBX": ("GBP", 100),
    "ZAc": ("ZAR", 100),
    "ZAX": ("ZAR", 100),
    "ILA": ("ILS", 100),
    "ILX": ("ILS", 100),
}
"""Code of a minor unit -> its currency, and how many make one: London quotes in pence."""
NO_SYMBOLS = frozenset({"NAN", "NULL", "NONE", "N/A", "#N/A", "TRUE", "FALSE", "TOTAL"})
"""What spreadsheets and programs write where there is nothing."""
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


class BadCell(ValueError):
    """A cell does not hold what its column promises; the text is the reason alone.

    code, column, value, limit, hint   as in `errors.RejectedRow`
    """

    def __init__(
        self,
        reason: str,
        *,
        code: str = "bad_cell",
        column: str = "",
        value: str | None = None,
        limit: str | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(reason)
        self.code, self.column, self.value = code, column, value
        self.limit, self.hint = limit, hint

    def row(self, file: str, line: int) -> RejectedRow:
        """The line that is rejected for it."""
        return RejectedRow(
            file, line, str(self), self.code, self.column, self.value, self.limit, self.hint
        )


def shown(text: str) -> str:
    r"""Foreign text in a message: quoted, cut, and what a reader would not see spelled out.

    >>> print(shown("Stück \x1b[31m\u202e"))
    'Stück \x1b[31m\u202e'
    """
    cut = text[:SHOWN_CHARACTERS]
    quote = '"' if "'" in cut and '"' not in cut else "'"
    spelled = "".join(_spelled(cut, quote))
    return f"{quote}{spelled}{quote}" + "…" * (len(text) > SHOWN_CHARACTERS)


def _spelled(text: str, quote: str) -> Iterator[str]:
    """Each sign as it is, or as an escape: controls, turns of direction, blanks that are no
    space, and marks that stand on no letter or too many on one.
    """
    room = 0
    for sign in text:
        mark = category(sign).startswith("M")
        seen = sign.isprintable() and sign not in BLANK and (room > 0 or not mark)
        if sign in {quote, "\\"}:
            yield f"\\{sign}"
        else:
            yield sign if seen else ascii(sign)[1:-1]
        room = room - 1 if mark else MOST_MARKS * (seen and sign != " ")


def spelt(text: str) -> str:
    """Foreign text with every sign beyond ASCII as its code, cut.

    >>> spelt("\uff21AA")
    "'\\\\uff21AA'"
    """
    return ascii(text[:SHOWN_CHARACTERS]) + "…" * (len(text) > SHOWN_CHARACTERS)


def number(text: str, column: str) -> Decimal:
    """Plain decimal number in the digits 0-9, with an exponent up to 12.

    >>> number("1.50", "price"), number("1e3", "price")
    (Decimal('1.50'), Decimal('1E+3'))
    """
    match = NUMBER.fullmatch(text) if len(text) <= MAX_DIGITS else None
    if match is None or abs(int(match[1] or 0)) > MAX_EXPONENT:
        raise BadCell(
            f"{column} {shown(text)} {_why_no_number(text)}",
            code="no_number",
            column=column,
            value=text,
            hint="write a plain number like 1234.5",
        )
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
    value = within(text, column, most)
    if value <= 0:
        reason = f"{column} {shown(text)} must be above 0"
        raise BadCell(reason, code="not_positive", column=column, value=text, limit="above 0")
    return value


def positive_or_none(text: str, column: str, most: Decimal) -> Decimal | None:
    """A number above 0; None for 0, which is how closed and delisted lines are written."""
    return positive(text, column, most) if number(text, column) else None


def within(text: str, column: str, most: Decimal) -> Decimal:
    """A number of either sign and at most `most`."""
    value = number(text, column)
    if abs(value) > most:
        reason = f"{column} {shown(text)} is over {most:,f}, the most that is read"
        raise BadCell(reason, code="too_large", column=column, value=text, limit=f"{most:f}")
    return value


def amount(text: str, column: str) -> Decimal:
    """Money, of either sign."""
    return within(text, column, MAX_CASH)


def fraction(text: str, column: str) -> float:
    """A number from 0 to 1."""
    value = number(text, column)
    if not 0 <= value <= 1:
        rule = f"must be a fraction from 0 to 1; {as_fraction(value)}"
        raise BadCell(
            f"{column} {shown(text)} {rule}",
            code="no_fraction",
            column=column,
            value=text,
            limit="0 to 1",
            hint=as_fraction(value),
        )
    return float(value)


def yearly(text: str, column: str) -> float:
    """A return a year of -50 % to 50 %, as a fraction or with a sign of per cent.

    >>> yearly("0.07", "expected_return"), yearly("7 %", "expected_return")
    (0.07, 0.07)
    """
    share = text.endswith("%")
    value = number(text[:-1].rstrip(" ") if share else text, column)
    rate = value / 100 if share else value
    if abs(rate) > MAX_YEARLY:
        hint = f"{plain(value)}% is {plain(value / 100)}" if not share else "7% is 0.07"
        reason = f"{column} {shown(text)} must be a return a year from -0.5 to 0.5; {hint}"
        raise BadCell(
            reason,
            code="no_yearly_return",
            column=column,
            value=text,
            limit="-0.5 to 0.5",
            hint=hint,
        )
    return float(rate)


def as_fraction(percent: Decimal) -> str:
    """How a percentage is written here, by the number that was given where it may be one.

    >>> as_fraction(Decimal(8))
    '8% is 0.08'
    """
    return f"{plain(percent)}% is {plain(percent / 100)}" if 1 < percent <= WHOLE else "12% is 0.12"


def day(text: str, column: str) -> date:
    """A date as 2022-12-28."""
    if not text:
        raise BadCell(f"{column} is missing", code="missing_date", column=column)
    if not ISO_DATE.fullmatch(text):
        raise BadCell(
            f"{column} {shown(text)} is not a date; write 2022-12-28",
            code="bad_date",
            column=column,
            value=text,
            hint="write 2022-12-28",
        )
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadCell(
            f"{column} {shown(text)} is not a day of the calendar",
            code="bad_date",
            column=column,
            value=text,
        ) from error


def symbol(text: str) -> str:
    """A symbol in upper case; a blank inside is read as a dot: BRK B is BRK.B.

    >>> symbol("brk b")
    'BRK.B'
    """
    upper = text.upper().replace(" ", ".") if text.isascii() else text
    if not text:
        raise BadCell("symbol is missing", code="missing", column="symbol")
    if not SYMBOL.fullmatch(upper):
        form = "it begins with A-Z or 0-9, then up to 31 of A-Z 0-9 . : - / ^ ="
        # letters that look like A-Z are told apart by their codes alone
        reason = f"symbol {shown(text) if text.isascii() else spelt(text)} is not usable; {form}"
        raise BadCell(reason, code="bad_symbol", column="symbol", value=text, limit=form)
    return upper


def normal(text: str) -> str:
    """The form by which symbols of several files are matched.

    >>> {normal(text) for text in ("BRK.B", "BRK-B", "BRK/B", "brk b")}
    {'BRK.B'}
    """
    return SEPARATORS.sub(".", text.upper())


def holding_symbol(text: str, listed: Container[str]) -> str:
    """A symbol that is owned: what spreadsheets write for nothing is none, unless it is listed."""
    name = symbol(text)
    if name in NO_SYMBOLS and normal(name) not in listed:
        reason = f"symbol {shown(text)} is what programs write where there is nothing"
        hint = "correct it, or list it in the securities file if it is a security"
        raise BadCell(f"{reason}; {hint}", code="no_symbol", column="symbol", value=text, hint=hint)
    return name


@dataclass(frozen=True, slots=True)
class Unit:
    """What a price is quoted in: `parts` of it are one of `currency`; 1 unless it is a minor unit.

    code   as the file writes it
    """

    currency: str
    code: str
    parts: int = 1

    @property
    def minor(self) -> str:
        """The code of a minor unit, else an empty text."""
        return self.code if self.parts > 1 else ""

    def major(self, price: Decimal) -> Decimal:
        """A price in the currency."""
        return price / self.parts if self.parts > 1 else price


def unit(text: str, column: str = "currency") -> Unit:
    """A currency code, of a minor unit too; the case of pence decides, so it is looked at first.

    >>> unit("GBp"), unit("usd")
    (Unit(currency='GBP', code='GBp', parts=100), Unit(currency='USD', code='USD', parts=1))
    """
    minor = MINOR_UNITS.get(text) or (MINOR_UNITS.get(text.upper()) if text.islower() else None)
    if minor:
        return Unit(minor[0], text, minor[1])
    upper = text.upper() if text.isascii() else text
    if not CURRENCY.fullmatch(upper):
        reason = f"{column} {shown(text)} is not a currency code; write three letters like USD"
        raise BadCell(reason, code="bad_currency", column=column, value=text, hint="write USD")
    if text not in {upper, text.lower()}:
        units = ", ".join(sorted(MINOR_UNITS))
        reason = f"{column} {shown(text)} mixes capitals and small letters: {upper}, or its parts?"
        hint = f"write {upper}, or a minor unit that is known ({units})"
        raise BadCell(f"{reason} {hint}", code="mixed_case", column=column, value=text, hint=hint)
    return Unit(upper, upper)


def currency(text: str, column: str = "currency") -> str:
    """A currency code in upper case; a minor unit is none."""
    named = unit(text, column)
    if named.minor:
        reason = f"{column} {shown(text)} is a part of {named.currency}; write {named.currency}"
        raise BadCell(reason, code="minor_unit", column=column, value=text, hint=named.currency)
    return named.currency


def flag(text: str, column: str) -> bool:
    """`true` or `false`."""
    lower = text.lower()
    if lower not in {"true", "false"}:
        raise BadCell(
            f"{column} {shown(text)} must be true or false",
            code="no_flag",
            column=column,
            value=text,
            limit="true or false",
        )
    return lower == "true"


def names(text: str) -> tuple[str, ...]:
    """Names separated by `;`, each once, in order."""
    parts = (piece.strip(" \t") for piece in text.split(";"))
    return tuple(dict.fromkeys(part for part in parts if part))
