"""Orders that somebody states, in the place of those that calculators ask for: as a table, judged.

They are sized already. Filters, conflicts, priorities and draws are those of every plan
(`wishes.table_of`); what one order may not be by itself stands here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from steelyard.arrays import PAD, FloatArray, IntArray, frozen, row_sums
from steelyard.ledger import SAFETY, Account, clashes, debt_paid
from steelyard.modules.candidates import Batch, Candidates, Orders, Proposal
from steelyard.modules.context import Context
from steelyard.notices import Drop
from steelyard.orders import Side
from steelyard.planning.choice import by_mode
from steelyard.planning.guard import Guard
from steelyard.planning.modes import judge
from steelyard.planning.modes.compare import figures_named
from steelyard.planning.rejections import cash_short, over_a_cap
from steelyard.planning.score.objective import Objective
from steelyard.planning.scored import Scored, doing_nothing, score_set
from steelyard.planning.sizing import Sized, exactly, paused
from steelyard.planning.solve import evaluate_batches
from steelyard.planning.table import account_of, orders_table, with_draws
from steelyard.planning.wishes import table_of
from steelyard.sentences import say
from steelyard.strategies import Strategy

WHO = "request"
"""Who proposes what is stated."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One order, sized.

    priority          what draws go by; None = what it gains
    paired_priority   the same with one order of the other side; None = what they gain
    proposals         who asked for it, and why
    """

    symbol: str
    side: Side
    quantity: Decimal
    priority: float | None = None
    paired_priority: float | None = None
    proposals: tuple[Proposal, ...] = ()

    @property
    def key(self) -> tuple[str, Side, Decimal]:
        """What makes it the same order."""
        return self.symbol, self.side, self.quantity


Key = tuple[str, Side, Decimal]


@dataclass(frozen=True, slots=True)
class Stopped:
    """What keeps a sequence from being a plan; symbol: of the order that it is about, if of one."""

    drop: Drop
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sequence is worth, and what stops it.

    place     in the sequences as they were given
    stopped   None = it may be a plan
    value     what `evaluation.mode` orders it by; None where the score of today alone does, where
              it was not compared, and of what another beats in all objectives
    figures   that the mode has of it, by name
    """

    place: int
    scored: Scored
    stopped: Stopped | None
    value: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


def distinct(orders: Sequence[Stated]) -> list[Stated]:
    """Each order once, with all its proposals and its highest priority."""
    every: dict[Key, Stated] = {}
    for order in orders:
        other = every.setdefault(order.key, order)
        if other is not order:
            seen = {proposal.source for proposal in other.proposals}
            more = tuple(p for p in order.proposals if p.source not in seen)
            every[order.key] = replace(
                other,
                proposals=(*other.proposals, *more),
                priority=_higher(other.priority, order.priority),
                paired_priority=_higher(other.paired_priority, order.paired_priority),
            )
    return list(every.values())


def _higher(a: float | None, b: float | None) -> float | None:
    return max((level for level in (a, b) if level is not None), default=None)


def stated_table(
    ctx: Context,
    objective: Objective,
    orders: Sequence[Stated],
    strategy: Strategy,
    guard: Guard,
) -> Candidates:
    """The finished table of what may be traded of the orders, each of them once.

    What must be traded whatever the score gains is in it beside.
    """
    good = [order for order in distinct(orders) if hindrance(ctx, order) is None]
    rows = [
        exactly(ctx, order.symbol, order.side, order.quantity, order.proposals) for order in good
    ]
    table, _ = table_of(ctx, objective, rows, _all, strategy, guard)
    by_key = {order.key: order for order in good}
    stated = [by_key.get(key) for key in keys(ctx, table)]
    priority = _said(
        [None if order is None else order.priority for order in stated], table.priority
    )
    paired = [None if order is None else order.paired_priority for order in stated]
    return with_draws(
        ctx, replace(table, priority=priority, together=_said(paired, table.together))
    )


def _said(levels: Sequence[float | None], own: FloatArray) -> FloatArray:
    """Figures as they are stated, where they are."""
    pairs = zip(levels, own.tolist(), strict=True)
    figures = [figure if level is None else level for level, figure in pairs]
    return frozen(np.array(figures, dtype=np.float64))


def _all(rows: list[Sized]) -> list[Sized]:
    """Orders of nearly one size are not joined: each is somebody's."""
    return rows


def keys(ctx: Context, table: Orders) -> list[Key]:
    """What each row of a table trades."""
    return [
        (ctx.symbols[int(table.security[j])], table.side(j), table.quantity[j])
        for j in range(table.m)
    ]


def hindrance(ctx: Context, order: Stated) -> Drop | None:
    """Why an order may not be traded, whatever it stands beside; None where it may."""
    return next(hindrances(ctx, order), None)


def hindrances(ctx: Context, order: Stated, least: float | None = None) -> Iterator[Drop]:
    """Every rule of its own that an order breaks.

    least   the least order, of value; None = that of the context
    """
    i, lot = ctx.place[order.symbol], ctx.securities[ctx.place[order.symbol]].lot_size
    sized = exactly(ctx, order.symbol, order.side, order.quantity, ())
    yield from _may_buy(ctx, sized) if order.side is Side.BUY else _may_sell(ctx, sized)
    if sized.full_exit:
        return
    if order.quantity % lot:
        why = say(
            "{shares:qty} shares are no multiple of {lot:qty}", shares=order.quantity, lot=lot
        )
        yield Drop("lot_size", float(order.quantity), float(lot), why)
    least = ctx.min_order_weight if least is None else least
    if sized.weight < least - SAFETY:
        why = say(
            "{weight:pct} of value; the least order of {symbol:text} is {least:pct}",
            weight=sized.weight,
            symbol=ctx.symbols[i],
            least=least,
        )
        yield Drop("min_order", sized.weight, least, why)


def _may_buy(ctx: Context, row: Sized) -> Iterator[Drop]:
    if not ctx.can_buy[row.i]:
        why = say("may not be bought: switched off, or its price is too old")
        yield Drop("allow_buy", None, None, why)
    after = float(ctx.weights[row.i]) + row.weight
    cap = max(float(ctx.caps[row.i]), float(ctx.weights[row.i]))
    if after > cap + SAFETY:
        words = "{after:pct} of value with it; at most {cap:pct} is allowed"
        yield Drop("max_position", after, cap, say(words, after=after, cap=cap))
    pause = paused(ctx)
    if pause is not None:
        yield pause


def _may_sell(ctx: Context, row: Sized) -> Iterator[Drop]:
    if not ctx.can_sell[row.i] or not ctx.quantities[row.i] > 0:
        why = say("may not be sold: not held, switched off, or its price is too old")
        yield Drop("allow_sell", None, None, why)
    sellable = float(ctx.sellable[row.i])
    if float(row.quantity) > sellable:
        words = "{shares:qty} shares are to be sold, and {held:qty} may be"
        why = say(words, shares=row.quantity, held=sellable)
        yield Drop("holdings", float(row.quantity), sellable, why)


def judged(
    ctx: Context,
    objective: Objective,
    sequences: Sequence[Sequence[Stated]],
    strategy: Strategy,
    guard: Guard,
    most: int | None = None,
) -> list[Verdict]:
    """Every sequence scored, in the order in which they come, and what stops it.

    most   that are compared as `evaluation.mode` says, the best by the score of today; None = as
           many as in a plan
    """
    every = distinct([order for sequence in sequences for order in sequence])
    table = stated_table(ctx, objective, every, strategy, guard)
    inside_at = {key: j for j, key in enumerate(keys(ctx, table))}
    inside = [[inside_at.get(order.key) for order in sequence] for sequence in sequences]
    free = [j is not None and not table.hurdled[j] for j in (inside_at.get(o.key) for o in every)]
    orders = _orders(ctx, every, free)
    at = {order.key: j for j, order in enumerate(every)}
    stops = _stops(ctx, every, guard)
    hold = doing_nothing(ctx, objective, orders).evaluation.score
    may, verdicts = _feasible(ctx, table, inside, guard), list[Verdict]()
    for place, sequence in enumerate(sequences):
        scored = score_set(ctx, objective, orders, [at[order.key] for order in sequence], hold)
        stopped = None if may[place] else _stopped(ctx, table, sequence, inside[place], stops)
        verdicts.append(Verdict(place, scored, stopped))
    return _by_mode(ctx, objective, orders, verdicts, most) if by_mode(ctx) else verdicts


def _by_mode(
    ctx: Context,
    objective: Objective,
    orders: Orders,
    verdicts: Sequence[Verdict],
    most: int | None,
) -> list[Verdict]:
    """The same, with what the mode has of those that may be a plan; hold is compared with them."""
    first = sorted(
        (verdict for verdict in verdicts if verdict.stopped is None),
        key=lambda verdict: (-verdict.scored.net, verdict.place),
    )[: most or ctx.rules.evaluation.compared]
    ends = [doing_nothing(ctx, objective, orders), *(verdict.scored for verdict in first)]
    by = judge.judged(ctx, objective, orders, ends, [True] * len(ends))
    every, names = list(verdicts), figures_named(ctx)
    for k, verdict in enumerate(first, start=1):
        figures = dict(zip(names, by.figures[k].tolist(), strict=True))
        value = round(float(by.values[k]), judge.DECISIVE_DECIMALS)
        if by.on is not None:
            figures["on_frontier"] = float(by.on[k])
        every[verdict.place] = replace(
            verdict, value=value if math.isfinite(value) else None, figures=figures
        )
    return every


def _orders(ctx: Context, orders: Sequence[Stated], free: Sequence[bool]) -> Orders:
    """All orders as rows, those that no table has too; `free` of the hurdle."""
    rows = [exactly(ctx, order.symbol, order.side, order.quantity, ()) for order in orders]
    table = orders_table(ctx, rows, (None,) * len(rows), account_of(ctx, rows))
    return replace(table, free=frozen(np.array(free, dtype=np.bool_)))


def _feasible(
    ctx: Context, table: Candidates, inside: Sequence[Sequence[int | None]], guard: Guard
) -> list[bool]:
    """Which sequences may be a plan: their orders are in the table, and go together."""
    depth = max([ctx.search.max_depth, *map(len, inside)])
    whole = [k for k, row in enumerate(inside) if None not in row]
    rows = np.full((len(whole), depth), PAD, dtype=np.int64)
    for n, k in enumerate(whole):
        rows[n, : len(inside[k])] = sorted(j for j in inside[k] if j is not None)
    good = np.zeros(len(inside), dtype=np.bool_)
    if whole:
        batch = Batch(0, rows, np.zeros(len(rows), dtype=np.int64), (WHO,))
        (scores,) = evaluate_batches(table, [batch], guard.findings)
        fits = np.isfinite(scores.net) & ((rows != PAD).sum(axis=1) <= ctx.search.max_depth)
        for predicate in table.predicates:
            fits &= predicate(rows[:, : ctx.search.max_depth])
        good[whole] = fits
    return [bool(fit) for fit in good]


def _stops(ctx: Context, orders: Sequence[Stated], guard: Guard) -> Mapping[Key, Drop]:
    """Why each order that is in no table is not: a rule of its own, or a filter's."""
    by_filter = {
        (stop.symbol, stop.side): stop.drop
        for stop in guard.findings.stops
        if stop.stage == "filter"
    }
    drops = {
        order.key: hindrance(ctx, order) or by_filter.get((order.symbol, order.side))
        for order in orders
    }
    return {key: drop for key, drop in drops.items() if drop is not None}


def _stopped(
    ctx: Context,
    table: Candidates,
    sequence: Sequence[Stated],
    inside: Sequence[int | None],
    stops: Mapping[Key, Drop],
) -> Stopped:
    """The first rule that a sequence breaks, in the order in which a person would ask."""
    for order, j in zip(sequence, inside, strict=True):
        if j is None:
            return Stopped(stops[order.key], order.symbol)
    row = np.array([sorted(j for j in inside if j is not None)], dtype=np.int64)
    return Stopped(_together(ctx, table, row))


def _together(ctx: Context, table: Candidates, row: IntArray) -> Drop:
    """Why orders that may be traded may not be traded together."""
    account, count, most = table.account, row.shape[1], ctx.search.max_depth
    if count > most:
        words = "{count:count} orders; at most {most:count} are allowed"
        return Drop("max_depth", float(count), float(most), say(words, count=count, most=most))
    if clashes(account, row)[0]:
        securities = len(set(account.security[row[0]].tolist()))
        if securities < count:
            words = "{count:count} orders in {securities:count} securities; one each is allowed"
            why = say(words, count=count, securities=securities)
            return Drop("one_order_per_security", float(count), float(securities), why)
        pairs = float(np.triu(account.apart[np.ix_(row[0], row[0])]).sum())
        words = "a filter keeps {pairs:count} pairs of its orders apart"
        return Drop("conflict", pairs, 0.0, say(words, pairs=int(pairs)))
    drop = cash_short(account, row) or over_a_cap(account, row) or owing(account, row)
    why = say("a filter of sequences does not let it through")
    return drop or Drop("row_filter", None, None, why)


def owing(account: Account, row: IntArray) -> Drop | None:
    """Whether it does less than every plan must: new money put to work, a debt paid; of value."""
    if debt_paid(account, row)[0]:
        return None
    if account.invest is not None:
        bought = float(row_sums(account.bought, row)[0])
        words = "it buys {bought:pct} of value; idle cash asks for {least:pct}"
        why = say(words, bought=bought, least=account.invest)
        return Drop("new_money", bought, account.invest, why)
    brought, due = float(row_sums(account.brought, row)[0]), account.due or 0.0
    words = "it brings {brought:pct} of value in cash; {due:pct} is due"
    return Drop("due", brought, due, say(words, brought=brought, due=due))
