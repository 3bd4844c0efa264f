"""What to know before trusting the numbers: problems, warnings, missing data, unknown lots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from steelyard.notices import Notice
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.words import capital, counted, named, plain_words, sentence
from steelyard.sentences import FORMATS, SPACE

Level = Literal["stop", "warn", "info"]

SECURITIES = "the securities file"
HOLDINGS = "the holdings file"


@dataclass(frozen=True, slots=True)
class Note:
    """One note: what, then the consequence and how to repair it."""

    level: Level
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A missing metric: its name, the form of its neutral value, what follows, where to give it."""

    name: str
    form: str
    without: str
    repair: str


METRICS = {
    "expected_return": Metric("Expected return", "pct", "", "Give a longer price history."),
    "volatility": Metric("Volatility", "pct", "", "Give a longer price history."),
    "drawdown": Metric("Drawdown", "pct", "", "Give a longer price history."),
    "correlation": Metric("Correlation", "ratio", "", "Give a longer price history."),
    "quality": Metric(
        "Quality", "ratio", "", f"Add quality to {SECURITIES}, or give a longer price history."
    ),
    "dividend_yield": Metric("Dividend yield", "pct", "", f"Add dividend_yield to {SECURITIES}."),
    "sector": Metric(
        "Sector",
        "text",
        "It counts as spread over all sectors present.",
        f"Add sector to {SECURITIES}.",
    ),
    "country": Metric(
        "Country",
        "text",
        "It counts as spread over all countries present.",
        f"Add country to {SECURITIES}.",
    ),
    "average_cost": Metric(
        "Cost",
        "text",
        "Rules that ask for a gain or a loss pass it over.",
        f"Add average_cost to {HOLDINGS}.",
    ),
    "last_bought": Metric(
        "Date of the last purchase",
        "text",
        "Rules that ask for it let it pass.",
        f"Add last_bought to {HOLDINGS}.",
    ),
    "last_sold": Metric(
        "Date of the last sale",
        "text",
        "Rules that ask for it let it pass.",
        f"Add last_sold to {HOLDINGS}.",
    ),
}

TITLES = {"strategy": "On the strategy"}
"""Code of a notice -> its title, where its words alone say too little."""


def notes(plan: Plan) -> list[Note]:
    """Problems first, then warnings, unknown lots, exclusions and what data is missing."""
    notices = [
        *(_notice("stop", notice) for notice in plan.problems),
        *(_notice("warn", notice) for notice in plan.warnings),
    ]
    return [*notices, *_unknown_lots(plan), *_excluded(plan), *_coverage(plan)]


def _notice(level: Level, notice: Notice) -> Note:
    about = [part for part in (notice.module, notice.symbol) if part and part not in notice.message]
    title = (
        TITLES.get(notice.code, capital(plain_words(notice.code)))
        + (f" ({', '.join(about)})" if about else "")
        + "."
    )
    return Note(level, title, sentence(notice.message))


def _unknown_lots(plan: Plan) -> Iterable[Note]:
    symbols = sorted({step.symbol for step in plan.steps for lot in step.lots if lot.gain is None})
    if symbols:
        title = f"The gain on {named(symbols)} is not known."
        yield Note(
            "warn",
            title,
            "The cost of a lot that is sold is not on file, so no tax can be worked out. Add "
            f"average_cost to {HOLDINGS}.",
        )


def _excluded(plan: Plan) -> Iterable[Note]:
    if plan.excluded:
        title = f"{counted(len(plan.excluded), 'security', 'securities')} left out on request."
        yield Note(
            "warn",
            title,
            f"{named(plan.excluded)}: value, weights and cash are without "
            f"{'it' if len(plan.excluded) == 1 else 'them'}.",
        )


def _coverage(plan: Plan) -> Iterable[Note]:
    """One note per metric and neutral value."""
    groups: dict[tuple[str, float | None], list[str]] = {}
    for entry in plan.data_coverage:
        groups.setdefault((entry.metric, entry.used), []).append(entry.symbol)
    for (name, used), symbols in sorted(
        groups.items(), key=lambda item: (item[0][0], item[0][1] or 0.0)
    ):
        metric = METRICS.get(
            name,
            Metric(
                capital(plain_words(name)), "ratio", "The rule that asks for it let it pass.", ""
            ),
        )
        unique = sorted(set(symbols))
        title = f"{metric.name} is unknown for {_of(unique)}."
        stands = (
            f"{FORMATS[metric.form](used)} stands in."
            if used is not None and metric.form != "text"
            else metric.without
        )
        who = f" {named(unique)}." if len(unique) > 1 else ""
        yield Note("info", title, f"{stands}{who} {metric.repair}".strip())


def _of(symbols: list[str]) -> str:
    return symbols[0] if len(symbols) == 1 else f"{len(symbols):,d}{SPACE}securities"
