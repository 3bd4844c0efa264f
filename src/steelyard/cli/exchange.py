"""`steelyard strategy export|import|import-folder|clone`: files out and in, and copies."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from steelyard.cli.named import version_named
from steelyard.cli.output import guarded, save, write, write_json
from steelyard.cli.saving import (
    NOTHING,
    AsJson,
    Description,
    Title,
    checked,
    read_apart,
    say,
    tell,
)
from steelyard.cli.stored import opened

if TYPE_CHECKING:
    from steelyard.store.store import Store
    from steelyard.store.strategies import Draft


def export(
    name: Annotated[str, Argument(help="A stored strategy, or NAME@VERSION.", metavar="NAME")],
    *,
    out: Annotated[
        Path | None, Option("--out", help="Write there; by default print.", metavar="F.toml")
    ] = None,
) -> None:
    """Print a version as a file that `strategy import` reads, with its title and description."""
    with guarded("Nothing was exported."):
        from steelyard.store.exchange import exported

        version = version_named(name)
        text = exported(version)
        if out is None:
            write(text)
        else:
            _refuse_existing(out)
            save(out, text, "strategy", "Name another file.")
            say(f"{version.shown} of {version.name} is in {out}.")


def import_(
    file: Annotated[Path, Argument(help="A strategy file, exported or not.", metavar="FILE")],
    *,
    name: Annotated[
        str | None, Option("--name", help="By default as the file says.", metavar="N")
    ] = None,
    title: Title = None,
    description: Description = None,
    as_json: AsJson = False,
) -> None:
    """Store a file as a version of the name that it has in its metadata, or is called."""
    with guarded(NOTHING):
        from steelyard.store.exchange import draft_of, name_of
        from steelyard.store.strategies import save as keep

        text, metadata = read_apart(file)
        chosen = name or name_of(metadata, text, file.stem)
        strategy = checked(text, chosen, str(file), file.parent)
        about = metadata.get("description") if description is None else description
        draft = draft_of(chosen, text, strategy, title or metadata.get("title"), about)
        with opened() as store:
            if name is None:
                _refuse_followed(store, draft, file)
            saved = keep(store, draft, reason=f"imported from {file.name}")
        tell(saved, as_json)


def import_folder(
    folder: Annotated[Path, Argument(help="A folder of old files.", metavar="DIR")],
    as_json: AsJson = False,
) -> None:
    """Move TOML files and satellites of a folder into the database, once.

    Every *.toml becomes a strategy; satellites.json or .toml become buckets, each planning by
    NAME_config; core_conservative becomes the core's. A second run changes nothing.
    """
    with guarded("Nothing was moved."):
        from steelyard.runs.folder import import_folder as move

        with opened() as store:
            rows = move(store, folder)
        if as_json:
            write_json([asdict(row) for row in rows])
            return
        for row in rows:
            what = "is there already" if row.version is None else f"is version {row.version}"
            planned = "" if row.bucket is None else f"; the bucket {row.bucket} plans by it"
            say(f"{row.source}: {row.name} {what}{planned}.")


def clone(
    name: Annotated[str, Argument(help="A stored strategy, or NAME@VERSION.", metavar="NAME")],
    new: Annotated[str, Argument(help="What the copy is called.", metavar="NEW")],
    *,
    title: Title = None,
    as_json: AsJson = False,
) -> None:
    """Store a copy of a strategy under another name, where its history begins anew."""
    with guarded(NOTHING):
        from steelyard.store.exchange import clone as copy

        with opened() as store:
            old = version_named(name)
            saved = copy(store, old, new, title=title)
        tell(saved, as_json)


def _refuse_followed(store: Store, draft: Draft, file: Path) -> None:
    from steelyard.store.exchange import refuse_followed

    name = draft.name
    asks = f"steelyard strategy save {name} {shlex.quote(str(file))}"
    mend = (
        f"Give another name with --name N. To take it as the next version of {name}, see what it "
        f"changes first: {asks}; or say --name {name}"
    )
    with store.reading() as connection:
        refuse_followed(connection, draft, file.name, mend)


def _refuse_existing(path: Path) -> None:
    from steelyard.errors import InputError

    if os.path.lexists(path):
        raise InputError(
            f"{path} is there already and was left as it is. Name another file.",
            code="file_exists",
            place=str(path),
            hint="name another file",
        )
