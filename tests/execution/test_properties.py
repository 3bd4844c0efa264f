"""Whatever is held, wished, charged and done by the broker: what no run may break.

Random small portfolios, planned exactly, traded on a paper broker with a random script.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, note, settings

from builders.trading import FREE, SOON, Stage, staged
from steelyard.brokers.paper import Script, open_paper
from steelyard.errors import NotExecuted, PlanRefused
from steelyard.execution.begin import ExecutedBefore
from steelyard.execution.evidence import floor_of
from steelyard.execution.journal import rows
from steelyard.execution.reconcile import stored
from steelyard.execution.states import Outcome, RunState
from steelyard.ledger import Purchase, resize
from steelyard.orders import Side
from steelyard.settings import Costs, Limits

D = Decimal
EXAMPLES = settings().max_examples
ENDS = {RunState.DONE, RunState.ABORTED, RunState.NEEDS_HUMAN}

odds = st.sampled_from([0.0, 0.0, 0.0, 0.2, 0.5, 1.0])
spans = st.sampled_from([(0.0, 0.0), (1.0, 3.0), (1.0, 15.0), (8.0, 40.0)])
scripts = st.builds(
    Script,
    seed=st.integers(0, 10_000),
    instant=st.sampled_from([False, False, False, True]),
    fill_after_s=spans,
    partial=odds,
    parts=st.integers(1, 4),
    part_gap_s=spans,
    told_after_s=st.sampled_from([(0.0, 0.0), (0.0, 5.0)]),
    told_twice=odds,
    midpoint=st.sampled_from([0.0, 0.5, 1.0]),
    spread_bps=st.sampled_from([1.0, 4.0, 40.0]),
    wobble_bps=st.sampled_from([0.0, 3.0, 20.0]),
    cancel_after_s=st.sampled_from([(0.0, 0.0), (0.5, 2.0), (5.0, 20.0)]),
    late_cancel=odds,
    rejects=st.sampled_from([0.0, 0.0, 0.0, 0.2]),
    power_lag_s=st.sampled_from([0.0, 0.0, 6.0, 90.0]),
    settlement_days=st.integers(0, 1),
    settled_only=st.booleans(),
    lost_answers=st.sampled_from([0.0, 0.0, 0.2]),
    dropped=st.sampled_from([0.0, 0.0, 0.2]),
    cancelled_that_filled=st.sampled_from([0.0, 0.0, 0.3]),
    expired_that_fills=st.sampled_from([0.0, 0.0, 0.3]),
    ghost_after_s=spans,
    reissued_ids=st.booleans(),
    hidden=st.sampled_from([0.0, 0.0, 0.0, 0.2]),
    errors_in_success=st.sampled_from([0.0, 0.0, 0.2]),
    visible_after_s=st.sampled_from([0.0, 0.0, 4.0, 130.0]),
    dedups=st.sampled_from([True, True, False]),
)
"""What a broker may do to orders, alone and together."""


@dataclass(frozen=True)
class Book:
    """A portfolio with its wishes: symbol -> (shares, price, lot, weight), and its money."""

    lines: Mapping[str, tuple[str, str, str, float]]
    cash: Mapping[str, str]
    foreign: tuple[str, ...]
    fixed: float
    percent: float
    reserve: float

    def staged(self, home: Path, script: Script, **options: Any) -> Stage:
        lines = [f"{name} {shares} @ {price}" for name, (shares, price, _, _) in self.lines.items()]
        return staged(
            home, *lines, script=script, cash=dict(self.cash), foreign=self.foreign,
            lots={name: line[2] for name, line in self.lines.items()},
            targets={name: line[3] for name, line in self.lines.items() if line[3]},
            costs=Costs(fixed=self.fixed, percent=self.percent),
            limits=Limits(**{**FREE["limits"].model_dump(), "cash_reserve_weight": self.reserve}),
            **options,
        )  # fmt: skip


@st.composite
def books(draw: Any, names: str = "ABCDE") -> Book:
    """Up to five securities, some foreign, some fractional, with fees and a reserve."""
    symbols = [f"{letter}{letter}" for letter in names[: draw(st.integers(1, len(names)))]]
    lines, rest = {}, 20
    for symbol in symbols:
        price = draw(st.sampled_from(["0.9", "7.5", "100", "333.33", "2500"]))
        lot = draw(st.sampled_from(["1", "1", "1", "10", "0.001"]))
        worth = draw(st.sampled_from([0, 0, 2000, 10_000, 30_000]))
        shares = (D(worth) / D(price) // D(lot)) * D(lot)
        if lot == "1" and worth and draw(st.booleans()):
            shares += draw(st.sampled_from([D("0.5"), D("0.2273576")]))
        weight = draw(st.integers(0, rest))
        rest -= weight
        lines[symbol] = (f"{shares:f}", price, lot, weight / 20)
    cash = {"USD": draw(st.sampled_from(["0", "40", "3000", "25000.55"]))}
    foreign = tuple(s for s in symbols if draw(st.sampled_from([False, False, True])))
    if foreign and draw(st.booleans()):
        cash["EUR"] = draw(st.sampled_from(["5", "4000"]))
    return Book(
        lines, cash, foreign,
        fixed=draw(st.sampled_from([0.0, 0.0, 2.0])),
        percent=draw(st.sampled_from([0.0, 0.002])),
        reserve=draw(st.sampled_from([0.0, 0.02, 0.1])),
    )  # fmt: skip


class Watched:
    """Looks at the account after every call that changes something there."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        for name in ("submit", "wait"):
            stage.broker.instead[name] = self.looking

    def looking(self, call: Any, *values: Any) -> Any:
        answer = call(*values)
        account = self.stage.broker.broker.account()
        assert all(balance.amount >= 0 for balance in account.cash), account.cash
        assert all(position.quantity >= 0 for position in account.positions), account.positions
        return answer


def check_approved(stage: Stage) -> None:
    """No step is filled with more than was approved, and nothing else is traded."""
    filled: dict[tuple[str, Side], Decimal] = {}
    with stage.broker.broker._book() as book:
        for each in book.executions():
            place = (each.fill.symbol, each.fill.side)
            filled[place] = filled.get(place, D(0)) + each.fill.quantity
    allowed = {(each.symbol, each.side): each.quantity for each in stage.plan.instructions}
    assert all(shares <= allowed[place] for place, shares in filled.items()), (filled, allowed)


def check_books(stage: Stage) -> None:
    """Either both sides agree to the cent, or the account is frozen and says why."""
    if not stage.run_id:
        return
    frozen = stored.frozen(stage.journal, "core")
    shares, cash = rows.balances(stage.journal, "core")
    account = stage.broker.broker.account()
    theirs = {p.symbol: p.quantity for p in account.positions if p.quantity}
    if stage.run.state in {RunState.DONE, RunState.ABORTED} and frozen is None:
        assert shares == theirs
        conversions = stage.broker.broker.activities(account.at.replace(year=2000))
        for balance in account.cash:
            moved = sum((each.cash.get(balance.currency, D(0)) for each in conversions), D(0))
            assert cash.get(balance.currency, D(0)) == balance.amount, (balance, moved)
    txns = stage.journal.rows(
        "SELECT txn, commodity, SUM(amount) FROM posting GROUP BY txn, commodity HAVING SUM(amount)"
    )
    assert txns == []


def check_floor(stage: Stage, before: Decimal) -> None:
    """Buys leave the reserve: money is under it only where it was before."""
    plan = stage.plan
    worth = sum(b.amount * plan.rates[b.currency] for b in stage.broker.broker.account().cash)
    assert worth >= min(floor_of(plan), before) - D("0.05") * len(stage.legs), (worth, plan.reserve)


def check_one_order_each(stage: Stage) -> None:
    """The broker has no two orders of one id."""
    with stage.broker.broker._book() as book:
        names = [order.client_order_id for order in book.orders()]
    assert len(names) == len(set(names))


def traded(book: Book, script: Script, home: Path, **working: Any) -> Stage | None:
    """The stage after its run; None where there is nothing to trade."""
    try:
        stage = book.staged(home, script, working={"poll_s": 5.0, **working})
    except PlanRefused:
        return None
    if not stage.plan.instructions:
        return None
    Watched(stage)
    try:
        run = stage.trade()
    except NotExecuted as error:
        note(str(error))
        assert stage.broker.tickets == []
        (run,) = rows.runs(stage.journal)
        assert run.outcome is Outcome.NOT_STARTED
        return stage
    note(f"{run.state} {run.outcome} {run.reason} {stage.sent}")
    return stage


@settings(max_examples=EXAMPLES)
@given(books(), scripts)
def test_no_broker_makes_a_run_overspend_oversell_double_or_lose(
    book: Book, script: Script
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stage = traded(book, script, Path(folder))
        if stage is None or not stage.run_id:
            return
        before = sum(amount * stage.plan.rates[name] for name, amount in stage.plan.cash.items())
        assert stage.run.state in ENDS
        if stage.run.state is RunState.NEEDS_HUMAN:
            reconnected(stage)
        check_approved(stage)
        check_one_order_each(stage)
        check_books(stage)
        check_floor(stage, before)
        assert stage.run.state is not RunState.DONE or all(leg.over for leg in stage.legs)
        sent = stage.sent
        if stage.run.outcome not in {None, Outcome.NOT_STARTED}:
            assert isinstance(stage.refused(), ExecutedBefore)
        assert stage.sent == sent
        stage.journal.verify()


def reconnected(stage: Stage) -> None:
    """A person looked, on the next morning, and a new process resumes what stood still."""
    stage.broker.instead.clear()
    stage.broker.wait(7 * 3600)
    stage.broker.broker.close()
    stage.broker.broker = open_paper(stage.home / "paper.db", "core")
    run = stage.recover()
    note(f"then {run.state} {run.outcome} {run.reason}")
    frozen = stored.frozen(stage.journal, "core")
    assert run.state in {RunState.DONE, RunState.ABORTED} or frozen is not None


PLAIN = replace(SOON, midpoint=0, spread_bps=40)


@settings(max_examples=max(EXAMPLES // 5, 1))
@given(books(), st.integers(2, 9))
def test_so_many_times_the_portfolio_is_so_many_times_the_orders(book: Book, times: int) -> None:
    """No more than a lot for each of them apart, without the costs that do not scale."""
    small = replace(book, fixed=0.0, lines=finely(book.lines, 1), cash=in_cents(book.cash, 1))
    large = replace(small, lines=finely(book.lines, times), cash=in_cents(book.cash, times))
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        at_once = {"walk": (D(1),)}
        one = traded(small, PLAIN, Path(first), **at_once)
        many = traded(large, PLAIN, Path(second), **at_once)
        if one is None or many is None or len(one.plan.instructions) != len(many.plan.instructions):
            return  # an order that is too small the one time is not the other
        assert one.run.outcome == many.run.outcome
        for symbol in one.shares.keys() | many.shares.keys():
            shares = times * D(one.shares.get(symbol, "0"))
            price = one.plan.prices[symbol]
            # what a cent of rounding, an order, buys
            slack = times * (D("0.02") + D("0.04") * len(one.legs)) / price
            assert abs(shares - D(many.shares.get(symbol, "0"))) <= slack


def finely(lines: Mapping[str, Any], times: int) -> dict[str, Any]:
    """The same, so many times, in lots of a millionth."""
    return {
        symbol: (f"{D(shares) * times:f}", price, "0.000001", weight)
        for symbol, (shares, price, _, weight) in lines.items()
    }


def in_cents(cash: Mapping[str, str], times: int) -> dict[str, str]:
    return {currency: f"{D(amount) * times:f}" for currency, amount in cash.items()}


@settings(max_examples=max(EXAMPLES // 5, 1))
@given(st.data(), books(), scripts)
def test_the_order_of_what_is_held_changes_nothing(data: Any, book: Book, script: Script) -> None:
    names = data.draw(st.permutations([*book.lines]))
    other = replace(book, lines={name: book.lines[name] for name in names})
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        one, same = traded(book, script, Path(first)), traded(other, script, Path(second))
        if one is None or same is None:
            assert one is same
            return
        assert (one.sent, one.prices, one.shares) == (same.sent, same.prices, same.shares)
        assert [fill.value for fill in one.fills] == [fill.value for fill in same.fills]


purchases = st.builds(
    Purchase,
    quantity=st.integers(0, 5000).map(lambda n: D(n) / 4),
    lot=st.sampled_from([D("0.25"), D("0.5"), D(1)]),
    unit_cost=st.decimals("0.0001", "5000", places=4),
    fixed=st.sampled_from([D(0), D(2), D("7.31")]),
    least=st.sampled_from([D(0), D(5), D(100)]),
    currency=st.sampled_from(["USD", "EUR", "GBP"]),
)
amounts = st.decimals("-100", "100000", places=2)


@settings(max_examples=4 * EXAMPLES)
@given(st.lists(purchases, max_size=6), amounts, amounts, amounts)
def test_shrinking_never_spends_more_than_there_is_and_never_buys_more(
    rows: list[Purchase], pool: Decimal, euros: Decimal, pounds: Decimal
) -> None:
    sizes = resize(rows, pool, {"EUR": euros, "GBP": pounds})
    needs = dict.fromkeys(("USD", "EUR", "GBP"), D(0))
    for row, size in zip(rows, sizes, strict=True):
        assert 0 <= size <= row.quantity
        assert size == row.quantity or size % row.lot == 0
        assert not size or size == row.quantity or size * row.unit_cost >= row.least
        needs[row.currency] += row.cost(size)
    own = {"EUR": max(euros, D(0)), "GBP": max(pounds, D(0)), "USD": D(0)}
    assert sum(max(need - own[name], D(0)) for name, need in needs.items()) <= max(pool, D(0))
    more = resize(rows, pool + 1000, {"EUR": euros, "GBP": pounds})
    wishes = sum(row.cost(row.quantity) for row in rows)
    assert wishes > max(pool, D(0)) or sizes == more == tuple(row.quantity for row in rows)
