"""What one looser rule would gain: every rule in force, one notch looser, solved again.

A gain is the net of the plan then less the net of the plan as it is, both by the changed rules.
What the searches of either leave open stands beside it: no more is claimed than they can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from steelyard.planning.proof import PROVEN
from steelyard.planning.questions.again import Answer, Asked, Progress
from steelyard.planning.questions.rules import ORDER_LIMITS, Change, changes
from steelyard.plans.answers import Counterfactual
from steelyard.sentences import Sentence, points, say, worded

Span = tuple[float, float] | None
"""Between these the gain lies, of the best plans that there are; None where it is not known."""


def counterfactuals(asked: Asked, tell: Progress) -> Iterator[Counterfactual]:
    """What each rule in force alone, one notch looser, would gain."""
    every = list(changes(asked.now))
    for k, change in enumerate(every):
        tell("solving with one rule changed", k, len(every))
        other = asked.again(change.applied(asked.now.case), prove=True)
        gain = gain_of(asked.now, other)
        money, span = _money(asked.now, gain), span_of(asked.now, other, gain, change)
        yield Counterfactual(
            name=change.name,
            setting=change.key,
            now=change.now,
            then=change.then,
            gain=gain,
            gain_least=None if span is None else span[0],
            gain_most=None if span is None else span[1],
            money=money,
            **worded(_text(asked.now, change, gain, (money, span))),
        )


def gain_of(now: Answer, other: Answer) -> float:
    """Net of another answer less that of the plan under the same rules; 0 within rounding."""
    gain = other.choice.plan.net - now.net_under(other)
    return 0.0 if abs(gain) <= PROVEN else gain


def span_of(now: Answer, other: Answer, gain: float, change: Change) -> Span:
    """Least and most that the best plans of both can differ; where a looser rule only adds to what
    may be planned it never costs.
    """
    if now.gap is None or other.gap is None:
        return None
    least, most = gain - now.gap, gain + other.gap
    if not (_nested(now) and _nested(other)):
        return least, most
    if change.looser:
        return max(0.0, least), max(0.0, most)
    return min(0.0, least), min(0.0, most)


def _nested(answer: Answer) -> bool:
    """Is what may be planned all that the rules leave, so that a looser rule only adds to it?

    Without targets, and over a table, it is what calculators ask for: by another cap they ask for
    other sales. What is traded whatever it gains may cost with a looser rule too.
    """
    targeted = answer.ctx.target_weights is not None
    return answer.lots is not None and targeted and not answer.choice.base.row


def _money(now: Answer, gain: float) -> Decimal | None:
    """Costs that weigh as much as a gain, base currency."""
    worth = now.objective.rates.cost
    return Decimal(repr(round(gain / worth * now.ctx.value, 2))) if worth > 0 else None


def _text(now: Answer, change: Change, gain: float, worth: tuple[Decimal | None, Span]) -> Sentence:
    """What a gain is said to be: no more than both searches can tell."""
    money, span = worth
    form = "count" if change.key in ORDER_LIMITS else "pct"
    form = "points" if change.section == "score" else form
    opening = f"{{change:text}} ({{now:{form}}} to {{then:{form}}})"
    name = change.name[0].upper() + change.name[1:]
    facts: dict[str, Any] = {"change": name, "now": change.now, "then": change.then}
    if span is None:
        text = " changes the plan by {gain:spoints} points, by the lists that were compared."
        return say(opening + text, **facts, gain=gain)
    least, most = span
    if most - least > PROVEN:
        return _bounded(opening, facts, least, most)
    if gain == 0 or money is None:
        return say(opening + " changes nothing.", **facts)
    facts |= {"gain": gain, "currency": now.ctx.base_currency, "worth": abs(money)}
    return say(
        opening + " changes the plan by {gain:spoints} points, as much as {currency:text} "
        "{worth:whole} of costs.",
        **facts,
    )


def _bounded(opening: str, facts: dict[str, Any], least: float, most: float) -> Sentence:
    """What two searches that are not proven can tell."""
    if points(least) == points(most):
        if points(most) == points(0.0):
            return say(opening + " changes the plan by less than a hundredth of a point.", **facts)
        about = (least + most) / 2
        return say(
            opening + " changes the plan by about {about:spoints} points.", **facts, about=about
        )
    if least > 0:
        text = " gains the plan {least:points} to {most:points} points."
        return say(opening + text, **facts, least=least, most=most)
    if most < 0:
        text = " costs the plan {least:points} to {most:points} points."
        return say(opening + text, **facts, least=-most, most=-least)
    text = " changes the plan by at most {most:points} points, less than its search can tell."
    return say(opening + text, **facts, most=max(most, -least))
