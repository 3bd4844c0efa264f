"""What an owner asks of one plan: to rebalance, to invest money, or to take money out by a day.

of_mode      a mode with its amount and day becomes money that is brought or taken out
with_flows   that money in the inputs of a plan; it never changes the bucket's cash
one_sided    the rules without the sides that are closed for this plan
asked_of     both, of a stored bucket
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from steelyard.errors import InputError, did_you_mean
from steelyard.importers import Inputs, deposits, withdrawals
from steelyard.runs.stored import StoredOrder
from steelyard.strategies import Strategy, overlay

Mode = Literal["rebalance", "invest", "withdraw"]
MODES: tuple[Mode, ...] = get_args(Mode)
OWNER = "the owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Money and closed sides of one plan, as the command line writes them.

    deposit    `USD=1200`, there on the day of the plan
    withdraw   `USD=1200` or `USD=1200@2026-01-15`
    by         who closes a side: it stands beside the setting
    """

    deposit: Sequence[str] = ()
    withdraw: Sequence[str] = ()
    no_sell: bool = False
    no_buy: bool = False
    by: str = OWNER


NOTHING_ASKED = Asked()


def of_mode(mode: str, amount: str = "", currency: str = "", on: str = "") -> Asked:
    """What a mode asks: invest buys only, withdraw raises the amount by the day; "" = no day said.

    Raises InputError for a mode that is none. The amount is checked where it is planned.
    """
    money = f"{currency.strip()}={amount.strip()}" + (f"@{on.strip()}" if on.strip() else "")
    if mode == "rebalance":
        return NOTHING_ASKED
    if mode == "invest":
        return Asked(deposit=(money,), no_sell=True)
    if mode == "withdraw":
        return Asked(withdraw=(money,))
    near = did_you_mean(mode, MODES)
    raise InputError(
        f"There is no mode {mode[:40]!r}.{near} Nothing was planned. The modes are "
        f"{', '.join(MODES)}.",
        code="no_such_mode",
        place="mode",
        value=mode,
        limit=", ".join(MODES),
        hint=near.strip(),
    )


def asked_of(order: StoredOrder, asked: Asked) -> StoredOrder:
    """A bucket's next plan with what its owner asks of it; raises InputError, SettingsError."""
    if asked == NOTHING_ASKED:
        return order
    strategy = one_sided(order.strategy, no_sell=asked.no_sell, no_buy=asked.no_buy, by=asked.by)
    inputs = with_flows(order.inputs, asked.deposit, asked.withdraw, strategy)
    return replace(order, strategy=strategy, inputs=inputs)


def with_flows(
    inputs: Inputs, deposit: Sequence[str], withdraw: Sequence[str], strategy: Strategy
) -> Inputs:
    """The inputs with money that is brought and taken out; raises InputError.

    A withdrawal that names no day is as soon as sales of this plan have settled.
    """
    asked = (*deposits(deposit), *withdrawals(withdraw, strategy.limits.settlement_days))
    flows = tuple(flow.at(inputs.snapshot.as_of) for flow in asked)
    return replace(inputs, snapshot=replace(inputs.snapshot, flows=flows))


def one_sided(strategy: Strategy, *, no_sell: bool, no_buy: bool, by: str = OWNER) -> Strategy:
    """The strategy with closed sides, which its name then says; raises InputError for both."""
    if no_sell and no_buy:
        raise InputError(
            "--no-sell and --no-buy together leave nothing to plan. Nothing was planned. Leave one "
            "of them out.",
            code="no_side",
            place="--no-sell --no-buy",
            hint="leave one of them out",
        )
    closed = {"allow_sell": no_sell, "allow_buy": no_buy}
    limits = {name: False for name, off in closed.items() if off}
    if not limits:
        return strategy
    name = f"{strategy.name}, {'no sales' if no_sell else 'no buys'}"
    return overlay(strategy, {"limits": limits}, by, name)
