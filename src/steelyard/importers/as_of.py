"""The date of a plan, and every date of the files against it: one function for each question.

Given, else the newest of the price file, else the day of the holdings file, else the caller's
today. No date of any file is after today, and `--as-of` moves the view, never the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal

import numpy as np

from steelyard.ages import weekdays
from steelyard.errors import InputError, RejectedRow
from steelyard.importers import values
from steelyard.importers.book import HoldingsFile
from steelyard.importers.files import Files
from steelyard.importers.options import expiry
from steelyard.importers.prices import PriceTable
from steelyard.notices import Notice

SETTLES = "settles"
LONGEST_WAIT = 20
"""Weekdays within which every trade settles; a later day is a slip."""
MOST_AHEAD = 5
"""Weekdays by which an as-of date may be after the newest prices; over which a view is old."""

AsOfFrom = Literal["argument", "prices", "holdings", "today"]


def as_of(files: Files, as_of: date | None, today: date | None) -> tuple[date, AsOfFrom]:
    """The as-of date; at most a week after the prices, and never after today."""
    if as_of is not None and today is not None and as_of > today:
        raise _bad_date(f"The as-of date {as_of} is after today, {today}", as_of, f"{today}")
    prices, stated = files.prices, files.holdings.as_of
    if prices is not None and len(prices.dates):
        return _within(prices, as_of, today)
    if as_of is not None:
        return as_of, "argument"
    if prices is not None:  # all its lines were rejected, and that is what the caller hears next
        return date.max, "prices"
    if stated is not None:
        if today is not None and stated > today:
            raise _bad_date(
                f"{files.holdings.file} is of {stated}, after today", stated, f"{today}"
            )
        return stated, "holdings"
    if today is None:
        neither = "There is neither a price file nor an as-of date."
        hint = "Give one of them."
        raise InputError(
            f"{neither} {values.NOTHING} {hint}", code="no_date", place="--as-of", hint=hint
        )
    return today, "today"


def _within(prices: PriceTable, as_of: date | None, today: date | None) -> tuple[date, AsOfFrom]:
    """The as-of date beside a price file."""
    first, last = (prices.dates[k].astype(object) for k in (0, -1))
    if today is not None and last > today:
        raise _after_today(prices, today)
    if as_of is None:
        return last, "prices"
    if not (first <= as_of and weekdays(last, as_of) <= MOST_AHEAD):
        raise _bad_date(
            f"The as-of date {as_of} is outside the prices of {prices.file}, which run from "
            f"{first} to {last}; it may be {MOST_AHEAD} weekdays after them",
            as_of,
            f"{first} to {last}",
        )
    return as_of, "argument"


def _bad_date(what: str, day: date, limit: str) -> InputError:
    hint = "Choose another date, or give other prices."
    return InputError(
        f"{what}. {values.NOTHING} {hint}",
        code="as_of_outside",
        place="--as-of",
        value=day,
        limit=limit,
        hint=hint,
    )


def _after_today(prices: PriceTable, today: date) -> InputError:
    """A price of tomorrow is a slip of the year, and every age would be counted from it."""
    days = [str(d) for d in prices.dates[prices.dates > np.datetime64(today, "D")]]
    more = f" and {len(days) - 1} more" if len(days) > 1 else ""
    hint = "Correct the date."
    return InputError(
        f"{prices.file} has prices of {days[0]}{more}, after today, {today}. {values.NOTHING} "
        f"{hint}",
        code="after_today",
        place=prices.file,
        value=days[0],
        limit=today,
        hint=hint,
    )


def old_view(day: date, as_of_from: AsOfFrom, today: date | None) -> Iterator[Notice]:
    """Say first that the newest prices are old: the plan is of their day, not of today's."""
    age = 0 if today is None else weekdays(day, today)
    if as_of_from in {"prices", "holdings"} and age > MOST_AHEAD:
        message = (
            f"The newest prices are of {day}, {age} weekdays ago: this is the plan of that day, "
            "not of today."
        )
        yield Notice(code="old_view", message=message, head=True)


def late(file: HoldingsFile, day: date) -> Iterator[RejectedRow]:
    """Dates after the as-of date, and money that would settle when no trade of today does."""
    for dated in file.dates:
        if dated.column == SETTLES:
            wait = weekdays(day, dated.on)
            if wait > LONGEST_WAIT:
                reason = (
                    f"{SETTLES} {dated.on} is {wait:,} weekdays after the as-of date {day}; at "
                    f"most {LONGEST_WAIT} are read"
                )
                limit = f"{LONGEST_WAIT} weekdays"
                yield RejectedRow(
                    file.file, dated.line, reason, "settles_late", SETTLES, f"{dated.on}", limit
                )
        elif dated.on > day:
            reason = f"{dated.column} {dated.on} is after the as-of date {day}"
            yield RejectedRow(
                file.file,
                dated.line,
                reason,
                "date_after_as_of",
                dated.column,
                f"{dated.on}",
                f"{day}",
            )


def expired(file: HoldingsFile, excluded: Sequence[str], day: date) -> Iterator[InputError]:
    """Options whose last day is past: what they were worth is in the cash by now, or nothing."""
    for holding in file.holdings:
        last = expiry(holding.symbol)
        if last is None or last >= day or not holding.quantity or holding.symbol in excluded:
            continue
        hint = f"Give a newer file, or leave it out with --exclude {holding.symbol}"
        yield InputError(
            f"{holding.symbol} of {file.file} is an option that ended on {last}, before the as-of "
            f"date {day}. {values.NOTHING} {hint}.",
            code="expired_option",
            place=f"{file.file}, {holding.symbol}",
            value=last,
            limit=day,
            hint=hint,
        )


def late_rates(files: Files, today: date | None) -> Iterator[RejectedRow]:
    for (currency, on), line in sorted((files.fx.lines if files.fx else {}).items()):
        if files.fx and today is not None and on > today:
            reason = f"the rate of {currency} is of {on}, after today, {today}"
            yield RejectedRow(
                files.fx.file, line, reason, "after_today", "date", f"{on}", f"{today}"
            )
