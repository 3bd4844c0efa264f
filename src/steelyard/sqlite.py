"""How every SQLite file of ours is opened: its journal and how it syncs, by the library's version.

Write-ahead journals of 3.7.0 to 3.51.2 may lose a reset between processes and so damage the file
(mended in 3.51.3): libraries of these versions keep a rollback journal and sync more.
"""

from __future__ import annotations

WAL_SINCE = (3, 51, 3)
PRAGMAS = (
    "foreign_keys=ON",
    "mmap_size=0",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "journal_size_limit=67108864",
)


def journal(version: tuple[int, ...]) -> tuple[str, str]:
    """(journal_mode, synchronous) for a version of the library.

    >>> journal((3, 40, 1)), journal((3, 51, 3))
    (('DELETE', 'EXTRA'), ('WAL', 'FULL'))
    """
    return ("WAL", "FULL") if version >= WAL_SINCE else ("DELETE", "EXTRA")


def pragmas(version: tuple[int, ...]) -> tuple[str, ...]:
    """What a connection is told first."""
    mode, sync = journal(version)
    return (*PRAGMAS, f"journal_mode={mode}", f"synchronous={sync}")
