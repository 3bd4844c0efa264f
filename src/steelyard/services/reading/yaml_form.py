"""The documents' `services.yaml`: its keys as records, and `[services]` that says the same.

A service with mode `local`, or without a device, is on this machine. What has no effect here is
listed: retries go by deadlines, not by counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from steelyard.services.topology import (
    LOOPBACK,
    MOST_INSTANCES,
    NAMES,
    Address,
    Frozen,
    InFolder,
    Name,
    Port,
    Seconds,
    Topology,
)
from steelyard.telemetry.traces import Tracing

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Listed = Annotated[tuple[Address, ...], Field(max_length=MOST_INSTANCES)]
DEFAULTS = Topology()


class Deployment(Frozen):
    """How the whole is spread; each service says where it is."""

    mode: Literal["local", "distributed", "load_balanced"] = "local"


class Certs(Frozen):
    """PEM files, as in `topology.Tls`."""

    ca: InFolder | None = None
    cert: InFolder | None = None
    key: InFolder | None = None


class TlsOfAll(Frozen):
    """Are services on other machines asked over TLS?"""

    enabled: bool = False
    mutual: Literal[False] = False
    certs: Certs = Certs()


class Client(Frozen):
    """How a service is asked."""

    timeout_seconds: Seconds | None = None
    max_retries: Count | None = None
    retry_backoff_ms: Count | None = None
    keepalive: bool | Count | None = None
    keepalive_seconds: Seconds | None = None
    max_keepalive_connections: Count | None = None


class HealthCheck(Frozen):
    """How often a service is asked how it is."""

    enabled: bool | None = None
    interval_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None


class Place(Frozen):
    """Where an instance is."""

    device_id: Address | None = None
    port: Port | None = None
    health_endpoint: str | None = None


class Entry(Place):
    """A service, alone or with its instances."""

    mode: Literal["local", "remote"] = "remote"
    instances: Annotated[tuple[Place, ...], Field(max_length=MOST_INSTANCES)] = ()
    load_balancing: Literal["round_robin"] = "round_robin"
    client: Client = Client()
    health_check: HealthCheck = HealthCheck()


class Entries(Frozen):
    """The services; `planning` is the coordinator's façade and has no process of its own."""

    opportunity: Entry | None = None
    generator: Entry | None = None
    evaluator: Entry | None = None
    coordinator: Entry | None = None
    planning: Entry | None = None


class Device(Frozen):
    """A machine."""

    address: Address


class Documents(Frozen):
    """The whole file; the last three keys are ours."""

    deployment: Deployment = Deployment()
    tls: TlsOfAll = TlsOfAll()
    services: Entries = Entries()
    devices: dict[Address, Device] = Field(default_factory=dict)
    allow_hosts: Listed = ()
    trusted_network: str | None = None
    telemetry: Tracing = Tracing()


def as_ours(file: Documents) -> dict[str, Any]:
    """Tables as `[services]` has them, of a file without `slips`."""
    services: dict[str, Any] = {
        name: _service(name, entry, file)
        for name in NAMES
        if (entry := getattr(file.services, name)) is not None
    }
    certs = {key: path for key, path in file.tls.certs if path is not None}
    more = {"trusted_network": file.trusted_network} if file.trusted_network else {}
    return {**services, **more, "allow_hosts": file.allow_hosts, "tls": certs}


def slips(file: Documents) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong between keys: where, and the rest of the sentence."""
    for name in NAMES:
        entry = getattr(file.services, name)
        for at, place in _places(entry, ("services", name)) if entry else ():
            if place.device_id is not None and place.device_id not in file.devices:
                yield (*at, "device_id"), f"names {place.device_id}, which [devices] does not have"
            path = f"/{name}/health"
            if place.health_endpoint not in {None, path}:
                yield (*at, "health_endpoint"), f"must be {path!r}"
            if at[-1] != name and place.port is None:
                yield at, "needs a port"


def ignored(file: Documents) -> Iterator[str]:
    """Keys that are there and have no effect."""
    if file.services.planning is not None:
        yield "services.planning"
    for name in NAMES:
        entry = getattr(file.services, name)
        if entry is None:
            continue
        for table, used in (("client", "timeout_seconds"), ("health_check", "interval_seconds")):
            for key in sorted(getattr(entry, table).model_fields_set - {used}):
                yield f"services.{name}.{table}.{key}"


def _service(name: Name, entry: Entry, file: Documents) -> dict[str, Any]:
    usual = DEFAULTS.service(name)
    port = usual.instances[0].port
    instances = tuple(
        {"host": host, "port": place.port or port, "tls": file.tls.enabled and host != LOOPBACK}
        for _, place in _places(entry, ())
        for host in (_host(entry, place, file),)
    )
    return {
        "instances": instances,
        "timeout_seconds": entry.client.timeout_seconds or usual.timeout_seconds,
        "health_interval_seconds": entry.health_check.interval_seconds
        or usual.health_interval_seconds,
    }


def _places(
    entry: Entry, at: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Place]]:
    """Every instance of a service, and its key."""
    if not entry.instances:
        yield at, entry
    for number, place in enumerate(entry.instances):
        yield (*at, "instances", number), place


def _host(entry: Entry, place: Place, file: Documents) -> str:
    if entry.mode == "local" or place.device_id is None:
        return LOOPBACK
    return file.devices[place.device_id].address
