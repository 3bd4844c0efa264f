"""One server for all journeys: the bundled portfolio as a bucket, its plan, a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser

from builders.browser import Site, chromium, running, seeded


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium."""
    with chromium() as own:
        yield own


class Seeded(NamedTuple):
    """Pages of a home with a bucket `core`, and its plan."""

    site: Site
    plan_id: str


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """The bundled portfolio, planned, on a server; journeys use buckets of their own to change."""
    home = tmp_path_factory.mktemp("served")
    plan_id = seeded(home)
    with running(home) as site:
        yield Seeded(site, plan_id)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A home without anything in it, on a server."""
    with running(tmp_path_factory.mktemp("empty")) as site:
        yield site
