"""Orders of a run as people and programs read them: each one sent, and each step never sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from steelyard.execution.approved import Instruction
from steelyard.execution.journal.rows import FillRow, LegRow
from steelyard.execution.states import LegState
from steelyard.money import ZERO
from steelyard.orders import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One order, or a step of which none was sent.

    limit_price     currency of the security; of a step never sent the planned price
    bid, ask        when the limit was set; None = never sent
    average_price   of its executions; None = nothing filled
    liquidation     why all that is held is sold; "" = it is not
    sent            was it sent
    """

    step: int
    attempt: int
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal
    currency: str
    bid: Decimal | None
    ask: Decimal | None
    filled: Decimal
    average_price: Decimal | None
    state: LegState
    reason: str
    liquidation: str
    sent: bool

    @property
    def midpoint(self) -> Decimal | None:
        """Between bid and ask when its limit was set."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2


def order_rows(
    legs: Iterable[LegRow], fills: Iterable[FillRow], instructions: Sequence[Instruction]
) -> tuple[OrderRow, ...]:
    """Rows by step and attempt.

    An attempt that was not sent is a row only where it is the only one of its step.
    """
    approved = {each.step: each for each in instructions}
    booked: dict[str, list[FillRow]] = {}
    for fill in fills:
        booked.setdefault(fill.client_order_id, []).append(fill)
    by_step: dict[int, list[LegRow]] = {}
    for leg in legs:
        by_step.setdefault(leg.step, []).append(leg)
    rows = []
    for step in sorted(by_step):
        attempts = [leg for leg in by_step[step] if leg.sent_at is not None]
        for leg in attempts or by_step[step][-1:]:
            each = approved.get(step)
            rows.append(_row(leg, booked.get(leg.client_order_id, []), each))
    return tuple(rows)


def average(fills: Iterable[FillRow]) -> Decimal | None:
    """Price per share over executions; None for none."""
    rows = tuple(fills)
    quantity = sum((fill.quantity for fill in rows), ZERO)
    if not quantity:
        return None
    return sum((fill.quantity * fill.price for fill in rows), ZERO) / quantity


def _row(leg: LegRow, fills: Sequence[FillRow], each: Instruction | None) -> OrderRow:
    return OrderRow(
        step=leg.step,
        attempt=leg.attempt,
        client_order_id=leg.client_order_id,
        symbol=leg.symbol,
        side=leg.side,
        quantity=leg.quantity,
        limit_price=leg.limit_price,
        currency="" if each is None else each.currency,
        bid=leg.bid,
        ask=leg.ask,
        filled=sum((fill.quantity for fill in fills), ZERO),
        average_price=average(fills),
        state=leg.state,
        reason=leg.reason,
        liquidation=each.reason if each is not None and each.full_exit else "",
        sent=leg.sent_at is not None,
    )
