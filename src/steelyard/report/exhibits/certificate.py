"""How far the plan may be trusted to be the best: the badge and the figures beside the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from steelyard.planning.narrative import NO_GAP, certified
from steelyard.plans.outlook import Outlook
from steelyard.plans.plan import Plan
from steelyard.plans.score import Certificate, Gap
from steelyard.report.exhibits.words import capital, counted, lower, on_scale
from steelyard.report.exhibits.worth import WHOLE_MONEY, gained, near
from steelyard.sentences import FORMATS, SPACE, percent, points
from steelyard.settings import Mode

Level = Literal["ok", "warn", "info"]

QUANTITIES = "quantities"
NOT_MEASURED = "not measured"
LOCAL = {
    "pairs": "No change of one order or of two improves it.",
    "single": "No change of one order improves it.",
}
"""What was searched around the plan, in words."""
WHOLE_LOTS = "Of every list in whole lots that cash, limits and filters allow."


@dataclass(frozen=True, slots=True)
class Box:
    """Badge, figures and what they mean; `level` names the icon and its colour.

    said    how far from the best, and what was searched
    beside  the same without what the verdict says already
    """

    level: Level
    badge: str
    figures: tuple[tuple[str, str], ...]
    said: str
    beside: str


def box(plan: Plan) -> Box:
    """The box of a plan."""
    certificate = plan.certificate
    if certificate.scope == "targets":
        return _exact(plan)
    if plan.outlook is not None:
        return _by_mode(plan, plan.outlook)
    level: Level = "info"
    best = "" if certificate.scope != "proposals" else certificate.covers.partition(", ")[0] + ", "
    badge = f"{best}not proven"
    of = " of the candidates" if certificate.scope == "candidates" else ""
    if certificate.status == "proven":
        level = "ok"
        badge = f"Proven best{of}" if plan.steps else "Proven: nothing better than holding"
        if _passed_over(plan):
            badge = "Proven: nothing gains enough to act"
    elif certificate.status == "bounded" and certificate.search_gap is not None:
        gap = FORMATS["points_up"](certificate.search_gap)
        level, badge = "warn", f"{best}within {gap} points of the best{of}"
    if certificate.scope == QUANTITIES and certificate.status != "proven":
        level, badge = _of_any_size(certificate)
    claim, more = _claim(plan), tuple(_more(certificate))
    of_any_size = certificate.scope == QUANTITIES
    beside = " ".join(more or (WHOLE_LOTS,) if of_any_size else (claim, *more))
    return Box(level, capital(badge), tuple(_figures(plan)), " ".join((claim, *more)), beside)


BADGES: Mapping[Mode, str] = {
    "monte_carlo": "by {paths} paths, not proven",
    "stochastic": "by {paths} scenarios, not proven",
    "multi_timeframe": "by the score ahead, not proven",
    "multi_objective": "from a frontier of {lists}, not proven",
}


def _by_mode(plan: Plan, outlook: Outlook) -> Box:
    """Of a plan that more than the score of today chose: that proves nothing of it."""
    draws, today = plan.certificate.sampled, _claim(plan)
    badge = BADGES[outlook.mode].format(
        paths=f"{draws.paths:,d}" if draws is not None else "",
        lists=lower(counted(len(plan.frontier), "list")),
    )
    drawn = [f"{lower(name)} {figure}" for name, figure in _sure(plan)]
    sure = [] if draws is None else [f"Seed {draws.seed}: {', '.join(drawn)} points."]
    return Box(
        "info",
        capital(badge),
        (*_sure(plan), *_figures(plan)),
        " ".join((today, *sure, "More than that score chose the plan.")),
        "The gap is by the score of today; what chose the plan stands under its own head.",
    )


def _sure(plan: Plan) -> Iterable[tuple[str, str]]:
    """What was drawn came to, with its error."""
    draws = plan.certificate.sampled
    if draws is None:
        return
    yield "Mean score ± error", _with_error(draws.mean, draws.standard_error)
    tail = f"{percent(draws.tail)}{SPACE}%"
    yield f"Worst {tail} ± error", _with_error(draws.cvar, draws.cvar_error)
    if draws.lead is not None and draws.lead_error is not None:
        yield "Lead over the next", _with_error(draws.lead, draws.lead_error)


def _with_error(score: float, error: float) -> str:
    """Both in points, with as many decimals as show the error."""
    digits = len(near(error).partition(".")[2])
    return f"{points(score, digits)} ± {points(error, digits)}"


def _exact(plan: Plan) -> Box:
    """Of a plan that follows from its targets."""
    certificate = plan.certificate
    claim = certified(certificate, plan.base_currency, None)
    figures = (("Net gain over hold", gained(plan.score.improvement)),)
    words = "" if claim is None else claim.text
    return Box("info", "Exact to the targets", figures, words, words)


def _of_any_size(certificate: Certificate) -> tuple[Level, str]:
    """Level and badge of a search over all quantities that did not end in a proof."""
    if certificate.status == "within_one_lot":
        return "ok", "within one lot of the best"
    if certificate.status == "none" or certificate.search_gap is None:
        return "info", "distance from the best not measured"
    return "warn", f"within {FORMATS['points_up'](certificate.search_gap)} points of the best"


CLAIMS = {
    "proven": "no other set of the {candidates} candidate orders gains more",
    "bounded": "another set of the {candidates} candidate orders may gain more, at most by the gap",
    "none": "whether another set of the {candidates} candidate orders gains more was not measured",
}
BY_SCORE = {
    "bounded": "by the score of today another set of the {candidates} candidate orders may gain "
    "more, at most by the gap",
    "none": "whether by the score of today another set of the {candidates} candidate orders gains "
    "more was not measured",
}
TOO_LITTLE = "no set of the {candidates} candidate orders gains the {asked} points asked for"


def _passed_over(plan: Plan) -> bool:
    """Is there a plan that gains, and too little to act on?"""
    gains = any(other.steps and other.improvement > 0 for other in plan.alternatives)
    return gains and not plan.steps


def _claim(plan: Plan) -> str:
    """What the search proves."""
    acts, least = bool(plan.steps), plan.score.min_improvement
    lacks = plan.rests and plan.score.improvement < least
    asked = least if lacks or not acts else None
    by_mode = plan.outlook is not None
    sentence = certified(plan.certificate, plan.base_currency, asked, acts=acts, by_mode=by_mode)
    return _of_candidates(plan) if sentence is None else sentence.text


def _more(certificate: Certificate) -> Iterable[str]:
    """What was searched around the plan, what was fitted, who chose where a black box did."""
    if certificate.local_optimum is not None and certificate.status != "proven":
        yield LOCAL[certificate.local_optimum]
    if certificate.refined:
        added = points(certificate.refined)
        yield f"Fitting the sizes of its orders to each other added {added} points."
    if certificate.selected_by:
        yield f"Chosen among the best sets by {certificate.selected_by}."


def _of_candidates(plan: Plan) -> str:
    """What a search over the table or the proposals proves."""
    certificate = plan.certificate
    too_little = certificate.status == "proven" and _passed_over(plan)
    claim = TOO_LITTLE if too_little else CLAIMS[certificate.status]
    if plan.outlook is not None:
        claim = BY_SCORE[certificate.status]
    asked = points(plan.score.min_improvement)
    claim = claim.format(candidates=f"{certificate.candidates:,d}", asked=asked)
    return f"{capital(certificate.covers)}: {claim}."


def _figures(plan: Plan) -> Iterable[tuple[str, str]]:
    certificate = plan.certificate
    yield "Net gain over hold", gained(plan.score.improvement)
    gap = certificate.gap
    if certificate.scope != QUANTITIES:
        yield "Sequences compared", f"{certificate.sequences:,d}"
        search_gap = certificate.search_gap
        yield "Search gap", NOT_MEASURED if search_gap is None else points(search_gap)
    elif gap is None:
        yield "A better plan gains at most", NOT_MEASURED
    elif plan.outlook is not None and gap.points <= NO_GAP:
        yield "A better one by that score", "none"
    elif certificate.status != "proven":
        yield from _at_most(gap, plan.base_currency)
    if certificate.bound is not None and certificate.scope != QUANTITIES:
        yield "Score bound", on_scale(certificate.bound)
    if headroom(plan) is not None:
        yield "Structural headroom", points(headroom(plan) or 0.0)


def headroom(plan: Plan) -> float | None:
    """What other sizes and more orders could add at most; None where all of them were searched."""
    certificate = plan.certificate
    return None if certificate.scope == QUANTITIES else certificate.structural_headroom


def _at_most(gap: Gap, base: str) -> Iterable[tuple[str, str]]:
    """How much better a better plan can be, rounded up."""
    yield "A better plan gains at most", f"{FORMATS['points_up'](gap.points / 100)} points"
    if gap.base_per_year is not None:
        form = "whole_up" if abs(gap.base_per_year) >= WHOLE_MONEY else "money_up"
        yield "as money a year", f"{FORMATS[form](gap.base_per_year)} {base}"
    if gap.of_improvement is not None:
        yield "of the improvement", FORMATS["pct_up"](gap.of_improvement)
