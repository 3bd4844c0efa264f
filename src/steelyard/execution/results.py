"""What became of a run, as records: of each order, of weights and cash, of the comparison."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from steelyard.brokers.broker import Activity
from steelyard.execution.attribution.gains import Performance
from steelyard.execution.order_rows import OrderRow
from steelyard.execution.states import LegState, Outcome, RunState
from steelyard.orders import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """An approved order, planned and filled.

    ordered       shares that it was sent for at first; 0 = never sent
    price         that it was planned at; average_price of its executions
    value, fee    of its executions, currency of the security
    on_plan       slippage against the planned price, currency of the security
    on_midpoint   against the middle of the market when each limit was set; None where unknown
    attempts      orders that were sent
    reason        why it is not filled, or not all of it; "" = none is on record
    liquidation   why all that is held is sold; "" = it is not
    """

    step: int
    symbol: str
    side: Side
    currency: str
    planned: Decimal
    ordered: Decimal
    filled: Decimal
    price: Decimal
    average_price: Decimal | None
    value: Decimal
    value_base: Decimal
    fee: Decimal
    on_plan: Decimal
    on_midpoint: Decimal | None
    attempts: int
    state: LegState
    reason: str
    liquidation: str

    @property
    def is_whole(self) -> bool:
        """Did all of it fill that was planned?"""
        return self.filled >= self.planned

    @property
    def bps(self) -> float | None:
        """Slippage against the plan, as a fraction of what the plan's price would have been."""
        return _ratio(self.on_plan, self.value, self.side)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    """A security's weight before, as planned and as it is; `band` is around its target."""

    symbol: str
    before: float
    planned: float
    after: float
    target: float | None
    band: tuple[float, float] | None

    @property
    def inside(self) -> bool | None:
        """Is it inside its band?"""
        return None if self.band is None else self.band[0] <= self.after <= self.band[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class CashRow:
    """Money of a currency at the broker; None = it was not read.

    other   neither trades nor fees of this run: dividends, conversions, deposits, other runs
    """

    currency: str
    before: Decimal | None
    after: Decimal | None
    sold: Decimal
    bought: Decimal
    fees: Decimal

    @property
    def other(self) -> Decimal | None:
        """What is neither a trade nor a fee of this run."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before - self.sold + self.bought + self.fees


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A rail that stopped an order or the run; `count` times."""

    rail: str
    code: str
    why: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The last comparison with the broker.

    breaks      sentences
    explained   what changed shares or cash without an order, over all comparisons of the run
    """

    at: datetime
    clean: bool
    breaks: tuple[str, ...]
    explained: tuple[Activity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """A run.

    slippage_base   Σ against planned prices, base currency
    drift           half the sum of absolute deviations from target, cash included: before, as it
                    is; None without targets
    compared        None = never compared
    books           of the whole account; unmatched are sales of what a book did not have, in words
    """

    run_id: str
    plan_id: str
    bucket: str
    account: str
    broker: str
    mode: str
    state: RunState
    outcome: Outcome | None
    reason: str
    began_at: datetime
    ended_at: datetime | None
    as_of: date
    base_currency: str
    steps: tuple[StepResult, ...]
    orders: tuple[OrderRow, ...]
    weights: tuple[DriftRow, ...]
    drift: tuple[float, float] | None
    cash: tuple[CashRow, ...]
    blocks: tuple[Blocked, ...]
    compared: Compared | None
    books: tuple[Performance, ...]
    unmatched: tuple[str, ...]
    sold_base: Decimal
    bought_base: Decimal
    fees_base: Decimal
    slippage_base: Decimal
    head: str

    @property
    def filled(self) -> tuple[StepResult, ...]:
        """Steps of which something filled."""
        return tuple(step for step in self.steps if step.filled)


def _ratio(slippage: Decimal, value: Decimal, side: Side) -> float | None:
    """Slippage as a fraction of what the reference price would have come to."""
    reference = value - slippage if side is Side.BUY else value + slippage
    return float(slippage / reference) if reference else None
