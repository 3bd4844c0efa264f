"""Sentences of a plan that more than the score of today decided: what was compared, how sure that
is, and what it gives up by that score.

In: the records of the document, so that terminal, report and planner say the same. No forecast:
paths are drawn from the estimates, and what they come to is calculated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from steelyard.plans.outlook import Fan, GivenUp, Outlook, Sampled
from steelyard.plans.score import Certificate
from steelyard.sentences import Fact, Sentence, say
from steelyard.settings import Mode

OVER: Mapping[Mode, str] = {
    "monte_carlo": "over the drawn paths",
    "stochastic": "over the shocks",
    "multi_timeframe": "over the horizons",
    "multi_objective": "by the weighed sum of the objectives",
}
"""By what a mode compares."""
WHOLE_MONEY = 10
"""Money a year is told in whole units from here on."""
LEAST_TOLD = 0.00005
"""Score under which points read 0.00."""
SURE = 2
"""Standard errors that a lead must be over not to be chance."""


def chosen_by(
    outlook: Outlook, certificate: Certificate, frontier: int, currency: str
) -> Iterator[Sentence]:
    """How the plan was chosen, how sure that is, what it gives up, and its risk in money.

    frontier   lists that are on it
    """
    draws = certificate.sampled
    yield _by_draws(outlook, draws) if draws is not None else _by_values(outlook, frontier)
    if draws is not None and draws.lead is not None and draws.lead_error is not None:
        yield _leads(draws.lead, draws.lead_error)
    if outlook.given_up is not None:
        yield _gives_up(outlook, outlook.given_up, currency)
    if outlook.fan is not None:
        holds = not any(shown.steps for shown in outlook.beside if shown.chosen)
        yield _ends(outlook.fan, currency, holds=holds)


def held(outlook: Outlook, given_up: GivenUp) -> Sentence:
    """The verdict where a mode holds although a list is worth it by the score of today."""
    over = OVER[outlook.mode]
    return say(
        "Hold. The best plan by the score of today gains {gain:points} points after charges; "
        f"{over} holding comes out better.",
        gain=given_up.points / 100,
    )


def _by_draws(outlook: Outlook, draws: Sampled) -> Sentence:
    """How many were drawn, and what the score turned out to be."""
    what, facts = "paths", dict[str, Fact]()
    if outlook.shocks:
        count = len(outlook.shocks)
        what = "scenarios of {shifts:count} shock" + "s" * (count > 1)
        facts["shifts"] = count
    return say(
        f"Chosen among {{compared:count}} lists by {{paths:count}} drawn {what}: its score comes "
        "out at {mean:points} points on average, standard error "
        f"{small('mean_error', draws.standard_error)}, and at {{cvar:points}} in the worst "
        f"{{tail:pct}}, standard error {small('cvar_error', draws.cvar_error)}.",
        compared=outlook.compared,
        paths=draws.paths,
        mean=draws.mean,
        mean_error=draws.standard_error,
        cvar=draws.cvar,
        cvar_error=draws.cvar_error,
        tail=draws.tail,
        **facts,
    )


def _by_values(outlook: Outlook, frontier: int) -> Sentence:
    """What nothing was drawn for."""
    if outlook.horizons:
        return say(
            "Chosen among {compared:count} lists by the score {ahead:text} ahead, which is "
            "calculated from the estimates and not drawn.",
            compared=outlook.compared,
            ahead=listed_years([horizon.years for horizon in outlook.horizons]),
        )
    on = f"of which {{frontier:count}} {'is' if frontier == 1 else 'are'} beaten by no other"
    if frontier == outlook.compared:
        on = "none of which is beaten by another"
    return say(
        f"Chosen among {{compared:count}} lists, {on} in score, diversification, risk and cost at "
        "once.",
        compared=outlook.compared,
        frontier=frontier,
    )


def small(name: str, score: float) -> str:
    """The field of a score in points; of one that would read 0.00 a bound on it.

    >>> small("won", 0.0017), small("won", 0.00003)
    ('{won:points}', 'under 0.01')
    """
    return f"{{{name}:points}}" if abs(score) >= LEAST_TOLD else "under 0.01"


def listed_years(years: list[float]) -> str:
    """`1, 3 and 5 years`.

    >>> listed_years([1.0, 2.5]), listed_years([1.0])
    ('1 and 2.5 years', '1 year')
    """
    numbers = [f"{year:.4g}" for year in years]
    text = " and ".join([*([", ".join(numbers[:-1])] if numbers[1:] else []), numbers[-1]])
    return f"{text} year" if text == "1" else f"{text} years"


def _leads(lead: float, error: float) -> Sentence:
    """Whether another list might as well have been drawn as the best."""
    points = small("lead", lead)
    words = f"It leads the next list by {points} points, more than the error of the draws."
    if lead < SURE * error:
        words = f"Its lead over the next list, {points} points, is within the error of the draws."
    return say(words, lead=lead)


def _gives_up(outlook: Outlook, given_up: GivenUp, currency: str) -> Sentence:
    """What is lost by the score of today, and what is won for it."""
    facts: dict[str, Fact] = {"less": given_up.points / 100}
    less = small("less", given_up.points / 100)
    words = f"Against the best list by the score of today it gives up {less} points"
    money = given_up.base_per_year
    if money is not None:
        form = "whole" if abs(money) >= WHOLE_MONEY else "money"
        words += f", like {{currency:text}} {{less_year:{form}}} a year"
        facts |= {"less_year": money, "currency": currency}
    if given_up.won is None:
        return say(f"{words}; that list is not on the frontier.", **facts)
    won = small("won", given_up.won)
    return say(f"{words}, and wins {won} points {OVER[outlook.mode]}.", **facts, won=given_up.won)


def _ends(fan: Fan, currency: str, *, holds: bool) -> Sentence:
    """What half of the paths and one in twenty come to, in money."""
    last = fan.points[-1]
    words = (
        "By the estimates half of the paths end over {currency:text} {half:whole} after "
        "{years:years}, and 1 in 20 under {worst:whole}"
    )
    facts: dict[str, Fact] = {
        "years": last.years, "half": last.p50, "worst": last.p05, "currency": currency,
    }  # fmt: skip
    if holds:
        return say(f"{words}.", **facts)
    words += "; of holding over {half_hold:whole} and under {worst_hold:whole}."
    return say(words, **facts, half_hold=last.hold_p50, worst_hold=last.hold_p05)
