"""Brute force: of all sets of candidates, written down one by one, the plan is the best.

The cash walk is exact decimals on the plan document, the score that of the readable evaluator:
nothing here is shared with the search.
"""

import itertools
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from builders.world import Prepared, World, prepared, with_params, world
from builders.worlds import SOME, worlds
from steelyard.arrays import PAD
from steelyard.modules.candidates import Batch, Scores
from steelyard.modules.registry import Kind
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.choice import Choice, Finalists, choose
from steelyard.planning.costs import exact_cost
from steelyard.planning.findings import Findings
from steelyard.planning.keep import FEW, MOST_TIES, TIE, Pool, best
from steelyard.planning.score.reference import evaluate as reference
from steelyard.planning.solve import evaluate_batches
from steelyard.plans.plan import Plan
from steelyard.settings import Costs, Limits, Search

MOST_ROWS = 8
MOST_DEPTH = 4
SLACK = 1e-9
NEAR = {"abs": 1e-9, "rel": 1e-9}


@dataclass(frozen=True)
class Enumerated:
    """Every set of a table: its net, by how much of value it keeps all limits (< 0: breaks one)."""

    net: dict[tuple[int, ...], float]
    slack: dict[tuple[int, ...], float]
    base: float
    """Net of what new money buys whatever the score gains; 0 where there is none."""

    def best(self, least_slack: float) -> float:
        """The best net of the sets that keep every limit by that much; hold is among them."""
        return max(
            (self.net[row] for row in self.net if self.slack[row] >= least_slack), default=0.0
        )


def enumerated(portfolio: World, solved: Prepared, plan: Plan, rows: list[int]) -> Enumerated:
    """All sets of at most `max_depth` of the rows of the table, one order per security."""
    asked = [j for j, order in enumerate(plan.candidates) if asked_for(plan).get(order.symbol)
             == (order.side, order.quantity)]  # fmt: skip
    sets = Enumerated({}, {}, net_of(solved, plan, tuple(asked)) if asked else 0.0)
    for size in range(1, portfolio.strategy.search.max_depth + 1):
        for row in itertools.combinations(rows, size):
            orders = [plan.candidates[j] for j in row]
            if len({order.symbol for order in orders}) == len(orders):
                sets.net[row] = net_of(solved, plan, row)
                sets.slack[row] = min(
                    cash_slack(portfolio, plan, row),
                    cap_slack(portfolio, solved, plan, row),
                    invested_slack(portfolio, solved, plan, row),
                )
    return sets


def asked_for(plan: Plan) -> dict[str, tuple[Side, Decimal]]:
    """Symbol -> what is traded whatever the score gains: side and quantity."""
    alternative = next((other for other in plan.alternatives if other.name == "asked_for"), None)
    steps = () if alternative is None else alternative.steps
    return {step.symbol: (step.side, step.quantity) for step in steps}


def is_free(plan: Plan, j: int) -> bool:
    """Is an order of its side traded whatever the score gains? Then no hurdle is charged."""
    order = plan.candidates[j]
    side, most = asked_for(plan).get(order.symbol, (None, ZERO))
    brought = any(flow.amount > 0 for flow in plan.flows)
    return order.side is side and (brought or order.quantity <= most)


def signed(plan: Plan, j: int) -> Decimal:
    order = plan.candidates[j]
    return order.notional_base if order.side is Side.BUY else -order.notional_base


def net_of(solved: Prepared, plan: Plan, row: tuple[int, ...]) -> float:
    """Score after less before, less the charges of `spec/scoring.md` 2.8, in plain numbers."""
    score, value = solved.ctx.score, plan.value
    weights = solved.ctx.weights.copy()
    for j in row:
        weights[solved.ctx.symbols.index(plan.candidates[j].symbol)] += float(
            signed(plan, j) / value
        )
    cash = solved.ctx.cash_weight - float(sum((signed(plan, j) for j in row), ZERO) / value)
    terms, shares = solved.objective.terms, solved.objective.weights
    before = reference(terms, shares, solved.ctx.weights, solved.ctx.cash_weight).score
    after = reference(terms, shares, weights, cash).score
    lo, hi = score.anchors.tr
    per_return = max(shares.get("total_return", 0.0) / (hi - lo), score.min_score_per_return)
    cost = float(sum((plan.candidates[j].cost for j in row), ZERO) / value)
    tax = sum(float(solved.table.tax[j]) for j in row)
    discount = (1 - (1 + score.neutral.mu) ** -score.tax_years) / score.tax_years
    return (
        after
        - before
        - per_return * (score.cost_aversion / score.holding_years * cost + discount * tax)
        - score.order_hurdle * sum(not is_free(plan, j) for j in row)
    )


def cash_slack(portfolio: World, plan: Plan, row: tuple[int, ...]) -> float:
    """Sells first, then buys: what is left above the floor, of value."""
    margin = Decimal(str(portfolio.strategy.costs.fx_percent))
    foreign = sum(
        (abs(amount) * portfolio.rates[c] for c, amount in plan.cash.items() if c != "USD"), ZERO
    )
    spendable = portfolio.cash - portfolio.open_buys - margin * foreign
    floor = min(plan.reserve, max(spendable, ZERO), spendable)
    brought = [-signed(plan, j) - plan.candidates[j].cost for j in row]
    if min(brought) >= ZERO:
        return np.inf
    settled = portfolio.strategy.limits.funding == "settled"
    return float(
        (spendable + sum(min(money, ZERO) if settled else money for money in brought) - floor)
        / plan.value
    )


def invested_slack(portfolio: World, solved: Prepared, plan: Plan, row: tuple[int, ...]) -> float:
    """What the buys come to over what they must: they leave no more new money than what is asked
    for does, or one lot of it, whatever is sold.
    """
    asked = asked_for(plan)
    if not asked:
        return np.inf
    base = [order for order in plan.candidates if (order.side, order.quantity) ==
            asked.get(order.symbol)]  # fmt: skip
    bought = sum((order.notional_base for order in base), ZERO)
    costs = sum((order.cost for order in base), ZERO)
    cash = portfolio.cash - portfolio.open_buys
    goal = Decimal(repr(solved.ctx.target_cash)) * plan.value
    foreign = sum(
        (abs(amount) * portfolio.rates[c] for c, amount in plan.cash.items() if c != "USD"), ZERO
    )
    margin = Decimal(str(portfolio.strategy.costs.fx_percent)) * foreign
    money = min(cash - max(goal, plan.reserve), cash - margin - plan.reserve)
    lots = [
        solved.ctx.lot_weight[solved.ctx.place[order.symbol]]
        for order in plan.candidates
        if "new_money" in order.tags
    ]
    idle = min(Decimal(repr(float(min(lots)))) * plan.value, money)
    least = bought - max(ZERO, idle - (money - bought - costs))
    buys = sum((max(signed(plan, j), ZERO) for j in row), ZERO)
    return float((buys - least) / plan.value) + SLACK


def cap_slack(portfolio: World, solved: Prepared, plan: Plan, row: tuple[int, ...]) -> float:
    limits, slack = portfolio.strategy.limits, np.inf
    if limits.max_turnover_weight is not None:
        traded = float(sum((plan.candidates[j].notional_base for j in row), ZERO) / plan.value)
        slack = min(slack, limits.max_turnover_weight - traded / 2 + SLACK)
    if limits.max_group_weight is not None:
        moved = solved.ctx.weights.copy()
        for j in row:
            moved[solved.ctx.symbols.index(plan.candidates[j].symbol)] += float(
                signed(plan, j) / plan.value
            )
        for groups in (solved.ctx.sectors, solved.ctx.countries):
            if groups.counts:
                before, after = solved.ctx.weights @ groups.shares, moved @ groups.shares
                slack = min(
                    slack,
                    float((np.maximum(limits.max_group_weight, before) - after).min()) + SLACK,
                )
    return slack


def chosen_of(solved: Prepared, pool: Pool) -> Choice:
    """The plan among the sets of a pool over the table."""
    finalists = Finalists.of_pool(solved.table, pool, every=False)
    return choose(solved.ctx, solved.objective, finalists, {}, owed=False)


def of_table(depth: int) -> Search:
    """The best set of the table as it is: the sizes of its orders are not fitted."""
    return Search(max_depth=depth, scope="candidates", refine=False)


def small(portfolio: World) -> World:
    """At most four orders a plan."""
    return replace(
        portfolio,
        strategy=replace(
            portfolio.strategy,
            search=of_table(min(MOST_DEPTH, portfolio.strategy.search.max_depth)),
        ),
    )


@SOME
@given(worlds(most=4))
def test_the_plan_is_the_best_of_all_sets_of_its_table(portfolio):
    portfolio = small(portfolio)
    plan, solved = portfolio.plan(), prepared(portfolio)
    # what a debt asks of a list is told in test_overdraft: this oracle knows no debts
    assume(1 <= len(plan.candidates) <= MOST_ROWS + 4 and solved.table.account.due is None)
    every = enumerated(portfolio, solved, plan, list(range(len(plan.candidates))))

    sure, possible = every.best(SLACK), every.best(-SLACK)
    least = plan.score.min_improvement

    assert plan.certificate.status == "proven"
    if plan.rests:
        assert plan.score.improvement == pytest.approx(every.base, **NEAR)
        assert sure < max(least, every.base) + SLACK
    else:
        chosen = tuple(sorted(int(step.candidate[1:]) - 1 for step in plan.steps))
        assert plan.score.improvement == pytest.approx(every.net[chosen], **NEAR)
        assert plan.score.improvement >= max(every.base, least) - SLACK
        assert every.slack[chosen] >= 0
        assert sure - SLACK <= plan.score.improvement <= possible + SLACK


@st.composite
def exact_worlds(draw: st.DrawFn) -> World:
    """Two to four funds off their targets; on them, the cash is exactly the reserve, or nothing."""
    symbols = ["AA", "BB", "CC", "DD"][: draw(st.integers(2, 4))]
    shares, cents = st.integers(0, 60), st.integers(500, 30_000)
    before, due = ({s: draw(shares) for s in symbols} for _ in range(2))
    prices = {s: Decimal(draw(cents)) / 100 for s in symbols}
    reserve = draw(st.sampled_from(["0", "0.2"]))
    costs = Costs(fixed=draw(st.sampled_from([0.0, 2.0])))
    moved = {s: abs(due[s] - before[s]) * prices[s] for s in symbols if due[s] != before[s]}
    fixed, rate = exact_cost(costs, foreign=False)
    paid = sum((fixed + rate * amount for amount in moved.values()), ZERO)
    value = (sum(due[s] * prices[s] for s in symbols) + paid) / (1 - Decimal(reserve))
    cash = value - sum(before[s] * prices[s] for s in symbols)
    assume(cash > 0 and any(due[s] > before[s] for s in symbols))
    return world(
        *(f"{s} {before[s]} @ {prices[s]}" for s in symbols), cash=str(cash),
        targets={s: float(due[s] * prices[s] / value) for s in symbols if due[s]}, funds=symbols,
        sessions=1, costs=costs, limits=Limits(cash_reserve_weight=float(reserve)),
        search=of_table(MOST_DEPTH),
    )  # fmt: skip


@SOME
@given(exact_worlds())
def test_a_list_that_leaves_exactly_the_reserve_may_be_the_plan(portfolio):
    plan, solved = portfolio.plan(), prepared(portfolio)
    assume(1 <= len(plan.candidates) <= MOST_ROWS + 4)
    every = enumerated(portfolio, solved, plan, list(range(len(plan.candidates))))

    best_net, least = every.best(0.0), plan.score.min_improvement

    assert plan.certificate.status == "proven"
    if best_net >= max(every.base, least) + SLACK:
        assert plan.score.improvement == pytest.approx(best_net, **NEAR)
        chosen = tuple(sorted(int(step.candidate[1:]) - 1 for step in plan.steps))
        assert every.slack[chosen] >= 0


@SOME
@given(worlds(), st.data())
def test_given_all_sets_of_a_few_candidates_the_steps_choose_the_best(portfolio, data):
    portfolio = small(portfolio)
    plan, solved = portfolio.plan(), prepared(portfolio)
    # as above, without debts
    assume(len(plan.candidates) >= 2 and solved.table.account.due is None)
    some = data.draw(
        st.lists(
            st.sampled_from(range(solved.table.m)), min_size=1, max_size=MOST_ROWS, unique=True
        ).map(sorted)
    )
    every = enumerated(portfolio, solved, plan, some)

    depth = portfolio.strategy.search.max_depth
    rows = np.array(
        [[*row, *[PAD] * (depth - len(row))] for row in every.net], dtype=np.int64
    ).reshape(-1, depth)
    cut = data.draw(st.integers(1, max(1, len(rows))))
    batches = [
        Batch(
            n, rows[start : start + cut], np.zeros(len(rows[start : start + cut]), dtype=np.int64),
            ("all",),
        )
        for n, start in enumerate(range(0, len(rows), cut))
    ]  # fmt: skip
    pool = best(
        depth, data.draw(st.permutations(list(evaluate_batches(solved.table, batches, Findings()))))
    )
    choice = chosen_of(solved, pool)

    sure, possible = every.best(SLACK), every.best(-SLACK)
    if choice.acts:
        assert sure - SLACK <= choice.plan.net <= possible + SLACK
        assert choice.plan.net == pytest.approx(every.net[choice.plan.row], **NEAR)
    else:
        assert sure < max(choice.threshold, SLACK)


# ties: what is exactly as good may not depend on who came first


nets = st.sampled_from([0.1, 0.1 + TIE / 3, 0.1 - TIE / 3, 0.05, -0.2, -np.inf])


@st.composite
def scored_rows(draw: st.DrawFn):
    """Distinct canonical rows with many equal nets, in some batches."""
    rows = draw(
        st.lists(
            st.sets(st.integers(0, 9), min_size=1, max_size=3).map(lambda row: tuple(sorted(row))),
            max_size=120,
            unique=True,
        )
    )
    cells = np.array([[*row, *[PAD] * (3 - len(row))] for row in rows], dtype=np.int64).reshape(
        -1, 3
    )
    return cells, np.array(draw(st.lists(nets, min_size=len(rows), max_size=len(rows))))


@given(scored_rows(), st.randoms(use_true_random=False), st.integers(1, 40))
def test_the_order_of_arrival_cannot_change_what_is_kept(scored, random, cut):
    rows, net = scored
    order = random.sample(range(len(net)), len(net))
    batches = [
        Scores(n, rows[part], net[part])
        for n, part in enumerate(order[k : k + cut] for k in range(0, len(order), cut))
    ]

    portfolio, parts = best(3, [Scores(0, rows, net)]), best(3, batches)

    assert np.array_equal(portfolio.rows, parts.rows)
    assert np.array_equal(portfolio.net, parts.net)
    assert portfolio.seen == parts.seen == int(np.isfinite(net).sum())


@given(scored_rows())
def test_what_is_kept_is_the_best_in_order_with_every_tie(scored):
    rows, net = scored
    finite = np.isfinite(net)

    pool = best(3, [Scores(0, rows, net)])

    ties = int((net >= net.max() - TIE).sum()) if finite.any() else 0
    assert len(pool.net) == min(int(finite.sum()), max(FEW, min(ties, MOST_TIES)))
    assert list(pool.net) == sorted(net[finite], reverse=True)[: len(pool.net)]
    order = [(-value, tuple(row)) for value, row in zip(pool.net, pool.rows.tolist(), strict=True)]
    assert order == sorted(order)


def mirrored(depth: int) -> World:
    """Two securities that differ in their names alone, both over their targets."""
    targets = {"AA": 0.4, "AB": 0.4}
    portfolio = world(
        "AA 100 @ 100", "AB 100 @ 100", "ZZ 0 @ 100", cash="1000", targets=targets, sessions=1,
        search=Search(max_depth=depth),
    )  # fmt: skip
    return replace(
        portfolio,
        strategy=with_params(portfolio.strategy, Kind.FILTER, "eligibility", min_hold_days=0),
    )


@pytest.mark.parametrize("scope", ["candidates", "proposals"])
def test_of_two_equal_sets_the_first_by_name_is_chosen(scope):
    portfolio = mirrored(1)
    plan = replace(
        portfolio, strategy=replace(portfolio.strategy, search=Search(max_depth=1, scope=scope))
    ).plan()

    runner_up = next(a for a in plan.alternatives if a.name == "runner_up_1")
    assert [step.symbol for step in plan.steps] == ["AA"]
    assert [step.symbol for step in runner_up.steps] == ["AB"]
    assert runner_up.improvement == pytest.approx(plan.score.improvement, abs=TIE)


def test_fewer_orders_win_a_tie_and_then_the_lower_cost():
    portfolio = mirrored(2)
    solved = prepared(portfolio)
    rows = np.array([[0, 1], [0, PAD], [1, PAD]], dtype=np.int64)
    pool = best(
        2,
        evaluate_batches(
            solved.table, [Batch(0, rows, np.zeros(3, dtype=np.int64), ("x",))], Findings()
        ),
    )
    choice = chosen_of(solved, pool)

    assert choice.best is not None
    ranked = [choice.best, *choice.runners_up]
    keys = [(-round(s.net, 12), len(s.row), round(s.cost, 12), s.row) for s in ranked]
    assert keys == sorted(keys)
