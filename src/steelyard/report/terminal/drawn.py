"""Charts in characters: the fan as strips, the frontier as a field of marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from steelyard.plans.outlook import Fan, FanPoint
from steelyard.report.exhibits.frontier import HEIGHT, Frontier
from steelyard.report.exhibits.plot import BOTTOM, TOP
from steelyard.report.exhibits.scale import WHOLE
from steelyard.report.terminal.columns import Column, Row

STRIP, LINES = 56, 12
"""Characters of a strip, and lines of a field."""
WIDE, MIDDLE, MEDIAN, OF_HOLD = "░", "▒", "┃", "╎"
MARKS = {"plan": "◆", "hold": "□", "list": "·"}
STRIPS_SAY = (
    "░ nine of ten paths of the plan, ▒ half of them, ┃ the median; ╎ nine of ten of hold lie "
    "between its marks."
)
FIELD_SAYS = "◆ this plan, □ hold, · another list; up is a better score, left is less risk."


def fan(points: Sequence[tuple[str, FanPoint]], whole: Fan) -> tuple[tuple[Column, ...], list[Row]]:
    """A strip for each of some points, all to one scale."""
    amounts = [float(a) for p in whole.points for a in (p.p05, p.p95, p.hold_p05, p.hold_p95)]
    low, span = min(amounts), (max(amounts) - min(amounts)) or 1.0

    def at(amount: object) -> int:
        return round((STRIP - 1) * (float(str(amount)) - low) / span)

    rows = []
    for name, point in points:
        cells = [" "] * STRIP
        for first, last, mark in (
            (point.p05, point.p95, WIDE),
            (point.p25, point.p75, MIDDLE),
        ):
            for n in range(at(first), at(last) + 1):
                cells[n] = mark
        for edge in (point.hold_p05, point.hold_p95):
            cells[at(edge)] = OF_HOLD
        cells[at(point.p50)] = MEDIAN
        rows.append(Row((name, "".join(cells).rstrip())))
    return (Column(""), Column("")), rows


def field(exhibit: Frontier) -> Iterator[str]:
    """Each list where it stands by risk and score; the plan and hold over others."""
    cells = [[" "] * STRIP for _ in range(LINES)]
    order = {"list": 0, "hold": 1, "plan": 2}
    for dot in sorted(exhibit.dots, key=lambda dot: order[dot.kind]):
        share = (dot.y - TOP) / (HEIGHT - TOP - BOTTOM)
        line = min(LINES - 1, max(0, round((LINES - 1) * share)))
        cells[line][round((STRIP - 1) * dot.x / WHOLE)] = MARKS[dot.kind]
    marks = {round((LINES - 1) * (t.at - TOP) / (HEIGHT - TOP - BOTTOM)): t.text
             for t in exhibit.upwards}  # fmt: skip
    for n, line_ in enumerate(cells):
        yield f"{marks.get(n, ''):>6} ┊{''.join(line_).rstrip()}"
    axis = [" "] * (STRIP + 8)
    for tick in exhibit.across:
        first = 8 + round((STRIP - 1) * tick.at / WHOLE) - len(tick.text) // 2
        axis[first : first + len(tick.text)] = tick.text
    yield "".join(axis).rstrip() + " % risk"
