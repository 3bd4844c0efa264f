"""`steelyard health`: which modules are out of service, since when, and why.

Health belongs to a machine and its user: it lies in `$STEELYARD_HOME/health.json`, and the rules
come from the environment, `STEELYARD_FAILURE_THRESHOLD` and `STEELYARD_OPEN_SECONDS`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from steelyard.cli.output import guarded, note, screen, write, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.strategies import Strategy
    from steelyard.telemetry.breaker import Circuit, State
    from steelyard.telemetry.health import Health

IN_WORDS: Mapping[State, str] = {
    "closed": "in service",
    "open": "out of service",
    "half-open": "on trial",
}
"""State of a circuit -> what a person reads of the module; --json has the state."""


def health(
    module: Annotated[
        str | None, Argument(help="Only this one, as `name` or `kind.name`.", metavar="[MODULE]")
    ] = None,
    reset: Annotated[
        bool, Option("--reset", help="Forget the failures: the next plan runs the module again.")
    ] = False,
    as_json: Annotated[
        bool,
        Option("--json", help="Print one JSON document: every module, those without failures too."),
    ] = False,
) -> None:
    """Show which modules are out of service.

    A module that fails in 3 plans in a row (STEELYARD_FAILURE_THRESHOLD) is left out for 300
    seconds (STEELYARD_OPEN_SECONDS); then it is on trial: one plan tries it. The exit code is 0
    also when modules are out of service.
    """
    with guarded():
        circuits = keeper()
        rows = listed(circuits, module)
        if reset:
            circuits.reset(row["key"] for row in rows)
            names = ", ".join(row["key"] for row in rows if row["failures"])
            nothing = "There was nothing to forget: no module has failed."
            note(f"Forgotten: {names}." if names else nothing)
            rows = listed(circuits, None)
        if as_json:
            write_json([{name: row[name] for name in row if name != "key"} for row in rows])
        else:
            write(screen(lambda console: draw(rows, console)))


def keeper() -> Health:
    """The health of this user's modules; raises SettingsError for a rule that is out of range."""
    from steelyard.environment import home
    from steelyard.telemetry.breaker import rules_from
    from steelyard.telemetry.health import Health

    return Health(home(os.environ), rules_from(os.environ), warn=note)


def versions(strategy: Strategy) -> dict[str, str]:
    """Qualified name -> version of what a strategy runs."""
    return {
        choice.module.qualified: choice.module.version
        for kind in strategy.choices
        for choice in strategy.enabled(kind)
    }


def listed(health: Health, module: str | None) -> list[dict[str, Any]]:
    """Registered modules and those with failures, as JSON values; InputError for any other name."""
    from steelyard.errors import InputError, did_you_mean
    from steelyard.modules import registry

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
    chosen = [row for row in rows if module in {row["name"], f"{row['kind']}.{row['name']}"}]
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


def _row(health: Health, key: str, circuit: Circuit | None) -> dict[str, Any]:
    from steelyard.telemetry.breaker import state_of, until

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


def draw(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """What is out of service in a sentence, then every module with a failure."""
    from steelyard.report.terminal.columns import Column, Row, emit, sentence, table

    out = sum(row["state"] == "open" for row in rows)
    summary = f"Of {_counted(rows)} {out or 'none'} {'is' if out <= 1 else 'are'} out of service."
    if len(rows) == 1:
        summary = f"{rows[0]['kind']}.{rows[0]['name']} is {IN_WORDS[rows[0]['state']]}."
    emit(console, sentence(summary, console.width))
    columns = (
        Column("Module"),
        Column("Version", drop=1),
        Column("State"),
        Column("Failures", "right"),
        Column("Next try", drop=2),
    )
    lines = [Row(_cells(row), under=(row["error"],)) for row in rows if row["failures"]]
    if lines:
        table(console, columns, lines)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    name, state = f"{row['kind']}.{row['name']}", IN_WORDS[row["state"]]
    return (name, row["version"], state, str(row["failures"]), _next_try(row))


def _counted(rows: Sequence[dict[str, Any]]) -> str:
    from steelyard.modules.registry import Kind

    terms = sum(row["kind"] == Kind.TERM for row in rows)
    if not terms:
        return f"{len(rows)} modules"
    others = f"{len(rows) - terms} that propose or filter orders"
    return f"{len(rows)} modules ({others}, {terms} score terms)"


def _next_try(row: dict[str, Any]) -> str:
    if row["state"] == "closed":
        return "it runs"
    return f"after {row['until'][:19].replace('T', ' ')} UTC" if row["until"] else "the next plan"
