"""What the plan was chosen by besides the score of today: paths, shocks, horizons, and the lists
that were compared. Numbers of every chart stand in a table too, which the terminal shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from steelyard.planning.mode_words import chosen_by
from steelyard.plans.outlook import Compared, Fan, FanPoint, Outlook, Sampled
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.alternatives import SAME_ORDERS, Tick, trades
from steelyard.report.exhibits.frontier import Frontier, frontier
from steelyard.report.exhibits.plot import (
    Axis,
    Label,
    Plot,
    Spot,
    apart,
    area,
    brief,
    stroke,
)
from steelyard.report.exhibits.scale import WHOLE
from steelyard.report.exhibits.words import capital, counted, lower
from steelyard.report.exhibits.worth import near
from steelyard.sentences import FORMATS, SPACE, money, percent, points, signed

HOLD = "hold"
HEIGHT, LOW = 264.0, 190.0
"""Of the fan, and of the smaller charts, px."""
MONTHS, DAYS = 12, 365
HALF = 0.5
MOST_ENDS = 4
WHOLE_YEARS = 2
PATHS = (
    "Paths multiply today’s holdings by what the estimates of returns and risk say, costs paid at "
    "the start; nothing is traded on the way, and cash earns the risk-free rate. What the plan "
    "leaves out is not in them. Falls are between {dates} dates on the way: one that is made up "
    "for before the next is not seen. Calculated, and no forecast."
)
SHOCKED = (
    "Every security moves by its beta with the market, and by a draw of its own; quantities stay, "
    "and buys that cash cannot pay at those prices shrink. Value is of what is owned today."
)
AHEAD = (
    "Holdings grow as expected, and what sets a return apart from the others fades by half in two "
    "years; costs are spread over the horizon. Calculated from the estimates, and no forecast."
)
OF_SUM = "Sum: the weighed objectives, each from 0, the worst of the frontier, to 100, the best."


@dataclass(frozen=True, slots=True)
class Head:
    """Head of a column; the highest `drop` leaves a narrow window first, 0 stays."""

    text: str
    drop: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A row: cells, what stands under it; is it the plan's, is it one that a reader looks for?"""

    cells: tuple[str, ...]
    note: str = ""
    own: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: the first column is words, the others are numbers."""

    caption: str
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Ahead:
    """The exhibit.

    rule       what the plan was chosen by
    sentences  how it was chosen, how sure that is, what it gives up
    plot       the fan, or lines of plan and hold; None of a frontier
    figures    the numbers of the plot
    lists      what was compared
    """

    heading: str
    rule: str
    sentences: tuple[str, ...]
    plot: Plot | None
    figures: tuple[Grid, ...]
    frontier: Frontier | None
    lists: Grid
    more: str
    values: str
    fine: str


def outlook(plan: Plan) -> Ahead | None:
    """The exhibit of a plan; None where the score of today alone decides."""
    shown = plan.outlook
    if shown is None:
        return None
    draws, currency = plan.certificate.sampled, plan.base_currency
    words = chosen_by(shown, plan.certificate, len(plan.frontier), currency)
    plot, figures, fine = _of_mode(plan, shown, draws)
    others = shown.compared - len(shown.beside)
    return Ahead(
        heading=_heading(plan, shown),
        rule=plan.choice_rule or "",
        sentences=tuple(sentence.text for sentence in words),
        plot=plot,
        figures=tuple(figures),
        frontier=frontier(plan),
        lists=_lists(plan, shown),
        more=f"and {lower(counted(others, 'other'))} of lower value" if others > 0 else "",
        values=_values(plan, shown),
        fine=fine,
    )


def _values(plan: Plan, shown: Outlook) -> str:
    """What the lists are ordered by."""
    today = "Today: net of charges over hold, by the score of today."
    if plan.frontier:
        return f"{OF_SUM} {today}"
    if shown.horizons:
        return f"Value: the score ahead, weighed by horizon. {today}"
    weighs = plan.strategy.settings.get("evaluation", {})
    tail = weighs["tail_weight"] if isinstance(weighs, dict) else 0.0
    shares = f"{percent(1 - tail)}{SPACE}% of the mean and {percent(tail)}{SPACE}% of the CVaR"
    return f"Value: {shares}. {today}"


def _of_mode(
    plan: Plan, shown: Outlook, draws: Sampled | None
) -> tuple[Plot | None, list[Grid], str]:
    """Chart, tables and small print."""
    if shown.fan is not None and draws is not None:
        plot = _fan_plot(plan, shown.fan, draws)
        fine = PATHS.format(dates=len(shown.fan.points))
        return plot, [_ends(plan, shown.fan), _sureness(shown.fan, draws)], fine
    if shown.shocks and draws is not None:
        return _shock_plot(shown), [_shocks(plan, shown), _of_shocks(draws)], SHOCKED
    if shown.horizons:
        return _horizon_plot(shown), [_horizons(shown)], AHEAD
    return None, [], ""


def _heading(plan: Plan, shown: Outlook) -> str:
    draws = plan.certificate.sampled
    if shown.fan is not None and draws is not None:
        return f"Where {draws.paths:,d} paths lead"
    if shown.shocks:
        return f"Under {lower(counted(len(shown.shocks), 'move'))} of the market"
    if shown.horizons:
        return f"{counted(len(shown.horizons), 'horizon')} ahead"
    return f"A frontier of {lower(counted(len(plan.frontier), 'list'))}"


def paragraphs(plan: Plan, ahead: Ahead | None) -> list[str]:
    """What the verdict says in detail: how the plan was chosen stands by itself."""
    detail = plan.verdict.detail
    begins = ahead.sentences[0] if ahead is not None else ""
    first, sentence, rest = detail.partition(begins) if begins else (detail, "", "")
    return [part for part in (first.strip(), (sentence + rest).strip()) if part]


def span(years: float) -> str:
    """`6 months`, `1 year`, `2.5 years`; 0 is today.

    >>> span(0.0), span(0.5), span(1.0)
    ('today', '6\\xa0months', '1\\xa0year')
    """
    if not years:
        return "today"
    if years >= 1:
        return FORMATS["years"](years)
    months = MONTHS * years
    if months < 1:
        return f"{DAYS * years:.3g}{SPACE}days"
    return f"{months:.3g}{SPACE}month" + ("" if months == 1 else "s")


def _fan_plot(plan: Plan, fan: Fan, draws: Sampled) -> Plot:
    ends = [float(p.p05) for p in fan.points] + [float(p.p95) for p in fan.points]
    ends += [float(p.hold_p05) for p in fan.points] + [float(p.hold_p95) for p in fan.points]
    axis, last = Axis.over(ends, HEIGHT), fan.points[-1]

    def line(name: str) -> list[Spot]:
        spots = ((p.years / last.years, float(getattr(p, name))) for p in fan.points)
        return [(WHOLE * x, axis.y(value)) for x, value in spots]

    ends_of = {"p95": "plan 95 %", "p50": "plan", "p05": "plan 5 %"}
    labels = [Label(line(name)[-1][1], text, "plan") for name, text in ends_of.items()]
    labels += [
        Label(line(f"hold_{name}")[-1][1], text.replace("plan", HOLD), "hold")
        for name, text in ends_of.items()
    ]
    strokes = [stroke("plan-edge", line(name)) for name in ("p05", "p95")]
    strokes += [stroke("hold-edge", line(name)) for name in ("hold_p05", "hold_p95")]
    strokes += [stroke("hold", line("hold_p50")), stroke("plan", line("p50"))]
    over = span(last.years)
    base = plan.base_currency
    return Plot(
        height=HEIGHT,
        left=12.5,
        right=19.5,
        areas=(
            area("fan-wide", line("p05"), line("p95")),
            area("fan-mid", line("p25"), line("p75")),
        ),
        strokes=tuple(strokes),
        labels=apart(labels, HEIGHT),
        upwards=tuple(Tick(axis.y(mark), brief(mark)) for mark in axis.ticks()),
        across=tuple(Tick(WHOLE * share, span(share * last.years)) for share in (0.0, HALF, 1.0)),
        title=f"Value, {base}",
        name=f"Value of plan and hold on {draws.paths:,d} paths of {over}",
        description=(
            f"From {money(fan.points[0].p50, 0)} {base} today; after {over} nine of ten paths of "
            f"the plan end between {money(last.p05, 0)} and {money(last.p95, 0)}, half under "
            f"{money(last.p50, 0)}; of hold between {money(last.hold_p05, 0)} and "
            f"{money(last.hold_p95, 0)}, half under {money(last.hold_p50, 0)}. "
            "The table beneath has the figures."
        ),
    )


def _ends(plan: Plan, fan: Fan) -> Grid:
    """What plan and hold are worth on the way, in quantiles."""
    heads = (
        *(Head(text) for text in ("", "1 in 20 under")),
        Head("1 in 4 under", 2), Head("half under"), Head("1 in 4 over", 2), Head("1 in 20 over"),
        Head("hold, 1 in 20 under", 1), Head("hold, half", 3), Head("hold, 1 in 20 over", 3),
    )  # fmt: skip
    return Grid(
        f"Value of the plan on the paths, {plan.base_currency}",
        heads,
        tuple(
            Line((
                name,
                *(
                    money(amount, 0)
                    for amount in (
                        p.p05, p.p25, p.p50, p.p75, p.p95, p.hold_p05, p.hold_p50, p.hold_p95,
                    )
                ),
            ))
            for name, p in ends_of(fan)
        ),
    )  # fmt: skip


def ends_of(fan: Fan) -> list[tuple[str, FanPoint]]:
    """Four points of the way or fewer, the last of them its end, with their names."""
    rows, last = fan.points[1:], fan.points[-1]
    step = max(1.0, math.ceil(last.years / MOST_ENDS)) if last.years >= WHOLE_YEARS else 0.0
    step = step or last.years / MOST_ENDS
    targets = [step * n for n in range(1, MOST_ENDS) if step * n < last.years - step / 2]
    near = [min(rows, key=lambda point: abs(point.years - years)) for years in targets]
    some = [point for point in dict.fromkeys(near) if point is not last]
    return [(capital(span(point.years)), point) for point in (*some, last)]


def _sureness(fan: Fan, draws: Sampled) -> Grid:
    """Risk on the way, and the scores with their errors."""
    tail = f"{percent(draws.tail)}{SPACE}%"
    lines = (
        ("Paths that end lower than today, %", percent(fan.loss), percent(fan.hold_loss), ""),
        ("Deepest fall on the way: half of the paths over, %", percent(fan.fall_p50),
         percent(fan.hold_fall_p50), ""),
        ("Deepest fall on the way: 1 in 20 over, %", percent(fan.fall_p95),
         percent(fan.hold_fall_p95), ""),
        ("Score as it comes out, mean, points", points(draws.mean), points(draws.hold_mean),
         error(draws.standard_error)),
        (f"Score in the worst {tail} (CVaR), points", points(draws.cvar), points(draws.hold_cvar),
         error(draws.cvar_error)),
    )  # fmt: skip
    heads = (Head(""), Head("Plan"), Head("Hold"), Head("Standard error", 2))
    return Grid("Risk on the paths, and how sure the scores are", heads, tuple(map(Line, lines)))


def error(score: float) -> str:
    """A standard error in points, with as many decimals as it takes not to read 0."""
    return near(score).lstrip("+")


def _pair(
    shown: tuple[Sequence[float], Sequence[float], Sequence[float]],
    words: tuple[str, str, str],
    ticks: Iterable[Tick],
) -> Plot:
    """Two lines of scores: hold, then the plan.

    shown   where each stands, percent of the plot; scores of hold, of the plan
    words   over the axis, title, description
    """
    at, hold, own = shown
    axis = Axis.over([100 * score for score in (*hold, *own)], LOW)
    spots = [
        [(x, axis.y(100 * score)) for x, score in zip(at, scores, strict=True)]
        for scores in (hold, own)
    ]
    labels = [Label(spots[1][-1][1], "plan", "plan"), Label(spots[0][-1][1], HOLD, "hold")]
    return Plot(
        height=LOW,
        left=9.0,
        right=11.0,
        areas=(),
        strokes=(stroke("hold", spots[0]), stroke("plan", spots[1])),
        labels=apart(labels, LOW),
        upwards=tuple(Tick(axis.y(mark), f"{mark:g}") for mark in axis.ticks()),
        across=tuple(ticks),
        title=words[0],
        name=words[1],
        description=words[2],
    )


def _shock_plot(shown: Outlook) -> Plot:
    moves = [shock.shift for shock in shown.shocks]
    low, high = min(moves), max(moves)
    at = [WHOLE * (move - low) / ((high - low) or 1.0) for move in moves]
    ticks = [Tick(x, f"{signed(move, 0)}{SPACE}%") for x, move in zip(at, moves, strict=True)]
    own, hold = [shock.plan for shock in shown.shocks], [shock.hold for shock in shown.shocks]
    order = sorted(range(len(moves)), key=lambda n: moves[n])
    description = (
        f"The plan’s score is between {points(min(own))} and {points(max(own))} points over the "
        f"moves, hold’s between {points(min(hold))} and {points(max(hold))}. The table beneath "
        "has the figures."
    )
    return _pair(
        ([at[n] for n in order], [hold[n] for n in order], [own[n] for n in order]),
        ("Score, points, by move of the market", "Score of plan and hold by move", description),
        _thinned(ticks),
    )


def _thinned(ticks: Iterable[Tick], least: float = 14.0) -> Iterator[Tick]:
    """Those that do not stand in the one before."""
    last = -least
    for tick in sorted(ticks, key=lambda tick: tick.at):
        if tick.at - last >= least:
            last = tick.at
            yield tick


def _shocks(plan: Plan, shown: Outlook) -> Grid:
    heads = (
        Head("Market"), Head(f"Value after, {plan.base_currency}"), Head("Hold, points"),
        Head("Plan, points"), Head("Plan ahead", 1),
    )  # fmt: skip
    lines = (
        Line((
            f"{signed(shock.shift, 1)}{SPACE}%", money(shock.value, 0), points(shock.hold),
            points(shock.plan), near(shock.plan - shock.hold),
        ))
        for shock in shown.shocks
    )  # fmt: skip
    return Grid("Score of hold and plan by move of the market", heads, tuple(lines))


def _of_shocks(draws: Sampled) -> Grid:
    """The scores over all shocks, with their errors."""
    tail = f"{percent(draws.tail)}{SPACE}%"
    lines = (
        ("Score over all, mean, points", points(draws.hold_mean), points(draws.mean),
         error(draws.standard_error)),
        (f"Score in the worst {tail} (CVaR), points", points(draws.hold_cvar), points(draws.cvar),
         error(draws.cvar_error)),
    )  # fmt: skip
    heads = (Head(""), Head("Hold"), Head("Plan"), Head("Standard error", 2))
    return Grid("The scores over all shocks, and how sure they are", heads, tuple(map(Line, lines)))


def _horizon_plot(shown: Outlook) -> Plot:
    years = [horizon.years for horizon in shown.horizons]
    last = max(years)
    at = [WHOLE * year / last for year in years]
    own = [horizon.plan for horizon in shown.horizons]
    hold = [horizon.hold for horizon in shown.horizons]
    description = "; ".join(
        f"{span(year)}: plan {points(a)}, hold {points(b)}"
        for year, a, b in zip(years, own, hold, strict=True)
    )
    ticks = _thinned(Tick(x, span(year)) for x, year in zip(at, years, strict=True))
    words = ("Score ahead, points", "Score of plan and hold by horizon", f"{description}.")
    return _pair((at, hold, own), words, ticks)


def _horizons(shown: Outlook) -> Grid:
    heads = (
        Head("Years ahead"), Head("Counts, %", 2), Head("Hold, points"), Head("Plan, points"),
        Head("Plan ahead", 3), Head("Return a year, %"), Head("Volatility, %", 1),
    )  # fmt: skip
    lines = (
        Line((
            capital(span(h.years)), percent(h.share), points(h.hold), points(h.plan),
            near(h.plan - h.hold), percent(h.annual_return), percent(h.volatility),
        ))
        for h in shown.horizons
    )  # fmt: skip
    return Grid("Scores and expected growth by horizon", heads, tuple(lines))


def _lists(plan: Plan, shown: Outlook) -> Grid:
    """What was compared, best first."""
    draws = plan.certificate.sampled is not None
    value = "Sum" if plan.frontier else "Value"
    heads = [Head("List"), Head("Orders", 1), Head("Today, points"), Head(value)]
    heads += [Head("Mean", 3), Head("CVaR", 2)] if draws else []
    return Grid(
        "The lists that were compared, best first",
        tuple(heads),
        tuple(_list(plan, shown, other) for other in shown.beside),
    )


def _list(plan: Plan, shown: Outlook, other: Compared) -> Line:
    by_score = max(
        (o for o in shown.beside if o.eligible), key=lambda o: o.improvement, default=None
    )
    cells = [
        _name(plan, other),
        f"{len(other.steps)}",
        signed(other.improvement, 2),
        "" if other.value is None else points(other.value),
    ]
    if other.mean is not None and other.cvar is not None:
        cells += [points(other.mean), points(other.cvar)]
    notes = [] if other.chosen or not other.steps else [trades(plan, other.steps)]
    notes += ["not worth it by the score of today"] * (not other.eligible and bool(other.steps))
    notes += ["not on the frontier"] * (other.value is None)
    best = by_score is not None and other is by_score
    notes = ["the best by the score of today"] * best + [n for n in notes if n != SAME_ORDERS]
    return Line(tuple(cells), "; ".join(notes), other.chosen, named=best or other.name == HOLD)


def _name(plan: Plan, other: Compared) -> str:
    if other.chosen:
        return "This plan" if plan.steps else "This plan: hold"
    return "Hold" if other.name == HOLD else other.name.replace("_", " ").capitalize()
