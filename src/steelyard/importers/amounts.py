"""Numbers as brokers write them: `$1,234.50`, `(1,234.50)`, `1.234,50`, `--`, `12.3 %`.

Which sign is the decimal one is settled for a whole file or column, never for a cell: `1,234` alone
may be a thousand or one and a bit, and is refused with both readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum

from steelyard.importers.values import MAX_DIGITS, BadCell, shown


class Notation(Enum):
    """How a file writes numbers: the decimal sign, and what separates thousands."""

    POINT = "."
    COMMA = ","

    @property
    def thousands(self) -> str:
        """What separates thousands."""
        return "," if self is Notation.POINT else "."


NOTHING = frozenset(
    {"", "-", "--", "---", "n/a", "N/A", "NA", "na", "—", "Not available", "Incomplete"}
)
"""What stands where a broker has no number."""
MONEY_SIGNS = "$€£¥"
SPACES = "\u00a0\u202f\u2009 '\u2019"
"""Blanks and apostrophes that separate thousands."""
AROUND = MONEY_SIGNS + SPACES
BLANK_GROUPS = re.compile(rf"[0-9]{{1,3}}(?:[{SPACES}][0-9]{{3}})+(?=[.,]|$)")
DIGITS = re.compile(r"[0-9.,]+")
GROUPED = {
    Notation.POINT: re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]*)?"),
    Notation.COMMA: re.compile(r"(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)?(?:,[0-9]*)?"),
}


def amount(text: str, column: str, notation: Notation = Notation.POINT) -> Decimal | None:
    """The number of a cell in a notation; None where the broker writes that there is none.

    Raises BadCell for anything else. A percent sign is dropped, the number stays as it is.

    >>> amount("($1,234.50)", "value"), amount("1.234,5-", "value", Notation.COMMA)
    (Decimal('-1234.50'), Decimal('-1234.5'))
    >>> amount("--", "value") is None
    True
    """
    cell = text.strip()
    if cell in NOTHING:
        return None
    bare, negative = _unsigned(cell)
    usable = len(bare) <= MAX_DIGITS and any(sign.isdigit() for sign in bare)
    if not usable or not GROUPED[notation].fullmatch(bare):
        other = Notation.COMMA if notation is Notation.POINT else Notation.POINT
        reads = f"numbers of this file have a decimal {_name(notation)}"
        why = reads if usable and GROUPED[other].fullmatch(bare) else "it is not a number"
        raise BadCell(
            f"{column} {shown(text)}: {why}", code="bad_number", column=column, value=text
        )
    digits = bare.replace(notation.thousands, "").replace(notation.value, ".")
    return -Decimal(digits) if negative else Decimal(digits)


def _unsigned(cell: str) -> tuple[str, bool]:
    """The digits and separators of a cell, and whether it is negative: -1, 1-, (1), -$1, $-1."""
    bare = cell.rstrip("%").strip().replace("\u2212", "-")
    negative = bare.startswith("(") and bare.endswith(")")
    # inside a number a sign of money is a slip, and a blank separates groups of three alone
    bare = (bare[1:-1] if negative else bare).strip(AROUND)
    minus = bare.startswith("-") or bare.endswith("-")
    if minus and not negative:
        bare = bare.removeprefix("-") if bare.startswith("-") else bare.removesuffix("-")
    elif bare.startswith("+"):
        bare = bare[1:]
    bare = bare.strip(AROUND)
    groups = BLANK_GROUPS.match(bare)
    if groups:
        bare = re.sub(r"[^0-9]", "", groups[0]) + bare[groups.end() :]
    return bare, negative or minus


def _name(notation: Notation) -> str:
    return "point" if notation is Notation.POINT else "comma"


def notation_of(cells: Iterable[str]) -> Notation | None:
    """The one notation in which all cells can be read; None where the cells leave it open.

    Raises BadCell where no notation reads them all, naming one cell for each.

    >>> notation_of(["1.234,50", "12"]), notation_of(["1,234"]), notation_of(["1.5", "1,234"])
    (<Notation.COMMA: ','>, None, <Notation.POINT: '.'>)
    """
    numbers = [bare for bare, _ in map(_unsigned, cells) if DIGITS.fullmatch(bare)]
    against = {
        notation: next((n for n in numbers if not GROUPED[notation].fullmatch(n)), None)
        for notation in Notation
    }
    fitting = [notation for notation, cell in against.items() if cell is None]
    if not fitting:
        point, comma = against[Notation.COMMA], against[Notation.POINT]
        reason = (
            f"{shown(point or '')} has a decimal point and {shown(comma or '')} a decimal comma"
        )
        raise BadCell(f"{reason}; one file has one of them", code="two_notations", value=point)
    return fitting[0] if len(fitting) == 1 else None


def either(text: str) -> str:
    """Both readings of a number that a notation would have to settle.

    >>> either("1,234")
    "'1,234' is 1234 or 1.234"
    """
    readings = [amount(text, "number", notation) for notation in Notation]
    return f"{shown(text)} is {' or '.join(str(reading) for reading in readings)}"
