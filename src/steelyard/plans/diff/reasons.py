"""The difference of two plans in sentences: what is other as a whole, then trade by trade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from steelyard.errors import one_line
from steelyard.orders import Side
from steelyard.plans.diff.records import (
    Changed,
    Money,
    Moved,
    PriceMoved,
    Reason,
    RuleMoved,
    ScoreDiff,
    Trade,
)
from steelyard.plans.diff.trades import Indexed, why_not_as_large
from steelyard.plans.diff.words import joined, listed, of_document, plain
from steelyard.plans.plan import Plan
from steelyard.sentences import Sentence
from steelyard.settings import Mode

SAME = "A and B are the same plan"
Trades = tuple[Sequence[Trade], Sequence[Trade], Sequence[Changed]]
"""Only in B, only in A, in both."""
LEAST_COST = Decimal("0.005")
"""A difference under this reads 0.00."""
SCALE = 1.0
BY_MODE: Mapping[Mode, str] = {
    "monte_carlo": "by drawn paths",
    "stochastic": "by shocks of the market",
    "multi_timeframe": "by its score ahead",
    "multi_objective": "from a frontier",
}
"""How a mode chooses."""
LONGEST_VALUE = 40
"""Characters of a setting in a sentence."""


def reasons(
    a: Indexed, b: Indexed, trades: Trades, figures: tuple[Money, ScoreDiff], moved: Moved
) -> Iterator[Reason]:
    """What tells B from A: the answer, what went in, what it costs and is worth, each trade."""
    if a.plan.plan_id == b.plan.plan_id:
        yield _reason(plain(SAME))
        return
    yield _answer(a.plan, b.plan, trades)
    yield from _by_mode(a.plan, b.plan)
    yield from _inputs(moved)
    yield from _worth(*figures)
    added, removed, changed = trades
    turned = {trade.symbol for trade in removed if trade.opposite is not None}
    for trade in added:
        yield _turned(a, b, trade) if trade.symbol in turned else _only(b, a, trade)
    yield from (_only(a, b, trade) for trade in removed if trade.symbol not in turned)
    yield from (_resized(a, b, trade) for trade in changed if trade.quantity.change)


def _reason(*parts: Sentence, symbol: str | None = None) -> Reason:
    return Reason(**joined(*parts), symbol=symbol)


def _answer(a: Plan, b: Plan, trades: Trades) -> Reason:
    """What each does, and how many orders are other ones."""
    if not a.steps and not b.steps:
        return _reason(plain("A and B both hold"))
    for plan, letter, other in ((a, "A", "B"), (b, "B", "A")):
        if not plan.steps:
            verdict = plan.verdict
            says = of_document(verdict.template, verdict.facts, verdict.text)
            return _reason(plain(f"{other} trades and {letter} does not. {letter}: "), says)
    added, removed, changed = trades
    resized = sum(bool(trade.quantity.change) for trade in changed)
    parts = {"only in B": len(added), "only in A": len(removed), "in both at another size": resized}
    if not any(parts.values()):
        return _reason(plain("A and B trade the same {orders:count} orders", orders=len(a.steps)))
    texts = [f"{{number_{n}:count}} {what}" for n, what in enumerate(parts) if parts[what]]
    counts = {f"number_{n}": parts[what] for n, what in enumerate(parts) if parts[what]}
    return _reason(plain("Orders: " + ", ".join(texts), **counts))


def _by_mode(a: Plan, b: Plan) -> Iterator[Reason]:
    """Which of them more than the score of today chose, and what that gives up of it."""
    for plan, letter in ((a, "A"), (b, "B")):
        outlook = plan.outlook
        if outlook is None:
            continue
        words = f"{letter} was chosen {BY_MODE[outlook.mode]}, among {{compared:count}} lists"
        if outlook.given_up is None:
            yield _reason(plain(f"{words}, and is the best by its score of today too",
                                compared=outlook.compared))  # fmt: skip
            continue
        given_up = outlook.given_up.points / 100
        yield _reason(plain(f"{words}, and gives up {{less:points}} points of its score of today",
                            compared=outlook.compared, less=given_up))  # fmt: skip


def _inputs(moved: Moved) -> Iterator[Reason]:
    """What went in and is not the same."""
    if moved.as_of is not None:
        old, new = moved.as_of
        yield _reason(plain("A is of {old:date} and B of {new:date}", old=old, new=new))
    if moved.rules:
        lead = _counted("{rules:count} settings differ: ", "A setting differs: ", rules=moved.rules)
        yield _reason(lead, listed(map(_rule, moved.rules)))
    if moved.prices:
        yield _reason(*_prices(moved.prices))
    for many, single, entries in (
        ("{rates:count} rates differ: ", "A rate differs: ", {"rates": moved.rates}),
        ("{owned:count} holdings differ: ", "A holding differs: ", {"owned": moved.holdings}),
        ("Cash differs in {cash:count} currencies: ", "Cash differs: ", {"cash": moved.cash}),
        ("{targets:count} targets differ: ", "A target differs: ", {"targets": moved.targets}),
    ):
        (every,) = entries.values()
        if every:
            names = [getattr(entry, "symbol", "") or getattr(entry, "name", "") for entry in every]
            yield _reason(_counted(many, single, **entries), listed(names))
    for flow in moved.flows:
        verb = "brings" if flow.amount > 0 else "takes out"
        text = f"Only {flow.plan} {verb} {{amount:money}} {{currency:text}} on {{day:date}}"
        amount = abs(flow.amount)
        yield _reason(plain(text, amount=amount, currency=flow.currency, day=flow.date))


def _counted(many: str, single: str, **entries: Sequence[object]) -> Sentence:
    ((name, every),) = entries.items()
    return plain(single) if len(every) == 1 else plain(many, **{name: len(every)})


def _rule(rule: RuleMoved) -> str:
    return f"{rule.key} {_value(rule.old)} → {_value(rule.new)}"


def _value(value: object) -> str:
    """A setting in a sentence."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else one_line(str(value), LONGEST_VALUE)


def _prices(prices: Sequence[PriceMoved]) -> Iterator[Sentence]:
    """How many prices differ, and which most."""
    yield _counted("{prices:count} prices differ", "A price differs", prices=prices)
    shares = [(abs(p.change), p.symbol, p.change) for p in prices if p.change is not None]
    if shares:
        _, symbol, change = max(shares)
        most = " most" if len(prices) > 1 else ""
        yield plain(f", {{most:text}}{most}, by {{by:spct}}", most=symbol, by=change)
    else:
        yield plain(": ")
        yield listed(price.symbol for price in prices)


def _worth(money: Money, score: ScoreDiff) -> Iterator[Reason]:
    """What B costs more and gains more; or why that is not said."""
    if money.not_compared is not None:
        yield Reason(**money.not_compared.model_dump(), symbol=None)
    cost = money.cost.change
    if cost is not None and abs(cost) >= LEAST_COST:
        text = "B costs {cost:money} {currency:text} " + ("more" if cost > 0 else "less")
        yield _reason(plain(text, cost=abs(cost), currency=money.base_currency or ""))
    if score.not_compared is not None:
        yield Reason(**score.not_compared.model_dump(), symbol=None)
    gain = score.improvement.change
    if gain:
        than = "more" if gain > 0 else "less"
        points = "{gain:points} points" if abs(gain) <= SCALE else "a whole scale of points"
        text = f"B gains {points} {than} over holding, net of charges"
        yield _reason(plain(text, gain=abs(gain)))


def _only(ours: Indexed, other: Indexed, trade: Trade) -> Reason:
    """An order of one plan, why it is in it, and why it is not in the other."""
    also = "also " if other.orders else ""
    lead = f"{ours.letter} {also}{_verb(trade.side)} {{quantity:qty}} {{symbol:text}} for "
    step = ours.orders[trade.symbol, trade.side]
    return _reason(
        plain(
            f"{lead}{{amount:money}} {{currency:text}}, ",
            quantity=trade.quantity,
            symbol=trade.symbol,
            amount=trade.notional_base,
            currency=trade.base_currency,
        ),
        of_document(step.reason_template, step.facts, step.reason),
        plain(f"; {other.letter} does not: "),
        of_document(trade.why.template, trade.why.facts, trade.why.text),
        *_target(ours, other, trade.symbol),
        symbol=trade.symbol,
    )


def _turned(a: Indexed, b: Indexed, trade: Trade) -> Reason:
    """A symbol that A trades one way and B the other."""
    old = "sells" if trade.side is Side.BUY else "buys"
    text = f"B {_verb(trade.side)} {{quantity:qty}} {{symbol:text}}, of which A {old} {{was:qty}}: "
    step = b.orders[trade.symbol, trade.side]
    quantities = {"quantity": trade.quantity, "was": trade.opposite or trade.quantity}
    return _reason(
        plain(text, symbol=trade.symbol, **quantities),
        of_document(step.reason_template, step.facts, step.reason),
        *_target(b, a, trade.symbol),
        symbol=trade.symbol,
    )


def _resized(a: Indexed, b: Indexed, trade: Changed) -> Reason:
    """An order of both plans at another size."""
    change = trade.quantity.change or Decimal(0)
    than = "more" if change > 0 else "less"
    text = f"B {_verb(trade.side)} {{quantity:qty}} {{symbol:text}}, {{change:qty}} {than} than A"
    quantities = {"quantity": trade.quantity.b or Decimal(0), "change": abs(change)}
    return _reason(
        plain(text, symbol=trade.symbol, **quantities),
        *_size(b, trade),
        *_price(trade),
        *_target(b, a, trade.symbol),
        symbol=trade.symbol,
    )


def _size(b: Indexed, trade: Changed) -> Iterator[Sentence]:
    """What B says of the size in A, where that was one of its candidates."""
    size = trade.quantity.a or Decimal(0)
    why = why_not_as_large(b, trade.symbol, trade.side, size)
    if why is not None:
        yield plain("; of {size:qty} B says: ", size=size)
        yield why


def _price(trade: Changed) -> Iterator[Sentence]:
    """Its price where that is another one, of one currency."""
    prices = {"price": trade.price.b, "was": trade.price.a}
    if trade.price.change:
        facts = {name: price for name, price in prices.items() if price is not None}
        text = "; its price is {price:qty} in B and {was:qty} in A, {currency:text}"
        yield plain(text, currency=trade.currency, **facts)


def _target(ours: Indexed, other: Indexed, symbol: str) -> Iterator[Sentence]:
    """Its target where that is another one."""
    targets = {each.letter: each.targets.get(symbol) for each in (ours, other)}
    if targets[ours.letter] == targets[other.letter]:
        return
    texts = [
        f"none in {name}" if target is None else f"{{target_{name.lower()}:pct}} in {name}"
        for name, target in targets.items()
    ]
    facts = {f"target_{n.lower()}": target for n, target in targets.items() if target is not None}
    yield plain(f"; its target is {' and '.join(texts)}", **facts)


def _verb(side: Side) -> str:
    return "buys" if side is Side.BUY else "sells"
