"""What rails ask facts with: a datum that has to be there, a number that is one, a comparison.

Every comparison passes only what is finite and within: NaN is never "not above".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from steelyard.canonical import plain
from steelyard.execution.rails.facts import Facts, OrderFacts, PlanFacts
from steelyard.execution.rails.judge import Block, Missing, NotFinite, Pass, Verdict

Datum = TypeVar("Datum")
MICROSECOND = timedelta(microseconds=1)
SHOWN = 12
"""Significant digits in words."""
NO_PLAN = Pass("no plan stands behind")


def need(datum: Datum | None, what: str) -> Datum:
    """A datum that has to be there; raises Missing."""
    if datum is None:
        raise Missing(f"{what} is not known")
    return datum


def number(datum: Decimal | None, what: str) -> Decimal:
    """A finite number that has to be there; raises Missing or NotFinite."""
    figure = need(datum, what)
    if not figure.is_finite():
        raise NotFinite(f"{what} is not known: it is no finite number")
    return figure


def positive(datum: Decimal | None, what: str) -> Decimal:
    """A number above 0 that has to be there; raises Missing or NotFinite."""
    figure = number(datum, what)
    if not figure > 0:
        raise Missing(f"{what} is {figure}, which says nothing")
    return figure


def shown(figure: Decimal) -> str:
    """A number for people, of at most 12 digits."""
    return plain(Decimal(f"{figure:.{SHOWN}g}"))


def at_most(value: Decimal, limit: Decimal, code: str, what: str) -> Verdict:
    """Passes what is finite and not above its limit."""
    text = f"{what}: {shown(number(value, what))}, at most {shown(number(limit, what))}"
    return Pass(text) if value <= limit else Block(code, text)


def near(value: Decimal, other: Decimal, weight: Decimal, code: str, what: str) -> Verdict:
    """Passes a value that is off another, which is above 0, by at most a fraction of it."""
    gap = abs(number(value, what) - positive(other, what))
    text = f"{what}: {shown(value)} and {shown(other)}, at most {shown(weight)} of it apart"
    return Pass(text) if gap <= weight * other else Block(code, text)


def now(facts: Facts) -> datetime:
    """By the broker's clock."""
    return need(facts.clock, "the broker's clock").now


def seconds(earlier: datetime, later: datetime) -> Decimal:
    """From one time to another, exactly."""
    return Decimal((later - earlier) // MICROSECOND) / 1_000_000


def fresh(facts: Facts, at: datetime | None, limit: Decimal, code: str, what: str) -> Verdict:
    """Passes what is no older than its limit, and not of a time to come."""
    age = seconds(need(at, f"when {what} was"), now(facts))
    text = f"{what} is {shown(age)} s old, at most {shown(limit)}"
    within = -facts.limits.max_clock_offset_s <= age <= limit
    return Pass(text) if within else Block(code, text)


def not_simulated(facts: Facts, what: str) -> Verdict:
    """Of a datum that a simulated market cannot have: passes on paper, raises Missing otherwise."""
    market = need(facts.capabilities, "what the broker can do")
    if facts.mode == "paper" and market.simulated:
        return Pass(f"not simulated: {what}")
    raise Missing(f"{what} is not known")


def plan_of(facts: Facts) -> PlanFacts:
    """The plan; raises Missing."""
    return need(facts.plan, "the approved plan")


def order_of(facts: Facts) -> OrderFacts:
    """The order at hand; raises Missing."""
    return need(facts.order, "the order")


def value_of(facts: Facts) -> Decimal:
    """What weights are fractions of: the value now."""
    return positive(facts.equity_base, "the value now")


def order_base(facts: Facts) -> Decimal:
    """The order at its limit, in base currency."""
    order = order_of(facts)
    rate = positive(order.fx_rate, f"the rate of {order.ticket.currency}")
    return number(order.value, "the order's amount") * rate
