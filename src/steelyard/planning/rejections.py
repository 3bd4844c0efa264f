"""Why every other candidate is not in the plan: what stopped it, its number and its limit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from steelyard.arrays import PAD, IntArray
from steelyard.ledger import Account, cash_kept, feasible, groups_kept
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.notices import Drop, Stop
from steelyard.planning.choice import Choice, _change, _row
from steelyard.sentences import say

Proposers = Mapping[tuple[int, ...], Sequence[str]]
"""Sequence -> the modules that proposed it."""


def rejections(
    ctx: Context, table: Candidates, choice: Choice, proposers: Proposers
) -> Iterator[Stop]:
    """Why each candidate that is not in the plan is not in it."""
    for j in range(table.m):
        if j in choice.plan.row:
            continue
        drop = (
            _beside_plan(ctx, table, choice.plan.row, j, proposers)
            if choice.acts
            else _beside_hold(table, choice, j)
        )
        side = table.side(j)
        yield Stop(ctx.symbols[table.security[j]], side, "search", drop, table.ids[j])


def _beside_hold(table: Candidates, choice: Choice, j: int) -> Drop:
    gain = float(table.paired[j])
    if not math.isfinite(gain):
        no_money = Drop("cash", None, None, say("there is no money for it, alone or with one sale"))
        return _over_a_cap(table.account, _row([j])) or no_money
    why = say(
        "alone or with one order of the other side it gains {gain:spoints} points net; a plan must "
        "gain {least:points}",
        gain=gain,
        least=choice.threshold,
    )
    return Drop("min_improvement", gain, choice.threshold, why)


def _beside_plan(
    ctx: Context, table: Candidates, plan: tuple[int, ...], j: int, proposers: Proposers
) -> Drop:
    """The first rule that keeps row j out of the plan, in the order in which a person would ask."""
    account = table.account
    twin = next((k for k in plan if account.security[k] == account.security[j]), None)
    if twin is not None:
        swapped = _row([j if k == twin else k for k in plan])
        change = _change(table, plan, swapped)
        if not feasible(account, swapped)[0]:
            return Drop(
                "one_order_per_security",
                None,
                None,
                say("the plan trades the security in another size; this one would not fit instead"),
            )
        why = say(
            "the plan trades the security in another size; this one instead would change it by "
            "{change:spoints} points",
            change=change,
        )
        return Drop("one_order_per_security", change, 0.0, why)
    if account.conflicts[j, list(plan)].any():
        return Drop(
            "conflict",
            None,
            None,
            say("a filter keeps it out of one plan with another order of this plan"),
        )
    if len(plan) >= ctx.search.max_depth:
        why = say(
            "the plan has {orders:count} orders, the most that search.max_depth allows",
            orders=len(plan),
        )
        return Drop("max_depth", float(len(plan)), float(ctx.search.max_depth), why)
    return _added(ctx, table, plan, j, proposers)


def _added(
    ctx: Context, table: Candidates, plan: tuple[int, ...], j: int, proposers: Proposers
) -> Drop:
    """Why the plan with row j added is not the plan."""
    account, with_it = table.account, _row([*plan, j])
    if not cash_kept(account, with_it)[0]:
        cash = account.spendable + float(account.payment[with_it[0]].sum())
        why = say(
            "with it {cash:pct} of value would be left in cash; {floor:pct} must stay",
            cash=cash,
            floor=account.floor,
        )
        return Drop("cash", cash, account.floor, why)
    over = _over_a_cap(account, with_it)
    if over is not None:
        return over
    change = _change(table, plan, with_it)
    if change > 0:
        return _better_but(ctx, table, with_it, change, proposers)
    return Drop(
        "net_gain",
        change,
        0.0,
        say("adding it would change the plan by {change:spoints} points net", change=change),
    )


def _over_a_cap(account: Account, row: IntArray) -> Drop | None:
    """Which cap a set (1, d) goes over, if any."""
    turnover = float(np.abs(account.delta[row[0]]).sum()) / 2
    if account.turnover_cap is not None and turnover > account.turnover_cap:
        why = say(
            "with it turnover would be {turnover:pct}; at most {cap:pct} is allowed",
            turnover=turnover,
            cap=account.turnover_cap,
        )
        return Drop("max_turnover", turnover, account.turnover_cap, why)
    if account.group_cap is not None and not groups_kept(account, row)[0]:
        return Drop(
            "max_group",
            None,
            account.group_cap,
            say("with it a group would go over its cap of {cap:pct}", cap=account.group_cap),
        )
    return None


def _better_but(
    ctx: Context, table: Candidates, with_it: IntArray, change: float, proposers: Proposers
) -> Drop:
    """Why a set (1, d) that fits, and is worth more by the tables, is not the plan."""
    whole = np.full((1, ctx.search.max_depth), PAD, dtype=np.int64)
    whole[:, : with_it.shape[1]] = with_it
    if not all(predicate(whole)[0] for predicate in table.predicates):
        told = (
            "a filter lets no plan through that has it, which would gain {change:points} points "
            "more"
        )
        return Drop("row_filter", change, 0.0, say(told, change=change))
    if ctx.search.scope != "proposals":
        told = (
            "the plan with it would gain {change:points} points more by what the search sees, and "
            "is not the plan: the search ended at its budget, or a term that only re-ranks weighs "
            "against it"
        )
        return Drop("not_searched", change, 0.0, say(told, change=change))
    if tuple(with_it[0].tolist()) in proposers:
        told = (
            "the plan with it was proposed and would gain {change:points} points more, but a filter"
            " that ranks proposals left it out"
        )
        return Drop("ranked_out", change, 0.0, say(told, change=change))
    told = "no module proposed the plan with it, which would gain {change:points} points more"
    return Drop("not_proposed", change, 0.0, say(told, change=change))
