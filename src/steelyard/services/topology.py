"""Which service listens where, how long it is waited for, how often it is asked how it is.

Ports, timeouts and intervals are the documents'. `topology_file` reads what a file says of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from steelyard.services.security.limits import Limits
from steelyard.telemetry.traces import Tracing

Name = Literal["opportunity", "generator", "evaluator", "coordinator"]
NAMES: tuple[Name, ...] = get_args(Name)
Application = Literal[Name, "api", "ui"]
"""The four, and the management API alone."""
LOOPBACK = "127.0.0.1"
PLUGINS = "plugins"
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Address = Annotated[str, Field(min_length=1, max_length=253)]
InFolder = Annotated[Path, Field(strict=False)]
MOST_INSTANCES = 64


class Frozen(BaseModel):
    """A table of the file: unknown keys are errors, values are never coerced from text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Instance(Frozen):
    """Where one process listens."""

    host: Address = LOOPBACK
    port: Port
    tls: bool = False

    @property
    def here(self) -> bool:
        """Is it on this machine?"""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """Its address without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Is an address, or a name, this machine's own?"""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Service(Frozen):
    """A service: its instances, the longest one request may take, how often health is asked."""

    instances: Annotated[tuple[Instance, ...], Field(min_length=1, max_length=MOST_INSTANCES)]
    timeout_seconds: Seconds
    health_interval_seconds: Seconds = 30


class Tls(Frozen):
    """PEM files: what this machine shows who asks, and whom it believes beside the system's.

    cert, key   certificate with its chain, and its key: needed to be reached from elsewhere
    ca          certificates that sign those of other machines' services
    names       under which this machine is asked from elsewhere, beside its own name and addresses
    """

    cert: InFolder | None = None
    key: InFolder | None = None
    ca: InFolder | None = None
    names: Annotated[tuple[Address, ...], Field(max_length=MOST_INSTANCES)] = ()


def _on(*ports: int) -> tuple[Instance, ...]:
    return tuple(Instance(port=port) for port in ports)


class Topology(Frozen):
    """The whole: four services, and how the coordinator deals with those that fail.

    batch_seconds       after which a batch is taken from its evaluator
    batch_size          sequences of a batch; None = from 500 to 1,000, by measured time
    fallback            what is done with what no evaluator took: here, or left out and said
    failure_threshold   failures in a row that open the circuit of an instance
    open_seconds        how long, until one request may try
    allow_hosts         names and addresses beyond this machine that may be asked
    trusted_network     services listen in it, and are asked in it, without TLS: of containers
    plugins             folders that services may load plugins from; none = `plugins` in the home
    telemetry           where spans are sent
    limits              how much a service grants to who asks
    """

    opportunity: Service = Service(instances=_on(8008), timeout_seconds=10)
    generator: Service = Service(instances=_on(8009), timeout_seconds=30)
    evaluator: Service = Service(
        instances=_on(8010, 8020, 8030), timeout_seconds=120, health_interval_seconds=60
    )
    coordinator: Service = Service(instances=_on(8011), timeout_seconds=300)
    batch_seconds: Seconds = 10
    batch_size: Annotated[int, Field(ge=1, le=5000)] | None = None
    fallback: Literal["local", "none"] = "local"
    failure_threshold: Annotated[int, Field(ge=1, le=1000)] = 5
    open_seconds: Seconds = 60
    allow_hosts: Annotated[tuple[Address, ...], Field(max_length=MOST_INSTANCES)] = ()
    trusted_network: Annotated[str, Field(max_length=43)] | None = None
    tls: Tls = Tls()
    plugins: tuple[InFolder, ...] = ()
    telemetry: Tracing = Tracing()
    limits: Limits = Limits()

    def service(self, name: Name) -> Service:
        """One of the four."""
        service: Service = getattr(self, name)
        return service

    def plugin_folders(self, home: Path) -> tuple[Path, ...]:
        """Folders that services may load plugins from."""
        return self.plugins or (home / PLUGINS,)

    def here(self, name: Name) -> tuple[int, ...]:
        """Ports of a service's instances on this machine."""
        return tuple(each.port for each in self.service(name).instances if each.here)

    def moved(self, ports: Mapping[Name, Sequence[int]]) -> Topology:
        """The same with these ports on this machine, in place of those that it has."""
        services: dict[str, Any] = {}
        for name, numbers in ports.items():
            service = self.service(name)
            others = tuple(each for each in service.instances if not each.here)
            instances = (*_on(*numbers), *others)
            services[name] = service.model_copy(update={"instances": instances})
        return self.model_copy(update=services)
