"""One symbol: what is done with it, every test that it met in order, what would change that.

The ledger is that of the order, else of the candidate that came furthest; see `gates`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from steelyard.orders import Side
from steelyard.plans.account import HoldingShown
from steelyard.plans.orders import CandidateShown, NotTraded, Step
from steelyard.plans.plan import Plan
from steelyard.report.exhibits import neighbours
from steelyard.report.exhibits.classes import why_member
from steelyard.report.exhibits.gates import HEADS, ORDER, Gate, furthest, gates, holding_of
from steelyard.report.exhibits.notes import Note, cap_gave_way
from steelyard.report.exhibits.notes import notes as all_notes
from steelyard.report.exhibits.words import by_rule, capital, named, plain_words, price
from steelyard.sentences import money, percent, quantity, signed

MOST_SOURCES = 3


@dataclass(frozen=True, slots=True)
class Ended:
    """A candidate or a wish of the symbol, and where it ended; empty texts are not known."""

    name: str
    side: Side | None
    quantity: str
    amount: str
    gain: str
    by: str
    at: str
    margin: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Why:
    """The exhibit.

    verdict   `Sell 249.`, `Kept as it is.`, `Not held, not bought.`
    said      the order in a sentence, else why there is none
    facts     what is owned, in sentences
    would     what would change it
    ended     every candidate
    """

    symbol: str
    name: str
    step: Step | None
    verdict: str
    said: str
    facts: tuple[str, ...]
    gates: tuple[Gate, ...]
    would: tuple[str, ...]
    ended: tuple[Ended, ...]
    notes: tuple[Note, ...]


def why(plan: Plan, symbol: str) -> Why:
    """The exhibit of a symbol as the plan spells it."""
    holding, step = holding_of(plan, symbol), plan.step(symbol)
    stop = None if step is not None else furthest(plan, symbol)
    name = holding.name if holding is not None and holding.name != symbol else ""
    return Why(
        symbol=symbol,
        name=name,
        step=step,
        verdict=verdict(plan, symbol),
        said=step.narrative if step is not None else "" if stop is None else stop.reason,
        facts=tuple(facts(plan, symbol)),
        gates=tuple(gates(plan, symbol, step, stop)),
        would=tuple(_would(plan, symbol)),
        ended=tuple(_ended(plan, symbol)),
        notes=tuple(notes(plan, symbol)),
    )


def verdict(plan: Plan, symbol: str) -> str:
    """What is done with a symbol."""
    step, holding = plan.step(symbol), holding_of(plan, symbol)
    if step is not None:
        return f"{step.side.capitalize()} {quantity(step.quantity)}."
    kept_out = any(position.symbol == symbol for position in plan.kept_out)
    stays = holding is not None and holding.quantity
    return "Kept as it is." if stays or kept_out else "Not held, not bought."


def facts(plan: Plan, symbol: str) -> Iterator[str]:
    """What is owned of a symbol and what it shall be, in sentences."""
    holding = holding_of(plan, symbol)
    if holding is not None:
        yield _owned(holding)
        if in_class := why_member(plan, holding):
            yield in_class
        if (cap := cap_gave_way(plan, holding)) is not None:
            yield f"The cap of {percent(cap)} % on a single name gave way to its target."
    for position in plan.kept_out:
        if position.symbol == symbol:
            worth = f"{money(position.value)} {plan.base_currency}"
            share = f"{percent(position.weight)} % of value"
            yield f"{quantity(position.quantity)} held, worth {worth}, {share}, not traded."
    for target in plan.drift.absent:
        if target.symbol == symbol:
            yield f"Target {percent(target.target)} % of value; {target.why}."


def notes(plan: Plan, symbol: str) -> list[Note]:
    """What is to be known of the data of a symbol."""
    own = {
        part: tuple(entry for entry in getattr(plan, part) if entry.symbol == symbol)
        for part in ("problems", "warnings", "data_coverage", "steps")
    }
    return all_notes(plan.model_copy(update={**own, "excluded": ()}))


def _owned(holding: HoldingShown) -> str:
    quoted = f"{price(holding.price)} {holding.currency}"
    target = "no target" if holding.target is None else f"target {percent(holding.target)} %"
    if holding.band is not None:
        target += f", band {percent(holding.band[0])} to {percent(holding.band[1])} %"
    weight = f"{percent(holding.weight)} % of value"
    return f"{quantity(holding.quantity)} held, {quoted}, {weight}, {target}."


def _would(plan: Plan, symbol: str) -> Iterator[str]:
    """Changes of this symbol alone that were judged, by what they cost; then answers asked for."""
    rows = neighbours.neighbours(plan)
    near = [] if rows is None else [*rows.nearest, *rows.others]
    of_symbol = {
        capital(other.change): other.feasible
        for other in plan.certificate.neighbours
        if {change.symbol for change in other.orders} == {symbol}
    }
    for row in near:
        if row.change in of_symbol:
            worth = f"{row.money} {plan.base_currency} a year" if row.money else ""
            text = f"{row.change}: " + ", ".join(t for t in (worth, f"{row.points} points") if t)
            yield text + ("." if of_symbol[row.change] else "; a limit forbids it.")
    if plan.explanation is not None:
        yield from (row.text for row in plan.explanation.thresholds if row.symbol == symbol)
    if plan.what_if is not None:
        for rule in plan.what_if.relaxations:
            if plan.step(symbol) is None and any(s.symbol == symbol for s in rule.steps):
                yield rule.text


def _ended(plan: Plan, symbol: str) -> Iterator[Ended]:
    """Every candidate of the table, the plan's first, then what never reached it."""
    chosen = {step.candidate for step in plan.steps}
    own = [e for e in plan.not_traded if e.symbol == symbol]
    stops = {entry.candidate: entry for entry in own if entry.candidate is not None}
    rows = [c for c in plan.candidates if c.symbol == symbol]
    for row in sorted(rows, key=lambda c: (c.id not in chosen, -c.gain, c.id)):
        yield _candidate(row, stops.get(row.id), chosen=row.id in chosen)
    listed = {row.id for row in rows}
    for entry in sorted(own, key=lambda e: (-ORDER.index(e.stage), e.rule, e.module or "")):
        if entry.candidate not in listed:
            by = plain_words(entry.module or "")
            yield Ended("", entry.side, "", "", "", by, _where(entry), _end(entry), chosen=False)


def _candidate(row: CandidateShown, stop: NotTraded | None, *, chosen: bool) -> Ended:
    return Ended(
        name=row.id,
        side=row.side,
        quantity=quantity(row.quantity),
        amount=money(row.notional_base, 0),
        gain=signed(row.gain, 2),
        by=named([plain_words(source) for source in row.sources], MOST_SOURCES),
        at="in the plan" if chosen else "" if stop is None else _where(stop),
        margin="" if stop is None else _end(stop),
        chosen=chosen,
    )


def _where(entry: NotTraded) -> str:
    return f"{HEADS[entry.stage].lower()}: {plain_words(entry.rule)}"


def _end(entry: NotTraded) -> str:
    return by_rule(entry.rule, entry.margin, stage=entry.stage, margin=True)
