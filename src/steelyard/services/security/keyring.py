"""What a running service compares a token with: hashes, read again whenever a file has changed.

Two looks at a file's date for each request: a token that is revoked opens nothing from then on.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from steelyard.services.house import House
from steelyard.services.security.book import FILE, Entry, digest, entries
from steelyard.services.security.callers import Caller
from steelyard.services.security.private import read_private
from steelyard.services.security.tokens import OWN, checked, chosen_token, token_file

T = TypeVar("T")
Unusable = Literal["unknown", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose token it is, or why it is nobody's."""

    caller: Caller | None
    why: Unusable = "unknown"


class Keyring:
    """The tokens of a house."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._own = _Watched(token_file(house), _own_digest)
        self._book = _Watched(house.home / FILE, lambda path: entries(path.parent))

    def verdict(self, secret: str) -> Verdict:
        """Compare with every token, each in the same time; raises SettingsError.

        A file that others may read, or that is damaged, lets nobody in.
        """
        asked = digest(secret)
        own = hmac.compare_digest(asked, self._own_hash() or "")
        same = [
            entry for entry in self._book.value() or () if hmac.compare_digest(asked, entry.sha256)
        ]
        if own:
            return Verdict(Caller(OWN, "admin"))
        return self._of(same[0]) if same else Verdict(None)

    def _of(self, entry: Entry) -> Verdict:
        state = entry.state(self._house.utc())
        if state == "valid":
            return Verdict(Caller(entry.id, entry.role))
        return Verdict(None, state)

    def _own_hash(self) -> str | None:
        chosen = chosen_token(self._house)
        return self._own.value() if chosen is None else digest(chosen)


class _Watched(Generic[T]):
    """What a file says, read again when it is another; None where there is none."""

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        self._path, self._read = path, read
        self._seen: tuple[int, ...] | None = None
        self._value: T | None = None

    def value(self) -> T | None:
        """As of now; raises SettingsError."""
        try:
            status = self._path.lstat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode)
            if seen != self._seen:
                self._value = self._read(self._path)
                self._seen = seen
        except FileNotFoundError:
            self._seen = self._value = None
        return self._value


def _own_digest(path: Path) -> str:
    return digest(checked(read_private(path), str(path)))
