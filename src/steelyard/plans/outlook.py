"""The document: what was looked at besides the score of today, where a strategy asks for it.

`sampled` stands in the certificate: what was drawn at random, and how far that can be trusted. The
rest is the outlook: the plan beside the other lists, along time, over shocks, and the frontier.
"""

from __future__ import annotations

from pydantic import Field

from steelyard.canonical import Amount, Number, Record
from steelyard.plans.orders import AlternativeStep
from steelyard.settings import Mode


class Sampled(Record):
    """What was drawn. Scores are as they turned out, less what the orders are charged.

    paths           scenarios drawn, in antithetic pairs
    seed            of the draws, from the inputs of the plan
    mean            of the plan's scores
    cvar            mean of the worst `tail` of them
    standard_error  of `mean`, and `cvar_error` of `cvar`
    lead            value of the plan over that of the next list, by the same draws; null where
                    nothing else was compared
    lead_error      its standard error: a lead of under two of them may be chance
    """

    paths: int
    seed: int
    mean: Number
    cvar: Number
    standard_error: Number
    cvar_error: Number
    tail: Number
    hold_mean: Number
    hold_cvar: Number
    lead: Number | None
    lead_error: Number | None


class FrontierPoint(Record):
    """A list that no other beats in all four.

    score            of the end state, before charges
    diversification  its term, unclipped; without one, less the sum of squared weights
    risk             volatility a year: less is better
    cost             of value: less is better
    """

    steps: tuple[AlternativeStep, ...]
    score: Number
    diversification: Number
    risk: Number
    cost: Number
    chosen: bool


class Compared(Record):
    """One of the lists that were compared: the best, the plan, hold, and the best by the score.

    improvement   by the score of today, net
    eligible      may it be the plan? A frontier shows lists too that are not worth it
    value         what the lists are ordered by; null for a list that is not on the frontier
    mean, cvar    null unless sampled
    """

    name: str
    steps: tuple[AlternativeStep, ...]
    improvement: Number
    eligible: bool
    value: Number | None
    mean: Number | None
    cvar: Number | None
    chosen: bool


class FanPoint(Record):
    """What the plan is worth so far ahead, in quantiles over the paths, base currency of today."""

    years: Number
    p05: Amount
    p25: Amount
    p50: Amount
    p75: Amount
    p95: Amount
    hold_p05: Amount
    hold_p50: Amount
    hold_p95: Amount


class Fan(Record):
    """The paths: value ahead, and the worst falls from a high on the way.

    fall_p50, fall_p95   deepest fall of a path, as a fraction: of half of them, of one in twenty
    loss                 share of the paths that end under what is owned today
    """

    points: tuple[FanPoint, ...]
    fall_p50: Number
    fall_p95: Number
    hold_fall_p50: Number
    hold_fall_p95: Number
    loss: Number
    hold_loss: Number


class ShockShown(Record):
    """The whole market moved at once; scores are means over the draws, less charges.

    value   of what is owned after the move, mean over the draws, base currency
    """

    shift: Number
    value: Amount
    hold: Number
    plan: Number


class HorizonShown(Record):
    """So many years ahead: scores, less charges spread over the horizon.

    share         of the choice
    annual_return expected, of the plan, a year over the horizon
    volatility    of that yearly return
    """

    years: Number
    share: Number
    hold: Number
    plan: Number
    annual_return: Number
    volatility: Number


class GivenUp(Record):
    """What the plan gives up of the score of today, and what it wins for it.

    points          improvement of the best list by that score which may be the plan, less the
                    plan's, x 100
    base_per_year   the same as money a year; null where nothing says what a point is worth
    won             value of the plan less that list's; null where that is not on the frontier
    """

    points: Number
    base_per_year: Amount | None
    won: Number | None


class Outlook(Record):
    """What the plan was chosen by besides the score of today.

    compared   lists that were compared, hold among them
    beside     the best of them
    given_up   null where the plan is the best by the score of today too
    """

    mode: Mode
    compared: int
    beside: tuple[Compared, ...]
    given_up: GivenUp | None
    fan: Fan | None = Field(description="monte_carlo alone")
    shocks: tuple[ShockShown, ...] = Field(description="stochastic alone, by move")
    horizons: tuple[HorizonShown, ...] = Field(description="multi_timeframe alone, by years")
