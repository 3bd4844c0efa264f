"""Words on what a plan was chosen by besides the score of today, made again from the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from steelyard.plans.verify.book import Book
from steelyard.plans.verify.settings_of_modes import shares_of, years_of
from steelyard.plans.verify.tally import Record
from steelyard.sentences import FORMATS

OVER = {
    "monte_carlo": "over the drawn paths",
    "stochastic": "over the shocks",
    "multi_timeframe": "over the horizons",
    "multi_objective": "by the weighed sum of the objectives",
}
PERCENT, WHOLE_MONEY, SURE = 100, 10, 2
LEAST_TOLD = Decimal("0.00005")
OBJECTIVES = ("score", "diversification", "risk", "cost")
THE_BEST = "Of hold and the lists that are worth it, the one with the best score"


def rule_of(rules: Record) -> str:
    """What a plan is chosen by, as the settings say it."""
    pct, years = FORMATS["pct"], FORMATS["years"]
    if rules["mode"] == "multi_objective":
        own = rules["objectives"]
        whole = sum(own[name] for name in OBJECTIVES) or 1
        sums = [f"{pct(float(own[name] / whole))} {name}" for name in OBJECTIVES]
        return (
            "Of the lists that no other beats in score, diversification, risk and cost, the one "
            f"that is worth it with the largest sum of {', '.join(sums[:-1])} and {sums[-1]}, each "
            "scaled from the worst to the best of them."
        )
    if rules["mode"] == "multi_timeframe":
        each = zip(shares_of(rules), years_of(rules), strict=False)
        parts = ", ".join(f"{pct(float(share))} in {years(float(year))}" for share, year in each)
        return f"{THE_BEST} ahead: {parts}."
    count = len(rules["shifts"])
    scenes = f"over {count} shock{'s' * (count > 1)}"
    if rules["mode"] == "monte_carlo":
        scenes = f"after drawn paths of {years(float(list(years_of(rules))[-1]))}"
    tail = float(rules["tail_weight"])
    return (
        f"{THE_BEST} {scenes}: {pct(1 - tail)} its mean and {pct(tail)} its mean over the worst "
        f"{pct(float(rules['tail']))} (CVaR)."
    )


def held(book: Book, facts: dict[str, object]) -> str:
    """The verdict where a mode holds although a list is worth it by the score of today."""
    outlook = book.doc["outlook"]
    facts["gain"] = outlook["given_up"]["points"] / PERCENT
    return (
        "Hold. The best plan by the score of today gains {gain:points} points after charges; "
        f"{OVER[outlook['mode']]} holding comes out better."
    )


def chosen_by(book: Book, facts: dict[str, object]) -> Iterator[str]:
    """How the plan was chosen, how sure that is, what it gives up, and its risk in money."""
    outlook, draws = book.doc["outlook"], book.doc["certificate"]["sampled"]
    if outlook is None:
        return
    facts["compared"] = Decimal(outlook["compared"])
    yield _by_values(book, outlook, facts) if draws is None else _by_draws(outlook, draws, facts)
    if draws is not None and None not in (draws["lead"], draws["lead_error"]):
        points = _small("lead", draws["lead"], facts)
        if draws["lead"] < SURE * draws["lead_error"]:
            its = f"Its lead over the next list, {points} points, is"
            yield f"{its} within the error of the draws."
        else:
            yield f"It leads the next list by {points} points, more than the error of the draws."
    if outlook["given_up"] is not None:
        yield _gives_up(book, outlook, facts)
    if outlook["fan"] is not None and outlook["fan"]["points"]:
        yield _ends(book, outlook["fan"]["points"], facts)


def _by_draws(outlook: Record, draws: Record, facts: dict[str, object]) -> str:
    what = "paths"
    if outlook["shocks"]:
        count = len(outlook["shocks"])
        what, facts["shifts"] = "scenarios of {shifts:count} shock", Decimal(count)
        what += "s" * (count > 1)
    facts |= {
        "paths": Decimal(draws["paths"]),
        **{name: draws[name] for name in ("mean", "cvar", "tail")},
    }
    error, tail_error = [
        _small(name, draws[key], facts)
        for name, key in (("mean_error", "standard_error"), ("cvar_error", "cvar_error"))
    ]
    return (
        f"Chosen among {{compared:count}} lists by {{paths:count}} drawn {what}: its score comes "
        "out at {mean:points} points on average, standard error "
        f"{error}, and at {{cvar:points}} in the worst {{tail:pct}}, standard error {tail_error}."
    )


def _by_values(book: Book, outlook: Record, facts: dict[str, object]) -> str:
    if outlook["horizons"]:
        facts["ahead"] = _years([row["years"] for row in outlook["horizons"]])
        return (
            "Chosen among {compared:count} lists by the score {ahead:text} ahead, which is "
            "calculated from the estimates and not drawn."
        )
    count, on = len(book.doc["frontier"]), "none of which is beaten by another"
    if count != outlook["compared"]:
        facts["frontier"] = Decimal(count)
        on = f"of which {{frontier:count}} {'is' if count == 1 else 'are'} beaten by no other"
    return (
        f"Chosen among {{compared:count}} lists, {on} in score, diversification, risk and cost at "
        "once."
    )


def _small(name: str, score: Decimal, facts: dict[str, object]) -> str:
    """A score in points, or that it is too small to be read in them."""
    if abs(score) < LEAST_TOLD:
        return "under 0.01"
    facts[name] = score
    return f"{{{name}:points}}"


def _years(years: Sequence[Decimal]) -> str:
    *others, last = [f"{float(year):.4g}" for year in years]
    text = f"{', '.join(others)} and {last}" if others else last
    return f"{text} {'year' if text == '1' else 'years'}"


def _gives_up(book: Book, outlook: Record, facts: dict[str, object]) -> str:
    given_up = outlook["given_up"]
    less, money = _small("less", given_up["points"] / PERCENT, facts), ""
    words = f"Against the best list by the score of today it gives up {less} points"
    if given_up["base_per_year"] is not None:
        facts |= {"less_year": given_up["base_per_year"], "currency": book.doc["base_currency"]}
        form = "whole" if abs(given_up["base_per_year"]) >= WHOLE_MONEY else "money"
        money = f", like {{currency:text}} {{less_year:{form}}} a year"
    if given_up["won"] is None:
        return f"{words}{money}; that list is not on the frontier."
    won = _small("won", given_up["won"], facts)
    return f"{words}{money}, and wins {won} points {OVER[outlook['mode']]}."


def _ends(book: Book, points: Sequence[Record], facts: dict[str, object]) -> str:
    last = points[-1]
    facts |= {"years": last["years"], "half": last["p50"], "worst": last["p05"]}
    facts["currency"] = book.doc["base_currency"]
    words = (
        "By the estimates half of the paths end over {currency:text} {half:whole} after "
        "{years:years}, and 1 in 20 under {worst:whole}"
    )
    if not book.steps:
        return f"{words}."
    facts |= {"half_hold": last["hold_p50"], "worst_hold": last["hold_p05"]}
    return f"{words}; of holding over {{half_hold:whole}} and under {{worst_hold:whole}}."
