"""Modules and what is counted of their failures, as plain JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from steelyard.errors import InputError, did_you_mean
from steelyard.modules import registry
from steelyard.strategies import Strategy
from steelyard.telemetry.breaker import Circuit, state_of, until
from steelyard.telemetry.health import Health


def versions(strategy: Strategy) -> dict[str, str]:
    """Qualified name -> version of what a strategy runs."""
    return {
        choice.module.qualified: choice.module.version
        for kind in strategy.choices
        for choice in strategy.enabled(kind)
    }


def out_of_service(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A sentence for each module that is."""
    for row in rows:
        if row["state"] == "open":
            yield f"The module {row['kind']}.{row['name']} is out of service: {row['error']}"


def listed(health: Health, module: str | None) -> list[dict[str, Any]]:
    """Registered modules and those with failures, as JSON values; InputError for any other name."""
    circuits = health.circuits()
    built_in = [
        f"{entry.qualified}@{entry.version}"
        for kind in registry.Kind
        for entry in registry.modules(kind).values()
    ]
    keys = [*built_in, *(key for key in circuits if key not in built_in)]
    rows = [_row(health, key, circuits.get(key)) for key in keys]
    if module is None:
        return rows
    chosen = [row for row in rows if module in names_of(row)]
    if not chosen:
        near = did_you_mean(module, sorted({row["name"] for row in rows}))
        raise InputError(
            f"There is no module {module}, and none of that name has failed.{near}",
            code="health_no_module",
            place="MODULE",
            value=module,
            hint=near.strip(),
        )
    return chosen


def names_of(row: Mapping[str, Any]) -> set[str]:
    """What a module is asked for by."""
    return {row["name"], f"{row['kind']}.{row['name']}"}


def _row(health: Health, key: str, circuit: Circuit | None) -> dict[str, Any]:
    qualified, _, version = key.rpartition("@")
    kind, _, name = qualified.rpartition(".")
    state = state_of(circuit, health.rules, health.now())
    row = {"key": key, "kind": kind, "name": name, "version": version, "state": state}
    if circuit is None:
        return row | {"failures": 0, "error": None, "failed_at": None, "until": None}
    return row | {
        "failures": circuit.failures,
        "error": circuit.error,
        "failed_at": circuit.since.utc.isoformat(),
        "until": until(circuit, health.rules).isoformat() if state == "open" else None,
    }
