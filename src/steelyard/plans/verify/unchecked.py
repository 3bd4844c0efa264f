"""Which fields of a document a change may go unseen in, each with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from steelyard.plans.verify.form import Reading

UNKNOWN = "this version of verify does not know the field"
UNREAD = "no check looks at it"
SCORE = "a score: it needs the estimates, and those the price history"
MADE = "how the plan was made; not part of its id"
SOLVED = "found by solving again with other inputs or rules"
SPAN = "found by solving again; held where the sentence tells it, or says that nothing changes"
SEARCHED = "what was searched; that only quantities are is held"
NOT_LATER = "held to be no later than as_of; the sessions of the price files are not here"
TRADED = "an input; held against the orders in it alone"
BINDS = "an input; seen where an order breaks it"
GROUPED = "an input; held where a reason tells a group's share"
WHOSE = "who proposed it; seen where two places say it"
REGIME = "told from the index, which is not here; its range is held"
PAST = "from the price history, which is not here; that its sentence tells it is held"
ABSENT = "an input; its weights are summed, its name is not elsewhere"
STOPPED = "held where the table has the candidate; of a wish that never became one it stands alone"
MODULE = "what a module says of itself; that it may say so is held"
ORIGIN = "where a price is from, and in what it was quoted; inputs_sha256 is the hash of the price"
DATED = "an input; held to be young enough, and no later than the plan"
NOTICE = "words of a notice, which has no facts"
OWN = "a name alone; inputs_sha256 is the hash of the inputs"

DRAWN = "drawn from the estimates, which are not here; held in order and in its sums"
BESIDE = "of a list that is not the plan; held where it is an end of the choice"

PRICED = ("holdings", "kept_out")

LOOSE: Mapping[str, str] = {
    "bucket": OWN,
    "price_source": OWN,
    "strategy.name": "whose rules these are; the hash is of what they do",
    "strategy.version": "whose rules these are; the hash is of what they do",
    "strategy.title": "whose rules these are; the hash is of what they do",
    "strategy.text_sha256": "of the text of a stored strategy, which the plan does not hold",
    "holdings[].band": "around the target; how wide is an input where the targets file says it",
    "bands[].low": "of cash an input; of the rest that of the holding or class",
    "bands[].high": "of cash an input; of the rest that of the holding or class",
    "bands[].breached": "on the very edge rounding decides",
    "holdings[].group": "an input; no figure depends on it",
    **{f"holdings[].{key}": GROUPED for key in ("sectors", "countries")},
    "score.terms[].parts[].name": "a part's name; its share and scale are held",
    **{
        f"score.foresight.{key}": PAST for key in ("quarters", "median", "least", "most", "covered")
    },
    "certificate.nodes": MADE,
    "certificate.seconds": MADE,
    "not_traded[].module": "who wished or stopped it",
    **{f"problems[].{key}": NOTICE for key in ("code", "message", "module", "symbol", "head")},
    **{f"warnings[].{key}": NOTICE for key in ("code", "message", "module", "symbol", "head")},
    "data_coverage[].symbol": "an input: whose figure was missing",
    "reproducible": "whether a time limit struck",
    "modules[].count": "how much a module returned",
    "timings[].name": MADE,
    "timings[].seconds": MADE,
    "transport.steps{}": MADE,
    "transport.batches{}": MADE,
    "seed": "an input of the generators",
    "inputs_sha256": "the hash of the inputs, which are not here",
    "verdict.previous": "the verdict that was handed in; only an act changes anything",
    "prices_as_of.quotes": NOT_LATER,
    "prices_as_of.history": NOT_LATER,
    "open_orders[].symbol": "an input; held where the order sells",
    "excluded": "an input; that nothing of it is touched is held",
    "realised_gain.before": "an input; what it leaves of a budget is held",
    "holdings[].name": TRADED,
    "holdings[].currency": TRADED,
    **{f"{part}[].{key}": ORIGIN for part in PRICED for key in ("price_source", "price_unit")},
    **{f"{part}[].price_on": DATED for part in PRICED},
    "kept_out[].name": OWN,
    "kept_out[].currency": "an input; one rate for one currency is held",
    "kept_out[].multiplier": "held in the value; of a future that counts 0 nothing depends on it",
    "kept_out[].product_type": "an input; that it keeps the position out of trading is held",
    **{f"holdings[].{key}": BINDS for key in ("product_type", "allow_buy", "allow_sell")},
    **{f"holdings[].{key}": BINDS for key in ("last_bought", "last_sold")},
    **{f"{part}[].lots[].account": "an input" for part in ("holdings", "steps")},
    "holdings[].lots[].acquired": "an input; seen where it changes which lots are sold",
    "candidates[].currency": "of a security that is neither held nor targeted",
    "candidates[].priority": "0 to 1; it needs the estimates and the calculator's weight",
    "candidates[].sources": WHOSE,
    "candidates[].tags": WHOSE,
    "candidates[].gain": SCORE,
    "proposed_by": WHOSE,
    "score.terms[].off_scale": "on the very end of the scale rounding decides",
    "certificate.selected_by": "which black boxes; that nothing is proven with one is held",
    "certificate.structural_headroom": "at most: an upper bound may be larger",
    "certificate.refined": SCORE,
    "certificate.local_optimum": SEARCHED,
    "certificate.neighbours[].improvement": "at most the plan's; a score needs the estimates",
    "certificate.neighbours[].feasible": "held where it is true: of filters not all is here",
    "certificate.neighbours[].orders[].side": "held where the document lists the security",
    "certificate.neighbours[].orders[].symbol": "held where the document lists the security",
    "certificate.neighbours[].orders[].quantity": "held where the neighbour is feasible",
    **{
        f"certificate.sampled.{key}": DRAWN
        for key in (
            *("seed", "mean", "cvar", "standard_error", "cvar_error"),
            *("hold_mean", "hold_cvar", "lead", "lead_error"),
        )
    },
    **{f"frontier[].{key}": BESIDE for key in ("score", "diversification", "risk", "cost")},
    **{
        f"{part}.steps[].{key}": BESIDE
        for part in ("frontier[]", "outlook.beside[]")
        for key in ("side", "symbol", "quantity")
    },
    "outlook.compared": "how many; at least those that are shown",
    **{
        f"outlook.beside[].{key}": BESIDE
        for key in ("improvement", "eligible", "value", "mean", "cvar")
    },
    "outlook.given_up.won": DRAWN,
    **{
        f"outlook.fan.points[].{key}": DRAWN
        for key in (
            *("p05", "p25", "p50", "p75", "p95"),
            *("hold_p05", "hold_p50", "hold_p95"),
        )
    },
    **{
        f"outlook.fan.{key}": DRAWN
        for key in (
            *("fall_p50", "fall_p95", "loss"),
            *("hold_fall_p50", "hold_fall_p95", "hold_loss"),
        )
    },
    **{f"outlook.shocks[].{key}": DRAWN for key in ("value", "hold", "plan")},
    **{
        f"outlook.horizons[].{key}": SCORE
        for key in ("hold", "plan", "annual_return", "volatility")
    },
    "steps[].tags": WHOSE,
    "steps[].proposed_by": WHOSE,
    "steps[].adds.how": "of a short plan either; what is solved again is not here",
    "steps[].adds.drift_pp": "held where the other orders stay as they are",
    "rules.thresholds.names": "at least what is listed; of the rest nothing is here",
    "certificate.sequences": "how much was done; told in words in scope proposals only",
    "alternatives[].proposed_by": WHOSE,
    "what_if.relaxations[].unit": "where the rule gains nothing, nothing is told per unit",
    "what_if.relaxations[].steps[].side": SOLVED,
    "what_if.relaxations[].steps[].symbol": SOLVED,
    "what_if.relaxations[].steps[].quantity": SOLVED,
    "explanation.stability.mean_regret": SOLVED,
    **{f"explanation.counterfactuals[].{key}": SPAN for key in ("gain_least", "gain_most")},
    **{f"regime.{key}": REGIME for key in ("name", "distance", "observations")},
    "classes[].by_rows": "an input; false is held: then targets follow from the class",
    "drift.absent[].symbol": ABSENT,
    "drift.absent[].why": ABSENT,
    "not_traded[].symbol": STOPPED,
    "not_traded[].side": STOPPED,
    "not_traded[].stage": "where it stopped; held for pauses of buys",
    "not_traded[].rule": "a module's or a step's name for its rule",
    "not_traded[].value": "null says that the rule has no figure",
    "data_coverage[].metric": "an input; null in `used` says that a rule let it pass",
    "data_coverage[].used": "the neutral value is held; null says that a rule let it pass",
    "modules[].error": MODULE,
    "modules[].outcome": MODULE,
}
"""Fields of which some change goes unseen, and why."""

BEYOND: Mapping[str, str] = {
    "what the score terms, gains, adds and priorities are worth": SCORE,
    "what the neighbours of the plan are worth": SCORE,
    "what is drawn, and what the lists beside are worth ahead or under shocks": (
        "both need the estimates; that the choice follows from them is held"
    ),
    "that the bound is one": "a proof is not searched again, only its sums are",
    "what a reason says beside its figures": "it is the calculator's or the filter's own sentence",
    "prices, rates, quantities, targets and dates themselves": (
        "they are inputs; inputs_sha256 is their hash, and the files are not here"
    ),
    "how much of each buy the state of the bucket lets through": (
        "its budget, its high-water mark and its aggression are not here"
    ),
    "that notices, missing figures, stops before the table, runners-up and answers are all there": (
        "the document does not hold what they came from"
    ),
    "improvements and gains of answers": "each was found by solving or scoring again",
    "the order of candidates, terms, parts and the steps of alternatives": "it changes no figure",
    "figures in a reason beyond the digits that it shows": "they are the calculator's own",
    "timings, transport, nodes, seconds, warnings, explanation": (
        "they say how the plan was made, and are not part of its id"
    ),
}
"""What else is not checked."""


def unchecked(reading: Reading) -> list[tuple[str, str]]:
    """(field, why) of every field of the document a change of which may go unseen."""
    unseen = set(reading.unseen())
    fields = [name for name, _, _ in reading.fields() if name in unseen or name in LOOSE]
    listed = [(name, LOOSE.get(name, UNREAD)) for name in fields]
    return [*listed, *((name, UNKNOWN) for name in dict.fromkeys(reading.unknown))]


def in_short(fields: Iterable[str]) -> str:
    """Names of fields on one line: those of one record behind its name."""
    records = groupby(fields, key=lambda field: field.rpartition(".")[0])
    parts = [(record, [name.rpartition(".")[2] for name in names]) for record, names in records]
    return "; ".join(f"{record}: {', '.join(n)}" if record else ", ".join(n) for record, n in parts)
