"""Lots over many portfolios: dearest first realises least, and no year's budget is passed."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from builders.taxed import by_method, realised, taxed
from builders.worlds import FEWER, seeds
from steelyard.lots import LotRule, first_of, ordered
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.plans import verify
from steelyard.portfolio import BucketState
from steelyard.settings import Rules, Score, Search

METHODS = ("fifo", "lifo", "hifo", "min_tax", "specific")
SCOPES = ("proposals", "candidates", "quantities")


def gain_of(of, symbol, quantity, method):
    """Gain of a sale by a method, own currency."""
    (holding,) = [h for h in of.snapshot.holdings if h.symbol == symbol]
    price = of.market.quotes[symbol].price
    rule = LotRule(method, of.snapshot.as_of, 365, Decimal("0.24"), Decimal("0.15"))
    sold = first_of(ordered(holding.lots, rule, price), quantity)
    return sum(((price - lot.unit_cost) * part for lot, part in sold), ZERO)


def test_dearest_first_never_realises_more_than_any_other_order_of_the_same_sale():
    odd = []
    for seed in range(300):
        of = taxed(seed, sessions=2)
        for holding in of.snapshot.holdings:
            for part in range(1, 8):
                quantity = holding.quantity * part // 7
                least = gain_of(of, holding.symbol, quantity, "specific")
                odd += [
                    (seed, holding.symbol, quantity, method)
                    for method in METHODS
                    if gain_of(of, holding.symbol, quantity, method) < least
                ]

    assert odd == []


def test_a_plan_realises_no_more_by_specific_lots_than_by_the_oldest_first():
    """Without a tax rate the orders are the same, so that only the lots differ."""
    odd, less = [], 0
    search = Search(scope="candidates", max_nodes=2000)
    for seed in seeds(30, 300):
        of = taxed(seed, sessions=2, search=search)
        oldest, dearest = (by_method(of, method).plan() for method in ("fifo", "specific"))
        orders = [[(s.symbol, s.side, s.quantity) for s in p.steps] for p in (oldest, dearest)]
        if orders[0] != orders[1] or realised(dearest) > realised(oldest):
            odd.append((seed, orders, realised(oldest), realised(dearest)))
        less += realised(dearest) < realised(oldest)

    assert odd == []
    assert less > 10


@given(
    st.integers(0, 10_000),
    st.sampled_from(SCOPES),
    st.sampled_from(METHODS),
    st.sampled_from((0.0, 50.0, 500.0, 5000.0)),
    st.sampled_from((None, "0", "-700", "120.37", "9000")),
    st.sampled_from((0.0, 0.25)),
)
@FEWER
def test_the_budget_of_a_year_is_never_passed_in_any_scope(
    seed, scope, method, budget, before, rate
):
    of = by_method(
        taxed(seed, search=Search(scope=scope, max_nodes=2000), score=Score(tax_rate=rate)),
        method, max_gain_base=budget,
    )  # fmt: skip
    state = BucketState(realised_gain=None if before is None else Decimal(before))

    plan = of.plan(state=state)

    room = max(ZERO, Decimal(str(budget)) - (state.realised_gain or ZERO))
    assert realised(plan) <= room
    assert verify.check(plan.document()).failed == ()
    sold = any(step.side is Side.SELL for step in plan.steps)
    assert (plan.realised_gain is not None) is sold
    if plan.realised_gain is not None:
        assert plan.realised_gain.short + plan.realised_gain.long == realised(plan)
        assert plan.realised_gain.before == state.realised_gain


def test_the_rule_of_a_strategy_has_its_rates_and_days():
    rule = LotRule.of(Rules(score=Score(tax_rate=0.3)), taxed(1, sessions=2).snapshot.as_of)

    assert (rule.method, rule.long_days, rule.short, rule.long) == (
        "fifo", 365, Decimal("0.3"), Decimal("0.3"),
    )  # fmt: skip
