"""The tests that one symbol met, in the order of the pipeline; the first that stops it is the last.

Of an order all of them; else those of the candidate that came furthest. Every number is one of the
document, or the difference of two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from steelyard.notices import Stage
from steelyard.orders import Side
from steelyard.plans.account import HoldingShown
from steelyard.plans.orders import NotTraded, Step
from steelyard.plans.plan import Plan
from steelyard.portfolio import SPREAD_TYPES
from steelyard.report.exhibits.proposers import EXACT
from steelyard.report.exhibits.words import by_rule, capital, named, plain_words, price
from steelyard.report.exhibits.worth import gained
from steelyard.sentences import FORMATS, SPACE, money

ORDER: tuple[Stage, ...] = (
    "input",
    "opportunity",
    "sizing",
    "filter",
    "merge",
    "search",
    "plan",
)
"""The stages as an order passes them."""
HEADS: dict[Stage, str] = {
    "input": "Data",
    "opportunity": "Asked for",
    "sizing": "Size",
    "filter": "Filters",
    "merge": "Merged",
    "search": "Search",
    "plan": "Limits",
}
MOST_SOURCES = 3
OF_USE = frozenset({"ok", "nothing"})
"""Outcomes of modules that did what they are for."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A rule that it met: numbers are text in the rule's unit; `said` is the sentence, if any."""

    stage: str
    level: Literal["ok", "stop"]
    rule: str
    value: str = ""
    limit: str = ""
    margin: str = ""
    said: str = ""


def holding_of(plan: Plan, symbol: str) -> HoldingShown | None:
    """The row of a symbol; None where it is neither held nor targeted nor traded."""
    return next((h for h in plan.holdings if h.symbol == symbol), None)


def furthest(plan: Plan, symbol: str) -> NotTraded | None:
    """The entry of the candidate that came furthest, of those the one that gains most."""
    gains = {candidate.id: candidate.gain for candidate in plan.candidates}
    # what lives on in another size did not end there
    own = [e for e in plan.not_traded if e.symbol == symbol and e.stage != "merge"]

    def rank(entry: NotTraded) -> tuple[int, float, float]:
        gain = gains.get(entry.candidate or "", 0.0)
        return ORDER.index(entry.stage), gain, entry.margin or 0.0

    return max(own, key=rank, default=None)


def gates(plan: Plan, symbol: str, step: Step | None, stop: NotTraded | None) -> Iterator[Gate]:
    """Those before the one that stops, in order, and that one; of an order all."""
    last = len(ORDER) if stop is None else ORDER.index(stop.stage)
    if stop is None and step is None:
        return
    passed = _Passed(plan, symbol, step, stop)
    for stage in ORDER[:last]:
        yield from passed.gates(stage)
    if stop is not None:
        yield _stopped(stop)


def _stopped(entry: NotTraded) -> Gate:
    return Gate(
        stage=HEADS[entry.stage],
        level="stop",
        rule=capital(plain_words(entry.rule)),
        value=by_rule(entry.rule, entry.value, stage=entry.stage),
        limit=by_rule(entry.rule, entry.limit, stage=entry.stage),
        margin=_margin(entry),
        said=entry.reason,
    )


def _margin(entry: NotTraded) -> str:
    """How far it was from passing: `0.8 pp short`."""
    if entry.margin is None:
        return ""
    distance = by_rule(entry.rule, abs(entry.margin), stage=entry.stage, margin=True)
    return f"{distance.lstrip('+')} short"


class _Passed:
    """The gates that a symbol's order, or its furthest candidate, went through."""

    def __init__(self, plan: Plan, symbol: str, step: Step | None, stop: NotTraded | None) -> None:
        self.plan, self.step = plan, step
        self.holding = holding_of(plan, symbol)
        self.symbol = symbol
        self.side = step.side if step is not None else stop.side if stop is not None else None
        name = step.candidate if step is not None else stop.candidate if stop is not None else None
        self.row = next((c for c in plan.candidates if c.id == name), None)
        self.module = None if stop is None else stop.module

    def gates(self, stage: Stage) -> Iterator[Gate]:
        """What it met at a stage that lets it through."""
        match stage:
            case "input":
                yield from self._data()
            case "opportunity":
                yield from self._asked_for()
            case "sizing":
                yield from self._size()
            case "filter":
                yield from self._filters()
            case "search":
                yield from self._search()
            case "plan":
                yield from self._limits()
            case _:
                return

    def _data(self) -> Iterator[Gate]:
        if self.holding is None:
            return
        own = self.holding
        quoted = f"{price(own.price)} {own.currency}"
        said = f"Of {FORMATS['date'](own.price_on)}, {own.price_source}."
        yield Gate(HEADS["input"], "ok", "Price is known", quoted, said=said)

    def _asked_for(self) -> Iterator[Gate]:
        own = self.holding
        value, margin = "", ""
        if own is not None and own.target is not None:
            value = FORMATS["spp"](own.weight - own.target)
            if own.band is not None:
                out = max(own.weight - own.band[1], own.band[0] - own.weight)
                edge = f"{FORMATS['spp'](abs(out)).lstrip('+')}"
                margin = f"{edge} outside its band" if out > 0 else f"{edge} inside its band"
        yield Gate(HEADS["opportunity"], "ok", self._by(), value, margin=margin)

    def _by(self) -> str:
        sources: Sequence[str] = ()
        if self.row is not None:
            sources = self.row.sources
        elif self.step is not None:
            sources = self.step.proposed_by
        elif self.module is not None:
            sources = (self.module,)
        return f"By {named([plain_words(s) for s in sources], MOST_SOURCES)}" if sources else "Yes"

    def _size(self) -> Iterator[Gate]:
        amount = self._amount()
        if amount is None:
            return
        least, base = self.plan.rules.min_order_base, self.plan.base_currency
        stage, rule = HEADS["sizing"], "At least the least order"
        if amount < least:
            yield Gate(stage, "ok", "A full exit may be small", f"{money(amount, 0)} {base}")
            return
        value, limit = f"{money(amount, 0)} {base}", f"{money(least, 0)} {base}"
        yield Gate(stage, "ok", rule, value, limit, f"{money(amount - least, 0)} clear")
        if self.step is not None and amount:
            most = self.plan.rules.limits.max_cost_share
            share = float(self.step.costs.total / amount)
            if share <= most:
                yield _under(stage, "Cost of the order", share, most)

    def _amount(self) -> Decimal | None:
        if self.step is not None:
            return self.step.notional_base
        return None if self.row is None else self.row.notional_base

    def _filters(self) -> Iterator[Gate]:
        ran = [m.name for m in self.plan.modules if m.kind == "filters" and m.outcome in OF_USE]
        if not ran:
            return
        days = self._days()
        through = f"Let through by {named([plain_words(name) for name in ran], MOST_SOURCES)}"
        if days is None:
            yield Gate(HEADS["filter"], "ok", through)
            return
        since, least = days
        value, limit = FORMATS["days"](since), FORMATS["days"](least)
        margin = f"{FORMATS['days'](since - least)} clear"
        said = f"Days since its last {'purchase' if self.side is Side.SELL else 'sale'}."
        yield Gate(HEADS["filter"], "ok", through, value, limit, margin, said)

    def _days(self) -> tuple[int, int] | None:
        """(days since the last order the other way, least of them); None where none is asked."""
        own, selling = self.holding, self.side is Side.SELL
        last: date | None = None
        if own is not None:
            last = own.last_bought if selling else own.last_sold
        modules: Any = self.plan.strategy.settings.get("modules", {})
        params = {row["name"]: row["params"] for row in modules.get("filters", ())}
        least = [params.get("recently_traded", {}).get("opposite_days", 0)]
        least += [params.get("eligibility", {}).get("min_hold_days", 0)] if selling else []
        most = max(n for n in (*least, 0) if isinstance(n, int))
        since = 0 if last is None else (self.plan.as_of - last).days
        return (since, most) if last is not None and most and since >= most else None

    def _search(self) -> Iterator[Gate]:
        if self.step is None:
            return
        adds = self.step.adds
        exact = self.plan.certificate.scope == EXACT
        rule = "Follows from the targets" if exact else "In the best list"
        a_year = adds.base_per_year
        worth = "" if a_year is None else f"{money(a_year, 0)} {self.plan.base_currency} a year"
        said = "What the plan loses without it." if adds.score >= 0 else "It funds other orders."
        yield Gate(HEADS["search"], "ok", rule, _points(adds.score), margin=worth, said=said)

    def _limits(self) -> Iterator[Gate]:
        if self.step is None:
            return
        limits, stage = self.plan.rules.limits, HEADS["plan"]
        single = self.holding is None or self.holding.product_type not in SPREAD_TYPES
        after = self.step.weight_after
        if single and after <= limits.max_position_weight:
            yield _under(stage, "Weight of a single name after", after, limits.max_position_weight)
        if limits.max_turnover_weight is not None:
            yield _under(stage, "Turnover", self.plan.turnover, limits.max_turnover_weight)
        cash, base = self.plan.in_base(self.plan.cash_after), self.plan.base_currency
        if cash >= self.plan.reserve:
            yield Gate(
                stage,
                "ok",
                "Cash after all orders keeps the reserve",
                f"{money(cash, 0)} {base}",
                f"{money(self.plan.reserve, 0)} {base}",
                f"{money(cash - self.plan.reserve, 0)} clear",
            )


def _under(stage: str, rule: str, value: float, most: float) -> Gate:
    """A share that is under its limit."""
    margin = f"{FORMATS['spp'](most - value).lstrip('+')} clear"
    return Gate(stage, "ok", rule, FORMATS["pct"](value), FORMATS["pct"](most), margin)


def _points(score: float) -> str:
    return f"{gained(score)}{SPACE}points"
