"""From the lists that the search brings back to the plan: chosen, and what each order is worth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import localcontext
from types import MappingProxyType

import numpy as np

from steelyard.arrays import PAD, IntArray
from steelyard.ledger import debt_paid
from steelyard.modules.candidates import Candidates, Orders
from steelyard.modules.context import Context
from steelyard.planning.bands import by_bands
from steelyard.planning.choice import (
    RUNNERS_UP,
    Choice,
    Finalists,
    Worth,
    by_mode,
    choose,
    one_by_one,
)
from steelyard.planning.costs import DIGITS
from steelyard.planning.domain import Domain, orders_of, seed_of
from steelyard.planning.drift import drift_of
from steelyard.planning.keep import TIE, Pool
from steelyard.planning.modes.compare import compare
from steelyard.planning.modes.judge import Compare
from steelyard.planning.proof import ByLots, Evidence
from steelyard.planning.refine import refined
from steelyard.planning.score.objective import Objective
from steelyard.planning.search.lots import Listed
from steelyard.planning.tilted import wider

FEW = 5
"""Best sets of each table that are compared beside lists of whole lots."""


def chosen(
    ctx: Context,
    objective: Objective,
    table: Candidates,
    proposals: Pool,
    searched: tuple[Domain | None, Evidence],
    compared: Compare = compare,
) -> Choice:
    """The plan of the strategy's scope, beside the best of the narrower ones.

    compared   who compares the best lists where more than the score of today decides
    """
    domain, evidence = searched
    if evidence.lots is not None:
        return _by_lots(ctx, objective, table, proposals, (evidence, evidence.lots), compared)
    every, base = bool(objective.black_boxes) or by_mode(ctx), table.base
    owed = table.account.due is not None
    if owed and by_bands(ctx):  # what answers the bands pays what is due too, or is not asked for
        row = np.array([[*base, *[PAD] * (ctx.search.max_depth - len(base))]], dtype=np.int64)
        owed = not (base and debt_paid(table.account, row)[0])
        base = () if owed else base
    must = table.account.owes
    named, pool = {"greedy": _row(evidence.greedy)}, proposals
    if ctx.search.scope != "proposals" or (must and not len(proposals.rows)):
        named |= {"proposal": _row(proposals.rows)} if len(proposals.rows) else {}
        pool = evidence.proof.pool
    finalists = Finalists.of_pool(table, pool, every=every)
    choice = choose(ctx, objective, finalists, named, owed=owed, base=base, compared=compared)
    by_score = choice.judgement is None
    if domain is not None and by_score and not (choice.acts and choice.rests):
        choice = refined(ctx, objective, choice, domain)
    return replace(choice, worths=one_by_one(ctx, objective, choice))


def _by_lots(
    ctx: Context,
    objective: Objective,
    table: Candidates,
    proposals: Pool,
    searched: tuple[Evidence, ByLots],
    compared: Compare,
) -> Choice:
    evidence, lots = searched
    named = {"greedy": _row(evidence.greedy)}
    for name, pool in (("proposal", proposals), ("candidates", evidence.proof.pool)):
        row = _best_paying(table, pool, lots.domain)
        named |= {} if row is None else {name: row}
    met = lots.proof.lists
    # it may rank what the search has left behind above all it brings
    pools = (evidence.proof.pool, proposals)
    if objective.black_boxes:
        met = _with_pools(table, pools, lots, wider(objective, lots) if by_mode(ctx) else ())
    elif by_mode(ctx):
        few = [replace(pool, rows=pool.rows[:FEW], net=pool.net[:FEW]) for pool in pools]
        met = _with_pools(table, few, lots, wider(objective, lots))
    choice, plan = best_list(ctx, objective, table, (lots.domain, met), named, compared)
    many = len(choice.plan.row) > ctx.search.resolved_orders
    if plan is None or many or choice.judgement is not None:
        return replace(choice, worths=one_by_one(ctx, objective, choice))
    return replace(choice, worths=tuple(_resolved(ctx, objective, choice, plan, lots)))


def _best_paying(table: Orders, pool: Pool, domain: Domain) -> list[int] | None:
    """The best of a pool that brings what whole lots must; a table may be able to bring less, and
    its sets are no plans then.
    """
    cash, due = table.account.exact, None
    if domain.account.exact is not None:
        due = domain.account.exact.due
    rows = (_row(pool.rows[k:]) for k in range(len(pool.rows)))
    if cash is None or due is None:
        return next(rows, None)
    with localcontext(prec=DIGITS):  # sums of flows are exact
        return next((row for row in rows if sum(cash.flows[j] for j in row) >= due), None)


def _with_pools(
    table: Orders, pools: Iterable[Pool], lots: ByLots, more: Iterable[Listed]
) -> tuple[Listed, ...]:
    """The lists of the search, some more, and those of pools over the table that it permits, best
    first.
    """
    lists = {listed.orders.key: listed for listed in (*lots.proof.lists, *more)}
    for pool in pools:
        for row in pool.rows.tolist():
            orders = seed_of(lots.domain, table, [j for j in row if j != PAD])
            if orders is not None and lots.domain.problem.permits(orders):
                lists.setdefault(orders.key, Listed(orders, lots.search.place(orders).net))
    return tuple(sorted(lists.values(), key=lambda listed: -listed.net))


def best_list(
    ctx: Context,
    objective: Objective,
    table: Orders,
    searched: tuple[Domain, tuple[Listed, ...]],
    named: Mapping[str, Sequence[int]] = MappingProxyType({}),
    compared: Compare | None = None,
) -> tuple[Choice, Listed | None]:
    """The best of the lists of a search, without its worths, and as it was listed; None: hold.

    compared   None = by the score of today, whatever the strategy says
    """
    domain, met = searched
    every = bool(objective.black_boxes) or (compared is not None and by_mode(ctx))
    lists = _deciding(met, every=every)
    base = () if domain.base is None else (domain.base,)
    orders, rows = orders_of(ctx, domain, table, [*(listed.orders for listed in lists), *base])
    owed, rest = domain.account.due is not None, rows[len(lists)] if base else ()
    finalists = Finalists(orders, tuple(rows[: len(lists)]), tuple(lt.net for lt in lists))
    choice = choose(ctx, objective, finalists, named, owed=owed, base=rest, compared=compared)
    places = [*lists, *(Listed(orders, choice.base.net) for orders in base)]
    return choice, places[rows.index(choice.plan.row)] if choice.acts else None


def _deciding(lists: tuple[Listed, ...], *, every: bool) -> list[Listed]:
    """The ties of the best and the runners-up; all of them where a black box re-ranks."""
    tied = sum(listed.net >= lists[0].net - TIE for listed in lists)
    return list(lists if every else lists[: tied + RUNNERS_UP])


def _resolved(
    ctx: Context, objective: Objective, choice: Choice, plan: Listed, lots: ByLots
) -> Iterator[Worth]:
    """What each order of the plan is worth: beside the best list without its security.

    Where a plan must do something no list may do it without: then beside the other orders. So too
    where that list is better than the plan: it is not worth what is asked for, and no plan.
    """
    owes = not lots.search.problem.empty
    apart = one_by_one(ctx, objective, choice) if owes else ()
    for n, j in enumerate(choice.plan.row):
        place = lots.search.without(plan.orders, int(choice.orders.security[j]))
        if owes and (place is None or place.net > choice.plan.net + TIE):
            yield apart[n]
            continue
        holds = place is None or (place.net <= 0 and not owes)
        net, change = (
            (0.0, np.zeros(ctx.n)) if holds or place is None else (place.net, place.change)
        )
        cash = ctx.cash_weight - math.fsum(change.tolist())
        drift = drift_of(ctx, ctx.weights + change, cash)
        yield Worth(choice.plan.net - net, drift, resolved=True)


def _row(rows: IntArray) -> list[int]:
    return [j for j in rows[0].tolist() if j != PAD]
