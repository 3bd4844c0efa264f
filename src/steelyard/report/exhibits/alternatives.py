"""What else was weighed: one numbered row per plan, and the same numbers as points on a chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from steelyard.planning.narrative import in_words
from steelyard.plans.orders import Alternative, AlternativeStep
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.scale import WHOLE, Scale, ticks
from steelyard.report.exhibits.words import capital, counted, lower, named, plain_words
from steelyard.report.exhibits.worth import a_year, amount
from steelyard.sentences import FORMATS, MINUS, SPACE, points, quantity

Kind = Literal["plan", "runner", "other", "free"]

RUNNER = "runner_up_"
BASE = "asked_for"
FREE = "unrestricted"
TITLES = {
    "proposal": "Best proposal",
    "greedy": "Greedy list",
    "candidates": "Best of the candidates",
    BASE: "Only what must be traded",
}
CHANGES = 6
"""Orders told of one alternative before it says how many more differ."""

WIDTH, HEIGHT = 330.0, 256.0
"""The chart that labels are placed for, px: the narrowest window draws it about this wide."""
TOP, BOTTOM, LEFT, RIGHT = 14.0, 30.0, 8.0, 4.0
"""Room around the points: px above and below, percent on the left and on the right."""
DOT = 6.0
LETTER, LINE = 6.6, 14.0
"""Size of a letter of a label, px, generous."""
SAME = 1e-9
"""Nets closer than this are one: rounding."""
BESIDE = "Points and money a year are against the plan, by what the score weighs; no forecast."
SAME_ORDERS = "the same orders"
GAP = 9.0
LIFT = 4.0
STEEP = 15.0
RINGS = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One plan: `n` is its number in the table and on the chart; `net` is after charges.

    note     what it is, and what it trades, told as the difference from the plan
    orders   all that it trades
    beside   net that it has more than the plan; a year the same as money
    """

    n: int
    name: str
    note: str
    orders: str
    kind: Kind
    score: float
    net: float
    drift: float | None
    cost: Decimal
    turnover: float
    beside: float
    a_year: Decimal | None


@dataclass(frozen=True, slots=True)
class Point:
    """A row on the chart: x in percent, y in px, and its label with where it stands."""

    row: Row
    x: float
    y: float
    label: str
    label_dx: float
    label_dy: float
    anchor: Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis with its number."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """Cost to the right, drift left (without targets, net gain) upwards: better is up and left."""

    points: tuple[Point, ...]
    across: tuple[Tick, ...]
    upwards: tuple[Tick, ...]
    y_title: str
    label: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """The exhibit."""

    rows: tuple[Row, ...]
    scatter: Scatter
    heading: str
    said: str


def weighed(plan: Plan) -> Weighed:
    """Every plan that was scored by the same function, best first."""
    rows = _rows(plan)
    return Weighed(tuple(rows), _scatter(plan, rows), _heading(plan), _said(plan))


def _rows(plan: Plan) -> list[Row]:
    others = [other for other in plan.alternatives if not _is_the_plan(plan, other)]
    rows = [_own(plan), *(_other(plan, other) for other in others)]
    ranked = sorted(rows, key=lambda row: (-row.net, row.kind != "plan", row.name))
    return [replace(row, n=n) for n, row in enumerate(ranked, start=1)]


def _is_the_plan(plan: Plan, other: Alternative) -> bool:
    """Is it nothing else but the plan: holding of one that holds, or all that must be traded?"""
    return other.name == ("hold" if not plan.steps else BASE) and _orders(other) == _orders(plan)


def _orders(of: Plan | Alternative) -> set[tuple[str, str, Decimal]]:
    return {(step.side, step.symbol, step.quantity) for step in of.steps}


def _own(plan: Plan) -> Row:
    return Row(
        n=0,
        name="This plan" if plan.steps else "This plan: hold",
        note="" if plan.steps else "no trades",
        orders="",
        kind="plan",
        score=plan.score.plan,
        net=plan.score.improvement,
        drift=plan.drift.after,
        cost=plan.costs.total,
        turnover=plan.turnover,
        beside=0.0,
        a_year=a_year(plan, 0.0),
    )


def _other(plan: Plan, other: Alternative) -> Row:
    runner = other.name.startswith(RUNNER)
    beside = other.improvement - plan.score.improvement
    return Row(
        n=0,
        name=title(other.name),
        note=_note(plan, other),
        orders=", ".join(map(_order, other.steps)),
        kind="runner" if runner else "free" if other.name == FREE else "other",
        score=other.score,
        net=other.improvement,
        drift=other.drift_after,
        cost=other.cost,
        turnover=other.turnover,
        beside=beside,
        a_year=a_year(plan, beside),
    )


def _order(step: AlternativeStep) -> str:
    return f"{step.side}{SPACE}{quantity(step.quantity)}{SPACE}{step.symbol}"


def title(name: str) -> str:
    """Name of an alternative as people read it."""
    return TITLES.get(name) or capital(plain_words(name).replace("runner up", "runner-up"))


def _note(plan: Plan, other: Alternative) -> str:
    """What it is, and what it trades besides or in place of the plan's orders."""
    if not other.steps:
        if other.name == FREE:
            return "any quantity, any number of orders: a bound, not a plan"
        return "no trades"
    what = _what(plan) if other.name == "candidates" else ""
    return "; ".join(part for part in (what, trades(plan, other.steps)) if part)


def _what(plan: Plan) -> str:
    """The best set of the table."""
    depth = plan.rules.max_depth
    most = lower(in_words(depth))
    return f"the best set of at most {most} of the calculators\u2019 orders"


def trades(plan: Plan, steps: Sequence[AlternativeStep]) -> str:
    """What a list trades, told as the difference from the plan where the two share an order."""
    mine = {step.symbol: step for step in plan.steps}
    theirs = {step.symbol: step for step in steps}
    added = [_order(step) for symbol, step in theirs.items() if symbol not in mine]
    if len(added) == len(theirs):
        return _few(added)
    both = [(step, mine[symbol]) for symbol, step in theirs.items() if symbol in mine]
    resized = [
        f"{step.symbol} {quantity(step.quantity)} for {quantity(own.quantity)}"
        for step, own in both
        if (step.side, step.quantity) != (own.side, own.quantity)
    ]
    dropped = named([symbol for symbol in mine if symbol not in theirs], CHANGES)
    changes = [_few(added), _few(resized), f"not {dropped}" if dropped else ""]
    return "; ".join(filter(None, changes)) or SAME_ORDERS


def _few(changes: Sequence[str]) -> str:
    """The first few changes, and how many more there are."""
    return named(changes, CHANGES)


def _scatter(plan: Plan, rows: Sequence[Row]) -> Scatter:
    costs = ticks(max((float(row.cost) for row in rows), default=0.0))
    x = Scale(0.0, costs[-1] * (1 + 1 / STEEP))
    by_drift = all(row.drift is not None for row in rows)
    heights = [100 * (row.drift or 0.0) if by_drift else 100 * row.net for row in rows]
    low, high = min(0.0, *heights), max(0.0, *heights)
    steps = ticks(max(high, -low) or 1.0)
    marks = steps if low >= 0 else tuple(sorted({*(-step for step in steps), *steps}))
    down = Scale(marks[0], marks[-1])

    def place(value: float) -> float:
        share = down.at(value) / WHOLE
        return TOP + (HEIGHT - TOP - BOTTOM) * (share if by_drift else 1 - share)

    def across(value: float) -> float:
        return LEFT + x.at(value) * (WHOLE - LEFT - RIGHT) / WHOLE

    pairs = zip(rows, heights, strict=True)
    spots = [(row, across(float(row.cost)), place(height)) for row, height in pairs]
    title = "Drift left, pp: less is better, so it is up" if by_drift else "Net gain, points"
    named = "; ".join(f"{row.n} {row.name}, cost {FORMATS['money'](row.cost)}" for row in rows)
    half, right = LINE / 2, LEFT * WIDTH / WHOLE
    axis = [(0.0, place(mark) - half, right, place(mark) + half) for mark in marks]
    return Scatter(
        points=tuple(_labelled(spots, axis)),
        across=tuple(Tick(across(cost), FORMATS["whole"](cost)) for cost in costs),
        upwards=tuple(Tick(place(mark), f"{mark:g}".replace("-", MINUS)) for mark in marks),
        y_title=title,
        label=f"{title}, against cost in {plan.base_currency}: {named}.",
    )


Box = tuple[float, float, float, float]


def _labelled(spots: Sequence[tuple[Row, float, float]], axis: Sequence[Box]) -> Iterable[Point]:
    """Each label at the first place by its point where it covers nothing; the plan's first."""
    covered: list[Box] = [*axis, *(_around(x * WIDTH / WHOLE, y) for _, x, y in spots)]
    placed: dict[int, Point] = {}
    for row, x, y in sorted(spots, key=lambda spot: (spot[0].kind != "plan", spot[0].n)):
        # of two in one place one has its name: there is room for both numbers
        bare = row.kind == "runner" or row.note == SAME_ORDERS
        label = f"{row.n}" if bare else f"{row.n} {row.name.partition(':')[0]}"
        own = _around(x * WIDTH / WHOLE, y)
        point, box = _free(row, (x, y), label, [box for box in covered if box != own])
        covered.append(box)
        placed[row.n] = point
    return (placed[row.n] for row, _, _ in spots)


def _around(x: float, y: float) -> Box:
    return (x - DOT, y - DOT, x + DOT, y + DOT)


def _free(
    row: Row, spot: tuple[float, float], label: str, covered: Sequence[Box]
) -> tuple[Point, Box]:
    x, y = spot
    width = LETTER * len(label)
    places: list[tuple[Literal["start", "middle", "end"], float, float]] = []
    for ring in range(RINGS):
        far = GAP + ring * LINE
        places += [("start", GAP, LIFT + side * ring * LINE) for side in (-1, 1)]
        places += [("end", -GAP, LIFT + side * ring * LINE) for side in (-1, 1)]
        places += [("middle", 0.0, -far), ("middle", 0.0, far + LINE - LIFT)]
    boxes = [_box(x * WIDTH / WHOLE + dx, y + dy, width, anchor) for anchor, dx, dy in places]
    free = (
        i
        for i, box in enumerate(boxes)
        if _inside(box) and not any(_overlap(box, other) for other in covered)
    )
    best = next(free, 0)
    anchor, dx, dy = places[best]
    return Point(row, x, y, label, dx, dy, anchor), boxes[best]


def _box(x: float, y: float, width: float, anchor: str) -> Box:
    edge = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
    return (edge, y - LINE + LIFT, edge + width, y + LIFT)


def _inside(box: Box) -> bool:
    return box[0] >= 0 and box[2] <= WIDTH and box[1] >= 0 and box[3] <= HEIGHT - BOTTOM + LINE / 2


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _heading(plan: Plan) -> str:
    """Does anything that was weighed gain more?"""
    others = _plans(plan)
    better = [other for other in others if other.improvement > plan.score.improvement]
    by_score = " by the score of today" if plan.outlook is not None else ""
    if not plan.steps and by_score and better:
        return f"{counted(len(better), 'alternative')} would gain{by_score}"
    if not plan.steps:
        return "The best plan found is not worth it" if others else "Nothing else was found"
    if better:
        return f"{counted(len(better), 'alternative')} would gain more{by_score}"
    if len(others) > 1:
        return f"{counted(len(others), 'alternative')} that can be traded, none gains more"
    return "Nothing else that can be traded gains more"


def _plans(plan: Plan) -> list[Alternative]:
    """Alternatives that could be carried out, neither hold nor this plan again; each list once."""
    seen, rows = [_orders(plan)], []
    for other in plan.alternatives:
        orders = _orders(other)
        if other.steps and orders not in seen:
            seen.append(orders)
            rows.append(other)
    return rows


def _said(plan: Plan) -> str:
    others = _plans(plan)
    what = "Doing nothing is always scored by the same function."
    if not others:
        return what
    best = max(others, key=lambda other: other.improvement)
    if plan.outlook is not None:
        what += " More than it chose the plan."
    if not plan.steps and plan.outlook is not None and plan.outlook.given_up is not None:
        return f"{what} By that score {lower(title(best.name))} nets {points(best.improvement)}."
    if not plan.steps:
        nets, asked = points(best.improvement), points(plan.score.min_improvement)
        return f"{what} The best rejected plan nets {nets}; {asked} is asked for."
    gap = plan.score.improvement - best.improvement
    name = lower(title(best.name))
    if abs(gap) < SAME:
        return f"{what} The next best, {name}, nets as much as the plan."
    money = a_year(plan, abs(gap))
    distance = f"{points(abs(gap))} points"
    if money is not None:
        distance = f"what weighs like {plan.base_currency} {amount(money)} a year ({distance})"
    if gap < 0:
        return f"{what} {capital(name)} nets {distance} more than the plan."
    return f"{what} The next best, {name}, nets {distance} less than the plan."
