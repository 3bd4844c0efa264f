"""Securities: what may be traded and what is known of it.

`symbol` and optionally `name, product_type, currency, lot_size, sector` (or `industry`), `group,
country, dividend_yield, quality, expected_return, priority_multiplier, allow_buy, allow_sell,
multiplier, isin`, `class, class.DIMENSION` (what rows of classes in a targets file are of),
`preference` (which member of a class is bought first: the lowest) and `substitute` (the group of
near equals that a wash sale looks over). Several sectors or countries are separated by `;`. An
empty cell is unknown, never 0. A currency of GBp says that the price file quotes it in pence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from steelyard.errors import RejectedRow
from steelyard.importers import reading, values
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.opening import Where
from steelyard.importers.options import is_isin
from steelyard.importers.reading import Row
from steelyard.importers.values import BadCell, Unit
from steelyard.notices import Notice
from steelyard.portfolio import FUND_TYPES, MULTIPLIERS, Security

COLUMNS = (
    *("symbol", "name", "product_type", "currency", "lot_size", "sector", "group", "country"),
    *("dividend_yield", "quality", "expected_return", "priority_multiplier"),
    *(
        "allow_buy",
        "allow_sell",
        "multiplier",
        "isin",
        "class",
        "preference",
        "substitute",
        "class.*",
    ),
)
CLASS = "class."
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
    "BOND": ("bonds", "fixed income", "treasury", "note", "government bond", "corporate bond"),
    "OPTION": ("options", "equity option", "call", "put", "warrant"),
    "FUTURE": ("futures",),
    "CRYPTO": ("cryptocurrency", "crypto currency", "coin", "token"),
    "CASHLIKE": ("money market", "money market fund", "cash", "cash equivalent"),
    "OTHER": (),
}
"""Product type -> other names of it; capitals, spaces, hyphens and underscores do not count."""
TYPES_TOLD = 5
"""Unknown types, and symbols of each, that the warning names."""
MAX_LOT = Decimal("1e9")
MAX_MULTIPLIER = Decimal(100)
MAX_VALUE_MULTIPLIER = Decimal("1e6")
MAX_PREFERENCE = Decimal(1000)


@dataclass(frozen=True, kw_only=True)
class SecuritiesFile:
    """What a securities file says; an empty currency is the base currency.

    units      symbol -> minor unit in which the price file quotes it, like GBp
    written    symbols whose multiplier the file writes: nothing else decides it
    lines      symbol -> its line
    """

    file: str
    securities: tuple[Security, ...]
    units: Mapping[str, Unit] = field(default_factory=lambda: MappingProxyType({}))
    written: frozenset[str] = frozenset()
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()


def read_securities(path: Where, limits: FileLimits = LIMITS) -> SecuritiesFile:
    """The securities of a file; raises InputError for a file that is no such table."""
    table = reading.read_table(
        path, required=REQUIRED, readable=COLUMNS, aliases=ALIASES, limits=limits
    )
    dimensions = {
        name.partition(CLASS)[2]: name for name in table.columns if name.startswith(CLASS)
    }
    if "class" in table.columns:
        dimensions[""] = "class"
    securities: dict[str, Security] = {}
    lines: dict[str, int] = {}
    units: dict[str, Unit] = {}
    written = set[str]()
    unknown: dict[str, list[str]] = {}

    def take(row: Row) -> None:
        unit = row.optional("currency", values.unit)
        security = _security(row, unit, dimensions)
        if lines.setdefault(security.symbol, row.line) != row.line:
            reason = f"{security.symbol} stands on line {lines[security.symbol]} already"
            raise BadCell(reason, code="twice", column="symbol", value=security.symbol)
        securities[security.symbol] = security
        if row.get("multiplier"):
            written.add(security.symbol)
        if unit is not None and unit.minor:
            units[security.symbol] = unit
        text = row.get("product_type")
        if text and _bare(text) not in KNOWN_TYPES:
            unknown.setdefault(text, []).append(security.symbol)

    rejected = reading.parse_rows(table, take)
    rejected = (*rejected, *_twice(table.file, securities.values(), lines))
    return SecuritiesFile(
        file=table.file,
        securities=tuple(securities[symbol] for symbol in sorted(securities)),
        units=MappingProxyType(units),
        written=frozenset(written),
        lines=MappingProxyType(lines),
        rejected=tuple(sorted(rejected, key=lambda row: row.line)),
        warnings=(
            *table.warnings,
            *_unknown_types(table.file, unknown),
        ),
    )


def _security(row: Row, unit: Unit | None, dimensions: Mapping[str, str]) -> Security:
    get, optional = row.get, row.optional
    kind = KNOWN_TYPES.get(_bare(get("product_type")), "")
    priority = optional("priority_multiplier", values.positive, MAX_MULTIPLIER)
    multiplier = optional("multiplier", values.positive, MAX_VALUE_MULTIPLIER)
    return Security(
        symbol=values.symbol(get("symbol")),
        currency="" if unit is None else unit.currency,
        name=get("name"),
        product_type=kind,
        lot_size=optional("lot_size", values.positive, MAX_LOT) or Decimal(1),
        sectors=values.names(get("sector")),
        countries=values.names(get("country")),
        group=get("group") or None,
        dividend_yield=optional("dividend_yield", values.fraction),
        quality=optional("quality", values.fraction),
        expected_return=optional("expected_return", values.yearly),
        priority_multiplier=float(priority or 1),
        allow_buy=optional("allow_buy", values.flag) is not False,
        allow_sell=optional("allow_sell", values.flag) is not False,
        multiplier=multiplier or MULTIPLIERS.get(kind, Decimal(1)),
        isin=optional("isin", _isin) or "",
        classes=MappingProxyType(
            {d: get(column) for d, column in dimensions.items() if get(column)}
        ),
        preference=optional("preference", _preference),
        substitute=get("substitute"),
    )


def _isin(text: str, column: str) -> str:
    """Two letters, nine letters or digits, and the check digit that they give."""
    upper = text.upper()
    if not is_isin(upper):
        reason = f"{column} {values.shown(text)} is no ISIN: its form or its check digit is wrong"
        raise BadCell(reason, code="bad_isin", column=column, value=text)
    return upper


def _preference(text: str, column: str) -> int:
    value = values.positive(text, column, MAX_PREFERENCE)
    if value != int(value):
        reason = f"{column} {values.shown(text)} is no whole number; the first to buy is 1"
        raise BadCell(reason, code="bad_preference", column=column, value=text)
    return int(value)


def _twice(
    file: str, securities: Iterable[Security], lines: Mapping[str, int]
) -> Iterator[RejectedRow]:
    """One security on two lines, by another spelling of its symbol or by its ISIN."""
    first: dict[str, str] = {}
    for security in sorted(securities, key=lambda s: lines[s.symbol]):
        for name in {values.normal(security.symbol), security.isin} - {""}:
            other = first.setdefault(name, security.symbol)
            if other != security.symbol:
                reason = f"{security.symbol} is {other} of line {lines[other]} by {name}"
                yield RejectedRow(file, lines[security.symbol], reason, "two_spellings", "symbol")


def _bare(text: str) -> str:
    """A product type without what does not count."""
    return re.sub(r"[ _-]", "", text).lower()


KNOWN_TYPES = {_bare(name): kind for kind, names in TYPES.items() for name in (kind, *names)}


def product_type(text: str) -> str:
    """The product type that a word names; "" for one that is not known.

    >>> product_type("Common Stock"), product_type("Wertpapier")
    ('EQUITY', '')
    """
    return KNOWN_TYPES.get(_bare(text), "")


def _unknown_types(file: str, unknown: Mapping[str, Sequence[str]]) -> list[Notice]:
    """Name once all types that are not known: the planner asks what matters of them."""
    if not unknown:
        return []
    named = [f"{values.shown(text)} of {_few(sorted(unknown[text]))}" for text in sorted(unknown)]
    what = f"These product types of {file} are not known: {_few(named, '; ')}"
    funds = f"funds are {', '.join(sorted(FUND_TYPES))}"
    message = f"{what}. Known are {', '.join(sorted(TYPES))}; {funds}."
    return [Notice(code="unknown_product_type", message=message)]


def _few(parts: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(parts) - TYPES_TOLD} more" if len(parts) > TYPES_TOLD else ""
    return between.join(parts[:TYPES_TOLD]) + more
