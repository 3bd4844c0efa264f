"""`plan --request F`: the request of a service, planned here; the plan has the same id."""

from __future__ import annotations

import hashlib
import stat
import sys
from dataclasses import fields, replace
from pathlib import Path

import typer

from steelyard.cli.options import Inputs, Options
from steelyard.errors import InputError

STDIN = Path("-")
MAX_BYTES = 64 * 1024 * 1024


def read_request(path: Path, options: Options) -> tuple[Inputs | None, Options]:
    """What a request says to plan; of one that names a bucket the options that name it instead.

    Raises InputError for what is no request, a usage error where other options say more.
    """
    from steelyard.compat.requests import order_of
    from steelyard.importers import Inputs as Imported
    from steelyard.services.documents.request import request_of
    from steelyard.services.wire import BucketRequest

    more = [
        field.name for field in fields(Options) if getattr(options, field.name) != field.default
    ]
    if more:
        name = f"--{more[0].replace('_', '-')}"
        raise typer.BadParameter("the request says all of it.", param_hint=name)
    data = _bytes(path)
    request = request_of(_text(path, data))
    if isinstance(request, BucketRequest):
        return None, replace(options, bucket=request.bucket)
    case, assumed = order_of(request.record())
    imported = Imported(
        snapshot=case.snapshot,
        market=case.market,
        targets=case.target_weights,
        warnings=assumed,
        as_of_from="argument",
    )
    file = {
        "option": "--request",
        "name": str(path),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    inputs = Inputs(imported, case.strategy, (), files=(file,))
    return inputs, replace(options, seed=case.seed)


def _bytes(path: Path) -> bytes:
    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        elif not stat.S_ISREG(path.stat().st_mode):
            raise _unreadable(path, "is not a file")
        else:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise InputError(
            f"The request {path} has more than {MAX_BYTES:,} bytes. Nothing was planned.",
            code="request_too_large",
            place=str(path),
            limit=MAX_BYTES,
        )
    return data


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"is not UTF-8, from byte {error.start} on") from error


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        f"The request {path} {why}. Nothing was planned.",
        code="request_file_unreadable",
        place=str(path),
    )
