"""Strategies and their versions: appended, never rewritten, one of each name active.

    save        the next version of a name; the buckets that follow the name move with it
    rollback    the next version, with the content of an old one
    history     every version of a name

What is saved was validated by the caller: `Draft` says so by its hash of what acts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from steelyard.errors import InputError, NotStored, StoreError, did_you_mean
from steelyard.store.failures import row_of
from steelyard.store.schema import assignment, strategy_version
from steelyard.store.store import Store, Transaction
from steelyard.telemetry.events import (
    ConfigurationChanged,
    StrategyRolledBack,
    StrategySaved,
)

USER = "user"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}")
LONGEST_NAME = 64
NAME_RULE = "letters, digits, _ and -, at most 64, beginning with a letter or digit"
LONGEST_TITLE = 200
ROLLBACK = "rollback to version {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What becomes a version.

    name           of the strategy
    title          for people; "" = as the version before, else the name in words
    description    None = as the version before
    toml           the text, valid
    rules_sha256   of what acts in it
    """

    name: str
    toml: str
    rules_sha256: str
    title: str = ""
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A row of `strategy_version`; see there."""

    id: int
    name: str
    version: int
    title: str
    description: str
    toml: str
    sha256: str
    rules_sha256: str
    active: bool
    created_at: datetime
    created_by: str
    parent: int | None
    reason: str

    @property
    def shown(self) -> str:
        """`Momentum hunter (v2)`."""
        return f"{self.title} (v{self.version})"


@dataclass(frozen=True, slots=True)
class Saved:
    """The version that was saved, and those that others saved since the one it was made from."""

    version: Version
    meanwhile: tuple[int, ...] = ()


def save(
    store: Store, draft: Draft, *, by: str = USER, reason: str = "", parent: int | None = None
) -> Saved:
    """Append the next version and make it the active one, in one transaction.

    parent   the version that it was made from; None = the active one
    Raises StoreError, and InputError for a name or a title that cannot be one.
    """
    with store.writing() as transaction:
        return append(transaction, draft, by=by, reason=reason, parent=parent)


def append(
    transaction: Transaction,
    draft: Draft,
    *,
    by: str = USER,
    reason: str = "",
    parent: int | None = None,
) -> Saved:
    """As `save`, within a transaction."""
    _check(draft, reason)
    connection, name = transaction.connection, draft.name
    before = _active(connection, name)
    newest = connection.scalar(
        select(func.max(strategy_version.c.version)).where(strategy_version.c.name == name)
    )
    base = before.version if parent is None and before is not None else parent
    meanwhile = _since(connection, name, base) if parent is not None else ()
    connection.execute(
        update(strategy_version)
        .where(strategy_version.c.name == name, strategy_version.c.active == 1)
        .values(active=0)
    )
    values = {
        "name": name,
        "version": (newest or 0) + 1,
        "title": draft.title or (before.title if before else words(name)),
        "description": _description(draft, before),
        "toml": draft.toml,
        "sha256": hashlib.sha256(draft.toml.encode()).hexdigest(),
        "rules_sha256": draft.rules_sha256,
        "active": 1,
        "created_at": transaction.stamp,
        "created_by": by,
        "parent": base,
        "reason": reason,
    }
    connection.execute(strategy_version.insert().values(**values))
    now = _active(connection, name)
    if now is None:
        raise _impossible(name)
    transaction.tell(
        StrategySaved(name, now.version, now.title, now.sha256, parent=base, reason=reason)
    )
    for bucket in followers_in(connection, name):
        changed(transaction, bucket, before, now, pinned=False)
    return Saved(now, meanwhile)


def rollback(store: Store, name: str, number: int, *, by: str = USER, reason: str = "") -> Version:
    """Append a version with the content of an old one; raises NotStored without it."""
    with store.writing() as transaction:
        return append_old(transaction, name, number, by=by, reason=reason)


def append_old(
    transaction: Transaction, name: str, number: int, *, by: str = USER, reason: str = ""
) -> Version:
    """As `rollback`, within a transaction."""
    old = version_in(transaction.connection, name, number)
    draft = Draft(
        name=name,
        title=old.title,
        description=old.description,
        toml=old.toml,
        rules_sha256=old.rules_sha256,
    )
    why = reason or ROLLBACK.format(number)
    saved = append(transaction, draft, by=by, reason=why, parent=number)
    transaction.tell(StrategyRolledBack(name, saved.version.version, number))
    return saved.version


def changed(
    transaction: Transaction, bucket: str, before: Version | None, now: Version, *, pinned: bool
) -> None:
    """Tell that a bucket plans by another version from now on."""
    event = ConfigurationChanged(
        name=now.name,
        version=now.version,
        old_name=before.name if before else None,
        old_version=before.version if before else None,
        pinned=pinned,
    )
    transaction.tell(event, bucket)


def version(store: Store, name: str, number: int | None = None) -> Version:
    """A version of a name, None = the active one; raises NotStored with the nearest."""
    with store.reading() as connection:
        return version_in(connection, name, number)


def version_in(connection: Connection, name: str, number: int | None = None) -> Version:
    """As `version`, within a transaction."""
    table = strategy_version.c
    which = table.active == 1 if number is None else table.version == number
    row = connection.execute(select(strategy_version).where(table.name == name, which)).first()
    if row is not None:
        return _version(row)
    raise _no_version(connection, name, number)


def by_id(store: Store, key: int) -> Version:
    """A version by the number of its row; raises NotStored."""
    with store.reading() as connection:
        return by_id_in(connection, key)


def by_id_in(connection: Connection, key: int) -> Version:
    """As `by_id`, within a transaction."""
    query = select(strategy_version).where(strategy_version.c.id == key)
    row = connection.execute(query).first()
    if row is None:
        raise NotStored(
            f"There is no stored configuration with the id {key}.",
            code="no_such_configuration",
            place="id",
            value=key,
            hint="steelyard strategy list",
        )
    return _version(row)


def history(store: Store, name: str) -> list[Version]:
    """Every version of a name, newest first; raises NotStored without any."""
    table = strategy_version.c
    query = select(strategy_version).where(table.name == name).order_by(table.version.desc())
    with store.reading() as connection:
        rows = connection.execute(query).all()
        if not rows:
            raise _no_version(connection, name, None)
    return [_version(row) for row in rows]


def ids_in(connection: Connection, name: str) -> dict[int, int]:
    """Number of a version -> number of its row, of a name."""
    table = strategy_version.c
    query = select(table.version, table.id).where(table.name == name)
    return {row.version: row.id for row in connection.execute(query)}


def active(store: Store) -> list[Version]:
    """The active version of every name, by name."""
    table = strategy_version.c
    query = select(strategy_version).where(table.active == 1).order_by(table.name)
    with store.reading() as connection:
        return [_version(row) for row in connection.execute(query).all()]


def titles(store: Store) -> dict[tuple[str, int], str]:
    """Title of every version, by name and number."""
    table = strategy_version.c
    with store.reading() as connection:
        rows = connection.execute(select(table.name, table.version, table.title))
        return {(row.name, row.version): row.title for row in rows}


def names(connection: Connection) -> list[str]:
    """Every name that has a version."""
    table = strategy_version.c
    query = select(table.name).where(table.active == 1).order_by(table.name)
    return list(connection.scalars(query))


def words(name: str) -> str:
    """A name as a title.

    >>> words("momentum_hunter")
    'Momentum hunter'
    """
    text = name.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def check_name(name: str) -> None:
    """Raise InputError for a name that no strategy may have."""
    if NAME.fullmatch(name) is None:
        raise InputError(
            f"{name!r} cannot be the name of a strategy: it has {NAME_RULE}. Nothing was saved.",
            code="bad_strategy_name",
            place="NAME",
            value=name,
            limit=NAME_RULE,
            hint="choose another name; a title may be any text",
        )


def _check(draft: Draft, reason: str) -> None:
    check_name(draft.name)
    texts = {"title": draft.title, "description": draft.description or "", "reason": reason}
    for what, value in texts.items():
        if "\0" in value:  # PostgreSQL has no such character, and no person types it
            raise _no_text(draft.name, what, "it has a NUL character")
    if len(draft.title) > LONGEST_TITLE:
        why = f"it has {len(draft.title)} characters, at most {LONGEST_TITLE} are kept"
        raise _no_text(draft.name, "title", why)


def _no_text(name: str, what: str, reason: str) -> InputError:
    return InputError(
        f"The {what} of {name} is not usable: {reason}. Nothing was saved.",
        code="bad_strategy_text",
        place=what,
        limit=f"at most {LONGEST_TITLE} characters, without NUL",
        hint="shorten it, or leave it out",
    )


def _description(draft: Draft, before: Version | None) -> str:
    if draft.description is not None:
        return draft.description
    return before.description if before else ""


def _active(connection: Connection, name: str) -> Version | None:
    table = strategy_version.c
    query = select(strategy_version).where(table.name == name, table.active == 1)
    row = connection.execute(query).first()
    return None if row is None else _version(row)


def _since(connection: Connection, name: str, base: int | None) -> tuple[int, ...]:
    """Versions after the one that another is made from; a rollback is made from an old one."""
    table = strategy_version.c
    query = select(table.version).where(table.name == name, table.version > (base or 0))
    return tuple(connection.scalars(query.order_by(table.version)))


def followers_in(connection: Connection, name: str) -> Sequence[str]:
    """The buckets that follow a name."""
    table = assignment.c
    query = select(table.bucket).where(table.name == name, table.version.is_(None))
    return list(connection.scalars(query.order_by(table.bucket)))


def _no_version(connection: Connection, name: str, number: int | None) -> NotStored:
    table = strategy_version.c
    query = select(table.version).where(table.name == name).order_by(table.version)
    numbers = list(connection.scalars(query))
    if not numbers:
        near = did_you_mean(name, names(connection))
        return NotStored(
            f"No strategy is stored under the name {name}.{near} To see them: steelyard strategy "
            "list",
            code="no_such_stored_strategy",
            place="NAME",
            value=name,
            hint=near.strip() or "steelyard strategy list",
        )
    span = f"versions 1 to {numbers[-1]}" if len(numbers) > 1 else "version 1 alone"
    return NotStored(
        f"There is no version {number} of {name}: it has {span}. To see them: steelyard strategy "
        f"history {name}",
        code="no_such_version",
        place="VERSION",
        value=number,
        limit=span,
        hint=f"steelyard strategy history {name}",
    )


def _impossible(name: str) -> StoreError:
    return StoreError(
        f"The version of {name} that was just written is not there. Nothing was saved.",
        code="version_vanished",
        place=name,
    )


@row_of("strategy_version")
def _version(row: Row[Any]) -> Version:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's own name for a public part
    values["active"] = bool(values["active"])
    values["created_at"] = datetime.fromisoformat(values["created_at"])
    return Version(**values)
