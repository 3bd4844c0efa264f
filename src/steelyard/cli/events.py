"""`steelyard events`: what happened to strategies, buckets, plans and runs, and what happens now.

What the database has and what the journal has, by time. Without a database none is looked in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from steelyard.cli.output import gone, guarded, screen, write, write_json
from steelyard.cli.stored import is_there, opened
from steelyard.cli.trading import folder

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.store.store import Store
    from steelyard.telemetry.events import PlannerEvent

POLL_SECONDS = 0.5
MOST = 100
INDENT = "    "
NO_BUCKET = "-"
LEAST_WORDS = 20
HASH = re.compile(r"\b[0-9a-f]{64}\b")
SHOWN_DIGITS = 12
"""Of a hash in a line for people; --json has all."""
NOTHING = "Nothing was read."
NO_EVENT = "There is no event to show."


def events(
    *,
    follow: Annotated[
        bool, Option("--follow", help="Then show what happens, as it happens, until Ctrl-C.")
    ] = False,
    bucket: Annotated[str | None, Option(help="Only what is of this bucket.")] = None,
    event_type: Annotated[
        str | None, Option("--type", help="Only events of this type; docs/events.md has them all.")
    ] = None,
    limit: Annotated[int, Option(min=0, help="How many, the newest.")] = MOST,
    as_json: Annotated[
        bool,
        Option("--json", help="Print one JSON document; with --follow one object a line."),
    ] = False,
) -> None:
    """Show what happened to strategies, buckets, plans and runs, the newest last."""
    with guarded(NOTHING), ExitStack() as stack:
        from steelyard.runs.happened import Reader, Wanted

        reader = Reader(_Opened(stack), folder(), Wanted(bucket, event_type))
        reader.check()
        entries = [row.event for row in reader.next(newest=limit)]
        entries = entries[-limit:] if limit else []
        if not follow:
            _show(entries, as_json=as_json)
            return
        while _passed_on(entries, as_json):
            if gone(POLL_SECONDS):
                return
            entries = [row.event for row in reader.next()]


class _Opened:
    """The database, from when it is there."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._store: Store | None = None

    def __call__(self) -> Store | None:
        if self._store is None and is_there():
            self._store = self._stack.enter_context(opened())
        return self._store


def _show(entries: Sequence[PlannerEvent], *, as_json: bool) -> None:
    from steelyard.runs.happened import document

    rows = [document(entry) for entry in entries]
    if as_json:
        write_json(rows)
    else:
        write(screen(lambda console: draw(rows, console)) if rows else f"{NO_EVENT}\n")


def _passed_on(entries: Sequence[PlannerEvent], as_json: bool) -> bool:
    """Print events that came; is the reader still there?"""
    from steelyard.runs.happened import document

    rows = [document(entry) for entry in entries]
    if as_json or not rows:
        return write("".join(f"{one_object(row)}\n" for row in rows))
    return write(screen(lambda console: draw(rows, console)))


def one_object(row: Mapping[str, Any]) -> str:
    """A line of JSON; what a terminal would obey is an escape."""
    from steelyard.report import visible

    return visible(json.dumps(row, ensure_ascii=False, allow_nan=False))


def draw(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """A line for each event with its data, which go on under it where the window is narrow."""
    from rich.text import Text

    from steelyard.report.terminal.columns import emit, wrap

    heads = [(row["bucket_id"] or NO_BUCKET, row["event_type"]) for row in rows]
    bucket, kind = (max(map(len, column)) for column in zip(*heads, strict=True))
    for row, (name, event_type) in zip(rows, heads, strict=True):
        when = row["timestamp"][:19].replace("T", " ")
        line = f"{when}  {name:{bucket}}  {event_type:{kind}}  {in_words(row['data'])}"
        first, *more = wrap(line.rstrip(), max(LEAST_WORDS, console.width - len(INDENT)))
        emit(console, [Text(first), *(Text(f"{INDENT}{words}") for words in more)])


def in_words(data: Mapping[str, Any]) -> str:
    """Data as `name value, name value`: hashes by their first digits, without what is absent."""
    return ", ".join(
        f"{name.replace('_', ' ')} {_in_words(value)}"
        for name, value in data.items()
        if value not in (None, "")
    )


def _in_words(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return HASH.sub(lambda match: match[0][:SHOWN_DIGITS], text)
