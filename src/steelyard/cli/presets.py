"""`steelyard strategy presets`: the shipped presets of both kinds, and one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from steelyard.cli.commands import Commands
from steelyard.cli.output import guarded, screen, write, write_json
from steelyard.cli.stored import is_there, opened
from steelyard.report import visible

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.runs.presets import Entry
    from steelyard.store.store import Store

presets = Commands(
    help="Presets: list, show, add one's own.", invoke_without_command=True, no_args_is_help=False
)
AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]
NOTHING = "Nothing was added."


@presets.callback()
def list_(
    context: typer.Context,
    *,
    tag: Annotated[str | None, Option("--tag", help="Only those with it.", metavar="T")] = None,
    as_json: AsJson = False,
) -> None:
    """List the presets, and what they are for: strategies, and sliders of satellites."""
    if context.invoked_subcommand is not None:
        return
    with guarded():
        from steelyard.runs.presets import document, tagged

        with _stored() as store:
            entries = tagged(store, tag)
        if as_json:
            write_json([document(entry) for entry in entries])
        else:
            write(screen(lambda console: _draw(entries, console)))


@presets.command("show")
def show(name: Annotated[str, Argument(help="A preset.", metavar="NAME")]) -> None:
    """Print the text of a preset; it is itself a strategy file."""
    with guarded():
        from steelyard.runs.presets import preset_named, whole_text

        with _stored() as store:
            text = whole_text(store, preset_named(store, name))
        write(text)


@presets.command("add")
def add(
    file: Annotated[Path, Argument(help="A strategy file.", metavar="FILE")],
    *,
    name: Annotated[
        str | None, Option("--name", help="By default as the file says.", metavar="N")
    ] = None,
    description: Annotated[
        str | None, Option("--description", help="By default the file's.", metavar="D")
    ] = None,
    author: Annotated[str, Option("--author", help="Who made it.", metavar="A")] = "",
    tag: Annotated[
        list[str] | None, Option("--tag", help="To look it up by; repeatable.", metavar="T")
    ] = None,
    rating: Annotated[
        float | None, Option("--rating", help="0 to 5.", min=0, max=5, metavar="R")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep a strategy file as a preset of one's own."""
    with guarded(NOTHING):
        from steelyard.runs.presets import New, document
        from steelyard.runs.presets import add as keep
        from steelyard.store.exchange import name_of, standing_alone
        from steelyard.strategies.files.exchange import apart
        from steelyard.strategies.files.reading import read

        text, metadata = apart(read(file))
        chosen = name or name_of(metadata, text, file.stem)
        strategy = standing_alone(text, chosen, str(file), file.parent)
        about = strategy.description if description is None else description
        new = New(chosen, text, about, author, tag or (), rating)
        with opened() as store:
            entry = keep(store, new)
        if as_json:
            write_json(document(entry))
        else:
            typed = f"steelyard strategy new F.toml --preset {chosen}"
            write(visible(f"{chosen} is a preset. To begin with it: {typed}") + "\n")


@contextmanager
def _stored() -> Iterator[Store | None]:
    """The database where there is one: shipped presets need none."""
    if not is_there():
        yield None
        return
    with opened() as store:
        yield store


def _draw(entries: Sequence[Entry], console: Console) -> None:
    from steelyard.report.terminal.columns import Column, Row, table

    columns = (
        Column("Preset"),
        Column("Kind"),
        Column("Author", drop=3),
        Column("Tags", drop=2),
        Column("Used", "right", drop=1),
        Column("Rating", "right", drop=4),
    )
    rows = [
        Row(
            (
                entry.name,
                entry.kind,
                entry.author,
                ", ".join(entry.tags),
                str(entry.uses) if entry.uses else "",
                "" if entry.rating is None else f"{entry.rating:g}",
            ),
            (entry.description,) if entry.description else (),
        )
        for entry in entries
    ]
    table(console, columns, rows)
