"""What the rails are asked with: the facts of a desk, gathered from journal, broker and plan.

Nothing is judged here, and nothing is made up: what is not known stays None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from steelyard.brokers.broker import BrokerAccount, Ticket
from steelyard.execution import halt
from steelyard.execution.approved import Approved, Instruction
from steelyard.execution.desk import Desk, Sight, unit_value, value_of
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.rows import FillRow, LegRow, RunRow
from steelyard.execution.legs.watch import filled_of
from steelyard.execution.rails.facts import (
    ApprovedOrder,
    DayFacts,
    Facts,
    Lock,
    OrderFacts,
    PlanFacts,
    Reconciliation,
)
from steelyard.execution.reconcile import stored
from steelyard.execution.states import (
    AT_BROKER,
    IN_DOUBT,
    LegState,
    Outcome,
    RunState,
)
from steelyard.ledger import least_spendable
from steelyard.money import ZERO
from steelyard.orders import Side

OUT = AT_BROKER | IN_DOUBT | {LegState.HELD}
"""An attempt whose shares or money may still go."""
REFUSED = frozenset({LegState.BLOCKED, LegState.REJECTED, LegState.HELD})
NOTHING: Mapping[str, Decimal] = MappingProxyType({})
GOOD = {Outcome.DONE, Outcome.DONE_WITH_SKIPS}


@dataclass(frozen=True, slots=True)
class Intended:
    """The order at hand."""

    ticket: Ticket
    instruction: Instruction
    attempt: int


def facts(desk: Desk, sight: Sight, intended: Intended | None = None) -> Facts:
    """All that the rails may know of a run now, and of an order where one is at hand."""
    run, legs, standing = desk.run, desk.legs, desk.standing
    plan, account, quotes = desk.approved, sight.account, sight.quotes
    value = None if account is None or quotes is None else value_of(account, plan, quotes)
    return Facts(
        limits=desk.limits,
        history_needs=standing.needs,
        mode="live" if run.mode == "live" else "paper",
        purpose=plan.purpose,
        run_id=run.run_id,
        subject=plan.plan_id,
        amount_base=plan.gross_base,
        host=standing.host,
        key=standing.key,
        pinned_account=standing.pinned_account,
        account=account,
        capabilities=desk.broker.capabilities,
        history=standing.history,
        arm=standing.arm,
        switch=desk.engaged(),
        lock=_lock(desk),
        reconciliation=reconciliation(desk.journal, run.account),
        builds=standing.builds,
        free_disk_bytes=standing.free_disk_bytes,
        journal_writable=True,  # an object that failed to write refuses to
        clock=sight.clock,
        session=sight.session,
        previous_session=sight.previous_session,
        newest_event_at=_newest(desk, sight),
        run_started_at=desk.request.began_at,
        plan=plan_facts(plan, legs, filled_of(desk)),
        order=None if intended is None else _order(desk, sight, intended, legs),
        day=_day(desk, sight, legs),
        holdings=None if account is None else _holdings(account),
        fills=sight.filled,
        values_base=None if quotes is None else _values(desk, sight, legs),
        sectors=plan.sectors,
        free_cash_base=None if account is None else free_cash(desk, account, sight, legs),
        quotes=quotes,
        assets=sight.assets,
        restricted=standing.restricted,
        last_trades=_last_trades(desk, sight),
        equity_open_base=desk.request.equity_base,
        equity_base=value,
    )


def floor_of(plan: Approved) -> Decimal:
    """Base cash that the buys of a plan leave alone: its reserve, or what was there if less.

    Money that the owner takes out is not there for them either.
    """
    total = sum((plan.cash[name] * plan.rates[name] for name in plan.cash), ZERO)
    spendable = plan.cash.get(plan.base_currency, ZERO)
    return max(least_spendable(total, spendable, plan.reserve), ZERO) + plan.withdrawals


def free_cash(desk: Desk, account: BrokerAccount, sight: Sight, legs: Sequence[LegRow]) -> Decimal:
    """Money that new buys may take, base currency: spendable, less what attempts of ours may.

    What they took since the account was read counts as well; credit does not.
    """
    seen = {order.client_order_id for order in account.open_orders}
    filled = filled_of(desk)
    money = sum((free * desk.approved.rates[name] for name, free in spendable(desk, account)), ZERO)
    for leg in legs:
        if leg.client_order_id in seen:
            continue  # what the broker lets us spend is without it
        shares = filled.get(leg.client_order_id, ZERO)
        rest = leg.quantity - shares if leg.state in OUT else ZERO
        news = shares - sight.booked.get(leg.client_order_id, ZERO)
        money -= leg.reserved * (rest + news) / leg.quantity
    return money


def spendable(desk: Desk, account: BrokerAccount) -> list[tuple[str, Decimal]]:
    """(currency, money of it that buys may take); one without a rate is worth nothing here."""
    return [
        (balance.currency, min(balance.spendable, balance.amount))
        for balance in account.cash
        if balance.currency in desk.approved.rates
    ]


def _lock(desk: Desk) -> Lock:
    row = desk.journal.row("SELECT fence FROM lease WHERE account = ?", (desk.lease.account,))
    return Lock(locked=True, fence=desk.lease.fence, newest_fence=0 if row is None else row[0])


def reconciliation(journal: Journal, account: str) -> Reconciliation | None:
    """The last comparison of an account; None where it was never opened."""
    opening = stored.opening_for(journal, account)
    if opening is None:
        return None
    clean = stored.comparisons(journal, account, 1)[0].clean
    freeze = stored.frozen(journal, account)
    return Reconciliation(clean, opening.at, "" if freeze is None else freeze.reason)


def _newest(desk: Desk, sight: Sight) -> datetime | None:
    stamps = [row.at for row in rows.newest_fills(desk.journal, desk.lease.account)]
    stamps += [leg.sent_at for leg in desk.legs if leg.sent_at is not None]
    return max(stamps, default=None if sight.clock is None else sight.clock.now)


def plan_facts(
    plan: Approved, legs: Sequence[LegRow] = (), filled: Mapping[str, Decimal] = NOTHING
) -> PlanFacts:
    """The plan as the rails see it, with what of its orders is gone."""
    return PlanFacts(
        plan_id=plan.plan_id,
        as_of=plan.as_of,
        made_at=plan.saved_at,
        problems=plan.problems,
        heads=plan.heads,
        degraded=plan.degraded,
        reproducible=plan.reproducible,
        value_base=plan.value,
        deposits_base=plan.deposits_base,
        keep_base=floor_of(plan),
        weights=plan.weights_after,
        holdings=plan.positions,
        approved={
            each.step: ApprovedOrder(
                symbol=each.symbol,
                side=each.side,
                quantity=each.quantity,
                price=each.price,
                currency=each.currency,
                full_exit=each.full_exit,
                multiplier=each.multiplier,
                filled=_gone(each.step, legs, filled),
            )
            for each in plan.instructions
        },
    )


def _gone(step: int, legs: Sequence[LegRow], filled: Mapping[str, Decimal]) -> Decimal:
    """Shares of a step that were filled or may still be."""
    return sum(
        (
            leg.quantity if leg.state in OUT else filled.get(leg.client_order_id, ZERO)
            for leg in legs
            if leg.step == step
        ),
        ZERO,
    )


def _order(desk: Desk, sight: Sight, intended: Intended, legs: Sequence[LegRow]) -> OrderFacts:
    ticket, plan = intended.ticket, desk.approved
    each = intended.instruction
    rate = plan.rates.get(ticket.currency)
    amount = ticket.quantity * ticket.limit_price * each.multiplier * (rate or ZERO)
    fee = each.fixed_cost + each.percent_cost * amount
    out = [leg for leg in legs if leg.state in OUT and leg.symbol == ticket.symbol]
    free = None
    if sight.account is not None:
        free = sight.account.position(ticket.symbol).available
    return OrderFacts(
        ticket=ticket,
        step=each.step,
        attempt=intended.attempt - 1,
        fx_rate=rate,
        fx_at=None if sight.clock is None else sight.clock.now,
        fee_base=fee,
        free_shares=free,
        duplicate=any(leg.side is ticket.side for leg in out)
        or any(leg.client_order_id == ticket.client_order_id and leg.sent_at for leg in legs),
        full_exit=each.full_exit,
        multiplier=each.multiplier,
    )


def _day(desk: Desk, sight: Sight, legs: Sequence[LegRow]) -> DayFacts | None:
    if sight.clock is None:
        return None
    today = (sight.session.day if sight.session else sight.clock.now.date()).isoformat()
    sent = desk.journal.rows(
        "SELECT leg.sent_utc, leg.run_id FROM leg JOIN run ON run.run_id = leg.run_id "
        "WHERE run.account = ? AND leg.sent_utc IS NOT NULL ORDER BY leg.sent_utc",
        (desk.lease.account,),
    )
    stamps = [stamp for stamp, _ in sent if stamp[:10] == today]
    return DayFacts(
        orders_today=len(stamps),
        orders_in_run=sum(run == desk.run_id for _, run in sent),
        last_order_at=datetime.fromisoformat(stamps[-1]) if stamps else None,
        turnover_base=_turnover(desk, legs, date.fromisoformat(today)),
        rejects_in_row=_rejects_in_row(legs),
        rejects=sum(leg.state is LegState.REJECTED for leg in legs),
        failures=failures(desk.journal, desk.journal.now().utc),
        failed_sells_base=failed_sells(desk, legs),
    )


def _turnover(desk: Desk, legs: Sequence[LegRow], today: date) -> Decimal:
    plan = desk.approved
    fills = rows.fills(desk.journal, account=desk.lease.account, since=today)
    gross = sum(
        (row.value * plan.rates.get(row.currency, Decimal(1)) for row in fills if _on(row, today)),
        ZERO,
    )
    filled = filled_of(desk)
    for leg in legs:
        if leg.state in OUT:
            rest = leg.quantity - filled.get(leg.client_order_id, ZERO)
            gross += rest * leg.limit_price * _money(plan, leg.symbol)
    return gross


def _on(row: FillRow, day: date) -> bool:
    return row.at.date() == day


def _money(plan: Approved, symbol: str) -> Decimal:
    """Base money of one share at a price of 1."""
    rate = plan.rates[plan.currencies[symbol]]
    return plan.multipliers.get(symbol, Decimal(1)) * rate


def _rejects_in_row(legs: Sequence[LegRow]) -> int:
    sent = sorted(
        (leg for leg in legs if leg.sent_at is not None),
        key=lambda leg: (leg.sent_at, leg.step, leg.attempt),
    )
    count = 0
    for leg in reversed(sent):
        if leg.state is not LegState.REJECTED:
            break
        count += 1
    return count


def failures(journal: Journal, now: datetime) -> int:
    """Runs of the last 24 hours that failed, since the last that did not or the last lift."""
    query = "SELECT ended_utc, outcome FROM run WHERE ended_utc >= ? AND outcome IS NOT NULL"
    lately = journal.rows(query, ((now - 2 * halt.WINDOW).isoformat(),))
    endings = [(datetime.fromisoformat(stamp), outcome) for stamp, outcome in lately]
    return halt.failures(endings, now) and halt.failures(endings, now, _lifted(journal))


def _lifted(journal: Journal) -> datetime | None:
    """When the kill switch was last lifted."""
    changes = journal.rows("SELECT ts_utc, body FROM event WHERE kind = 'HaltChanged'")
    lifts = [stamp for stamp, body in changes if not json.loads(body)["data"]["engaged"]]
    return datetime.fromisoformat(max(lifts)) if lifts else None


def failed_sells(desk: Desk, legs: Sequence[LegRow]) -> Decimal:
    """Money of approved sells that failed, base currency, as planned.

    One that was refused or of which nothing was filled failed; one that was slow did not: the buys
    get what it brought.
    """
    if desk.run.state in {RunState.PLANNED, RunState.ARMED, RunState.SELLING}:
        return ZERO
    filled = filled_of(desk)
    total = ZERO
    for each in desk.approved.sells:
        attempts = [leg for leg in legs if leg.step == each.step]
        sold = sum((filled.get(leg.client_order_id, ZERO) for leg in attempts), ZERO)
        if not sold or attempts[-1].state in REFUSED:
            total += (each.quantity - sold) * each.unit_base
    return total


def _holdings(account: BrokerAccount) -> dict[str, Decimal]:
    return {position.symbol: position.quantity for position in account.positions}


def _values(desk: Desk, sight: Sight, legs: Sequence[LegRow]) -> dict[str, Decimal]:
    """Symbol -> value now, with what attempts of ours may still buy."""
    plan, quotes = desk.approved, sight.quotes or {}
    account = sight.account
    stock = {} if account is None else _holdings(account)
    values = {symbol: shares * unit_value(symbol, plan, quotes) for symbol, shares in stock.items()}
    for leg in legs:
        if leg.state in OUT and leg.side is Side.BUY:
            values[leg.symbol] = values.get(leg.symbol, ZERO) + leg.reserved
    return values


def _last_trades(desk: Desk, sight: Sight) -> dict[tuple[str, Side], datetime]:
    """The newest trade of each symbol and side by earlier runs, as far back as the rails ask."""
    hours = timedelta(hours=desk.limits.opposite_trade_hours)
    since = None if sight.clock is None else (sight.clock.now - hours).date()
    ours = {leg.client_order_id for leg in desk.legs}
    newest: dict[tuple[str, Side], datetime] = {}
    for row in rows.fills(desk.journal, account=desk.lease.account, since=since):
        if row.client_order_id not in ours:
            place = (row.symbol, row.side)
            newest[place] = max(row.at, newest.get(place, row.at))
    return newest


def is_good(run: RunRow) -> bool:
    """Did it end as it should?"""
    return run.outcome in GOOD
