"""Two strategies compared as one self-contained HTML file: the answer, figures, a picture."""

from __future__ import annotations

from typing import Any

from steelyard.report.exhibits.ab import differences
from steelyard.report.page.look import environment, style
from steelyard.report.terminal.ab import answer, figures, sentences
from steelyard.runs.compare import Comparison
from steelyard.sentences import cased


def render(comparison: Comparison) -> str:
    """The page; the same comparison gives the same bytes, but for the seconds in it."""
    return environment().get_template("ab.html").render(**exhibit(comparison), style=style())


def exhibit(comparison: Comparison) -> dict[str, Any]:
    """What `sections/ab.html` and the head above it show, by name."""
    return {
        "answer": answer(comparison),
        "why": cased(comparison.why.text),
        "more": list(sentences(comparison)),
        "names": comparison.titles,
        "figures": list(figures(comparison)),
        "picture": differences(comparison),
        "seed": comparison.seed,
        "tolerance": comparison.tolerance,
        "count": len(comparison.snapshots),
    }
