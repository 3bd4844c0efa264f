"""`steelyard db`: the database brought up to date, copied and put back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from steelyard.cli.commands import Commands
from steelyard.cli.output import guarded, write, write_json
from steelyard.cli.stored import opened
from steelyard.environment import database
from steelyard.report import visible

db = Commands(help="The database of strategies, buckets and plans: upgrade, backup, restore.")
AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]


@db.command("upgrade")
def upgrade(as_json: AsJson = False) -> None:
    """Bring the tables up to date, after a copy; every command does so on its own."""
    with guarded("The database is as it was."):
        from steelyard.store.opening import revision

        with opened() as store:
            state = revision(store)
            shown = store.place
        if as_json:
            write_json({"database": shown, "state": state})
        else:
            text = f"The database {shown} is up to date: its tables are in state {state}."
            write(visible(text) + "\n")


@db.command("backup")
def backup(
    file: Annotated[Path, Argument(help="A file that is not there yet.", metavar="F")],
    as_json: AsJson = False,
) -> None:
    """Copy the database to a file, whole, also while it is in use."""
    with guarded("No backup was made."):
        from steelyard.store.backups import backup as copy

        with opened() as store:
            size = copy(store, file)
        if as_json:
            write_json({"file": str(file), "bytes": size})
        else:
            write(visible(f"The database is copied to {file}, {size:,} bytes.") + "\n")


@db.command("restore")
def restore(
    file: Annotated[Path, Argument(help="A backup.", metavar="F")],
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database, which is kept beside it."""
    with guarded("The database is as it was."):
        from steelyard.store.backups import restore as put_back
        from steelyard.store.backups import target_of

        target = target_of(database(os.environ))
        aside = put_back(target, file)
        if as_json:
            write_json({"database": str(target), "replaced": aside or None})
            return
        before = f" What was there is {aside} beside it." if aside else ""
        write(visible(f"{file} is the database {target} now.{before}") + "\n")
