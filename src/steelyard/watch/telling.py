"""Who is still to be told of a tick is told: each channel up to three times, one time a look.

A try is written down before it is made, so that one which is killed in its midst counts too. Where
that happens a message may come twice; both have the same key.
"""

from __future__ import annotations

from dataclasses import replace

from steelyard.errors import SteelyardError
from steelyard.plans.plan import Plan
from steelyard.store import plans, schedules
from steelyard.store.schedules import Delivery, State, Tick
from steelyard.telemetry.events import WatchChannelFailed, WatchTold
from steelyard.watch.channels import Way
from steelyard.watch.desk import Desk
from steelyard.watch.message import Message, message_of

MOST_TRIES = 3
MOST_WAITING = 200
"""Ticks that are told in one look; the others wait for the next."""


def tell_waiting(desk: Desk) -> list[Tick]:
    """Try again whom earlier looks could not tell, oldest first; what came of it."""
    rows = schedules.ticks(desk.store, most=MOST_WAITING, waiting=True)
    return [tell(desk, tick) for tick in reversed(rows) if _is_time(desk, tick)]


def _is_time(desk: Desk, tick: Tick) -> bool:
    return any(_may_try(desk, delivery) for delivery in tick.deliveries.values())


def _may_try(desk: Desk, delivery: Delivery) -> bool:
    """Is it to be told, and was the last try long enough ago?"""
    if delivery.state != "waiting":
        return False
    if delivery.at is None or not desk.waits:
        return True
    wait = desk.waits[min(delivery.tries, len(desk.waits)) - 1]
    return desk.store.now() >= delivery.at + wait


def tell(desk: Desk, tick: Tick, plan: Plan | None = None) -> Tick:
    """Tell every channel that waits; the tick as it is then. Raises StoreError.

    plan   of the tick; None = as it is stored
    """
    by_name = {way.name: way for way in desk.ways}
    message: Message | SteelyardError | None = None
    for name, delivery in tick.deliveries.items():
        if not _may_try(desk, delivery):
            continue
        begun = Delivery("waiting", delivery.tries + 1, desk.store.now())
        tick = _written(desk, tick, name, begun)
        if message is None:
            message = _message(desk, tick, plan)
        after = _tried(by_name.get(name), message, begun)
        tick = _written(desk, tick, name, after)
    return tick


def _message(desk: Desk, tick: Tick, plan: Plan | None) -> Message | SteelyardError:
    """The message, or why there is none: then no channel can be told of it."""
    try:
        if plan is None and tick.plan_id is not None:
            plan = plans.load(desk.store, tick.plan_id).plan
        return message_of(tick, plan, desk.base_url)
    except SteelyardError as error:
        return error


def _tried(way: Way | None, message: Message | SteelyardError, begun: Delivery) -> Delivery:
    if way is None:
        return replace(begun, state="failed", error="The channel is set no more.")
    try:
        if isinstance(message, SteelyardError):
            raise message
        way.send(message)
    except SteelyardError as error:
        state: State = "failed" if begun.tries >= MOST_TRIES else "waiting"
        return Delivery(state, begun.tries, begun.at, str(error))
    return replace(begun, state="told", error="")


def _written(desk: Desk, tick: Tick, name: str, delivery: Delivery) -> Tick:
    """Write what came of a channel; what it is before a try tells no event."""
    tick = replace(tick, deliveries={**tick.deliveries, name: delivery})
    with desk.turn.writing() as transaction:
        schedules.delivered(transaction, tick)
        if delivery.state == "told":
            told_of = WatchTold(name, delivery.tries, tick.plan_id)
            transaction.tell(told_of, tick.bucket)
        elif delivery.error:
            given_up = delivery.state == "failed"
            failure = WatchChannelFailed(name, delivery.tries, given_up, delivery.error)
            transaction.tell(failure, tick.bucket)
    return tick
