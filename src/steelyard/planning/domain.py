"""Which orders of any size a plan may hold, and lists of them as exact orders.

From the context to the problem of the search over whole lots, and from its lists back to rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, frozen
from steelyard.errors import InternalError
from steelyard.ledger import Account
from steelyard.modules.candidates import Orders, Proposal
from steelyard.modules.context import Context
from steelyard.modules.opportunities.tax_loss import TAG as TAX_LOSS
from steelyard.modules.opportunities.weight_based import towards
from steelyard.modules.terms import end_state
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.bands import answers_within, by_bands
from steelyard.planning.gate import Gate
from steelyard.planning.guard import Guard
from steelyard.planning.new_money import (
    Allotment,
    allotted,
    free_in_any_size,
    least_invested,
    new_money,
    why_new_money,
)
from steelyard.planning.overdraft import needs, why_overdrawn
from steelyard.planning.raising import most_raised, raising
from steelyard.planning.reach import Reach, reach_of
from steelyard.planning.score.objective import Objective
from steelyard.planning.screen import Judge, screened
from steelyard.planning.search.lots import NONE, LotList, LotProblem, nothing
from steelyard.planning.sizing import Sized
from steelyard.planning.table import account_of, orders_table
from steelyard.planning.ways import (
    BUY,
    EXIT,
    SALE,
    SEARCHED,
    Trades,
    limits_of,
    lot_quantity,
    sized,
    trades_of,
    ways_of,
    with_free_buys,
)  # fmt: skip
from steelyard.strategies import Strategy

WHOLE = 1e-6
"""Lots: a weight that is this close to one of whole lots is it."""


@dataclass(frozen=True, kw_only=True)
class Domain:
    """Everything that may be traded; w ways.

    problem    what the search is asked
    trades     the ways before they are charged
    quantity   (w,) shares of one lot; of a full exit all that is held
    full_exit  (w,)   all that is held, in one lot
    account    the cash walk without rows: what is due stands here
    most_orders   of a list; None = any number
    seeds      lists to begin with: where cash is overdrawn, sales that pay it back
    base       what is traded whatever the score gains: the list that a better one must beat; None
               where nothing is
    asked      security -> who asks for its order in `base`
    judges     filters that have to be asked of whole lists
    wider      the problem without what new money must buy, which is searched first; None = the same
    """

    problem: LotProblem
    trades: Trades
    quantity: tuple[Decimal, ...]
    full_exit: BoolArray
    account: Account
    most_orders: int | None
    seeds: tuple[LotList, ...] = ()
    base: LotList | None = None
    asked: Mapping[int, tuple[Proposal, ...]] = field(default_factory=dict)
    judges: tuple[Judge, ...] = ()
    wider: LotProblem | None = None

    def signed(self, orders: LotList, i: int) -> Decimal:
        """Shares of the order in security i, < 0 sold; 0 where there is none."""
        w = int(orders.way[i])
        shares = ZERO if w == NONE else self.quantity[w] * int(orders.lots[i])
        return -shares if w != NONE and self.trades.lot[w] < 0 else shares


def domain_of(
    ctx: Context, objective: Objective, table: Orders, strategy: Strategy, guard: Guard
) -> Domain:
    """The ways to trade that targets, limits and filters leave, and the problem over them.

    table   of the calculators: without targets nothing but they gives a reason to trade, so that
            only what they ask for is traded, in any size up to the largest
    """
    demands = needs(ctx)
    if demands and by_bands(ctx) and _answered(ctx, table, (strategy, guard), demands[0]):
        demands = []  # what answers the bands pays it too, and cash ends inside its own
    reach = reach_of(ctx, for_cash=bool(demands))
    every = _trades(ctx, reach, table)
    if by_bands(ctx) and demands:  # what is due is raised, and nothing is bought for the score
        every = every.only(every.kind != BUY)
    ground = _ground(ctx, every, reach, strategy, guard)
    base = _answers(ctx, ground, reach) if by_bands(ctx) else _new_money(ctx, ground)
    base = None if demands else base
    if base is None and new_money(ctx):  # it buys nothing: the least order is the usual one
        reach = reach_of(ctx, for_cash=bool(demands), usual=True)
        ground = _ground(ctx, _trades(ctx, reach, table), reach, strategy, guard)
    if base is not None:
        ground = _ground(ctx, base.freed(ground.gate, ctx.n), reach, strategy, guard)
    gate, seeds = _for_cash(ground, demands)
    if base is not None:
        gate = replace(gate, account=replace(gate.account, invest=base.invest), must=base.must)
        seeds = (*seeds, base.of(gate)) if base.lots else seeds
    trades, account = gate.trades, gate.account
    problem = _problem(objective, gate, ground.conflicts)
    wider = None
    if account.invest is not None:
        free = replace(gate, account=replace(account, invest=None), judged={})
        wider = _problem(objective, free, ground.conflicts)
    kinds = zip(trades.security.tolist(), trades.kind.tolist(), strict=True)
    return Domain(
        problem=problem,
        trades=trades,
        quantity=tuple(lot_quantity(ctx, i, kind) for i, kind in kinds),
        full_exit=frozen(trades.kind == EXIT),
        account=account,
        most_orders=gate.orders,
        seeds=seeds,
        base=base.of(gate) if base is not None and base.lots else None,
        asked={} if base is None else base.asked,
        judges=gate.judges,
        wider=wider,
    )


def _trades(ctx: Context, reach: Reach, table: Orders) -> Trades:
    """Without targets what a table asks for; with them all that is in reach, its stops marked."""
    every = trades_of(ctx, reach)
    return every.asked_for(table) if ctx.target_weights is None else every.stopping(table)


def _answered(ctx: Context, table: Orders, rules: tuple[Strategy, Guard], need: Decimal) -> bool:
    """Do the answers to the bands bring what withdrawals or a debt ask for?"""
    reach = reach_of(ctx, for_cash=False)
    ground = _ground(ctx, _trades(ctx, reach, table), reach, *rules)
    base = _answers(ctx, ground, reach)
    money, listed = ground.gate.exact, base.of(ground.gate)
    at = listed.traded
    pairs = zip(listed.way[at].tolist(), listed.lots[at].tolist(), strict=True)
    return sum(money.of(w, k) for w, k in pairs) >= Fraction(need) * money.whole


def _problem(objective: Objective, gate: Gate, conflicts: IntArray) -> LotProblem:
    """What the search is asked by the rules of a gate."""
    ctx, trades, account = gate.ctx, gate.trades, gate.account
    limits, names = limits_of(ctx, account, gate.orders)
    return LotProblem(
        model=objective.model,
        start=end_state(ctx.weights, ctx.cash_weight),
        ways=ways_of(ctx, trades, objective.rates, account, gate.orders is not None),
        limits=limits,
        names=names,
        conflicts=conflicts,
        permits=gate.permits,
        empty=not account.owes and not gate.must.any(),
        must=gate.must,
        turning=gate.turning,
        turn_cash=_turn_cash(ctx, trades, gate.turning),
    )


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the filters leave: the gate of its lists, and pairs of ways (c, 2) kept apart."""

    gate: Gate
    conflicts: IntArray

    def fits(self, orders: LotList) -> bool:
        """May a list be a plan, but for what it must bring?"""
        used = np.zeros(len(self.gate.trades.security), dtype=np.bool_)
        used[orders.way[orders.traded]] = True
        return self.gate.permits(orders) and not bool(used[self.conflicts].all(axis=1).any())


def _ground(
    ctx: Context, trades: Trades, reach: Reach, strategy: Strategy, guard: Guard
) -> _Ground:
    trades, conflicts, judges = screened(ctx, trades, strategy, guard)
    turning = np.where(trades.kind == EXIT, 0, reach.turning[trades.security])
    if needs(ctx):  # a sale that pays a debt may end under its target
        turning = np.where(trades.kind == BUY, turning, 0)
    gate = Gate(
        ctx=ctx,
        trades=trades,
        account=account_of(ctx, ()),
        turning=turning,
        orders=strategy.most_orders,
        judges=judges,
    )
    return _Ground(gate, conflicts)


def _for_cash(ground: _Ground, demands: Sequence[Decimal]) -> tuple[Gate, tuple[LotList, ...]]:
    """The gate that asks for what is due, the most that some sales surely bring; and those.

    Where no list brings what is asked for, it is the most that one is known to.
    """
    gate = ground.gate
    most = [most_raised(gate, ground.conflicts)] if demands else []
    for need in (amount for amount in (*demands, *most) if amount > 0):
        cover, account = covering(gate, ground.conflicts, need), gate.account
        if cover is not None and account.exact is not None:
            exact = replace(account.exact, due=need)
            account = replace(account, due=float(need) / gate.ctx.value, exact=exact)
            return replace(gate, account=account), (cover,)
    return gate, ()


def _turn_cash(ctx: Context, trades: Trades, turning: IntArray) -> FloatArray:
    """(w,) cash after at which an order may pass its target: then drift is no higher than one lot
    before it. A buy at this and more, a sale at this and less.

    One lot before, r of the gap is left, more than half a lot; the last lot closes it, opens what
    is past it, and moves cash by itself: drift is no higher while cash is no further than r beyond
    its own target.
    """
    if ctx.target_weights is None:
        return np.zeros(len(turning))
    gap = np.abs(ctx.target_weights - ctx.weights)[trades.security]
    rest = gap - (turning - 1) * np.abs(trades.lot)
    return ctx.target_cash - np.where(trades.lot > 0, rest, -rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What is traded whatever the score gains.

    lots     security -> lots, < 0 sold
    whole    of these sold off the lot grid, all that is held
    asked    who asks for it
    invest   what a plan must buy, of value; None = nothing
    must     (n,) what every plan trades, in just these lots, and nothing else; all False = any plan
    only     is nothing else traded?
    """

    lots: Mapping[int, int]
    whole: frozenset[int]
    asked: Mapping[int, tuple[Proposal, ...]]
    must: BoolArray
    invest: float | None = None
    only: bool = False

    def of(self, gate: Gate) -> LotList:
        """As a list of ways."""
        return _listed(gate, self.lots, self.whole)

    def freed(self, gate: Gate, n: int) -> Trades:
        """The ways, these free of the hurdle; nothing but these where nothing else is traded."""
        if not self.only:
            bought, trades = np.zeros(n, dtype=np.int64), gate.trades
            bought[[*self.lots]] = [*self.lots.values()]
            if free_in_any_size(gate.ctx):
                bought = np.where(bought > 0, trades.most.max(initial=0), 0)
            return with_free_buys(trades, bought)
        listed = self.of(gate)
        way = np.sort(listed.way[listed.traded])
        trades = gate.trades.only(way)
        lots = listed.lots[trades.security]
        return replace(trades, least=lots, most=lots, free=np.ones(len(way), dtype=np.bool_))


def _listed(gate: Gate, lots: Mapping[int, int], whole: frozenset[int]) -> LotList:
    """Signed lots as a list: of each security the way that has them."""
    trades, ways = gate.trades, list[tuple[int, int]]()
    for w, i in enumerate(trades.security.tolist()):
        kind = EXIT if i in whole else BUY if lots.get(i, 0) > 0 else SALE
        count = abs(lots.get(i, 0))
        if count and trades.kind[w] == kind and trades.least[w] <= count <= trades.most[w]:
            ways.append((w, count))
    return list_of(gate.ctx.n, trades, ways)


def _new_money(ctx: Context, ground: _Ground) -> _Base | None:
    """What new money buys, as far as every rule allows it; None where it buys nothing."""
    allot = _allotted(ctx, ground)
    orders = _fitting(ground, {i: int(allot.lots[i]) for i in allot.order}, frozenset())
    if not orders:
        return None
    invest = least_invested(ctx, [*orders.items()], allot.idle)
    asked = {i: (why_new_money(ctx, i),) for i in orders}
    nothing_must = np.zeros(ctx.n, dtype=np.bool_)
    return _Base(lots=orders, whole=frozenset(), asked=asked, must=nothing_must, invest=invest)


def _allotted(ctx: Context, ground: _Ground) -> Allotment:
    """What new money would buy of what may be bought."""
    trades = ground.gate.trades
    most, buys = np.zeros(ctx.n, dtype=np.int64), trades.kind == BUY
    most[trades.security[buys]] = trades.most[buys]
    return allotted(ctx, most, new_money(ctx))


def _answers(ctx: Context, ground: _Ground, reach: Reach) -> _Base:
    """What the bands ask for, and new money, as far as every rule allows it: nothing else."""
    may, trades = np.zeros((2, ctx.n), dtype=np.bool_), ground.gate.trades
    may[np.where(trades.kind == BUY, 0, 1), trades.security] = True
    first = _allotted(ctx, ground).lots
    due = answers_within(ctx, reach, (may[0], may[1]), first, ground.gate.orders)
    orders = _fitting(ground, due.lots, due.whole)
    must = np.zeros(ctx.n, dtype=np.bool_)
    must[[*orders]] = True
    asked = {i: due.asked(ctx, i, first) for i in orders}
    return _Base(lots=orders, whole=due.whole, asked=asked, must=must, only=True)


def _fitting(ground: _Ground, orders: Mapping[int, int], whole: frozenset[int]) -> dict[int, int]:
    """Those of the orders, in their order, that may be a plan together; a lot may be rounding."""
    listed = _listed(ground.gate, orders, whole)
    if len(listed.traded) == len(orders) and ground.fits(listed):
        return dict(orders)
    good = dict[int, int]()
    for i, count in orders.items():
        for lots in (count, count - int(np.sign(count))):
            more = good | {i: lots} if lots else good
            listed = _listed(ground.gate, more, whole)
            if lots and len(listed.traded) == len(more) and ground.fits(listed):
                good = more
                break
    return good


def covering(gate: Gate, conflicts: IntArray, need: Decimal) -> LotList | None:
    """Sales that bring an amount, the last no larger than it has to be."""
    lists = (list_of(gate.ctx.n, gate.trades, sales) for sales in raising(gate, conflicts, need))
    return next((cover for cover in lists if gate.permits(cover)), None)


def list_of(n: int, trades: Trades, orders: Iterable[tuple[int, int]]) -> LotList:
    """Ways and lots as a list."""
    empty = nothing(n)
    way, lots = empty.way.copy(), empty.lots.copy()
    for w, count in orders:
        way[trades.security[w]], lots[trades.security[w]] = w, count
    return LotList(frozen(way), frozen(lots))


def seed_of(domain: Domain, table: Orders, row: Sequence[int]) -> LotList | None:
    """Rows of a table as a list; None where one is not of the domain, or two of one security."""
    parts = [_place(domain, table, j) for j in row]
    ways = [part for part in parts if part is not None]
    securities = {int(table.security[j]) for j in row}
    if len(ways) < len(parts) or len(securities) < len(parts):
        return None
    return list_of(domain.problem.n, domain.trades, ways)


def hindrance(domain: Domain, orders: Orders, row: Sequence[int]) -> str | None:
    """Which rule over whole lists keeps out rows that the ledger lets through; None: none does.

    What is not of the domain nothing was asked of.
    """
    listed = seed_of(domain, orders, row)
    if listed is None or domain.problem.permits(listed):
        return None
    agreed = all(judge(listed) for judge in domain.judges)
    return "passes_target" if agreed else "row_filter"


def list_of_row(domain: Domain, orders: Orders, row: Sequence[int]) -> LotList:
    """Rows of orders that are of the domain, as a list; raises InternalError for others."""
    listed = seed_of(domain, orders, row)
    if listed is None:
        raise InternalError(
            "The plan holds an order that no list of whole lots may have. No plan was made. Please "
            "report this.",
            code="outside_domain",
        )
    return listed


def _place(domain: Domain, table: Orders, j: int) -> tuple[int, int] | None:
    """Way and lots of an order; None where it is no order of the domain."""
    trades, quantity = domain.trades, table.quantity[j]
    first, end = np.searchsorted(trades.security, [table.security[j], table.security[j] + 1])
    for w in range(int(first), int(end)):
        lots = int(quantity // domain.quantity[w])
        same_side = bool(trades.kind[w] == BUY) is bool(table.is_buy[j])
        whole = same_side and lots * domain.quantity[w] == quantity
        if whole and int(trades.least[w]) <= lots <= int(trades.most[w]):
            return w, lots
    return None


def orders_of(
    ctx: Context, domain: Domain, table: Orders, lists: Iterable[LotList]
) -> tuple[Orders, list[tuple[int, ...]]]:
    """The table's rows, then those that only the lists have, and of each list its rows.

    Rows that only a list has bear no id: no calculator asked for them, the search did.
    """
    rows = [_row(table, j) for j in range(table.m)]
    there = {(row.i, row.side, row.quantity): j for j, row in enumerate(rows)}
    ways: dict[int, int] = {}
    indices = []
    for orders in lists:
        index = []
        at = orders.traded
        mine = sized(ctx, domain.trades, orders)
        way_of = dict(zip(at.tolist(), orders.way[at].tolist(), strict=True))
        for row in mine:
            j = there.setdefault((row.i, row.side, row.quantity), len(rows))
            own = _occasions(domain, orders, row.i)
            if j == len(rows):
                rows.append(replace(row, proposals=own or _proposals(ctx, table, row)))
            elif own and not {own[0].source} & {p.source for p in rows[j].proposals}:
                rows[j] = replace(rows[j], proposals=(*own, *rows[j].proposals))
            ways[j] = way_of[row.i]
            index.append(j)
        indices.append(tuple(sorted(index)))
    account = replace(account_of(ctx, rows), conflicts=_conflicts(domain, table, ways, len(rows)))
    account = replace(account, invest=domain.account.invest)
    if domain.account.due is not None and account.exact is not None and domain.account.exact:
        exact = replace(account.exact, due=domain.account.exact.due)
        account = replace(account, due=domain.account.due, exact=exact)
    ids = (*table.ids, *(None,) * (len(rows) - table.m))
    whole = orders_table(ctx, rows, ids, account)
    return replace(whole, free=free_orders(ctx, domain, whole)), indices


def free_orders(ctx: Context, domain: Domain, orders: Orders) -> BoolArray | None:
    """(m,) which orders are traded whatever the score gains, and in which sizes."""
    if domain.base is None:
        return None
    most = domain.problem.change(domain.base)[orders.security]
    upto = np.abs(orders.delta) <= np.abs(most) + WHOLE * ctx.lot_weight[orders.security]
    upto |= (most != 0) & free_in_any_size(ctx)
    return frozen(upto & (np.sign(orders.delta) == np.sign(most)))


def _row(table: Orders, j: int) -> Sized:
    return Sized(
        int(table.security[j]),
        table.side(j),
        table.quantity[j],
        abs(float(table.delta[j])),
        full_exit=bool(table.full_exit[j]),
        to_target=False,
        priority_weight=1.0,
        proposals=table.proposals[j],
    )


def _occasions(domain: Domain, orders: LotList, i: int) -> tuple[Proposal, ...]:
    """Who asks for an order whatever the score gains; nobody where it is not of that size."""
    base = domain.base
    if base is None or orders.way[i] != base.way[i] or orders.lots[i] != base.lots[i]:
        return ()
    return domain.asked.get(i, ())


def _proposals(ctx: Context, table: Orders, row: Sized) -> tuple[Proposal, ...]:
    """Who asked for an order of its kind in another size, nearest first, and the search, which has
    this size; the search alone where nobody did.
    """
    own = _proposal(ctx, table, row)
    if own.tags or (own is not SEARCHED and row.side is Side.SELL and _is_under(ctx, row.i)):
        return (own,)
    alike = (table.security == row.i) & (table.is_buy == (row.side is Side.BUY))
    asked = np.flatnonzero(alike).tolist()
    if not asked:
        return (own,)
    nearest = min(asked, key=lambda j: (abs(abs(float(table.delta[j])) - row.weight), j))
    return (*table.proposals[nearest], own)


def _is_under(ctx: Context, i: int) -> bool:
    return ctx.target_weights is not None and float(ctx.target_weights[i] - ctx.weights[i]) >= 0


def _proposal(ctx: Context, table: Orders, row: Sized) -> Proposal:
    """Why the search has an order that nobody asked for in this size."""
    i, is_buy = row.i, row.side is Side.BUY
    asked = np.flatnonzero((table.security == i) & (table.is_buy == is_buy)).tolist()
    for_loss = (p.why for j in asked for p in table.proposals[j] if TAX_LOSS in p.tags)
    why = next(for_loss, None)
    if why is not None:  # targets follow it, so that the gap is none of its own
        return Proposal(SEARCHED.source, why, (TAX_LOSS,))
    if ctx.target_weights is None:
        return SEARCHED
    gap = float(ctx.target_weights[i] - ctx.weights[i])
    if row.side is Side.SELL and _is_under(ctx, i):
        return Proposal(SEARCHED.source, why_overdrawn(ctx), ())
    return Proposal(
        SEARCHED.source, towards(float(ctx.weights[i]), gap + float(ctx.weights[i])), ()
    )


def _conflicts(domain: Domain, table: Orders, ways: Mapping[int, int], m: int) -> BoolArray:
    """(m, m) pairs of rows that may not go together; (0, 0) where there are none.

    ways   row -> its way, of every row that a list has
    """
    pairs = domain.problem.conflicts
    if not len(pairs) and not table.account.any_conflict:
        return frozen(np.zeros((0, 0), dtype=np.bool_))
    apart = np.zeros((m, m), dtype=np.bool_)
    apart[: table.m, : table.m] = table.account.apart
    rows, way = np.array([*ways], dtype=np.int64), np.array([*ways.values()], dtype=np.int64)
    used, place = np.unique(way, return_inverse=True)
    both = pairs[np.isin(pairs, used).all(axis=1)]
    a, b = np.searchsorted(used, both).T
    small = np.zeros((len(used), len(used)), dtype=np.bool_)
    small[a, b] = small[b, a] = True
    apart[np.ix_(rows, rows)] |= small[np.ix_(place, place)]
    return frozen(apart)
