"""`steelyard strategy`: presets and files, their settings, and what is wrong with them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from steelyard.cli import versions
from steelyard.cli.commands import Commands
from steelyard.cli.output import FAILED, guarded, note, save, screen, write, write_json
from steelyard.cli.presets import presets
from steelyard.cli.stored import is_there, opened
from steelyard.report import visible

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.strategies import Problems, Strategy

SUFFIX = ".toml"
NOT_A_STRATEGY = ("pyproject.toml",)

strategy = Commands(help="Presets, strategy files, and stored strategies with their versions.")

AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]
Named = Annotated[
    str, Argument(help="A preset, a TOML file, or NAME@VERSION of what is stored.", metavar="NAME")
]


@dataclass(frozen=True, slots=True)
class Listed:
    """A strategy in a list; without figures where its file is not usable."""

    name: str
    kind: str
    path: str | None
    description: str
    scope: str | None = None
    max_depth: int | None = None
    max_orders: int | None = None
    modules: int | None = None
    sha256: str | None = None
    version: int | None = None
    title: str | None = None


@strategy.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the presets, the files of this folder and what is stored."""
    with guarded():
        _list([*listed_presets(), *listed_files(Path()), *listed_stored()], as_json)


@strategy.command("show")
def show(name: Named, as_json: AsJson = False) -> None:
    """Print every setting and who set it.

    A preset, the file or the default set it; what is printed is itself a strategy file.
    """
    with guarded():
        from steelyard.cli.named import strategy_named
        from steelyard.strategies import validate
        from steelyard.strategies.scope import scope_of
        from steelyard.strategies.thresholds import following
        from steelyard.strategies.writing import effective, settings

        chosen = strategy_named(name)
        if not as_json:
            write(effective(chosen))
            return
        every = [
            {"key": f"{row.table}.{row.key}", "value": row.value, "source": row.source}
            for row in settings(chosen)
        ]
        head = {"name": chosen.name, "description": chosen.description, "sha256": chosen.sha256}
        scopes = {
            name: dict(zip(("scope", "why"), scope_of(chosen, targets=targets), strict=True))
            for name, targets in (("without_targets", False), ("with_targets", True))
        }
        decided = {"scopes": scopes, "following": following(chosen)}
        write_json({**head, **decided, "settings": every, "warnings": validate(chosen).warnings})


@strategy.command("new")
def new(
    file: Annotated[Path, Argument(help="Where to write; ends in .toml.", metavar="FILE")],
    preset: Annotated[str, Option(help="What to begin with.", metavar="P")] = "default",
    force: Annotated[bool, Option("--force", help="Overwrite the file if it is there.")] = False,
) -> None:
    """Write a commented strategy file that begins as a preset."""
    with guarded():
        from steelyard.errors import InputError

        if file.suffix != SUFFIX:
            form = f"a strategy file ends in {SUFFIX}: {file.name}{SUFFIX}"
            raise typer.BadParameter(form, param_hint="FILE")
        text = _begun(preset, file.stem)
        if os.path.lexists(file) and not force:
            there = f"{file} is there already and was left as it is."
            raise InputError(
                f"{there} Name another file, or overwrite it with --force.",
                code="file_exists",
                place=str(file),
                hint="name another file, or overwrite it with --force",
            )
        save(file, text, "strategy", "Name another file.")
        _count_use(preset, file)
        typed = shlex.quote(str(file))
        say(f"{file} begins as the preset {preset}.")
        check = f"steelyard strategy validate {typed}"
        say(f"Change it, then: {check} && steelyard plan --strategy {typed}")


@strategy.command("validate")
def validate(
    file: Annotated[Path, Argument(help="A strategy file.", metavar="FILE")],
    as_json: AsJson = False,
) -> None:
    """Say all that is wrong with a strategy file.

    And what is worth knowing of it; the exit code is 1 where it is not usable.
    """
    with guarded():
        from steelyard.errors import InputError
        from steelyard.strategies import PRESETS, check

        if str(file) in PRESETS and not file.exists():
            is_preset = f"{file} is a preset, and presets are valid."
            raise InputError(
                f"{is_preset} To see it: steelyard strategy show {file}",
                code="validates_files_only",
                place="FILE",
                value=str(file),
                hint=f"steelyard strategy show {file}",
            )
        problems, usable = check(file)
        if as_json:
            verdict = {"valid": problems.is_valid, "errors": problems.errors}
            sha256 = usable.sha256 if usable else None
            write_json({**verdict, "warnings": problems.warnings, "sha256": sha256})
        else:
            write(screen(lambda console: draw_problems(problems, console)))
            if usable and problems.is_valid:
                command = f"steelyard plan --strategy {shlex.quote(str(file))}"
                say(f"{file} is valid{_counted(problems)}. To plan with it: {command}")
        if not problems.is_valid:
            state = "not usable" if usable is None else "usable, but without what is missing"
            note(f"{visible(str(file))} is {state}{_counted(problems)}.")
            raise typer.Exit(FAILED)


@strategy.command("schema")
def schema() -> None:
    """Print the JSON Schema of strategy files.

    Editors complete and check with it: steelyard strategy schema > strategy.schema.json
    """
    with guarded():
        from steelyard.strategies import schema as made

        write_json(made())


def _begun(preset: str, name: str) -> str:
    """The text of a new file: a shipped preset with its comments, or one of the user's own."""
    from steelyard.strategies import PRESETS
    from steelyard.strategies.writing import begun

    if preset in PRESETS or not is_there():
        return begun(preset, name)
    from steelyard.runs.presets import preset_named, text_of

    with opened() as store:
        return text_of(store, preset_named(store, preset))


def _count_use(preset: str, file: Path) -> None:
    """Count it where there is a database; a new file makes none."""
    if not is_there():
        return
    from steelyard.runs.presets import preset_named
    from steelyard.store.presets import used

    with opened() as store:
        used(store, preset_named(store, preset).id, preset, file.name)


def say(text: str) -> None:
    """One line of text that names a file, whatever its name is."""
    write(visible(text) + "\n")


def _counted(problems: Problems) -> str:
    """`: 2 errors, 1 warning`."""
    counts = ((len(problems.errors), "error"), (len(problems.warnings), "warning"))
    parts = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count]
    return f": {', '.join(parts)}" if parts else ""


def draw_problems(problems: Problems, console: Console) -> None:
    """Each problem on a line of its own, under its severity."""
    from steelyard.report.terminal.columns import LEAST_WORDS, wrap

    for problem in problems.found:
        head = f"{problem.severity:<9}"
        first, *rest = wrap(problem.text, max(LEAST_WORDS, console.width - len(head)))
        for line in (head + first, *(" " * len(head) + more for more in rest)):
            console.print(line, soft_wrap=True)


def listed_presets() -> Iterator[Listed]:
    """Every preset."""
    from steelyard.strategies import PRESETS, preset

    return (_listed(preset(name), "preset", None) for name in PRESETS)


def listed_files(folder: Path) -> Iterator[Listed]:
    """Strategy files of a folder; one that is not usable says so."""
    from steelyard.strategies import check

    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.name in NOT_A_STRATEGY or not path.is_file():
            continue
        problems, usable = check(path)
        if usable:
            yield _listed(usable, "file", str(path))
        else:
            wrong = f"not usable{_counted(problems)}: steelyard strategy validate {path}"
            yield Listed(path.stem, "file", str(path), wrong)


def listed_stored() -> list[Listed]:
    """The active version of every stored strategy; without a database there are none."""
    if not is_there():
        return []
    from steelyard.store.strategies import active

    with opened() as store:
        return [
            Listed(
                name=version.name,
                kind="stored",
                path=None,
                description=version.description,
                sha256=version.sha256,
                version=version.version,
                title=version.title,
            )
            for version in active(store)
        ]


def _listed(strategy: Strategy, kind: str, path: str | None) -> Listed:
    return Listed(
        name=strategy.name,
        kind=kind,
        path=path,
        description=strategy.description,
        scope=_scopes(strategy),
        max_depth=strategy.search.max_depth,
        max_orders=_most_orders(strategy),
        modules=sum(len(strategy.enabled(choices)) for choices in strategy.choices),
        sha256=strategy.sha256,
    )


def _scopes(strategy: Strategy) -> str:
    """The scope; where targets make another, both, that without them first."""
    from steelyard.strategies.scope import scope_of

    scopes = dict.fromkeys(scope_of(strategy, targets=targets)[0] for targets in (False, True))
    return " / ".join(scopes)


def _most_orders(strategy: Strategy) -> int | None:
    """Most orders of a plan without targets; None = as many as earn their charge."""
    from steelyard.strategies.planned import as_planned

    return as_planned(strategy, targets=False, names=0).most_orders


def _list(rows: Sequence[Listed], as_json: bool) -> None:
    if as_json:
        write_json([asdict(row) for row in rows])
    else:
        write(screen(lambda console: draw(rows, console)))


def draw(listed: Sequence[Listed], console: Console) -> None:
    """The list as a table, what each is for under it."""
    from steelyard.report.terminal.columns import Column, Row, table

    columns = (
        Column("Strategy"),
        Column("From", drop=1),
        Column("Scope", drop=3),
        Column("Orders", "right", drop=2),
        Column("Modules", "right", drop=4),
    )
    table(console, columns, [Row(_cells(e), tuple(filter(None, [e.description]))) for e in listed])


def _cells(entry: Listed) -> tuple[str, ...]:
    usable = entry.modules is not None
    orders = "any" if usable and entry.max_orders is None else _number(entry.max_orders)
    figures = (orders, _number(entry.modules))
    name = (
        entry.name if entry.version is None else f"{entry.name}: {entry.title} (v{entry.version})"
    )
    return (name, entry.path or entry.kind, entry.scope or "", *figures)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


versions.register(strategy)
strategy.add_typer(presets, name="presets")
