"""Where the instances of this machine listen, as the file says, moved as somebody asks."""

from __future__ import annotations

from collections.abc import Mapping

from steelyard.errors import SettingsError
from steelyard.services.topology import NAMES, Application, Name, Topology
from steelyard.strategies.files.problems import shown

EVALUATOR = "EVALUATOR_PORT"
LAST_PORT = 65_535
STEP = 10
"""Between two evaluators, as in 8010, 8020, 8030."""
ALONE: Mapping[Application, Name] = {
    "opportunity": "opportunity",
    "generator": "generator",
    "evaluator": "evaluator",
    "coordinator": "coordinator",
    "api": "coordinator",
    "ui": "coordinator",
}
"""Application -> the service in whose place it listens when it runs alone."""
Ports = dict[Name, tuple[int, ...]]


def ports_of(topology: Topology, base: int | None = None, evaluators: int | None = None) -> Ports:
    """Of every instance.

    base         where the opportunity service listens, the others at their distance from it;
                 0 = each at any port that is free
    evaluators   how many, where it is not as many as the file has
    Raises SettingsError for a port over the last.
    """
    ports = {name: topology.here(name) for name in NAMES}
    if evaluators is not None:
        ports["evaluator"] = _so_many(ports["evaluator"], evaluators)
    if base == 0:
        return {name: (0,) * len(numbers) for name, numbers in ports.items()}
    first = next(number for numbers in ports.values() for number in numbers)
    moved = 0 if base is None else base - first
    ports = {name: tuple(number + moved for number in each) for name, each in ports.items()}
    highest = max(number for numbers in ports.values() for number in numbers)
    if highest <= LAST_PORT:
        return ports
    raise SettingsError(
        f"The last service would listen at port {highest:,}; ports end at {LAST_PORT:,}. Nothing "
        f"was started. Choose a --base-port of at most {LAST_PORT - highest + first + moved:,}.",
        code="port_too_high",
        place="--base-port",
        value=highest,
        limit=LAST_PORT,
    )


def port_of_one(name: Application, topology: Topology, variables: Mapping[str, str]) -> int:
    """Of one service that is started alone: the variable's, for an evaluator, or the file's first.

    Raises SettingsError for a variable that is no port.
    """
    if name == "evaluator" and (text := variables.get(EVALUATOR)):
        return _port(text)
    service = ALONE[name]
    here = topology.here(service)
    return here[0] if here else topology.service(service).instances[0].port


def _so_many(ports: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Ports of the file, and more after the last."""
    last = ports[-1] if ports else Topology().evaluator.instances[0].port - STEP
    more = range(last + STEP, last + STEP * (count - len(ports) + 1), STEP)
    return (*ports, *more)[:count]


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len("65535") else 0
    if 1 <= number <= LAST_PORT:
        return number
    raise SettingsError(
        f"{EVALUATOR} is {shown(text)}; it must be a whole number from 1 to {LAST_PORT:,}. Nothing "
        "was started.",
        code="evaluator_port",
        place=EVALUATOR,
        value=text,
        limit=LAST_PORT,
    )
