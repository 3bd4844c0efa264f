"""A dry run: the orders as every rail would let them through or stop them; none is sent.

It works on a copy of the journal that is thrown away, and never calls `submit`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from steelyard.canonical import plain
from steelyard.execution.approved import Instruction
from steelyard.execution.begin import start
from steelyard.execution.by_hand import ticket_by_hand
from steelyard.execution.desk import Desk, Sight, look
from steelyard.execution.evidence import Intended, facts
from steelyard.execution.journal.journal import Lease
from steelyard.execution.legs.send import ticket_of
from steelyard.execution.legs.work import newest
from steelyard.execution.rails import Block, Judged, Pass, judge
from steelyard.execution.room import Room
from steelyard.money import ZERO
from steelyard.orders import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """An order as it would be sent first, with (rail, code, why) of each rail that stops it.

    limit_price   None where there is no quote
    """

    symbol: str
    side: str
    quantity: str
    limit_price: str | None
    passed: int
    blocks: tuple[tuple[str, str, str], ...]


def rehearse(room: Room, document: str, saved_at: datetime | None = None) -> tuple[Rehearsed, ...]:
    """Every approved order, sales first; a buy as if the sales had brought what was planned.

    room   with a journal of its own, which is thrown away
    Raises NotExecuted where the run as a whole would not begin.
    """
    with room.journal.writing() as change:
        change.execute("INSERT OR IGNORE INTO lease VALUES (?,1,'',NULL,0)", (room.account,))
    row = room.journal.row("SELECT fence FROM lease WHERE account = ?", (room.account,))
    desk = start(room, Lease(room.account, row[0]), document, saved_at)
    plan = desk.approved
    sight = look(desk, [each.symbol for each in plan.instructions])
    proceeds = sum((each.value_base for each in plan.sells), ZERO)
    rows = [_rehearsed(desk, sight, each, ZERO) for each in plan.sells]
    rows += [_rehearsed(desk, sight, each, proceeds) for each in plan.buys]
    return tuple(rows)


def _rehearsed(desk: Desk, sight: Sight, each: Instruction, more: Decimal) -> Rehearsed:
    leg = next(row for row in newest(desk) if row.step == each.step)
    if desk.broker.capabilities.serves == "file":
        ticket = ticket_by_hand(desk, sight, each, leg)
    else:
        ticket = ticket_of(sight, each, leg, each.quantity, desk.working.walk[0])
    quantity = plain(each.quantity)
    if ticket is None:
        return Rehearsed(
            symbol=each.symbol,
            side=each.side.value,
            quantity=quantity,
            limit_price=None,
            passed=0,
            blocks=(("quote", "no_quote", "no usable quote"),),
        )
    evidence = facts(desk, sight, Intended(ticket, each, leg.attempt))
    if each.side is Side.BUY and evidence.free_cash_base is not None:
        evidence = replace(evidence, free_cash_base=evidence.free_cash_base + more)
    judged = judge(evidence, "order")
    return Rehearsed(
        symbol=each.symbol,
        side=each.side.value,
        quantity=quantity,
        limit_price=plain(ticket.limit_price),
        passed=sum(isinstance(entry.verdict, Pass) for entry in judged),
        blocks=tuple(_blocks(judged)),
    )


def _blocks(judged: Iterable[Judged]) -> list[tuple[str, str, str]]:
    return [
        (entry.rail, entry.verdict.code, entry.verdict.why)
        for entry in judged
        if isinstance(entry.verdict, Block)
    ]
