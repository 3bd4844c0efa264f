"""What the paper broker does to orders: seeded, so that the same script does the same again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

from steelyard.errors import SettingsError, did_you_mean

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """By default fills come late, in parts and out of order, and nothing worse happens.

    Names without a unit are probabilities of each order or request, `_s` are seconds (from, to).

    instant                 fills at once and whole, where the limit is marketable
    fill_after_s            from the order to its first fill
    partial, parts          is an order filled in parts, and in how many at most
    part_gap_s              between two parts
    told_after_s            from a fill to when it is told of; so fills come out of order
    told_twice              a fill is told of twice in one answer
    midpoint                an order at the midpoint or better is filled there
    spread_bps, wobble_bps  of the quotes; how far their midpoint strays from the price
    cancel_after_s          from a cancel to its confirmation
    late_cancel             a fill overtakes a cancel
    rejects                 an order is refused for no good reason
    power_lag_s             from a sale to its money being spendable
    settlement_days         weekdays from a sale to its money being settled
    settled_only            only settled money is spendable
    lost_answers            a request is carried out and not answered
    dropped                 a request is neither carried out nor answered
    cancelled_that_filled   an order is told to be cancelled, and its fill comes later
    expired_that_fills      the same of an order that is told to have expired
    ghost_after_s           from that to the fill
    reissued_ids            the broker's own ids begin again after a restart
    hidden                  a fill is told of only after the next connect
    errors_in_success       an order is answered as accepted, and what was accepted is a reject
    visible_after_s         from an order's acceptance to when it can be seen
    dedups                  a second order of the same client id is refused
    """

    seed: int = 0
    instant: bool = False
    fill_after_s: Span = (1.0, 8.0)
    partial: float = 0.5
    parts: int = 3
    part_gap_s: Span = (1.0, 8.0)
    told_after_s: Span = (0.0, 3.0)
    told_twice: float = 0.0
    midpoint: float = 0.5
    spread_bps: float = 4.0
    wobble_bps: float = 3.0
    cancel_after_s: Span = (0.5, 2.0)
    late_cancel: float = 0.0
    rejects: float = 0.0
    power_lag_s: float = 0.0
    settlement_days: int = 1
    settled_only: bool = False
    lost_answers: float = 0.0
    dropped: float = 0.0
    cancelled_that_filled: float = 0.0
    expired_that_fills: float = 0.0
    ghost_after_s: Span = (1.0, 30.0)
    reissued_ids: bool = False
    hidden: float = 0.0
    errors_in_success: float = 0.0
    visible_after_s: float = 0.0
    dedups: bool = True

    def chance(self, *of: object) -> float:
        """A number in [0, 1) for what it is asked of, the same whenever it is asked."""
        text = "\x1f".join([str(self.seed), *(str(part) for part in of)])
        digest = hashlib.sha256(text.encode()).digest()
        return int.from_bytes(digest[:7], "big") / float(1 << 56)

    def happens(self, probability: float, *of: object) -> bool:
        """Does it, here?"""
        return self.chance(*of) < probability

    def seconds(self, span: Span, *of: object) -> float:
        """A time within a span."""
        return span[0] + (span[1] - span[0]) * self.chance(*of)

    def text(self) -> str:
        """As JSON, for the file."""
        return _text(self)


@lru_cache(maxsize=16)
def _text(script: Script) -> str:
    return json.dumps(asdict(script))


@lru_cache(maxsize=16)
def script_of(text: str) -> Script:
    """Back from `Script.text`; raises SettingsError for a name that no script has."""
    settings = json.loads(text)
    names = [field.name for field in fields(Script)]
    for name in settings:
        if name not in names:
            raise SettingsError(
                f"No script of the paper broker has {name!r}.{did_you_mean(name, names)}",
                code="unknown_script_setting", place=name,
            )  # fmt: skip
    spans: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in settings.items()}
    return Script(**spans)
