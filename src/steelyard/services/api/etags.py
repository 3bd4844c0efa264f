"""ETags: what a resource is, so that two who change it at once do not undo each other's change.

If-Match on a write: it is done only to what has that tag. If-None-Match `*`: only where there is
nothing yet. If-None-Match on a read: 304 where nothing has changed.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import Header

from steelyard.errors import NotMatched
from steelyard.store.assignments import Assignment
from steelyard.store.strategies import Version

LONGEST = 2000
ANY = "*"
DIGITS = 32

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "As who asks has it."}}

IfMatch = Annotated[str | None, Header(max_length=LONGEST)]
IfNoneMatch = Annotated[str | None, Header(max_length=LONGEST)]


def etag(*parts: object) -> str:
    """A strong tag of what identifies a state."""
    text = "\n".join(map(repr, parts))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}"'


def of_name(active: Version | None) -> str | None:
    """Of a configuration's name: its active version; None where there is none."""
    return None if active is None else etag("config", active.id, active.sha256)


def of_assignment(bucket: str, follows: Assignment | None, version: Version | None) -> str:
    """Of what a bucket plans by, and whether it stays with it."""
    state = None if follows is None else (follows.version, follows.assigned_at.isoformat())
    return etag("assigned", bucket, state, None if version is None else version.id)


def check(current: str | None, if_match: str | None, if_none_match: str | None = None) -> None:
    """Raise NotMatched where a write was asked of another state than this; None = not there."""
    if if_match is not None and not _names(if_match, current):
        raise _changed("If-Match", if_match, current)
    if if_none_match is not None and _names(if_none_match, current):
        raise _changed("If-None-Match", if_none_match, current)


def is_same(current: str, if_none_match: str | None) -> bool:
    """Has who reads this state already? Weak tags are compared as strong ones here."""
    return if_none_match is not None and _names(if_none_match.replace("W/", ""), current)


def _names(header: str, current: str | None) -> bool:
    tags = {tag.strip() for tag in header.split(",")}
    return current is not None and (ANY in tags or current in tags)


def _changed(header: str, asked: str, current: str | None) -> NotMatched:
    state = "there is nothing" if current is None else f"it is {current}"
    return NotMatched(
        f"{header} asks for {asked}, and {state} by now. Nothing was changed. Read it again, see "
        "what became of it, and send your change with its new ETag.",
        code="etag_differs",
        place=header,
        value=asked,
        limit=current,
        hint="read it again and send the change with its new ETag",
    )
