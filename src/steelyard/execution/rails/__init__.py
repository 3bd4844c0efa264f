"""The rails: before anything is sent, every one of these is asked, and one that blocks is enough.

In: `Facts`, a frozen record; what is not known is None. Out: for each rail `Pass` with its evidence
or `Block` with a code. A rail is a pure function in the file of its theme; to add one, write it
there and name it in `RAILS`: nothing else switches one on or off.
"""

from __future__ import annotations

from steelyard.execution.rails.facts import Facts
from steelyard.execution.rails.judge import (
    Block,
    Judged,
    Pass,
    Rail,
    Scope,
    Verdict,
    ask,
    blocks,
)

RAILS: tuple[Rail, ...] = ()


def judge(facts: Facts, scope: Scope) -> tuple[Judged, ...]:
    """Every rail's verdict, in the order of `RAILS`; with an order at hand all of them are asked."""
    return tuple(ask(rail, facts) for rail in RAILS if scope == "order" or rail.scope == "run")


__all__ = [
    "RAILS",
    "Block",
    "Facts",
    "Judged",
    "Pass",
    "Rail",
    "Scope",
    "Verdict",
    "blocks",
    "judge",
]
