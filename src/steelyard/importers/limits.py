"""How large a file may be: settings, each with its environment variable and what to leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from steelyard.errors import LimitExceeded, SettingsError, one_line
from steelyard.importers.values import NOTHING

MIB = 1024 * 1024
FEWER_ROWS = "Give a smaller file"
FEWER_PRICES = "Leave out symbols that are not held or targeted, or the oldest years"
LONGEST_VALUE = 40
"""Characters of a wrong setting that are shown."""
LARGEST = 10**12
"""The most that a limit may be set to."""


def _limit(default: int, variable: str, leave: str) -> int:
    """A field with its environment variable, and what to leave out of a file that is over it."""
    metadata = {"variable": variable, "leave": leave}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """What is read at most; a file over a limit is refused, with the figure.

    max_bytes        of a file that is read whole: all but prices; plain, or unpacked
    max_price_bytes  of a price file, which is read in pieces; plain, or unpacked
    max_rows         of a file that is read whole
    max_cells        closes that a price file gives of the symbols in use
    """

    max_bytes: int = _limit(64 * MIB, "STEELYARD_MAX_FILE_BYTES", FEWER_ROWS)
    max_price_bytes: int = _limit(1024 * MIB, "STEELYARD_MAX_PRICE_BYTES", FEWER_PRICES)
    max_rows: int = _limit(1_000_000, "STEELYARD_MAX_FILE_ROWS", FEWER_ROWS)
    max_cells: int = _limit(50_000_000, "STEELYARD_MAX_PRICE_CELLS", FEWER_PRICES)

    def exceeded(
        self, limit: str, place: str, what: str, value: int | None = None
    ) -> LimitExceeded:
        """The error of a file over a limit.

        limit   field of this record
        what    the figure as a sentence goes on: "has 104,857,600 bytes"
        value   the figure; None = only that it is over
        """
        most: int = getattr(self, limit)
        variable, leave = VARIABLES[limit], LEAVE[limit]
        return LimitExceeded(
            f"{place} {what}; at most {most:,} are read. {NOTHING} {leave}, or raise {variable}.",
            place=place,
            value=f"over {most}" if value is None else value,
            limit=most,
            hint=f"{leave[0].lower()}{leave[1:]}, or raise {variable}",
        )


LIMITS = FileLimits()
"""What holds where nothing is set."""
VARIABLES: Mapping[str, str] = {
    limit.name: limit.metadata["variable"] for limit in fields(FileLimits)
}
"""Limit -> the environment variable that sets it."""
LEAVE: Mapping[str, str] = {limit.name: limit.metadata["leave"] for limit in fields(FileLimits)}
"""Limit -> what to leave out of a file that is over it."""


def limits_from(environment: Mapping[str, str]) -> FileLimits:
    """The limits as the environment sets them; raises SettingsError naming variable and range."""
    limits: dict[str, int] = {}
    for limit, variable in VARIABLES.items():
        text = environment.get(variable)
        if text:
            usable = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST))
            if not usable or not 1 <= int(text) <= LARGEST:
                what = f"{variable} is {one_line(text, LONGEST_VALUE)!r}: a whole number from 1"
                rule = f"{what} to {LARGEST:,} is asked for. {NOTHING} Correct it, or unset it."
                raise SettingsError(
                    rule,
                    place=variable,
                    value=text,
                    limit=LARGEST,
                    code="bad_file_limit",
                    hint="correct it, or unset it",
                )
            limits[limit] = int(text)
    return FileLimits(**limits)
