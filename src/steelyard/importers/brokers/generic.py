"""Any table with a header, by a mapping of our fields to its columns: `--map symbol=Ticker`.

A field that is not mapped is read where the file has a column of its name. It is recognised by
nothing: who gives a mapping asks for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from steelyard.errors import InputError, did_you_mean, one_line
from steelyard.importers import reading
from steelyard.importers.statement import Source, Statement
from steelyard.importers.tables import columns as tables
from steelyard.importers.tables import sheet
from steelyard.importers.tables.sheet import MOST_TEXT, Form, plain
from steelyard.importers.values import NOTHING, shown
from steelyard.portfolio import PRODUCT_TYPES

FIELDS = (
    *("symbol", "isin", "wkn", "name", "quantity", "price", "value", "currency", "average_cost"),
    *("cost_basis", "product_type", "multiplier", "account", "bucket", "acquired", "last_bought"),
    *("last_sold", "sold_at_loss", "settles"),
)
WORDS = {
    "EQUITY": ("stock", "stocks", "equities", "common stock", "share", "shares", "aktie", "adr"),
    "ETF": ("etfs", "exchange traded fund"),
    "MUTUALFUND": ("mutual fund", "mutual funds", "fund", "fonds"),
    "BOND": ("bonds", "fixed income", "anleihe"),
    "OPTION": ("options",),
    "FUTURE": ("futures",),
    "CRYPTO": ("cryptocurrency",),
    "CASH": ("cash", "money market", "money market fund", "cash and money market"),
}
"""Words of a type column besides the product types themselves."""
TOTALS = frozenset({"total", "totals", "sum", "grand total", "account total", "summe", "gesamt"})


def read(source: Source, columns: Mapping[str, str]) -> Statement:
    """What a file says by a mapping field -> column.

    Raises InputError for a field or a column that does not exist, and for no such table.
    """
    _check_fields(columns)
    columns = columns or _by_name(source)
    _check_columns(source, columns)
    return tables.read(source, _form(columns))


def _form(columns: Mapping[str, str]) -> Form:
    mapped = {meaning: (plain(column),) for meaning, column in columns.items()}
    own = {name: (name, name.replace("_", " ")) for name in FIELDS if name not in mapped}
    signs = frozenset(alias for aliases in mapped.values() for alias in aliases)
    types = {name.lower(): name for name in (*PRODUCT_TYPES, "OTHER")}
    return Form(
        name="generic",
        broker="Mapped",
        columns={**own, **mapped},
        required=("quantity",),
        signs=signs,
        enough=len(signs),
        types=types | tables.types_of(WORDS),
        totals=TOTALS,
    )


def _check_fields(columns: Mapping[str, str]) -> None:
    for name in columns:
        if name not in FIELDS:
            near = did_you_mean(name, FIELDS)
            fields = ", ".join(FIELDS)
            raise InputError(
                f"There is no field {shown(name)} to map.{near} {NOTHING} Fields: {fields}.",
                code="unknown_field",
                place="--map",
                value=name,
                limit=fields,
                hint=near.strip() or "map a field that exists",
            )


def _by_name(source: Source) -> Mapping[str, str]:
    """The columns that are called as our fields; raises InputError where they name no security."""
    own = {plain(alias): name for name in FIELDS for alias in (name, name.replace("_", " "))}
    _, cells = header(source, own)
    columns = {own[plain(cell)]: cell for cell in cells if plain(cell) in own}
    if not {"symbol", "isin", "wkn"} & columns.keys():
        hint = "Map at least the symbol: --map symbol=COLUMN."
        what = "No column is mapped, and none is called symbol, isin or wkn"
        raise InputError(f"{what}. {NOTHING} {hint}", code="no_mapping", place="--map", hint=hint)
    return columns


def _check_columns(source: Source, columns: Mapping[str, str]) -> None:
    """Raise InputError for a column that no row near the beginning names with the others."""
    line, cells = header(source, {plain(column) for column in columns.values()})
    names = [cell for cell in cells if cell.strip()]
    absent = [column for column in columns.values() if plain(column) not in map(plain, names)]
    if absent:
        near = did_you_mean(absent[0], names)
        place = f"{source.name} line {line}"
        listed = shown(one_line(", ".join(names), MOST_TEXT))
        raise InputError(
            f"{place} has no column {shown(absent[0])}.{near} It names {listed}. {NOTHING}",
            code="no_column",
            place=f"{place}, column {absent[0]}",
            value=absent[0],
            hint=near.strip() or "map a column that the file has",
        )


def header(source: Source, names: Collection[str] = ()) -> tuple[int, Sequence[str]]:
    """The line that names most of the columns, and its cells.

    Of equals it is the first that has several cells and whose count recurs: a title has its own.
    """
    rows = [
        (number, sheet.cells_of(text, sign))
        for number, text in enumerate(source.head.splitlines()[: sheet.LINES_OF_HEAD], 1)
        for sign in reading.DELIMITERS
    ]
    widths = Counter((i % len(reading.DELIMITERS), len(cells)) for i, (_, cells) in enumerate(rows))
    fits = [
        (
            len({*names} & set(map(plain, cells))),
            len(cells) > 1 and widths[i % len(reading.DELIMITERS), len(cells)] > 1,
            len(cells) > 1,
        )
        for i, (_, cells) in enumerate(rows)
    ]
    # a file of bytes has no line
    return rows[fits.index(max(fits))] if rows else (1, [])
