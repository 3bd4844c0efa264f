"""Do the journal and the broker say the same of an account?

1. read both sides, again where they differ        read
2. each execution and each order of ours           orders
3. shares of each symbol                           positions
4. money of each currency                          cash
5. the books of all owners against the broker      books
6. keep the answer, freeze, release                stored

In: `Ours` and a broker. Out: a `Reconciliation`, clean or with each `Break`. It compares and says:
nothing here sends an order, and nothing takes silence for "none".
"""

from steelyard.execution.reconcile.compare import compare
from steelyard.execution.reconcile.read import opened, reconcile
from steelyard.execution.reconcile.records import (
    Break,
    CashLine,
    Opening,
    Ours,
    PositionLine,
    Reconciliation,
    Theirs,
    Tolerances,
)

__all__ = [
    "Break",
    "CashLine",
    "Opening",
    "Ours",
    "PositionLine",
    "Reconciliation",
    "Theirs",
    "Tolerances",
    "compare",
    "opened",
    "reconcile",
]
