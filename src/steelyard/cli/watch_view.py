"""How schedules, ticks and channels look on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from steelyard.cli.bucket_view import NO_BUCKET

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.report.terminal import columns
    from steelyard.store.schedules import Tick
    from steelyard.watch.board import Row
    from steelyard.watch.channels import Way

SHOWN_DIGITS = 12
NO_CHANNEL = (
    "No channel is set: what is due is planned and stored, and told here alone. See docs/watch.md"
)


def draw_rows(
    rows: Sequence[Row],
    ways: Sequence[Way],
    looks: str | datetime | None,
    now: datetime,
    console: Console,
) -> None:
    """Buckets with their schedules, the channels, and who looks, or when it was looked last."""
    from steelyard.report.terminal import columns

    if not rows:
        columns.emit(console, columns.sentence(NO_BUCKET, console.width))
        return
    heads = (
        columns.Column("Bucket"),
        columns.Column("When"),
        columns.Column("Next, UTC"),
        columns.Column("Last, UTC", drop=2),
        columns.Column("What came of it", drop=1),
    )
    columns.table(console, heads, [_row(row, now) for row in rows])
    for text in (*_channels(ways), _looks(looks)):
        columns.emit(console, columns.sentence(text, console.width))


def _looks(looks: str | datetime | None) -> str:
    if isinstance(looks, str):
        return f"{looks} looks."
    last = "" if looks is None else f" now; it was looked last at {_moment(looks)} UTC"
    return f"Nobody looks{last}. To: steelyard watch"


def _row(row: Row, now: datetime) -> columns.Row:
    from steelyard.report.terminal import columns

    last, until = row.last, None if row.scheduled is None else row.scheduled.muted_until
    when = "" if row.schedule is None else row.schedule.when
    cells = (
        row.bucket,
        when or ("not readable" if row.problem else "no schedule"),
        _moment(row.next_at),
        "" if last is None else _moment(last.at),
        "" if last is None else _outcome(last),
    )
    under = [f"Counts {row.days}."] if row.days else []
    under += [f"Muted until {_moment(until)} UTC."] if row.muted(now) else []
    return columns.Row(cells, (*under, *([row.problem] if row.problem else [])))


def draw_ticks(ticks: Sequence[Tick], ways: Sequence[Way], console: Console) -> None:
    """What came of a look."""
    from steelyard.report.terminal import columns
    from steelyard.watch.message import why

    if not ticks:
        columns.emit(console, columns.sentence("Nothing is due.", console.width))
        return
    heads = (
        columns.Column("Bucket"),
        columns.Column("Why"),
        columns.Column("Outcome"),
        columns.Column("Plan"),
        columns.Column("Told", drop=1),
    )
    rows = [
        columns.Row(
            (tick.bucket, tick.reason, tick.outcome, _plan(tick), _deliveries(tick)),
            (*why(tick), *([" ".join(tick.detail.split())] if tick.detail else [])),
        )
        for tick in ticks
    ]
    columns.table(console, heads, rows)
    if not ways:
        columns.emit(console, columns.sentence(NO_CHANNEL, console.width))
    plan_id = next((tick.plan_id for tick in ticks if tick.plan_id), None)
    if plan_id is not None:
        text = f"Nothing was sent. To read a plan: steelyard plans show {plan_id[:SHOWN_DIGITS]}"
        columns.emit(console, columns.sentence(text, console.width))


def _channels(ways: Sequence[Way]) -> list[str]:
    return [f"Told by {way.name}: {way.where}." for way in ways] or [NO_CHANNEL]


def _outcome(tick: Tick) -> str:
    about = _plan(tick)
    return f"{tick.outcome}{f' {about}' if about else ''} ({tick.reason})"


def _plan(tick: Tick) -> str:
    return (tick.plan_id or "")[:SHOWN_DIGITS]


def _deliveries(tick: Tick) -> str:
    return ", ".join(f"{name} {each.state}" for name, each in tick.deliveries.items()) or "nobody"


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"
