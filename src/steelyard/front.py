"""`steelyard.plan` and `steelyard.inputs`: plain Python in, a plan out, by the checks of files.

A dict, a list of dicts, a DataFrame, an open file and a path go the same way: to the table that
they would be as a file, and from there through the importers. Records that are made already go
straight to the planner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

from steelyard.errors import InputError, RowsRejected
from steelyard.importers import Inputs, Reading, assemble, read, shapes
from steelyard.importers.memory import Memory, unusable
from steelyard.importers.values import NOTHING
from steelyard.market import Market
from steelyard.planning import planner
from steelyard.planning.solve import LOCAL, Steps
from steelyard.plans.plan import Plan
from steelyard.portfolio import BucketState, Snapshot
from steelyard.settings import Limits
from steelyard.strategies import Strategy, default, find, from_mapping, load
from steelyard.targets import Targets, TargetsFailed
from steelyard.telemetry.events import Observe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steelyard.calculations.cache import Calculations
    from steelyard.notices import Notice

Table = shapes.Table
Rules = Strategy | Mapping[str, Any] | str | Path | None
"""A strategy: a record, a dict as TOML has it, a preset's name, a file; None = the default."""


class Data(TypedDict, total=False):
    """What `inputs` and `plan` take beside holdings, prices and targets; see `importers.shapes`.

    cash            currency -> amount; a number is of the base currency
    deposit         currency -> money brought, not in the cash yet
    withdraw        currency -> money taken out, or (money, day); by default when sales have settled
    securities      what is known of what is held or may be bought
    fx              rates: units of base for one of a currency
    index           levels of market indices, from which the regime is told
    as_of           the day to plan for, a date or "2026-11-20"; by default the newest of the prices
    base_currency   in which the account counts
    exclude         symbols left out
    accept_price    symbols whose newest price is right although another figure contradicts it
    adjusted        do the closes contain dividends; by default they do
    bucket          name of the account in the plan
    account         which of several in a file of holdings
    """

    cash: Table
    deposit: Table
    withdraw: Table
    securities: Table
    fx: Table
    index: Table
    as_of: date | str
    base_currency: str
    exclude: Iterable[str]
    accept_price: Iterable[str]
    adjusted: bool
    bucket: str
    account: str


def inputs(
    holdings: Table = None, *, prices: Table = None, targets: Table = None, **data: Unpack[Data]
) -> Inputs:
    """Snapshot, market and targets of data in any form; raises SteelyardError for what is no use.

    holdings   symbol -> quantity, or a table, or a Snapshot to be priced on another day
    prices     symbol -> price or -> day -> close, or a table
    targets    symbol -> weight, or a table
    """
    return _inputs(holdings, prices, targets, data, Limits().settlement_days)


def _inputs(
    holdings: Table, prices: Table, targets: Table, data: Data, settlement_days: int
) -> Inputs:
    as_of, base = _day(data.get("as_of")), data.get("base_currency")
    exclude = tuple(data.get("exclude", ()))
    tables = {
        "prices": shapes.prices(prices, as_of),
        "targets": shapes.targets(targets),
        "securities": shapes.securities(data.get("securities")),
        "fx": shapes.fx(data.get("fx"), as_of),
        "index": shapes.prices(data.get("index"), as_of, "index"),
    }
    owned = shapes.holdings(holdings)
    cash = shapes.cash(data.get("cash"), base)
    flows = shapes.flows(data.get("deposit"), data.get("withdraw"), settlement_days)
    reading = Reading(account=data.get("account"), base=base)
    with _places(owned, *tables.values()):
        files = read(owned, exclude=exclude, reading=reading, **tables)
        return assemble(
            files,
            cash=cash,
            flows=flows,
            base_currency=base,
            as_of=as_of,
            exclude=exclude,
            accept_price=tuple(data.get("accept_price", ())),
            bucket=data.get("bucket", "core"),
            adjusted=data.get("adjusted", True),
        )


def _day(value: object) -> date | None:
    """A day; raises InputError for what is none."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        return date.fromisoformat(value)  # type: ignore[arg-type]  # what is no text is refused
    except (TypeError, ValueError) as error:
        hint = "Give a date, or one as text: '2026-11-20'"
        raise InputError(
            f"as_of is {value!r}, which is no day. {NOTHING} {hint}.",
            code="bad_as_of",
            place="as_of",
            value=value,
            limit="a date",
            hint=hint,
        ) from error


@contextmanager
def _places(*tables: object) -> Iterator[None]:
    """Names rejected rows of arguments as Python does: `holdings['VT']` for line 2."""
    names = {table.name: table for table in tables if isinstance(table, Memory)}
    try:
        yield
    except RowsRejected as error:
        raise RowsRejected(
            [
                replace(row, where=names[row.file].place(row.line)) if row.file in names else row
                for row in error.rows
            ]
        ) from error


def strategy_of(rules: Rules) -> Strategy:
    """A strategy in any form; raises SettingsError for one that is no use."""
    if rules is None:
        return default()
    if isinstance(rules, Strategy):
        return rules
    if isinstance(rules, Mapping):
        return from_mapping(rules, "strategy")
    if isinstance(rules, str | Path):
        return load(rules) if isinstance(rules, Path) else find(rules)
    raise unusable("strategy", rules, "a preset's name, the path of a file, a dict or a Strategy")


def plan(
    snapshot: Snapshot | Inputs | Table = None,
    market: Market | Table = None,
    strategy: Rules = None,
    *,
    targets: Targets | TargetsFailed | Table = None,
    state: BucketState | None = None,
    seed: int = 0,
    disabled: Mapping[str, str] = MappingProxyType({}),
    steps: Steps = LOCAL,
    observe: Observe | None = None,
    warnings: Iterable[Notice] = (),
    calculations: Calculations | None = None,
    **data: Any,
) -> Plan:
    """Plan one portfolio; the same inputs give the same plan id.

    snapshot   holdings in any form of `inputs`, also as `holdings=`; what `inputs` gives; a record
    market     prices in any form, also as `prices=`; a record
    strategy   a preset's name, a file, a dict, a record; by default the default one
    targets    weights in any form
    data       all else that `inputs` takes; not beside records, which have it in them
    Further arguments are those of `planning.planner.plan`. Raises SteelyardError.
    """
    rules = strategy_of(strategy)
    notices = tuple(warnings)
    if not (isinstance(snapshot, Snapshot) and isinstance(market, Market)):
        ready = _made(snapshot, market, targets, data, rules.limits.settlement_days)
        own = isinstance(snapshot, Inputs) and targets is not None
        targets = _targets(targets) if own else ready.targets
        snapshot, market = ready.snapshot, ready.market
        notices = (*ready.warnings, *notices)
    elif data:
        raise _beside(data)
    else:
        targets = _targets(targets)
    return planner.plan(
        snapshot,
        market,
        rules,
        targets=targets,
        state=state,
        seed=seed,
        disabled=disabled,
        steps=steps,
        observe=observe,
        warnings=notices,
        calculations=calculations,
    )


def _made(
    owned: Any, market: Any, targets: Any, data: Mapping[str, Any], settlement_days: int
) -> Inputs:
    """The inputs of a plan from what was given, each thing once."""
    if isinstance(owned, Inputs):
        if data or market is not None:
            raise _beside({**data, **({} if market is None else {"market": market})})
        return owned
    values = dict(data)
    for name, value in (("holdings", owned), ("prices", market)):
        if value is not None and name in values:
            raise InputError(
                f"{name} is given twice. {NOTHING} Keep one of them.",
                code="given_twice",
                place=name,
            )
        values.setdefault(name, value)
    unknown = values.keys() - Data.__annotations__.keys() - {"holdings", "prices"}
    if unknown:
        raise TypeError(f"plan() got an unexpected keyword argument {min(unknown)!r}")
    owned, prices = values.pop("holdings"), values.pop("prices")
    return _inputs(owned, prices, targets, cast(Data, values), settlement_days)


def _targets(targets: Any) -> Targets | TargetsFailed | None:
    """Targets beside records, whose symbols are as they are."""
    if targets is None or isinstance(targets, Targets | TargetsFailed):
        return targets
    if isinstance(targets, Mapping):
        return Targets.of(targets)
    raise unusable("targets", targets, "Targets, or a dict of weights, beside records")


def _beside(data: Mapping[str, Any]) -> InputError:
    names = ", ".join(data)
    return InputError(
        f"{names} stands beside records that have it in them. {NOTHING} Leave it out, or give all "
        "of it as data.",
        code="beside_records",
        place=next(iter(data)),
        hint="leave it out, or give all of it as data",
    )
