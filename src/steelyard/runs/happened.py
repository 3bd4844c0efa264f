"""What happened, from both places that keep it: the database and the journal, by time.

A reader has a place in each, `Place`, behind which what comes next is read: no event is read twice
and none is passed over, whichever of the two it is of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from heapq import merge
from pathlib import Path
from typing import Any, NamedTuple

from steelyard.errors import InputError, NotStored, did_you_mean
from steelyard.execution.journal.opening import is_there, open_to_look
from steelyard.store import events as kept_events
from steelyard.store.store import Store
from steelyard.telemetry.events import EVENTS, PlannerEvent

NOTHING = "Nothing was read."
MOST_DIGITS = 18
"""Of a place: what both files can count."""


class Place(NamedTuple):
    """How far was read: the newest event of the database and of the journal that was seen."""

    stored: int = 0
    journal: int = 0

    def __str__(self) -> str:
        return f"{self.stored}.{self.journal}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """A place as it was written; raises InputError for any other text.

        >>> Place.parse("12.7")
        Place(stored=12, journal=7)
        """
        stored, _, journal = text.partition(".")
        numbers = stored, journal or "0"
        if all(n.isascii() and n.isdigit() and len(n) <= MOST_DIGITS for n in numbers):
            return cls(*map(int, numbers))
        raise InputError(
            f"{text[:MOST_DIGITS]!r} is no place among events. {NOTHING} Give the id of one that "
            "was read, or 0 for all.",
            code="no_such_place",
            place="after",
            value=text,
            limit="the id of an event, or 0",
            hint="give the id of an event that was read, or 0 for all",
        )


class Wanted(NamedTuple):
    """Which events are read; None = all."""

    bucket: str | None = None
    event_type: str | None = None

    def has(self, event: PlannerEvent) -> bool:
        """Is it one of them?"""
        return self.bucket in (None, event.bucket_id) and self.event_type in (
            None,
            event.event_type,
        )


ALL = Wanted()
BEGINNING = Place()


class Happened(NamedTuple):
    """An event, and the place behind it."""

    place: Place
    event: PlannerEvent


@dataclass
class Reader:
    """Reads on from a place; another thread may go on where one has stopped.

    store   the database, None while there is none
    home    where the journal is, which may come to be while somebody reads
    """

    store: Callable[[], Store | None]
    home: Path
    wanted: Wanted = ALL
    place: Place = BEGINNING

    def next(self, *, most: int | None = None, newest: int | None = None) -> list[Happened]:
        """What came since it was asked last, by time, oldest first.

        most     of each file at most so many, the oldest: the rest comes next time
        newest   of each file at most so many, the newest: the rest is passed over
        """
        before = self.place
        stored = self._of_store(most, newest)
        journal = self._of_journal(most, newest)
        place, rows = before, []
        for at, event in merge(stored, journal, key=lambda row: row[1].timestamp):
            place = Place(max(place.stored, at.stored), max(place.journal, at.journal))
            rows.append(Happened(place, event))
        return rows

    def end(self) -> Place:
        """The place behind all that happened."""
        store, journal = self.store(), self._journal_rows("SELECT max(seq) FROM event")
        return Place(0 if store is None else kept_events.last(store), (journal or [[0]])[0][0] or 0)

    def check(self) -> None:
        """Raise NotStored for a bucket or a type that never was, with the nearest."""
        store, (bucket, event_type) = self.store(), self.wanted
        if bucket is not None:
            names = {name for (name,) in self._journal_rows("SELECT DISTINCT bucket FROM run")}
            names |= set() if store is None else {*kept_events.buckets(store)}
            _one_of(bucket, sorted(names), "--bucket", "No event is of the bucket")
        if event_type is not None:
            names = {name for (name,) in self._journal_rows("SELECT DISTINCT kind FROM event")}
            names |= set() if store is None else {*kept_events.types(store)}
            names |= {event.__name__ for event in EVENTS}
            _one_of(event_type, sorted(names), "--type", "There is no event of the type")

    def _of_store(self, most: int | None, newest: int | None) -> list[tuple[Place, PlannerEvent]]:
        store = self.store()
        if store is None:
            return []
        (bucket, event_type), last = self.wanted, kept_events.last(store)
        rows = kept_events.since(
            store,
            self.place.stored,
            bucket=bucket,
            event_type=event_type,
            newest=newest,
            most=most,
        )
        full = most is not None and len(rows) == most
        seen = [row.id for row in rows]
        self.place = self.place._replace(stored=seen[-1] if full else max([last, *seen]))
        return [(Place(stored=row.id), row.event) for row in rows]

    def _of_journal(self, most: int | None, newest: int | None) -> list[tuple[Place, PlannerEvent]]:
        if not is_there(self.home):
            return []
        with closing(open_to_look(self.home)) as journal:
            entries = journal.events(self.place.journal, most)
        numbers = [number for number, _ in entries]
        self.place = self.place._replace(journal=max([self.place.journal, *numbers]))
        rows = [(Place(journal=n), event) for n, event in entries if self.wanted.has(event)]
        return rows if newest is None else rows[max(0, len(rows) - newest) :]

    def _journal_rows(self, query: str) -> Sequence[Any]:
        if not is_there(self.home):
            return []
        with closing(open_to_look(self.home)) as journal:
            return journal.rows(query)


def document(event: PlannerEvent) -> dict[str, Any]:
    """An event as JSON values."""
    return {
        "timestamp": event.timestamp.isoformat(),
        "bucket_id": event.bucket_id,
        "event_type": event.event_type,
        "data": dict(event.data),
        "correlation_id": event.correlation_id,
    }


def _one_of(name: str, names: Sequence[str], option: str, what: str) -> None:
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
