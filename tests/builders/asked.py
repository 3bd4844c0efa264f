"""A service asked in this process: a house of a folder, its tokens, and clients that hold one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from steelyard.services.app import app_of
from steelyard.services.house import House
from steelyard.services.security.book import create
from steelyard.services.security.callers import Role
from steelyard.services.security.limits import Limits
from steelyard.services.topology import Topology

PORT = 8011
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that a test moves on, in both its forms."""

    passed: float = 0.0

    def utc(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def seconds(self) -> float:
        return self.passed


@dataclass
class Desk:
    """An application in a house of its own, and clients of every role."""

    home: Path
    application: Callable[[House], FastAPI]
    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=Clock)
    port: int = PORT
    app: FastAPI = field(init=False)
    house: House = field(init=False)

    def __post_init__(self) -> None:
        self.house = House(
            {"STEELYARD_HOME": str(self.home)}, utc=self.clock.utc, seconds=self.clock.seconds,
            port=self.port, topology=Topology(limits=self.limits),
        )  # fmt: skip
        self.app = self.application(self.house)

    def token(self, role: Role = "viewer", days: int = 90) -> str:
        """A token of a role, just created."""
        return create(self.home, role, days, self.clock.utc())[0]

    def client(self, token: str | None = None, peer: str = "127.0.0.1", **more: Any) -> TestClient:
        """Who asks, from an address; nothing that it is answered is raised."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return TestClient(
            self.app, base_url=f"http://127.0.0.1:{PORT}", headers=headers, client=(peer, 50_000),
            raise_server_exceptions=False, follow_redirects=False, **more,
        )  # fmt: skip

    def as_role(self, role: Role, peer: str = "127.0.0.1") -> TestClient:
        """Who asks with a token of that role."""
        return self.client(self.token(role), peer)


def of_routers(*routers: APIRouter) -> Callable[[House], FastAPI]:
    """An application of some routers."""
    return lambda house: app_of("test", routers, house)


def code(response: Any) -> str:
    """The code of a refusal, which is a problem that says what has not happened."""
    document = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert document["status"] == response.status_code
    assert document["detail"].endswith("Nothing was done.")
    return str(document["errors"][0]["code"])
