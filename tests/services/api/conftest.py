"""The management API over a SQLite file of its own, and what tests ask it with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from builders.management import TOKEN, Asking, load_own
from steelyard.services.api import ROUTERS
from steelyard.services.app import app_of
from steelyard.services.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty home, and a core with two securities."""
    own = House({"STEELYARD_HOME": str(tmp_path / "home"), "STEELYARD_TOKEN": TOKEN})
    load_own(own.store(), tmp_path)
    yield own
    own.close()


@pytest.fixture
def app(house: House) -> FastAPI:
    """The management API alone."""
    return app_of("Steelyard api", ROUTERS, house)


@pytest.fixture
def api(app: FastAPI) -> Asking:
    """Asks it, as who may do everything."""
    return Asking(TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False))
