"""What a plan is made from as bytes and back: exact to the last digit, the same in every process.

Two bodies, so that plans of one day share the prices: `portfolio` (what is owned, targets, what the
importers noticed) and `market` (closes, quotes, rates). Each is JSON with sorted keys, deflated:
decimals as text, arrays as base64 of their little-endian bytes. The hash is of the JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np
from pydantic import BaseModel, TypeAdapter, ValidationError

from steelyard.arrays import FloatArray
from steelyard.errors import SteelyardError, StoreError
from steelyard.importers import Inputs
from steelyard.importers.as_of import AsOfFrom
from steelyard.market import Index, Market, Quote
from steelyard.money import FxRate, FxTable
from steelyard.notices import Drop, Notice
from steelyard.portfolio import Snapshot
from steelyard.sentences import Fact, Sentence
from steelyard.targets import Targets

PORTFOLIO = "steelyard.portfolio/1"
MARKET = "steelyard.market/1"
DATES, FLOATS = "<i8", "<f8"

_SNAPSHOT = TypeAdapter(Snapshot)
_TARGETS: TypeAdapter[Targets | None] = TypeAdapter(Targets | None)
_NOTICES = TypeAdapter(tuple[Notice, ...])
_FROM: TypeAdapter[AsOfFrom] = TypeAdapter(AsOfFrom)
_QUOTES = TypeAdapter(dict[str, Quote])
_RATES = TypeAdapter(dict[str, tuple[FxRate, ...]])


@dataclass(frozen=True, slots=True)
class Packed:
    """Both bodies, and the hashes of what is in them."""

    portfolio: bytes
    market: bytes
    portfolio_sha256: str
    market_sha256: str


def pack(inputs: Inputs) -> Packed:
    """Inputs of a plan as bytes."""
    market = inputs.market
    owned = {
        "format": PORTFOLIO,
        "snapshot": inputs.snapshot,
        "targets": inputs.targets,
        "warnings": inputs.warnings,
        "as_of_from": inputs.as_of_from,
    }
    prices = {
        "format": MARKET,
        "symbols": market.symbols,
        "dates": _days(market.dates),
        "closes": _array(market.closes),
        "quotes": market.quotes,
        "base": market.fx.base,
        "rates": market.fx.rates,
        "adjusted": market.adjusted,
        "source": market.source,
        "index": None if market.index is None else _index(market.index),
        "withheld": {symbol: _drop(drop) for symbol, drop in market.withheld.items()},
    }
    portfolio, closes = _text(owned), _text(prices)
    return Packed(
        portfolio=zlib.compress(portfolio),
        market=zlib.compress(closes),
        portfolio_sha256=hashlib.sha256(portfolio).hexdigest(),
        market_sha256=hashlib.sha256(closes).hexdigest(),
    )


def unpack(portfolio: bytes, market: bytes) -> Inputs:
    """The inputs of two bodies; raises StoreError for one that is damaged or of a later form."""
    owned, prices = _read(portfolio, PORTFOLIO), _read(market, MARKET)
    try:
        return Inputs(
            snapshot=_SNAPSHOT.validate_python(owned["snapshot"]),
            market=_market(prices),
            targets=_TARGETS.validate_python(owned["targets"]),
            warnings=_NOTICES.validate_python(owned["warnings"]),
            as_of_from=_FROM.validate_python(owned["as_of_from"]),
        )
    except (ValidationError, SteelyardError, KeyError, TypeError, ValueError) as error:
        raise _damaged(str(error)) from error


def _market(prices: Mapping[str, Any]) -> Market:
    rates = _RATES.validate_python(prices["rates"])
    return Market(
        symbols=tuple(prices["symbols"]),
        dates=_dates_of(prices["dates"]),
        closes=_closed(_floats_of(prices["closes"])),
        quotes=MappingProxyType(_QUOTES.validate_python(prices["quotes"])),
        fx=FxTable(prices["base"], MappingProxyType(rates)),
        adjusted=prices["adjusted"],
        source=prices["source"],
        index=None if prices["index"] is None else _index_of(prices["index"]),
        withheld=MappingProxyType({s: _drop_of(drop) for s, drop in prices["withheld"].items()}),
    )


def _text(values: Mapping[str, Any]) -> bytes:
    return json.dumps(_plain(values), ensure_ascii=False, sort_keys=True, allow_nan=False).encode()


def _read(body: bytes, form: str) -> dict[str, Any]:
    try:
        values = json.loads(zlib.decompress(body))
    except (zlib.error, ValueError) as error:
        raise _damaged(str(error)) from error
    if not isinstance(values, dict) or values.get("format") != form:
        form_of = values.get("format") if isinstance(values, dict) else type(values).__name__
        raise StoreError(
            f"Stored inputs are in the form {form_of}, and this version reads {form}. Nothing was "
            "planned. Update Steelyard.",
            code="inputs_of_later_version",
            place="snapshot",
            value=form_of,
            limit=form,
            hint="update Steelyard",
        )
    return values


def _damaged(reason: str) -> StoreError:
    return StoreError(
        f"Stored inputs are damaged: {reason}. Nothing was planned. Restore a backup with: "
        "steelyard db restore F, or load the bucket again.",
        code="inputs_damaged",
        place="snapshot",
        value=reason,
        hint="steelyard db restore F",
    )


def _plain(value: Any) -> Any:
    """A record as JSON has it; what it makes up itself from the rest is left out."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.init}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _days(dates: np.ndarray[Any, Any]) -> str:
    return _base64(dates.astype("datetime64[D]").astype(DATES))


def _dates_of(text: str) -> Any:
    return _closed(np.frombuffer(base64.b64decode(text), DATES).astype("datetime64[D]"))


def _array(array: FloatArray) -> dict[str, Any]:
    return {"shape": list(array.shape), "data": _base64(np.ascontiguousarray(array, FLOATS))}


def _floats_of(entry: Mapping[str, Any]) -> FloatArray:
    flat = np.frombuffer(base64.b64decode(entry["data"]), FLOATS)
    return flat.astype(np.float64).reshape(entry["shape"])


def _base64(array: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


def _closed(array: Any) -> Any:
    array.setflags(write=False)
    return array


def _index(index: Index) -> dict[str, Any]:
    return {
        "names": list(index.names),
        "dates": _days(index.dates),
        "levels": _array(index.levels),
    }


def _index_of(entry: Mapping[str, Any]) -> Index:
    levels = _closed(_floats_of(entry["levels"]))
    return Index(tuple(entry["names"]), _dates_of(entry["dates"]), levels)


def _drop(drop: Drop) -> dict[str, Any]:
    facts = {name: _fact(fact) for name, fact in drop.why.facts.items()}
    why = {"template": drop.why.template, "facts": facts}
    return {"rule": drop.rule, "value": drop.value, "limit": drop.limit, "why": why}


def _drop_of(entry: Mapping[str, Any]) -> Drop:
    facts = {name: _fact_of(*fact) for name, fact in entry["why"]["facts"].items()}
    why = Sentence(entry["why"]["template"], MappingProxyType(facts))
    return Drop(entry["rule"], entry["value"], entry["limit"], why)


def _fact(fact: Fact) -> list[Any]:
    """A fact with its type, which a template may depend on."""
    return [type(fact).__name__, _plain(fact)]


def _fact_of(kind: str, value: Any) -> Fact:
    readers: Mapping[str, Any] = {"Decimal": Decimal, "date": date.fromisoformat}
    fact: Fact = readers.get(kind, lambda plain: plain)(value)
    return fact
