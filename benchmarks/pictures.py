"""Time against securities, orders and depth, on logarithmic scales, as one SVG without any library.

A point is the median over a few random tables, a bar reaches the slowest; it is hollow where the
budget of nodes ended a search before its proof.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN_LEFT, MARGIN_RIGHT, TOP, BOTTOM = 300.0, 240.0, 46.0, 12.0, 34.0, 40.0
Span = tuple[int, int]
DECADES: Span = (-3, 1)
"""Of seconds: from a millisecond to ten seconds."""

STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#57606a}.title{font-weight:600}"
    ".grid{stroke:#8c959f;stroke-opacity:.35;stroke-width:1}"
    ".line{fill:none;stroke:#0969da;stroke-width:1.5}"
    ".bar{stroke:#0969da;stroke-opacity:.5;stroke-width:1.5}"
    ".dot{fill:#0969da;stroke:#0969da}"
    ".open{fill:#fff;stroke:#0969da;stroke-width:1.5}.page{fill:#fff}"
    "@media (prefers-color-scheme:dark){text{fill:#9198a1}.page,.open{fill:#0d1117}"
    ".line,.bar,.dot,.open{stroke:#4493f8}.dot{fill:#4493f8}}"
)


@dataclass(frozen=True, slots=True)
class Point:
    """One kind of table: x is what varies, seconds are median and slowest, all were proven or
    not.
    """

    x: float
    median: float
    slowest: float
    proven: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """One curve: what varies, what is fixed, its points by x."""

    varies: str
    fixed: str
    points: tuple[Point, ...]


def draw(
    panels: Sequence[Panel], label: str = "Time of the search", decades: Span = DECADES
) -> str:
    """The panels side by side as an SVG document."""
    width = WIDTH * len(panels)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {HEIGHT:.0f}"'
            f' role="img" aria-label="{label}">'
        ),
        f'<style>{STYLE}</style><rect class="page" width="{width:.0f}" height="{HEIGHT:.0f}"/>',
        *(_panel(panel, WIDTH * k, decades) for k, panel in enumerate(panels)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _panel(panel: Panel, offset: float, decades: Span) -> str:
    low, high = panel.points[0].x, panel.points[-1].x
    start, right = offset + MARGIN_LEFT, offset + WIDTH - MARGIN_RIGHT

    def across(x: float) -> float:
        return start + (right - start) * math.log(x / low) / math.log(high / low)

    parts = [
        f'<text class="title" x="{start:.1f}" y="16">against {panel.varies}</text>',
        f'<text x="{right:.1f}" y="16" text-anchor="end">{panel.fixed}</text>',
    ]
    for decade in range(decades[0], decades[1] + 1):
        y = _down(10.0**decade, decades)
        label = f"{10.0 ** (decade + 3):,.0f} ms" if decade < 0 else f"{10**decade} s"
        parts.append(
            f'<line class="grid" x1="{start:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(f'<text x="{start - 5:.1f}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    path = " ".join(f"{across(p.x):.1f},{_down(p.median, decades):.1f}" for p in panel.points)
    parts.append(f'<polyline class="line" points="{path}"/>')
    for p in panel.points:
        x, kind = across(p.x), "dot" if p.proven else "open"
        parts.append(
            f'<line class="bar" x1="{x:.1f}" x2="{x:.1f}" y1="{_down(p.median, decades):.1f}"'
            f' y2="{_down(p.slowest, decades):.1f}"/>'
        )
        parts.append(
            f'<circle class="{kind}" cx="{x:.1f}" cy="{_down(p.median, decades):.1f}" r="3.5"/>'
        )
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18:.1f}" text-anchor="middle">{p.x:g}</text>'
        )
    return "\n".join(parts)


def _down(seconds: float, decades: Span) -> float:
    """y of a time; what is out of the scale stands at its edge."""
    share = (math.log10(seconds) - decades[0]) / (decades[1] - decades[0])
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(1.0, max(0.0, share))
