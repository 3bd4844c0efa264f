"""What was typed and handed over on the import page and is not loaded yet: nothing is asked twice.

A draft is a file of its own in $STEELYARD_HOME/drafts that only its owner reads, under a name that
nobody guesses, and only the session that made it is shown it. It goes when it is loaded, when its
session signs out, after a day (at the next look at the import page), and when there are too many.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from pydantic import Base64Bytes, BaseModel

from steelyard.errors import InputError, NotStored, SettingsError, StoreError
from steelyard.services.house import House
from steelyard.services.security.callers import Caller
from steelyard.services.security.limits import MIB
from steelyard.services.security.private import write_private
from steelyard.web.forms import FIELD, Form, Sent

FOLDER = "drafts"
ID = re.compile(r"[0-9a-f]{32}")
ID_BYTES = 16
OWNER_DIGITS = 12
LIVES = timedelta(days=1)
MOST = 16
"""Drafts that are kept, the newest."""
MOST_BYTES = 32 * MIB
"""Of all files of one."""
USUAL_LINES = 50_000
MOST_LINES = {"prices": 400_000}
"""Of a file of a draft; 500 securities have so many prices in three years."""
LONGEST_NAME = 120
"""Signs of a file's name that are kept."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Fields and files of the import page, as they were sent last; by: whose they are."""

    id: str
    by: str
    fields: Mapping[str, str]
    files: Mapping[str, Sent]

    def text(self, name: str) -> str:
        """A field without the space around it."""
        return self.fields.get(name, "").strip()

    @property
    def has_targets(self) -> bool:
        """Was a table of targets handed over or pasted?"""
        return "targets" in self.files or bool(self.text("targets_text"))

    def named(self, prefix: str) -> dict[str, str]:
        """The fields of a prefix that say something, without it."""
        return {
            name.removeprefix(prefix): value.strip()
            for name, value in self.fields.items()
            if name.startswith(prefix) and value.strip()
        }


def new_id() -> str:
    """A name that nobody guesses."""
    return secrets.token_hex(ID_BYTES)


def of_form(house: House, form: Form, draft_id: str) -> Draft:
    """The draft after a form was sent: its fields, and files beside those of before; kept.

    Raises InputError for too much, NotStored, StoreError where it cannot be written; blocks.
    """
    before = open_draft(house, form.by, draft_id) if form.text("draft") else None
    files = {**(before.files if before else {}), **dict(_named(form.files))}
    for name in form.named("drop."):
        files.pop(name, None)
    size = sum(len(file.content) for file in files.values())
    if size > MOST_BYTES:
        raise InputError(
            f"The files have {size:,} bytes together, and {MOST_BYTES:,} are the most. They were "
            "not kept. Give smaller ones; steelyard bucket load reads larger ones.",
            code="draft_too_large",
            place="files",
            value=size,
            limit=MOST_BYTES,
            hint="give smaller files",
        )
    for name, file in files.items():
        _check_lines(name, file)
    fields = {name: text for name, text in form.fields.items() if name not in {FIELD, "draft"}}
    if "targets" in form.files or _pasted_anew(fields, before):
        # who hands over targets means them, whatever was chosen before there were any
        fields["aims"] = "file"
    draft = Draft(draft_id, form.by.token_id, fields, files)
    _keep(house, draft)
    return draft


def _check_lines(name: str, file: Sent) -> None:
    """Raise InputError for a table that would keep this machine busy for long."""
    lines, most = file.content.count(b"\n"), MOST_LINES.get(name, USUAL_LINES)
    if lines > most:
        raise InputError(
            f"{file.name[:LONGEST_NAME]} has {lines:,} lines, and {most:,} are the most here. It "
            "was not kept and nothing was loaded. Give a shorter one; steelyard bucket load reads "
            "longer ones.",
            code="draft_too_long",
            place=f"--{name}",
            value=lines,
            limit=most,
            hint="give a shorter file",
        )


def open_draft(house: House, caller: Caller, draft_id: str) -> Draft:
    """A draft of a caller; raises NotStored; blocks."""
    kept = _read(_path(house, caller.token_id, draft_id)) if ID.fullmatch(draft_id) else None
    if kept is None or kept.by != caller.token_id:
        raise NotStored(
            "What was handed over is not here any more: it is kept for a day, for the session "
            "that brought it. Nothing was loaded. Choose the file again: /import",
            code="draft_gone",
            place="draft",
            hint="choose the file again",
        )
    files = {name: Sent(entry.name, entry.content) for name, entry in kept.files.items()}
    return Draft(draft_id, kept.by, kept.fields, files)


class _File(BaseModel):
    """A file of a draft, as it is kept."""

    name: str
    content: Base64Bytes


class _Kept(BaseModel):
    """A draft, as it is kept."""

    by: str
    fields: dict[str, str]
    files: dict[str, _File]


def _read(path: Path) -> _Kept | None:
    """None where it is gone, or nobody can read it."""
    try:
        return _Kept.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None


def drop(house: House, draft: Draft) -> None:
    """Remove a draft; blocks."""
    _path(house, draft.by, draft.id).unlink(missing_ok=True)


def drop_of(house: House, caller: Caller) -> None:
    """Remove what a session brought and did not load; blocks."""
    for path in (house.home / FOLDER).glob(f"{_owner(caller.token_id)}-*.json"):
        path.unlink(missing_ok=True)


def _pasted_anew(fields: Mapping[str, str], before: Draft | None) -> bool:
    text = fields.get("targets_text", "").split()
    return bool(text) and (before is None or text != before.text("targets_text").split())


def _keep(house: House, draft: Draft) -> None:
    files = {
        name: {"name": file.name, "content": base64.b64encode(file.content).decode()}
        for name, file in draft.files.items()
    }
    content = {"by": draft.by, "fields": dict(draft.fields), "files": files}
    try:
        write_private(_path(house, draft.by, draft.id), json.dumps(content))
    except SettingsError as error:
        raise StoreError(
            f"What was handed over could not be kept in {house.home / FOLDER}: "
            f"{error.fault.value}. Nothing was loaded. Mend that, and hand it over again.",
            code="draft_not_kept",
            place=FOLDER,
            value=error.fault.value,
            hint="make room on the disk, or let this folder be written",
        ) from error
    prune(house)


def prune(house: House) -> None:
    """Remove what is older than a day, and all but the newest; blocks."""
    folder = house.home / FOLDER
    oldest = (house.utc() - LIVES).timestamp()
    aged = sorted(((_written(path), path) for path in folder.glob("*.json")), reverse=True)
    for place, (at, path) in enumerate(aged):
        if place >= MOST or at < oldest:
            path.unlink(missing_ok=True)


def _named(files: Mapping[str, Sent]) -> Iterable[tuple[str, Sent]]:
    """Files under their own names, without a folder."""
    for name, file in files.items():
        bare = re.split(r"[\\/]", file.name)[-1][:LONGEST_NAME]
        yield name, replace(file, name=bare or name)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another request removed it
        return 0.0


def _path(house: House, by: str, draft_id: str) -> Path:
    return house.home / FOLDER / f"{_owner(by)}-{draft_id}.json"


def _owner(by: str) -> str:
    return hashlib.sha256(by.encode()).hexdigest()[:OWNER_DIGITS]
