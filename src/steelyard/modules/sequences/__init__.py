"""Sequence generators: many sequences from the best candidates, in blocks, lazily.

In: a Context, the table of candidates, the seeds (k, d) that patterns proposed and the generator's
Params. Out: an iterator of (k, d) blocks of rows, sells first, PAD at the end, each row a set of
orders that the ledger allows, none twice and none that is a seed. Every random draw comes from
`generator(ctx, name)`, so the same inputs give the same rows, whatever else runs.

A generator of the form `what_if` answers when the plan is made and can change nothing in it. In: a
Context, the table, the plan's rows in the order in which they are executed, the settings of the
strategy as plain values (`Strategy.content`) and the Params. Out: an iterator of `Fill`, the plan
partly filled, or `Loosening`, a rule to solve again without. `what_if.py` scores the one and solves
the other; both end in the plan's `what_if`.

To add one: a file with a `Params` model and one function under `@sequence_generator`; its tests in
`tests/modules/sequences/`, its parameters in `tests/contracts/`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from steelyard.modules.context import Context
from steelyard.sentences import Sentence

Order = tuple[int, ...]
"""Rows of the table in the order in which a plan executes them: sells first, larger ones first."""


def generator(ctx: Context, name: str) -> np.random.Generator:
    """Random numbers of one module: from the seed of the plan and the module's name alone."""
    return np.random.default_rng([ctx.seed, zlib.crc32(name.encode("ascii"))])


@dataclass(frozen=True, slots=True)
class Fill:
    """A way in which a plan may fill.

    parent       the plan
    quantities   (steps,) what fills of each of its orders, at most all of it; 0 = nothing
    why          which way
    """

    parent: Order
    quantities: tuple[Decimal, ...]
    why: Sentence


@dataclass(frozen=True, slots=True)
class Loosening:
    """A rule to solve again without, or with less of it.

    name      in words, for people
    setting   dotted: a section's setting, `filters.NAME.PARAMETER`, `securities.SYMBOL.allow_sell`
              or `securities.lot_size`
    now       its value; a switch is 0 or 1, and `securities.lot_size` 1: a whole lot
    then      the value to try
    unit      of both: "pp" for a weight, else what one of it is called, "switch" for a switch
    """

    name: str
    setting: str
    now: float
    then: float
    unit: str
