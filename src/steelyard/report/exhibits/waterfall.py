"""Score and cost as waterfalls: each bar starts where the last one ended; the last is the sum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from steelyard.money import ZERO
from steelyard.plans.account import RealisedGain
from steelyard.plans.plan import Plan
from steelyard.plans.score import TermShown
from steelyard.report.exhibits.scale import Scale
from steelyard.report.exhibits.words import OFF_SCALE, capital, on_scale, plain_words
from steelyard.sentences import FORMATS, SPACE, money, percent, points, signed

MARGIN = 1.0
TEN = 0.1
"""The score axis starts at a multiple of ten points."""
LEAST_SHARE = 0.5
"""A term that makes at least this share of all gains is said to bring most of them."""

Kind = Literal["start", "gain", "loss", "end"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: from and to on the axis, its amount as text, and the term that it is of, if any."""

    label: str
    kind: Kind
    begin: float
    end: float
    text: str
    term: TermShown | None = None

    @property
    def left(self) -> float:
        """The lower end."""
        return min(self.begin, self.end)

    @property
    def right(self) -> float:
        """The upper end."""
        return max(self.begin, self.end)

    @property
    def note(self) -> str:
        """The share of a term."""
        if self.term is None:
            return ""
        told_there = OFF_SCALE in {self.before, self.after}
        off_scale = ", off scale" if self.term.off_scale and not told_there else ""
        return f"{percent(self.term.weight)}{SPACE}%{off_scale}"

    @property
    def before(self) -> str:
        """The term's own score before the plan."""
        return "" if self.term is None else on_scale(self.term.hold)

    @property
    def after(self) -> str:
        """The term's own score after the plan."""
        return "" if self.term is None else on_scale(self.term.plan)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Bars in order, their axis, what they show, what they mean, and the sentences below."""

    bars: tuple[Bar, ...]
    axis: Scale
    heading: str
    said: str
    notes: tuple[str, ...]


def score(plan: Plan) -> Waterfall:
    """From hold over each term to the plan, then less the charges."""
    shown = plan.score
    bars = [Bar("Hold", "start", 0.0, shown.hold, on_scale(shown.hold))]
    level = shown.hold
    for term in sorted(shown.terms, key=lambda term: (-_change(term), term.name)):
        change = _change(term)
        label = capital(plain_words(term.name))
        kind: Kind = "loss" if change < 0 else "gain"
        bars.append(Bar(label, kind, level, level + change, signed(change, 2), term))
        level += change
    bars.append(Bar("This plan", "end", 0.0, shown.plan, on_scale(shown.plan)))
    bars += _charges(plan)
    low = min(bar.left if bar.kind in {"gain", "loss"} else bar.right for bar in bars)
    start = max(0.0, TEN * int(low / TEN)) if low >= 0 else low
    axis = Scale(start, max(bar.right for bar in bars), MARGIN)
    off = "Off scale: the term is outside 0 to 100 and counts in full."
    notes = [off] if any(term.off_scale for term in shown.terms) else []
    if shown.foresight is not None:
        notes.append(shown.foresight.text)
    return Waterfall(tuple(bars), axis, _heading(plan), _said(plan), tuple(notes))


def _change(term: TermShown) -> float:
    return term.weight * (term.plan - term.hold)


def _charges(plan: Plan) -> Iterable[Bar]:
    """What the improvement is charged; nothing when nothing is traded."""
    charges, level = plan.score.charges, plan.score.plan
    if not plan.steps:
        return
    parts = (("for costs", charges.cost), ("for tax", charges.tax), ("per order", charges.hurdle))
    for what, charge in parts:
        if charge:
            kind: Kind = "loss" if charge > 0 else "gain"
            yield Bar(f"Charge {what}", kind, level, level - charge, signed(-charge, 2))
            level -= charge
    yield Bar("Net of charges", "end", 0.0, level, on_scale(level))


def _heading(plan: Plan) -> str:
    """What moves the score most, and what that costs."""
    if not plan.steps:
        level = on_scale(plan.score.hold)
        return f"The score stays {level}" if level == OFF_SCALE else f"The score stays at {level}"
    gains = [(_change(term), term.name) for term in plan.score.terms if _change(term) > 0]
    if not gains:
        return "What moves the score, and what it costs"
    change, name = max(gains)
    most = "the gain" if len(gains) == 1 else "the largest gain"
    if len(gains) > 1 and change >= LEAST_SHARE * sum(gain for gain, _ in gains):
        most = "most of the gain"
    return f"{capital(plain_words(name))} brings {most}"


def _said(plan: Plan) -> str:
    """What the numbers mean."""
    asked = points(plan.score.min_improvement)
    what = f"Points of 100; beside each term, its share in the {plan.objective.profile} profile."
    if not plan.steps:
        return f"{what} A plan acts from {asked} net."
    net = signed(plan.score.improvement, 2)
    return f"{what} Net of charges {net}; a plan acts from {asked}."


def cost(plan: Plan) -> Waterfall:
    """From nothing over each kind of cost to the total, money of the base currency."""
    costs = plan.costs
    level, bars = 0.0, []
    parts = {"Commission": costs.commission, "Spread": costs.spread, "Conversion": costs.fx}
    for label, amount in parts.items():
        bars.append(Bar(label, "loss", level, level + float(amount), money(amount)))
        level += float(amount)
    bars.append(Bar("Total", "end", 0.0, level, money(costs.total)))
    axis = Scale(0.0, max(level, 1.0), MARGIN)
    return Waterfall(tuple(bars), axis, "Cost by kind", "", tuple(_cost_notes(plan)))


def _cost_notes(plan: Plan) -> Iterable[str]:
    costs = plan.costs
    if plan.steps and plan.base_of_weights:
        traded = sum(step.notional_base for step in plan.steps)
        of_traded = FORMATS["bps"](float(costs.total / traded)) if traded else "none"
        of_value = FORMATS["bps"](float(costs.total / plan.base_of_weights))
        yield f"{of_traded} of the amount traded, {of_value} of the portfolio."
    if costs.tax is not None:
        tax = f"{plan.base_currency} {money(costs.tax)}"
        yield f"Tax of {tax} is payable later and not taken from cash."
    elif any(step.lots for step in plan.steps):
        yield "Tax is not estimated."
    if plan.realised_gain is not None:
        yield from _gain_notes(plan.realised_gain)


def _gain_notes(gain: RealisedGain) -> Iterable[str]:
    """What the sales realise by term, and what that makes of the year's budget."""
    terms = {"short-term": gain.short, "long-term": gain.long}
    amounts = [
        f"{name} {'not known' if amount is None else money(amount)}"
        for name, amount in terms.items()
        if amount != 0
    ]
    yield f"Realised gain, {gain.currency}: {', '.join(amounts) or 'none'}."
    if gain.budget is not None and gain.short is not None and gain.long is not None:
        year = gain.short + gain.long + (gain.before or ZERO)
        yield f"This year {money(year)} of at most {money(gain.budget)}."
