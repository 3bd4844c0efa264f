"""The database of the command line: opened where a command needs it, and not before.

Whether there is one is a look at a path: listing what is stored where nothing is loads no library
of databases and makes no file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.environment import database

if TYPE_CHECKING:
    from steelyard.store.store import Store


def is_there() -> bool:
    """Is there a database? A server's is taken to be, and one that may not be looked at."""
    place = database(os.environ)
    try:
        return "://" in place or Path(place).exists()
    except (OSError, ValueError):
        return True  # opening it says why


@cache
def run_id() -> str:
    """What the events of this process have in common."""
    return os.urandom(8).hex()


@contextmanager
def opened() -> Iterator[Store]:
    """The database, made where there is none; raises StoreError."""
    from steelyard.store.opening import open_store

    store = open_store(database(os.environ), correlation_id=run_id())
    try:
        yield store
    finally:
        store.close()
