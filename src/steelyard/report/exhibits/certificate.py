"""How far the plan may be trusted to be the best: the badge and the figures beside the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from steelyard.plans.plan import Plan
from steelyard.report.exhibits.words import capital, on_scale
from steelyard.sentences import points, signed

Level = Literal["ok", "warn", "info"]

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Box:
    """Badge, figures and one sentence; `level` names the icon and its colour."""

    level: Level
    badge: str
    figures: tuple[tuple[str, str], ...]
    said: str


def box(plan: Plan) -> Box:
    """The box of a plan."""
    certificate = plan.certificate
    level: Level = "info"
    best = "" if certificate.scope != "proposals" else certificate.covers.partition(", ")[0] + ", "
    badge = f"{best}not proven"
    if certificate.status == "proven":
        level, badge = "ok", "Proven best" if plan.steps else "Proven: nothing better than holding"
        if _passed_over(plan):
            badge = "Proven: nothing gains enough to act"
    elif certificate.status == "bounded" and certificate.search_gap is not None:
        level, badge = "warn", f"{best}within {points(certificate.search_gap)} of best"
    return Box(level, capital(badge), tuple(_figures(plan)), _said(plan))


CLAIMS = {
    "proven": "no other set of the {candidates} candidate orders gains more",
    "bounded": "another set of the {candidates} candidate orders may gain more, at most by the gap",
    "none": "whether another set of the {candidates} candidate orders gains more was not measured",
}
TOO_LITTLE = "no set of the {candidates} candidate orders gains the {asked} points asked for"


def _passed_over(plan: Plan) -> bool:
    """Is there a plan that gains, and too little to act on?"""
    gains = any(other.steps and other.improvement > 0 for other in plan.alternatives)
    return gains and not plan.steps


def _said(plan: Plan) -> str:
    """What was compared, what that proves, and who chose among the best where a black box did."""
    certificate = plan.certificate
    too_little = certificate.status == "proven" and _passed_over(plan)
    claim = TOO_LITTLE if too_little else CLAIMS[certificate.status]
    asked = points(plan.score.min_improvement)
    claim = claim.format(candidates=f"{certificate.candidates:,d}", asked=asked)
    by = certificate.selected_by
    chosen = f" Chosen among the best sets by {by}." if by else ""
    return f"{capital(certificate.covers)}: {claim}.{chosen}"


def _figures(plan: Plan) -> Iterable[tuple[str, str]]:
    certificate = plan.certificate
    yield "Net gain over hold", signed(plan.score.improvement, 2)
    yield "Sequences compared", f"{certificate.sequences:,d}"
    gap = certificate.search_gap
    yield "Search gap", NOT_MEASURED if gap is None else points(gap)
    if certificate.bound is not None:
        yield "Score bound", on_scale(certificate.bound)
    if certificate.structural_headroom is not None:
        yield "Structural headroom", points(certificate.structural_headroom)
