"""Core and satellites as they are kept: what they own, their part of the cash, their settings.

create        a bucket; the core is made by the first `load`
load          what it owns and the prices, from an importer; its cash is the file's
transfer      money from one bucket to another
configure_in  another version of what its owner set, and of the strategy that this makes
balances      Σ of all buckets, which is the account's: every change of cash is a row of `cash_move`
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, select

from steelyard.buckets import Units, mark, move, open_units
from steelyard.canonical import plain, published
from steelyard.errors import InputError, NotStored
from steelyard.importers import Inputs
from steelyard.money import ZERO
from steelyard.store import inputs as kept_inputs
from steelyard.store.assignments import (
    CORE,
    Assignment,
    assign_in,
    assigned_in,
    check_bucket,
    ensure_core,
)
from steelyard.store.failures import row_of
from steelyard.store.schema import bucket, bucket_cash, bucket_settings, cash_move
from steelyard.store.snapshots import Packed
from steelyard.store.store import Store, Transaction, json_text
from steelyard.store.strategies import USER, Draft, append
from steelyard.telemetry.events import (
    BucketCreated,
    BucketLoaded,
    BucketSettingsChanged,
    CashTransferred,
    InputsImported,
)

STATUSES = ("research", "accumulating", "active", "hibernating", "paused", "retired")
"""Of a satellite; the core is active. Trading is for accumulating and active ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A bucket as it is kept: see the tables `bucket` and `bucket_cash`.

    target_weight    of the core: what the satellites leave
    as_of            day of the prices that it was loaded with
    value            base currency, at those prices; None = nothing loaded
    portfolio, market   hashes of its inputs
    files            names and hashes of the files that it was loaded from
    """

    name: str
    kind: str
    status: str
    target_weight: float
    universe: tuple[str, ...]
    base_currency: str | None
    settings: Mapping[str, Any]
    created_at: datetime
    loaded_at: datetime | None
    as_of: date | None
    value: Decimal | None
    units: Units | None
    portfolio: str | None
    market: str | None
    files: tuple[Mapping[str, Any], ...]
    cash: Mapping[str, Decimal]
    assignment: Assignment | None


def worths(rows: Sequence[Held]) -> dict[str, Decimal]:
    """What each bucket is worth, in the account's base currency: together they are the account.

    A bucket that nothing was loaded into, and that money was moved to, is worth that money. One
    that has neither is left out, and so is money in a currency that no rate is kept of.
    """
    bases = {row.base_currency for row in rows if row.value is not None}
    worth: dict[str, Decimal] = {}
    for row in rows:
        if row.value is not None:
            worth[row.name] = row.value
        elif len(bases) == 1 and (cash := row.cash.get(str(next(iter(bases))))):
            worth[row.name] = cash
    return worth


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What becomes a bucket's portfolio.

    packed   the inputs as bytes
    value    base currency
    files    [{"option", "name", "sha256"}]
    moved    money brought (> 0) or taken out since the last load, base currency: no gain, no loss
    """

    inputs: Inputs
    packed: Packed
    value: Decimal
    files: Sequence[Mapping[str, str]] = ()
    moved: Decimal = ZERO


def create(
    store: Store,
    name: str,
    *,
    kind: str = "satellite",
    status: str = "accumulating",
    target_weight: float = 0.0,
    universe: Sequence[str] = (),
) -> Held:
    """A new bucket; raises InputError where there is one of that name, or a second core."""
    with store.writing() as transaction:
        create_in(transaction, name, kind, status, target_weight, universe)
        return held_in(transaction.connection, name)


def load(store: Store, name: str, what: Load) -> Held:
    """Set what a bucket owns; the core is made where there is none. Raises NotStored."""
    return load_all(store, {name: what})[0]


def load_all(
    store: Store, loads: Mapping[str, Load], split_by: Sequence[Held] | None = None
) -> list[Held]:
    """Set what several buckets own, all of them or none.

    split_by   the satellites by which an account's files were split; None = they were not
    Raises InputError where one of them, or which there are, is another by now, and for values in
    two base currencies: they have no sum.
    """
    with store.writing() as transaction:
        connection = transaction.connection
        satellites = [row for row in buckets_in(connection) if row.kind != CORE]
        if split_by is not None and satellites != [*split_by]:
            raise _changed_meanwhile()
        held = [_load(transaction, name, what) for name, what in loads.items()]
        _check_base(connection, held[0])
        return held


def _load(transaction: Transaction, name: str, what: Load) -> Held:
    connection = transaction.connection
    if name == CORE:
        ensure_core(transaction)
    before = held_in(connection, name)
    snapshot = what.inputs.snapshot
    kept_inputs.keep(transaction, what.packed)
    units = _units(before, what)
    values = {
        "portfolio": what.packed.portfolio_sha256,
        "market": what.packed.market_sha256,
        "files": json_text([dict(entry) for entry in what.files]),
        "base_currency": snapshot.base_currency,
        "loaded_at": transaction.stamp,
        "as_of": snapshot.as_of.isoformat(),
        "value": plain(what.value),
        "units": plain(units.count),
        "high_water_mark": plain(units.high_water_mark),
    }
    connection.execute(bucket.update().where(bucket.c.name == name).values(**values))
    for currency in sorted({*before.cash, *snapshot.cash}):
        amount = snapshot.cash.get(currency, ZERO) - before.cash.get(currency, ZERO)
        _move(transaction, name, currency, amount, kind="load")
    transaction.tell(
        BucketLoaded(
            as_of=snapshot.as_of.isoformat(),
            holdings=len(snapshot.holdings),
            value=plain(what.value),
            portfolio_sha256=what.packed.portfolio_sha256,
            market_sha256=what.packed.market_sha256,
        ),
        name,
    )
    transaction.tell(InputsImported({f["name"]: f["sha256"] for f in what.files}), name)
    return held_in(connection, name)


def configure_in(
    transaction: Transaction,
    name: str,
    settings: Mapping[str, Any],
    draft: Draft | None,
    *,
    by: str = USER,
) -> Held:
    """Keep another version of a bucket's settings, and let it follow the strategy they make.

    settings   all that is set: target_weight, status, universe, and of a satellite its sliders
    draft      the strategy of the sliders; None = it plans on as it does
    """
    connection = transaction.connection
    before = held_in(connection, name)
    query = select(bucket_settings.c.version).where(bucket_settings.c.bucket == name)
    numbers = list(connection.scalars(query))
    number = max(numbers, default=0) + 1
    row = {
        "bucket": name,
        "version": number,
        "settings": json_text(dict(settings)),
        "created_at": transaction.stamp,
        "created_by": by,
    }
    connection.execute(bucket_settings.insert().values(**row))
    columns = {"settings": json_text(_of_sliders(settings)), **_columns(settings)}
    connection.execute(bucket.update().where(bucket.c.name == name).values(**columns))
    changes = _changes(before, settings)
    transaction.tell(BucketSettingsChanged(number, changes), name)
    if draft is not None:
        append(transaction, draft, by=by, reason=f"settings of {name}, version {number}")
        follows = before.assignment
        if follows is None or follows.name != draft.name or follows.pinned:
            assign_in(transaction, name, draft.name, by=by)
    return held_in(connection, name)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of a currency, and what it is worth in base currency."""

    currency: str
    amount: Decimal
    worth: Decimal


def transfer(store: Store, source: str, target: str, money: Money) -> None:
    """Move money from one bucket to another; raises InputError for more than there is.

    What is moved is neither a gain nor a loss of either.
    """
    currency, amount = money.currency, money.amount
    with store.writing() as transaction:
        connection = transaction.connection
        before, after = held_in(connection, source), held_in(connection, target)
        has = before.cash.get(currency, ZERO)
        if not (amount.is_finite() and ZERO < amount <= has) or source == target:
            raise _no_transfer(source, target, money, has)
        if any(cash + amount - cash != amount for cash in (has, after.cash.get(currency, ZERO))):
            raise _too_fine(currency, amount)
        _move(transaction, source, currency, -amount, kind="transfer", other=target)
        _move(transaction, target, currency, amount, kind="transfer", other=source)
        _revalue(connection, before, -money.worth)
        _revalue(connection, after, money.worth)
        transaction.tell(CashTransferred(after.name, currency, plain(amount)), source)


def _revalue(connection: Connection, held: Held, moved: Decimal) -> None:
    """What a bucket is worth after money came or went; nothing of one that was never loaded."""
    if held.value is None or held.units is None:
        return
    units = move(held.units, held.value, moved)
    values = {
        "value": plain(held.value + moved),
        "units": plain(units.count),
        "high_water_mark": plain(units.high_water_mark),
    }
    connection.execute(bucket.update().where(bucket.c.name == held.name).values(**values))


def bucket_of(store: Store, name: str) -> Held:
    """A bucket; raises NotStored with the nearest."""
    with store.reading() as connection:
        return held_in(connection, name)


def buckets(store: Store) -> list[Held]:
    """Every bucket, the core first, then by name."""
    with store.reading() as connection:
        return buckets_in(connection)


def buckets_in(connection: Connection) -> list[Held]:
    """As `buckets`, within a transaction."""
    names = list(connection.scalars(select(bucket.c.name)))
    rows = [held_in(connection, name) for name in names]
    return sorted(rows, key=lambda row: (row.kind != CORE, row.name))


def balances(store: Store) -> dict[str, tuple[Decimal, Decimal]]:
    """Currency -> (Σ of what the buckets have, the account by its moves): equal, or damaged."""
    with store.reading() as connection:
        rows = connection.execute(select(bucket_cash.c.currency, bucket_cash.c.amount)).all()
        moves = connection.execute(select(cash_move.c.currency, cash_move.c.amount)).all()
    sums: dict[str, list[Decimal]] = {}
    for place, entries in enumerate((rows, moves)):
        for currency, amount in entries:
            sums.setdefault(currency, [ZERO, ZERO])[place] += Decimal(amount)
    return {currency: (booked, moved) for currency, (booked, moved) in sorted(sums.items())}


def create_in(
    transaction: Transaction,
    name: str,
    kind: str,
    status: str,
    target_weight: float,
    universe: Sequence[str],
) -> None:
    """As `create`, within a transaction."""
    connection = transaction.connection
    if is_there(connection, name):
        raise _is_taken(f"There is a bucket {name} already", name)
    if kind == CORE and connection.scalar(select(bucket.c.name).where(bucket.c.kind == CORE)):
        raise _is_taken("There is a core already, and an account has one", name)
    row = {
        "name": name,
        "kind": kind,
        "status": status,
        "target_weight": target_weight,
        "universe": json_text(sorted(universe)),
        "created_at": transaction.stamp,
    }
    connection.execute(bucket.insert().values(**row))
    transaction.tell(BucketCreated(kind, status, target_weight), name)


def is_there(connection: Connection, name: str) -> bool:
    """Is there a bucket of that name?"""
    return connection.scalar(select(bucket.c.name).where(bucket.c.name == name)) is not None


def held_in(connection: Connection, name: str) -> Held:
    """As `bucket_of`, within a transaction."""
    row = connection.execute(select(bucket).where(bucket.c.name == name)).first()
    if row is None:
        check_bucket(connection, name)
        raise NotStored(f"The bucket {name} is gone.", code="bucket_gone", place=name)
    query = select(bucket_cash.c.currency, bucket_cash.c.amount).where(bucket_cash.c.bucket == name)
    with row_of("bucket_cash"):
        money = connection.execute(query).all()
        cash = {currency: Decimal(amount) for currency, amount in money}
    held = _record(row, dict(sorted(cash.items())), assigned_in(connection, name))
    if held.kind != CORE:
        return held
    others = select(bucket.c.target_weight).where(bucket.c.kind != CORE)
    aimed = math.fsum(connection.scalars(others))
    return replace(held, target_weight=published(1 - aimed))


@row_of("bucket")
def _record(row: Row[Any], cash: Mapping[str, Decimal], follows: Assignment | None) -> Held:
    units = None
    if row.units is not None:
        units = Units(Decimal(row.units), Decimal(row.high_water_mark))
    return Held(
        name=row.name,
        kind=row.kind,
        status=row.status,
        target_weight=row.target_weight,
        universe=tuple(json.loads(row.universe)),
        base_currency=row.base_currency,
        settings=json.loads(row.settings),
        created_at=datetime.fromisoformat(row.created_at),
        loaded_at=None if row.loaded_at is None else datetime.fromisoformat(row.loaded_at),
        as_of=None if row.as_of is None else date.fromisoformat(row.as_of),
        value=None if row.value is None else Decimal(row.value),
        units=units,
        portfolio=row.portfolio,
        market=row.market,
        files=tuple(json.loads(row.files)),
        cash=cash,
        assignment=follows,
    )


def _units(before: Held, what: Load) -> Units:
    """Units after what was brought or taken out, marked at what the bucket is worth now."""
    if before.units is None or before.value is None:
        return open_units(max(what.value, ZERO))
    moved = move(before.units, before.value, what.moved) if what.moved else before.units
    return mark(moved, what.value)


def _move(
    transaction: Transaction,
    name: str,
    currency: str,
    amount: Decimal,
    *,
    kind: str,
    other: str | None = None,
) -> None:
    """Book a change of a bucket's cash, and its balance."""
    connection = transaction.connection
    here = (bucket_cash.c.bucket == name, bucket_cash.c.currency == currency)
    before = connection.scalar(select(bucket_cash.c.amount).where(*here))
    if before is None:
        row = {"bucket": name, "currency": currency, "amount": plain(amount)}
        connection.execute(bucket_cash.insert().values(**row))
    elif amount:
        after = plain(Decimal(before) + amount)
        connection.execute(bucket_cash.update().where(*here).values(amount=after))
    if amount:
        booked = {
            "at": transaction.stamp,
            "bucket": name,
            "currency": currency,
            "amount": plain(amount),
            "kind": kind,
            "other": other,
        }
        connection.execute(cash_move.insert().values(**booked))


OWN = ("target_weight", "status", "universe")
"""Settings of every bucket; the others are a satellite's sliders."""


def _columns(settings: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: settings[name] for name in OWN if name in settings}
    if "universe" in columns:
        columns["universe"] = json_text(sorted(columns["universe"]))
    return columns


def _of_sliders(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in OWN}


def _changes(before: Held, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> [before, after] of what is another now."""
    old = {
        **before.settings,
        "target_weight": before.target_weight,
        "status": before.status,
        "universe": list(before.universe),
    }
    names = [name for name in sorted({*old, *settings}) if name in settings or name not in OWN]
    return {
        name: [old.get(name), settings.get(name)]
        for name in names
        if old.get(name) != settings.get(name)
    }


def _check_base(connection: Connection, held: Held) -> None:
    other = next(
        (
            row
            for row in buckets_in(connection)
            if row.base_currency not in {None, held.base_currency}
        ),
        None,
    )
    if other is None:
        return
    mend = f"load {held.name} with --base {other.base_currency}, or the whole account with --whole"
    raise InputError(
        f"The bucket {held.name} would be in {held.base_currency}, and {other.name} is in "
        f"{other.base_currency}: an account has one base currency. Nothing was loaded. To mend "
        f"that, {mend}.",
        code="bucket_base_currency",
        place=held.name,
        value=held.base_currency,
        limit=other.base_currency,
        hint=mend,
    )


def _changed_meanwhile() -> InputError:
    return InputError(
        "The satellites were changed by another process while the files were split between them. "
        "Nothing was loaded. Load again.",
        code="buckets_changed_meanwhile",
        place="bucket",
        hint="load again",
    )


def _is_taken(what: str, name: str) -> InputError:
    return InputError(
        f"{what}. Nothing was made. To see them: steelyard bucket list",
        code="bucket_is_there",
        place="bucket",
        value=name,
        hint="choose another name",
    )


def _too_fine(currency: str, amount: Decimal) -> InputError:
    return InputError(
        f"{amount:f} {currency} cannot be booked to its last digit beside what is there: the "
        "buckets would not sum to the account. Nothing was moved. Give fewer decimals.",
        code="transfer_too_fine",
        place=currency,
        value=f"{amount:f}",
        limit="28 digits beside what is there",
        hint="give fewer decimals",
    )


def _no_transfer(source: str, target: str, money: Money, has: Decimal) -> InputError:
    currency, amount = money.currency, money.amount
    return InputError(
        f"{amount:,f} {currency} cannot go from {source} to {target}: {source} has {has:,f} "
        f"{currency}, and an amount is above 0, between two buckets. Nothing was moved.",
        code="no_transfer",
        place=source,
        value=f"{plain(amount)} {currency}",
        limit=plain(has),
        hint="move less",
    )
