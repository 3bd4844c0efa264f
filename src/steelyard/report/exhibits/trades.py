"""The orders with their reasons, what they convert, the lots they sell, and the sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.plans.orders import Step
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.fold import ALL, MOST, first, folded
from steelyard.report.exhibits.words import counted
from steelyard.sentences import MINUS, money

DAYS_A_YEAR = 365.25
ADDS = "Adds"


@dataclass(frozen=True, slots=True)
class Exchange:
    """Conversions of one pair at one rate, added up; `cost` is inside the costs of the trades."""

    from_: str
    to: str
    amount: Decimal
    rate: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot that is sold; what is not known is None. `years` since it was bought."""

    symbol: str
    acquired: date | None
    quantity: Decimal
    unit_cost: Decimal | None
    currency: str
    gain: Decimal | None
    years: float | None
    account: str


@dataclass(frozen=True, slots=True)
class Trades:
    """The exhibit; sums in base currency.

    steps      the largest by amount, in the order of the plan
    more       the others
    more_said  how many they are and what they come to; empty where there are none
    lots_said  how many lots are not listed
    """

    steps: tuple[Step, ...]
    more: tuple[Step, ...]
    more_said: str
    exchanges: tuple[Exchange, ...]
    lots: tuple[Lot, ...]
    lots_said: str
    sold: Decimal
    bought: Decimal
    cost: Decimal
    heading: str
    said: str
    cash_said: str
    reserve_said: str

    @property
    def net(self) -> Decimal:
        """What the orders bring in before costs; negative when they need money."""
        return self.sold - self.bought


def trades(plan: Plan, most: int | None = MOST) -> Trades:
    """The exhibit of a plan; of long lists the largest orders, all of them for None."""
    steps, more = folded(plan.steps, lambda step: step.notional_base, most)
    lots, _ = first(list(_lots(steps, plan.as_of)))
    sold = sum((step.notional_base for step in plan.steps if step.side is Side.SELL), ZERO)
    bought = sum((step.notional_base for step in plan.steps if step.side is Side.BUY), ZERO)
    return Trades(
        steps=tuple(steps),
        more=tuple(more),
        more_said=_more_said(plan, more),
        exchanges=tuple(_exchanges(plan)),
        lots=tuple(lots),
        lots_said=_lots_said(plan, len(lots)),
        sold=sold,
        bought=bought,
        cost=plan.costs.total,
        heading=_heading(plan),
        said=_said(plan),
        cash_said=_cash_said(plan, sold, bought),
        reserve_said=_reserve_said(plan),
    )


def worth_of(plan: Plan) -> str:
    """Head of the column that tells what the plan loses without each order."""
    in_money = all(step.adds.base_per_year is not None for step in plan.steps)
    return f"{plan.base_currency} a year" if in_money else ADDS


def _exchanges(plan: Plan) -> Iterable[Exchange]:
    sums: dict[tuple[str, str, Decimal], tuple[Decimal, Decimal]] = {}
    for conversion in plan.conversions:
        key = (conversion.from_, conversion.to, conversion.rate)
        amount, cost = sums.get(key, (ZERO, ZERO))
        sums[key] = (amount + conversion.amount, cost + conversion.cost)
    for (from_, to, rate), (amount, cost) in sums.items():
        yield Exchange(from_, to, amount, rate, cost)


def _more_said(plan: Plan, more: Sequence[Step]) -> str:
    """`and 60 more: USD 12,345 in all, see --json`."""
    total = sum((step.notional_base for step in more), ZERO)
    worth = f"{plan.base_currency} {money(total, 0)}"
    return f"and {len(more):,d} more: {worth} in all, {ALL}" if more else ""


def _lots_said(plan: Plan, shown: int) -> str:
    """How many lots are not listed."""
    more = sum(len(step.lots) for step in plan.steps) - shown
    return f"and {more:,d} more lot{'' if more == 1 else 's'}: {ALL}" if more else ""


def _lots(steps: Iterable[Step], as_of: date) -> Iterable[Lot]:
    for step in steps:
        for lot in step.lots:
            years = None if lot.acquired is None else (as_of - lot.acquired).days / DAYS_A_YEAR
            yield Lot(
                symbol=step.symbol,
                acquired=lot.acquired,
                quantity=lot.quantity,
                unit_cost=lot.unit_cost,
                currency=step.currency,
                gain=lot.gain,
                years=years,
                account=lot.account,
            )


def _heading(plan: Plan) -> str:
    sells = sum(step.side is Side.SELL for step in plan.steps)
    buys = len(plan.steps) - sells
    if not plan.steps:
        return "No trades"
    if sells and buys:
        return f"{counted(len(plan.steps), 'trade')}, sells first"
    return counted(sells, "sale") if sells else counted(buys, "purchase")


def _said(plan: Plan) -> str:
    if not plan.steps:
        below = "What would be traded by the best plan that was rejected stands under alternatives."
        if plan.outlook is not None:
            below = "What would be traded by the score of today stands under alternatives."
        rejected = any(other.steps for other in plan.alternatives)
        return below if rejected else "No plan that trades was found."
    lots = "Whole lots at the prices shown."
    if worth_of(plan) == ADDS:
        return f"{lots} \u201cAdds\u201d: points of the net score that the plan loses without it."
    return (
        f"{lots} \u201cA year\u201d is what the plan loses without the order, as money a year that "
        "the score weighs as much; no forecast. A sale that only funds may be negative."
    )


def _cash_said(plan: Plan, sold: Decimal, bought: Decimal) -> str:
    """The cash account in one line; it is a sum that `verify` checks."""
    base, every = plan.base_currency, "All cash" if has_foreign_cash(plan) else "Cash"
    before, after = plan.in_base(plan.cash), plan.in_base(plan.cash_after)
    flows = [flow.amount * flow.fx_rate for flow in plan.flows]
    brought = sum((amount for amount in flows if amount > 0), ZERO)
    out = -sum((amount for amount in flows if amount < 0), ZERO)
    coming = plan.in_base(plan.balances) - before - brought + out
    if not (plan.steps or flows or plan.conversions):
        then = f", with what is on its way {money(after)}" if coming else ""
        return f"{every} stays at {money(before)} {base}{then}."
    parts = (
        (" + coming in", coming), (f" {MINUS} going out", -coming), (" + deposits", brought),
        (f" {MINUS} withdrawals", out), (" + sold", sold), (f" {MINUS} bought", bought),
        (f" {MINUS} costs", plan.costs.total),
    )  # fmt: skip
    moves = "".join(f"{name} {money(amount)}" for name, amount in parts if amount > 0)
    return f"{every} {money(before)}{moves} = {money(after)} {base}."


def _reserve_said(plan: Plan) -> str:
    """The reserve, and what counts towards it where that is more than the cash account shows."""
    reserve = f"The reserve is {money(plan.reserve)}"
    if "regime." in plan.reserve_reason.template:
        reserve += f": {plan.reserve_reason.text[:-1]}"
    if not has_foreign_cash(plan):
        return reserve + "."
    total = f"{money(plan.in_base(plan.cash_after))} {plan.base_currency}"
    return f"{reserve}; cash in other currencies counts towards it: all cash is {total}."


def has_foreign_cash(plan: Plan) -> bool:
    """Is there cash in another currency than the base after the plan?"""
    base = plan.base_currency
    return any(amount for currency, amount in plan.cash_after.items() if currency != base)
