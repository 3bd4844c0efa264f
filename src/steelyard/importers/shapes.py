"""What the arguments of `steelyard.plan` may be, each to a table that the importers read.

holdings     symbol -> quantity, or -> fields, or -> lots; rows; a frame; a Snapshot
prices       symbol -> price, or -> day -> close; day -> closes; rows; a frame, wide or long
targets      symbol -> weight; rows; a frame
securities   symbol -> fields; rows; a frame
fx           currency -> rate, or -> day -> rate; rows; a frame
cash         currency -> amount; rows; a frame
flows        currency -> amount, of a withdrawal also (amount, day)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from steelyard.errors import InputError
from steelyard.importers import memory
from steelyard.importers.book import HoldingsFile
from steelyard.importers.files import parse_cash
from steelyard.importers.flows import AskedFlow, deposits, withdrawals
from steelyard.importers.fx import FxFile
from steelyard.importers.lots import Listing
from steelyard.importers.memory import Memory, Rows
from steelyard.importers.securities import SecuritiesFile
from steelyard.importers.targets import TargetsFile
from steelyard.importers.values import NOTHING, unit
from steelyard.market import Market
from steelyard.money import FxTable
from steelyard.portfolio import Snapshot
from steelyard.targets import Targets

Table = Any
"""A dict, a list of dicts, a DataFrame, an open file, a path: see above."""
Shape = Callable[[Mapping[Any, Any], str], Rows]
"""A mapping that is no dict of columns, and the name of its argument, to a table."""


def holdings(data: Table) -> Path | Memory | HoldingsFile | None:
    """What is owned; None = nothing."""
    if isinstance(data, Snapshot):
        return of_snapshot(data)
    return None if data is None else _table(data, "holdings", "symbol", _holdings)


def prices(data: Table, as_of: date | None, name: str = "prices") -> Path | Memory | None:
    """Closes; one price of each symbol is of the as-of date."""

    def shape(mapping: Mapping[Any, Any], name: str) -> Rows:
        return _prices(mapping, name, as_of)

    return None if data is None else _table(data, name, "date", shape)


def targets(data: Table) -> Path | Memory | None:
    """Weights."""
    return None if data is None else _table(data, "targets", "symbol", _pairs("symbol", "weight"))


def securities(data: Table) -> Path | Memory | None:
    """What is known of securities."""
    return None if data is None else _table(data, "securities", "symbol", _fields)


def fx(data: Table, as_of: date | None) -> Path | Memory | None:
    """Exchange rates; one rate of each currency is of the as-of date."""

    def shape(mapping: Mapping[Any, Any], name: str) -> Rows:
        return _rates(mapping, name, as_of)

    return None if data is None else _table(data, "fx", "date", shape)


def cash(data: Table, base: str | None, name: str = "cash") -> dict[str, Decimal]:
    """Currency -> amount; one number is of the base currency. Raises InputError."""
    if data is None:
        return {}
    if isinstance(data, int | float | Decimal):
        if base is None:
            hint = f"Write {name}={{'USD': {data}}}, or say base_currency"
            raise InputError(
                f"{name} is {data}, of no currency. {NOTHING} {hint}.",
                code="bad_cash",
                place=name,
                value=data,
                hint=hint,
            )
        data = {base: data}
    if memory.is_mapping(data) and not memory.is_columns(data, "currency"):
        pairs = memory.items(data)
    elif memory.is_frame(data) or memory.is_list(data) or memory.is_mapping(data):
        pairs = [_pair(entry, name) for entry in _dicts(data, name)]
    else:
        raise memory.unusable(name, data, "a dict of currencies, like {'USD': 1200}")
    return parse_cash((f"{key}={memory.cell(value)}" for key, value in pairs), name)


def flows(deposit: Table, withdraw: Table, weekdays: int) -> tuple[AskedFlow, ...]:
    """Money brought and taken out: currency -> amount, of a withdrawal also (amount, day).

    weekdays   after which what the plan sells has settled: the day of one that names none
    """
    brought = [f"{key}={memory.cell(amount)}" for key, amount in _flow_pairs(deposit, "deposit")]
    out = []
    for key, amount in _flow_pairs(withdraw, "withdraw"):
        parts = amount if isinstance(amount, tuple | list) else (amount,)
        out.append(f"{key}={'@'.join(map(memory.cell, parts))}")
    return (*deposits(brought, "deposit"), *withdrawals(out, weekdays, "withdraw"))


def _flow_pairs(data: Table, name: str) -> list[tuple[Any, Any]]:
    if data is None:
        return []
    if not memory.is_mapping(data):
        raise memory.unusable(name, data, "a dict of currencies, like {'USD': 1200}")
    return memory.items(data)


def _table(data: Table, name: str, key: str, shape: Shape) -> Path | Memory:
    """Data in any form.

    key     the column without which it is no dict of columns, and the name of a nameless index
    shape   of a mapping
    """
    if isinstance(data, str | Path):
        return memory.path_of(data, name)
    if hasattr(data, "read"):
        return memory.opened(data, name)
    if memory.is_frame(data):
        return memory.frame(data, name, key).memory(name)
    if memory.is_mapping(data):
        if memory.is_columns(data, key):
            return memory.columns_of(data, name).memory(name)
        return shape(data, name).memory(name)
    if memory.is_list(data):
        return memory.rows(data, name).memory(name)
    raise memory.unusable(name, data, memory.FORMS)


def _dicts(data: Table, name: str) -> Iterator[dict[str, Any]]:
    if memory.is_frame(data):
        table = memory.frame(data, name, "currency")
    else:
        mapped = memory.is_mapping(data)
        table = memory.columns_of(data, name) if mapped else memory.rows(data, name)
    for row in table.rows:
        yield dict(zip(table.columns, row, strict=True))


def _pair(row: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    if not {"currency", "amount"} <= row.keys():
        raise InputError(
            f"{name} has the columns {', '.join(row)}; it needs currency and amount. {NOTHING}",
            code="missing_column",
            place=name,
            value=", ".join(row),
            limit="currency, amount",
        )
    return row["currency"], row["amount"]


def _places(name: str, keys: Iterable[Any]) -> list[str]:
    return [f"{name}[{key!r}]" for key in keys]


def _pairs(key: str, value: str) -> Shape:
    def shape(mapping: Mapping[Any, Any], name: str) -> Rows:
        pairs = memory.items(mapping)
        return Rows((key, value), pairs, _places(name, (first for first, _ in pairs)))

    return shape


def _holdings(mapping: Mapping[Any, Any], name: str) -> Rows:
    """Symbol -> quantity, -> fields, -> a list of the fields of lots."""
    rows: list[dict[str, Any]] = []
    places: list[str] = []
    for symbol, value in memory.items(mapping):
        several = memory.is_list(value)
        for n, entry in enumerate(value if several else [value]):
            fields = dict(entry) if memory.is_mapping(entry) else {"quantity": entry}
            rows.append({"symbol": symbol, **fields})
            places.append(f"{name}[{symbol!r}]{f'[{n}]' if several else ''}")
    # nothing owned is an account of cash, whose table has a header all the same
    table = memory.rows(rows or [{"symbol": None, "quantity": None}], name)
    return replace(table, places=places)


def _fields(mapping: Mapping[Any, Any], name: str) -> Rows:
    """Symbol -> fields."""
    pairs = memory.items(mapping)
    for symbol, fields in pairs:
        if not memory.is_mapping(fields):
            raise memory.unusable(f"{name}[{symbol!r}]", fields, "a dict of fields")
    table = memory.rows([{"symbol": symbol, **fields} for symbol, fields in pairs], name)
    return replace(table, places=_places(name, (symbol for symbol, _ in pairs)))


def _prices(mapping: Mapping[Any, Any], name: str, as_of: date | None) -> Rows:
    """Symbol -> price or -> day -> close, or day -> symbol -> close, as a wide table."""
    pairs = memory.items(mapping)
    if pairs and all(isinstance(key, date) for key, _ in pairs):
        by_day = {key: dict(closes) for key, closes in pairs}
    else:
        by_day = _by_day(pairs, name, as_of)
    symbols = list(dict.fromkeys(symbol for closes in by_day.values() for symbol in closes))
    days = sorted(by_day, key=memory.cell)
    rows = ([day, *(by_day[day].get(symbol) for symbol in symbols)] for day in days)
    return Rows(["date", *map(str, symbols)], rows, _places(name, map(memory.cell, days)))


def _by_day(
    pairs: list[tuple[Any, Any]], name: str, as_of: date | None
) -> dict[Any, dict[Any, Any]]:
    """Day -> name -> value, of name -> value or -> day -> value."""
    by_day: dict[Any, dict[Any, Any]] = {}
    for key, value in pairs:
        if memory.is_mapping(value):
            dated = memory.items(value)
        else:
            dated = [(_day(as_of, name), value)]
        for day, entry in dated:
            by_day.setdefault(day, {})[key] = entry
    return by_day


def _day(as_of: date | None, name: str) -> date:
    if as_of is None:
        hint = "Say as_of=date(2022, 12, 28), or give days with the figures"
        raise InputError(
            f"{name} has figures without a day. {NOTHING} {hint}.",
            code="no_day",
            place=name,
            hint=hint,
        )
    return as_of


def _rates(mapping: Mapping[Any, Any], name: str, as_of: date | None) -> Rows:
    by_day = _by_day(memory.items(mapping), name, as_of)
    rows = [(day, key, rate) for day, rates in by_day.items() for key, rate in rates.items()]
    return Rows(("date", "currency", "rate"), rows, _places(name, (key for _, key, _ in rows)))


def of_snapshot(snapshot: Snapshot) -> HoldingsFile:
    """What a snapshot owns, lot by lot, as the file that it would be: another day's account."""
    listings = {holding.symbol: _listing(snapshot, holding.symbol) for holding in snapshot.holdings}
    return HoldingsFile(
        file="holdings",
        # its prices are of its own day
        holdings=tuple(replace(holding, price=None) for holding in snapshot.holdings),
        cash=snapshot.cash,
        settling=snapshot.settling,
        listings=listings,
        base=snapshot.base_currency,
        bucket=snapshot.bucket,
    )


def of_targets(targets: Targets) -> TargetsFile:
    """Targets as the file that they would be."""
    return TargetsFile(
        file="targets",
        weights=targets.asked,
        bands=targets.bands,
        classes=targets.classes,
        class_bands=targets.class_bands,
        dimension=targets.dimension,
    )


def of_securities(snapshot: Snapshot, market: Market) -> SecuritiesFile:
    """What is known of the securities of a snapshot, and the units that they were quoted in."""
    quoted = {symbol: quote.unit for symbol, quote in market.quotes.items() if quote.unit}
    return SecuritiesFile(
        file="securities",
        securities=snapshot.securities,
        units=MappingProxyType({symbol: unit(name) for symbol, name in quoted.items()}),
        written=frozenset(security.symbol for security in snapshot.securities),
    )


def of_rates(fx: FxTable) -> FxFile:
    """Rates as the file that they would be; old ones are refused as those of a file are."""
    return FxFile(file="rates", rates=fx.rates)


def _listing(snapshot: Snapshot, symbol: str) -> Listing:
    security = snapshot.security(symbol)
    if security is None:
        return Listing()
    return Listing(
        currency=security.currency,
        name=security.name,
        product_type=security.product_type,
        multiplier=security.multiplier,
        isin=security.isin,
    )
