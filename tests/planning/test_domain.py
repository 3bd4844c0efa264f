"""Which orders of any size a plan may hold: against the rules said again in plain decimals."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.world import BUSY, prepared, with_module, world
from steelyard.ledger import debt_paid, feasible
from steelyard.modules.candidates import Ruling
from steelyard.modules.registry import Kind, Module, ModuleParams
from steelyard.notices import Drop
from steelyard.planning.costs import sale_tax
from steelyard.planning.domain import domain_of, list_of, orders_of, seed_of
from steelyard.planning.guard import Guard
from steelyard.planning.search.lots import nothing
from steelyard.portfolio import Holding, TaxLot
from steelyard.sentences import say
from steelyard.settings import Costs, Limits, Score

FEWER = settings(max_examples=60)
DUST = Decimal("0.005")
HAIR = Decimal("1e-9")
"""Lots that division noise may hide."""


@st.composite
def small(draw):
    """Two or three securities of a few lots each."""
    names = ("AA", "BB", "CC")[: draw(st.sampled_from([2, 2, 3]))]
    prices = st.sampled_from(["1000", "500", "333.33", "250"])
    shares = st.sampled_from(["0", "1", "2", "3", "2.5", "0.4"])
    lines = [f"{name} {draw(shares)} @ {draw(prices)}" for name in names]
    share = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.125])
    goals = {name: draw(share) for name in names}
    return world(
        *lines, cash=draw(st.sampled_from(["500", "1000", "1500", "777.77"])),
        targets=goals,
        funds=draw(st.sampled_from([(), ("AA",)])),
        lots={"BB": draw(st.sampled_from(["1", "0.5"]))},
        costs=draw(st.sampled_from([Costs(), Costs(fixed=0.0, percent=0.0)])),
        limits=Limits(
            cash_reserve_weight=draw(st.sampled_from([0.0, 0.02, 0.25])),
            funding=draw(st.sampled_from(["proceeds", "settled"])),
            max_position_weight=draw(st.sampled_from([0.2, 0.5, 1.0])),
            min_trade_weight=draw(st.sampled_from([0.0, 0.005, 0.2])),
            max_turnover_weight=draw(st.sampled_from([None, None, 0.2])),
            max_orders=draw(st.sampled_from([None, None, 1])),
        ),
        sessions=30,
    )  # fmt: skip


def made(of):
    """The domain of a world, and what it was made of."""
    parts = prepared(of)
    return parts, domain_of(parts.ctx, parts.objective, parts.table, of.strategy, Guard())


def expressible(domain, ctx):
    """(symbol, signed shares) -> way and lots, of all that the ways allow."""
    ways = domain.problem.ways
    orders = {}
    for w in range(len(ways)):
        sign = 1 if ways.lot[w] > 0 else -1
        for lots in range(int(ways.least[w]), int(ways.most[w]) + 1):
            key = ctx.symbols[ways.security[w]], sign * lots * domain.quantity[w]
            assert key not in orders, f"{key} can be said in two ways"
            orders[key] = w, lots
    return orders


class Rules:
    """The rules of a world in decimals, from its snapshot alone."""

    def __init__(self, of, least):
        self.of, limits, costs = of, of.strategy.limits, of.strategy.costs
        self.price = {s: q.price for s, q in of.market.quotes.items()}
        self.lot = {s.symbol: s.lot_size for s in of.snapshot.securities}
        self.fund = {s.symbol for s in of.snapshot.securities if s.product_type == "ETF"}
        self.value = of.cash + sum(of.held(s) * p for s, p in self.price.items())
        self.least = Decimal(repr(least)) * self.value
        self.fixed, self.rate = Decimal(repr(costs.fixed)), Decimal(repr(costs.percent))
        self.limits = limits
        goals = of.targets.weights if of.targets else None
        self.goal = None if goals is None else {s: Decimal(repr(w)) for s, w in goals.items()}

    def order(self, symbol, shares):
        """May this be an order at all, whatever else is traded?"""
        price, lot, present = self.price[symbol], self.lot[symbol], self.of.held(symbol)
        exit_ = shares == -present
        untargeted = self.goal is None or not self.goal[symbol]
        if shares < 0 and exit_ and untargeted:
            return True
        if shares % lot or -shares > present:
            return False
        if abs(shares) / lot < self.least / (price * lot) - HAIR:
            return False
        if self.goal is not None and not (shares < 0 and untargeted):
            gap = self.goal[symbol] * self.value / price - present
            past = abs(shares) - abs(gap)
            if shares * gap <= 0 or past >= lot / 2:
                return False
        if shares < 0:
            rest = (present + shares) * price
            least = max(self.least, DUST * self.value)
            return not untargeted or rest / (price * lot) >= least / (price * lot) - HAIR
        if symbol in self.fund:
            return True
        cap = max(Decimal(repr(self.limits.max_position_weight)), present * price / self.value)
        if self.goal is not None:
            cap = max(cap, self.goal[symbol])
        return shares / lot <= (cap * self.value / price - present) / lot + HAIR

    def beyond(self, symbol, shares):
        """Would it take more money than there could ever be? Then it need not be a way."""
        money = self.of.cash
        if self.limits.funding == "proceeds":
            money += sum(self.of.held(s) * p for s, p in self.price.items())
        return shares * self.price[symbol] > money

    def together(self, orders):
        """May orders that are each allowed be one plan?"""
        flows, traded = [], Decimal(0)
        for symbol, shares in orders.items():
            amount = shares * self.price[symbol]
            flow = -amount - self.fixed - self.rate * abs(amount)
            flows.append(min(flow, Decimal(0)) if self.limits.funding == "settled" else flow)
            traded += abs(amount)
        floor = min(Decimal(repr(self.limits.cash_reserve_weight)) * self.value, self.of.cash)
        if self.of.cash + sum(flows) < floor:
            return False
        if self.limits.max_orders is not None and len(orders) > self.limits.max_orders:
            return False
        cap = self.limits.max_turnover_weight
        if cap is not None and traded / 2 / self.value > Decimal(repr(cap)) + Decimal("1e-12"):
            return False
        return all(self.turns_well(orders, symbol) for symbol in orders)

    def turns_well(self, orders, symbol):
        """An order that passes its target must not raise drift against the same a lot shorter."""
        if self.goal is None or not self.goal[symbol]:
            return True
        shares, lot = orders[symbol], self.lot[symbol]
        gap = self.goal[symbol] * self.value / self.price[symbol] - self.of.held(symbol)
        if abs(shares) <= abs(gap):
            return True
        shorter = {**orders, symbol: shares - lot if shares > 0 else shares + lot}
        return self.drift(orders) <= self.drift(shorter) + Decimal("1e-12")

    def drift(self, orders):
        off, cash = Decimal(0), self.of.cash
        for symbol, price in self.price.items():
            shares = orders.get(symbol, 0)
            off += abs((self.of.held(symbol) + shares) * price / self.value - self.goal[symbol])
            cash -= shares * price
        return (off + abs(cash / self.value - (1 - sum(self.goal.values())))) / 2


def choices(rules, symbol):
    """No order, every whole lot that there could be money for, and the exit."""
    present, lot = rules.of.held(symbol), rules.lot[symbol]
    most = int(rules.value / rules.price[symbol] / lot) + 1
    sizes = {k * lot for k in range(-int(present / lot) - 1, most + 1)}
    return sorted({*sizes, -present})


@FEWER
@given(small())
def test_a_list_may_be_a_plan_exactly_where_the_rules_in_decimals_let_it(of):
    parts, domain = made(of)
    ctx, rules = parts.ctx, Rules(of, parts.ctx.min_order_weight)
    ways = expressible(domain, ctx)
    symbols = sorted(rules.price)

    odd = []
    each = [[q for q in choices(rules, s) if q] for s in symbols]
    odd += [
        (s, str(q), (s, q) in ways)
        for s, own in zip(symbols, each, strict=True)
        for q in own
        if ((s, q) in ways) != rules.order(s, q) and not rules.beyond(s, q)
    ]
    assert odd == [], f"{len(odd)} single orders: {odd[:5]}"

    allowed = [
        [Decimal(0), *(q for q in own if (s, q) in ways)]
        for s, own in zip(symbols, each, strict=True)
    ]
    for sizes in product(*allowed):
        orders = {s: q for s, q in zip(symbols, sizes, strict=True) if q}
        rows = list_of(ctx.n, domain.trades, [ways[s, q] for s, q in orders.items()])
        due = invests(domain, rows) and (not orders or bool(rules.together(orders)))
        if domain.problem.permits(rows) != due:
            odd.append(({s: str(q) for s, q in orders.items()}, due))
    assert odd == [], f"{len(odd)} lists: {odd[:5]}"


def invests(domain, listed) -> bool:
    """Does a list put the new money to work that is there?"""
    least = domain.account.invest
    bought = np.maximum(domain.problem.change(listed), 0)
    return least is None or float(bought.sum()) >= least - 1e-9


def used(problem, listed):
    """(p,) what a list takes of each limit."""
    ways, way = problem.ways, listed.way[listed.traded]
    each = ways.use_rate[way] * listed.lots[listed.traded][:, None]
    return (ways.use[way] + each).sum(axis=0)


@FEWER
@given(small())
def test_what_is_permitted_is_feasible_as_rows_and_within_the_limits_of_the_search(of):
    parts, domain = made(of)
    problem, odd = domain.problem, []
    ways = list(expressible(domain, parts.ctx).values())
    lists = [list_of(problem.n, domain.trades, [way]) for way in ways]
    lists += [
        list_of(problem.n, domain.trades, pair) for pair in zip(ways, ways[::-1], strict=True)
    ]
    lists = [orders for orders in lists if problem.permits(orders)]
    orders, rows = orders_of(parts.ctx, domain, parts.table, lists)

    for listed, row in zip(lists, rows, strict=True):
        if not feasible(orders.account, np.array([row]))[0]:
            odd.append(f"{row} does not fit as rows")
        if (used(problem, listed) > problem.limits + 1e-9).any():
            odd.append(f"{row} passes a limit: {used(problem, listed)} of {problem.limits}")
        if not np.allclose(
            problem.change(listed), orders.after(np.zeros(problem.n), row), atol=1e-12
        ):
            odd.append(f"{row} changes other weights than the list")
        if seed_of(domain, orders, row).key != listed.key:
            odd.append(f"{row} comes back as another list")
    assert odd == []


def test_rows_that_only_a_list_has_come_after_the_table_once_and_without_an_id():
    parts, domain = made(BUSY)
    ctx, table, ways = parts.ctx, parts.table, expressible(domain, parts.ctx)
    held = {(ctx.symbols[table.security[j]], table.quantity[j]) for j in range(table.m)}
    buy = next(key for key in ways if key[1] > 0 and key not in held)
    new = list_of(ctx.n, domain.trades, [ways[buy]])
    seeds = [seed_of(domain, table, [j]) for j in range(table.m)]
    orders, rows = orders_of(ctx, domain, table, [*(s for s in seeds if s), new, new])

    assert orders.ids == (*table.ids, None)
    assert [row for row, _ in zip(rows, range(len(rows) - 2), strict=False)] == [
        (j,) for j in range(table.m) if seeds[j]
    ]
    assert rows[-2:] == [(table.m,), (table.m,)]
    assert orders.account.conflicts.size == 0
    # who asks for another size of it comes first, then the search
    *others, proposal = orders.proposals[-1]
    assert all(other.source != "search" for other in others)
    assert "under its target" in proposal.why.text


def test_a_row_that_is_not_of_the_domain_and_two_of_one_security_are_no_list():
    parts, domain = made(BUSY)
    table = parts.table
    twice = [j for j in range(table.m) if table.security[j] == table.security[0]]
    odd = replace(table, quantity=(Decimal("0.5"), *table.quantity[1:]))

    assert seed_of(domain, table, twice[:2]) is None
    assert seed_of(domain, odd, [0]) is None
    assert seed_of(domain, table, []).key == nothing(parts.ctx.n).key


def test_the_tax_of_every_quantity_is_exact_over_its_lots():
    lots = (
        TaxLot(Decimal("7"), date(2019, 1, 2), Decimal("40")),
        TaxLot(Decimal("3.5"), date(2020, 1, 2), Decimal("90")),
        TaxLot(Decimal("30"), date(2021, 1, 2), None),
        TaxLot(Decimal("59.5"), date(2022, 1, 2), Decimal("150")),
    )
    of = world("AA 100 @ 100", "BB 10 @ 100", cash="5000", score=Score(tax_rate=0.25))
    holdings = tuple(
        Holding("AA", Decimal(100), lots) if h.symbol == "AA" else h for h in of.snapshot.holdings
    )
    of = of.having(holdings=holdings)
    parts, domain = made(of)
    rates, ways, ctx = parts.objective.rates, domain.problem.ways, parts.ctx
    odd = []
    for (symbol, shares), (w, count) in expressible(domain, ctx).items():
        i, weight = ctx.symbols.index(symbol), abs(float(shares)) * float(ctx.lot_weight[0])
        tax = sale_tax(ctx, i, -shares) if shares < 0 else 0.0
        cost = ctx.costs.fixed / ctx.value + ctx.costs.percent * weight
        due = rates.total(cost, tax, 1)
        if abs(ways.charge[w] + ways.rate[w] * count - due) > 1e-12:
            odd.append((symbol, str(shares), ways.charge[w] + ways.rate[w] * count, due))

    assert odd == []
    assert (domain.trades.kind[ways.security == 0] == 1).sum() == 4


def test_overdrawn_cash_is_paid_back_by_a_seed_and_doing_nothing_is_no_plan():
    of = world(
        "AA 40 @ 100", "BB 30 @ 100", "CC 1 @ 50", cash="-2000", targets={"AA": 0.5, "BB": 0.4}
    )
    parts, domain = made(of)
    (seed,) = domain.seeds
    orders, (row,) = orders_of(parts.ctx, domain, parts.table, [seed])

    assert not domain.problem.empty
    assert not domain.problem.permits(nothing(parts.ctx.n))
    assert domain.problem.permits(seed)
    assert domain.problem.names[-1] == "due"
    assert debt_paid(orders.account, np.array([row]))[0]
    assert not orders.is_buy[list(row)].any()
    # one lot less of the last sale would not reach
    brought = sum(orders.account.exact.flows[j] for j in row)
    assert orders.account.exact.due <= brought < orders.account.exact.due + 100


def filtering(form, call):
    """BUSY with a filter from outside."""
    outside = Module(
        Kind.FILTER,
        "mine",
        "1.0.0",
        "From outside",
        ModuleParams,
        call,
        form=form,
        source="mine.py",
    )
    return made(replace(BUSY, strategy=with_module(BUSY.strategy, outside)))


def test_a_mask_that_judges_sizes_is_asked_of_every_list():
    def small_only(ctx, table, params):
        keep = np.abs(table.delta) <= 0.05
        drops = {int(j): Drop("big", None, None, say("too big")) for j in np.flatnonzero(~keep)}
        return Ruling(keep, drops)

    parts, domain = filtering("mask", small_only)
    ways = domain.problem.ways
    odd = []
    for key, way in expressible(domain, parts.ctx).items():
        orders = list_of(parts.ctx.n, domain.trades, [way])
        size = abs(float(domain.problem.change(orders).sum()))
        if size > 0.05 and domain.problem.permits(orders):
            odd.append(key)
    assert odd == []
    assert (np.abs(ways.lot) * ways.most > 0.05).any()


def test_pairs_that_a_filter_keeps_apart_are_pairs_of_ways_and_of_rows():
    def no_two_buys(ctx, table, params):
        apart = table.is_buy[:, None] & table.is_buy[None, :]
        np.fill_diagonal(apart, False)
        return apart

    parts, domain = filtering("pairs", no_two_buys)
    buys = np.flatnonzero(domain.problem.ways.lot > 0)
    both = list_of(
        parts.ctx.n, domain.trades, [(w, int(domain.problem.ways.least[w])) for w in buys[:2]]
    )
    orders, (row,) = orders_of(parts.ctx, domain, parts.table, [both])

    assert {*map(tuple, domain.problem.conflicts.tolist())} == {
        (a, b)
        for a in buys.tolist()
        for b in buys.tolist()
        if a < b and domain.trades.security[a] != domain.trades.security[b]
    }
    assert not feasible(orders.account, np.array([row]))[0]


def test_a_predicate_of_rows_sees_exactly_the_orders_of_a_list():
    def two_at_most(ctx, table, params):
        return lambda rows: (rows >= 0).sum(axis=1) <= 2

    parts, domain = filtering("rows", two_at_most)
    ways, n = domain.problem.ways, parts.ctx.n
    sizes = zip(ways.least.tolist(), ways.most.tolist(), strict=True)
    orders = [(w, lots) for w, ends in enumerate(sizes) for lots in {*ends}]

    def permitted(count: int) -> bool:
        lists = (list_of(n, domain.trades, some) for some in combinations(orders, count))
        return any(domain.problem.permits(x) for x in lists if len(x.traded) == count)

    assert permitted(2)
    assert not permitted(3)
