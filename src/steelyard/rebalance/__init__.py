"""Exact target-weight rebalancing in decimals: the reference engine.

In: what is held, what it costs, and target weights. Out: one frozen row a symbol
(`calculate_rebalance_plan`), the order of one position (`position_delta`), or the same plan
document as the planner's (`plan`). Nothing is searched and no score decides: what is outside its
band is traded to its target, as far as the money pays.

    rules      thresholds, each with its unit
    records    what is asked, and the rows that answer
    weights    target weights as exact decimals
    rounding   whole steps, leftovers by largest remainder
    budget     buys made smaller in proportion to the money
    asked      the gap of a symbol to its target, and what keeps it from being traded
    sales      what is over its target, or without one
    purchases  what is under its target, as far as the money pays
    calculate  positions, targets and money to rows
    front      a snapshot to positions and money
    delta      one position to its target
    shadow     two engines compared: lines, order sequences, settlements
    watch      the reference engine beside a plan of the planner
    planned    the plan document: filters, limits, costs; stops says why a symbol is not traded
"""

from steelyard.rebalance.delta import position_delta
from steelyard.rebalance.front import calculate_rebalance_plan
from steelyard.rebalance.records import Direction, PositionDelta, RebalancePlan
from steelyard.rebalance.rules import Thresholds

__all__ = [
    "Direction",
    "PositionDelta",
    "RebalancePlan",
    "Thresholds",
    "calculate_rebalance_plan",
    "position_delta",
]
