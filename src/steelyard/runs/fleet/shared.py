"""What every worker has once, and not with each account: prices, rates, securities, strategies.

Prices are read once, in the process that runs the fleet, with all their symbols; an account gets
its own columns of them, as its file of prices would give them. Where the whole file cannot be read
so, because a line is wrong that perhaps nobody needs, or it is Parquet, each account reads it.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from steelyard.engine import EngineSettings
from steelyard.errors import RowsRejected, SteelyardError
from steelyard.importers import (
    FxFile,
    PriceTable,
    Reading,
    SecuritiesFile,
    read_fx,
    read_index,
    read_prices,
    read_securities,
)
from steelyard.importers.limits import FileLimits
from steelyard.importers.mapping import ImportMapping, read_mapping
from steelyard.importers.memory import Memory
from steelyard.importers.prices.table import PARQUET
from steelyard.notices import Notice
from steelyard.plans.plan import Plan
from steelyard.strategies import Strategy

COMMON: Final = ""
"""Key of the strategy of accounts that name none."""


def part_of(key: str) -> str:
    """Under what name a strategy is among the parts of a run.

    >>> part_of("us_taxable"), part_of(COMMON)
    ('strategy us_taxable', 'the strategy')
    """
    return f"strategy {key}" if key else "the strategy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """A strategy as accounts are planned by it.

    remarks    what is worth knowing of one that was asked for
    disabled   modules that are out of service, and why
    """

    strategy: Strategy
    remarks: tuple[Notice, ...] = ()
    disabled: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """All that plans of a run are functions of, but for the accounts themselves.

    prices       all of a file; or the file, for each account to read
    strategies   key -> strategy, or why there is none: (code, message)
    today        the day that the run began on
    page         makes the report of a plan under the name of its account; None = no report
    """

    prices: PriceTable | Memory | None
    targets: Memory | None
    securities: SecuritiesFile | None
    fx: FxFile | None
    index: PriceTable | None
    reading: Reading
    strategies: Mapping[str, Ruled | tuple[str, str]]
    engine: EngineSettings
    today: date
    as_of: date | None = None
    base: str | None = None
    seed: int = 0
    page: Callable[[Plan, str], str] | None = None


@dataclass(frozen=True, slots=True)
class Packed:
    """The same as bytes, for workers that have no memory in common. key: hash of them."""

    key: str
    content: bytes


def packed(shared: Shared) -> Packed:
    """What goes to each worker, once."""
    content = pickle.dumps(shared, protocol=pickle.HIGHEST_PROTOCOL)
    return Packed(hashlib.sha256(content).hexdigest(), content)


def unpacked(content: bytes) -> Shared:
    """What a worker works with; only of bytes that `packed` made."""
    shared: Shared = pickle.loads(content)  # noqa: S301 - made by the process that asks for work
    return shared


def common_files(
    common: Mapping[str, Path], mapping: Path | None, limits: FileLimits, base: str | None
) -> dict[str, Any]:
    """The files of all accounts as fields of `Shared`; raises InputError, RowsRejected."""
    prices, securities, fx, index = (common.get(n) for n in ("prices", "securities", "fx", "index"))
    read = read_mapping(mapping, limits) if mapping else ImportMapping()
    whole = {
        "securities": read_securities(securities, limits) if securities else None,
        "fx": read_fx(fx, limits) if fx else None,
        "index": read_index(index, limits) if index else None,
    }
    rejected = [row for table in whole.values() if table is not None for row in table.rejected]
    if rejected:
        raise RowsRejected(rejected)
    targets = common.get("targets")
    return {
        **whole,
        "prices": _prices(prices, limits) if prices else None,
        "targets": Memory(targets.name, targets.read_bytes()) if targets else None,
        "reading": Reading(mapping=read, base=base, limits=limits),
        "base": base,
    }


def _prices(path: Path, limits: FileLimits) -> PriceTable | Memory:
    """All prices of a file, or the file where only some of it may be usable."""
    with path.open("rb") as file:
        parquet = file.read(len(PARQUET)) == PARQUET
    try:
        table = None if parquet else read_prices(path, limits=limits)
    except SteelyardError:
        table = None  # each account says what is wrong of what it needs
    if table is None or table.rejected:
        return Memory(path.name, path.read_bytes())
    return table
