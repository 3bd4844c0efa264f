"""From typed events to `PlannerEvent`s: time, bucket and correlation id are put on here.

planning ──typed event──▶ stamped(…) ──PlannerEvent──▶ each subscriber in turn
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import datetime

from steelyard.telemetry.events import Event, Observe, PlannerEvent

LOGGER = logging.getLogger("steelyard.events")
Subscriber = Callable[[PlannerEvent], object]


def stamped(
    bucket_id: str,
    correlation_id: str,
    now: Callable[[], datetime],
    subscribers: Iterable[Subscriber],
) -> Observe:
    """What a plan is to be observed by: hands each event on, stamped, to every subscriber."""
    tell = to_each(subscribers)

    def observe(event: Event) -> None:
        tell(as_kept(event, now(), bucket_id, correlation_id))

    return observe


def as_kept(
    event: Event, timestamp: datetime, bucket_id: str = "", correlation_id: str = ""
) -> PlannerEvent:
    """A typed event as it is kept: its class is the type, its fields are the data."""
    data = {field.name: getattr(event, field.name) for field in fields(event)}
    return PlannerEvent(timestamp, bucket_id, type(event).__name__, data, correlation_id)


def to_each(subscribers: Iterable[Subscriber]) -> Callable[[PlannerEvent], None]:
    """Hands an event to every subscriber in turn.

    One that fails disturbs neither the others nor whoever tells; the log names it, once.
    """
    listeners, failed = list(subscribers), set[int]()

    def tell(event: PlannerEvent) -> None:
        for number, subscriber in enumerate(listeners):
            try:
                subscriber(event)
            except Exception:
                if number not in failed:
                    failed.add(number)
                    LOGGER.warning(
                        "The subscriber %s failed at %s, and may have missed it; everything else "
                        "goes on. It is not told again.",
                        _name(subscriber),
                        event.event_type,
                        exc_info=True,
                    )

    return tell


def _name(subscriber: Subscriber) -> str:
    """Of a function its own name, of an object that can be called that of its class."""
    return str(getattr(subscriber, "__qualname__", type(subscriber).__name__))
