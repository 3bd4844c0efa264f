"""The frontier: each list as a point of risk and score, its cost as size, its spread as shade.

Neither size nor shade is a colour, so that the chart reads the same to who tells none apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from steelyard.plans.outlook import FrontierPoint
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.alternatives import SAME_ORDERS, Tick, trades
from steelyard.report.exhibits.plot import Axis
from steelyard.report.exhibits.scale import WHOLE
from steelyard.report.exhibits.words import counted, lower
from steelyard.sentences import money, percent, points

HEIGHT = 320.0
LEFT, RIGHT = 9.0, 5.0
SMALLEST, LARGEST = 3.5, 9.0
"""Radius of a point, px."""
PALEST = 0.12
WIDE, LEAST = 0.5, 3
"""A gap of this share of all scores leaves out what is under it, if so many lists are over it."""
WIDTH, LETTER, LINE = 600.0, 6.6, 14.0
"""The chart that labels are placed for, and a letter of one, px."""
EDGE = 9.0
"""How far from its edge a mark stands that is outside the chart, px."""
MOST_ROWS = 9
LOOSE = 1e-12


@dataclass(frozen=True, slots=True)
class Dot:
    """A list on the chart: percent of the width, px, radius, how filled, and its label."""

    x: float
    y: float
    size: float
    shade: float
    kind: str
    label: str
    anchor: str
    dx: float
    dy: float


@dataclass(frozen=True, slots=True)
class Row:
    """A list in the table."""

    name: str
    orders: int
    score: str
    diversification: str
    risk: str
    cost: str
    note: str
    own: bool


@dataclass(frozen=True, slots=True)
class Frontier:
    """The exhibit.

    costs, spreads   least and most, as text: what size and shade mean
    """

    dots: tuple[Dot, ...]
    upwards: tuple[Tick, ...]
    across: tuple[Tick, ...]
    height: float
    rows: tuple[Row, ...]
    more: str
    costs: tuple[str, str]
    spreads: tuple[str, str]
    description: str
    beyond: str


def frontier(plan: Plan) -> Frontier | None:
    """The exhibit of a plan; None where there is no frontier."""
    every = plan.frontier
    if not every:
        return None
    near = _close(every)
    up = Axis.over([100 * point.score for point in near], HEIGHT)
    over = Axis.over([100 * point.risk for point in near], HEIGHT)
    size = _scaled([point.cost for point in near], SMALLEST, LARGEST)
    shade = _scaled([point.diversification for point in near], PALEST, 1.0)

    def across(risk: float) -> float:
        share = min(1.0, max(0.0, (risk - over.low) / (over.high - over.low)))
        return LEFT + share * (WHOLE - LEFT - RIGHT)

    def place(point: FrontierPoint) -> tuple[float, float]:
        y = up.y(100 * point.score) if point in near else up.y(up.low) - EDGE
        return across(100 * point.risk), y

    places = [place(point) for point in every]
    dots = [
        _dot(point, spot, (size(point.cost), shade(point.diversification)), places)
        for point, spot in zip(every, places, strict=True)
    ]
    rows = list(_rows(plan))
    far = len(every) - len(near)
    named = {id(point) for _, point in _named(plan)}
    costs = [float(plan.base_of_weights) * point.cost for point in near]
    spreads = [point.diversification for point in near]
    hold = next((point for point in every if not point.steps), None)
    under = f"{lower(counted(far, 'list'))} of a much lower score"
    beyond = f"Outside the chart, at its lower edge: {under}." if far else ""
    chosen = next(point for point in every if point.chosen)
    return Frontier(
        dots=tuple(sorted(dots, key=lambda dot: dot.kind == "plan")),
        upwards=tuple(Tick(up.y(mark), f"{mark:g}") for mark in up.ticks()),
        across=tuple(Tick(across(mark), f"{mark:g}") for mark in over.ticks()),
        height=HEIGHT,
        rows=tuple(rows),
        more=f"and {len(every) - len(named):,d} more on the chart: steelyard plan --json"
        if len(every) > len(named)
        else "",
        costs=(money(min(costs), 0), money(max(costs), 0)),
        spreads=(points(min(spreads)), points(max(spreads))),
        description=_description(plan, chosen, hold),
        beyond=beyond,
    )


def _close(every: Sequence[FrontierPoint]) -> list[FrontierPoint]:
    """Those that fill the chart: without the ones that a wide gap of the score sets apart."""
    ranked = sorted(every, key=lambda point: -point.score)
    whole = ranked[0].score - ranked[-1].score
    gaps = [(a.score - b.score, n) for n, (a, b) in enumerate(pairwise(ranked), start=1)]
    widest, cut = max(gaps, default=(0.0, len(ranked)))
    inside = ranked[:cut]
    fills = widest > WIDE * whole and len(inside) >= LEAST and any(p.chosen for p in inside)
    return inside if fills else ranked


def _scaled(values: Sequence[float], low: float, high: float) -> Callable[[float], float]:
    """From the least to the most of the values to a range."""
    least, most = min(values), max(values)
    span = most - least

    def scaled(value: float) -> float:
        share = min(1.0, max(0.0, (value - least) / span)) if span > LOOSE else 1.0
        return low + (high - low) * share

    return scaled


def _dot(
    point: FrontierPoint,
    spot: tuple[float, float],
    look: tuple[float, float],
    spots: Sequence[tuple[float, float]],
) -> Dot:
    kind = "plan" if point.chosen else "list" if point.steps else "hold"
    label = {"plan": "this plan", "hold": "hold", "list": ""}[kind]
    if point.chosen and not point.steps:
        label = "this plan: hold"
    dx, dy, anchor = _free(spot, look[0], label, spots)
    return Dot(*spot, *look, kind, label, anchor, dx, dy)


def _free(
    spot: tuple[float, float], size: float, label: str, spots: Sequence[tuple[float, float]]
) -> tuple[float, float, str]:
    """Where a label covers no other point: dx, dy, anchor."""
    x, y, wide = spot[0] * WIDTH / WHOLE, spot[1], LETTER * len(label)
    far = size + LARGEST
    places = (
        ("start", far, 4.0), ("end", -far, 4.0), ("middle", 0.0, -far), ("middle", 0.0, far + LINE)
    )  # fmt: skip
    others = [(px * WIDTH / WHOLE, py) for px, py in spots if (px, py) != spot]
    for anchor, dx, dy in places:
        edge = x + dx - {"start": 0.0, "end": wide, "middle": wide / 2}[anchor]
        box = (edge - LARGEST, y + dy - LINE - LARGEST, edge + wide + LARGEST, y + dy + LARGEST)
        inside = box[0] >= LEFT * WIDTH / WHOLE and box[2] <= WIDTH and box[1] >= 0
        if inside and not any(box[0] < a < box[2] and box[1] < b < box[3] for a, b in others):
            return dx, dy, anchor
    return places[0][1], places[0][2], places[0][0]


def _named(plan: Plan) -> Iterator[tuple[str, FrontierPoint]]:
    """The plan, hold, the best in each objective, and those next to the plan in score."""
    every, shown = plan.frontier, set[int]()
    traded = [point for point in every if point.steps]
    cheapest = min(traded, key=lambda p: p.cost, default=None)
    ends: list[tuple[str, FrontierPoint | None]] = [
        ("This plan", next((p for p in every if p.chosen), None)),
        ("Best score", max(every, key=lambda p: p.score)),
        ("Most diversified", max(every, key=lambda p: p.diversification)),
        ("Least risk", min(every, key=lambda p: p.risk)),
        ("Least cost of a trade", cheapest),
        ("Hold", next((p for p in every if not p.steps), None)),
    ]  # fmt: skip
    for name, point in ends:
        if point is not None and id(point) not in shown:
            shown.add(id(point))
            yield name, point
    own = next(p for p in every if p.chosen)
    nearest = sorted(every, key=lambda p: (abs(p.score - own.score), -p.score))
    for point in nearest:
        if len(shown) >= MOST_ROWS:
            return
        if id(point) not in shown and point.steps:
            shown.add(id(point))
            yield "Near the plan", point


def _rows(plan: Plan) -> Iterator[Row]:
    for name, point in sorted(_named(plan), key=lambda pair: -pair[1].score):
        note = "" if point.chosen or not point.steps else trades(plan, point.steps)
        yield Row(
            name=name,
            orders=len(point.steps),
            score=points(point.score),
            diversification=points(point.diversification),
            risk=percent(point.risk),
            cost=money(float(plan.base_of_weights) * point.cost, 2),
            note="" if note == SAME_ORDERS else note,
            own=point.chosen,
        )


def _description(plan: Plan, chosen: FrontierPoint, hold: FrontierPoint | None) -> str:
    every = plan.frontier
    risks, scores = [point.risk for point in every], [point.score for point in every]
    text = (
        f"{len(every):,d} lists of {percent(min(risks))} to {percent(max(risks))} % of risk and "
        f"{points(min(scores))} to {points(max(scores))} points; this plan has "
        f"{percent(chosen.risk)} % and {points(chosen.score)}"
    )
    if hold is not None and hold is not chosen:
        text += f", hold {percent(hold.risk)} % and {points(hold.score)}"
    return f"{text}. The table beneath has the figures."
