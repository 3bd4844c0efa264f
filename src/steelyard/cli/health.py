"""`steelyard health`: which modules are out of service, since when, and why.

Health belongs to a machine and its user, not to a strategy: it lies in
`$STEELYARD_HOME/health.json`, and the rules come from the environment,
`STEELYARD_FAILURE_THRESHOLD` and `STEELYARD_OPEN_SECONDS`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steelyard.cli.output import guarded, note, screen, write

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.notices import ModuleRun
    from steelyard.strategies import Strategy
    from steelyard.telemetry.breaker import State
    from steelyard.telemetry.health import Health, Outcome

IN_WORDS: Mapping[State, str] = {
    "closed": "in service",
    "open": "out of service",
    "half-open": "on trial",
}
"""State of a circuit -> what a person reads of the module; --json has the state."""


def health(
    module: Annotated[
        str | None,
        typer.Argument(help="Only this one, as `name` or `kind.name`.", metavar="[MODULE]"),
    ] = None,
    reset: Annotated[
        bool,
        typer.Option("--reset", help="Forget the failures: the next plan runs the module again."),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON document: every module, those without failures too."
        ),
    ] = False,
) -> None:
    """Show which modules are out of service.

    A module that fails in 3 plans in a row (STEELYARD_FAILURE_THRESHOLD) is left out for 300
    seconds (STEELYARD_OPEN_SECONDS); then it is on trial: one plan tries it. The exit code is 0
    also when modules are out of service.
    """
    with guarded():
        keeping = keeper()
        rows = listed(keeping, module)
        if reset:
            keeping.reset(row["key"] for row in rows)
            names = ", ".join(row["key"] for row in rows if row["failures"])
            note(
                f"Forgotten: {names}."
                if names
                else "There was nothing to forget: no module has failed."
            )
            rows = listed(keeping, None)
        if as_json:
            write(
                json.dumps(
                    [{name: row[name] for name in row if name != "key"} for row in rows],
                    indent=2,
                    ensure_ascii=False,
                )
                + "\n"
            )
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


def outcomes(runs: Iterable[ModuleRun]) -> list[Outcome]:
    """What counts for the health of modules: those that ran, with their error if they failed."""
    ran = [run for run in runs if run.outcome in {"ok", "nothing", "failed"}]
    return [
        (
            f"{run.kind}.{run.name}",
            run.version,
            (run.error or "") if run.outcome == "failed" else None,
        )
        for run in ran
    ]


def listed(keeping: Health, module: str | None) -> list[dict[str, Any]]:
    """Registered modules and those with failures, as JSON values; InputError for any other name."""
    from steelyard.errors import InputError, did_you_mean
    from steelyard.modules import registry
    from steelyard.telemetry.breaker import state_of, until

    circuits, now = keeping.circuits(), keeping.now()
    built_in = [
        f"{entry.qualified}@{entry.version}"
        for kind in registry.Kind
        for entry in registry.modules(kind).values()
    ]
    rows: list[dict[str, Any]] = []
    for key in (*built_in, *(key for key in circuits if key not in built_in)):
        qualified, _, version = key.rpartition("@")
        kind, _, name = qualified.rpartition(".")
        circuit, state = circuits.get(key), state_of(circuits.get(key), keeping.rules, now)
        if module is None or module in {name, qualified}:
            rows.append(
                {
                    "key": key,
                    "kind": kind,
                    "name": name,
                    "version": version,
                    "state": state,
                    "failures": 0 if circuit is None else circuit.failures,
                    "error": None if circuit is None else circuit.error,
                    "failed_at": None if circuit is None else circuit.since.utc.isoformat(),
                    "until": (
                        until(circuit, keeping.rules).isoformat()
                        if circuit is not None and state == "open"
                        else None
                    ),
                }
            )
    if module is not None and not rows:
        names = sorted(
            {key.rpartition("@")[0].rpartition(".")[2] for key in (*built_in, *circuits)}
        )
        raise InputError(
            f"There is no module {module}, and none of that name has "
            f"failed.{did_you_mean(module, names)}"
        )
    return rows


def draw(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """What is out of service in a sentence, then every module with a failure."""
    from steelyard.report.terminal.columns import Column, Row, fitting, grid, sentence

    out = [row for row in rows if row["state"] == "open"]
    summary = (
        f"Of {_counted(rows)} {len(out) or 'none'} {'is' if len(out) <= 1 else 'are'} out of "
        "service."
    )
    if len(rows) == 1:
        summary = f"{rows[0]['kind']}.{rows[0]['name']} is {IN_WORDS[rows[0]['state']]}."
    for line in sentence(summary, console.width):
        console.print(line, soft_wrap=True)
    failed = [row for row in rows if row["failures"]]
    if not failed:
        return
    columns = (
        Column("Module"),
        Column("Version", drop=1),
        Column("State"),
        Column("Failures", "right"),
        Column("Next try", drop=2),
    )
    cells = [
        Row(
            (
                f"{row['kind']}.{row['name']}",
                row["version"],
                IN_WORDS[row["state"]],
                str(row["failures"]),
                _next_try(row),
            ),
            under=(row["error"],),
        )
        for row in failed
    ]
    fit, cut = fitting(columns, cells, console.width, indent=0)
    for line in grid(fit, cut, console.width, indent=0):
        console.print(line, soft_wrap=True)


def _counted(rows: Sequence[dict[str, Any]]) -> str:
    """`35 modules (28 that propose or filter orders, 7 score terms)`."""
    from steelyard.modules.registry import Kind

    terms = sum(row["kind"] == Kind.TERM for row in rows)
    if not terms:
        return f"{len(rows)} modules"
    return (
        f"{len(rows)} modules ({len(rows) - terms} that propose or filter orders, {terms} score "
        "terms)"
    )


def _next_try(row: dict[str, Any]) -> str:
    if row["state"] == "closed":
        return "it runs"
    return f"after {row['until'][:19].replace('T', ' ')} UTC" if row["until"] else "the next plan"
