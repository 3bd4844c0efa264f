"""What a person brings of a bucket, tables in memory: read, looked at, and loaded as from files.

inputs   what a plan would be made from, by the rules of `steelyard bucket load`
load     the same becomes what the bucket owns
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal
from types import MappingProxyType
from typing import Literal, NamedTuple

from steelyard import importers
from steelyard.errors import InputError
from steelyard.importers import Files, Inputs, Reading, parse_cash
from steelyard.importers.memory import Memory
from steelyard.importers.targets import TargetsFile
from steelyard.notices import Notice
from steelyard.planning.case import Case
from steelyard.planning.findings import Findings
from steelyard.planning.valuation import Valuation, value_portfolio
from steelyard.runs import stored
from steelyard.runs.account import beside, load_account
from steelyard.runs.loads import Before, Stored, before_load, moved_of, refuse_unsaid
from steelyard.runs.stored import File
from steelyard.store.buckets import Held
from steelyard.store.store import Store
from steelyard.strategies import default

Aims = Literal["weights", "file", "stay", "none"]
"""Where targets come from: what is owned now, a table, the last load, nowhere."""
WHOLE = Decimal("0.000001")
"""To this weights of now are cut, so that they never sum to more than all."""
NO_TABLES: Mapping[str, Memory] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What is brought of a bucket.

    tables   holdings, targets, prices, securities, fx, index: what was given
    cash     balances, `EUR=1200`
    moved    money brought or taken out since the last load, `EUR=-500`; None = nobody says
    whole    the tables are of the whole account, satellites and all
    """

    bucket: str
    tables: Mapping[str, Memory] = field(default_factory=lambda: NO_TABLES)
    reading: Reading = field(default_factory=Reading)
    aims: Aims = "file"
    base: str | None = None
    as_of: date | None = None
    cash: Sequence[str] = ()
    exclude: Sequence[str] = ()
    accept_price: Sequence[str] = ()
    moved: str | None = None
    whole: bool = False


class Looked(NamedTuple):
    """What it comes to; before: what stays of the last load, files: where all of it is from."""

    inputs: Inputs
    before: Before
    files: tuple[File, ...]


class Loaded(NamedTuple):
    """The buckets after it, the first is the one that was meant; and what must be said."""

    rows: Sequence[Held]
    notices: Sequence[Notice]


def inputs(store: Store, brought: Brought, today: date) -> Looked:
    """What a plan would be made from; raises InputError, RowsRejected, PlanRefused."""
    given = brought.tables.keys() | {"targets"}
    if brought.aims == "stay":
        given -= {"targets"}
    before = before_load(store, brought.bucket, given)
    files, own = _read(brought, before.stored or Stored()), list(_files(brought))
    result = _assembled(brought, files, today)
    if brought.aims == "weights":
        aims = weights_of_now(result, brought.tables)
        result = _assembled(brought, replace(files, targets=aims), today)
        own.append(_weights_as_file(aims))
    return Looked(result, before, (*own, *before.files))


def load(store: Store, brought: Brought, today: date) -> Loaded:
    """Set what the bucket owns; raises as `inputs`, and InputError for money that nobody told."""
    look = inputs(store, brought, today)
    snapshot = look.inputs.snapshot
    moved = moved_of(brought.moved, snapshot.base_currency)
    if brought.moved is None and look.before.owned is not None:
        refuse_unsaid(brought.bucket, look.before.owned, snapshot)
    notices = [*look.inputs.warnings]
    if brought.whole:
        rows, more = load_account(store, look.inputs, look.files, moved)
        return Loaded(rows, [*notices, *more])
    held = stored.load(store, brought.bucket, look.inputs, look.files, moved)
    return Loaded([held], [*notices, *beside(store, held)])


def weights_of_now(owned: Inputs, tables: Mapping[str, Memory]) -> TargetsFile:
    """The weights of what may be traded, as targets; raises InputError where there are none."""
    valuation = valued(owned)
    worth = {name: row.value for name, row in valuation.priced.items() if row.value > 0}
    whole = max(valuation.value, sum(worth.values(), Decimal(0)))
    if not worth:
        raise InputError(
            "Nothing that is held can be traded, so its weights are no targets. Nothing was "
            "loaded. Give a table of targets, or plan without.",
            code="no_weights_of_now",
            place="--targets",
            hint="give a table of targets, or plan without",
        )
    weights = {
        name: float((value / whole).quantize(WHOLE, ROUND_DOWN)) for name, value in worth.items()
    }
    name = tables["holdings"].name if "holdings" in tables else "cash"
    return TargetsFile(file=f"weights of {name}", weights=weights)


def valued(owned: Inputs) -> Valuation:
    """What everything is worth; raises PlanRefused where that is unknown."""
    case = Case(snapshot=owned.snapshot, market=owned.market, strategy=default())
    return value_portfolio(case, Findings())


def pasted(text: str) -> Memory | None:
    """A table of targets that was pasted, with its header where it has none; None = nothing."""
    lines = [line.strip() for line in text.splitlines()]  # blank ones count, as a person counts
    first = next(filter(None, lines), "")
    if not first:
        return None
    sign = next((sign for sign in ("\t", ";", ",") if sign in first), "")
    if not sign:  # columns with blanks between them
        lines, sign = [",".join(line.rsplit(None, 1)) for line in lines], ","
    headed = "symbol" in first.lower()
    if not headed:
        lines.insert(0, f"symbol{sign}weight")
    return Memory("pasted targets", "\n".join(lines).encode(), begins=1 if headed else 0)


def _read(brought: Brought, last: Stored) -> Files:
    tables = dict(brought.tables)
    if brought.aims != "file":
        tables.pop("targets", None)
    files = importers.read(
        tables.get("holdings"),
        prices=tables.get("prices"),
        targets=tables.get("targets"),
        securities=tables.get("securities"),
        fx=tables.get("fx"),
        index=tables.get("index"),
        exclude=brought.exclude,
        reading=brought.reading,
    )
    return last.beside(files)


def _assembled(brought: Brought, files: Files, today: date) -> Inputs:
    return importers.assemble(
        files,
        cash=parse_cash(brought.cash),
        base_currency=brought.base,
        as_of=brought.as_of,
        exclude=brought.exclude,
        accept_price=brought.accept_price,
        today=today,
        bucket=brought.bucket,
    )


def _files(brought: Brought) -> Iterator[File]:
    for name, table in brought.tables.items():
        if name != "targets" or brought.aims == "file":
            digest = hashlib.sha256(table.content).hexdigest()
            yield {"option": f"--{name}", "name": table.name, "sha256": digest}


def _weights_as_file(aims: TargetsFile) -> File:
    lines = ["symbol,weight", *(f"{name},{weight:.6f}" for name, weight in aims.weights.items())]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return {"option": "--targets", "name": aims.file, "sha256": digest}
