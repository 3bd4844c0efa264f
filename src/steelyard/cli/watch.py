"""`steelyard watch`: what is due is planned, stored and told; nothing is ever executed by it."""

from __future__ import annotations

import os
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer import Argument, Option

from steelyard.cli import pages_address
from steelyard.cli.commands import Commands
from steelyard.cli.output import FAILED, guarded, if_signalled, note, screen, write, write_json
from steelyard.cli.stored import opened
from steelyard.cli.watch_view import draw_rows, draw_ticks
from steelyard.report import visible

if TYPE_CHECKING:
    from steelyard.store.store import Store
    from steelyard.watch.look import Looked
    from steelyard.watch.schedule import Schedule

watch = Commands(
    help="What is due is planned and told, never executed: look once, or until Ctrl-C; schedules "
    "and channels.",
    invoke_without_command=True,
    no_args_is_help=False,
)
AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]
Bucket = Annotated[str, Argument(help="A bucket.", metavar="B")]
NOT_CHANGED = "Nothing was changed."
EveryDay = Literal["daily", "weekly", "month-end", "quarter-end"]
ENDED = "The scheduler has ended. What it wrote down stays; nothing was sent."


@watch.callback()
def look(
    context: typer.Context,
    *,
    once: Annotated[bool, Option("--once", help="Look once, and end.")] = False,
    as_json: Annotated[bool, Option("--json", help="With --once: one JSON document.")] = False,
) -> None:
    """Look what is due by the schedules of the buckets: plan it, store it, tell it.

    One process looks at a time; another one with --once says who does, and ends. A channel that
    fails is tried again at the next looks, three times in all. Exit code 1 where one was not told.
    """
    if context.invoked_subcommand is not None:
        return
    with guarded():
        if as_json and not once:
            raise typer.BadParameter("it goes with --once.", param_hint="--json")
        with opened() as store:
            if once:
                _once(store, as_json=as_json)
            else:
                _on_and_on(store)


@watch.command("set")
def set_(
    bucket: Bucket,
    *,
    file: Annotated[
        Path | None, Option("--file", help="A TOML file with a table [schedule].", metavar="F")
    ] = None,
    every: Annotated[EveryDay | None, Option("--every", help="By its calendar.")] = None,
    weekday: Annotated[
        str | None, Option("--weekday", help="Of weekly; friday if not said.", metavar="DAY")
    ] = None,
    on: Annotated[str | None, Option("--on", help="One time, on a day.", metavar="DATE")] = None,
    at: Annotated[
        str | None, Option("--at", help="Local time; 09:30 if not said.", metavar="HH:MM")
    ] = None,
    zone: Annotated[
        str | None, Option("--zone", help="Whose local time; UTC if not said.", metavar="Z")
    ] = None,
    exchange: Annotated[
        str | None, Option("--exchange", help="Whose sessions count: XNYS, XETR.", metavar="X")
    ] = None,
    bands: Annotated[
        bool, Option("--bands", help="Also whenever a weight is out of its band.")
    ] = False,
    mute_until: Annotated[
        str | None,
        Option("--mute-until", help="Plan nothing and tell nobody until then.", metavar="DATE"),
    ] = None,
    unmute: Annotated[bool, Option("--unmute", help="Tell again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say when a bucket is planned by itself, by options or a file; or mute it."""
    options = {
        "every": every, "weekday": weekday, "on": on, "at": at, "zone": zone, "exchange": exchange,
    }  # fmt: skip
    values: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    values |= {"bands": True} if bands else {}
    with guarded(NOT_CHANGED):
        if file is not None and values:
            raise typer.BadParameter("a file says all of it.", param_hint="--file")
        if file is None and not values and mute_until is None and not unmute:
            raise typer.BadParameter(
                "say when: --every, --on, --bands or --file.", param_hint="--every"
            )
        if mute_until is not None and unmute:
            raise typer.BadParameter("it goes without --mute-until.", param_hint="--unmute")
        with opened() as store:
            change = _Change(store, bucket, file, values)
            until = None if mute_until is None else change.moment(mute_until)
            change.make(until, hear=unmute)
            _tell_never_due(store, bucket)
            _shown(store, bucket, as_json=as_json)


@watch.command("list")
def list_(
    *,
    bucket: Annotated[str | None, Option(help="Only this one.", metavar="B")] = None,
    as_json: AsJson = False,
) -> None:
    """List the buckets with their schedules: when each is due next, and what came of it last."""
    with guarded(), opened() as store:
        _shown(store, bucket, as_json=as_json)


@watch.command("ticks")
def ticks(
    *,
    bucket: Annotated[str | None, Option(help="Only of this one.", metavar="B")] = None,
    most: Annotated[int, Option(min=1, max=500, help="At most so many.", metavar="N")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what came of the newest ticks, and who was told."""
    with guarded():
        from steelyard.watch import board
        from steelyard.watch.documents import tick_document

        with opened() as store:
            rows = board.ticks(store, bucket, most)
            ways = board.channels(store, os.environ)
        if as_json:
            write_json([tick_document(row) for row in rows])
        elif not rows:
            write("No bucket was due yet.\n")
        else:
            write(screen(lambda console: draw_ticks(rows, ways, console)))


@watch.command("remove")
def remove(bucket: Bucket, *, as_json: AsJson = False) -> None:
    """Take the schedule of a bucket away; what came of its ticks stays."""
    with guarded(NOT_CHANGED):
        from steelyard.watch import board

        with opened() as store:
            board.remove(store, bucket)
        if as_json:
            write_json({"bucket": bucket, "schedule": None})
        else:
            _say(f"{bucket} is planned by itself no more.")


@watch.command("test")
def try_(
    channel: Annotated[
        str | None, Argument(help="smtp, webhook or apprise; all if not said.", metavar="[CHANNEL]")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send a test message by a channel, or by all that are set."""
    with guarded():
        from steelyard.watch import board

        with opened() as store:
            results = board.try_channel(store, os.environ, channel)
        if as_json:
            write_json({name: None if e is None else str(e) for name, e in results.items()})
        for name, error in results.items():
            if error is not None:
                note(f"{name}: {error}")
            elif not as_json:
                _say(f"{name} took the test message.")
        if any(error is not None for error in results.values()):
            raise typer.Exit(FAILED)


def _once(store: Store, *, as_json: bool) -> None:
    from steelyard.watch import board, scheduler
    from steelyard.watch.documents import looked_document
    from steelyard.watch.turn import holding

    looked = scheduler.once(store, os.environ, _base_url(), note)
    held_by = None if looked is not None else holding(store)
    other = None if looked is not None else "another process" if held_by is None else held_by[0]
    if as_json:
        write_json(looked_document(looked, other))
    elif looked is None:
        _say(f"{other} looks already: this one did nothing.")
        if held_by is not None:
            _say(f"If it was killed, its turn ends by itself at {held_by[1]:%H:%M:%S} UTC.")
    else:
        ways = board.channels(store, os.environ)
        write(screen(lambda console: draw_ticks(looked.ticks, ways, console)))
    if looked is not None and _problems(looked):
        raise typer.Exit(FAILED)


def _on_and_on(store: Store) -> None:
    from steelyard.watch import board, scheduler

    def heard(looked: Looked) -> None:
        if looked.ticks:
            ways = board.channels(store, os.environ)
            write(screen(lambda console: draw_ticks(looked.ticks, ways, console)))
        _problems(looked)

    if_signalled(ENDED)
    note("Looking what is due, until Ctrl-C.")
    scheduler.run(store, os.environ, _base_url(), over=threading.Event(), heard=heard, remark=note)


def _problems(looked: Looked) -> bool:
    """Say which channels were not told, and which schedules cannot be read; was there any?"""
    failures = [
        (tick, name, each)
        for tick in looked.ticks
        for name, each in tick.deliveries.items()
        if each.error
    ]
    for tick, name, each in failures:
        rest = "It is tried no more" if each.state == "failed" else "It is tried at the next look"
        note(f"{tick.bucket}: {name} was not told, try {each.tries}: {each.error} {rest}.")
    for bucket, error in looked.problems.items():
        note(f"{bucket}: {error}")
    return bool(failures or looked.problems)


class _Change:
    """What is to become of a schedule; all of it is judged before anything is written."""

    def __init__(
        self, store: Store, bucket: str, file: Path | None, values: dict[str, Any]
    ) -> None:
        from steelyard.strategies.files.reading import read
        from steelyard.watch.schedule import of_values, parse, written

        self.store, self.bucket = store, bucket
        self.text = None if file is None else read(file)
        if self.text is not None:
            self.schedule: Schedule | None = parse(self.text, str(file))
        elif values:
            self.schedule = of_values(values)
            self.text = written(self.schedule)
        else:
            self.schedule = self._stored()

    def _stored(self) -> Schedule | None:
        from steelyard.watch import board

        rows = board.rows(self.store, os.environ)
        return next((row.schedule for row in rows if row.bucket == self.bucket), None)

    def moment(self, text: str) -> datetime:
        """A time that is still to come; raises InputError, a usage error for what is none."""
        from steelyard.watch import board

        until = _moment(text, self.schedule)
        board.check_to_come(self.store, until)
        return until

    def make(self, until: datetime | None, *, hear: bool) -> None:
        """Write it."""
        from steelyard.watch import board

        if self.text is not None:
            board.put(self.store, self.bucket, self.text)
        if until is not None or hear:
            board.mute(self.store, self.bucket, until)


def _moment(text: str, schedule: Schedule | None) -> datetime:
    """A day, or a time of a day, by the clock of a schedule; a usage error for what is none."""
    from datetime import UTC

    from steelyard.watch.due import read_moment

    moment = read_moment(text, UTC if schedule is None else schedule.where)
    if moment is None:
        raise typer.BadParameter(
            f"{text!r} is no day like 2026-12-31, and no time like 2026-12-31T09:00.",
            param_hint="--mute-until",
        )
    return moment


def _tell_never_due(store: Store, bucket: str) -> None:
    from steelyard.watch import board

    for row in board.rows(store, os.environ):
        if row.bucket == bucket and row.never_due:
            note(row.never_due)


def _shown(store: Store, bucket: str | None, *, as_json: bool) -> None:
    from steelyard.store import schedules
    from steelyard.store.assignments import check_bucket
    from steelyard.watch import board
    from steelyard.watch.documents import row_document
    from steelyard.watch.turn import looking

    rows = board.rows(store, os.environ)
    if bucket is not None:
        with store.reading() as connection:
            check_bucket(connection, bucket)
        rows = [row for row in rows if row.bucket == bucket]
    ways, other, now = board.channels(store, os.environ), looking(store), store.now()
    last = schedules.last_look(store)
    if as_json:
        write_json([row_document(row) for row in rows])
    else:
        write(screen(lambda console: draw_rows(rows, ways, other or last, now, console)))


def _base_url() -> str:
    """Of the pages on this machine, where nothing says another."""
    from steelyard.services.reading.file import read

    ports = read(os.environ).topology.here("coordinator")
    usual = f"http://127.0.0.1:{ports[0]}" if ports else "http://127.0.0.1"
    return pages_address.kept_or(os.environ, usual)


def _say(text: str) -> None:
    write(visible(text) + "\n")
