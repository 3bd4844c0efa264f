"""What to know before trusting the numbers: problems, warnings, missing data, unknown lots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from steelyard.notices import Notice
from steelyard.plans.account import HoldingShown
from steelyard.plans.plan import Plan
from steelyard.portfolio import SPREAD_TYPES
from steelyard.report.exhibits import fold
from steelyard.report.exhibits.words import capital, counted, named, plain_words, sentence
from steelyard.sentences import FORMATS, SPACE

Level = Literal["stop", "warn", "info"]

SECURITIES = "the securities file"
HOLDINGS = "the holdings file"


LEVELS: dict[Level, str] = {"stop": "Problem: ", "warn": "Warning: ", "info": ""}
"""How the notes of each level begin in a terminal."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note: what, then the consequence and how to repair it."""

    level: Level
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A missing metric: its name, the form of its neutral value, where to give it, what follows."""

    name: str
    form: str
    repair: str
    without: str = ""


LONGER = "Give a longer price history."
OVER_SECTORS = "It counts as spread over all sectors present."
OVER_COUNTRIES = "It counts as spread over all countries present."
OF_A_RULE = "The rule that asks for it let it pass."
PASSED_OVER = "Rules that ask for a gain or a loss pass it over."
PASSED = "Rules that ask for it let it pass."
METRICS = {
    "expected_return": Metric(
        "Expected return", "pct", f"Add expected_return to {SECURITIES}, or {LONGER.lower()}"
    ),
    "volatility": Metric("Volatility", "pct", LONGER),
    "drawdown": Metric("Drawdown", "pct", LONGER),
    "correlation": Metric("Correlation", "ratio", LONGER),
    "quality": Metric("Steadiness", "ratio", f"Add quality to {SECURITIES}, or {LONGER.lower()}"),
    "dividend_yield": Metric("Dividend yield", "pct", f"Add dividend_yield to {SECURITIES}."),
    "sector": Metric("Sector", "text", f"Add sector to {SECURITIES}.", OVER_SECTORS),
    "country": Metric("Country", "text", f"Add country to {SECURITIES}.", OVER_COUNTRIES),
    "average_cost": Metric("Cost", "text", f"Add average_cost to {HOLDINGS}.", PASSED_OVER),
    "last_bought": Metric(
        "Date of the last purchase", "text", f"Add last_bought to {HOLDINGS}.", PASSED
    ),
    "last_sold": Metric("Date of the last sale", "text", f"Add last_sold to {HOLDINGS}.", PASSED),
}

MOST_NOTES = 40
"""Notes below the head, problems first; more are counted."""
MOST_FIRST = 5
"""Notes in the head of a plan; the others stand below."""

TITLES = {"strategy": "On the strategy"}
"""Code of a notice -> its title, where its words alone say too little."""


def notes(plan: Plan) -> list[Note]:
    """Problems first, then warnings, unknown lots, exclusions and what data is missing."""
    notices = [
        *(_notice("stop", notice) for notice in plan.problems),
        *(_notice("warn", notice) for notice in plan.warnings),
    ]
    return [*notices, *_unknown_lots(plan), *_excluded(plan), *_coverage(plan)]


def cap_gave_way(plan: Plan, holding: HoldingShown) -> float | None:
    """The cap on a single name, where the target of a holding is over it."""
    cap, spread = plan.rules.limits.max_position_weight, holding.product_type in SPREAD_TYPES
    return cap if holding.target is not None and holding.target > cap and not spread else None


@dataclass(frozen=True, slots=True)
class First:
    """What stands in the head: problems and what was decided about the inputs; `more` are below."""

    notes: tuple[Note, ...]
    more: int


def first(plan: Plan) -> First:
    """The notes of the head, but for what the verdict says in the same words."""
    entries = _first(plan)
    return First(tuple(entries[:MOST_FIRST]), max(0, len(entries) - MOST_FIRST))


def rest(plan: Plan) -> list[Note]:
    """All notes that do not stand in the head."""
    others = [notice for notice in plan.warnings if not notice.head]
    bare = plan.model_copy(update={"problems": (), "warnings": tuple(others)})
    shown, more = fold.first([*_first(plan)[MOST_FIRST:], *notes(bare)], MOST_NOTES)
    hidden = f"{counted(more, 'more note')}: {fold.ALL}."
    return [*shown, *([Note("info", hidden, "")] if more else [])]


def _first(plan: Plan) -> list[Note]:
    problems = (problem for problem in plan.problems if problem.message not in plan.verdict.detail)
    heads = (notice for notice in plan.warnings if notice.head)
    return [
        *(_notice("stop", problem) for problem in problems),
        *(_notice("warn", notice) for notice in heads),
    ]


def _notice(level: Level, notice: Notice) -> Note:
    about = [part for part in (notice.module, notice.symbol) if part and part not in notice.message]
    title = TITLES.get(notice.code, capital(plain_words(notice.code)))
    where = f" ({', '.join(about)})" if about else ""
    return Note(level, f"{title}{where}.", sentence(notice.message))


def _unknown_lots(plan: Plan) -> Iterable[Note]:
    symbols = sorted({step.symbol for step in plan.steps for lot in step.lots if lot.gain is None})
    if symbols:
        title = f"The gain on {named(symbols)} is not known."
        text = "The cost of a lot that is sold is not on file, so no tax can be worked out."
        yield Note("warn", title, f"{text} Add average_cost to {HOLDINGS}.")


def _excluded(plan: Plan) -> Iterable[Note]:
    if plan.excluded:
        title = f"{counted(len(plan.excluded), 'security', 'securities')} left out on request."
        them = "it" if len(plan.excluded) == 1 else "them"
        without = f"{named(plan.excluded)}: value, weights and cash are without {them}."
        yield Note("warn", title, without)


def _coverage(plan: Plan) -> Iterable[Note]:
    """One note per metric and neutral value."""
    groups: dict[tuple[str, float | None], set[str]] = {}
    for entry in plan.data_coverage:
        groups.setdefault((entry.metric, entry.used), set()).add(entry.symbol)
    for name, used in sorted(groups, key=lambda key: (key[0], key[1] or 0.0)):
        other = Metric(capital(plain_words(name)), "ratio", "", OF_A_RULE)
        metric, symbols = METRICS.get(name, other), sorted(groups[name, used])
        title = f"{metric.name} is unknown for {_of(symbols)}."
        stands = metric.without
        if used is not None and metric.form != "text":
            stands = f"{FORMATS[metric.form](used)} stands in."
        who = f" {named(symbols)}." if len(symbols) > 1 else ""
        yield Note("info", title, f"{stands}{who} {metric.repair}".strip())


def _of(symbols: list[str]) -> str:
    return symbols[0] if len(symbols) == 1 else f"{len(symbols):,d}{SPACE}securities"
