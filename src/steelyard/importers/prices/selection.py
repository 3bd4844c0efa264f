"""Which symbols of a price file are kept while it is read, and under which name."""

from __future__ import annotations

from collections.abc import Callable

from steelyard.errors import InputError
from steelyard.importers.values import NOTHING

Names = Callable[[str], str | None]
"""A symbol as the file writes it, in capitals -> the name to keep it under; None = skip it."""


class Selection:
    """What `names` says of the symbols of one file; without it every symbol is kept.

    named   every symbol that the file names, in its order -> the name it is kept under
    """

    def __init__(self, file: str, names: Names | None) -> None:
        self.file, self.named = file, dict[str, str | None]()
        self._names, self._spelled = names, dict[str, str]()

    def name(self, symbol: str) -> str | None:
        """The name under which a symbol is kept; None = it is skipped.

        Raises InputError where two symbols of the file would be kept under one name.
        """
        if symbol not in self.named:
            name = self._names(symbol) if self._names else symbol
            other = self._spelled.setdefault(name, symbol) if name else symbol
            if other != symbol:
                what = f"{self.file} has prices of {other} and of {symbol}"
                raise InputError(
                    f"{what}, which are two spellings of {name}. {NOTHING} Keep one of them.",
                    code="two_spellings",
                    place=self.file,
                    value=f"{other}, {symbol}",
                    hint="keep one of them",
                )
            self.named[symbol] = name
        return self.named[symbol]
