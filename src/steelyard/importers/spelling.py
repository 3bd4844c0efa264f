"""One security under its several names: spellings of a ticker, its ISIN, an alias of the user's.

BRK.B, BRK-B, BRK/B and BRK B are one symbol; a suffix of an exchange is part of it, so VOD.L is
neither VOD nor VOD:LON. Shown is the spelling of the holdings, else of the first file that has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from steelyard.errors import RejectedRow
from steelyard.importers.values import normal


@dataclass
class Spellings:
    """Names to symbols; the first spelling of a symbol is the one shown.

    alias   normal form -> symbol that it is read as, by the mapping file
    isins   ISIN -> symbol, by the securities file
    """

    alias: Mapping[str, str] = field(default_factory=dict)
    isins: Mapping[str, str] = field(default_factory=dict)
    _shown: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, alias: Mapping[str, str], isins: Mapping[str, str]) -> Spellings:
        """By the aliases of a mapping file and the ISINs of a securities file."""
        by_form = {normal(old): new for old, new in alias.items()}
        return cls(by_form, {isin: by_form.get(normal(to), to) for isin, to in isins.items()})

    def add(self, symbols: Iterable[str]) -> None:
        """Note spellings; one that is there already stays."""
        for symbol in symbols:
            read_as = self._read_as(symbol)
            self._shown.setdefault(normal(read_as), read_as)

    def symbol(self, name: str) -> str:
        """The symbol of a name; a name that is new is its own."""
        read_as = self._read_as(name)
        return self._shown.get(normal(read_as), read_as)

    def added(self, name: str) -> str | None:
        """The symbol of a name that was added; None for any other."""
        return self._shown.get(normal(self._read_as(name)))

    def _read_as(self, name: str) -> str:
        aliased = self.alias.get(normal(name), name)
        return self.isins.get(aliased, aliased)


def collisions(
    file: str, lines: Mapping[str, int], spellings: Spellings
) -> tuple[RejectedRow, ...]:
    """Rows of one file whose names are one security: which line is meant cannot be known.

    lines   name as written, after `values.symbol` -> line where it first stands
    """
    first: dict[str, str] = {}
    rejected = []
    for name, line in sorted(lines.items(), key=lambda item: item[1]):
        symbol = spellings.symbol(name)
        other = first.setdefault(symbol, name)
        if other != name:
            why = f"{name} is the same security as {other} on line {lines[other]}; write one name"
            rejected.append(
                RejectedRow(
                    file, line, why, "two_spellings", "symbol", name, other, f"write {other}"
                )
            )
    return tuple(rejected)
