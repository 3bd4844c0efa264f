"""`steelyard events`: what happened to strategies, buckets, plans and runs, and what happens now.

What the database has and what the journal has, by time. Without a database none is looked in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from heapq import merge
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol

from typer import Option

from steelyard.cli.output import gone, guarded, screen, write, write_json
from steelyard.cli.stored import is_there, opened
from steelyard.cli.trading import folder

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from steelyard.execution.journal.journal import Journal
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
    with guarded(NOTHING), _sources(Wanted(bucket, event_type)) as sources:
        _check(sources, bucket, event_type)
        entries = _merged(source.next(limit) for source in sources)
        entries = entries[-limit:] if limit else []
        if not follow:
            _show(entries, as_json=as_json)
            return
        while _passed_on(entries, as_json):
            if gone(POLL_SECONDS):
                return
            entries = _merged(source.next() for source in sources)


class Wanted(NamedTuple):
    """Which events are shown; None = all."""

    bucket: str | None
    event_type: str | None

    def has(self, event: PlannerEvent) -> bool:
        """Is it one of them?"""
        return self.bucket in (None, event.bucket_id) and self.event_type in (
            None,
            event.event_type,
        )


class Source(Protocol):
    """A place where events are kept."""

    def next(self, newest: int | None = None) -> list[PlannerEvent]:
        """Those that came since it was asked last, oldest first; at most so many, the newest."""

    def buckets(self) -> Sequence[str]:
        """Every bucket that one is of."""

    def types(self) -> Sequence[str]:
        """Every type that there is one of."""


@contextmanager
def _sources(filters: Wanted) -> Iterator[tuple[Source, Source]]:
    """The database and the journal, each from when it is there."""
    with ExitStack() as stack:
        journal = _OfJournal(folder(), filters)
        stack.callback(journal.close)
        yield _OfStore(stack, filters), journal


class _OfStore:
    """Events of the database."""

    def __init__(self, stack: ExitStack, filters: Wanted) -> None:
        self._stack, self._filters, self._place = stack, filters, 0
        self._store: Store | None = None

    def next(self, newest: int | None = None) -> list[PlannerEvent]:
        store = self._opened()
        if store is None:
            return []
        from steelyard.store.events import last, since

        bucket, event_type = self._filters
        place = last(store)
        entries = since(store, self._place, bucket=bucket, event_type=event_type, newest=newest)
        self._place = max([place, *(entry.id for entry in entries)])
        return [entry.event for entry in entries]

    def buckets(self) -> Sequence[str]:
        store = self._opened()
        if store is None:
            return []
        from steelyard.store.events import buckets

        return buckets(store)

    def types(self) -> Sequence[str]:
        store = self._opened()
        if store is None:
            return []
        from steelyard.store.events import types

        return types(store)

    def _opened(self) -> Store | None:
        if self._store is None and is_there():
            self._store = self._stack.enter_context(opened())
        return self._store


class _OfJournal:
    """Events of the journal, which may come to be while somebody looks."""

    def __init__(self, home: Path, filters: Wanted) -> None:
        self._home, self._filters, self._place = home, filters, 0
        self._journal: Journal | None = None

    def next(self, newest: int | None = None) -> list[PlannerEvent]:
        entry = self._opened()
        if entry is None:
            return []
        entries = entry.events(self._place)
        self._place = max([self._place, *(number for number, _ in entries)])
        chosen = [event for _, event in entries if self._filters.has(event)]
        return chosen if newest is None else chosen[max(0, len(chosen) - newest) :]

    def buckets(self) -> Sequence[str]:
        entry = self._opened()
        names = [] if entry is None else entry.rows("SELECT DISTINCT bucket FROM run")
        return [name for (name,) in names]

    def types(self) -> Sequence[str]:
        entry = self._opened()
        names = [] if entry is None else entry.rows("SELECT DISTINCT kind FROM event")
        return [name for (name,) in names]

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def _opened(self) -> Journal | None:
        from steelyard.execution.journal.opening import is_there, open_journal

        if self._journal is None and is_there(self._home):
            self._journal = open_journal(self._home)
        return self._journal


def _merged(parts: Iterable[list[PlannerEvent]]) -> list[PlannerEvent]:
    """Events of several sources by time; within one source its order stays."""
    return list(merge(*parts, key=lambda event: event.timestamp))


def _show(entries: Sequence[PlannerEvent], *, as_json: bool) -> None:
    rows = [row_of(entry) for entry in entries]
    if as_json:
        write_json(rows)
    else:
        write(screen(lambda console: draw(rows, console)) if rows else f"{NO_EVENT}\n")


def _passed_on(entries: Sequence[PlannerEvent], as_json: bool) -> bool:
    """Print events that came; is the reader still there?"""
    rows = [row_of(entry) for entry in entries]
    if as_json or not rows:
        return write("".join(f"{one_object(row)}\n" for row in rows))
    return write(screen(lambda console: draw(rows, console)))


def row_of(event: PlannerEvent) -> dict[str, Any]:
    """An event as JSON values."""
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


def _check(sources: Sequence[Source], bucket: str | None, event_type: str | None) -> None:
    """Raise NotStored for a bucket or a type that never was, with the nearest."""
    from steelyard.telemetry.events import EVENTS

    if bucket is not None:
        names = {name for source in sources for name in source.buckets()}
        _one_of(bucket, sorted(names), "--bucket", "No event is of the bucket")
    if event_type is not None:
        names = {name for source in sources for name in source.types()}
        names |= {event.__name__ for event in EVENTS}
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
