"""From a stored plan to its sheet: the case made again once, and held to the plan's own figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np

from steelyard.canonical import published
from steelyard.errors import InputError, NotStored
from steelyard.planning.bands import by_bands
from steelyard.planning.case import Case, inputs_sha256
from steelyard.planning.contexts import context_of
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard, settled
from steelyard.planning.new_money import new_money
from steelyard.planning.overdraft import needs
from steelyard.planning.score.objective import objective_of
from steelyard.planning.solve import domain_if_sized, within
from steelyard.planning.wishes import find_opportunities
from steelyard.plans.plan import Plan
from steelyard.portfolio import BucketState
from steelyard.rebalance.planned import thresholds_of
from steelyard.runs.solving import case_of
from steelyard.runs.stored import state_of_bucket
from steelyard.runs.worksheet.records import Standing
from steelyard.runs.worksheet.sheet import Owed, Sheet
from steelyard.store import buckets, plans
from steelyard.store import inputs as stored_inputs
from steelyard.store.plans import StoredPlan
from steelyard.store.store import Store
from steelyard.strategies.replayed import replayed

SAME = 1e-9
"""Rounding of a figure, of 1 or of its size."""


def opened(store: Store, plan_id: str) -> Sheet:
    """The sheet of a stored plan, by its id or the first digits of it.

    Raises NotStored, StoreError; InputError where the plan is not what its inputs give now, and
    SettingsError where its rules are not installed any more: nothing can then be compared with it.
    """
    stored = plans.load(store, plan_id)
    sheet = _sheet(stored.plan, _case(store, stored))
    wrong = next(differing(stored.plan, sheet.standings[1]), None)
    if wrong is not None:
        name, plans_own, now = wrong
        raise InputError(
            f"The plan {stored.plan.plan_id[:12]} says {name} {plans_own}, and the same inputs and "
            f"rules give {now} now: the engine is another one. Nothing was calculated; plan again.",
            code="worksheet_engine_changed",
            place=name,
            value=now,
            limit=plans_own,
            hint="plan again",
        )
    return sheet


def _case(store: Store, stored: StoredPlan) -> Case:
    """What the plan was a function of; what the bucket remembered is that which gives its hash."""
    plan, row = stored.plan, stored.row
    inputs = stored_inputs.load(store, row.portfolio, row.market)
    strategy = replayed(plan.strategy)
    disabled = {
        f"{run.kind}.{run.name}": run.error or ""
        for run in plan.modules
        if run.outcome == "disabled"
    }
    for state in _states(store, plan):
        case = case_of(inputs, strategy, state, plan.seed)
        case = replace(case, disabled=disabled)
        again, valuation, ctx = context_of(case, Findings())
        if inputs_sha256(again, ctx, valuation.kept_out) == plan.inputs_sha256:
            return case
    raise InputError(
        f"The inputs of the plan {plan.plan_id[:12]} are not all stored: they give another hash. "
        f"What the bucket {plan.bucket} remembered when it was planned, as a state file or the "
        "money that it then had, is not known any more. Nothing was calculated; plan again.",
        code="worksheet_inputs_changed",
        place=plan.bucket,
        value=plan.inputs_sha256[:12],
        hint="plan again",
    )


def _states(store: Store, plan: Plan) -> Iterator[BucketState]:
    """What a bucket may have remembered: what the document says, and what is stored of it now."""
    gain = plan.realised_gain
    told = BucketState(
        previous_verdict=plan.verdict.previous,
        realised_gain=None if gain is None else gain.before,
    )
    yield told
    try:
        bucket = buckets.bucket_of(store, plan.bucket)
    except NotStored:
        return
    state = state_of_bucket(store, bucket, replayed(plan.strategy), plan.as_of)
    yield replace(state, previous_verdict=plan.verdict.previous)


def _sheet(plan: Plan, case: Case) -> Sheet:
    """The case made ready; modules that failed in the plan are done without again."""
    gone = {
        f"{run.kind}.{run.name}": run.error or "" for run in plan.modules if run.outcome == "failed"
    }

    def ready(guard: Guard) -> Sheet:
        own, valuation, ctx = context_of(case, guard.findings)
        ctx = within(ctx, own.strategy.most_orders)
        if plan.certificate.scope == "targets":
            least = float(thresholds_of(own.strategy).min_order_base) / ctx.value
            ctx = replace(ctx, min_order_weight=least)
        objective = objective_of(ctx, own.strategy, guard)
        sheet = Sheet(plan, own, valuation, ctx, objective, guard, None)
        return replace(sheet, owed=_owed(sheet))

    return settled(ready, Guard(case.disabled, gone, findings=Findings()))


def _owed(sheet: Sheet) -> Owed | None:
    """What is asked of every plan of the case; only then the calculators are asked again."""
    ctx, strategy, guard = sheet.ctx, sheet.case.strategy, sheet.guard
    asked = needs(ctx) or new_money(ctx) or by_bands(ctx)
    if not asked or sheet.plan.certificate.scope == "targets":
        return None
    objective, change = sheet.objective, np.zeros(ctx.n)
    table = find_opportunities(ctx, objective, strategy, guard)
    domain = domain_if_sized(ctx, objective, table, strategy, guard)
    if domain is not None and ctx.search.scope == "quantities":
        if domain.base is not None:
            change = domain.problem.change(domain.base)
        return Owed(account=domain.account, change=tuple(change.tolist()))
    rows = list(table.base)
    change[table.security[rows]] = table.delta[rows]
    return Owed(account=table.account, change=tuple(change.tolist()))


def differing(plan: Plan, now: Standing) -> Iterator[tuple[str, str, str]]:
    """(figure, what the plan says, what comes out now) where they are not the same."""
    pairs = {
        "score": (plan.score.plan, now.score),
        "improvement": (plan.score.improvement, now.net),
        "drift": (plan.drift.after, now.drift),
        "turnover": (plan.turnover, now.turnover),
    }
    for name, (before, after) in pairs.items():
        same = before is after or (
            before is not None
            and after is not None
            and abs(before - after) <= SAME * max(1.0, abs(before))
        )
        if not same:
            yield name, _shown(before), _shown(after)
    amounts = {"cost": (plan.costs.total, now.costs.total)}
    zero = Decimal(0)
    for currency in sorted({*plan.cash_after, *now.cash}):
        own, then = plan.cash_after.get(currency, zero), now.cash.get(currency, zero)
        amounts[f"cash after in {currency}"] = own, then
    for name, (amount, later) in amounts.items():
        if amount != later:
            yield name, f"{amount:f}", f"{later:f}"


def _shown(figure: float | None) -> str:
    return "none" if figure is None else str(published(figure))
