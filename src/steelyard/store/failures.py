"""What a database says, in words that help: which file, what has not happened, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from steelyard.errors import InputError, StoreError

LONGEST_REASON = 300
"""Characters of what the driver says."""


class Failure(NamedTuple):
    """A kind of failure: what the driver says of it, and what it means."""

    code: str
    signs: tuple[str, ...]
    what: str
    mend: str


UNREACHABLE = Failure(
    "store_unreachable",
    ("unable to open database file", "Can't create a connection", "Connection refused",
     "network error", "connection is closed", "28P01", "28000", "3D000", "57P01", "57P03"),
    "it cannot be opened",
    "Check the path, or the URL in STEELYARD_DATABASE and that its server runs.",
)  # fmt: skip
FAILURES = (
    Failure(
        "store_locked",
        ("database is locked", "database table is locked", "lock timeout", "55P03",
         "another process has held"),
        "another process is writing to it, and did not end in time",
        "Try again; if it stays so, find the process that holds the file.",
    ),
    Failure(
        "store_read_only",
        ("readonly database", "read-only", "Read-only", "25006"),
        "it cannot be written to",
        "Make the file and its folder writable for this user, or name another with "
        "STEELYARD_DATABASE.",
    ),
    Failure(
        "store_full",
        ("disk is full", "disk full", "53100", "No space left"),
        "the disk is full",
        "Make room on the disk and do it again.",
    ),
    Failure(
        "store_disk",
        ("disk I/O error", "Input/output error", "File too large", "quota exceeded"),
        "the disk did not take or give what was asked of it",
        "Make room, look at quotas and at the disk itself, and do it again. The file was left as "
        "it is.",
    ),
    Failure(
        "store_damaged",
        ("not a database", "malformed", "corrupt", "decode", "no such table", "no such column",
         "XX001", "XX002"),
        "it is damaged, or no database",
        "Restore a backup with: steelyard db restore F. The file was left as it is.",
    ),
    UNREACHABLE,
)  # fmt: skip
OTHER = Failure(
    "store_failed",
    (),
    "it refused what was to be written or read",
    "This should not happen: steelyard health says more; a backup is made with steelyard db "
    "backup F.",
)


@contextmanager
def explained(place: str, nothing: str) -> Iterator[None]:
    """Turn what the driver raises into a StoreError.

    place     the file or the URL, for people
    nothing   what has not happened
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise failure(place, nothing, error) from error
    except UnicodeEncodeError as error:
        raise _no_text(nothing, error) from error
    except (OSError, UnicodeDecodeError) as error:  # the driver reads messages as UTF-8
        raise failure(place, nothing, error) from error


def only_text(_: object, __: object, ___: str, parameters: Any, *____: object) -> None:
    """Before a statement runs: a driver that fails over its parameters leaves a broken connection.

    Raises UnicodeEncodeError, which `explained` explains.
    """
    rows = parameters if isinstance(parameters, list) else [parameters]
    for row in rows:
        for value in row.values() if isinstance(row, dict) else row:
            if isinstance(value, str):
                value.encode()


def _no_text(nothing: str, error: UnicodeEncodeError) -> InputError:
    return InputError(
        f"{error.object[:LONGEST_REASON]!a} is no text: its character {error.start + 1} was "
        f"no UTF-8. {nothing} Type it again.",
        code="no_text",
        value=ascii(error.object),
        limit="UTF-8",
        hint="type it again",
    )


UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError)
"""What a cell raises that is not what its column has."""


@contextmanager
def row_of(table: str) -> Iterator[None]:
    """Turn what a row raises whose cells are not what was written into a StoreError."""
    try:
        yield
    except UNREADABLE as error:
        mend = "Restore a backup with: steelyard db restore F. The file was left as it is."
        reason = " ".join(str(error).split())[:LONGEST_REASON]
        raise StoreError(
            f"The database is damaged: a row of its table {table} cannot be read ({reason}). "
            f"Nothing was written. {mend}",
            code="store_damaged",
            place=table,
            value=reason,
            hint=mend,
        ) from error


def failure(place: str, nothing: str, error: Exception) -> StoreError:
    """The StoreError of what a driver or the system raised."""
    cause = getattr(error, "orig", None) or error
    reason = " ".join(str(cause).split())[:LONGEST_REASON]
    other = UNREACHABLE if isinstance(error, OSError) else OTHER
    kind = next((kind for kind in FAILURES if any(s in reason for s in kind.signs)), other)
    return StoreError(
        f"The database {place} is not usable: {kind.what} ({reason}). {nothing} {kind.mend}",
        code=kind.code,
        place=place,
        value=reason,
        hint=kind.mend,
    )
