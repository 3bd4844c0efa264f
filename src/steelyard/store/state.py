"""Was a SQLite file changed? One look at it, without reading any of it.

SQLite tells a connection of every change that another one commits, in whatever process; one that
does nothing but ask so hears of all of them. A restore puts another file in the place, which has
another inode.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

BUSY_SECONDS = 1.0

Seen = tuple[int, int]
"""Which of the files in that place, and SQLite's number of its state."""
ABSENT: Seen = 0, 0
"""There is no file yet."""


@dataclass
class State:
    """Of the database at a path; None = a server's, of which nothing is told. Threads may share it.

    Two equal answers of `now`: nothing was changed in between.
    """

    path: Path | None
    _opened: sqlite3.Connection | None = field(default=None, repr=False)
    _file: tuple[int, int] = (0, 0)
    _files: int = 0
    _turn: Lock = field(default_factory=Lock, repr=False)

    def now(self) -> Seen | None:
        """The state of this moment; None where it cannot be told."""
        if self.path is None:
            return None
        with self._turn, suppress(OSError, sqlite3.Error):
            try:
                status = self.path.stat()
            except FileNotFoundError:
                return ABSENT
            file = status.st_dev, status.st_ino
            if self._opened is None or file != self._file:
                self._opened = self._open(self.path, file)
            with closing(self._opened.execute("PRAGMA data_version")) as cursor:
                return self._files, int(cursor.fetchone()[0])
        return None

    def close(self) -> None:
        """Let go of the file."""
        with self._turn:
            self._close()

    def _open(self, path: Path, file: tuple[int, int]) -> sqlite3.Connection:
        self._close()
        self._file, self._files = file, self._files + 1
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
