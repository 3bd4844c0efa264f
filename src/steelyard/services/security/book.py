"""The tokens that were created: a file of their hashes, `tokens.json`, which only its owner reads.

A token is 256 random bits and is printed once. What is kept is its SHA-256: no salt, because nobody
guesses 256 bits. One that is revoked stays in the file for as long as it would have lived, so that
who still sends it is told so and is not taken for somebody who guesses.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from steelyard.errors import InputError, NotStored, SettingsError, did_you_mean
from steelyard.services.security.callers import Role
from steelyard.services.security.private import read_private, write_private
from steelyard.telemetry.health import locked

FILE = "tokens.json"
LOCK = "tokens.lock"
PREFIX = "sy_"
"""How every token begins, so that a scanner for secrets knows it."""
SECRET_BYTES = 32
MOST_TOKENS = 1000
FORGOTTEN = timedelta(days=90)
"""After its end, a token is dropped from the file."""
State = Literal["valid", "expired", "revoked"]


class Entry(BaseModel):
    """A token: everything but itself. `last4` are its last signs, to tell it from others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    role: Role
    created_at: AwareDatetime
    expires_at: AwareDatetime
    last4: Annotated[str, Field(max_length=4)]
    revoked_at: AwareDatetime | None = None

    def state(self, now: datetime) -> State:
        """What it is worth."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if now < self.expires_at else "expired"


class _Book(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    tokens: tuple[Entry, ...] = ()


def new_secret() -> str:
    """A token that nobody has."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def entries(home: Path) -> tuple[Entry, ...]:
    """Every token of a folder, oldest first; raises SettingsError."""
    path = home / FILE
    try:
        return _Book.model_validate_json(read_private(path)).tokens
    except FileNotFoundError:
        return ()
    except ValidationError as error:
        raise SettingsError(
            f"{path} is no file of tokens. Nobody is let in. Remove it and create tokens anew.",
            code="tokens_unreadable",
            place=str(path),
            hint="remove it and create tokens anew",
        ) from error


def create(home: Path, role: Role, days: int, now: datetime) -> tuple[str, Entry]:
    """A new token and its entry; raises SettingsError, InputError."""
    secret = new_secret()
    entry = Entry(
        id=secrets.token_hex(4),
        sha256=digest(secret),
        role=role,
        created_at=now.astimezone(UTC).replace(microsecond=0),
        expires_at=now.astimezone(UTC).replace(microsecond=0) + timedelta(days=days),
        last4=secret[-4:],
    )
    _change(home, now, lambda tokens: (*_with_room(tokens), entry))
    return secret, entry


def revoke(home: Path, token_id: str, now: datetime) -> Entry:
    """End a token; a running service knows at its next request. Raises NotStored, SettingsError."""
    moment = now.astimezone(UTC).replace(microsecond=0)

    def revoked(tokens: tuple[Entry, ...]) -> tuple[Entry, ...]:
        if token_id not in {entry.id for entry in tokens}:
            raise _not_there(token_id, tokens)
        return tuple(
            entry.model_copy(update={"revoked_at": entry.revoked_at or moment})
            if entry.id == token_id
            else entry
            for entry in tokens
        )

    return next(entry for entry in _change(home, now, revoked) if entry.id == token_id)


def _change(
    home: Path, now: datetime, change: Callable[[tuple[Entry, ...]], tuple[Entry, ...]]
) -> tuple[Entry, ...]:
    """Change the file, alone; the tokens that are in it now."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with locked(home / LOCK):
            recent = tuple(each for each in entries(home) if now < each.expires_at + FORGOTTEN)
            changed = change(recent)
            text = _Book(tokens=changed).model_dump_json(indent=1)
            write_private(home / FILE, text + "\n")
            return changed
    except TimeoutError as error:
        raise SettingsError(
            f"The file of tokens is in use: {error.strerror}. Nothing was changed.",
            code="tokens_in_use",
            place=str(home / LOCK),
            hint="try again",
        ) from error


def _with_room(tokens: tuple[Entry, ...]) -> tuple[Entry, ...]:
    if len(tokens) < MOST_TOKENS:
        return tokens
    raise InputError(
        f"There are {len(tokens)} tokens, and {MOST_TOKENS} are the most. Nothing was created. "
        f"Remove {FILE}, which revokes them all, and create those that are needed.",
        code="too_many_tokens",
        place=FILE,
        value=len(tokens),
        limit=MOST_TOKENS,
    )


def _not_there(token_id: str, tokens: tuple[Entry, ...]) -> NotStored:
    near = did_you_mean(token_id, [entry.id for entry in tokens])
    return NotStored(
        f"There is no token {token_id!r}.{near} Nothing was revoked. Ids are in: steelyard token "
        "list",
        code="no_such_token",
        place="ID",
        value=token_id,
        hint=near.strip() or "steelyard token list",
    )
