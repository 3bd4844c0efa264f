"""Every instance is asked how it is, each at the interval of its service: who is down is not asked
for work until it is well again, or its circuit lets one request try.
"""

from __future__ import annotations

import asyncio

import httpx2

from steelyard.services.carriage.calls import Calls
from steelyard.services.topology import Instance, Name, Service
from steelyard.telemetry.traces import headers as traced

CARRIERS: tuple[Name, ...] = ("opportunity", "generator", "evaluator")
"""The services that are asked to carry a plan."""
PATIENCE = 5.0
"""Seconds: a health check of ours takes at most two."""


async def watch(calls: Calls) -> None:
    """Ask all instances for ever; cancel it at the end."""
    topology = calls.topology
    async with asyncio.TaskGroup() as group:
        for name in CARRIERS:
            service = topology.service(name)
            for instance in service.instances:
                group.create_task(_watched(calls, name, service, instance))


async def _watched(calls: Calls, name: Name, service: Service, instance: Instance) -> None:
    down = False
    while True:
        await asyncio.sleep(service.health_interval_seconds)
        why = await _ill(calls, name, instance)
        if why is not None:
            calls.circuits.shut(instance, why)
        elif down:
            calls.circuits.answered(instance)
        down = why is not None


async def _ill(calls: Calls, name: Name, instance: Instance) -> str | None:
    """What is wrong with an instance; None if it is well."""
    try:
        answer = await calls.client.get(
            f"{instance.url}/{name}/health", headers=dict(traced()), timeout=PATIENCE
        )
    except (httpx2.HTTPError, OSError) as error:
        return f"{type(error).__name__} when it was asked how it is"
    ok = answer.status_code == httpx2.codes.OK
    return None if ok else f"status {answer.status_code} when it was asked how it is"
