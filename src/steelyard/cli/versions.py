"""`steelyard strategy save|edit|history|diff|rollback|assign|export|import|clone`: stored versions.

Before a version is saved it is shown what it changes, in the rules and in today's plan, and asked.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from steelyard.cli.commands import Commands
from steelyard.cli.differences import diff, plan_diff, show_changes
from steelyard.cli.named import number_of, version_named
from steelyard.cli.output import guarded, note, save, screen, write, write_json
from steelyard.cli.stored import opened
from steelyard.report import visible

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.store.plans import PlanRow
    from steelyard.store.strategies import Draft, Saved, Version
    from steelyard.strategies import Strategy

AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]
Name = Annotated[str, Argument(help="A stored strategy.", metavar="NAME")]
Title = Annotated[
    str | None, Option("--title", help="What people call it; by default as before.", metavar="T")
]
Description = Annotated[
    str | None, Option("--description", help="What it is for; by default as before.", metavar="D")
]
Reason = Annotated[str, Option("--reason", help="Why, for the history.", metavar="R")]
Yes = Annotated[bool, Option("--yes", "-y", help="Save without asking.")]
NOTHING = "Nothing was saved."


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
        text, metadata = _read(file)
        strategy = checked(text, name, str(file), file.parent)
        draft = draft_of(name, text, strategy, title or metadata.get("title"), description)
        number = None if parent is None else number_of(parent)
        _save(draft, strategy, number, reason, yes=yes, as_json=as_json)


def edit(name: Name, *, reason: Reason = "", title: Title = None, yes: Yes = False) -> None:
    """Change the active version in $EDITOR and store what comes out as the next one."""
    with guarded(NOTHING):
        before = version_named(name)
        path = _scratch(name, before.toml)
        if not _edited(path):
            _refuse_edit(path)
        text = path.read_text(encoding="utf-8")
        if text == before.toml and title is None:
            path.unlink()
            note(f"Nothing was changed: version {before.version} stays.")
            return
        try:
            strategy = checked(text, name, str(path), None)
        except BaseException:
            note(f"What was written is in {path}.")
            raise
        draft = draft_of(name, text, strategy, title, None)
        if _save(draft, strategy, before.version, reason, yes=yes, as_json=False):
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
            write_json([_entry(version, rows) for version in versions])
        else:
            write(screen(lambda console: _draw_history(versions, rows, console)))


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
            followers = _followers(name)
        if as_json:
            write_json(_entry(new, None))
        else:
            say(f"{new.shown} of {name} is version {number} again. {_moved(followers)}")


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


def export(
    name: Annotated[str, Argument(help="A stored strategy, or NAME@VERSION.", metavar="NAME")],
    *,
    out: Annotated[
        Path | None, Option("--out", help="Write there; by default print.", metavar="F.toml")
    ] = None,
) -> None:
    """Print a version as a file that `strategy import` reads, with its title and description."""
    with guarded("Nothing was exported."):
        from steelyard.strategies.files.exchange import together

        version = version_named(name)
        text = together(version.toml, metadata_of(version))
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
        from steelyard.store.strategies import save as keep

        text, metadata = _read(file)
        chosen = name or name_in(metadata, text, file.stem)
        strategy = checked(text, chosen, str(file), file.parent)
        about = metadata.get("description") if description is None else description
        draft = draft_of(chosen, text, strategy, title or metadata.get("title"), about)
        with opened() as store:
            saved = keep(store, draft, reason=f"imported from {file.name}")
        _told(saved, as_json)


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
        _told(saved, as_json)


def import_folder(
    folder: Annotated[Path, Argument(help="A folder of old files.", metavar="DIR")],
    as_json: AsJson = False,
) -> None:
    """Move TOML files and satellites of a folder into the database, once.

    Every *.toml becomes a strategy; satellites.json or .toml become buckets, each planning by
    NAME_config; core_conservative becomes the core's. A second run changes nothing.
    """
    with guarded("Nothing was moved."):
        from dataclasses import asdict

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


def draft_of(
    name: str, text: str, strategy: Strategy, title: str | None, description: str | None
) -> Draft:
    """What becomes a version; the description is the file's own where nothing is said."""
    from steelyard.store.strategies import Draft

    about = strategy.description if description is None else description
    return Draft(
        name=name,
        title=title or "",
        description=about or None,
        toml=text,
        rules_sha256=strategy.sha256,
    )


def checked(text: str, name: str, source: str, folder: Path | None) -> Strategy:
    """The strategy of a text that is to be stored; raises SettingsError with every problem.

    A plugin that cannot be loaded, and a file that it inherits from, are refused: a version that
    is stored says all of itself.
    """
    from steelyard.store.exchange import standing_alone

    return standing_alone(text, name, source, folder)


def name_in(metadata: dict[str, Any], text: str, stem: str) -> str:
    """The name that a file gives its strategy: in its metadata, in its text, else its own."""
    from steelyard.store.exchange import name_of

    return name_of(metadata, text, stem)


def metadata_of(version: Version) -> dict[str, str | int]:
    """What an export says of a version."""
    return {
        "name": version.name,
        "title": version.title,
        "description": version.description,
        "version": version.version,
        "created_at": version.created_at.isoformat(),
        "created_by": version.created_by,
        "rules_sha256": version.rules_sha256,
    }


def say(text: str) -> None:
    """One line of text that names a file, whatever its name is."""
    write(visible(text) + "\n")


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    from steelyard.strategies.files.exchange import apart
    from steelyard.strategies.files.reading import read

    return apart(read(file))


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
    _told(saved, as_json)
    return True


def _told(saved: Saved, as_json: bool) -> None:
    new = saved.version
    if as_json:
        write_json({**_entry(new, None), "name": new.name, "meanwhile": list(saved.meanwhile)})
        return
    for number in saved.meanwhile:
        say(f"version {number} was saved meanwhile: both are in the history.")
    say(f"{new.shown} of {new.name} is stored and active. {_moved(_followers(new.name))}")
    _remark(new.name)


def _remark(name: str) -> None:
    """Say which of two strategies of one name is meant where."""
    from steelyard.strategies import PRESETS

    if name in PRESETS:
        note(
            f"A preset is called {name} too: --strategy {name} means the preset, "
            f"--strategy {name}@active yours."
        )


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


def _followers(name: str) -> list[str]:
    from steelyard.store.assignments import followers

    with opened() as store:
        return followers(store, name)


def _moved(followers: Sequence[str]) -> str:
    if not followers:
        return "No bucket follows it."
    plural = "s" if len(followers) > 1 else ""
    verb = "" if len(followers) > 1 else "s"
    return f"The bucket{plural} {', '.join(followers)} plan{verb} by it from now on."


def _entry(version: Version, rows: Sequence[PlanRow] | None) -> dict[str, Any]:
    entry = {
        "id": version.id,
        "version": version.version,
        "title": version.title,
        "description": version.description,
        "active": version.active,
        "created_at": version.created_at.isoformat(),
        "created_by": version.created_by,
        "parent": version.parent,
        "sha256": version.sha256,
        "rules_sha256": version.rules_sha256,
        "reason": version.reason,
    }
    if rows is None:
        return entry
    made = [row for row in rows if row.strategy_version == version.version]
    return {**entry, "plans": [_plan_entry(row) for row in made]}


def _plan_entry(row: PlanRow) -> dict[str, Any]:
    return {
        "plan_id": row.plan_id,
        "bucket": row.bucket,
        "as_of": row.as_of.isoformat(),
        "score": row.score,
        "improvement": row.improvement,
        "turnover": row.turnover,
        "cost": str(row.cost),
    }


def _draw_history(
    versions: Sequence[Version], rows: Sequence[PlanRow] | None, console: Console
) -> None:
    from steelyard.report.terminal.columns import Column, Row, table

    columns = (
        Column("Version"),
        Column("Stored", drop=2),
        Column("By", drop=4),
        Column("From", drop=3),
        Column("Rules", drop=5),
        Column("Why", drop=1),
    )
    table(
        console,
        columns,
        [Row(_cells(v), _under(v, rows), "bold" if v.active else "") for v in versions],
    )


def _cells(version: Version) -> tuple[str, ...]:
    mark = ", active" if version.active else ""
    base = "" if version.parent is None else f"v{version.parent}"
    at = f"{version.created_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"{version.shown}{mark}",
        at,
        version.created_by,
        base,
        version.sha256[:12],
        version.reason,
    )


def _under(version: Version, rows: Sequence[PlanRow] | None) -> tuple[str, ...]:
    about = (version.description,) if version.description else ()
    if rows is None:
        return about
    plans = [row for row in rows if row.strategy_version == version.version]
    if not plans:
        return (*about, "no plan")
    return (*about, *(_plan_line(row) for row in plans))


def _plan_line(row: PlanRow) -> str:
    figures = f"score {100 * row.score:.2f}, turnover {100 * row.turnover:.1f} %"
    money = f"cost {row.base_currency} {row.cost:,.2f}"
    count = f"{row.orders} order{'s' * (row.orders != 1)}" if row.orders else "hold"
    return f"{row.plan_id[:12]} {row.bucket} as of {row.as_of}: {count}, {figures}, {money}"


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


def _refuse_existing(path: Path) -> None:
    from steelyard.errors import InputError

    if os.path.lexists(path):
        raise InputError(
            f"{path} is there already and was left as it is. Name another file.",
            code="file_exists",
            place=str(path),
            hint="name another file",
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
