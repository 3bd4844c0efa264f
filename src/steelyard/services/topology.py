"""Which service listens where, how long it is waited for, how often it is asked how it is.

Ports, timeouts and intervals are the documents'.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from steelyard.telemetry.traces import Tracing

Name = Literal["opportunity", "generator", "evaluator", "coordinator"]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Instance(_Frozen):
    """Where one process listens."""

    host: str = "127.0.0.1"
    port: Port
    tls: bool = False

    @property
    def url(self) -> str:
        """Its address without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


class Service(_Frozen):
    """A service: its instances, the longest one request may take, how often health is asked."""

    instances: tuple[Instance, ...]
    timeout_seconds: Seconds
    health_interval_seconds: Seconds = 30


def _on(*ports: int) -> tuple[Instance, ...]:
    return tuple(Instance(port=port) for port in ports)


class Topology(_Frozen):
    """The whole: four services, and how the coordinator deals with those that fail.

    batch_seconds       after which a batch is taken from its evaluator
    batch_size          sequences of a batch; None = from 500 to 1,000, by measured time
    fallback            what is done with what no evaluator took: here, or left out and said
    failure_threshold   failures in a row that open the circuit of an instance
    open_seconds        how long, until one request may try
    telemetry           where spans are sent
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
    telemetry: Tracing = Tracing()
