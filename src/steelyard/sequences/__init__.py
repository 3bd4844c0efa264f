"""Sequence generators: many sequences from the best candidates, in blocks, lazily.

In: a Context, the table of candidates, the seeds (k, d) that patterns proposed and the generator's Params. Out:
an iterator of (k, d) blocks of rows, sells first, PAD at the end, each row a set of orders that the ledger
allows, none twice and none that is a seed. Every random draw comes from `generator(ctx, name)`, so the same
inputs give the same rows, whatever else runs.

To add one: a file with a `Params` model and one function under `@sequence_generator`; its tests in
`tests/sequences/`, its parameters in `tests/contracts/`.
"""

from __future__ import annotations

import zlib

import numpy as np

from steelyard.context import Context


def generator(ctx: Context, name: str) -> np.random.Generator:
    """Random numbers of one module: from the seed of the plan and the module's name alone."""
    return np.random.default_rng([ctx.seed, zlib.crc32(name.encode("ascii"))])
