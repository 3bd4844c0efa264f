"""How far the plan may be trusted to be the best: the badge and the figures beside the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from steelyard.plans import Certificate, Plan
from steelyard.report.words import capital
from steelyard.sentences import points, signed

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Box:
    """Badge, figures and one sentence; `level` names the icon and its colour."""

    level: Literal["ok", "warn", "info"]
    badge: str
    figures: tuple[tuple[str, str], ...]
    said: str


def box(plan: Plan) -> Box:
    """The box of a plan."""
    certificate = plan.certificate
    said = SAID[certificate.status].format(scope=SCOPES[certificate.scope], candidates=f"{certificate.candidates:,d}")
    if certificate.status == "proven":
        return Box("ok", "Proven best" if plan.steps else "Proven: nothing better than holding", tuple(_figures(plan)), said)
    if certificate.status == "bounded" and certificate.search_gap is not None:
        return Box("warn", f"Within {points(certificate.search_gap)} of best", tuple(_figures(plan)), said)
    return Box("info", f"{capital(certificate.covers)}, not proven", tuple(_figures(plan)), said)


SCOPES = {"proposals": "what the modules proposed", "candidates": "all sets of candidate orders"}

SAID = {
    "proven": "No better set exists among {scope}; {candidates} candidate orders were weighed.",
    "bounded": "A better set among {scope} can gain at most the gap; {candidates} candidate orders were weighed.",
    "none": "The plan is the best of {scope}. Whether another set of the {candidates} candidate orders gains more was not measured.",
}


def _figures(plan: Plan) -> Iterable[tuple[str, str]]:
    certificate: Certificate = plan.certificate
    yield "Net gain over hold", signed(plan.score.improvement, 2)
    yield "Sequences compared", f"{certificate.sequences:,d}"
    yield "Search gap", NOT_MEASURED if certificate.search_gap is None else points(certificate.search_gap)
    if certificate.bound is not None:
        yield "Score bound", points(certificate.bound)
    if certificate.structural_headroom is not None:
        yield "Structural headroom", points(certificate.structural_headroom)
