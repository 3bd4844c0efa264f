"""The command line that every promise has: `python -m benchmarks.promises.c1_writers`.

    --profile ci|nightly   how hard it is tried
    --mutant               with the line that breaks the promise: what is left must be bad

It ends with 1 where anything was bad.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.promises.databases import PROFILES
from benchmarks.promises.figures import Figure

Measure = Callable[..., Figure]


def timed(measure: Measure, profile: str, *, mutant: bool = False) -> Figure:
    """The figure of a promise, with the seconds that it took."""
    start = time.perf_counter()
    figure = measure(PROFILES[profile], mutant=mutant)
    return replace(figure, seconds=time.perf_counter() - start)


def script(measure: Measure) -> None:
    """Run one promise as a program."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="ci")
    parser.add_argument("--mutant", action="store_true")
    options = parser.parse_args()
    figure = timed(measure, options.profile, mutant=options.mutant)
    print(figure, flush=True)
    sys.exit(1 if figure.bad else 0)
