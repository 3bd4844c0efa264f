"""Which code makes plans, as one hash."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import steelyard


@cache
def code_sha256() -> str:
    """Hash of every source file of the package."""
    package = Path(str(steelyard.__file__)).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
