"""Rails of the plan behind the orders: sound, young, and of a world that has not moved."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from steelyard.execution.rails.asking import (
    NO_PLAN,
    fresh,
    near,
    need,
    not_simulated,
    now,
    number,
    plan_of,
    positive,
    seconds,
    shown,
    value_of,
)
from steelyard.execution.rails.facts import Facts, PlanFacts
from steelyard.execution.rails.judge import Block, Pass, Verdict, rail

ZERO = Decimal(0)
MONDAY = 0


@rail("run", codes=("plan_problems", "plan_degraded", "plan_not_reproducible"))
def plan(facts: Facts) -> Verdict:
    """Is the plan sound: no problems, nothing degraded, reproducible? On paper it is told."""
    if facts.purpose == "flatten":
        return NO_PLAN
    reasons = defects(plan_of(facts))
    if reasons == {}:
        return Pass("sound")
    if facts.mode != "paper":
        return Block(*next(iter(reasons.items())))
    return Pass("; ".join(["paper takes it", *reasons.values()]))


def defects(plan: PlanFacts) -> dict[str, str]:
    """Why a plan may never be armed: code -> why; {} = it may."""
    reasons = {
        "plan_problems": f"problems: {', '.join(plan.problems)}" if plan.problems else "",
        "plan_degraded": "" if plan.degraded is False else "a part of the planner had failed",
        "plan_not_reproducible": ""
        if plan.reproducible is True
        else "the same inputs may give another",
    }
    return {code: why for code, why in reasons.items() if why}


@rail(
    "run",
    "limits.plan_max_age_s",
    "limits.run_max_s",
    codes=("plan_other_day", "plan_old", "run_long"),
)
def plan_age(facts: Facts) -> Verdict:
    """Is the plan of this day's market, made shortly before its run, and the run not long?"""
    if facts.purpose == "flatten":
        return NO_PLAN
    plan, limits = plan_of(facts), facts.limits
    if plan.as_of not in _days(facts):
        return Block("plan_other_day", f"prices of {plan.as_of}, the market is at another day")
    started = facts.run_started_at
    if started is not None:
        length = seconds(started, now(facts))
        if not ZERO <= length <= limits.run_max_s:
            return Block(
                "run_long", f"{shown(length)} s since it began, at most {limits.run_max_s}"
            )
    if plan.made_at is None:
        return not_simulated(facts, "when the plan was made")
    return _age(facts, plan)


def _days(facts: Facts) -> tuple[date, ...]:
    """Of which prices may be: this session's, and of a real market the last that has closed.

    A simulated market has no session at a weekend: prices of its days are of the session after it.
    """
    day = need(facts.session, "the session").day
    if need(facts.capabilities, "what the broker can do").simulated:
        return (day, *weekend_before(day))
    return (day, need(facts.previous_session, "the session before"))


def weekend_before(day: date) -> tuple[date, ...]:
    """The days without a session right before a Monday; () before any other day."""
    return (day - timedelta(1), day - timedelta(2)) if day.weekday() == MONDAY else ()


def _age(facts: Facts, plan: PlanFacts) -> Verdict:
    """When its run began, or now."""
    limit = Decimal(facts.limits.plan_max_age_s)
    if facts.run_started_at is None:
        return fresh(facts, plan.made_at, limit, "plan_old", "the plan")
    age = seconds(need(plan.made_at, "when the plan was made"), facts.run_started_at)
    text = f"the plan was {shown(age)} s old when the run began, at most {shown(limit)}"
    within = -facts.limits.max_clock_offset_s <= age <= limit
    return Pass(text) if within else Block("plan_old", text)


@rail("run", codes=("holdings_changed",))
def holdings(facts: Facts) -> Verdict:
    """Is what is held what the plan stood on, but for what this run has filled?"""
    if facts.purpose == "flatten":
        return NO_PLAN
    plan = plan_of(facts)
    held = need(facts.holdings, "what is held")
    fills = need(facts.fills, "what this run has filled")
    symbols = sorted({*plan.holdings, *(order.symbol for order in plan.approved.values())})
    for symbol in symbols:
        planned = number(plan.holdings.get(symbol, ZERO), symbol)
        planned += number(fills.get(symbol, ZERO), symbol)
        here = number(held.get(symbol, ZERO), symbol)
        if here != planned:
            words = f"{symbol}: {shown(here)} shares are held, {shown(planned)} were planned"
            return Block("holdings_changed", words)
    return Pass(f"{len(symbols)} symbols as planned")


@rail("run", "limits.max_drift_weight", codes=("value_moved", "price_moved"))
def drift(facts: Facts) -> Verdict:
    """Have neither the value, but for deposits of the plan, nor a price moved since the plan?"""
    if facts.purpose == "flatten":
        return NO_PLAN
    plan, weight = plan_of(facts), facts.limits.max_drift_weight
    value, base = value_of(facts), positive(plan.value_base, "the value of the plan")
    deposits = number(plan.deposits_base, "the deposits of the plan")
    planned = min(max(value, base), base + deposits)
    verdict = near(value, planned, weight, "value_moved", "the value")
    quotes = need(facts.quotes, "the quotes")
    at_hand = None if facts.order is None else facts.order.ticket.symbol
    for order in plan.approved.values():
        quote = quotes.get(order.symbol)
        # an order without a quote is stopped by its own rails, and only that order
        if quote is None or at_hand not in {None, order.symbol} or isinstance(verdict, Block):
            continue
        middle = (quote.bid + quote.ask) / 2
        verdict = near(middle, order.price, weight, "price_moved", f"the price of {order.symbol}")
    return verdict


@rail("run", "limits.weights_tolerance", codes=("weight_negative", "weights_sum"))
def weights(facts: Facts) -> Verdict:
    """Are the weights after the plan none below 0, and their sum 1?"""
    if facts.purpose == "flatten":
        return NO_PLAN
    after = plan_of(facts).weights
    for name, weight in sorted(after.items()):
        if not number(weight, f"the weight of {name}") >= 0:
            return Block("weight_negative", f"{name}: {weight}")
    total = sum(after.values(), ZERO)
    words = f"sum {shown(total)}, off 1 by at most {facts.limits.weights_tolerance}"
    within = abs(total - 1) <= facts.limits.weights_tolerance
    return Pass(words) if within else Block("weights_sum", words)
