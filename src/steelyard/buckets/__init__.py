"""Core and satellites: one account in separate books, each with its own budget and rules.

In: the snapshot of an account and its buckets. Out: a snapshot, a strategy and a state for each,
which is what `plan` takes; nothing of one bucket is in another's. All functions are pure.

    satellite.py   what a person sets: five sliders, four toggles, dividends, a preset
    sliders.py     those settings to a Strategy: the one mapper
    books.py       buckets, their budgets, and the split of an account into them
    units.py       deposits and withdrawals as units, funding and high-water mark
    dividends.py   where a bucket's dividends go
"""

from steelyard.buckets.books import UNASSIGNED, Bucket, Budgets, split, targets_of
from steelyard.buckets.dividends import Credit, apply_dividends
from steelyard.buckets.satellite import (
    PRESETS,
    SLIDERS,
    TOGGLES,
    DividendHandling,
    SatelliteSettings,
    Sliders,
)
from steelyard.buckets.sliders import moved_by, strategy_of
from steelyard.buckets.units import Units, mark, move, open_units, state_of

__all__ = [
    "PRESETS",
    "SLIDERS",
    "TOGGLES",
    "UNASSIGNED",
    "Bucket",
    "Budgets",
    "Credit",
    "DividendHandling",
    "SatelliteSettings",
    "Sliders",
    "Units",
    "apply_dividends",
    "mark",
    "move",
    "moved_by",
    "open_units",
    "split",
    "state_of",
    "strategy_of",
    "targets_of",
]
