"""What a process is to be: which service, where it may be asked from, what it has around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from steelyard.services.running.reach import LOCAL, Reach
from steelyard.services.topology import Application, Topology

MODULE = "steelyard.services.running.process"
"""What it runs."""


@dataclass(frozen=True, slots=True)
class Order:
    """A service, started.

    variables   its environment
    """

    name: Application
    topology: Topology
    variables: Mapping[str, str] = field(repr=False)
    reach: Reach = LOCAL


def health_path(name: Application) -> str:
    """Where it is asked how it is."""
    return f"/{name}/health"
