"""Score and cost as waterfalls: each bar starts where the last one ended, and the last is the
sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from steelyard.plans.plan import Plan
from steelyard.plans.score import TermShown
from steelyard.report.exhibits.scale import Scale
from steelyard.report.exhibits.words import capital, plain_words
from steelyard.sentences import FORMATS, SPACE, money, percent, points, signed

MARGIN = 1.0
TEN = 0.1
"""The score axis starts at a multiple of ten points."""

LEAST_SHARE = 0.5
"""A term that makes at least this share of all gains is said to bring most of them."""

Kind = Literal["start", "gain", "loss", "end"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: from and to on the axis of the waterfall; `before` and `after` are the term's own
    score, as text.
    """

    label: str
    note: str
    kind: Kind
    begin: float
    end: float
    text: str
    before: str = ""
    after: str = ""

    @property
    def left(self) -> float:
        """The lower end."""
        return min(self.begin, self.end)

    @property
    def right(self) -> float:
        """The upper end."""
        return max(self.begin, self.end)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Bars in order, their axis and the sentences below."""

    bars: tuple[Bar, ...]
    axis: Scale
    said: tuple[str, ...]


def score(plan: Plan) -> Waterfall:
    """From hold over each term to the plan, then less the charges."""
    shown = plan.score
    bars = [Bar("Hold", "", "start", 0.0, shown.hold, points(shown.hold))]
    level = shown.hold
    for term in sorted(shown.terms, key=lambda term: (-_change(term), term.name)):
        level = _add(bars, level, _change(term), term)
    bars.append(Bar("This plan", "", "end", 0.0, shown.plan, points(shown.plan)))
    bars += _charges(plan)
    low = min(bar.left if bar.kind in {"gain", "loss"} else bar.right for bar in bars)
    high = max(bar.right for bar in bars)
    start = max(0.0, _tens_below(low)) if low >= 0 else low
    said = [f"Bars start at {points(start, 0)}."] if start > 0 else []
    if any(term.off_scale for term in shown.terms):
        said.append("Off scale: the term is outside 0 to 100 and counts in full.")
    return Waterfall(tuple(bars), Scale(start, high, MARGIN), tuple(said))


def _change(term: TermShown) -> float:
    return term.weight * (term.plan - term.hold)


def _add(bars: list[Bar], level: float, change: float, term: TermShown) -> float:
    note = f"{percent(term.weight)}{SPACE}%" + (", off scale" if term.off_scale else "")
    kind: Kind = "loss" if change < 0 else "gain"
    label = capital(plain_words(term.name))
    bars.append(
        Bar(
            label,
            note,
            kind,
            level,
            level + change,
            signed(change, 2),
            points(term.hold),
            points(term.plan),
        )
    )
    return level + change


def _charges(plan: Plan) -> Iterable[Bar]:
    """What the improvement is charged; nothing when nothing is traded."""
    charges, level = plan.score.charges, plan.score.plan
    if not plan.steps:
        return
    parts = (
        ("Charge for costs", charges.cost),
        ("Charge for tax", charges.tax),
        ("Charge per order", charges.hurdle),
    )
    for label, charge in parts:
        if charge:
            kind: Kind = "loss" if charge > 0 else "gain"
            yield Bar(label, "", kind, level, level - charge, signed(-charge, 2))
            level -= charge
    yield Bar("Net of charges", "", "end", 0.0, level, points(level))


def _tens_below(value: float) -> float:
    return TEN * int(value / TEN)


def cost(plan: Plan) -> Waterfall:
    """From nothing over each kind of cost to the total, money of the base currency."""
    costs = plan.costs
    level, bars = 0.0, []
    for label, amount in (
        ("Commission", costs.commission),
        ("Spread", costs.spread),
        ("Conversion", costs.fx),
    ):
        part = float(amount)
        bars.append(Bar(label, "", "loss", level, level + part, money(amount)))
        level += part
    bars.append(Bar("Total", "", "end", 0.0, level, money(costs.total)))
    return Waterfall(tuple(bars), Scale(0.0, max(level, 1.0), MARGIN), tuple(_cost_said(plan)))


def _cost_said(plan: Plan) -> Iterable[str]:
    if plan.steps and plan.value:
        traded = sum(step.notional_base for step in plan.steps)
        of_traded = FORMATS["bps"](float(plan.costs.total / traded)) if traded else "none"
        of_value = FORMATS["bps"](float(plan.costs.total / plan.value))
        yield (
            f"{plan.base_currency}; {of_traded} of the amount traded, {of_value} of the portfolio."
        )
    if plan.costs.tax is not None:
        yield (
            f"Tax of {plan.base_currency} {money(plan.costs.tax)} is payable later and not taken "
            "from cash."
        )
    elif any(step.lots for step in plan.steps):
        yield "Tax is not estimated."


def heading(plan: Plan) -> str:
    """What moves the score most, and what that costs."""
    if not plan.steps:
        return f"The score stays at {points(plan.score.hold)}"
    gains = [(_change(term), term.name) for term in plan.score.terms if _change(term) > 0]
    total = sum(change for change, _ in gains)
    if not gains:
        return "What moves the score, and what it costs"
    change, name = max(gains)
    most = (
        "most of the gain"
        if change >= LEAST_SHARE * total and len(gains) > 1
        else "the largest gain"
        if len(gains) > 1
        else "the gain"
    )
    return f"{capital(plain_words(name))} brings {most}"


def said(plan: Plan) -> str:
    """What the numbers mean."""
    net = signed(plan.score.improvement, 2)
    asked = points(plan.score.min_improvement)
    what = f"Points of 100; beside each term, its share in the {plan.objective.profile} profile."
    return (
        f"{what} Net of charges {net}; a plan acts from {asked}."
        if plan.steps
        else f"{what} A plan acts from {asked} net."
    )


def parts(bars: Sequence[Bar]) -> bool:
    """Does any bar carry the term's own score before and after?"""
    return any(bar.before for bar in bars)
