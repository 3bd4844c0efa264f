"""A stored strategy edited: saved only over the version that the draft was made from."""

from __future__ import annotations

from dataclasses import dataclass

from steelyard.errors import ChangedMeanwhile, InputError
from steelyard.store.exchange import draft_of, refuse_taken
from steelyard.store.store import Store
from steelyard.store.strategies import Version, append, version_in
from steelyard.strategies import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What is to become the next version.

    strategy   of the text, valid
    base       number of the version that the text was made from
    title      "" = as before
    """

    name: str
    text: str
    strategy: Strategy
    base: int
    title: str = ""
    reason: str = ""


def save_edited(store: Store, edited: Edited, by: str) -> Version:
    """Append it as the active version.

    Raises ChangedMeanwhile where another version was saved since, InputError where nothing is
    another.
    """
    name = edited.name
    with store.writing() as transaction:
        before = version_in(transaction.connection, name)
        if before.version != edited.base:
            raise ChangedMeanwhile(
                f"Version {before.version} of {name} was saved by {before.created_by} since you "
                f"opened version {edited.base}. Nothing of yours was saved, and nothing of it is "
                "lost. Look at the difference, then save again or take it over first.",
                code="edited_meanwhile",
                place="base",
                value=edited.base,
                limit=before.version,
                hint="look at the difference, then save again",
            )
        if before.toml == edited.text and edited.title in {"", before.title}:
            raise InputError(
                f"Nothing is changed: version {before.version} of {name} is this text already. "
                "Nothing was saved. Change a setting first.",
                code="nothing_edited",
                place="toml",
                hint="change a setting first",
            )
        draft = draft_of(name, edited.text, edited.strategy, edited.title, None)
        return append(transaction, draft, by=by, reason=edited.reason, parent=edited.base).version


def save_new(store: Store, edited: Edited, by: str) -> Version:
    """Append the first version of a name that is free; raises InputError where it is not."""
    with store.writing() as transaction:
        refuse_taken(transaction.connection, edited.name)
        draft = draft_of(edited.name, edited.text, edited.strategy, edited.title, None)
        return append(transaction, draft, by=by, reason=edited.reason).version
