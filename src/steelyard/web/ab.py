"""`/strategies/A/ab/B`: which of two plans better, on the same snapshots?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from threading import Lock
from typing import Annotated
from urllib.parse import quote

import numpy as np
from anyio import to_thread
from cachetools import LRUCache
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from steelyard.errors import Fault, SteelyardError
from steelyard.report.page.ab import exhibit
from steelyard.runs import presets as library
from steelyard.runs.compare import Comparison, Manner, compare
from steelyard.runs.posed_snapshots import posed_snapshots
from steelyard.runs.strategy_by_name import strategy_by_name
from steelyard.services.api.fields import Here, NameInPath
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.roles import needs
from steelyard.store import buckets, strategies
from steelyard.web.forms import SEE_OTHER
from steelyard.web.route import Page
from steelyard.web.shell import page
from steelyard.web.trying import loaded

router = APIRouter(route_class=Page, include_in_schema=False)

MOST_SNAPSHOTS = 6
"""A page waits for twice as many plans."""
MOST_AT_HAND = 16
SEED = 0
Chosen = Annotated[str, Query(max_length=80)]
Snapshots = Annotated[int, Query(ge=1, le=MOST_SNAPSHOTS)]


@dataclass(frozen=True, slots=True)
class Line:
    """An order of one side or of both; None where a side has none."""

    side: str
    symbol: str
    a: Decimal | None
    b: Decimal | None


class Comparisons:
    """Those made last, by what they are a function of."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: LRUCache[tuple[object, ...], Comparison] = LRUCache(MOST_AT_HAND)

    def get(self, house: House, names: tuple[str, str], bucket: str, most: int) -> Comparison:
        """Both plan the snapshots of a bucket; blocks for as long as that takes."""
        store = house.store()
        a, b = (strategy_by_name(store, name) for name in names)
        posed = posed_snapshots(store, house.planners(), bucket, most)
        rules = ((side.name, side.version, side.title, side.sha256) for side in (a, b))
        key = (*rules, *((row.label, repr(row.state)) for row in posed), house.state())
        with self._lock:
            comparison = self._rows.get(key)
        if comparison is None:
            manner = Manner(SEED, steps=house.steps())
            comparison = compare(a, b, posed, np.random.default_rng(SEED), manner)
            with self._lock:
                self._rows[key] = comparison
        return comparison


@router.get("/strategies/ab", dependencies=[needs("viewer")])
def pick(a: Chosen, b: Chosen) -> Response:
    """The address of two that were picked."""
    return RedirectResponse(f"/strategies/{quote(a, safe='')}/ab/{quote(b, safe='')}", SEE_OTHER)


@router.get("/strategies/{name}/ab/{other}", dependencies=[needs("viewer")])
async def ab(
    request: Request,
    here: Here,
    name: NameInPath,
    other: NameInPath,
    bucket: Chosen = "",
    snapshots: Snapshots = 1,
) -> Response:
    """Both plan what a bucket owns, with one seed; each plan is scored by both."""
    ready, names = await to_thread.run_sync(_choices, here)
    chosen = bucket or next(iter(ready), "")
    comparison, faults, status = None, _nothing_to_plan(ready), 200
    if chosen:
        try:
            comparison = await to_thread.run_sync(
                lambda: _made(request).get(here, (name, other), chosen, snapshots),
                limiter=here.comparing,
            )
        except SteelyardError as error:
            faults, status = error.faults, status_of(error)
    return await to_thread.run_sync(
        lambda: page(
            request,
            "ab_page.html",
            at="strategies",
            status=status,
            pair=(name, other),
            shown=None if comparison is None else exhibit(comparison),
            lines=[] if comparison is None else _lines(comparison),
            snapshot=None if comparison is None else comparison.snapshots[-1],
            bucket=chosen,
            buckets=ready,
            every=names,
            snapshots=snapshots,
            most=MOST_SNAPSHOTS,
            faults=faults,
        )
    )


def _choices(here: House) -> tuple[list[str], list[str]]:
    """Buckets that can be planned, and names that can be compared."""
    store = here.store()
    stored = [version.name for version in strategies.active(store)]
    presets = [entry.name for entry in library.library(store)]
    return loaded(buckets.buckets(store)), list(dict.fromkeys([*stored, *presets]))


def _nothing_to_plan(ready: list[str]) -> tuple[Fault, ...]:
    if ready:
        return ()
    text = "No bucket has holdings yet, so there is nothing to plan. Bring your holdings first."
    return (Fault("nothing_to_compare_on", text),)


def _made(request: Request) -> Comparisons:
    state = request.app.state
    if not hasattr(state, "comparisons"):
        state.comparisons = Comparisons()
    rows: Comparisons = state.comparisons
    return rows


def _lines(comparison: Comparison) -> list[Line]:
    """The orders of both sides on the newest snapshot; those that differ first."""
    a, b = (
        {(order.symbol, order.side.value): order.quantity for order in side}
        for side in comparison.snapshots[-1].orders
    )
    rows = [
        Line(side, symbol, a.get((symbol, side)), b.get((symbol, side)))
        for symbol, side in dict.fromkeys((*a, *b))
    ]
    return sorted(rows, key=lambda row: row.a == row.b)
