"""Rails of the machine: its clock, its builds, its disk."""

from __future__ import annotations

from decimal import Decimal

from steelyard.execution.rails.asking import at_most, need, not_simulated, now, seconds
from steelyard.execution.rails.facts import Facts
from steelyard.execution.rails.judge import Block, Pass, Verdict, rail

MIB = 2**20


@rail("run", "limits.max_clock_offset_s", codes=("clock_behind", "clock_off"))
def clock(facts: Facts) -> Verdict:
    """Do our clock and the broker's agree, and has neither run backwards?"""
    at = now(facts)
    newest = need(facts.newest_event_at, "the newest time in the journal")
    if not newest <= at:
        return Block("clock_behind", f"{at.isoformat()}, and the journal has {newest.isoformat()}")
    local = need(facts.clock, "the broker's clock").local
    if local is None:
        return not_simulated(facts, "our clock at the same moment")
    offset = abs(seconds(at, local))
    return at_most(offset, facts.limits.max_clock_offset_s, "clock_off", "clocks apart, s")


@rail("run", codes=("builds_differ",))
def builds(facts: Facts) -> Verdict:
    """Do all processes, and the run's record, have one build and the same settings?"""
    builds = need(facts.builds, "the builds")
    hashes = set(builds.values())
    if len(hashes) == 1 and hashes.isdisjoint({"", None}):
        return Pass(f"one build: {', '.join(sorted(builds))}")
    words = ", ".join(f"{name} {build!r}" for name, build in sorted(builds.items()))
    return Block("builds_differ", f"the run was begun by other code, so plan again: {words}")


@rail("run", "limits.min_free_disk_mib", codes=("journal_not_writable", "disk_full"))
def disk(facts: Facts) -> Verdict:
    """Can the journal be written, and is there room for it?"""
    if need(facts.journal_writable, "whether the journal can be written") is not True:
        return Block("journal_not_writable", "the journal cannot be written")
    free = Decimal(need(facts.free_disk_bytes, "the free space")) / MIB
    words = f"{free:.0f} MiB free, at least {facts.limits.min_free_disk_mib}"
    return Pass(words) if free >= facts.limits.min_free_disk_mib else Block("disk_full", words)
