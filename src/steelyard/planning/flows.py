"""Money that the owner brings or takes out: what of it no plan can be made for, and its sums.

Flows come first: value, weights and targets are of what is owned after all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from steelyard.errors import PlanRefused, SeveralReasons, SteelyardError
from steelyard.money import ZERO, FxRate
from steelyard.portfolio import Flow, Snapshot

NOTHING = "Nothing was planned."


def withdrawn_of(snapshot: Snapshot, rates: Mapping[str, Decimal]) -> Decimal:
    """Sum of the withdrawals, base currency, >= 0."""
    out = (-flow.amount * rates[flow.currency] for flow in snapshot.flows if flow.amount < 0)
    return sum(out, ZERO)


def brought_of(snapshot: Snapshot, rates: Mapping[str, Decimal]) -> Decimal:
    """Sum of the deposits, base currency, >= 0."""
    return sum((f.amount * rates[f.currency] for f in snapshot.flows if f.amount > 0), ZERO)


def refuse_flows(snapshot: Snapshot, rates: Mapping[str, FxRate | None]) -> None:
    """Raise for every flow that is no amount, is of a day that is past, or has no rate."""
    reasons = [reason for flow in snapshot.flows for reason in _faults(flow, snapshot, rates)]
    if len(reasons) > 1:
        raise SeveralReasons(reasons, NOTHING)
    if reasons:
        raise reasons[0]


def _faults(
    flow: Flow, snapshot: Snapshot, rates: Mapping[str, FxRate | None]
) -> Iterator[SteelyardError]:
    what = f"The {'deposit' if flow.amount > 0 else 'withdrawal'} of {_shown(flow)}"
    place = "--deposit" if flow.amount > 0 else "--withdraw"
    if flow.on < snapshot.as_of:
        hint = "leave it out if it is in the cash already, or plan as of that day (--as-of)"
        yield PlanRefused(
            f"{what} is of {flow.on}, before the day of the plan ({snapshot.as_of}). {NOTHING} "
            f"{hint[:1].upper()}{hint[1:]}.",
            code="flow_past",
            place=place,
            value=flow.on,
            limit=snapshot.as_of,
            hint=hint,
        )
    if rates.get(flow.currency) is None:
        hint = (
            f"add a rate of {flow.currency} (--fx), or give the amount in {snapshot.base_currency}"
        )
        yield PlanRefused(
            f"{what} cannot be valued: there is no usable exchange rate from {flow.currency} into "
            f"{snapshot.base_currency}. {NOTHING} {hint[:1].upper()}{hint[1:]}.",
            code="flow_without_rate",
            place=place,
            value=_shown(flow),
            limit=f"a rate of {flow.currency} in {snapshot.base_currency}",
            hint=hint,
        )


def refuse_too_much(snapshot: Snapshot, value: Decimal, withdrawn: Decimal) -> None:
    """Raise where withdrawals leave nothing to plan with; `value` is after all flows."""
    if not withdrawn or value > 0:
        return
    base, most = snapshot.base_currency, max(value + withdrawn, ZERO)
    raise PlanRefused(
        f"Withdrawals of {base} {withdrawn:,.2f} leave nothing: the account is worth "
        f"{base} {most:,.2f}, deposits included. {NOTHING} Take out less; to close an account, "
        "sell everything.",
        code="withdrawal_too_large",
        place="--withdraw",
        value=f"{withdrawn:.2f} {base}",
        limit=f"under {most:.2f} {base}",
        hint="take out less; to close an account, sell everything",
    )


def _shown(flow: Flow) -> str:
    return f"{flow.currency} {abs(flow.amount):,.2f}"
