"""Rows of the journal as records, and the reading of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from steelyard.errors import NotStored, did_you_mean
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.units import money, shares
from steelyard.execution.states import LEG_OVER, LegState, Outcome, RunState
from steelyard.orders import Side

LAST = "last"
"""Stands for the newest run."""
RUN_COLUMNS = (
    "run_id, account, mode, plan_hash, config_version, build, state, fence, created_utc, bucket, "
    "broker, outcome, reason, ended_utc"
)
LEG_COLUMNS = (
    "run_id, step, attempt, coid, params_hash, symbol, side, qty_e9, limit_px, state, venue_id, "
    "reserved_cash_e4, reason, bid, ask, sent_utc"
)
FILL_COLUMNS = (
    "account, exec_id, coid, qty_e9, value_e4, fee_e4, ccy, venue_ts, symbol, side, price, settles"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run; `config_version` is 0 where the plan is of no stored strategy."""

    run_id: str
    account: str
    mode: str
    plan_id: str
    config_version: int
    build: str
    state: RunState
    fence: int
    created_at: datetime
    bucket: str
    broker: str
    outcome: Outcome | None
    reason: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRow:
    """One attempt at one step.

    reserved   money that it may take, base currency
    bid, ask   when its limit was set; None before
    """

    run_id: str
    step: int
    attempt: int
    client_order_id: str
    params_hash: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal
    state: LegState
    broker_id: str
    reserved: Decimal
    reason: str
    bid: Decimal | None
    ask: Decimal | None
    sent_at: datetime | None

    @property
    def over(self) -> bool:
        """Will nothing more be sent for it?"""
        return self.state in LEG_OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class FillRow:
    """One execution in the books."""

    account: str
    exec_id: str
    client_order_id: str
    quantity: Decimal
    value: Decimal
    fee: Decimal
    currency: str
    at: datetime
    symbol: str
    side: Side
    price: Decimal
    settles: date | None


def runs(journal: Journal, account: str | None = None) -> list[RunRow]:
    """Every run, newest first."""
    query = f"SELECT {RUN_COLUMNS} FROM run"
    if account is not None:
        query += " WHERE account = ?"
    parameters = () if account is None else (account,)
    rows = journal.rows(f"{query} ORDER BY created_utc DESC, rowid DESC", parameters)
    return [_run(row) for row in rows]


def run(journal: Journal, run_id: str) -> RunRow:
    """A run by its id, or the newest by `last`; raises NotStored with the nearest."""
    if run_id == LAST and (newest := runs(journal)):
        return newest[0]
    row = journal.row(f"SELECT {RUN_COLUMNS} FROM run WHERE run_id = ?", (run_id,))
    if row is None:
        names = [name for (name,) in journal.rows("SELECT run_id FROM run")]
        near = did_you_mean(run_id, names)
        raise NotStored(
            f"No run {run_id} is in the journal.{near} Nothing was done. List them with: steelyard "
            "runs",
            code="no_such_run",
            place="RUN",
            value=run_id,
            hint=near.strip() or "steelyard runs",
        )
    return _run(row)


def legs(journal: Journal, run_id: str) -> list[LegRow]:
    """Every attempt of a run, by step and attempt."""
    query = f"SELECT {LEG_COLUMNS} FROM leg WHERE run_id = ? ORDER BY step, attempt"
    return [_leg(row) for row in journal.rows(query, (run_id,))]


def fills(
    journal: Journal,
    *,
    run_id: str | None = None,
    account: str | None = None,
    orders: Sequence[str] | None = None,
    since: date | None = None,
) -> list[FillRow]:
    """Executions in the order in which they were booked: of a run, orders, an account, or all.

    since   of an account: none of this day or later is missing, a few earlier ones may be there
    """
    columns = ", ".join(f"fill.{name.strip()}" for name in FILL_COLUMNS.split(","))
    query = f"SELECT {columns} FROM fill"
    if run_id is not None:
        query += " JOIN leg ON leg.coid = fill.coid WHERE leg.run_id = ?"
        return [_fill(row) for row in journal.rows(f"{query} ORDER BY fill.rowid", (run_id,))]
    if orders is not None:
        query += " WHERE fill.coid IN (SELECT value FROM json_each(?)) ORDER BY fill.rowid"
        return [_fill(row) for row in journal.rows(query, (json.dumps(orders),))]
    if account is not None:
        query += " WHERE fill.account = ? AND fill.venue_ts >= ?"
    # offsets differ, so the text of a time may be of the day before
    first = "" if since is None else (since - timedelta(days=1)).isoformat()
    parameters = () if account is None else (account, first)
    return [_fill(row) for row in journal.rows(f"{query} ORDER BY fill.rowid", parameters)]


def newest_fills(journal: Journal, account: str) -> list[FillRow]:
    """The executions of an account's last two days or so."""
    query = "SELECT MAX(venue_ts) FROM fill WHERE account = ?"
    newest = journal.row(query, (account,))[0]
    if newest is None:
        return []
    return fills(journal, account=account, since=datetime.fromisoformat(newest).date())


def booked(journal: Journal, account: str, names: Sequence[str]) -> set[str]:
    """Those of these executions that are in the books."""
    query = (
        "SELECT exec_id FROM fill WHERE account = ? AND exec_id IN (SELECT value FROM json_each(?))"
    )
    return {name for (name,) in journal.rows(query, (account, json.dumps(names)))}


def said_of(journal: Journal, run_id: str, kind: str) -> list[Mapping[str, Any]]:
    """What RunStateChanged or AlertRaised say of a run, oldest first."""
    query = (
        "SELECT body FROM event WHERE run_id = ? AND kind = ? "
        "AND kind IN ('RunStateChanged','AlertRaised') ORDER BY seq"  # those that are indexed
    )
    return [json.loads(body)["data"] for (body,) in journal.rows(query, (run_id, kind))]


def balances(journal: Journal, account: str) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """(symbol -> shares, currency -> money) that the postings of an account come to."""
    query = (
        "SELECT account, commodity, SUM(amount) FROM posting WHERE account IN (?,?) "
        "GROUP BY account, commodity ORDER BY commodity"
    )
    books = (f"shares:{account}", f"cash:{account}")
    rows = journal.rows(query, books)
    stock = {name: shares(units) for book, name, units in rows if book == books[0] and units}
    cash = {name: money(units) for book, name, units in rows if book == books[1] and units}
    return stock, cash


def _run(row: Any) -> RunRow:
    ended = row[13]
    return RunRow(
        run_id=row[0], account=row[1], mode=row[2], plan_id=row[3], config_version=row[4],
        build=row[5], state=RunState(row[6]), fence=row[7],
        created_at=datetime.fromisoformat(row[8]), bucket=row[9], broker=row[10],
        outcome=None if row[11] is None else Outcome(row[11]), reason=row[12],
        ended_at=None if ended is None else datetime.fromisoformat(ended),
    )  # fmt: skip


def _leg(row: Any) -> LegRow:
    bid, ask, sent = row[13:16]
    return LegRow(
        run_id=row[0], step=row[1], attempt=row[2], client_order_id=row[3], params_hash=row[4],
        symbol=row[5], side=Side(row[6]), quantity=shares(row[7]), limit_price=Decimal(row[8]),
        state=LegState(row[9]), broker_id=row[10] or "", reserved=money(row[11]), reason=row[12],
        bid=None if bid is None else Decimal(bid), ask=None if ask is None else Decimal(ask),
        sent_at=None if sent is None else datetime.fromisoformat(sent),
    )  # fmt: skip


def _fill(row: Any) -> FillRow:
    settles = row[11]
    return FillRow(
        account=row[0], exec_id=row[1], client_order_id=row[2], quantity=shares(row[3]),
        value=money(row[4]), fee=money(row[5]), currency=row[6],
        at=datetime.fromisoformat(row[7]), symbol=row[8], side=Side(row[9]), price=Decimal(row[10]),
        settles=None if settles is None else date.fromisoformat(settles),
    )  # fmt: skip
