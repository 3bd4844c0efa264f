"""The documents' events: an emitter with subscribers, and the two events that they name as classes.

What our own planner and store tell has the names of `steelyard.telemetry.events`; the two here are
what the documents' own code tells, with what it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from steelyard.compat.records import shown, unusable
from steelyard.telemetry.events import CalculatorFailure, ConfigurationChanged, PlannerEvent
from steelyard.telemetry.recorder import Subscriber, to_each

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """What time it is."""
    return datetime.now(UTC)


class CalculatorFailureEvent(PlannerEvent):
    """Calculators that failed in one call, by name: `data` is `{"failed": [names]}`."""

    __slots__ = ()

    def __init__(
        self, failed: Iterable[str], bucket_id: str, *, timestamp: datetime | None = None
    ) -> None:
        super().__init__(
            timestamp or utc_now(), bucket_id, CalculatorFailure.__name__, {"failed": [*failed]}
        )


class ConfigurationChangedEvent(PlannerEvent):
    """A configuration was assigned to a bucket: `data` is `{"config_id": id}`."""

    __slots__ = ()

    def __init__(self, bucket_id: str, config_id: int, timestamp: datetime | None = None) -> None:
        super().__init__(
            timestamp or utc_now(),
            bucket_id,
            ConfigurationChanged.__name__,
            {"config_id": config_id},
        )


class Emitted:
    """What emitting gives: nothing, and done already; it may be awaited."""

    def __await__(self) -> Iterator[None]:
        """Nothing to wait for."""
        return iter(())


class PlannerEventEmitter:
    """Hands events to its subscribers in order; one that fails disturbs no other.

    tell   called with an event; `emit` is the same in the documents' form
    """

    def __init__(self, subscribers: Iterable[Subscriber] = ()) -> None:
        self._subscribers = list(subscribers)
        self.tell = to_each(self._subscribers)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Let it hear every event from now on."""
        if not callable(subscriber):
            raise unusable("A subscriber", shown(subscriber), "called with an event")
        self._subscribers.append(subscriber)
        self.tell = to_each(self._subscribers)

    def emit(self, event: PlannerEvent) -> Emitted:
        """Tell every subscriber; may be awaited."""
        self.tell(event)
        return Emitted()


EMITTER = PlannerEventEmitter()
"""Where `emit_event` tells; planners and managers have emitters of their own."""


def emit_event(event: PlannerEvent) -> Emitted:
    """Tell the subscribers of `EMITTER`; may be awaited."""
    return EMITTER.emit(event)
