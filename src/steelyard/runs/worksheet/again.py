"""Planning again around the orders that a person locked.

The locked orders are taken as done: the account as it stands after them is planned by the same
rules, with what they used of the limits taken off, and without another order in their securities.
What comes out, with the locked orders, is judged as every other edit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from steelyard.engine import Engine
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.document.account import settlement_date
from steelyard.planning.document.gains import realised_gain
from steelyard.planning.document.orders import carried_out, lots_of, priced_of, turnover
from steelyard.planning.solve import LOCAL, Solution, step_order
from steelyard.plans.account import LotShown
from steelyard.portfolio import Flow, Settling, Snapshot
from steelyard.runs.solving import solved_by
from steelyard.runs.worksheet.figures import orders_of
from steelyard.runs.worksheet.records import Edits
from steelyard.runs.worksheet.sheet import Sheet


@dataclass(frozen=True, slots=True)
class _Step:
    """A locked order as `Snapshot.after` reads it."""

    side: Side
    symbol: str
    quantity: Decimal
    price: Decimal
    lots: tuple[LotShown, ...]


@dataclass(frozen=True, slots=True)
class _Locked:
    """The locked orders as `Snapshot.after` reads a plan."""

    as_of: date
    base_currency: str
    bucket: str
    cash_after: Mapping[str, Decimal]
    steps: tuple[_Step, ...]


def replanned(sheet: Sheet, edits: Edits) -> Edits:
    """The rest planned again around the locked orders, which stay as they are; seconds.

    Without a locked symbol it is the calculated plan. Raises PlanRefused where nothing may be
    planned after the locked orders.
    """
    if not edits.locked:
        return Edits()
    now = orders_of(sheet, edits)
    fixed = {symbol: now.get(symbol, ZERO) for symbol in edits.locked}
    m = sheet.solution({symbol: q for symbol, q in fixed.items() if q})
    case = _after(sheet, m, edits.locked)
    most = sheet.plan.rules.max_orders
    rest = {} if most is not None and len(m.choice.plan.row) >= most else _rest(sheet, case)
    merged = {**dict.fromkeys(sheet.calculated, ZERO), **rest, **fixed}
    changed = {s: q for s, q in merged.items() if q != sheet.calculated.get(s, ZERO)}
    return Edits(MappingProxyType(changed), edits.locked)


def _rest(sheet: Sheet, case: Case) -> dict[str, Decimal]:
    """The orders that the same rules make of an account, signed."""
    engine: Engine = "reference" if sheet.plan.certificate.scope == "targets" else "fast"
    _, plan = solved_by(engine, case, steps=LOCAL)
    return {
        step.symbol: step.quantity if step.side is Side.BUY else -step.quantity
        for step in plan.steps
    }


def _after(sheet: Sheet, m: Solution, locked: frozenset[str]) -> Case:
    """The case once the locked orders are done, what they used of the limits taken off."""
    case = sheet.case
    order = step_order(m.orders, m.choice.plan.row)
    steps = tuple(_steps(m, order))
    done = _Locked(
        case.snapshot.as_of,
        case.snapshot.base_currency,
        case.snapshot.bucket,
        carried_out(m, order).balances,
        steps,
    )
    snapshot = _with_flows(case.snapshot, case.snapshot.after(done))
    if m.ctx.limits.funding == "settled":
        snapshot = _unsettled(snapshot, m, steps)
    securities = tuple(
        replace(security, allow_buy=False, allow_sell=False)
        if security.symbol in locked
        else security
        for security in snapshot.securities
    )
    case = replace(case, snapshot=replace(snapshot, securities=securities))
    return _with_room(case, m)


def _steps(m: Solution, order: list[int]) -> Iterator[_Step]:
    for j in order:
        p = priced_of(m, j)
        quantity = m.orders.quantity[j]
        yield _Step(m.orders.side(j), p.security.symbol, quantity, p.price, lots_of(m, j))


def _with_flows(before: Snapshot, after: Snapshot) -> Snapshot:
    """With the owner's flows still to come: what is brought is for the rest to invest."""
    cash = dict(after.cash)
    flow: Flow
    for flow in before.flows:
        cash[flow.currency] = cash.get(flow.currency, ZERO) - flow.amount
    return replace(after, cash=MappingProxyType(cash), flows=before.flows)


def _unsettled(snapshot: Snapshot, m: Solution, steps: tuple[_Step, ...]) -> Snapshot:
    """With the proceeds of locked sales on their way: where settled money alone pays, they do not
    pay for the rest.
    """
    cash, settling = dict(snapshot.cash), list(snapshot.settling)
    on = settlement_date(snapshot.as_of, m.ctx.limits.settlement_days)
    for step in steps:
        p = m.valuation.priced[step.symbol]
        if step.side is Side.SELL and on > snapshot.as_of:
            amount, currency = step.quantity * p.unit_price, p.security.currency
            cash[currency] = cash.get(currency, ZERO) - amount
            settling.append(Settling(currency, amount, on))
    return replace(snapshot, cash=MappingProxyType(cash), settling=tuple(settling))


def _with_room(case: Case, m: Solution) -> Case:
    """What the locked orders used of the limits on all orders together is gone."""
    strategy, limits = case.strategy, dict[str, float | int]()
    if strategy.limits.max_turnover_weight is not None:
        used = turnover(m.orders, m.choice.plan.row)
        limits["max_turnover_weight"] = max(0.0, strategy.limits.max_turnover_weight - used)
    if strategy.limits.max_orders is not None:
        limits["max_orders"] = max(1, strategy.limits.max_orders - len(m.choice.plan.row))
    changed = strategy.limits.model_copy(update=limits)
    gain, state = realised_gain(m), case.state
    if gain is not None:
        sold = (gain.short or ZERO) + (gain.long or ZERO)
        state = replace(state, realised_gain=(state.realised_gain or ZERO) + sold)
    return replace(case, strategy=replace(strategy, limits=changed), state=state)
