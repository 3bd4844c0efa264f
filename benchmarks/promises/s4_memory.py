"""Plans leave nothing behind: neither where they are coordinated nor where they are carried."""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from benchmarks.promises.databases import PROFILES, Profile, folder
from benchmarks.promises.figures import Figure
from benchmarks.promises.s2_speed import many
from benchmarks.promises.script import script
from benchmarks.promises.services import OTHERS, SMALL, processes, small
from builders.carrying import carrying
from steelyard.planning.case import Case
from steelyard.planning.planner import plan_case
from steelyard.services import contexts
from steelyard.services.carriage.carrier import Carrier
from steelyard.services.remote import carried

PROMISE = "After 200 plans, 2,000 more add at most 8 MB to any process, and no type grows."
HOW = (
    "Plans of inputs that all differ are made by services of this process until every cache is "
    "full, then three times as many; after each part the objects of every type are counted, and "
    "what is allocated. By night processes make 200 plans and then 2,000, and the memory of each "
    "process is read. Counted as bad: a type of which there are more after each part, one for "
    "every second plan at least, and a process that grew by more than 8 MB. Reported: what a plan "
    "of 100,000 sequences takes at its peak where it is generated and where it is coordinated, "
    "more than one of 2,000 does; who proposed which sequence is known to both until the end."
)
MUTANT = "contexts are never forgotten"
MOST_BYTES = 8_000_000
PARTS = 3
PAGE = os.sysconf("SC_PAGE_SIZE")
HUGE = 100_000


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """Types in this process; then bytes of processes."""
    warm, plans = profile.many_plans
    forgotten = 10**9 if mutant else contexts.MOST_CONTEXTS
    with patch.object(contexts, "MOST_CONTEXTS", forgotten):
        growing, allocated = _types(PROFILES["ci"].many_plans)
    for name in growing:
        print(f"S4: more and more {name}", file=sys.stderr)
    note, bad, trials = (
        f"the last of {PARTS} parts left {allocated / 1000:+.0f} kB",
        len(growing),
        PARTS,
    )
    if profile is PROFILES["nightly"] and not mutant:
        grown = _grown(warm, plans)
        bad += sum(size > MOST_BYTES for size in grown.values())
        trials += len(grown)
        sizes = ", ".join(f"{name} {size / 1e6:+.1f} MB" for name, size in grown.items())
        peaks = ", ".join(f"{name} {size / 1e6:+.0f} MB" for name, size in _peaks().items())
        note += f"; {plans:,} plans: {sizes}; {HUGE:,} sequences at their peak: {peaks}"
    return Figure("S4", trials, bad, note=note)


def different(number: int) -> Case:
    """The small case with so many cents more."""
    case = small()
    cash = {name: amount + Decimal(number) / 100 for name, amount in case.snapshot.cash.items()}
    return replace(case, snapshot=replace(case.snapshot, cash=cash))


def _types(plans: tuple[int, int]) -> tuple[list[str], int]:
    """Types that grow with each part, and the bytes that the last part allocated."""
    warm, more = plans
    counts: list[Tally[str]] = []
    before = 0
    with folder() as home, carrying(home, evaluators=1, topology=SMALL) as services:
        for number in range(warm):
            plan_case(different(number), services.steps())
        size = more // PARTS
        for part in range(PARTS):
            counts.append(_counted())
            if not part:
                tracemalloc.start()
            before = _traced()
            for number in range(size):
                plan_case(different(warm + size * part + number), services.steps())
        allocated = _traced() - before
        tracemalloc.stop()
        counts.append(_counted())
    pairs = [*pairwise(counts)]

    def grows(name: str) -> bool:
        return all(after[name] - before[name] >= size // 2 for before, after in pairs)

    return sorted(filter(grows, counts[-1])), allocated


def _traced() -> int:
    """Bytes that are allocated, of what was since the tracing began."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _counted() -> Tally[str]:
    gc.collect()
    return Tally(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())


def _grown(warm: int, plans: int) -> Mapping[str, int]:
    """Bytes by which each process grew."""
    with processes(SMALL, 1) as served:
        carrier = Carrier(served.topology, lambda: served.token)
        ids = {"coordinator": os.getpid(), **{name: served.pid(name) for name in OTHERS}}
        for number in range(warm):
            plan_case(different(number), carried(carrier))
        gc.collect()
        before = {name: _resident(pid) for name, pid in ids.items()}
        for number in range(plans):
            plan_case(different(warm + number), carried(carrier))
        gc.collect()
        after = {name: _resident(pid) for name, pid in ids.items()}
        carrier.close()
    return {name: after[name] - before[name] for name in ids}


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def _peaks() -> Mapping[str, int]:
    """Bytes at the peak of a plan of many sequences more than at one of few."""
    with processes(SMALL.model_copy(update={"batch_size": None}), 1) as served:
        carrier = Carrier(served.topology, lambda: served.token)
        ids = {"coordinator": os.getpid(), **{name: served.pid(name) for name in OTHERS}}
        sizes = []
        for count in (2_000, HUGE):
            for pid in ids.values():
                Path(f"/proc/{pid}/clear_refs").write_text("5")
            plan_case(many(count), carried(carrier))
            sizes.append({name: _highest(pid) for name, pid in ids.items()})
        carrier.close()
    few, more = sizes
    return {name: more[name] - few[name] for name in ids}


def _highest(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    script(measure)
