"""`steelyard events`: what happened to strategies, buckets and plans, and what happens now."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from steelyard.cli.output import gone, guarded, screen, write, write_json
from steelyard.cli.stored import is_there, opened

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.store.events import Kept
    from steelyard.store.store import Store

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
    """Show what happened to strategies, buckets and plans, the newest last."""
    with guarded(NOTHING):
        if not is_there() and not follow:
            _show([], as_json=as_json)
            return
        with opened() as store:
            from steelyard.store.events import last, since

            _check(store, bucket, event_type)
            read = partial(since, store, bucket=bucket, event_type=event_type)
            place = last(store)
            entries = read(newest=limit) if limit else []
            if follow:
                _follow(read, place, entries, as_json=as_json)
            else:
                _show(entries, as_json=as_json)


def _follow(
    read: Callable[[int], list[Kept]], place: int, entries: Sequence[Kept], *, as_json: bool
) -> None:
    """Print events, and those after a place as they come, until the reader goes."""
    while _passed_on(entries, as_json):
        place = max([place, *(entry.id for entry in entries)])
        if gone(POLL_SECONDS):
            return
        entries = read(place)


def _show(entries: Sequence[Kept], *, as_json: bool) -> None:
    rows = [row_of(entry) for entry in entries]
    if as_json:
        write_json(rows)
    else:
        write(screen(lambda console: draw(rows, console)) if rows else f"{NO_EVENT}\n")


def _passed_on(entries: Sequence[Kept], as_json: bool) -> bool:
    """Print events that came; is the reader still there?"""
    rows = [row_of(entry) for entry in entries]
    if as_json or not rows:
        return write("".join(f"{one_object(row)}\n" for row in rows))
    return write(screen(lambda console: draw(rows, console)))


def row_of(entry: Kept) -> dict[str, Any]:
    """An event as JSON values."""
    event = entry.event
    return {
        "timestamp": event.timestamp.isoformat(),
        "bucket_id": event.bucket_id,
        "event_type": event.event_type,
        "data": dict(event.data),
        "correlation_id": event.correlation_id,
    }


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


def _check(store: Store, bucket: str | None, event_type: str | None) -> None:
    """Raise NotStored for a bucket or a type that never was, with the nearest."""
    from steelyard.store.events import buckets, types
    from steelyard.telemetry.events import EVENTS

    if bucket is not None:
        _one_of(bucket, buckets(store), "--bucket", "No event is of the bucket")
    if event_type is not None:
        names = {*types(store), *(event.__name__ for event in EVENTS)}
        _one_of(event_type, sorted(names), "--type", "There is no event of the type")


def _one_of(name: str, names: Sequence[str], option: str, what: str) -> None:
    from steelyard.errors import NotStored, did_you_mean

    if name not in names:
        near = did_you_mean(name, names)
        raise NotStored(
            f"{what} {name}.{near} {NOTHING}",
            code="no_such_event",
            place=option,
            value=name,
            limit=", ".join(names),
            hint=near.strip(),
        )
