"""What became of a run, as numbers: planned against filled, slippage, drift, cash, reasons.

In: a journal and a run of it. Out: a `RunReport`, which `report` draws. Slippage is what execution
cost against a reference price: more paid, or less received, is above 0. Values in base currency are
at the plan's rates, weights at the plan's prices.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from steelyard.execution.approved import Approved, Instruction
from steelyard.execution.attribution.gains import performance
from steelyard.execution.attribution.stored import books_of
from steelyard.execution.flatten import is_flattening
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.rows import FillRow, RunRow
from steelyard.execution.order_rows import OrderRow, average, order_rows
from steelyard.execution.reconcile import stored
from steelyard.execution.reconcile.document import activity_of
from steelyard.execution.request import Request, request_of
from steelyard.execution.results import Blocked, CashRow, Compared, DriftRow, RunReport, StepResult
from steelyard.execution.states import LegState
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.plans.plan import Plan, content


def run_report(journal: Journal, run_id: str) -> RunReport:
    """The report of a run, as far as it is; raises NotStored for an unknown run."""
    run = rows.run(journal, run_id)
    request = _request(journal, run_id)
    approved, plan = request.approved, _plan(request)
    fills = rows.fills(journal, run_id=run_id)
    orders = order_rows(rows.legs(journal, run_id), fills, approved.instructions)
    steps = tuple(step_result(each, orders, fills) for each in approved.instructions)
    weights = () if plan is None else _weights(plan, approved, fills)
    rates = {each.step: each.fx_rate for each in approved.instructions}
    compared, books = stored.comparisons(journal, run.account), books_of(journal, run.account)
    return RunReport(
        run_id=run_id,
        plan_id=run.plan_id,
        bucket=run.bucket,
        account=run.account,
        broker=run.broker,
        mode=run.mode,
        state=run.state,
        outcome=run.outcome,
        reason=run.reason,
        began_at=request.began_at,
        ended_at=run.ended_at,
        as_of=approved.as_of,
        base_currency=approved.base_currency,
        steps=steps,
        orders=orders,
        weights=weights,
        drift=None if plan is None else _drift(plan, weights),
        cash=cash_rows(run, compared, fills),
        blocks=_blocks(journal, run_id),
        compared=_compared(run, compared),
        books=performance(books, _marks(approved)),
        unmatched=tuple(each.text for each in books.unmatched),
        sold_base=_total(steps, Side.SELL),
        bought_base=_total(steps, Side.BUY),
        fees_base=sum((step.fee * rates[step.step] for step in steps), ZERO),
        slippage_base=sum((step.on_plan * rates[step.step] for step in steps), ZERO),
        head=journal.head(),
    )


def _plan(request: Request) -> Plan | None:
    """The plan behind a run; None where there is none."""
    values = content(request.document.encode())
    return None if is_flattening(values) else Plan.from_document(values)


def _request(journal: Journal, run_id: str) -> Request:
    (text,) = journal.row("SELECT body FROM request WHERE run_id = ?", (run_id,))
    return request_of(text)


def _total(steps: Iterable[StepResult], side: Side) -> Decimal:
    return sum((step.value_base for step in steps if step.side is side), ZERO)


def step_result(
    each: Instruction, orders: Sequence[OrderRow], fills: Sequence[FillRow]
) -> StepResult:
    """An approved order, planned and filled; orders and fills: of the run."""
    own = [row for row in orders if row.step == each.step]
    sent = [row for row in own if row.sent]
    names = {row.client_order_id for row in own}
    booked = [fill for fill in fills if fill.client_order_id in names]
    value = sum((fill.value for fill in booked), ZERO)
    quantity = sum((fill.quantity for fill in booked), ZERO)
    sign = 1 if each.side is Side.BUY else -1
    return StepResult(
        step=each.step,
        symbol=each.symbol,
        side=each.side,
        currency=each.currency,
        planned=each.quantity,
        ordered=sent[0].quantity if sent else ZERO,
        filled=quantity,
        price=each.price,
        average_price=average(booked),
        value=value,
        value_base=value * each.fx_rate,
        fee=sum((fill.fee for fill in booked), ZERO),
        on_plan=sign * (value - quantity * each.price * each.multiplier),
        on_midpoint=_on_midpoint(each, sent, booked),
        attempts=len(sent),
        state=own[-1].state if own else LegState.PLANNED,
        reason=next((row.reason for row in reversed(own) if row.reason), ""),
        liquidation=each.reason if each.full_exit else "",
    )


def _on_midpoint(
    each: Instruction, sent: Sequence[OrderRow], fills: Sequence[FillRow]
) -> Decimal | None:
    """Against the middle of the market when the limit of each order was set."""
    middles = {row.client_order_id: row.midpoint for row in sent}
    sign = 1 if each.side is Side.BUY else -1
    total = ZERO
    for fill in fills:
        middle = middles.get(fill.client_order_id)
        if middle is None:
            return None
        total += sign * (fill.value - fill.quantity * middle * each.multiplier)
    return total if fills else None


def _weights(plan: Plan, approved: Approved, fills: Sequence[FillRow]) -> tuple[DriftRow, ...]:
    """Weights of all securities that are held or were to be, by name."""
    changes = _changes(fills)
    units = {row.symbol: row.price * row.multiplier * row.fx_rate for row in plan.holdings}
    after = {
        row.symbol: (row.quantity + changes.get(row.symbol, ZERO)) * units[row.symbol]
        for row in plan.holdings
    }
    value = sum(after.values(), ZERO) + _cash_base(approved, fills)
    planned = {row.symbol: row.weight for row in plan.holdings_after}
    return tuple(
        DriftRow(
            symbol=row.symbol,
            before=row.weight,
            planned=planned.get(row.symbol, 0.0),
            after=float(after[row.symbol] / value) if value > 0 else 0.0,
            target=row.target,
            band=row.band,
        )
        for row in sorted(plan.holdings, key=lambda row: row.symbol)
        if row.quantity or after[row.symbol] or row.target
    )


def _drift(plan: Plan, weights: Sequence[DriftRow]) -> tuple[float, float] | None:
    """Half the sum of absolute deviations from target, cash among them, before and after."""
    if plan.drift.before is None:
        return None
    cash = 1 - sum(row.after for row in weights)
    target = 1 - sum(row.target or 0.0 for row in weights)
    off = sum(abs(row.after - (row.target or 0.0)) for row in weights) + abs(cash - target)
    return plan.drift.before, off / 2


def _changes(fills: Iterable[FillRow]) -> dict[str, Decimal]:
    """Symbol -> shares bought less sold."""
    total: dict[str, Decimal] = {}
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        total[fill.symbol] = total.get(fill.symbol, ZERO) + sign * fill.quantity
    return total


def _cash_base(approved: Approved, fills: Iterable[FillRow]) -> Decimal:
    """The plan's cash after the executions, base currency."""
    total = sum((amount * approved.rates[name] for name, amount in approved.cash.items()), ZERO)
    for fill in fills:
        amount = (fill.value if fill.side is Side.SELL else -fill.value) - fill.fee
        total += amount * approved.rates[fill.currency]
    return total


def cash_rows(
    run: RunRow, compared: Sequence[stored.Comparison], fills: Sequence[FillRow]
) -> tuple[CashRow, ...]:
    """Each currency, at the first and at the last comparison of the run."""
    own = [each for each in compared if each.run_id == run.run_id]
    before = _money(own[-1]) if own else {}
    after = _money(own[0]) if len(own) > 1 else {}
    names = sorted(before.keys() | after.keys() | {fill.currency for fill in fills})
    return tuple(
        CashRow(
            currency=name,
            before=before.get(name, ZERO) if own else None,
            after=after.get(name, ZERO) if len(own) > 1 else None,
            sold=_sum(fills, name, Side.SELL),
            bought=_sum(fills, name, Side.BUY),
            fees=sum((fill.fee for fill in fills if fill.currency == name), ZERO),
        )
        for name in names
    )


def _sum(fills: Iterable[FillRow], currency: str, side: Side) -> Decimal:
    return sum(
        (fill.value for fill in fills if fill.currency == currency and fill.side is side), ZERO
    )


def _money(each: stored.Comparison) -> dict[str, Decimal]:
    """Currency -> what the broker had."""
    amounts: Mapping[str, str] = each.body.get("cash") or each.body.get("next", {}).get("cash", {})
    return {name: Decimal(text) for name, text in amounts.items()}


def _blocks(journal: Journal, run_id: str) -> tuple[Blocked, ...]:
    """Rails that stopped something, in the order of the first time."""
    counts: dict[tuple[str, str, str], int] = {}
    judged = journal.rows(
        "SELECT body FROM event WHERE run_id = ? AND kind = 'RailsJudged' ORDER BY seq", (run_id,)
    )
    for (text,) in judged:
        for block in json.loads(text)["data"]["blocks"]:
            key = block["rail"], block["code"], block["why"]
            counts[key] = counts.get(key, 0) + 1
    return tuple(
        Blocked(rail=rail, code=code, why=why, count=count)
        for (rail, code, why), count in counts.items()
    )


def _compared(run: RunRow, compared: Sequence[stored.Comparison]) -> Compared | None:
    own = [each for each in compared if each.run_id == run.run_id]
    if not own:
        return None
    body: Mapping[str, Any] = own[0].body
    return Compared(
        at=datetime.fromisoformat(body["at"]) if "at" in body else own[0].at,
        clean=own[0].clean,
        breaks=tuple(each["why"] for each in body.get("breaks", ())),
        explained=tuple(
            activity_of(each) for row in reversed(own) for each in row.body.get("explained", ())
        ),
    )


def _marks(approved: Approved) -> dict[str, Decimal]:
    """Symbol -> worth of a share at the plan's price."""
    one_to_one = Decimal(1)
    return {
        symbol: price * approved.multipliers.get(symbol, one_to_one)
        for symbol, price in approved.prices.items()
    }
