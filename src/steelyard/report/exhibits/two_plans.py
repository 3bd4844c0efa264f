"""Two plans side by side as rows of text, for the terminal and for the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from steelyard.errors import one_line
from steelyard.orders import Side
from steelyard.planning.narrative import in_words
from steelyard.plans.diff.records import (
    Amounts,
    Changed,
    Compared,
    Numbers,
    PlanDiff,
    PriceMoved,
    Trade,
)
from steelyard.plans.orders import Step
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.fold import ALL, first
from steelyard.report.exhibits.words import counted, lower, on_scale, plain_words, price
from steelyard.report.exhibits.worth import gained
from steelyard.sentences import FORMATS, money, percent, points, quantity, signed

NONE = "none"
SAME = "The same plan"
NOTHING = "Nothing: both were made from the same inputs by the same rules."
STATUSES = {
    "proven": "proven best",
    "within_one_lot": "within one lot",
    "bounded": "gap known",
    "none": "no bound",
}
MILLION = 1_000_000
"""Amounts from which cents are not shown."""
HASH_SHOWN = 16
"""Digits of a hash that are shown."""
LONGEST_VALUE = 24
"""Characters of a setting that are shown; --json has it whole."""


@dataclass(frozen=True, slots=True)
class Head:
    """One of the plans: its letter, what it is, what it says to do."""

    letter: str
    what: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Order:
    """A trade of one plan or of both; texts, empty where a plan has none."""

    of: str
    side: Side
    symbol: str
    name: str
    a: str
    b: str
    change: str
    amount: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of both; `part` is one of the sum below it."""

    label: str
    a: str
    b: str
    change: str
    part: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """What moved of one kind, the largest first; `more` is how many are not shown."""

    heading: str
    lines: tuple[Line, ...]
    more: int


@dataclass(frozen=True, slots=True)
class TwoPlans:
    """The exhibit; notes say what is not compared and why."""

    heading: str
    heads: tuple[Head, Head]
    reasons: tuple[str, ...]
    trades: str
    orders: tuple[Order, ...]
    more: str
    money: tuple[Line, ...]
    currency: str
    score: tuple[Line, ...]
    notes: tuple[str, ...]
    inputs: tuple[Inputs, ...]
    nothing_moved: str


def two_plans(diff: PlanDiff) -> TwoPlans:
    """The exhibit of a difference."""
    reasons = {reason.symbol: reason.text for reason in diff.reasons if reason.symbol is not None}
    orders = list(_orders(diff, reasons))
    shown, more = first(orders)
    moved = tuple(_inputs(diff))
    return TwoPlans(
        heading=SAME if diff.same else _heading(diff),
        heads=(_head("A", diff.a), _head("B", diff.b)),
        reasons=tuple(reason.text for reason in diff.reasons if reason.symbol is None),
        trades=_trades(diff),
        orders=tuple(shown),
        more=f"and {lower(counted(more, 'more order'))}: {ALL}" if more else "",
        money=tuple(_money(diff)),
        currency=diff.money.base_currency or "each in its base currency",
        score=tuple(_score(diff)),
        notes=tuple(
            why.text
            for why in (diff.money.not_compared, diff.score.not_compared)
            if why is not None
        ),
        inputs=moved,
        nothing_moved="" if moved else NOTHING,
    )


def headline(diff: PlanDiff) -> str:
    """`One trade replaced, three resized`: B from A, a trade that makes room for another once."""
    if diff.same:
        return "The same plan"
    added, removed = len(diff.trades_added), len(diff.trades_removed)
    replaced = min(added, removed)
    counts = (
        (replaced, "replaced"),
        (added - replaced, "added"),
        (removed - replaced, "dropped"),
        (sum(bool(trade.quantity.change) for trade in diff.trades_changed), "resized"),
    )
    parts = [(count, what) for count, what in counts if count]
    if not parts:
        return "The same trades in the same quantities"
    (leading, what), *others = parts
    texts = [f"{counted(leading, 'trade')} {what}"]
    texts += [f"{lower(in_words(count))} {what}" for count, what in others]
    return ", ".join(texts)


def unchanged(a: Plan, b: Plan) -> list[Step]:
    """The trades that both plans have in the same quantity, as B has them."""
    own = {(step.side, step.symbol): step.quantity for step in a.steps}
    return [step for step in b.steps if own.get((step.side, step.symbol)) == step.quantity]


def _heading(diff: PlanDiff) -> str:
    if diff.a.bucket == diff.b.bucket:
        return f"Two plans of {diff.a.bucket}"
    return f"A plan of {diff.a.bucket} and of {diff.b.bucket}"


def _head(letter: str, side: Compared) -> Head:
    rules = side.strategy
    version = "" if rules.version is None else f" (v{rules.version})"
    what = f"{side.bucket} · {rules.title}{version} · as of {FORMATS['date'](side.as_of)}"
    return Head(letter, f"{what} · plan {side.plan_id[:HASH_SHOWN]}", side.verdict.text)


def _trades(diff: PlanDiff) -> str:
    """`2 only in B, 1 only in A, 3 at another size`."""
    sizes = [trade for trade in diff.trades_changed if trade.quantity.change]
    prices = len(diff.trades_changed) - len(sizes)
    parts = (
        (len(diff.trades_added), "only in B"),
        (len(diff.trades_removed), "only in A"),
        (len(sizes), "at another size"),
        (prices, "at another price alone"),
    )
    texts = [f"{count} {what}" for count, what in parts if count]
    return ", ".join(texts) or "the same"


def _orders(diff: PlanDiff, reasons: Mapping[str, str]) -> Iterator[Order]:
    """Those of one plan, then those of both at another size; other prices alone are inputs."""
    turned = {trade.symbol for trade in diff.trades_removed if trade.opposite is not None}
    for trade in diff.trades_added:
        yield _only("B", trade, reasons[trade.symbol])
    for trade in diff.trades_removed:
        # a symbol that the plans trade both ways has one reason, under the order of B
        yield _only("A", trade, "" if trade.symbol in turned else reasons[trade.symbol])
    yield from (_both(t, reasons[t.symbol]) for t in diff.trades_changed if t.quantity.change)


def _only(letter: str, trade: Trade, reason: str) -> Order:
    shares = quantity(trade.quantity)
    amount = money(trade.notional_base, 0)
    a, b = (shares, "") if letter == "A" else ("", shares)
    return Order(letter, trade.side, trade.symbol, trade.name, a, b, "", amount, reason)


def _both(trade: Changed, reason: str) -> Order:
    a, b = (quantity(shares or Decimal(0)) for shares in (trade.quantity.a, trade.quantity.b))
    change = _signed(trade.quantity.change, quantity)
    amount = money(trade.notional_base.b or Decimal(0), 0)
    return Order("both", trade.side, trade.symbol, trade.name, a, b, change, amount, reason)


def _money(diff: PlanDiff) -> Iterator[Line]:
    sums = diff.money
    change = None if sums.not_compared else diff.b.value - diff.a.value
    yield _amount("Value", Amounts(a=diff.a.value, b=diff.b.value, change=change))
    yield _amount("Sold", sums.sells)
    yield _amount("Bought", sums.buys)
    yield _amount("Cost", sums.cost)
    if sums.tax.a is not None or sums.tax.b is not None:
        yield _amount("Tax, due later", sums.tax)
    yield _number("Turnover, %", sums.turnover, percent, signed)
    for currency, pair in sums.cash_after.items():
        yield _amount(f"Cash after, {currency}", pair)


def _score(diff: PlanDiff) -> Iterator[Line]:
    score = diff.score
    yield _number("Score, nothing traded", score.hold, on_scale, gained)
    for term in score.terms:
        weights = [NONE if w is None else percent(w) for w in (term.weight.a, term.weight.b)]
        share = " → ".join(dict.fromkeys(weights))
        label = f"{plain_words(term.name)}, {share} %"
        yield replace(_number(label, term.gain, gained, gained), part=True)
    yield _number("Score after the plan", score.plan, on_scale, gained)
    for name, pair in (("cost", score.cost), ("tax", score.tax), ("orders", score.hurdle)):
        if pair.a or pair.b:
            yield replace(_number(f"charged for {name}", pair, points, gained), part=True)
    yield _number("Improvement, net", score.improvement, gained, gained)
    if score.drift_before.a is not None or score.drift_before.b is not None:
        yield _number("Drift before, pp", score.drift_before, percent, signed)
        yield _number("Drift after, pp", score.drift_after, percent, signed)
    proof = score.certificate
    yield Line("How good", STATUSES.get(proof.a, proof.a), STATUSES.get(proof.b, proof.b), "")
    yield _number("Gap, points", proof.gap, _one, _one_signed)


def _one(value: float) -> str:
    return signed(value, 2, scale=1).lstrip("+")


def _one_signed(value: float) -> str:
    return signed(value, 2, scale=1)


def _amount(label: str, pair: Amounts) -> Line:
    largest = max((abs(amount) for amount in (pair.a, pair.b) if amount is not None), default=0)
    form = money if largest < MILLION else FORMATS["whole"]
    a, b = (NONE if amount is None else form(amount) for amount in (pair.a, pair.b))
    return Line(label, a, b, _signed(pair.change, form))


def _signed(amount: Decimal | None, form: Callable[[Decimal], str]) -> str:
    """A change with its sign; empty where there is none to tell."""
    if not amount:
        return ""
    return f"+{form(amount)}" if amount > 0 else form(amount)


def _number(
    label: str, pair: Numbers, form: Callable[[float], str], change: Callable[[float], str]
) -> Line:
    a, b = (NONE if value is None else form(value) for value in (pair.a, pair.b))
    return Line(label, a, b, change(pair.change) if pair.change else "")


def _inputs(diff: PlanDiff) -> Iterator[Inputs]:
    """What went in and is not the same, a table for each kind."""
    moved = diff.moved
    rules = [Line(rule.key, _value(rule.old), _value(rule.new), "") for rule in moved.rules]
    targets = [Line(t.name, _weight(t.old), _weight(t.new), "") for t in moved.targets]
    flows = [_flow(flow.plan, flow) for flow in moved.flows]
    for heading, lines in (
        ("Settings", rules),
        ("Prices", _prices(moved.prices)),
        ("Rates", _prices(moved.rates)),
        ("Holdings, shares", [_moved(row, quantity) for row in moved.holdings]),
        ("Cash", [_moved(row, money) for row in moved.cash]),
        ("Targets, %", targets),
        ("Money brought or taken out", flows),
    ):
        if lines:
            shown, more = first(lines)
            yield Inputs(heading, tuple(shown), more)


def _prices(prices: Sequence[PriceMoved]) -> list[Line]:
    """The largest change first; what has none before all."""
    rows = sorted(prices, key=lambda p: -math.inf if p.change is None else -abs(p.change))
    return [_price(row) for row in rows]


def _price(row: PriceMoved) -> Line:
    a, b = (NONE if amount is None else price(amount) for amount in (row.old, row.new))
    change = "" if row.change is None else FORMATS["spct"](row.change)
    return Line(f"{row.symbol}, {row.currency}", a, b, change)


def _moved(row: Any, form: Callable[[Decimal], str]) -> Line:
    return Line(row.name, form(row.old), form(row.new), _signed(row.new - row.old, form))


def _flow(letter: str, flow: Any) -> Line:
    amount = _signed(flow.amount, money)
    a, b = (amount, NONE) if letter == "A" else (NONE, amount)
    return Line(f"{FORMATS['date'](flow.date)}, {flow.currency}", a, b, "")


def _weight(weight: float | None) -> str:
    return NONE if weight is None else percent(weight)


def _value(value: object) -> str:
    """A setting as people read it."""
    return one_line(_text(value), LONGEST_VALUE)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or NONE
    return NONE if value is None else str(value)
