"""What a plan approves, read from its document: the orders, and what they stand on.

Nothing is traded that is not here: no other symbol, no larger quantity, no other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from steelyard.canonical import plain, sha256
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.plans.account import HoldingAfter
from steelyard.plans.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One approved order.

    step         its number in the plan
    quantity     most shares that may trade
    price        that it was planned at, in `currency`
    multiplier   value of one share at a price of 1
    fx_rate      base per unit of `currency`
    lot_size     shares; a smaller order is a multiple of it
    fixed_cost   of an order, base currency; `percent_cost` of its value, converting it included
    full_exit    it sells all that is held
    """

    step: int
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    currency: str
    multiplier: Decimal
    fx_rate: Decimal
    lot_size: Decimal
    fixed_cost: Decimal
    percent_cost: Decimal
    full_exit: bool
    reason: str

    @property
    def unit_base(self) -> Decimal:
        """Value of one share at the planned price, base currency."""
        return self.price * self.multiplier * self.fx_rate

    @property
    def value_base(self) -> Decimal:
        """Value of the order at the planned price, base currency."""
        return self.quantity * self.unit_base


Purpose = Literal["plan", "flatten"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A plan as execution sees it; prices and rates are those that it stood on.

    purpose      flatten: no plan stands behind it, and everything is sold

    version      of the stored strategy; None = of none
    value        of what is there, without deposits that have not arrived, base currency
    positions    symbol -> shares before, every holding of the account that the plan knows
    prices       symbol -> price of its planned or held securities
    cash         currency -> amount before
    deposits     currency -> amount that the plan counts on and that was not there
    rates        currency -> base per unit
    reserve      cash that stays, base currency
    withdrawals  cash that the owner takes out, base currency
    problems     codes of why it may be wrong; `heads` of what was read or decided
    degraded     a module failed while it was made
    saved_at     when it was made; None where a document does not say
    fees         fixed, of value, and of money that is converted
    """

    plan_id: str
    purpose: Purpose
    bucket: str
    as_of: date
    base_currency: str
    value: Decimal
    reserve: Decimal
    withdrawals: Decimal
    version: int | None
    instructions: tuple[Instruction, ...]
    positions: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]
    currencies: Mapping[str, str]
    multipliers: Mapping[str, Decimal]
    lots: Mapping[str, Decimal]
    cash: Mapping[str, Decimal]
    deposits: Mapping[str, Decimal]
    rates: Mapping[str, Decimal]
    problems: tuple[str, ...]
    heads: tuple[str, ...]
    reproducible: bool
    degraded: bool
    saved_at: datetime | None
    weights_after: Mapping[str, Decimal]
    sectors: Mapping[str, str]
    fees: tuple[Decimal, Decimal, Decimal]

    @property
    def sells(self) -> tuple[Instruction, ...]:
        """In the order of the plan."""
        return tuple(each for each in self.instructions if each.side is Side.SELL)

    @property
    def buys(self) -> tuple[Instruction, ...]:
        """In the order of the plan."""
        return tuple(each for each in self.instructions if each.side is Side.BUY)

    @property
    def gross_base(self) -> Decimal:
        """Σ value of its orders, base currency: what is armed."""
        return sum((each.value_base for each in self.instructions), ZERO)

    @property
    def deposits_base(self) -> Decimal:
        """The same, base currency."""
        return sum((self.rates[name] * amount for name, amount in self.deposits.items()), ZERO)

    @property
    def deposits_words(self) -> str:
        """The same in words; "" for none."""
        return " and ".join(f"{amount:.2f} {name}" for name, amount in self.deposits.items())

    @property
    def foreign_rates(self) -> dict[str, Decimal]:
        """Rates of every currency but the base."""
        return {name: rate for name, rate in self.rates.items() if name != self.base_currency}

    @property
    def portfolio(self) -> str:
        """What it stands on, as a hash: positions and cash."""
        stock = {symbol: plain(shares) for symbol, shares in self.positions.items() if shares}
        cash = {name: plain(amount) for name, amount in self.cash.items() if amount}
        return sha256({"positions": stock, "cash": cash, "base": self.base_currency})

    def instruction(self, step: int) -> Instruction:
        """The order of a step."""
        return next(each for each in self.instructions if each.step == step)


def approved(plan: Plan, saved_at: datetime | None = None) -> Approved:
    """A plan document as execution sees it."""
    rows = {row.symbol: row for row in plan.holdings}
    kept_out = {row.symbol: row for row in plan.kept_out}
    costs = plan.rules.costs
    fees = (
        Decimal(repr(costs.fixed)),
        Decimal(repr(costs.percent)),
        Decimal(repr(costs.fx_percent)),
    )
    positions = {symbol: row.quantity for symbol, row in rows.items() if row.quantity}
    positions |= {symbol: row.quantity for symbol, row in kept_out.items()}
    prices = {symbol: row.price for symbol, row in rows.items()}
    prices |= {symbol: row.price for symbol, row in kept_out.items() if row.price is not None}
    rates = {flow.currency: flow.fx_rate for flow in plan.flows}
    rates |= {plan.base_currency: Decimal(1)} | dict(plan.cash_rates)
    rates |= {row.currency: row.fx_rate for row in plan.holdings}
    rates |= {row.currency: row.fx_rate for row in plan.kept_out if row.fx_rate is not None}
    return Approved(
        plan_id=plan.plan_id,
        purpose="plan",
        bucket=plan.bucket,
        as_of=plan.as_of,
        base_currency=plan.base_currency,
        value=plan.value - sum((f.amount * f.fx_rate for f in plan.flows if f.amount > 0), ZERO),
        reserve=plan.reserve,
        withdrawals=_withdrawals(plan),
        version=plan.strategy.version,
        instructions=tuple(_instructions(plan, fees)),
        positions=MappingProxyType(positions),
        prices=MappingProxyType(prices),
        currencies=MappingProxyType(
            {row.symbol: row.currency for row in plan.holdings}
            | {row.symbol: row.currency for row in plan.kept_out}
        ),
        multipliers=MappingProxyType({symbol: row.multiplier for symbol, row in rows.items()}),
        lots=MappingProxyType({symbol: row.lot_size for symbol, row in rows.items()}),
        cash=MappingProxyType(dict(plan.cash)),
        deposits=MappingProxyType(_deposits(plan)),
        rates=MappingProxyType(rates),
        problems=tuple(problem.code for problem in plan.problems),
        heads=tuple(warning.code for warning in plan.warnings if warning.head),
        reproducible=plan.reproducible,
        degraded=any(module.outcome == "failed" for module in plan.modules),
        saved_at=saved_at,
        weights_after=MappingProxyType(_weights_after(plan)),
        sectors=MappingProxyType({row.symbol: row.group for row in plan.holdings if row.group}),
        fees=fees,
    )


def _deposits(plan: Plan) -> dict[str, Decimal]:
    """Currency -> money of the plan that had not arrived."""
    amounts: dict[str, Decimal] = {}
    for flow in plan.flows:
        if flow.amount > 0:
            amounts[flow.currency] = amounts.get(flow.currency, ZERO) + flow.amount
    return amounts


def _withdrawals(plan: Plan) -> Decimal:
    """Money that the plan sets aside for its owner, base currency."""
    return sum((-flow.amount * flow.fx_rate for flow in plan.flows if flow.amount < 0), ZERO)


def _weights_after(plan: Plan) -> dict[str, Decimal]:
    """Symbol, or CASH, -> weight after the plan; costs count as cash, so that they sum to 1."""
    if not plan.value:
        return {"CASH": Decimal(1)}
    values = {row.symbol: row.quantity * unit for row, unit in _units_after(plan) if row.quantity}
    rest = plan.value - sum(values.values(), ZERO)
    weights = {symbol: value / plan.value for symbol, value in values.items()}
    return {**weights, "CASH": rest / plan.value}


def _units_after(plan: Plan) -> list[tuple[HoldingAfter, Decimal]]:
    units = {row.symbol: row.price * row.multiplier * row.fx_rate for row in plan.holdings}
    return [(row, units[row.symbol]) for row in plan.holdings_after if row.symbol in units]


def _instructions(plan: Plan, fees: tuple[Decimal, ...]) -> list[Instruction]:
    rows = {row.symbol: row for row in plan.holdings}
    return [
        Instruction(
            step=step.n,
            symbol=step.symbol,
            side=step.side,
            quantity=step.quantity,
            price=step.price,
            currency=step.currency,
            multiplier=step.multiplier,
            fx_rate=step.fx_rate,
            lot_size=rows[step.symbol].lot_size,
            fixed_cost=fees[0],
            percent_cost=fees[1] + (fees[2] if step.currency != plan.base_currency else 0),
            full_exit=step.side is Side.SELL and step.quantity == rows[step.symbol].quantity,
            reason=step.reason,
        )
        for step in plan.steps
    ]
