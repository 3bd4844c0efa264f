"""Pages over a SQLite file of their own, and somebody who is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.browsing import Visitor, signed_in
from builders.management import TOKEN, load_own
from steelyard.services.house import House
from steelyard.services.security.limits import Limits
from steelyard.services.topology import Topology


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A home with a core of two securities."""
    own = House(
        {"STEELYARD_HOME": str(tmp_path / "home"), "STEELYARD_TOKEN": TOKEN},
        topology=Topology(limits=Limits(requests_per_second=1e6, burst=10**6)),
    )
    load_own(own.store(), tmp_path)
    yield own
    own.close()


@pytest.fixture
def visitor(house: House) -> Iterator[Visitor]:
    """The owner's browser, without scripts."""
    with signed_in(house) as someone:
        yield someone
