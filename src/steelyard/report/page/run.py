"""What became of a run as one self-contained HTML file, in the look of the plan's page."""

from __future__ import annotations

from steelyard.execution.results import RunReport
from steelyard.report.exhibits import run as exhibit
from steelyard.report.page.look import environment, style


def render(report: RunReport) -> str:
    """The page; the same report gives the same bytes."""
    return (
        environment()
        .get_template("run.html")
        .render(
            run=report,
            heading=exhibit.heading(report),
            agreement=exhibit.agreement(report),
            weights=exhibit.weights(report),
            rails=exhibit.named_rails(report),
            money_said=exhibit.bought_and_sold(report),
            slipped=exhibit.slipped(report),
            show=exhibit,
            style=style(),
        )
    )
