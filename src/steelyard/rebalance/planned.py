"""The plan document of the reference engine: the same as the planner's, with its own orders.

valuation, context, score terms   as the planner has them: what is owned, and what a plan is worth
asked       the exact rows, from the exact money
filters     what a filter of orders stops waits, and its money is shared out again
caps        turnover, sectors, a year's gains: the largest orders first, as far as they go
document    written as every plan is; `certificate.scope` is "targets"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from functools import cached_property
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING

from steelyard.canonical import published
from steelyard.errors import InputError, SteelyardError, one_line
from steelyard.ledger import fill
from steelyard.market import Market
from steelyard.modules.candidates import Orders, Proposal
from steelyard.modules.context import Context
from steelyard.modules.opportunities.weight_based import towards
from steelyard.modules.registry import Kind
from steelyard.money import ZERO
from steelyard.notices import Notice
from steelyard.orders import Side
from steelyard.planning.because import Because
from steelyard.planning.case import Case, inputs_sha256
from steelyard.planning.choice import Choice, least_net, one_by_one
from steelyard.planning.contexts import context_of
from steelyard.planning.costs import exact, exact_cost
from steelyard.planning.document.write import write
from steelyard.planning.findings import SCORE_DIGITS, Findings
from steelyard.planning.guard import LONGEST_ERROR, Guard, settled
from steelyard.planning.narrative import REFERENCE
from steelyard.planning.score.objective import Objective, objective_of
from steelyard.planning.scored import doing_nothing, score_set
from steelyard.planning.sizing import Sized
from steelyard.planning.solve import Solution
from steelyard.planning.table import account_of, bare_table, orders_table
from steelyard.planning.valuation import Valuation
from steelyard.planning.wishes import let_through
from steelyard.plans.plan import Plan
from steelyard.plans.score import Certificate
from steelyard.portfolio import BucketState, Snapshot
from steelyard.rebalance.calculate import DIGITS, rows_of
from steelyard.rebalance.records import Charges, Position, Purse, RebalancePlan
from steelyard.rebalance.rules import BROKER_FLOOR, LEAST_ORDER, Thresholds
from steelyard.rebalance.stops import stops_of
from steelyard.rebalance.weights import targets_of
from steelyard.settings import Limits, Rebalance
from steelyard.strategies import ModuleChoice, Strategy
from steelyard.targets import Targets, TargetsFailed
from steelyard.telemetry.events import (
    Observe,
    PlanningCompleted,
    PlanningFailed,
    PlanningStarted,
)

if TYPE_CHECKING:
    from steelyard.calculations.cache import Calculations

COVERS = "exact orders to the target weights; nothing was searched"
IDLE = "the reference engine trades to the targets and asks no module of this kind"
TAGS = ("optimizer_target", "rebalance")
NOTHING_WAITS: Mapping[str, str] = MappingProxyType({})
SPECK = Decimal("1e-9")
"""Of value: a holding of less is dust, whatever it is in money: no float tells it from nothing."""
ASKED_NOTHING = (Kind.OPPORTUNITY, Kind.PATTERN, Kind.SEQUENCE)


class Exact(Solution):
    """A solution whose orders no score decided."""

    @cached_property
    def because(self) -> Mapping[int, Because]:
        """No term of the score is why."""
        return {}


def plan(
    snapshot: Snapshot,
    market: Market,
    strategy: Strategy,
    *,
    targets: Targets | TargetsFailed | None,
    state: BucketState | None = None,
    seed: int = 0,
    disabled: Mapping[str, str] = MappingProxyType({}),
    observe: Observe | None = None,
    warnings: Iterable[Notice] = (),
) -> Plan:
    """Plan one portfolio to its targets, exactly; arguments and answer as the planner's.

    Raises InputError without targets, PlanRefused when the value is unknown.
    """
    case = Case(
        snapshot=snapshot,
        market=market,
        strategy=strategy,
        targets=targets,
        state=state or BucketState(),
        seed=seed,
        disabled=disabled,
    )
    return solved_plan(case, observe, tuple(warnings))[1]


def solved_plan(
    case: Case,
    observe: Observe | None = None,
    warnings: tuple[Notice, ...] = (),
    calculations: Calculations | None = None,
) -> tuple[Solution, Plan]:
    """The solution of a case by the reference engine, and the document written from it."""
    findings, rules, bucket = Findings(observe), case.strategy, case.snapshot.bucket
    findings.tell(PlanningStarted(rules.name, rules.version, case.snapshot.as_of.isoformat()))

    def planned(guard: Guard) -> tuple[Solution, Plan]:
        solution = solve(case, guard)
        return solution, write(solution, guard, None, warnings)

    try:
        _need_targets(case.targets)
        guard = Guard(case.disabled, bucket=bucket, findings=findings, calculations=calculations)
        solution, document = settled(planned, guard)
    except SteelyardError as error:
        findings.tell(PlanningFailed(error.fault.code, one_line(str(error), LONGEST_ERROR)))
        raise
    gain = round(document.score.improvement, SCORE_DIGITS)
    findings.tell(PlanningCompleted(document.plan_id, len(document.steps), gain))
    return solution, document


def _need_targets(targets: Targets | TargetsFailed | None) -> None:
    if isinstance(targets, Targets):
        return
    reason = f": {targets.reason}" if targets is not None else "."
    raise InputError(
        f"Exact rebalancing needs target weights, and there are none{reason} Nothing was planned. "
        "Give them with --targets F.csv, or plan without them: steelyard plan.",
        code="no_targets",
        place="--targets",
        hint="give target weights with --targets F.csv",
    )


def solve(case: Case, guard: Guard) -> Solution:
    """The case with the reference engine's orders; what is met besides goes into the findings."""
    findings = guard.findings
    findings.problems.extend(case.strategy.problems)
    with findings.timed("value and context"):
        case, valuation, ctx = context_of(case, findings, calculations=guard.calculations)
        rules = thresholds_of(case.strategy)
        least = float(rules.min_order_base) / ctx.value
        ctx = replace(ctx, min_order_weight=least)
        objective = objective_of(ctx, case.strategy, guard)
    for choice in _unasked(case.strategy):
        guard.idle(choice.module, IDLE)
    with findings.timed("rebalance"):
        account = Account(case, valuation, ctx, rules)
        rows = account.rows()
        orders, row = _permitted(account, rows, guard)
    chosen = _chosen(ctx, objective, orders, row)
    return Exact(
        case=case,
        valuation=valuation,
        ctx=ctx,
        objective=objective,
        table=bare_table(ctx, []),
        proposers={},
        choice=chosen,
        certificate=CERTIFICATE,
        near=(),
        evidence=None,
        inputs_sha256=inputs_sha256(case, ctx, valuation.kept_out),
    )


def _unasked(strategy: Strategy) -> Iterator[ModuleChoice]:
    """The modules that only make or judge lists to choose from."""
    for kind in ASKED_NOTHING:
        yield from strategy.enabled(kind)
    yield from (c for c in strategy.enabled(Kind.FILTER) if c.module.form != "mask")


CERTIFICATE = Certificate(
    scope="targets",
    covers=COVERS,
    selected_by=None,
    status="none",
    search_gap=None,
    search_gap_of_improvement=None,
    gap=None,
    bound=None,
    structural_headroom=None,
    local_optimum=None,
    refined=None,
    neighbours=(),
    sampled=None,
    nodes=None,
    candidates=0,
    sequences=0,
    seconds=None,
)


def thresholds_of(strategy: Strategy) -> Thresholds:
    """The thresholds that a strategy sets, as they were written.

    A least order that is set counts, down to what a broker takes; else it is 5.
    """
    limits: Limits = strategy.limits
    bands: Rebalance = strategy.rebalance
    least = exact(limits.min_trade_base)
    return Thresholds(
        drift_band_weight=exact(bands.drift_band_weight),
        min_order_base=max(least, BROKER_FLOOR) if least else LEAST_ORDER,
        cash_reserve_weight=exact(limits.cash_reserve_weight),
        cash_tolerance_base=ZERO,
        allow_empty_target=True,  # a file of targets that names none is read as all cash
    )


@dataclass(frozen=True)
class Account:
    """What the rows are calculated from: the exact money of a context."""

    case: Case
    valuation: Valuation
    ctx: Context
    rules: Thresholds

    @classmethod
    def of(cls, case: Case, valuation: Valuation, ctx: Context) -> Account:
        """By the thresholds of the strategy."""
        return cls(case, valuation, ctx, thresholds_of(case.strategy))

    def rows(self, waits: Mapping[str, str] = NOTHING_WAITS) -> tuple[RebalancePlan, ...]:
        """One row a symbol; `waits`: symbol -> why it may not be traded."""
        money = self.ctx.exact
        if money is None or not self.valuation.value > 0:
            return ()
        settled_only = self.ctx.limits.funding == "settled"
        reserve = exact(published(self.ctx.reserve_weight)) * money.value
        purse = Purse(money.value, money.spendable, max(reserve, money.keeps), settled_only)
        dust = max(self.rules.dust_base, SPECK * money.value)
        rules = replace(self.rules, dust_base=dust)
        return rows_of(self.positions(waits), self.targets, purse, rules)

    @cached_property
    def targets(self) -> dict[str, Decimal]:
        """Symbol -> exact weight, classes resolved."""
        whole = self.case.target_weights
        weights = {} if whole is None else whole.weights
        return targets_of({symbol: exact(published(w)) for symbol, w in weights.items() if w > 0})

    def positions(self, waits: Mapping[str, str] = NOTHING_WAITS) -> list[Position]:
        """What is held or wanted."""
        ctx = self.ctx
        rows = [self._position(i, waits.get(ctx.symbols[i], "")) for i in range(ctx.n)]
        absent = self.targets.keys() - set(ctx.symbols)
        return rows + [Position(symbol, ZERO, None, Decimal(1), ZERO) for symbol in sorted(absent)]

    def _position(self, i: int, waits: str) -> Position:
        ctx, symbol = self.ctx, self.ctx.symbols[i]
        priced = self.valuation.priced[symbol]
        reserved = self.case.snapshot.open_quantity(symbol, Side.SELL)
        fixed, rate = exact_cost(ctx.costs, foreign=priced.security.currency != ctx.base_currency)
        own = None if ctx.band_half is None else exact(published(float(ctx.band_half[i])))
        return Position(
            symbol=symbol,
            quantity=priced.quantity,
            price=priced.share,
            step=priced.security.lot_size,
            available=max(ZERO, priced.quantity - reserved),
            can_buy=bool(ctx.can_buy[i]),
            can_sell=bool(ctx.can_sell[i]),
            band=own,
            ceiling=exact(published(float(ctx.caps[i]))) if isfinite(ctx.caps[i]) else None,
            waits=waits or ("target_without_price" if ctx.sales_wait[i] else ""),
            charges=Charges(fixed, rate),
        )

    def sized(self, row: RebalancePlan) -> Sized:
        """An order as the planner's tables have it."""
        i = self.ctx.place[row.symbol]
        weight = float(abs(row.trade_amount) / self.valuation.value)
        holding = self.ctx.holdings[i]
        exits = row.trade_amount < 0 and holding is not None and holding.quantity == row.quantity
        why = towards(float(row.current_weight), float(row.target_weight))
        side = Side.BUY if row.trade_amount > 0 else Side.SELL
        proposals = (Proposal(REFERENCE, why, TAGS),)
        return Sized(
            i, side, row.quantity, weight, exits,
            to_target=False, priority_weight=1.0, proposals=proposals,
        )  # fmt: skip


def _permitted(
    account: Account, rows: Sequence[RebalancePlan], guard: Guard
) -> tuple[Orders, list[int]]:
    """The orders that filters and limits leave, and which of them are the plan.

    What a filter stops leaves its money to the others: they are calculated again, without it.
    """
    ctx, strategy, findings = account.ctx, account.case.strategy, guard.findings
    stopped: dict[str, Sized] = {}
    quiet = replace(guard, findings=Findings(), bucket=None, broken={*guard.broken})
    while True:
        orders = _sorted(account, rows)
        passed = let_through(ctx, orders, strategy, quiet)
        fresh = {ctx.symbols[order.i]: order for order in orders if order not in passed}
        if not fresh:
            break
        stopped |= fresh
        rows = account.rows(dict.fromkeys(stopped, "filter"))
    let_through(ctx, [*orders, *stopped.values()], strategy, guard)  # once, so that it is told once
    findings.stops.extend(stops_of(ctx, rows, stopped))
    table = orders_table(ctx, orders, (None,) * len(orders), account_of(ctx, orders))
    return table, _within_caps(account, table, guard)


def _sorted(account: Account, rows: Iterable[RebalancePlan]) -> list[Sized]:
    with localcontext(prec=DIGITS):
        orders = [account.sized(row) for row in rows if row.trades]
    return sorted(orders, key=lambda order: (order.side is Side.BUY, order.i))


def _within_caps(account: Account, table: Orders, guard: Guard) -> list[int]:
    """Every order, or, where a limit is set on all of them together, the largest that keep it."""
    limits, caps = account.ctx.limits, table.account
    some = (caps.turnover_cap, caps.group_cap, caps.gains, limits.max_orders)
    everything = list(range(table.m))
    if all(cap is None for cap in some):
        return everything
    offered = sorted(everything, key=lambda j: (bool(table.is_buy[j]), -abs(table.delta[j]), j))
    depth = table.m if limits.max_orders is None else limits.max_orders
    stay = sorted(fill(caps, [], offered, depth))
    out = [account.ctx.symbols[table.security[j]] for j in everything if j not in {*stay}]
    if out:
        message = (
            f"A limit on all orders together leaves out {len(out)} of {table.m}: "
            f"{', '.join(out)}. They stay off their targets."
        )
        guard.findings.problems.append(Notice(code="limits_leave_out", message=message))
    return stay


def _chosen(ctx: Context, objective: Objective, orders: Orders, row: Sequence[int]) -> Choice:
    hold = doing_nothing(ctx, objective, orders)
    whole = score_set(ctx, objective, orders, row, hold.evaluation.score) if row else hold
    choice = Choice(orders, hold, whole, whole if row else None, (), {}, least_net(ctx), (), hold)
    return replace(choice, worths=one_by_one(ctx, objective, choice))
