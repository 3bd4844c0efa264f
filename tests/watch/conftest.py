"""A small stored bucket with targets, most of its weights out of their bands, and a clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders.stored import planned
from steelyard.store import plans
from steelyard.store.opening import open_store
from steelyard.store.store import Store
from steelyard.watch import board, scheduler
from steelyard.watch.look import Looked
from steelyard.watch.schedule import of_values

BASE = "http://127.0.0.1:8011"
TUESDAY = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@dataclass
class Watched:
    """A stored bucket `core`, and the time, which stands still until it is moved."""

    home: Path
    store: Store
    now: datetime = TUESDAY

    def at(self, text: str) -> Watched:
        """Move the clock, UTC."""
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return self

    def later(self, **more: float) -> Watched:
        """Move the clock on."""
        self.now += timedelta(**more)
        return self

    def due(self, **values: object) -> None:
        """Give the bucket a schedule."""
        board.put_schedule(self.store, "core", of_values(values))

    def look(self) -> Looked:
        """What comes of a look."""
        looked = scheduler.once(self.store, os.environ, BASE, print)
        assert looked is not None
        return looked

    def plans(self) -> int:
        """How many are stored, but for the first."""
        return len(plans.listed(self.store, bucket="core")) - 1


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the bucket and a plan of it."""
    folder = tmp_path_factory.mktemp("watched")
    planned(folder)
    return folder / "home"


@pytest.fixture
def home(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the home of this test."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "steelyard.db").write_bytes((prepared / "steelyard.db").read_bytes())
    monkeypatch.setenv("STEELYARD_HOME", str(home))
    return home


@pytest.fixture
def watched(home: Path) -> Iterator[Watched]:
    """The bucket, with a clock of its own."""
    clock = Watched.__new__(Watched)
    store = open_store(str(home / "steelyard.db"), now=lambda: clock.now)
    clock.__init__(home, store)  # type: ignore[misc]
    yield clock
    store.close()
