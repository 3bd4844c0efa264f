"""Do the tables say what the events told? Only events are chained, and tables are what acts.

A run, an order or a fill that was edited, added or removed past them is named; so is what events
that are cut off the end had told, since the tables still have it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from steelyard.errors import ChainBroken
from steelyard.execution.journal.journal import Change, Journal
from steelyard.execution.journal.units import money_e4, shares_e9
from steelyard.execution.states import LegState, RunState

Rows = dict[str, tuple[Any, ...]]
"""What there is, by what a message calls it."""

KINDS = (
    "RunStarted", "RunStateChanged", "RunEnded", "LegStateChanged", "OrderSubmitting", "FillBooked",
)  # fmt: skip
RUNS = "SELECT run_id, account, mode, plan_hash, broker, state, outcome FROM run"
STATES = "SELECT coid, symbol, side, state FROM leg WHERE state <> ?"
SENT = "SELECT coid, qty_e9, limit_px FROM leg WHERE sent_utc IS NOT NULL"
FILLS = (
    "SELECT account, exec_id, coid, symbol, side, qty_e9, price, value_e4, fee_e4, ccy FROM fill"
)
UNBALANCED = (
    "SELECT txn FROM posting GROUP BY txn, commodity, account LIKE 'cash:%' OR account LIKE "
    "'%.cash' OR account = 'fees' HAVING SUM(amount) <> 0 LIMIT 1"
)
TRADED = "SELECT commodity, SUM(amount) FROM posting WHERE account = 'market' GROUP BY commodity"
FILLED = (
    "SELECT symbol, SUM(CASE side WHEN 'buy' THEN -qty_e9 ELSE qty_e9 END) FROM fill "
    "GROUP BY symbol"
)


def check(journal: Journal) -> None:
    """Raises ChainBroken for the first thing on which tables and events differ."""
    with journal.reading() as within:
        wrong = next(_differences(within), "")
    if wrong:
        raise ChainBroken(
            f"the tables of the journal are not what its events tell: {wrong}. Nothing was sent, "
            "and nothing will be on what this journal says. Restore it from a copy, or compare "
            "with the broker by hand.",
            code="tables_differ",
            value=wrong,
            hint="restore the journal from a copy",
        )


def _differences(within: Change) -> Iterator[str]:
    events = _events(within)
    for there, meant in zip(_tables(within), events, strict=True):
        for name in sorted(there.keys() | meant.keys()):
            if there.get(name) != meant.get(name):
                yield name
    for (number,) in within.execute(UNBALANCED):
        yield f"posting {number} does not balance"
    traded, filled = (dict(within.execute(sql).fetchall()) for sql in (TRADED, FILLED))
    for symbol in sorted(traded.keys() | filled.keys()):
        if traded.get(symbol, 0) != filled.get(symbol, 0):
            yield f"postings of {symbol}"


def _tables(within: Change) -> tuple[Rows, Rows, Rows, Rows]:
    runs = {f"run {row[0]}": tuple(row[1:]) for row in within.execute(RUNS)}
    planned = LegState.PLANNED.value
    states = {f"order {row[0]}": tuple(row[1:]) for row in within.execute(STATES, (planned,))}
    sent = {f"order {row[0]}": (row[1], Decimal(row[2])) for row in within.execute(SENT)}
    fills = {f"execution {row[1]} of {row[0]}": _fill(row) for row in within.execute(FILLS)}
    return runs, states, sent, fills


def _fill(row: Any) -> tuple[Any, ...]:
    *first, price, value, fee, currency = row[2:]
    return (*first, Decimal(price), value, fee, currency)


def _events(within: Change) -> tuple[Rows, Rows, Rows, Rows]:
    """The same rows as the events tell them, the last word of each."""
    runs, states, sent, fills = Rows(), Rows(), Rows(), Rows()
    marks = ",".join("?" * len(KINDS))
    query = f"SELECT kind, run_id, body FROM event WHERE kind IN ({marks}) ORDER BY seq"
    for kind, run_id, body in within.execute(query, KINDS):
        data: Mapping[str, Any] = json.loads(body)["data"]
        order = f"order {data.get('client_order_id')}"
        if kind == "OrderSubmitting":
            sent[order] = (shares_e9(Decimal(data["quantity"])), Decimal(data["limit_price"]))
        elif kind == "LegStateChanged":
            states[order] = (data["symbol"], data["side"], data["new"])
        elif kind == "FillBooked":
            fills[f"execution {data['exec_id']} of {data['account']}"] = _booked(data)
        else:
            name = f"run {run_id}"
            runs[name] = _run(kind, data, runs.get(name, ()))
    return runs, states, sent, fills


def _run(kind: str, data: Mapping[str, Any], before: tuple[Any, ...]) -> tuple[Any, ...]:
    """(account, mode, plan, broker, state, outcome) once an event of a run is counted in."""
    if kind == "RunStarted":
        start = (data["account"], data["mode"], data["plan_id"], data["broker"])
        return (*start, RunState.PLANNED.value, None)
    if kind == "RunStateChanged":
        return (*before[:4], data["new"], *before[5:])
    return (*before[:5], data["outcome"])


def _booked(data: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        data["client_order_id"], data["symbol"], data["side"],
        shares_e9(Decimal(data["quantity"])), Decimal(data["price"]),
        money_e4(Decimal(data["value"])), money_e4(Decimal(data["fee"])), data["currency"],
    )  # fmt: skip
