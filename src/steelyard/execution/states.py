"""What a run and a leg may be, and which way leads from one state to another.

```text
leg  PLANNED → READY → SUBMITTING → ACCEPTED → PARTIAL → FILLED
     PLANNED, READY → BLOCKED | SKIPPED · SUBMITTING → REJECTED | UNKNOWN
     UNKNOWN → what the broker has | SUBMITTING again under the same id | HELD
     ACCEPTED, PARTIAL → CANCELLING → CANCELLED | FILLED | PARTIAL · or EXPIRED, SUSPENDED
run  PLANNED → ARMED → SELLING → SELLS_DONE → WAIT_FUNDS → RESIZE_BUYS → BUYING → RECONCILING → DONE
     any → HALTED → RECONCILING → ABORTED · any → RECOVERING → the same | NEEDS_HUMAN
```

A leg that is over is over for planning; a fill that comes later is a fact, and is booked.
"""

from __future__ import annotations

from enum import StrEnum

from steelyard.errors import InternalError
from steelyard.orders import OrderStatus


class LegState(StrEnum):
    """Where one attempt at an order is."""

    PLANNED = "PLANNED"
    READY = "READY"
    SUBMITTING = "SUBMITTING"
    ACCEPTED = "ACCEPTED"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    BLOCKED = "BLOCKED"
    SKIPPED = "SKIPPED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"
    HELD = "HELD"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"


class RunState(StrEnum):
    """Where a run is."""

    DRAFT = "DRAFT"
    PLANNED = "PLANNED"
    ARM_REQUESTED = "ARM_REQUESTED"
    ARMED = "ARMED"
    SELLING = "SELLING"
    SELLS_DONE = "SELLS_DONE"
    WAIT_FUNDS = "WAIT_FUNDS"
    RESIZE_BUYS = "RESIZE_BUYS"
    BUYING = "BUYING"
    RECONCILING = "RECONCILING"
    DONE = "DONE"
    HALTED = "HALTED"
    ABORTED = "ABORTED"
    RECOVERING = "RECOVERING"
    NEEDS_HUMAN = "NEEDS_HUMAN"


class Outcome(StrEnum):
    """What became of a run that is over."""

    DONE = "done"
    DONE_WITH_SKIPS = "done_with_skips"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_STARTED = "not_started"


_L = LegState
LEG_OVER = frozenset({_L.FILLED, _L.BLOCKED, _L.SKIPPED, _L.REJECTED, _L.CANCELLED, _L.EXPIRED})
"""Nothing more will be sent for such an attempt."""
AT_BROKER = frozenset({_L.ACCEPTED, _L.PARTIAL, _L.CANCELLING, _L.SUSPENDED})
"""The broker has it, and it may fill."""
IN_DOUBT = frozenset({_L.SUBMITTING, _L.UNKNOWN})
"""Whether the broker has it is not known."""

_SEEN = {_L.ACCEPTED, _L.PARTIAL, _L.FILLED, _L.CANCELLED, _L.EXPIRED, _L.REJECTED, _L.SUSPENDED}
_LEG: dict[LegState, set[LegState]] = {
    _L.PLANNED: {_L.READY, _L.BLOCKED, _L.SKIPPED},
    _L.READY: {_L.SUBMITTING, _L.BLOCKED, _L.SKIPPED},
    _L.SUBMITTING: {*_SEEN, _L.UNKNOWN, _L.HELD},
    _L.UNKNOWN: {*_SEEN, _L.SUBMITTING, _L.HELD, _L.CANCELLING},
    _L.HELD: {*_SEEN, _L.CANCELLING},
    _L.ACCEPTED: {*_SEEN, _L.CANCELLING} - {_L.ACCEPTED},
    _L.PARTIAL: {*_SEEN, _L.CANCELLING} - {_L.ACCEPTED, _L.PARTIAL},
    _L.SUSPENDED: {*_SEEN, _L.CANCELLING} - {_L.SUSPENDED},
    _L.CANCELLING: {*_SEEN, _L.HELD} - {_L.ACCEPTED},
}
RUN_OVER = frozenset({RunState.DONE, RunState.ABORTED})
NOT_BEGUN = frozenset({RunState.DRAFT, RunState.PLANNED})
WORKING = (
    RunState.ARMED, RunState.SELLING, RunState.SELLS_DONE, RunState.WAIT_FUNDS,
    RunState.RESIZE_BUYS, RunState.BUYING, RunState.RECONCILING, RunState.DONE,
)  # fmt: skip
"""The path of a run without trouble, in its order."""


def leg_may(old: LegState, new: LegState) -> bool:
    """May a leg go from one state to another?"""
    return new in _LEG.get(old, set())


def run_may(old: RunState, new: RunState) -> bool:
    """May a run go from one state to another?"""
    if old in RUN_OVER:
        return False
    if new in {RunState.HALTED, RunState.RECOVERING, RunState.NEEDS_HUMAN}:
        return True
    if old in WORKING and new in WORKING:
        return WORKING.index(new) > WORKING.index(old)
    if old is RunState.RECOVERING:
        return new in WORKING or new is RunState.ABORTED
    if old in {RunState.HALTED, RunState.NEEDS_HUMAN, RunState.RECONCILING}:
        return new in {RunState.RECONCILING, RunState.ABORTED}
    return old in {RunState.DRAFT, RunState.PLANNED, RunState.ARM_REQUESTED} and new in {
        RunState.PLANNED,
        RunState.ARM_REQUESTED,
        RunState.ARMED,
        RunState.ABORTED,
    }


def check(allowed: bool, what: str, old: StrEnum, new: StrEnum) -> None:
    """Raise InternalError for a way that there is not."""
    if not allowed:
        raise InternalError(
            f"{what} may not go from {old} to {new}: nothing was written and nothing was sent.",
            code="illegal_transition",
            place=what,
            value=str(new),
        )


_OF_STATUS = {
    OrderStatus.NEW: LegState.ACCEPTED,
    OrderStatus.WORKING: LegState.ACCEPTED,
    OrderStatus.PARTLY_FILLED: LegState.PARTIAL,
    OrderStatus.FILLED: LegState.FILLED,
    OrderStatus.CANCELLING: LegState.CANCELLING,
    OrderStatus.CANCELLED: LegState.CANCELLED,
    OrderStatus.EXPIRED: LegState.EXPIRED,
    OrderStatus.REJECTED: LegState.REJECTED,
    OrderStatus.UNKNOWN: LegState.ACCEPTED,
}


def of_status(status: OrderStatus) -> LegState:
    """The state of a leg whose order the broker has; an unknown word is an order that works."""
    return _OF_STATUS[status]
