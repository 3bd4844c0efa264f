"""Securities: what may be traded and what is known of it.

`symbol` and optionally `name, product_type, currency, lot_size, sector` (or `industry`), `group,
country, dividend_yield, quality, priority_multiplier, allow_buy, allow_sell`. Several sectors or
countries are separated by `;`. An empty cell is unknown, never 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from steelyard.errors import RejectedRow
from steelyard.importers import reading, values
from steelyard.importers.reading import Row
from steelyard.importers.values import BadCell
from steelyard.notices import Notice
from steelyard.portfolio import FUND_TYPES, Security

COLUMNS = (
    *("symbol", "name", "product_type", "currency", "lot_size", "sector", "group", "country"),
    *("dividend_yield", "quality", "priority_multiplier", "allow_buy", "allow_sell"),
)
REQUIRED = ("symbol",)
ALIASES = {"industry": "sector"}
EQUITY = "EQUITY"
TYPES = {
    EQUITY: (
        *("stock", "stocks", "share", "shares", "common stock", "ordinary share"),
        *("preferred stock", "ADR", "REIT"),
    ),
    "ETF": ("exchange traded fund", "UCITS ETF"),
    "ETC": ("exchange traded commodity",),
    "MUTUALFUND": ("fund", "mutual fund", "index fund", "investment fund", "unit trust"),
}
"""Product type -> other names of it; capitals, spaces, hyphens and underscores do not count."""
TYPES_TOLD = 5
"""Unknown types, and symbols of each, that the warning names."""
MAX_LOT = Decimal("1e9")
MAX_MULTIPLIER = Decimal(100)


@dataclass(frozen=True, kw_only=True)
class SecuritiesFile:
    """What a securities file says; an empty currency is the base currency."""

    file: str
    securities: tuple[Security, ...]
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()


def read_securities(path: Path) -> SecuritiesFile:
    """The securities of a file; raises InputError for a file that is no such table."""
    table = reading.read_table(path, required=REQUIRED, readable=COLUMNS, aliases=ALIASES)
    securities: dict[str, Security] = {}
    lines: dict[str, int] = {}
    unknown: dict[str, list[str]] = {}

    def take(row: Row) -> None:
        security = _security(row)
        if lines.setdefault(security.symbol, row.line) != row.line:
            raise BadCell(f"{security.symbol} stands on line {lines[security.symbol]} already")
        securities[security.symbol] = security
        text = row.get("product_type")
        if text and _bare(text) not in KNOWN_TYPES:
            unknown.setdefault(text, []).append(security.symbol)

    rejected = reading.parse_rows(table, take)
    return SecuritiesFile(
        file=table.file,
        securities=tuple(securities[symbol] for symbol in sorted(securities)),
        rejected=rejected,
        warnings=(*table.warnings, *_unknown_types(table.file, unknown)),
    )


def _security(row: Row) -> Security:
    get, optional = row.get, row.optional
    kind = get("product_type")
    multiplier = optional("priority_multiplier", values.positive, MAX_MULTIPLIER)
    return Security(
        symbol=values.symbol(get("symbol")),
        currency=optional("currency", values.currency) or "",
        name=get("name"),
        product_type=KNOWN_TYPES.get(_bare(kind), kind.upper()) or EQUITY,
        lot_size=optional("lot_size", values.positive, MAX_LOT) or Decimal(1),
        sectors=values.names(get("sector")),
        countries=values.names(get("country")),
        group=get("group") or None,
        dividend_yield=optional("dividend_yield", values.fraction),
        quality=optional("quality", values.fraction),
        priority_multiplier=float(multiplier or 1),
        allow_buy=optional("allow_buy", values.flag) is not False,
        allow_sell=optional("allow_sell", values.flag) is not False,
    )


def _bare(text: str) -> str:
    """A product type without what does not count."""
    return re.sub(r"[ _-]", "", text).lower()


KNOWN_TYPES = {_bare(name): kind for kind, names in TYPES.items() for name in (kind, *names)}


def _unknown_types(file: str, unknown: Mapping[str, Sequence[str]]) -> list[Notice]:
    """Warn once of all types that are no shares or funds: the cap takes them for single names."""
    if not unknown:
        return []
    named = [f"{values.shown(text)} of {_few(sorted(unknown[text]))}" for text in sorted(unknown)]
    what = f"These product types of {file} are taken as {EQUITY}: {_few(named, '; ')}"
    funds = f"funds are {', '.join(sorted(FUND_TYPES))}"
    message = f"{what}. Known are {', '.join(sorted(TYPES))}; {funds}."
    return [Notice(code="unknown_product_type", message=message)]


def _few(parts: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(parts) - TYPES_TOLD} more" if len(parts) > TYPES_TOLD else ""
    return between.join(parts[:TYPES_TOLD]) + more
