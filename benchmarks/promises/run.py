"""Every promise, one line each: `make promises PROFILE=ci|nightly`.

    python -m benchmarks.promises.run [--profile nightly] [--only C3] [--mutants] [--page]

--mutants   break each promise: then each must be bad, and the run fails where one is not
--page      write docs/promises.md from the lines; see `page`
Ends with 1 where anything was bad.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from types import MappingProxyType, ModuleType

from benchmarks.promises import (
    a1_kills,
    a5_disk,
    a7_runners,
    b2_events,
    c1_writers,
    c2_readers,
    c3_kills,
    c4_history,
    c5_exchange,
    c6_contract,
    c7_listing,
    d1_evaluators,
    d2_all_gone,
    d3_slow,
    d4_answers,
    e2_fault_mix,
    e8_engines,
    f1_rails,
    f6_chain,
    g1_fleet,
    p1_batches,
    page,
    s1_same,
    s2_speed,
    s3_load,
    s4_memory,
)
from benchmarks.promises.databases import PROFILES
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import timed

SCRIPTS: Mapping[str, ModuleType] = MappingProxyType(
    {
        "A1": a1_kills,
        "A5": a5_disk,
        "A7": a7_runners,
        "B2": b2_events,
        "C1": c1_writers,
        "C2": c2_readers,
        "C3": c3_kills,
        "C4": c4_history,
        "C5": c5_exchange,
        "C6": c6_contract,
        "C7": c7_listing,
        "D1": d1_evaluators,
        "D2": d2_all_gone,
        "D3": d3_slow,
        "D4": d4_answers,
        "E2": e2_fault_mix,
        "E8": e8_engines,
        "F1": f1_rails,
        "F6": f6_chain,
        "G1": g1_fleet,
        "P1": p1_batches,
        "S1": s1_same,
        "S2": s2_speed,
        "S3": s3_load,
        "S4": s4_memory,
    }
)


NIGHTLY = ("C6",)
"""Left out of the quick profile."""


TIMED = frozenset({"C7", "D3", "S2", "S3"})
"""What is about time has the machine to itself."""


def measured(names: Sequence[str], profile: str, *, mutants: bool, jobs: int) -> list[Figure]:
    """The figure of each promise, printed as it comes."""
    figures: list[Figure] = []
    alone = [name for name in names if jobs < 2 or name in TIMED]
    for name in alone:
        figures.append(figure_of(name, profile, mutants))
        print(figures[-1], flush=True)
    rest = [name for name in names if name not in alone]
    if not rest:
        return figures
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(figure_of, name, profile, mutants) for name in rest]
        for ended in as_completed(running):
            figures.append(ended.result())
            print(figures[-1], flush=True)
    return figures


def figure_of(name: str, profile: str, mutants: bool) -> Figure:
    """One promise, tried."""
    return timed(SCRIPTS[name].measure, profile, mutant=mutants)


def main() -> int:
    """Run them; 1 where a promise was broken, or a mutant was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="ci")
    parser.add_argument("--only", choices=list(SCRIPTS), action="append")
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once, but what is timed")
    options = parser.parse_args()
    usual = [name for name in SCRIPTS if options.profile == "nightly" or name not in NIGHTLY]
    names = options.only or usual
    figures = measured(names, options.profile, mutants=options.mutants, jobs=options.jobs)
    if options.page:
        page.write(SCRIPTS, page.measured(options.profile, figures))
    failed = [figure.promise for figure in figures if bool(figure.bad) != options.mutants]
    if failed:
        what = "nobody noticed the mutant of" if options.mutants else "broken:"
        print(f"promises: {what} {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
