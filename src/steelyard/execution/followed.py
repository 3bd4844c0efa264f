"""A run as somebody follows it: where it is, each order once, what is not known, what is left.

In: a journal that is only looked at, and a run of it. Out: a `Followed`. A reader never holds up
the process that trades, and what never changes of a run is read once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from steelyard.execution.approved import Approved
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.rows import FillRow, LegRow, RunRow
from steelyard.execution.order_rows import order_rows
from steelyard.execution.reconcile import stored
from steelyard.execution.reconcile.stored import Freeze
from steelyard.execution.report import cash_rows, step_result
from steelyard.execution.request import Request, request_of
from steelyard.execution.results import Blocked, CashRow, StepResult
from steelyard.execution.states import (
    IN_DOUBT,
    LEG_OVER,
    RUN_OVER,
    WORKING,
    LegState,
    RunState,
)
from steelyard.money import ZERO
from steelyard.orders import Side

REQUESTS = 32
"""Requests of runs that are remembered, so that a plan is read once for many looks."""
BODIES = 8192
"""Events that are remembered: none of them ever changes."""
BEFORE_FIRST = 500
"""Events that may lie between a run's beginning and its first change of state, of all runs."""
RETRIED = frozenset({LegState.CANCELLED, LegState.EXPIRED})
"""Ends of an attempt after which the rest is sent again, while its side is worked."""
DOUBTFUL = IN_DOUBT - {LegState.SUBMITTING} | {LegState.HELD}

StageState = Literal["done", "now", "next", "stopped", "unreached"]


@dataclass(frozen=True, slots=True)
class Point:
    """What happened to an order: a new state of an attempt, or FILL for an execution."""

    at: datetime
    what: str
    attempt: int


@dataclass(frozen=True, slots=True)
class FollowedOrder:
    """An approved order with its life.

    reserved   base money that it may still take
    at_broker  base value, at its limit, of shares that are at the broker and not filled, or may be
    again      its last attempt ended, and what is left of it is sent again at another price
    """

    result: StepResult
    points: tuple[Point, ...]
    reserved: Decimal
    at_broker: Decimal
    again: bool

    @property
    def over(self) -> bool:
        """Will nothing more be sent for it?"""
        return self.result.state in LEG_OVER and not self.again

    @property
    def unknown(self) -> bool:
        """Is it not known what became of it, or does it wait for a person?"""
        return self.result.state in DOUBTFUL


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the way: done of count orders, 0 of 0 where it has none.

    Of a run that was stopped, `done` counts the orders of which something was sent.
    """

    name: str
    state: StageState
    done: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event of the run; `data` as its class has it."""

    seq: int
    at: datetime
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One line on which books and broker differ; None = that side has no figure."""

    level: str
    subject: str
    expected: Decimal | None
    broker: Decimal | None
    difference: Decimal | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the last comparison of the account said.

    positions, cash   (name, expected, broker's) of every line
    """

    at: datetime
    clean: bool
    acknowledged: str
    differences: tuple[Difference, ...]
    positions: tuple[tuple[str, Decimal, Decimal], ...]
    cash: tuple[tuple[str, Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A run. Money is in base currency at the plan's rates.

    version     of its newest event: the same, nothing of the run happened since
    planned     value of all approved orders; `filled` of their executions
    slippage    Σ against planned prices, > 0 is a cost
    reserved    money that orders may take of which nothing is known
    run_max_s   after which no order of it is sent any more
    passed      rails that let the newest order or run through; None = none was asked yet
    account     as it was compared last; None = never
    frozen      why it may not be traded; None = it may
    """

    run: RunRow
    began_at: datetime
    as_of: date
    base_currency: str
    version: int
    orders: tuple[FollowedOrder, ...]
    stages: tuple[Stage, ...]
    planned: Decimal
    filled: Decimal
    slippage: Decimal
    fees: Decimal
    reserved: Decimal
    run_max_s: int
    cash: tuple[CashRow, ...]
    passed: int | None
    blocks: tuple[Blocked, ...]
    events: tuple[RunEvent, ...]
    account: Account | None
    frozen: Freeze | None

    @property
    def over(self) -> bool:
        """Is it over?"""
        return self.run.state in RUN_OVER

    @property
    def unknowns(self) -> tuple[FollowedOrder, ...]:
        """Orders of which it is not known what became of them, or that wait for a person."""
        return tuple(each for each in self.orders if each.unknown)

    @property
    def at_broker(self) -> tuple[FollowedOrder, ...]:
        """Orders with shares that are at the broker and may fill."""
        return tuple(each for each in self.orders if each.at_broker)


def followed(journal: Journal, run_id: str) -> Followed:
    """A run as it is now, in one state of the journal; raises NotStored for an unknown one."""
    with journal.reading():
        run = rows.run(journal, run_id)
        text = journal.row("SELECT body FROM request WHERE run_id = ?", (run.run_id,))[0]
        legs, fills = rows.legs(journal, run.run_id), rows.fills(journal, run_id=run.run_id)
        events = _events(journal, run.run_id)
        compared = stored.comparisons_of(journal, run.run_id)
        newest = stored.comparisons(journal, run.account, 1)
        frozen = stored.frozen(journal, run.account)
    request, approved = _request(text)
    orders = _orders(approved, legs, fills, events, _repriced(run, events))
    rates = {each.step: each.fx_rate for each in approved.instructions}
    results = [each.result for each in orders]
    passed, blocks = _rails(events)
    return Followed(
        run=run,
        began_at=request.began_at,
        as_of=approved.as_of,
        base_currency=approved.base_currency,
        version=events[-1].seq if events else 0,
        orders=orders,
        stages=_stages(run, events, orders),
        planned=approved.gross_base,
        filled=sum((each.value_base for each in results), ZERO),
        slippage=sum((each.on_plan * rates[each.step] for each in results), ZERO),
        fees=sum((each.fee * rates[each.step] for each in results), ZERO),
        reserved=sum((each.reserved for each in orders if each.unknown), ZERO),
        run_max_s=int(request.limits.get("run_max_s", 0)),
        cash=cash_rows(run, compared, fills),
        passed=passed,
        blocks=blocks,
        events=events,
        account=_account(newest[0]) if newest else None,
        frozen=frozen,
    )


@lru_cache(REQUESTS)
def _request(text: str) -> tuple[Request, Approved]:
    request = request_of(text)
    return request, request.approved


def _events(journal: Journal, run_id: str) -> tuple[RunEvent, ...]:
    """Every event of a run, oldest first; looked for from shortly before its first change on."""
    changes = (
        "SELECT MIN(seq) FROM event WHERE run_id = ? AND kind = 'RunStateChanged' "
        "AND kind IN ('RunStateChanged','AlertRaised')"  # those that are indexed
    )
    first = journal.row(changes, (run_id,))[0] or 0
    query = "SELECT seq, ts_utc, kind, body FROM event WHERE seq >= ? AND run_id = ? ORDER BY seq"
    return tuple(
        RunEvent(seq, datetime.fromisoformat(stamp), kind, _data(body))
        for seq, stamp, kind, body in journal.rows(query, (first - BEFORE_FIRST, run_id))
    )


@lru_cache(BODIES)
def _data(body: str) -> Mapping[str, Any]:
    data: dict[str, Any] = json.loads(body)["data"]
    return MappingProxyType(data)


def _orders(
    approved: Approved,
    legs: Sequence[LegRow],
    fills: Sequence[FillRow],
    events: Sequence[RunEvent],
    repriced: Collection[Side],
) -> tuple[FollowedOrder, ...]:
    sent = order_rows(legs, fills, approved.instructions)
    points = _points(legs, events)
    reserved: dict[int, Decimal] = {}
    there: dict[int, Decimal] = {}
    booked: dict[str, Decimal] = {}
    for fill in fills:
        booked[fill.client_order_id] = booked.get(fill.client_order_id, ZERO) + fill.quantity
    for leg in legs:
        if leg.state not in LEG_OVER and leg.sent_at is not None:
            reserved[leg.step] = reserved.get(leg.step, ZERO) + leg.reserved
            open_shares = leg.quantity - booked.get(leg.client_order_id, ZERO)
            there[leg.step] = there.get(leg.step, ZERO) + open_shares * leg.limit_price
    return tuple(
        FollowedOrder(
            result=result,
            points=tuple(points.get(each.step, ())),
            reserved=reserved.get(each.step, ZERO),
            at_broker=there.get(each.step, ZERO) * each.multiplier * each.fx_rate,
            again=each.side in repriced and result.state in RETRIED and not result.is_whole,
        )
        for each in (*approved.sells, *approved.buys)
        for result in [step_result(each, sent, fills)]
    )


def _repriced(run: RunRow, events: Sequence[RunEvent]) -> Collection[Side]:
    """Sides whose orders the run still works: one that ended unfilled is sent again."""
    reached, stopped = _reached(_history(events))
    if stopped and run.state is not RunState.RECOVERING:
        return ()
    return [side for _, behind, side in WAY if side is not None and reached < WORKING.index(behind)]


def _history(events: Sequence[RunEvent]) -> list[RunState]:
    return [RunState(event.data["new"]) for event in events if event.kind == "RunStateChanged"]


def _points(legs: Sequence[LegRow], events: Sequence[RunEvent]) -> dict[int, list[Point]]:
    places = {leg.client_order_id: (leg.step, leg.attempt) for leg in legs}
    points: dict[int, list[Point]] = {}
    for event in events:
        place = places.get(str(event.data.get("client_order_id", "")))
        if place is None or event.kind not in {"LegStateChanged", "FillBooked"}:
            continue
        what = "FILL" if event.kind == "FillBooked" else str(event.data["new"])
        if what != LegState.READY:
            points.setdefault(place[0], []).append(Point(event.at, what, place[1]))
    return points


def _rails(events: Sequence[RunEvent]) -> tuple[int | None, tuple[Blocked, ...]]:
    """(how many passed when they were asked last, each that stopped something)."""
    judged = [event.data for event in events if event.kind == "RailsJudged"]
    counts: dict[tuple[str, str, str], int] = {}
    for data in judged:
        for block in data["blocks"]:
            key = block["rail"], block["code"], block["why"]
            counts[key] = counts.get(key, 0) + 1
    blocks = tuple(
        Blocked(rail=rail, code=code, why=why, count=count)
        for (rail, code, why), count in counts.items()
    )
    return (int(judged[-1]["passed"]) if judged else None), blocks


WAY: tuple[tuple[str, RunState, Side | None], ...] = (
    ("Snapshot", RunState.ARMED, None),
    ("Approve", RunState.SELLING, None),
    ("Sell", RunState.SELLS_DONE, Side.SELL),
    ("Funds", RunState.RESIZE_BUYS, None),
    ("Resize", RunState.BUYING, None),
    ("Buy", RunState.RECONCILING, Side.BUY),
    ("Reconcile", RunState.DONE, None),
    ("Report", RunState.DONE, None),
)
"""Stages, the state with which each is over, and whose orders it sends."""


def _stages(
    run: RunRow, events: Sequence[RunEvent], orders: Sequence[FollowedOrder]
) -> tuple[Stage, ...]:
    history = _history(events)
    reached, aside = _reached(history)
    stopped = aside and run.state is not RunState.RECOVERING
    if run.state is RunState.DONE:
        reached, stopped = len(WORKING), False
    stages, current = [], True
    for name, behind, side in WAY:
        own = [each for each in orders if each.result.side is side]
        over = sum(each.result.attempts > 0 if stopped else each.over for each in own)
        state: StageState = "unreached" if stopped else "next"
        compared = stopped and run.state in RUN_OVER and RunState.RECONCILING in history
        if reached >= WORKING.index(behind) or (compared and behind is RunState.DONE):
            state = "done"
        elif current:
            state, current = ("stopped" if aside else "now"), False
        stages.append(Stage(name, state, over, len(own)))
    if RunState.RECOVERING in history:
        again = run.state is RunState.RECOVERING
        stages.insert(0, Stage("Recover", "now" if again else "done"))
    return tuple(stages)


def _reached(history: Sequence[RunState]) -> tuple[int, bool]:
    """(how far on its way a run came, is it off it?).

    What it does after it was stopped is not on its way.
    """
    reached, stopped = -1, False
    for state in history:
        stopped = state not in WORKING if state is not RunState.RECONCILING else stopped
        if state in WORKING and not stopped:
            reached = max(reached, WORKING.index(state))
    return reached, stopped


def _account(comparison: stored.Comparison) -> Account:
    body = comparison.body
    return Account(
        at=datetime.fromisoformat(body["at"]) if "at" in body else comparison.at,
        clean=comparison.clean,
        acknowledged=str(body.get("acknowledged", "")),
        differences=tuple(
            Difference(
                level=each["level"],
                subject=each["subject"],
                expected=_figure(each["ours"]),
                broker=_figure(each["broker"]),
                difference=_figure(each["difference"]),
                why=each["why"],
            )
            for each in body.get("breaks", ())
        ),
        positions=tuple(
            (line["symbol"], Decimal(line["expected"]), Decimal(line["quantity"]))
            for line in body.get("holdings", ())
        ),
        cash=tuple(
            (line["currency"], Decimal(line["expected"]), Decimal(line["amount"]))
            for line in body.get("cash_lines", ())
        ),
    )


def _figure(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
