"""`steelyard strategy save|edit|history|rollback|assign`: stored versions.

Before a version is saved it is shown what it changes, in the rules and in today's plan, and asked.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from steelyard.cli.commands import Commands
from steelyard.cli.differences import diff, plan_diff, show_changes
from steelyard.cli.exchange import clone, export, import_, import_folder
from steelyard.cli.named import number_of, version_named
from steelyard.cli.output import guarded, note, screen, write, write_json
from steelyard.cli.saving import (
    NOTHING,
    AsJson,
    Description,
    Title,
    checked,
    entry_of,
    followers_of,
    moved,
    read_apart,
    say,
    tell,
)
from steelyard.cli.stored import opened

if TYPE_CHECKING:
    from steelyard.store.strategies import Draft
    from steelyard.strategies import Strategy

Name = Annotated[str, Argument(help="A stored strategy.", metavar="NAME")]
Reason = Annotated[str, Option("--reason", help="Why, for the history.", metavar="R")]
Yes = Annotated[bool, Option("--yes", "-y", help="Save without asking.")]


def register(strategy: Commands) -> None:
    """Add the commands to the group."""
    for name, command in COMMANDS.items():
        strategy.command(name)(command)


def save_(
    name: Name,
    file: Annotated[Path, Argument(help="A strategy file.", metavar="FILE")],
    *,
    title: Title = None,
    description: Description = None,
    reason: Reason = "",
    parent: Annotated[
        str | None,
        Option("--parent", help="The version that the file was made from.", metavar="V"),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Store a file as the next version of a name; the buckets that follow it move with it."""
    with guarded(NOTHING):
        from steelyard.store.exchange import draft_of

        text, metadata = read_apart(file)
        strategy = checked(text, name, str(file), file.parent)
        draft = draft_of(name, text, strategy, title or metadata.get("title"), description)
        number = None if parent is None else number_of(parent)
        _save(draft, strategy, number, reason, yes=yes, as_json=as_json)


def edit(
    name: Name,
    *,
    reason: Reason = "",
    title: Title = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Change the active version in $EDITOR and store what comes out as the next one."""
    with guarded(NOTHING):
        from steelyard.store.exchange import draft_of
        from steelyard.strategies.files.reading import read

        before = version_named(name)
        path = _scratch(name, before.toml)
        if not _edited(path):
            _refuse_edit(path)
        try:
            text = read(path)
            if text == before.toml and title is None:
                note(f"Nothing was changed: version {before.version} stays.")
                done = True
                if as_json:
                    write_json({**entry_of(before, None), "name": name, "meanwhile": []})
            else:
                strategy = checked(text, name, str(path), None)
                draft = draft_of(name, text, strategy, title, None)
                done = _save(draft, strategy, before.version, reason, yes=yes, as_json=as_json)
        except BaseException:
            if os.path.lexists(path):
                note(f"What was written is in {path}.")
            raise
        if done:
            path.unlink()
        else:
            note(f"What was written is in {path}.")


def history(
    name: Name,
    plans: Annotated[
        bool, Option("--plans", help="Also the plans that each version made.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List every version of a strategy, the newest first."""
    with guarded():
        from steelyard.store.plans import listed
        from steelyard.store.strategies import history as versions_of

        with opened() as store:
            versions = versions_of(store, name)
            rows = listed(store, strategy=name) if plans else None
        if as_json:
            write_json([entry_of(version, rows) for version in versions])
        else:
            from steelyard.cli.history_view import draw_history

            write(screen(lambda console: draw_history(versions, rows, console)))


def rollback(
    name: Name,
    version: Annotated[str, Argument(help="The version to go back to.", metavar="V")],
    *,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Append a version with the content of an old one; the buckets that follow move with it."""
    with guarded("Nothing was rolled back."):
        from steelyard.store.exchange import still_whole
        from steelyard.store.strategies import rollback as roll_back
        from steelyard.store.strategies import version as stored_version

        number = number_of(version)
        with opened() as store:
            still_whole(stored_version(store, name, number))
            new = roll_back(store, name, number, reason=reason)
            followers = followers_of(name)
        if as_json:
            write_json(entry_of(new, None))
        else:
            say(f"{new.shown} of {name} is version {number} again. {moved(followers)}")


def assign(
    name: Name,
    *,
    bucket: Annotated[str, Option("--bucket", help="Which bucket plans by it.", metavar="B")],
    version: Annotated[
        str | None,
        Option("--version", help="Pin the bucket to it; else it follows the name.", metavar="V"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a bucket plan by a stored strategy."""
    with guarded("Nothing was assigned."):
        from steelyard.store.assignments import assign as let_plan_by
        from steelyard.store.assignments import assigned
        from steelyard.store.exchange import still_whole
        from steelyard.store.strategies import version as stored_version

        number = None if version is None else number_of(version)
        with opened() as store:
            still_whole(stored_version(store, name, number))
            new = let_plan_by(store, bucket, name, number)
            follows = assigned(store, bucket)
        pinned = bool(follows and follows.pinned)
        if as_json:
            entry = {"bucket": bucket, "name": name, "version": new.version, "title": new.title}
            write_json({**entry, "pinned": pinned})
        else:
            how = "and stays with it" if pinned else "and follows it"
            say(f"The bucket {bucket} plans by {new.shown} of {name}, {how}.")
            say(f"To plan it: steelyard plan --bucket {shlex.quote(bucket)}")


def _save(
    draft: Draft,
    strategy: Strategy,
    parent: int | None,
    reason: str,
    *,
    yes: bool,
    as_json: bool,
) -> bool:
    """Show what changes, ask, save; False where the answer is no."""
    from steelyard.errors import NotStored
    from steelyard.store.strategies import save as keep
    from steelyard.store.strategies import version

    with opened() as store:
        try:
            before = version(store, draft.name, parent)
        except NotStored:
            if parent is not None:
                raise
            before = None
        if before is not None and not as_json:
            show_changes(before, draft, strategy, plans=not yes)
        if not (yes or as_json or _agreed(f"Save it as the next version of {draft.name}?")):
            note(NOTHING)
            return False
        saved = keep(store, draft, reason=reason, parent=before.version if before else None)
    tell(saved, as_json)
    return True


def _agreed(question: str) -> bool:
    """Ask on the terminal; without one nothing is agreed to."""
    if not sys.stdin.isatty():
        from steelyard.errors import InputError

        raise InputError(
            f"There is no terminal to ask on. {NOTHING} To save without being asked: --yes",
            code="nobody_to_ask",
            place="--yes",
            hint="--yes",
        )
    return typer.confirm(question, err=True)


def _scratch(name: str, text: str) -> Path:
    handle, path = tempfile.mkstemp(prefix=f"{name}-", suffix=".toml")
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return Path(path)


def _edited(path: Path) -> bool:
    """Run the editor of the user; did it end well?"""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        return (
            subprocess.run(  # noqa: S603 - the user's own editor
                [*shlex.split(editor), str(path)], check=False
            ).returncode
            == 0
        )
    except (OSError, ValueError):
        return False


def _refuse_edit(path: Path) -> None:
    from steelyard.errors import InputError

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    raise InputError(
        f"The editor {editor!r} did not end well. {NOTHING} The text is in {path}. Set EDITOR to "
        "another one.",
        code="editor_failed",
        place="EDITOR",
        value=editor,
        hint="set EDITOR to another one",
    )


COMMANDS = {
    "save": save_,
    "edit": edit,
    "history": history,
    "diff": diff,
    "plan-diff": plan_diff,
    "rollback": rollback,
    "assign": assign,
    "export": export,
    "import": import_,
    "import-folder": import_folder,
    "clone": clone,
}
