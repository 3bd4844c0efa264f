"""Days on which a trade would make a wash sale: around what was bought, after what was lost on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from steelyard.portfolio import Snapshot

USUAL_DAYS = 30
"""Where the strategy keeps no window of its own."""


class Window(NamedTuple):
    """Until a day, inclusive: at_loss, a buy would disallow the loss; else a sale at a loss would.

    on      the last sale at a loss, or the last buy
    group   of substitutes that it is of; "" = of the symbol alone
    """

    symbol: str
    group: str
    at_loss: bool
    on: date
    until: date


def windows(snapshot: Snapshot, days: int) -> list[Window]:
    """Those that are open on the day of a snapshot, the first to end first."""
    rows = [row for row in _every(snapshot, days or USUAL_DAYS) if row.until >= snapshot.as_of]
    return sorted(rows, key=lambda row: (row.until, row.symbol, row.at_loss))


def _every(snapshot: Snapshot, days: int) -> Iterator[Window]:
    for holding in snapshot.holdings:
        security = snapshot.security(holding.symbol)
        group = "" if security is None else security.substitute
        dates = [lot.acquired for lot in holding.lots if lot.acquired is not None]
        bought = max([*dates, *filter(None, [holding.last_bought])], default=None)
        for on, at_loss in ((holding.last_loss, True), (bought, False)):
            if on is not None:
                yield Window(holding.symbol, group, at_loss, on, on + timedelta(days=days))
