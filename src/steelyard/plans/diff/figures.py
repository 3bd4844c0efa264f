"""Money and score of two plans side by side; what may not be compared has no change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

from steelyard.canonical import published
from steelyard.orders import Side
from steelyard.plans.answers import Told
from steelyard.plans.diff.moved import flat, is_same_account
from steelyard.plans.diff.records import Amounts, Money, Numbers, Proof, ScoreDiff, TermDiff
from steelyard.plans.diff.words import joined, listed, plain
from steelyard.plans.plan import Plan
from steelyard.plans.score import ScoreShown, TermShown

CHARGING = frozenset(
    f"score.{name}"
    for name in (
        *("order_hurdle", "holding_years", "cost_aversion"),
        *("tax_rate", "tax_rate_long", "tax_years"),
    )
)
"""Settings of the score that say what an improvement is charged, and not what a state is worth."""
JUDGING = frozenset({"score.min_improvement", "score.latch_share"})
"""Those that only say when a plan is worth to act on."""
NO_TERM = 0.0
FOLLOWS = "share of"
Comparable = Literal["all", "before_charges", "none"]


def money(a: Plan, b: Plan) -> Money:
    """What both trade, pay and have after."""
    why = _not_compared(a, b)

    def both(of: Callable[[Plan], Decimal | None]) -> Amounts:
        return amounts(of(a), of(b), comparable=why is None)

    def after(currency: str) -> Amounts:
        none = Decimal(0)
        ends = (plan.cash_after.get(currency, none) for plan in (a, b))
        return amounts(*ends, comparable=is_same_account(a, b))

    return Money(
        base_currency=a.base_currency if a.base_currency == b.base_currency else None,
        not_compared=why,
        buys=both(lambda plan: traded(plan, Side.BUY)),
        sells=both(lambda plan: traded(plan, Side.SELL)),
        cost=both(lambda plan: plan.costs.total),
        tax=both(lambda plan: plan.costs.tax),
        turnover=numbers(a.turnover, b.turnover),
        cash_after={name: after(name) for name in sorted({*a.cash_after, *b.cash_after})},
    )


def _not_compared(a: Plan, b: Plan) -> Told | None:
    """Why amounts of one plan are not amounts of the other."""
    if a.base_currency != b.base_currency:
        text = "A counts in {one:text} and B in {other:text}: their money is not compared"
        return Told(**joined(plain(text, one=a.base_currency, other=b.base_currency)))
    if not is_same_account(a, b):
        text = "A is of {one:text} and B of {other:text}, other accounts: their money is not"
        return Told(**joined(plain(f"{text} compared", one=a.bucket, other=b.bucket)))
    return None


def traded(plan: Plan, side: Side) -> Decimal:
    """All that is bought, or sold, base currency."""
    return sum((step.notional_base for step in plan.steps if step.side is side), Decimal(0))


def score(a: Plan, b: Plan) -> ScoreDiff:
    """Scores, what each term adds, drift and certificate of both."""
    comparable, why = _comparable(a, b)

    def both(of: Callable[[ScoreShown], float], *, charged: bool = False) -> Numbers:
        levels = ("all",) if charged else ("all", "before_charges")
        return numbers(of(a.score), of(b.score), comparable=comparable in levels)

    return ScoreDiff(
        comparable=comparable,
        not_compared=why,
        hold=both(lambda shown: shown.hold),
        plan=both(lambda shown: shown.plan),
        improvement=both(lambda shown: shown.improvement, charged=True),
        cost=both(lambda shown: shown.charges.cost, charged=True),
        tax=both(lambda shown: shown.charges.tax, charged=True),
        hurdle=both(lambda shown: shown.charges.hurdle, charged=True),
        terms=tuple(_terms(a, b, comparable=comparable != "none")),
        drift_before=numbers(a.drift.before, b.drift.before),
        drift_after=numbers(a.drift.after, b.drift.after),
        certificate=Proof(
            a=a.certificate.status,
            b=b.certificate.status,
            gap=numbers(*map(_gap, (a, b)), comparable=comparable == "all"),
        ),
    )


def _gap(plan: Plan) -> float | None:
    return None if plan.certificate.gap is None else plan.certificate.gap.points


def _terms(a: Plan, b: Plan, *, comparable: bool) -> Iterable[TermDiff]:
    ours, theirs = ({term.name: term for term in plan.score.terms} for plan in (a, b))
    for name in dict.fromkeys((*ours, *theirs)):
        pair = (ours.get(name), theirs.get(name))
        weights = [NO_TERM if term is None else term.weight for term in pair]
        same = comparable and weights[0] == weights[1]
        yield TermDiff(
            name=name,
            weight=numbers(*weights),
            gain=numbers(*map(_gain, pair), comparable=same),
        )


def _gain(term: TermShown | None) -> float | None:
    """What a term adds to the improvement; None where it is no term of the plan."""
    return None if term is None else term.weight * (term.plan - term.hold)


def _comparable(a: Plan, b: Plan) -> tuple[Comparable, Told | None]:
    """Do points of one plan say anything of the other; and which settings say no."""
    differ = [key for key, old, new in _objectives(a, b) if old != new and key not in JUDGING]
    if not differ:
        return "all", None
    if set(differ) <= CHARGING:
        lead, rest = "Improvements are charged by other settings (", "): they are not compared"
        return "before_charges", _told(lead, differ, rest)
    lead = "A and B are scored by other settings ("
    rest = "): points of one are none of the other, and terms of other weights are not compared"
    return "none", _told(lead, differ, rest)


def _told(lead: str, keys: Iterable[str], rest: str) -> Told:
    """The settings named; shares and scales, which follow from them, where nothing else differs."""
    settings = [key for key in keys if not key.startswith(FOLLOWS)]
    return Told(**joined(plain(lead), listed(settings or keys), plain(rest)))


def _objectives(a: Plan, b: Plan) -> Iterable[tuple[str, Any, Any]]:
    """What the scores of both are made of: key, in A, in B."""
    ours, theirs = _objective(a), _objective(b)
    for key in dict.fromkeys((*ours, *theirs)):
        yield key, ours.get(key), theirs.get(key)


def _objective(plan: Plan) -> Mapping[str, Any]:
    """Every number by which an end state is scored, by its key."""
    keys: dict[str, Any] = {"targets": plan.objective.mode == "targets"}
    settings = plan.strategy.settings
    for section in ("score", "groups"):
        keys |= flat(settings.get(section), section)
    modules = settings.get("modules")
    terms = modules.get("score_terms") if isinstance(modules, dict) else None
    keys |= flat(terms, "score_terms")
    for term in plan.score.terms:
        keys[f"{FOLLOWS} {term.name}"] = term.weight
        parts = {part.name: (part.share, part.scale) for part in term.parts}
        keys |= {f"{FOLLOWS} {name} in {term.name}": part for name, part in parts.items()}
    return keys


def amounts(a: Decimal | None, b: Decimal | None, *, comparable: bool = True) -> Amounts:
    """An amount in both; the change where both have it and it may be compared."""
    change = None if a is None or b is None or not comparable else b - a
    return Amounts(a=a, b=b, change=change)


def numbers(a: float | None, b: float | None, *, comparable: bool = True) -> Numbers:
    """A number in both; the change is of the published digits, so that it can be checked."""
    a, b = (None if x is None or not math.isfinite(x) else published(x) for x in (a, b))
    change = None if a is None or b is None or not comparable else published(b - a)
    return Numbers(a=a, b=b, change=change)
