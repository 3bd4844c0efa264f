"""Runs in a journal as reports must show them: whole, cut short, and with hostile text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from builders.accounts import ACCOUNT, START, account, journal, theirs
from builders.plans import HOSTILE
from steelyard.brokers.broker import Activity, BrokerFill
from steelyard.execution.approved import Approved, Instruction, approved
from steelyard.execution.attribution.owners import owners_of
from steelyard.execution.attribution.stored import (
    books_of,
    entries_document,
    entries_of,
    write_owners,
)
from steelyard.execution.journal import changes, rows
from steelyard.execution.journal.changes import NewLeg, NewRun
from steelyard.execution.journal.journal import Journal
from steelyard.execution.reconcile import Opening, compare, stored
from steelyard.execution.reconcile.orders import is_ours
from steelyard.execution.request import Request
from steelyard.execution.states import LegState, Outcome, RunState
from steelyard.orders import Side
from steelyard.plans.plan import Plan
from steelyard.telemetry.events import RailsJudged

RUN = "r-7f3a7f3a7f3a7f3a7f3a"
TICK, CENT = Decimal("0.05"), Decimal("0.01")


@dataclass(frozen=True)
class Fate:
    """What becomes of an order.

    parts    fractions that fill, each at so many cents worse than the middle of its market
    state    where the attempt ends
    sent     False: it never is
    """

    parts: tuple[tuple[Decimal, int], ...] = ((Decimal(1), 2),)
    state: LegState = LegState.FILLED
    reason: str = ""
    sent: bool = True


HALF = Fate(((Decimal("0.5"), 2),), LegState.CANCELLED, "the price left the band")
STOPPED = Fate((), LegState.BLOCKED, "the spread is too wide", sent=False)
TWICE = Fate(((Decimal(200), 2),))
"""Sells what nobody has."""
HOSTILE_END = Fate((), LegState.REJECTED, HOSTILE)


@dataclass(frozen=True)
class Script:
    """Fates by step, and what the broker and the rails say."""

    fates: Mapping[int, Fate] = field(default_factory=dict)
    state: RunState = RunState.DONE
    outcome: Outcome | None = Outcome.DONE
    reason: str = ""
    blocks: Sequence[Mapping[str, str]] = ()
    off_cash: Decimal = Decimal(0)
    activities: Sequence[Activity] = ()


def ran(folder: Path, plan: Plan, script: Script) -> Journal:
    """A journal with one run of a plan."""
    store, seen = journal(folder), approved(plan)
    run = _begun(store, plan, seen)
    fills: list[BrokerFill] = []
    for each in seen.instructions:
        fills += _order(store, each, script.fates.get(each.step, Fate()))
    with store.writing() as change:
        if script.blocks:
            change.tell(RailsJudged("order", "x", 20, script.blocks), RUN, run.bucket)
            change.tell(RailsJudged("order", "y", 20, script.blocks), RUN, run.bucket)
    for state in (RunState.ARMED, RunState.SELLING, RunState.BUYING, RunState.RECONCILING):
        if script.state in {RunState.DONE, RunState.ABORTED} or state is RunState.ARMED:
            with store.writing() as change:
                run = changes.set_run(change, run, state)
    if script.state not in {RunState.DONE, RunState.ABORTED}:
        with store.writing() as change:
            changes.set_run(change, run, script.state, script.reason)
        return store
    _compared(store, seen, fills, script)
    with store.writing() as change:
        outcome = script.outcome or Outcome.DONE
        changes.end_run(change, run, script.state, outcome, script.reason)
    return store


def _begun(store: Journal, plan: Plan, seen: Approved) -> rows.RunRow:
    request = Request(
        document=plan.to_json(), saved_at=START, began_at=START, equity_base=plan.value, engine={},
        limits={},
    )  # fmt: skip
    new = NewRun(
        run_id=RUN, account=ACCOUNT, mode="paper", plan_id=plan.plan_id, config_version=0,
        build="b", key="0", request=request.text(), request_hash="h", bucket=plan.bucket or "core",
        broker="paper", orders=len(seen.instructions), engine={},
    )  # fmt: skip
    legs = [
        NewLeg(step=e.step, attempt=1, symbol=e.symbol, side=e.side, quantity=e.quantity,
               limit_price=e.price)
        for e in seen.instructions
    ]  # fmt: skip
    start = Opening(at=START, positions=dict(seen.positions), cash=dict(seen.cash))
    entries = entries_of(start, plan.holdings, lambda _: new.bucket, RUN)
    with store.writing() as change:
        changes.begin(change, new, 1, legs)
        for each in seen.instructions:
            owners = owners_of(each.symbol, each.quantity, new.bucket)
            write_owners(change, RUN, each.step, owners)
        documents = entries_document(entries)
        stored.begin_account(change, ACCOUNT, start, documents, run_id=RUN, bucket=new.bucket)
    return rows.run(store, RUN)


def _order(store: Journal, each: Instruction, fate: Fate) -> list[BrokerFill]:
    """One attempt and its executions."""
    run, fills = rows.run(store, RUN), []
    leg = next(leg for leg in rows.legs(store, RUN) if leg.step == each.step)
    if not fate.sent:
        with store.writing() as change:
            changes.set_leg(change, run, leg, fate.state, fate.reason)
        return []
    middle = each.price + CENT
    with store.writing() as change:
        for state in (LegState.READY, LegState.SUBMITTING):
            leg = changes.set_leg(change, run, leg, state)
        change.execute(
            "UPDATE leg SET bid = ?, ask = ?, limit_px = ?, sent_utc = ? WHERE coid = ?",
            (str(middle - TICK), str(middle + TICK), str(middle), START.isoformat(),
             leg.client_order_id),
        )  # fmt: skip
        for n, (part, cents) in enumerate(fate.parts):
            sign = 1 if each.side is Side.BUY else -1
            price = middle + sign * cents * CENT
            quantity = (each.quantity * part).quantize(Decimal("0.000001"))
            fills.append(
                BrokerFill(
                    exec_id=f"e{each.step}-{n}", client_order_id=leg.client_order_id,
                    symbol=each.symbol, side=each.side, quantity=quantity, price=price,
                    value=(quantity * price * each.multiplier).quantize(CENT), fee=Decimal("1.05"),
                    currency=each.currency, at=START + timedelta(minutes=each.step, seconds=n),
                )
            )  # fmt: skip
            changes.book(change, run, fills[-1])
        changes.set_leg(change, run, leg, fate.state, fate.reason)
    return fills


def _compared(store: Journal, seen: Approved, fills: Sequence[BrokerFill], script: Script) -> None:
    """The broker at the end: what the fills make of the plan's account, cash maybe off."""
    positions, cash = dict(seen.positions), dict(seen.cash)
    for fill in fills:
        assert is_ours(fill.client_order_id)
        sign = 1 if fill.side is Side.BUY else -1
        positions[fill.symbol] = positions.get(fill.symbol, Decimal(0)) + sign * fill.quantity
        cash[fill.currency] = cash.get(fill.currency, Decimal(0)) - sign * fill.value - fill.fee
    cash[seen.base_currency] += script.off_cash
    holder = account(positions, cash, minutes=30)
    mine = stored.ours_of(store, ACCOUNT, books_of(store, ACCOUNT).positions)
    with store.writing() as change:
        stored.keep(
            change,
            compare(mine, theirs(holder, *fills, activities=script.activities)),
            run_id=RUN,
            bucket="core",
        )
