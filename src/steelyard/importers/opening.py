"""A path to its content, block by block: what every file goes through before anyone looks inside.

A file is looked at before it is opened, refused by its size before it is read, and gzip is unpacked
as it is read, up to the first byte over the limit.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from pathlib import Path

from steelyard.errors import InputError
from steelyard.importers.limits import FileLimits
from steelyard.importers.memory import Memory
from steelyard.importers.values import NOTHING

BLOCK = 64 * 1024
"""Bytes that are read, and unpacked, at a time."""
GZIP_MAGIC = b"\x1f\x8b"
Where = Path | Memory
"""Where a table is: in a file, or in an argument."""
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def blocks(path: Where, limits: FileLimits, limit: str) -> Iterator[bytes]:
    """The content of a regular file, gzip unpacked; none of the blocks is empty.

    limit   field of `limits` that its plain and its unpacked size may reach
    Raises InputError for what is no file, is empty, damaged or a spreadsheet, LimitExceeded for one
    that is too large.
    """
    raw = _raw(path, limits, limit)
    first = next(raw, b"")
    if first.startswith(GZIP_MAGIC):
        content = _unpacked(first, raw, path)
        first = next(content, b"")
    else:
        content = raw
    if first.startswith(SPREADSHEETS):
        advice = "Save it as CSV (UTF-8) and give that file."
        raise InputError(
            f"{path} is a spreadsheet, not CSV. {NOTHING} {advice}",
            code="spreadsheet",
            place=str(path),
            hint=advice,
        )
    size = len(first)
    while first:
        if size > getattr(limits, limit):
            what = f"unpacks to more than {getattr(limits, limit):,} bytes"
            raise limits.exceeded(limit, str(path), what)
        yield first
        first = next(content, b"")
        size += len(first)
    if not size:
        raise empty(path)


def empty(path: Where) -> InputError:
    """The error of a file with nothing in it."""
    advice = "Give a CSV file with a header line."
    return InputError(f"{path} is empty. {NOTHING} {advice}", code="empty", place=str(path))


def _raw(path: Where, limits: FileLimits, limit: str) -> Iterator[bytes]:
    if isinstance(path, Memory):
        content = path.content
        if len(content) > getattr(limits, limit):
            raise limits.exceeded(limit, str(path), f"has {len(content):,} bytes", len(content))
        yield from (content[at : at + BLOCK] for at in range(0, len(content), BLOCK))
        return
    try:
        # looked at before it is opened: opening a FIFO would wait forever
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise InputError(
                f"{path} is {kind}. {NOTHING} Give a CSV file.",
                code="no_regular_file",
                place=str(path),
                value=kind,
                hint="give a CSV file",
            )
        if status.st_size > getattr(limits, limit):
            what = f"has {status.st_size:,} bytes"
            raise limits.exceeded(limit, str(path), what, status.st_size)
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist. {NOTHING} Check the path.",
            code="no_file",
            place=str(path),
            hint="check the path",
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{path} could not be read: {reason}. {NOTHING}",
            code="unreadable_file",
            place=str(path),
            value=reason,
        ) from error


def _unpacked(first: bytes, rest: Iterator[bytes], path: Where) -> Iterator[bytes]:
    """The content of one gzip stream, never more than a block at a time."""
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    packed, after = first, b""
    while packed:
        try:
            piece = unpack.decompress(packed, BLOCK)
        except zlib.error as error:
            raise InputError(
                f"{path} is damaged gzip: {error}. {NOTHING}",
                code="bad_gzip",
                place=str(path),
                value=error,
            ) from error
        if piece:
            yield piece
        if unpack.eof:
            after = unpack.unused_data or next(rest, b"")
            break
        packed = unpack.unconsumed_tail or next(rest, b"")
    if not unpack.eof:
        raise InputError(
            f"{path} is damaged gzip: it ends too early. {NOTHING}",
            code="bad_gzip",
            place=str(path),
        )
    while after:
        if after.strip(b"\0"):
            advice = "Unpack it and give the CSV file."
            raise InputError(
                f"{path} holds more than one gzip stream. {NOTHING} {advice}",
                code="several_gzip_streams",
                place=str(path),
                hint=advice,
            )
        after = next(rest, b"")
