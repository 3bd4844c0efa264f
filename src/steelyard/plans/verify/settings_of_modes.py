"""What the settings of a mode mean: horizons and what each counts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from steelyard.plans.verify.book import ONE
from steelyard.plans.verify.tally import Record

AHEAD = "multi_timeframe"
USUAL = (Decimal(1), Decimal(3), Decimal(5))
USUAL_SHARES = (Decimal("0.2"), Decimal("0.3"), Decimal("0.5"))


def years_of(rules: Record) -> Iterator[Decimal]:
    """Horizons that are set, or those of the mode."""
    usual = USUAL if rules["mode"] == AHEAD else (ONE,)
    yield from map(Decimal, rules["horizon_years"] or usual)


def shares_of(rules: Record) -> list[Decimal]:
    """What each horizon counts; they sum to 1."""
    count = len(list(years_of(rules)))
    usual = USUAL_SHARES if count == len(USUAL_SHARES) else (ONE,) * count
    raw = [Decimal(share) for share in rules["horizon_shares"] or usual]
    whole = sum(raw) or ONE
    return [share / whole for share in raw]
