"""A run that somebody follows, in words and shapes: what its page and its fragments show."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from steelyard.execution.followed import Followed, FollowedOrder, Point, RunEvent
from steelyard.execution.interrupted import BY_HAND, Interruption
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.results import StepResult
from steelyard.execution.states import LEG_OVER, RUN_OVER, LegState, Outcome, RunState
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.narrative import in_words
from steelyard.report.exhibits.run import LEFT_OPEN, LEVELS, OUTCOMES, signed_cents, slippage
from steelyard.report.exhibits.time_axis import TimeAxis, length, time_axis
from steelyard.report.exhibits.words import capital, counted, lower, sentence
from steelyard.sentences import SPACE, money, quantity, signed

Level = Literal["ok", "warn", "stop", "none"]
MOST_EVENTS = 20
QUIET_S = 120
"""Seconds without an event after which a process that carries a run on may hang."""
NOISE = 1e-6
MOST_ROWS = 200
"""Orders that are drawn; of more there are counts by state."""

RUN_WORDS: Mapping[RunState, str] = {
    RunState.DRAFT: "Beginning",
    RunState.PLANNED: "Beginning",
    RunState.ARM_REQUESTED: "Beginning",
    RunState.ARMED: "Beginning",
    RunState.SELLING: "Selling",
    RunState.SELLS_DONE: "Selling",
    RunState.WAIT_FUNDS: "Waiting for cash",
    RunState.RESIZE_BUYS: "Resizing buys",
    RunState.BUYING: "Buying",
    RunState.RECONCILING: "Comparing with the broker",
    RunState.DONE: "Done",
    RunState.HALTED: "Halted: nothing new is sent",
    RunState.ABORTED: "Stopped",
    RunState.RECOVERING: "Recovering: asking the broker what happened",
    RunState.NEEDS_HUMAN: "Needs you",
}
ORDER_WORDS: Mapping[LegState, str] = {
    LegState.PLANNED: "Not sent yet",
    LegState.READY: "Not sent yet",
    LegState.SUBMITTING: "Sending",
    LegState.ACCEPTED: "Working",
    LegState.PARTIAL: "Partly filled",
    LegState.FILLED: "Filled",
    LegState.BLOCKED: "Not sent: a rail stopped it",
    LegState.SKIPPED: "Not sent",
    LegState.REJECTED: "Refused by the broker",
    LegState.UNKNOWN: "Unknown, asking",
    LegState.HELD: "Needs you",
    LegState.CANCELLING: "Cancelling",
    LegState.CANCELLED: "Cancelled",
    LegState.EXPIRED: "Expired",
    LegState.SUSPENDED: "Suspended by the broker",
}
WARNS = frozenset({LegState.UNKNOWN, LegState.HELD, LegState.SUSPENDED})
AGAIN = "To be sent again"
WAITING = frozenset({RunState.HALTED, RunState.NEEDS_HUMAN})
STOPPED = WAITING | {RunState.ABORTED}
STOPS = frozenset({LegState.REJECTED, LegState.BLOCKED})
POINTS: Mapping[str, str] = {"FILL": "filled"} | {
    state.value: word.lower() for state, word in ORDER_WORDS.items()
}
SIDES = {Side.SELL: "Sell", Side.BUY: "Buy"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an order's life: working, or unknown; percent of the width."""

    x: float
    width: float
    kind: Literal["working", "unknown"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened; percent of the width."""

    x: float
    kind: Literal["sent", "fill", "end"]


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order as a row of the page; `life` tells the timeline to who does not see it."""

    side: str
    sells: bool
    symbol: str
    filled: str
    bps: str
    cost: str
    state: str
    level: Level
    note: str
    segments: tuple[Segment, ...]
    marks: tuple[Mark, ...]
    life: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event in a line: `16:02:41`, what happened."""

    at: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """All of the page.

    head      the finding, as the heading says it
    urgent    is no process there that carries it on?
    banner    (what it is about, what is not known and is done about it); () = all is known
    quiet     for how long nothing happened, where that is long and it is not over; "" = it is not
    by_state  (state, count) where there are too many orders to draw
    """

    head: str
    level: Level
    urgent: bool
    banner: tuple[tuple[str, str], ...]
    figures: tuple[tuple[str, str], ...]
    lines: tuple[OrderLine, ...]
    by_state: tuple[tuple[str, int], ...]
    axis: TimeAxis | None
    now: float | None
    quiet: str
    events: tuple[EventLine, ...]


def following(
    run: Followed,
    now: datetime,
    most: int = MOST_EVENTS,
    broken: Interruption | None = None,
) -> Following:
    """A run as its page shows it; `most`: its newest events; `broken`: nobody carries it on."""
    moments = [point.at for order in run.orders for point in order.points]
    axis = time_axis([*moments, now] if moments and not run.over else moments)
    few = len(run.orders) <= MOST_ROWS
    return Following(
        head=head(run) if broken is None else broken_words(broken),
        level=level_of(run.run, broken),
        urgent=broken is not None,
        banner=tuple(_banner(run, broken)),
        figures=tuple(_figures(run)),
        lines=tuple(_line(each, axis, now, over=run.over) for each in run.orders) if few else (),
        by_state=() if few else _by_state(run.orders),
        axis=axis,
        now=None if axis is None or run.over else axis.at(now),
        quiet="" if broken is not None else _quiet(run, now),
        events=tuple(_event(each) for each in reversed(_telling(run.events)[-most:])),
    )


def state_of(run: RunRow, broken: Interruption | None = None) -> str:
    """A run's state in words."""
    if broken is not None:
        return broken_words(broken)
    if run.outcome is not None:
        return OUTCOMES[run.outcome]
    if run.broker == BY_HAND and run.state not in WAITING:
        return "Waits for its fills"
    return RUN_WORDS[run.state]


def broken_words(broken: Interruption) -> str:
    """A run that no process carries on, in a clause."""
    count = broken.at_broker
    there = f"{lower(counted(count, 'order'))} may be" if count else "no order is"
    since = f"{broken.since:%H:%M:%S}{SPACE}UTC"
    return f"Interrupted: no runner is there since {since}; {there} at the broker"


def at_broker_words(runs: Sequence[Followed]) -> str:
    """What stays at the broker where nothing new is sent: how many orders, and how much money."""
    count = sum(len(run.at_broker) for run in runs)
    if not count:
        return "No order is at the broker now."
    sums: dict[str, Decimal] = {}
    for run in runs:
        value = sum((each.at_broker for each in run.at_broker), ZERO)
        sums[run.base_currency] = sums.get(run.base_currency, ZERO) + value
    amounts = " and ".join(f"{money(sums[base], 0)}{SPACE}{base}" for base in sorted(sums))
    they = "stays there and may fill" if count == 1 else "stay there and may fill"
    return f"{counted(count, 'order')} at the broker now, {amounts} not filled yet, {they}."


def head_of(
    runs: Sequence[RunRow], broken: Collection[str] = (), frozen: Collection[str] = ()
) -> str:
    """The finding of a list: `One run needs you`, `Two runs are under way`.

    broken   ids of those that no process carries on
    frozen   accounts that may not be traded
    """
    if not runs:
        return "No run yet"
    state = _of_runs(runs, broken)
    if not frozen:
        return state or f"{counted(len(runs), 'run')}, the newest is {lower(state_of(runs[0]))}"
    count = len(frozen)
    words = f"the account {next(iter(frozen))} is" if count == 1 else f"{count} accounts are"
    return f"{state}, {words} frozen" if state else f"{capital(words)} frozen"


def _of_runs(runs: Sequence[RunRow], broken: Collection[str]) -> str:
    """Of the runs that are not over; "" = there is none."""
    if broken:
        count = len(broken)
        return f"{counted(count, 'run')} {'is' if count == 1 else 'are'} interrupted"
    waiting = sum(run.state in WAITING for run in runs)
    if waiting:
        return f"{counted(waiting, 'run')} {'needs' if waiting == 1 else 'need'} you"
    going = sum(run.state not in RUN_OVER for run in runs)
    if going:
        return f"{counted(going, 'run')} {'is' if going == 1 else 'are'} under way"
    return ""


def level_of(run: RunRow, broken: Interruption | None = None) -> Level:
    """ok, warn or stop; none for a run on its usual way."""
    if broken is not None:
        return "stop"
    if run.outcome is not None:
        return cast(Level, LEVELS[run.outcome])
    if run.state in WAITING:
        return "stop"
    return "warn" if run.state is RunState.RECOVERING else "none"


def head(run: Followed) -> str:
    """The finding: `Buying: five of seven orders are filled, one is being asked about`."""
    whole = sum(each.result.is_whole for each in run.orders)
    count, doubtful = len(run.orders), len(run.unknowns)
    state = state_of(run.run)
    state += "," if ":" in state else ":"
    if not count:
        return f"{state} the plan has no orders"
    if run.run.outcome is Outcome.NOT_STARTED:
        return f"{state} nothing was sent"
    part = lower(in_words(whole)) if whole else "none"
    words = f"{part} of {lower(counted(count, 'order'))} filled"
    if whole == count:
        words = "all orders are filled" if count > 1 else "the order is filled"
    if doubtful:
        words += f", {lower(counted(doubtful, 'order'))} not known"
    return f"{state} {words}"


def _banner(run: Followed, broken: Interruption | None) -> Iterator[tuple[str, str]]:
    """(what it is about, sentences)."""
    base = run.base_currency
    if broken is not None:
        text = (
            "Its process was killed, or this machine was. No order is sent twice. On this machine: "
            "steelyard resume"
        )
        yield f"{broken_words(broken)}.", text
    for each in run.unknowns:
        kept_back = f" {money(each.reserved)}{SPACE}{base} stay reserved for it."
        reserved = kept_back if each.reserved else ""
        if each.result.state is LegState.HELD:
            text = (
                "Nobody could tell what became of this order. Look at the broker, then: steelyard "
                f"reconcile.{reserved}"
            )
            yield f"{each.result.symbol} needs you.", text
            continue
        text = (
            "The broker has not confirmed this order. It may be working. It is asked again, and "
            f"not sent twice.{reserved} The run sends nothing more once it is "
            f"{length(run.run_max_s)} old."
        )
        yield f"{each.result.symbol} is unknown.", text
    if run.run.reason and run.run.state is not RunState.DONE:
        yield "Why.", sentence(run.run.reason)
    if run.run.outcome in LEFT_OPEN:
        yield "Next.", LEFT_OPEN[run.run.outcome]
    if run.frozen is not None:
        yield f"{run.frozen.account} is frozen.", sentence(run.frozen.reason)


def _figures(run: Followed) -> Iterator[tuple[str, str]]:
    base = run.base_currency
    yield "Filled", _filled(run)
    if run.filled:
        bps = 10_000 * float(run.slippage / run.filled)
        yield (
            "Against plan",
            f"{signed_cents(run.slippage)}{SPACE}{base} ({signed(bps, 1, scale=1)}{SPACE}bps)",
        )
    yield "Fees so far", f"{money(run.fees)}{SPACE}{base}"
    if run.reserved:
        yield "Reserved, not known", f"{money(run.reserved)}{SPACE}{base}"
    if run.run.state in STOPPED:
        sent = sum(each.result.attempts > 0 for each in run.orders)
        yield "Orders sent", f"{sent} of {len(run.orders)}"
    else:
        over = sum(each.over for each in run.orders)
        yield "Orders over", f"{over} of {len(run.orders)}"


def _filled(run: Followed) -> str:
    """Of prices that moved a whole fill is not the amount that was planned: so that is said."""
    filled, planned = money(run.filled, 0), money(run.planned, 0)
    if run.orders and all(each.result.is_whole for each in run.orders):
        return f"all shares filled; {filled}{SPACE}{run.base_currency} for {planned} planned"
    return f"{filled} of {planned}{SPACE}{run.base_currency}"


def _line(order: FollowedOrder, axis: TimeAxis | None, now: datetime, *, over: bool) -> OrderLine:
    result = order.result
    segments, marks = _life(order.points, axis, now, over=over)
    return OrderLine(
        side=SIDES[result.side],
        sells=result.side is Side.SELL,
        symbol=result.symbol,
        filled=f"{quantity(result.filled)} of {quantity(result.planned)}",
        bps=slippage(result),
        cost=signed_cents(result.on_plan) if result.filled else "",
        state=_state(order),
        level="none" if order.again else _level(result),
        note=sentence(result.reason) if result.reason and not result.is_whole else "",
        segments=segments,
        marks=marks,
        life=_told(order.points),
    )


def _state(order: FollowedOrder) -> str:
    return AGAIN if order.again else ORDER_WORDS[order.result.state]


def _level(result: StepResult) -> Level:
    if result.state in WARNS:
        return "warn"
    if result.state in STOPS:
        return "stop"
    if result.state is LegState.FILLED:
        return "ok"
    return "warn" if result.state in LEG_OVER and not result.is_whole else "none"


def _life(
    points: Sequence[Point], axis: TimeAxis | None, now: datetime, *, over: bool
) -> tuple[tuple[Segment, ...], tuple[Mark, ...]]:
    """From each sending to its end; what was not known in between, and what filled."""
    if axis is None:
        return (), ()
    segments: list[Segment] = []
    marks: list[Mark] = []
    since: datetime | None = None
    kind: Literal["working", "unknown"] = "working"
    for point in points:
        x = axis.at(point.at)
        if point.what == "FILL":
            marks.append(Mark(x, "fill"))
            continue
        if since is not None:
            begin = axis.at(since)
            segments.append(Segment(begin, max(x - begin, 0.0), kind))
        state = LegState(point.what)
        since = None if state in LEG_OVER else point.at
        kind = "unknown" if state in {LegState.UNKNOWN, LegState.HELD} else "working"
        if state is LegState.SUBMITTING:
            marks.append(Mark(x, "sent"))
        elif state in LEG_OVER and state is not LegState.FILLED:
            marks.append(Mark(x, "end"))
    if since is not None and not over:
        begin = axis.at(since)
        segments.append(Segment(begin, max(axis.at(now) - begin, 0.0), kind))
    return _joined(segments), tuple(marks)


def _joined(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Neighbours of one kind as one."""
    rows: list[Segment] = []
    for each in segments:
        before = rows[-1] if rows else None
        touches = before is not None and abs(before.x + before.width - each.x) < NOISE
        if before is not None and touches and before.kind == each.kind:
            rows[-1] = Segment(before.x, before.width + each.width, each.kind)
        else:
            rows.append(each)
    return tuple(rows)


def _told(points: Sequence[Point]) -> str:
    return ", ".join(f"{point.at:%H:%M:%S} {POINTS[point.what]}" for point in points)


def _by_state(orders: Sequence[FollowedOrder]) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for each in orders:
        word = _state(each)
        counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _quiet(run: Followed, now: datetime) -> str:
    if run.over or run.run.state in WAITING or run.run.broker == BY_HAND or not run.events:
        return ""
    seconds = (now - run.events[-1].at).total_seconds()
    return length(seconds) if seconds >= QUIET_S else ""


def _telling(events: Sequence[RunEvent]) -> Sequence[RunEvent]:
    """Without what the next event of the same moment says better."""
    silent = {LegState.READY, LegState.SUBMITTING}
    return [
        event for event in events
        if event.kind != "LegStateChanged" or event.data["new"] not in silent
    ]  # fmt: skip


def _event(event: RunEvent) -> EventLine:
    return EventLine(f"{event.at:%H:%M:%S}", event_words(event))


def event_words(event: RunEvent) -> str:
    """What happened, in a line."""
    data = event.data
    if event.kind == "RunStateChanged":
        why = f": {data['reason']}" if data["reason"] else ""
        return sentence(f"{RUN_WORDS[RunState(data['new'])]}{why}")
    if event.kind == "LegStateChanged":
        why = f": {data['reason']}" if data["reason"] else ""
        return sentence(f"{data['symbol']} {POINTS[data['new']]}{why}")
    if event.kind == "FillBooked":
        return sentence(f"{data['symbol']} {data['quantity']} filled at {data['price']}")
    if event.kind == "OrderSubmitting":
        side = "sell" if data["side"] == "sell" else "buy"
        words = f"{side} {data['quantity']} {data['symbol']} at {data['limit_price']} or better"
        return sentence(words)
    if event.kind == "OrderAnswered":
        why = f": {data['message']}" if data["message"] else ""
        return sentence(f"The broker answered: {data['answer']}{why}")
    if event.kind == "RailsJudged":
        stopped = "; ".join(f"{each['rail']}: {each['why']}" for each in data["blocks"])
        return sentence(
            f"{data['passed']} rails pass" + (f", stopped by {stopped}" if stopped else "")
        )
    return sentence(_plainly(event))


def _plainly(event: RunEvent) -> str:
    data = event.data
    if event.kind == "RunStarted":
        orders = lower(counted(int(data["orders"]), "order"))
        return f"A run of {orders} at the broker {data['broker']}"
    if event.kind == "RunEnded":
        why = f": {data['reason']}" if data["reason"] else ""
        return f"The run is over, {data['outcome'].replace('_', ' ')}{why}"
    if event.kind == "Reconciled":
        return "The broker agrees" if data["clean"] else f"The broker differs: {data['breaks'][0]}"
    if event.kind == "AccountFrozen":
        return f"{data['account']} is frozen: {data['reason']}"
    if event.kind == "AlertRaised":
        return str(data["message"])
    if event.kind == "LimitLoosened":
        return f"{data['limit']} is {data['value']}, looser than {data['built_in']}"
    return "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in event.kind).strip()
