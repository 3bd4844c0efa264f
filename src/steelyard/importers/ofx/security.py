"""OFX: what a security is called, from its id to its ticker and name; numbers, days, currencies."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from steelyard.importers import values
from steelyard.importers.ofx.tree import text_of
from steelyard.importers.options import is_isin, option_symbol
from steelyard.importers.values import BadCell, shown
from steelyard.notices import Notice

DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[0-9]{2,6}(?:\.[0-9]+)?)?(?:\[.*\])?")
NO_TICKERS = frozenset({"", "N/A", "NA", "NONE", "-"})
SHOWN_SYMBOLS = 5
"""How many symbols a message names."""


@dataclass(frozen=True, slots=True)
class Security:
    """What a position or transaction is of."""

    symbol: str
    name: str = ""
    isin: str = ""
    shares_per_contract: Decimal | None = None


class Securities:
    """The list of a file, by the kind and text of an id; it remembers who has no ticker."""

    def __init__(self, root: ET.Element) -> None:
        """Of every SECLIST in a file."""
        self._infos: Mapping[tuple[str, str], ET.Element] = {
            self._key(info): entry
            for seclist in root.iter("SECLIST")
            for entry in seclist
            if (info := entry.find("SECINFO")) is not None
        }
        self._by_id = dict[str, None]()

    @staticmethod
    def _key(element: ET.Element | None) -> tuple[str, str]:
        kind, text = (text_of(element, f"SECID/{tag}") for tag in ("UNIQUEIDTYPE", "UNIQUEID"))
        return kind.upper(), text.upper()

    def of(self, element: ET.Element | None) -> Security:
        """The security named inside an element; raises BadCell where nothing names it."""
        _, text = key = self._key(element)
        entry = self._infos.get(key)
        info = entry.find("SECINFO") if entry is not None else None
        ticker, name = text_of(info, "TICKER"), text_of(info, "SECNAME")
        symbol = self._option(entry, ticker, name)
        if not symbol and ticker.upper() not in NO_TICKERS:
            symbol = values.symbol(ticker)
        if not symbol:
            symbol = values.symbol(text)
            self._by_id[symbol] = None
        isin = text if is_isin(text) else ""
        return Security(symbol, name, isin, number(entry, "SHPERCTRCT"))

    def _option(self, entry: ET.Element | None, ticker: str, name: str) -> str | None:
        """The symbol of an option: of its ticker or name, else of its terms."""
        if entry is None or entry.tag != "OPTINFO":
            return None
        expires = day(text_of(entry, "DTEXPIRE"), "DTEXPIRE")
        under = self._infos.get(self._key(entry))
        root = text_of(under, "SECINFO/TICKER") or ticker
        terms = f"{text_of(entry, 'STRIKEPRICE')} {text_of(entry, 'OPTTYPE')}"
        spelled = f"{root} {expires} {terms}"
        return option_symbol(ticker) or option_symbol(name) or option_symbol(spelled)

    def notices(self) -> Iterator[Notice]:
        """Which holdings go by their id: no price file knows a CUSIP."""
        symbols = list(self._by_id)
        if symbols:
            more = f" and {len(symbols) - SHOWN_SYMBOLS} more" if symbols[SHOWN_SYMBOLS:] else ""
            message = (
                f"{', '.join(symbols[:SHOWN_SYMBOLS])}{more}: the file has no ticker, so the "
                "CUSIP or ISIN is the symbol; an alias in the mapping file names the ticker."
            )
            yield Notice(code="no_ticker", message=message, head=True)


def number(element: ET.Element | None, path: str) -> Decimal | None:
    """A number; a comma is a decimal sign, for OFX has none of thousands. None where it is empty.

    Raises BadCell for anything else.
    """
    text = text_of(element, path)
    return values.amount(text.replace(",", ".", 1), path) if text else None


def day(text: str, column: str) -> date | None:
    """The day of a time like 20260109160000.000[-5:EST], as the file writes it; None = no text."""
    if not text:
        return None
    match = DAY.fullmatch(text)
    if not match:
        reason = f"{column} {shown(text)} is not a day like 20260109"
        raise BadCell(reason, code="bad_date", column=column, value=text)
    return values.day("-".join(match.group(1, 2, 3)), column)


def unit_of(element: ET.Element | None, currency: str) -> str:
    """The currency of an element's prices: its own, else the one of the statement."""
    own = text_of(element, "CURRENCY/CURSYM")
    return values.currency(own, "CURSYM") if own else currency
