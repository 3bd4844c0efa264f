"""Cash by settlement date: one step chart per currency, with its table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from steelyard.money import ZERO
from steelyard.plans.account import CashRung
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.scale import WHOLE, Scale
from steelyard.report.exhibits.trades import has_foreign_cash
from steelyard.report.exhibits.words import capital
from steelyard.sentences import FORMATS, money

TAIL = 0.45
"""Drawn after the last date, as a share of the days before it: the last balance is seen."""
APART = 28.0
"""Percent of the width between two dates under the axis: a date of the chart at its narrowest."""
HEADROOM = 1.12
LEAST_SPAN = 1.0


@dataclass(frozen=True, slots=True)
class Flat:
    """A balance between two dates: ends in percent of the width, money of the currency."""

    left: float
    right: float
    balance: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the chart with its words."""

    at: float
    balance: float
    text: str


@dataclass(frozen=True, slots=True)
class Day:
    """One row of the table: what is there with unsettled trades, and what is settled."""

    on: str
    traded: Decimal
    settled: Decimal
    estimated: bool
    lowest: bool


@dataclass(frozen=True, slots=True)
class Ladder:
    """One currency.

    settled   flats of the settled balance; they meet at the dates
    traded    flats of the balance with unsettled money; empty where it never differs
    dates     words under the axis, of days that are not too near each other
    lowest    the least balance of either kind
    up        money to height: 0 at the bottom of the chart or above it when a balance is negative
    """

    currency: str
    settled: tuple[Flat, ...]
    traded: tuple[Flat, ...]
    dates: tuple[Mark, ...]
    lowest: Mark
    reserve: Decimal | None
    up: Scale
    days: tuple[Day, ...]
    said: str
    label: str


@dataclass(frozen=True, slots=True)
class Cash:
    """The exhibit: a ladder per currency, the base currency first."""

    ladders: tuple[Ladder, ...]
    heading: str
    said: str


def cash(plan: Plan) -> Cash:
    """The exhibit of a plan."""
    by_currency: dict[str, list[CashRung]] = {}
    for rung in plan.cash_ladder:
        by_currency.setdefault(rung.currency, []).append(rung)
    order = sorted(by_currency, key=lambda currency: (currency != plan.base_currency, currency))
    ladders = (_ladder(plan, currency, by_currency[currency]) for currency in order)
    return Cash(tuple(ladders), _heading(plan), _meaning(plan))


def _ladder(plan: Plan, currency: str, rungs: Sequence[CashRung]) -> Ladder:
    dates = sorted({rung.date for rung in rungs})
    first, days = dates[0], max((dates[-1] - dates[0]).days, 1)
    across = Scale(0.0, days * (1 + TAIL) if len(dates) > 1 else 1.0)
    reserve = plan.reserve if currency == plan.base_currency else None

    def at(day: date) -> float:
        return across.at((day - first).days)

    balances = [rung.balance for rung in rungs]
    least = min(rungs, key=lambda rung: (rung.balance, rung.date))
    highest = float(max([*balances, reserve or ZERO]))
    sentence = _said(plan, rungs, least, reserve)
    return Ladder(
        currency=currency,
        settled=tuple(_flats([rung for rung in rungs if rung.kind == "settled"], at)),
        traded=tuple(_flats([rung for rung in rungs if rung.kind == "traded"], at)),
        dates=tuple(_apart(Mark(at(day), 0.0, FORMATS["date"](day)) for day in dates)),
        lowest=Mark(at(least.date), float(least.balance), money(least.balance, 0)),
        reserve=reserve,
        up=Scale(min(0.0, float(min(balances)) * HEADROOM), max(highest * HEADROOM, LEAST_SPAN)),
        days=tuple(_days(rungs, least.date if len(rungs) > 1 else None)),
        said=sentence,
        label=f"Cash in {currency} by date. {sentence}",
    )


def _apart(marks: Iterable[Mark]) -> Iterator[Mark]:
    """Those that do not stand in the one before; the table has every day."""
    last = -APART
    for mark in marks:
        if mark.at - last >= APART:
            last = mark.at
            yield mark


def _flats(rungs: Sequence[CashRung], at: Callable[[date], float]) -> Iterable[Flat]:
    """Each balance lasts until the next date, the last one to the edge."""
    ordered = sorted(rungs, key=lambda rung: rung.date)
    places = [at(rung.date) for rung in ordered] + [WHOLE]
    for rung, begin, end in zip(ordered, places, places[1:], strict=False):
        yield Flat(begin, end, float(rung.balance))


def _days(rungs: Sequence[CashRung], lowest: date | None) -> Iterable[Day]:
    """A balance lasts until the next one; before the first trade all there is is settled."""
    settled = traded = ZERO
    unsettled = False
    for on in sorted({rung.date for rung in rungs}):
        day = {rung.kind: rung for rung in rungs if rung.date == on}
        settled = day["settled"].balance if "settled" in day else settled
        unsettled = unsettled or "traded" in day
        traded = day["traded"].balance if "traded" in day else traded if unsettled else settled
        estimated = any(rung.estimated for rung in day.values())
        yield Day(FORMATS["date"](on), traded, settled, estimated, on == lowest)


def _said(plan: Plan, rungs: Sequence[CashRung], least: CashRung, reserve: Decimal | None) -> str:
    whose = " of all cash" if has_foreign_cash(plan) else ""
    lowest = money(least.balance, 0)
    floor = "" if reserve is None else f"reserve {money(reserve, 0)}{whose}"
    if len({rung.balance for rung in rungs}) == 1:
        return f"No movement: {lowest}." + (f" {capital(floor)}." if floor else "")
    end = money(plan.cash_after.get(least.currency, ZERO), 0)
    on = FORMATS["date"](least.date)
    return f"Lowest {lowest} on {on}; {floor + ', ' if floor else ''}end {end}."


def _heading(plan: Plan) -> str:
    """Does any balance fall below the reserve, or below zero?"""
    below = sorted({rung.currency for rung in plan.cash_ladder if rung.balance < 0})
    if below:
        return f"Cash is below zero in {', '.join(below)}"
    base = [rung.balance for rung in plan.cash_ladder if rung.currency == plan.base_currency]
    floor = "the reserve" if base and min(base) >= plan.reserve else "zero"
    return f"Cash never falls below {floor}"


def _meaning(plan: Plan) -> str:
    """What the lines mean."""
    coming = " Money on its way settles on its own day." if plan.settling else ""
    if not plan.steps:
        return coming.strip() or (
            "Settled balance by currency. Nothing is traded, so nothing moves."
        )
    days = plan.rules.limits.settlement_days
    return (
        "Filled: settled money. Dotted: with trades not yet settled. Dashed: the reserve. "
        f"Settlement is estimated, {days} weekday{'' if days == 1 else 's'} after trading.{coming}"
    )
