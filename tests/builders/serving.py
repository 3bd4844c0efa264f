"""The services, as they run: processes on free ports, with a home of their own.

    with serving(tmp_path, evaluators=2) as served:
        served.kill("evaluator", 0)
        served.ask("GET", served.url("coordinator") + "/coordinator/health")

A process that is killed stays dead: nobody watches here. Start as few as the test needs.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import httpx2

from steelyard.services.house import House
from steelyard.services.running.serving import Household
from steelyard.services.security.tokens import own_token
from steelyard.services.topology import NAMES, Name, Topology

WAIT_S = 30.0


@dataclass(frozen=True)
class Served:
    """What runs: its processes, who listens where, and the token that its home has."""

    household: Household
    house: House
    token: str

    @property
    def topology(self) -> Topology:
        """With the ports that were free."""
        return self.household.topology

    def url(self, name: Name, index: int = 0) -> str:
        """Of one instance, without a path."""
        return f"http://127.0.0.1:{self.household.member(name, index).port}"

    def pid(self, name: Name, index: int = 0) -> int:
        """Of one instance."""
        return self.household.member(name, index).pid

    def ask(self, method: str, url: str, **more: Any) -> httpx2.Response:
        """One request with the token."""
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return httpx2.request(method, url, headers=headers, timeout=WAIT_S, **more)

    def kill(self, name: Name, index: int = 0) -> None:
        """End one at once, as a machine does that loses its power."""
        self.signal(signal.SIGKILL, name, index)
        self.household.member(name, index).process.join(WAIT_S)

    def signal(self, number: signal.Signals, name: Name, index: int = 0) -> None:
        """SIGSTOP makes one half-open, SIGCONT ends that."""
        os.kill(self.pid(name, index), number)


def afresh() -> None:
    """The next services say what they say where this process does by now.

    What they split off from was started with the first of them, and says it where that one did.
    """
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


@contextmanager
def serving(
    home: Path,
    *,
    names: tuple[Name, ...] = NAMES,
    evaluators: int = 3,
    topology: Topology | None = None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """These services, each healthy, so many evaluators among them."""
    own = {**os.environ, "STEELYARD_HOME": str(home), **(variables or {})}
    house = House(own)
    token = own_token(house)
    ports = {name: [0] * (evaluators if name == "evaluator" else 1) for name in names}
    with Household(ports, topology or Topology(), own) as household:
        house.topology = household.topology
        try:
            yield Served(household, house, token)
        finally:
            house.close()
