"""A stored plan opened to be changed by hand: its case, and all that any orders are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

import numpy as np

from steelyard.arrays import FloatArray, frozen
from steelyard.ledger import Account
from steelyard.modules.candidates import Orders, Proposal
from steelyard.modules.context import Context
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.choice import Choice, least_net
from steelyard.planning.domain import WHOLE
from steelyard.planning.guard import Guard
from steelyard.planning.new_money import free_in_any_size
from steelyard.planning.score.objective import Objective
from steelyard.planning.scored import doing_nothing, score_set
from steelyard.planning.sizing import Sized, exactly
from steelyard.planning.solve import Solution
from steelyard.planning.table import account_of, orders_table, unscored
from steelyard.planning.valuation import Valuation
from steelyard.plans.plan import Plan
from steelyard.runs.worksheet.records import Standing
from steelyard.runs.worksheet.standing import standing_of
from steelyard.sentences import say

BY_HAND = Proposal("worksheet", say("stated by hand"), ())
"""Who asks for an order that the plan does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What every plan of the case must do, and what is free of the hurdle.

    account   `due`, `invest` and the due of its `exact` bind any orders too
    change    (n,) signed change of weight that is asked for whatever the score gains
    """

    account: Account
    change: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Sheet:
    """A stored plan with everything that judges other orders in its place; never changed.

    owed    None where nothing is due and nothing is free of the hurdle
    """

    plan: Plan
    case: Case
    valuation: Valuation
    ctx: Context
    objective: Objective
    guard: Guard
    owed: Owed | None

    @cached_property
    def calculated(self) -> Mapping[str, Decimal]:
        """The plan's orders: symbol -> signed shares."""
        return {
            step.symbol: step.quantity if step.side is Side.BUY else -step.quantity
            for step in self.plan.steps
        }

    @cached_property
    def standings(self) -> tuple[Standing, Standing]:
        """Before any order, and under the calculated ones."""
        return standing_of(self.solution({})), standing_of(self.solution(self.calculated))

    @cached_property
    def weights(self) -> FloatArray:
        """(n,) weights after the calculated orders."""
        m = self.solution(self.calculated)
        return m.orders.after(self.ctx.weights, m.choice.plan.row)

    def orders(self, quantities: Mapping[str, Decimal]) -> list[Sized]:
        """Signed shares as orders, sells first, then by symbol; 0 is none."""
        rows = [
            exactly(
                self.ctx,
                symbol,
                Side.BUY if quantity > 0 else Side.SELL,
                abs(quantity),
                self._proposals(symbol, quantity),
            )
            for symbol, quantity in quantities.items()
            if quantity
        ]
        return sorted(rows, key=lambda row: (row.side is Side.BUY, row.i))

    def _proposals(self, symbol: str, quantity: Decimal) -> tuple[Proposal, ...]:
        """Who asked for an order of its kind in the plan, with the tags that filters look at."""
        step = self.plan.step(symbol)
        if step is None or (step.side is Side.BUY) is not (quantity > 0):
            return (BY_HAND,)
        return tuple(Proposal(source, BY_HAND.why, step.tags) for source in step.proposed_by)

    def table(self, rows: list[Sized]) -> Orders:
        """Orders as a table: its account has all that binds them together."""
        account = account_of(self.ctx, rows)
        if self.owed is not None:
            due = self.owed.account
            exact = account.exact
            if exact is not None and due.exact is not None:
                exact = replace(exact, due=due.exact.due)
            account = replace(account, due=due.due, invest=due.invest, exact=exact)
        table = orders_table(self.ctx, rows, (None,) * len(rows), account)
        if self.owed is None:
            return table
        change = np.array(self.owed.change)[table.security]
        upto = np.abs(table.delta) <= np.abs(change) + WHOLE * self.ctx.lot_weight[table.security]
        upto |= (change != 0) & free_in_any_size(self.ctx)
        return replace(table, free=frozen(upto & (np.sign(table.delta) == np.sign(change))))

    def solution(self, quantities: Mapping[str, Decimal]) -> Solution:
        """The orders in the place of the plan's, scored by the readable reference evaluator."""
        orders = self.table(self.orders(quantities))
        hold = doing_nothing(self.ctx, self.objective, orders)
        row = range(orders.m)
        whole = score_set(self.ctx, self.objective, orders, row, hold.evaluation.score)
        choice = Choice(
            orders, hold, whole if orders.m else hold, None, (), {}, least_net(self.ctx), (), hold
        )
        return Solution(
            case=self.case,
            valuation=self.valuation,
            ctx=self.ctx,
            objective=self.objective,
            table=unscored(orders),
            proposers={},
            choice=choice,
            certificate=self.plan.certificate,
            evidence=None,
            near=(),
            inputs_sha256=self.plan.inputs_sha256,
        )
