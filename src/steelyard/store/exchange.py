"""Strategies in and out: what may be stored, under which name, and copies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from steelyard.buckets.written import strategy_in
from steelyard.errors import InputError, NotStored, SettingsError, each
from steelyard.store.store import Store, Transaction
from steelyard.store.strategies import (
    NAME,
    USER,
    Draft,
    Saved,
    Version,
    append,
    check_name,
    followers_in,
    names,
    version_in,
)
from steelyard.strategies import Strategy
from steelyard.strategies.files.exchange import together
from steelyard.strategies.files.reading import document

SUFFIX = ".toml"


def standing_alone(text: str, name: str, source: str, folder: Path | None) -> Strategy:
    """The strategy of a text that is to be stored; raises SettingsError with every problem.

    A version that is stored says all of itself: one that inherits from a file, or lists a plugin
    that cannot be loaded, is refused.
    """
    check_name(name)
    strategy = replace(strategy_in(text, name, source, folder=folder), name=name)
    base = document(text, source).values.get("preset", "")
    if isinstance(base, str) and base.endswith(SUFFIX):
        whole = f"steelyard strategy show {source} > whole.toml"
        raise SettingsError(
            f"The strategy {source} inherits from the file {base}, which may change: a stored "
            f"version says all of itself. Nothing was saved. Write it out and save that: {whole}",
            code="stored_inherits_file",
            place="preset",
            value=base,
            limit="a preset's name",
            hint=whole,
        )
    if strategy.problems:
        texts = [notice.message for notice in strategy.problems]
        raise SettingsError(
            "\n".join([f"The strategy {source} cannot be had whole; nothing was saved.", *texts]),
            code="stored_not_whole",
            place=source,
            faults=each("stored_not_whole", texts, source),
        )
    return strategy


def still_whole(version: Version) -> Strategy:
    """The strategy of a version that is to be planned by; raises SettingsError where it no longer
    can be: a plugin is gone, or a later Steelyard reads its text otherwise.
    """
    return standing_alone(version.toml, version.name, f"{version.name} v{version.version}", None)


def draft_of(
    name: str, text: str, strategy: Strategy, title: str | None, description: str | None
) -> Draft:
    """What becomes a version; the description is the text's own where nothing is said."""
    about = strategy.description if description is None else description
    return Draft(
        name=name,
        title=title or "",
        description=about or None,
        toml=text,
        rules_sha256=strategy.sha256,
    )


def exported(version: Version) -> str:
    """A version as a file that an import reads: its text, and what is said of it."""
    values: dict[str, str | int] = {
        "name": version.name,
        "title": version.title,
        "description": version.description,
        "version": version.version,
        "created_at": version.created_at.isoformat(),
        "created_by": version.created_by,
        "rules_sha256": version.rules_sha256,
    }
    return together(version.toml, values)


def refuse_followed(connection: Connection, draft: Draft, source: str, mend: str) -> None:
    """Raise InputError where buckets follow the name and would plan otherwise.

    What is imported must not change what a bucket plans by because it happens to have that name.
    source   what is imported, for people
    mend     what to do instead
    """
    name = draft.name
    buckets = followers_in(connection, name)
    if not buckets or version_in(connection, name).rules_sha256 == draft.rules_sha256:
        return
    several = len(buckets) > 1
    who = f"the bucket{'s' * several} {', '.join(buckets)} follow{'s' * (not several)} it"
    raise InputError(
        f"A strategy {name} is stored, {who} and would plan by {source} from now on. Nothing was "
        f"saved. {mend}",
        code="import_over_followed",
        place=source,
        value=name,
        limit=", ".join(buckets),
        hint="give another name",
    )


def name_of(metadata: Mapping[str, Any], text: str, stem: str) -> str:
    """The name that a file gives its strategy: in its metadata, in its text, else its own.

    Raises InputError where that cannot be a name.
    """
    exact = metadata.get("name")
    if isinstance(exact, str) and NAME.fullmatch(exact):
        return exact
    own = document(text, stem).values.get("name")
    for candidate in (exact, own, stem):
        plain = re.sub(r"[^A-Za-z0-9_\-]+", "_", str(candidate or "")).strip("_-").lower()
        if NAME.fullmatch(plain):
            return plain
    raise InputError(
        f"No name can be made of {stem!r}. Nothing was saved. Give one: --name N",
        code="no_strategy_name",
        place="--name",
        value=stem,
        hint="give one: --name N",
    )


def clone(
    store: Store, old: Version, name: str, *, title: str | None = None, by: str = USER
) -> Saved:
    """A copy under a name that is free; raises InputError where it is not."""
    with store.writing() as transaction:
        return clone_in(transaction, old, name, title=title, by=by)


def clone_in(
    transaction: Transaction, old: Version, name: str, *, title: str | None, by: str
) -> Saved:
    """As `clone`, within a transaction."""
    refuse_taken(transaction.connection, name)
    draft = Draft(
        name=name,
        title=title or old.title,
        description=old.description,
        toml=old.toml,
        rules_sha256=old.rules_sha256,
    )
    return append(transaction, draft, by=by, reason=f"clone of {old.name} v{old.version}")


def refuse_taken(connection: Connection, name: str) -> None:
    """Raise InputError for a name that a strategy has, or that none may have."""
    check_name(name)
    if name in names(connection):
        raise InputError(
            f"There is a strategy {name} already. Nothing was saved. Choose another name.",
            code="strategy_is_there",
            place="NEW",
            value=name,
            hint="choose another name",
        )


def same_is_active(transaction: Transaction, draft: Draft) -> bool:
    """Is the active version of the name already this text under this title?"""
    try:
        active = version_in(transaction.connection, draft.name)
    except NotStored:
        return False
    return active.toml == draft.toml and draft.title in {"", active.title}
