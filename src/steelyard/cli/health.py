"""`steelyard health`: is anything out of order, and what: modules, strategies, buckets, money.

The health of modules belongs to a machine and its user: it lies in `$STEELYARD_HOME/health.json`,
and the rules come from the environment, `STEELYARD_FAILURE_THRESHOLD` and `STEELYARD_OPEN_SECONDS`.
Without a database nothing is looked up in one, and none is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from steelyard.cli.output import FAILED, guarded, note, screen, write, write_json
from steelyard.report import visible

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.telemetry.breaker import State
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
    *,
    bucket: Annotated[
        str | None, Option("--bucket", help="Only what this bucket plans with.", metavar="B")
    ] = None,
    reset: Annotated[
        bool, Option("--reset", help="Forget the failures: the next plan runs the module again.")
    ] = False,
    as_json: Annotated[
        bool,
        Option("--json", help="Print one JSON document: every module, those without failures too."),
    ] = False,
) -> None:
    """Show what is out of order: modules out of service, strategies that are not valid, buckets.

    A module that fails in 3 plans in a row (STEELYARD_FAILURE_THRESHOLD) is left out for 300
    seconds (STEELYARD_OPEN_SECONDS); then it is on trial: one plan tries it. Presets and stored
    strategies must be valid and have what they draw from, universes of buckets may not overlap, and
    their cash must sum to the account's. Accounts that were traded are shown with their last run,
    their last comparison with the broker and their alerts; the kill switch, a frozen account and a
    run that waits for a person are out of order. The exit code is 1 where anything is.
    """
    with guarded():
        from steelyard.runs.module_health import names_of, out_of_service

        circuits = keeper()
        if bucket is not None:
            if module is not None or reset:
                raise typer.BadParameter("it goes alone.", param_hint="--bucket")
            report = _of_bucket(circuits, bucket)
            _print(report, as_json, lambda console: draw_bucket(bucket, report, console))
            errors = report["errors"]
        else:
            rows = _listed(circuits, module, reset)
            asked = [row for row in rows if module is None or module in names_of(row)]
            accounts, more = ([], []) if module else _execution()
            errors = [*out_of_service(asked), *([] if module else _checks()), *more]
            plain_rows = [{name: row[name] for name in row if name != "key"} for row in rows]
            _print([*plain_rows, *accounts], as_json, lambda console: draw(rows, console))
            if not as_json:
                write("".join(f"{visible(row['text'])}\n" for row in accounts))
            for text in errors:
                note(text)
            if not errors and module is None and not as_json:
                write("Presets, stored strategies, buckets and their cash are in order.\n")
        if errors:
            raise typer.Exit(FAILED)


def _print(document: object, as_json: bool, on: Callable[[Console], None]) -> None:
    if as_json:
        write_json(document)
    else:
        write(screen(on))


def _listed(circuits: Health, module: str | None, reset: bool) -> list[dict[str, Any]]:
    """The modules, after the failures are forgotten if that is asked for."""
    from steelyard.runs.module_health import listed

    rows = listed(circuits, module)
    if not reset:
        return rows
    circuits.reset(row["key"] for row in rows)
    names = ", ".join(row["key"] for row in rows if row["failures"])
    note(f"Forgotten: {names}." if names else "There was nothing to forget: no module has failed.")
    return listed(circuits, None)


def _checks() -> list[str]:
    """What is out of order beside modules; of what is stored only where there is a database."""
    from steelyard.cli.stored import is_there, opened
    from steelyard.runs.whole_health import of_rules

    if not is_there():
        return of_rules(None)
    with opened() as store:
        return of_rules(store)


def _execution() -> tuple[list[dict[str, Any]], list[str]]:
    """(a row for each account that was traded, what of execution is out of order)."""
    from steelyard.environment import home
    from steelyard.runs.whole_health import of_execution

    accounts, errors = of_execution(home(os.environ))
    rows = [
        {"kind": "account", "name": each.account, "text": each.text, **each.document()}
        for each in accounts
    ]
    return rows, errors


def _of_bucket(circuits: Health, bucket: str) -> dict[str, Any]:
    """`{status, modules, warnings, errors}` of what a bucket plans with; raises NotStored."""
    from steelyard.cli.stored import is_there, opened
    from steelyard.errors import NotStored

    if not is_there():
        raise NotStored(
            f"There is no database, and so no bucket {bucket}. Nothing was made.",
            code="no_database",
            place="--bucket",
            value=bucket,
            hint=f"steelyard bucket load {bucket} --holdings F",
        )
    from steelyard.runs.stored_health import of_bucket

    with opened() as store:
        return of_bucket(store, circuits, bucket)


def draw_bucket(bucket: str, report: dict[str, Any], console: Console) -> None:
    """The status in a sentence, and every error and warning."""
    from steelyard.report.terminal.columns import emit, sentence

    count = len(report["modules"])
    head = f"The bucket {bucket} is {report['status']}: it plans with {count} modules."
    emit(console, sentence(head, console.width))
    for severity in ("error", "warning"):
        for text in report[f"{severity}s"]:
            emit(console, sentence(f"{severity}: {text}", console.width))


def keeper() -> Health:
    """The health of this user's modules; raises SettingsError for a rule that is out of range."""
    from steelyard.environment import home
    from steelyard.telemetry.breaker import rules_from
    from steelyard.telemetry.health import Health

    return Health(home(os.environ), rules_from(os.environ), warn=note)


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
