"""What was not traded, and why: a row per security that stays, the rest as lists by rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from steelyard.notices import Stage
from steelyard.orders import Side
from steelyard.plans.orders import NotTraded
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.words import by_rule, capital, counted, named, plain_words

ROWS = 40
"""Rows drawn; the rest goes where the other sizes and sides are."""
SYMBOLS = 12
"""Symbols named in one drawn row; the lists below name all."""
TELLING: tuple[Stage, ...] = ("input", "filter", "search", "sizing", "plan", "opportunity")
"""What is said first: what was barred, then what lost, last what was never proposed."""


@dataclass(frozen=True, slots=True)
class Row:
    """Securities that a rule stopped with one sentence; numbers are text in the rule's unit.

    members   those that `symbols` names; `more` are only counted
    """

    symbols: str
    members: tuple[str, ...]
    more: int
    name: str
    side: Side | None
    stage: str
    rule: str
    value: str
    limit: str
    margin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remainder:
    """All other entries of one rule and side, each with its margin."""

    stage: str
    rule: str
    side: Side | None
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The exhibit; `merged` counts the entries that live on inside another order."""

    rows: tuple[Row, ...]
    rest: tuple[Remainder, ...]
    rest_count: int
    merged: int
    heading: str


def stopped(plan: Plan) -> Stopped:
    """The exhibit of a plan; entries merged into another order are counted and not listed."""
    entries = [entry for entry in plan.not_traded if entry.stage != "merge"]
    nearest = _nearest(plan, entries)
    names = {holding.symbol: holding.name for holding in plan.holdings}
    grouped: dict[tuple[str, str, Side | None, str], list[NotTraded]] = {}
    for entry in nearest:
        grouped.setdefault((entry.stage, entry.rule, entry.side, entry.reason), []).append(entry)
    groups = list(grouped.values())
    shown = {id(entry) for group in groups[:ROWS] for entry in group[:SYMBOLS]}
    rest = [entry for entry in entries if id(entry) not in shown]
    return Stopped(
        rows=tuple(_row(group, names) for group in groups[:ROWS]),
        rest=tuple(_rest(rest)),
        rest_count=len(rest),
        merged=len(plan.not_traded) - len(entries),
        heading=_heading(len(nearest)),
    )


def _nearest(plan: Plan, entries: Iterable[NotTraded]) -> list[NotTraded]:
    """Of each security not traded, the entry that tells most: the best candidate's first."""
    traded = {step.symbol for step in plan.steps}
    gains = {candidate.id: candidate.gain for candidate in plan.candidates}

    def rank(entry: NotTraded) -> tuple[int, float, str, str]:
        gain = gains.get(entry.candidate or "", 0.0)
        return TELLING.index(entry.stage), -gain, entry.symbol, entry.rule

    first: dict[str, NotTraded] = {}
    for entry in sorted((entry for entry in entries if entry.symbol not in traded), key=rank):
        first.setdefault(entry.symbol, entry)
    return list(first.values())


def _row(group: Sequence[NotTraded], names: dict[str, str]) -> Row:
    first = group[0]
    return Row(
        symbols=named([entry.symbol for entry in group], SYMBOLS),
        members=tuple(entry.symbol for entry in group[:SYMBOLS]),
        more=max(0, len(group) - SYMBOLS),
        name=names.get(first.symbol, "") if len(group) == 1 else "",
        side=first.side,
        stage=capital(first.stage),
        rule=plain_words(first.rule),
        value=_alike(_number(entry, entry.value) for entry in group),
        limit=_alike(_number(entry, entry.limit) for entry in group),
        margin=_alike(
            by_rule(entry.rule, entry.margin, stage=entry.stage, margin=True) for entry in group
        ),
        reason=first.reason,
    )


def _number(entry: NotTraded, value: float | None) -> str:
    return by_rule(entry.rule, value, stage=entry.stage)


def _margin(entry: NotTraded) -> str:
    return by_rule(entry.rule, entry.margin, stage=entry.stage, margin=True)


def _alike(texts: Iterable[str]) -> str:
    different = list(dict.fromkeys(texts))
    return different[0] if len(different) == 1 else f"{different[0]} and others"


def _rest(entries: Iterable[NotTraded]) -> Iterable[Remainder]:
    by_kind: dict[tuple[Stage, str, Side | None], list[NotTraded]] = {}
    for entry in entries:
        by_kind.setdefault((entry.stage, entry.rule, entry.side), []).append(entry)
    for kind in sorted(by_kind, key=lambda kind: (kind[0], kind[1], kind[2] or "")):
        stage, rule, side = kind
        by_symbol: dict[str, list[str]] = {}
        for entry in by_kind[kind]:
            by_symbol.setdefault(entry.symbol, []).append(_margin(entry))
        text = "; ".join(_told(symbol, margins) for symbol, margins in sorted(by_symbol.items()))
        yield Remainder(capital(stage), plain_words(rule), side, len(by_kind[kind]), text)


def _told(symbol: str, margins: Sequence[str]) -> str:
    distances = list(dict.fromkeys(margin for margin in margins if margin))
    if not distances:
        return symbol if len(margins) == 1 else f"{symbol} ({len(margins)} sizes)"
    return f"{symbol} {', '.join(distances)}"


def _heading(count: int) -> str:
    if not count:
        return "Nothing else was asked for"
    return f"{capital(counted(count, 'security', 'securities'))} not traded, and why"
