"""Steelyard plans the trades that best improve a portfolio, and explains every line of the plan.

What a plugin or a script needs has its name here; each is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steelyard.arrays import PAD, Factored
    from steelyard.errors import SteelyardError
    from steelyard.front import inputs, plan
    from steelyard.ledger import feasible, fill
    from steelyard.modules.candidates import Candidate, Candidates, Ranking, Ruling
    from steelyard.modules.context import Context
    from steelyard.modules.registry import (
        ModuleParams,
        opportunity_calculator,
        pattern_generator,
        score_term,
        sequence_filter,
        sequence_generator,
    )
    from steelyard.modules.terms import BlackBox, Linear, Norm, Part, Quadratic, Term, linear_part
    from steelyard.notices import Drop
    from steelyard.orders import Side
    from steelyard.plans.plan import Plan
    from steelyard.sentences import say

__all__ = [
    "PAD",
    "BlackBox",
    "Candidate",
    "Candidates",
    "Context",
    "Drop",
    "Factored",
    "Linear",
    "ModuleParams",
    "Norm",
    "Part",
    "Plan",
    "Quadratic",
    "Ranking",
    "Ruling",
    "Side",
    "SteelyardError",
    "Term",
    "feasible",
    "fill",
    "inputs",
    "linear_part",
    "opportunity_calculator",
    "pattern_generator",
    "plan",
    "say",
    "score_term",
    "sequence_filter",
    "sequence_generator",
]

_HOME = {
    "arrays": ("PAD", "Factored"),
    "errors": ("SteelyardError",),
    "front": ("inputs", "plan"),
    "ledger": ("feasible", "fill"),
    "modules.candidates": ("Candidate", "Candidates", "Ranking", "Ruling"),
    "modules.context": ("Context",),
    "modules.registry": (
        "ModuleParams",
        "opportunity_calculator",
        "pattern_generator",
        "score_term",
        "sequence_filter",
        "sequence_generator",
    ),
    "modules.terms": ("BlackBox", "Linear", "Norm", "Part", "Quadratic", "Term", "linear_part"),
    "notices": ("Drop",),
    "orders": ("Side",),
    "plans.plan": ("Plan",),
    "sentences": ("say",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, from the file where it lives."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'steelyard' has no attribute {name!r}")
    return getattr(importlib.import_module(f"steelyard.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
