"""Exchange rates judged: none outside what its currency ever came near, none that jumps.

The ranges are the yearly lows and highs of the European Central Bank's reference rates since 1999,
a third of them to three times (`scripts/make_rate_ranges.py` writes them).
"""

from __future__ import annotations

import csv
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from steelyard.ages import weekdays
from steelyard.canonical import plain
from steelyard.errors import PlanRefused, RejectedRow
from steelyard.importers.fx import FxFile
from steelyard.money import FxRate

RANGES = Path(__file__).with_name("rate_ranges.csv")
EURO = "EUR"
WIDTH = 3
"""How far outside the range of its years a rate may lie, as a factor."""
MOST_JUMP = Decimal("1.5")
"""Factor between a newest rate, or close, and the one before, over which one of them is wrong."""
NEIGHBOURS = 10
"""Weekdays within which two figures are neighbours."""
SPIKE, THOUSAND = 3, 1000
"""Factor from both its neighbours over which an older rate is wrong."""

Range = tuple[Decimal, Decimal]


@cache
def _ranges() -> Mapping[str, Mapping[int, Range]]:
    """Currency -> year -> lowest and highest units for one EUR."""
    ranges: dict[str, dict[int, Range]] = {}
    with RANGES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            bounds = Decimal(row["low"]), Decimal(row["high"])
            ranges.setdefault(row["currency"], {})[int(row["year"])] = bounds
    return ranges


def _per_euro(currency: str, year: int) -> Range | None:
    """Lowest and highest units for one EUR around a year; None for an unknown currency."""
    if currency == EURO:
        return Decimal(1), Decimal(1)
    years = _ranges().get(currency)
    if years is None:
        return None
    near = [years[y] for y in (year - 1, year, year + 1) if y in years]
    near = near or [years[min(years, key=lambda y: (abs(y - year), -y))]]
    return min(low for low, _ in near), max(high for _, high in near)


def plausible(currency: str, base: str, year: int) -> Range | None:
    """Bounds of a rate, units of base for one of the currency; None where nothing is known.

    >>> low, high = plausible("JPY", "EUR", 2022)
    >>> low < Decimal("0.0072") < high, low < Decimal("132.5") < high
    (True, False)
    """
    ours, theirs = _per_euro(base, year), _per_euro(currency, year)
    if ours is None or theirs is None:
        return None
    return ours[0] / theirs[1] / WIDTH, ours[1] / theirs[0] * WIDTH


def implausible(file: FxFile, base: str, day: date) -> Iterator[RejectedRow]:
    """Every rate up to a day that is outside its range, or a spike among its neighbours."""
    for currency in file.rates:
        rates = [rate for rate in file.rates[currency] if rate.on <= day]
        if currency == base:
            continue
        spikes = set(_spikes(rates))
        for rate in rates:
            bounds = plausible(currency, base, rate.on.year)
            outside = bounds and not bounds[0] <= rate.rate <= bounds[1]
            if bounds and outside:
                yield _outside(file, rate, base, bounds)
            elif rate.on in spikes:
                what = f"the rate of {currency} on {rate.on} is {plain(rate.rate)}"
                reason = (
                    f"{what}, over {SPIKE} times from the rates before and after it; correct it"
                )
                yield _row(file, rate, "rate_spike", reason, str(SPIKE))


def _spikes(rates: Sequence[FxRate]) -> Iterator[date]:
    for before, rate, after in zip(rates, rates[1:], rates[2:], strict=False):
        ups = [rate.rate / other.rate for other in (before, after)]
        if min(ups) > SPIKE or max(ups) < Decimal(1) / SPIKE:
            yield rate.on


def _outside(file: FxFile, rate: FxRate, base: str, bounds: Range) -> RejectedRow:
    low, high = bounds
    what = f"the rate of {rate.currency} on {rate.on} is {plain(rate.rate)} {base} for one"
    limit = f"{low:.3g} to {high:.3g}"
    reason = f"{what}; {limit} is all that it ever came near"
    if low <= 1 / rate.rate <= high:
        hint = f"Inverted? One {rate.currency} would be {1 / rate.rate:.6g} {base}"
    elif low <= rate.rate / 100 <= high:
        hint = "A rate of 100, or of pence?"
    else:
        hint = "Typed wrong?"
    return _row(file, rate, "implausible_rate", f"{reason}. {hint}", limit, hint)


def stated_rate(rate: FxRate, base: str, file: str) -> PlanRefused | None:
    """Why a rate that a file of holdings values by may not be used; None = it may."""
    bounds = plausible(rate.currency, base, rate.on.year)
    if bounds is None or bounds[0] <= rate.rate <= bounds[1]:
        return None
    limit = f"{bounds[0]:.3g} to {bounds[1]:.3g}"
    hint = "Correct the values, or give rates with --fx"
    return PlanRefused(
        f"{file} values {rate.currency} at {plain(rate.rate)} {base}; {limit} is all that it ever "
        f"came near. Nothing was planned. {hint}.",
        code="implausible_rate",
        place=file,
        value=plain(rate.rate),
        limit=limit,
        hint=hint,
    )


def _row(
    file: FxFile, rate: FxRate, code: str, reason: str, limit: str, hint: str = ""
) -> RejectedRow:
    line = file.lines.get((rate.currency, rate.on), 1)
    return RejectedRow(file.file, line, reason, code, "rate", plain(rate.rate), limit, hint)


def times(factor: Decimal | float) -> str:
    """A factor as people read it.

    >>> times(Decimal("2.0213")), times(Decimal("9.9999")), times(12345.6)
    ('2.02', '10', '12,346')
    """
    return f"{float(factor):.3g}" if factor < THOUSAND else f"{factor:,.0f}"


def rate_jump(rates: Sequence[FxRate], day: date, accepted: Container[str]) -> PlanRefused | None:
    """Why the newest rate at a day may not be used: too far from the one before; None = it may."""
    past = [rate for rate in rates if rate.on <= day]
    if not past[1:] or past[-1].currency in accepted:
        return None
    before, newest = past[-2:]
    factor = max(newest.rate / before.rate, before.rate / newest.rate)
    if factor <= MOST_JUMP or weekdays(before.on, newest.on) > NEIGHBOURS:
        return None
    hint = f"correct it, or take it as it is with --accept-price {newest.currency}"
    return PlanRefused(
        f"The rate of {newest.currency} is {plain(newest.rate)} on {newest.on} and "
        f"{plain(before.rate)} on {before.on}, a factor of {times(factor)}: inverted, or typed "
        f"wrong? Nothing was planned; {hint}.",
        code="rate_jump",
        place=newest.currency,
        value=plain(newest.rate),
        limit=f"a factor of {MOST_JUMP} from {plain(before.rate)}",
        hint=hint,
    )
