"""Securities: what may be traded and what is known of it.

`symbol` and optionally `name, product_type, currency, lot_size, sector` (or `industry`), `group, country,
dividend_yield, quality, priority_multiplier, allow_buy, allow_sell`. Several sectors or countries are separated by
`;`. An empty cell is unknown, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from steelyard.errors import RejectedRow
from steelyard.importers import reading
from steelyard.importers.reading import BadCell, Row
from steelyard.plans import Notice
from steelyard.portfolio import FUND_TYPES, Security

COLUMNS = (
    "symbol",
    "name",
    "product_type",
    "currency",
    "lot_size",
    "sector",
    "group",
    "country",
    "dividend_yield",
    "quality",
    "priority_multiplier",
    "allow_buy",
    "allow_sell",
)
REQUIRED = ("symbol",)
ALIASES = {"industry": "sector"}
EQUITY = "EQUITY"
MAX_LOT = Decimal("1e9")
MAX_MULTIPLIER = Decimal(100)


@dataclass(frozen=True, kw_only=True)
class SecuritiesFile:
    """What a securities file says; a security whose currency is empty is quoted in the base currency."""

    file: str
    securities: tuple[Security, ...]
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()


def read_securities(path: Path) -> SecuritiesFile:
    """The securities of a file.

    Raises InputError for a file that is no such table.
    """
    table = reading.read_table(path, required=REQUIRED, known=COLUMNS, aliases=ALIASES)
    found: dict[str, Security] = {}
    lines: dict[str, int] = {}

    def take(row: Row) -> None:
        security = _security(row)
        if lines.setdefault(security.symbol, row.line) != row.line:
            raise BadCell(f"{security.symbol} stands on line {lines[security.symbol]} already")
        found[security.symbol] = security

    rejected = reading.parse_rows(table, take)
    return SecuritiesFile(
        file=table.file,
        securities=tuple(found[symbol] for symbol in sorted(found)),
        rejected=rejected,
        warnings=(*table.warnings, *_unknown_types(table.file, found)),
    )


def _security(row: Row) -> Security:
    get = row.get
    return Security(
        symbol=reading.symbol(get("symbol")),
        currency=reading.currency(get("currency")) if get("currency") else "",
        name=get("name"),
        product_type=get("product_type").upper() or EQUITY,
        lot_size=reading.positive(get("lot_size"), "lot_size", MAX_LOT) if get("lot_size") else Decimal(1),
        sectors=reading.names(get("sector")),
        countries=reading.names(get("country")),
        group=get("group") or None,
        dividend_yield=reading.fraction(get("dividend_yield"), "dividend_yield") if get("dividend_yield") else None,
        quality=reading.fraction(get("quality"), "quality") if get("quality") else None,
        priority_multiplier=_multiplier(get("priority_multiplier")),
        allow_buy=reading.flag(get("allow_buy"), "allow_buy") if get("allow_buy") else True,
        allow_sell=reading.flag(get("allow_sell"), "allow_sell") if get("allow_sell") else True,
    )


def _multiplier(text: str) -> float:
    return float(reading.positive(text, "priority_multiplier", MAX_MULTIPLIER)) if text else 1.0


def _unknown_types(file: str, found: dict[str, Security]) -> list[Notice]:
    """Warn of product types that are neither shares nor funds: the position cap takes them for single names."""
    known = {EQUITY, *FUND_TYPES}
    return [
        Notice(
            code="unknown_product_type",
            message=f"{file}: the product type {reading.shown(found[symbol].product_type)} of {symbol} is taken as {EQUITY}; "
            f"funds are {', '.join(sorted(FUND_TYPES))}.",
            symbol=symbol,
        )
        for symbol in sorted(found)
        if found[symbol].product_type not in known
    ]
