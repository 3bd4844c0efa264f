"""A plan by the engine that is active, and what the other one would do beside it.

The record of a run keeps both: settings that are frozen for it, seconds, orders before any choice,
differences. A challenger has no broker: it only calculates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from steelyard.canonical import plain
from steelyard.engine import EngineSettings
from steelyard.errors import PlanRefused
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.rows import FillRow
from steelyard.execution.order_rows import average
from steelyard.importers import Inputs
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.solve import LOCAL, Steps
from steelyard.plans.plan import Plan
from steelyard.portfolio import BucketState
from steelyard.rebalance.shadow import (
    Agreement,
    Compared,
    Sent,
    Settled,
    same_sequence,
    worst,
)
from steelyard.rebalance.watch import Watched
from steelyard.runs.solving import active, case_of, solved_by, watched_of
from steelyard.strategies import Strategy


def planned(
    inputs: Inputs,
    strategy: Strategy,
    state: BucketState,
    engine: EngineSettings,
    steps: Steps = LOCAL,
) -> tuple[Plan, dict[str, Any]]:
    """(the plan, what the record of its run says of both engines).

    Raises PlanRefused where they differ unexplained and `engine.on_divergence` is block.
    """
    case = case_of(inputs, strategy, state)
    solution, plan = solved_by(
        active(engine, case), case, steps=steps, warnings=tuple(inputs.warnings)
    )
    watched = watched_of(solution) if engine.shadow == "on" else None
    record = {**engine.model_dump(), **_record(watched)}
    if watched is not None and watched.unexplained and engine.on_divergence == "block":
        raise PlanRefused(
            f"The engines differ in {len(watched.unexplained)} symbols, unexplained. No plan was "
            "made (engine.on_divergence is block).",
            code="engines_differ_block",
            place=watched.unexplained[0].symbol,
            value=len(watched.unexplained),
            limit=0,
            hint="set engine.on_divergence to alert to see the plan",
        )
    return plan, record


def _record(watched: Watched | None) -> dict[str, Any]:
    """Of both engines: seconds, and each symbol in which they are not equal."""
    if watched is None:
        return {}
    fast, reference = (_orders(watched.rows, name) for name in ("fast", "reference"))
    # what differs by symbol has its class there; of the others the sequence is one
    agreed = [row for row in watched.rows if row.agreement is Agreement.EQUAL]
    champion, challenger = (_orders(agreed, name) for name in ("fast", "reference"))
    apart = worst(same_sequence(champion, challenger, watched.lots))
    return {
        "fast_seconds": watched.fast_seconds,
        "reference_seconds": watched.reference_seconds,
        "compared": len(watched.rows),
        "unexplained": [row.symbol for row in watched.unexplained],
        "fast_orders": [_order(order) for order in fast],
        "reference_orders": [_order(order) for order in reference],
        "sequence": apart.value,
    }


def _orders(compared: Iterable[Compared], engine: str) -> list[Sent]:
    """What an engine would send, before any choice between orders: sales first."""
    lines = [(row.symbol, getattr(row, engine)) for row in compared]
    sent = [
        Sent(line.side.value, line.side, symbol, line.quantity)
        for symbol, line in lines
        if line is not None and line.side is not None
    ]
    return sorted(sent, key=lambda order: (order.side is Side.BUY, order.symbol))


def _order(order: Sent) -> dict[str, str]:
    return {
        "side": order.side.value, "symbol": order.symbol, "quantity": plain(order.quantity),
    }  # fmt: skip


def settled(journal: Journal, run_id: str) -> dict[str, Settled]:
    """Symbol -> what became of its orders in a run, to be compared with another engine's."""
    legs = {leg.step: leg for leg in rows.legs(journal, run_id)}
    fills: dict[str, list[FillRow]] = {}
    for fill in rows.fills(journal, run_id=run_id):
        fills.setdefault(fill.symbol, []).append(fill)
    return {
        leg.symbol: Settled(
            leg.state.value,
            sum((fill.quantity for fill in fills.get(leg.symbol, ())), ZERO),
            average(fills.get(leg.symbol, ())),
        )
        for leg in legs.values()
    }
