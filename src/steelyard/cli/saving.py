"""What commands that store a strategy share: a file read and checked, and what is said after."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from steelyard.cli.output import note, write, write_json
from steelyard.cli.stored import opened
from steelyard.report import visible

if TYPE_CHECKING:
    from steelyard.store.plans import PlanRow
    from steelyard.store.strategies import Saved, Version
    from steelyard.strategies import Strategy

AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]
Title = Annotated[
    str | None, Option("--title", help="What people call it; by default as before.", metavar="T")
]
Description = Annotated[
    str | None, Option("--description", help="What it is for; by default as before.", metavar="D")
]
NOTHING = "Nothing was saved."


def checked(text: str, name: str, source: str, folder: Path | None) -> Strategy:
    """The strategy of a text that is to be stored; raises SettingsError with every problem.

    A plugin that cannot be loaded, and a file that it inherits from, are refused: a version that
    is stored says all of itself.
    """
    from steelyard.store.exchange import standing_alone

    return standing_alone(text, name, source, folder)


def say(text: str) -> None:
    """One line of text that names a file, whatever its name is."""
    write(visible(text) + "\n")


def read_apart(file: Path) -> tuple[str, dict[str, Any]]:
    """The text of a file, and its metadata apart."""
    from steelyard.strategies.files.exchange import apart
    from steelyard.strategies.files.reading import read

    return apart(read(file))


def tell(saved: Saved, as_json: bool) -> None:
    """Say what was saved, what others saved meanwhile, and which buckets plan by it."""
    new = saved.version
    if as_json:
        write_json({**entry_of(new, None), "name": new.name, "meanwhile": list(saved.meanwhile)})
        return
    for number in saved.meanwhile:
        say(f"version {number} was saved meanwhile: both are in the history.")
    followers = followers_of(new.name)
    say(f"{new.shown} of {new.name} is stored and active. {moved(followers)}")
    if not followers:
        say(f"To let one: steelyard strategy assign {shlex.quote(new.name)} --bucket B")
    _remark(new.name)


def _remark(name: str) -> None:
    """Say which of two strategies of one name is meant where."""
    from steelyard.strategies import PRESETS

    if name in PRESETS:
        note(
            f"A preset is called {name} too: --strategy {name} means the preset, "
            f"--strategy {name}@active yours."
        )


def followers_of(name: str) -> list[str]:
    """The buckets that follow a name."""
    from steelyard.store.assignments import followers

    with opened() as store:
        return followers(store, name)


def moved(followers: Sequence[str]) -> str:
    """Which buckets plan by it from now on, in a sentence."""
    if not followers:
        return "No bucket follows it."
    plural = "s" if len(followers) > 1 else ""
    verb = "" if len(followers) > 1 else "s"
    return f"The bucket{plural} {', '.join(followers)} plan{verb} by it from now on."


def entry_of(version: Version, rows: Sequence[PlanRow] | None) -> dict[str, Any]:
    """A version as JSON has it, with its plans where they are asked for."""
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
