"""What holds of every plan, whatever the world: money, lots, caps, and all is accounted for."""

from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given

from builders.changes import exact, untimed
from builders.world import World, prepared
from builders.worlds import FEWER, SOME, worlds
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.document.account import settlement_date
from steelyard.plans.plan import Plan, plan_id
from steelyard.strategies import Strategy
from steelyard.targets import Targets

ROUNDING = 1e-9
FEW = 20
"""Names up to which thresholds stand as they are; of more they follow 1 / names."""


def in_base(world: World, cash: dict[str, Decimal]) -> Decimal:
    return sum(
        (cash[currency] * world.rates[currency] for currency in cash if cash[currency]), ZERO
    )


def cash_stays_above_the_reserve_or_above_what_it_was(world: World, plan: Plan) -> None:
    if plan.steps:
        # what open buys may take is promised: it keeps no reserve
        margin = Decimal(str(world.strategy.costs.fx_percent))
        foreign = in_base(world, {c: abs(a) for c, a in plan.cash.items() if c != "USD"})
        # foreign cash counts less its conversion
        assert in_base(world, plan.cash_after) - world.open_buys >= min(
            plan.reserve, world.cash - margin * foreign - world.open_buys
        )


def no_balance_ends_under_0_and_open_buys_keep_their_money(world: World, plan: Plan) -> None:
    for currency, after in plan.cash_after.items():
        before = plan.cash.get(currency, ZERO)
        assert after >= min(ZERO, before)
        if currency == "USD":
            assert after >= min(world.open_buys, before)


def only_what_a_currency_lacks_is_converted(world: World, plan: Plan) -> None:
    margin = Decimal(str(world.strategy.costs.fx_percent))
    pairs = [{line.from_, line.to} for line in plan.conversions]
    assert all("USD" in pair for pair in pairs)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    for line in plan.conversions:
        if line.from_ == "USD":
            assert plan.cash_after.get(line.to, ZERO) <= 0
        in_usd = line.amount if line.from_ == "USD" else line.amount * line.rate
        assert line.cost == in_usd * margin
    if any(line.to == "USD" for line in plan.conversions):
        assert plan.cash_after["USD"] < max(world.open_buys, ZERO) + 1


def nothing_is_sold_short(world: World, plan: Plan) -> None:
    for step in plan.steps:
        if step.side is Side.SELL:
            promised = world.snapshot.open_quantity(step.symbol, Side.SELL)
            assert step.quantity <= world.held(step.symbol) - promised
    assert all(row.quantity >= 0 for row in plan.holdings_after)


def a_quantity_is_whole_lots_or_exactly_what_is_held(world: World, plan: Plan) -> None:
    for row in plan.candidates:
        security = world.snapshot.security(row.symbol)
        assert security is not None
        assert row.quantity > 0
        exit_ = row.side is Side.SELL and row.quantity == world.held(row.symbol)
        assert exit_ or row.quantity % security.lot_size == 0


def money_is_quantity_times_price_times_rate(world: World, plan: Plan) -> None:
    costs = world.strategy.costs
    for step in plan.steps:
        assert step.price == world.market.quotes[step.symbol].price
        assert step.fx_rate == world.rates[step.currency]
        assert step.notional == step.quantity * step.price
        assert step.notional_base == step.quantity * step.price * step.fx_rate
        fixed, percent = (Decimal(str(c)) for c in (costs.fixed, costs.percent))
        assert step.costs.commission == fixed + percent * step.notional_base
        assert step.costs.total == step.costs.commission + step.costs.spread + step.costs.fx


def the_cash_walk_is_exact(world: World, plan: Plan) -> None:
    sign = {Side.SELL: 1, Side.BUY: -1}
    flow = sum((sign[step.side] * step.notional_base for step in plan.steps), ZERO)
    costs = sum((step.costs.commission + step.costs.spread for step in plan.steps), ZERO)
    margins = sum((line.cost for line in plan.conversions), ZERO)
    assert plan.costs.total == costs + margins
    gained = in_base(world, plan.cash_after) - in_base(world, plan.cash)
    assert abs(gained - (flow - costs - margins)) < Decimal("1e-18")


def weights_cash_and_costs_sum_to_one(world: World, plan: Plan) -> None:
    if plan.value:
        cash = float((in_base(world, plan.cash_after) + plan.costs.total) / plan.value)
        # debts near the value of the holdings make weights of any size
        weights = sum(row.weight for row in plan.holdings_after)
        assert weights + cash == pytest.approx(1, abs=ROUNDING * max(1, abs(cash)))


def most_orders(strategy: Strategy) -> float:
    """A list of the table has at most `max_depth` orders, one of whole lots as asked."""
    limits, search = strategy.limits, strategy.search
    asked = np.inf if limits.max_orders is None else limits.max_orders
    return asked if search.scope == "quantities" else min(asked, search.max_depth)


def sells_come_first_and_a_security_comes_once(world: World, plan: Plan) -> None:
    sides = [step.side for step in plan.steps]
    assert sides == sorted(sides, key=lambda side: side is Side.BUY)
    symbols = {step.symbol for step in plan.steps}
    assert len(symbols) == len(plan.steps) <= most_orders(world.strategy)


def a_plan_is_worth_it_or_it_is_hold(world: World, plan: Plan) -> None:
    follows = FEW / max(FEW, len(world.prepared.ctx.symbols))
    least = float(f"{world.strategy.score.min_improvement * follows:.6g}")
    if world.state is not None and world.state.previous_verdict == "act":
        least *= world.strategy.score.latch_share
    assert plan.score.min_improvement == pytest.approx(least, abs=ROUNDING)
    assert (plan.verdict.action == "act") == bool(plan.steps)
    if plan.steps and not overdrawn(world):
        assert plan.score.improvement >= least
        assert plan.score.improvement > 0
    elif plan.steps:
        assert any(step.side is Side.SELL for step in plan.steps)
    else:
        assert plan.score.improvement == 0
    score = plan.score
    gain = score.plan - score.hold - score.charges.total
    assert gain == pytest.approx(score.improvement, abs=ROUNDING * max(1, abs(score.hold)))
    for which in ("hold", "plan"):
        total = sum(term.weight * getattr(term, which) for term in score.terms)
        assert total == pytest.approx(getattr(score, which), rel=ROUNDING, abs=ROUNDING)


SHORT = {"cash_short", "reserve_short"}
"""Problems of the account itself: the plan says them and is none the worse."""


def overdrawn(world: World) -> bool:
    """What is owed is paid by sales, whatever they are worth and wherever the targets are."""
    return world.snapshot.balances.get("USD", ZERO) < 0


def lot_weight(world: World, plan: Plan, symbol: str) -> float:
    """What a lot weighs: an order may pass its target by less than half of that."""
    security = world.snapshot.security(symbol)
    assert security is not None
    lot = security.lot_size * world.market.quotes[symbol].price * world.rates[security.currency]
    return float(lot / plan.value)


def no_order_moves_a_security_away_from_its_target(world: World, plan: Plan) -> None:
    if not isinstance(world.targets, Targets):
        return
    sells_for_cash = overdrawn(world)
    before = {row.symbol: row.weight for row in plan.holdings if row.weight is not None}
    for step in plan.steps:
        if step.side is Side.SELL and sells_for_cash:
            continue
        target = world.targets.weights.get(step.symbol, 0.0)
        assert abs(step.weight_after - target) <= abs(before[step.symbol] - target) + ROUNDING
        past = (step.weight_after - target) * (1 if step.side is Side.BUY else -1)
        assert past <= lot_weight(world, plan, step.symbol) / 2 + ROUNDING


def caps_are_kept_or_not_worsened(world: World, plan: Plan) -> None:
    limits = world.strategy.limits
    for step in plan.steps:
        security = world.snapshot.security(step.symbol)
        if step.side is Side.BUY and security is not None and not security.is_fund:
            goals = world.targets.weights if isinstance(world.targets, Targets) else {}
            target = goals.get(step.symbol, 0.0)
            most = max(limits.max_position_weight, target, step.weight_before)
            assert step.weight_after <= most + ROUNDING
    if limits.max_turnover_weight is not None:
        assert plan.turnover <= limits.max_turnover_weight + ROUNDING
    if limits.max_group_weight is not None:
        ctx = prepared(world).ctx
        after = {row.symbol: row.weight for row in plan.holdings_after}
        moved = np.array([after.get(symbol, 0.0) for symbol in ctx.symbols])
        for groups in (ctx.sectors, ctx.countries):
            if groups.counts:
                most = np.maximum(limits.max_group_weight, ctx.weights @ groups.shares)
                assert (moved @ groups.shares <= most + ROUNDING).all()


def settled_money_alone_pays_where_asked(world: World, plan: Plan) -> None:
    bought = [step for step in plan.steps if step.side is Side.BUY]
    if world.strategy.limits.funding == "settled" and bought:
        spent = sum((step.notional_base + step.costs.total for step in bought), ZERO)
        assert plan.cash["USD"] - world.open_buys >= spent


def every_candidate_ends_exactly_once(world: World, plan: Plan) -> None:
    orders = {(row.symbol, row.side, row.quantity) for row in plan.candidates}
    searched = [step for step in plan.steps if step.candidate is None]
    assert all((step.symbol, step.side, step.quantity) not in orders for step in searched)
    ends = Counter(step.candidate for step in plan.steps if step.candidate is not None)
    ends += Counter(row.candidate for row in plan.not_traded if row.candidate)
    assert ends == Counter(row.id for row in plan.candidates)


def every_held_or_targeted_security_is_accounted_for(world: World, plan: Plan) -> None:
    ends = {row.symbol for row in (*plan.not_traded, *plan.steps)}
    targets = world.targets.weights if isinstance(world.targets, Targets) else {}
    owned = {holding.symbol for holding in world.snapshot.holdings}
    assert owned | {symbol for symbol, weight in targets.items() if weight} <= ends


def priorities_lie_between_0_and_1(world: World, plan: Plan) -> None:
    assert all(0 <= row.priority <= 1 for row in plan.candidates)


def the_ladder_ends_at_the_cash_after(world: World, plan: Plan) -> None:
    rungs = {(rung.currency, rung.kind, rung.date): rung.balance for rung in plan.cash_ladder}
    day = settlement_date(plan.as_of, world.strategy.limits.settlement_days)
    for currency, amount in plan.cash_after.items():
        assert rungs[currency, "settled", plan.as_of] == plan.cash.get(currency, ZERO)
        if plan.steps and currency == "USD":
            # without a rung of its own where what comes in goes out
            before = plan.cash.get(currency, ZERO)
            assert rungs.get((currency, "traded", plan.as_of), before) == amount
            assert rungs.get((currency, "settled", day), before) == amount


def alternatives_are_other_ends_that_are_not_better(world: World, plan: Plan) -> None:
    assert plan.alternatives[0].name == "hold"
    assert plan.alternatives[0].steps == ()
    runners_up = [a for a in plan.alternatives if a.name.startswith("runner_up")]
    ends = [frozenset(exact(a)) for a in runners_up]
    assert len(set(ends)) == len(ends) <= 3
    assert frozenset(exact(plan)) not in ends
    if plan.steps:
        # hold leaves a debt where it is, so it may be worth more than paying it
        hold = () if overdrawn(world) else (plan.alternatives[0],)
        best = max((a.improvement for a in (*hold, *runners_up)), default=-np.inf)
        assert best <= plan.score.improvement + ROUNDING


def the_id_is_that_of_the_document(world: World, plan: Plan) -> None:
    assert plan.plan_id == plan_id(plan.document())


RULES = (
    cash_stays_above_the_reserve_or_above_what_it_was,
    no_balance_ends_under_0_and_open_buys_keep_their_money,
    only_what_a_currency_lacks_is_converted, nothing_is_sold_short,
    a_quantity_is_whole_lots_or_exactly_what_is_held, money_is_quantity_times_price_times_rate,
    the_cash_walk_is_exact, weights_cash_and_costs_sum_to_one,
    sells_come_first_and_a_security_comes_once, a_plan_is_worth_it_or_it_is_hold,
    no_order_moves_a_security_away_from_its_target, caps_are_kept_or_not_worsened,
    settled_money_alone_pays_where_asked, every_candidate_ends_exactly_once,
    every_held_or_targeted_security_is_accounted_for, priorities_lie_between_0_and_1,
    the_ladder_ends_at_the_cash_after,
    alternatives_are_other_ends_that_are_not_better, the_id_is_that_of_the_document,
)  # fmt: skip


@SOME
@given(worlds())
def test_every_plan_keeps_every_rule(world):
    plan = world.plan()

    for rule in RULES:
        rule(world, plan)
    assert {problem.code for problem in plan.problems} <= SHORT


@FEWER
@given(worlds())
def test_on_its_targets_a_portfolio_has_no_candidate(world):
    held = prepared(world)
    assume(held.valuation.value > 0)
    on_target = {
        symbol: float(weight)
        for symbol, weight in zip(held.ctx.symbols, held.ctx.weights, strict=True)
    }
    assume(sum(on_target.values()) <= 1)
    there = World(world.snapshot, world.market, world.strategy, Targets(on_target), world.state)

    plan = there.plan()

    assert plan.candidates == ()
    assert plan.verdict.action == "hold"


@FEWER
@given(worlds())
def test_the_plan_of_a_world_is_the_same_twice(world):
    first, second = world.plan(), world.plan()

    assert first.plan_id == second.plan_id
    assert untimed(first) == untimed(second)
