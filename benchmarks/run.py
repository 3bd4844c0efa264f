"""Run the suite and write its tables into benchmarks/README.md: `make bench`.

    python -m benchmarks.run [--date 2026-01-31] [--from measured.json] [--keep measured.json]

Only what stands between the two markers is written; the words around it are by hand. One core,
nothing else running, is what the figures are meant for; the load of the machine is written beside
them.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from benchmarks import THREADS
from benchmarks.pictures import Panel, Point, draw

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
START, END = (
    "<!-- measured: from here on written by benchmarks/run.py -->",
    "<!-- measured: end -->",
)
PICTURE = "search_time.svg"
AIMS = {"plan": 0.5, "help": 0.4}
"""Seconds that a command may take as a process."""
PROOF_AIMS = {20: 0.060, 50: 0.120, 100: 0.200, 200: 0.300}
"""Seconds to the end of the search on the recorded inputs, by their size."""


@dataclass(frozen=True, slots=True)
class Row:
    """One benchmark: seconds a round, and what it noted of its result."""

    name: str
    median: float
    iqr: float
    fastest: float
    slowest: float
    rounds: int
    facts: Mapping[str, Any]

    @property
    def milliseconds(self) -> str:
        """Median, interquartile range, fastest."""
        return f"{1e3 * self.median:.1f} ({1e3 * self.iqr:.1f}), {1e3 * self.fastest:.1f}"

    @property
    def each(self) -> float:
        """Seconds a sequence, in the fastest round."""
        return float(self.fastest / self.facts["sequences"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or read what was measured, and write the README."""
    parser = argparse.ArgumentParser(
        description="Measure Steelyard and write benchmarks/README.md."
    )
    parser.add_argument(
        "--date",
        type=date.fromisoformat,
        default=datetime.now().astimezone().date(),
        help="written beside the figures",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        help="tables of this pytest-benchmark JSON instead of a new run",
    )
    parser.add_argument("--keep", type=Path, help="also keep the pytest-benchmark JSON there")
    chosen = parser.parse_args(arguments)
    if chosen.source is None:
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as folder:
            target = chosen.keep or Path(folder) / "measured.json"
            code = measure(target)
            if code:
                print(
                    f"bench: a benchmark failed (see above); {README.name} was left as it was.",
                    file=sys.stderr,
                )
                return code
            measured = json.loads(target.read_text(encoding="utf-8"))
    else:
        load, measured = None, json.loads(chosen.source.read_text(encoding="utf-8"))
    rows = rows_of(measured)
    write(README, tables(rows, machine(chosen.date, load)))
    (README.parent / PICTURE).write_text(draw(panels(rows)), encoding="utf-8")
    print(f"Written: {os.path.relpath(README)}, {os.path.relpath(README.parent / PICTURE)}")
    return 0


def measure(target: Path) -> int:
    """Run the suite in a process with one thread of arithmetic; its exit code."""
    command = [sys.executable, "-m", "pytest", "benchmarks", "-q", "-p", "no:cacheprovider"]
    command += [
        "--benchmark-only",
        "--benchmark-warmup=on",
        "--benchmark-min-rounds=15",
        f"--benchmark-json={target.resolve()}",
    ]
    command += ["--benchmark-columns=median,iqr,rounds"]
    return subprocess.run(
        command, cwd=HERE.parent, env=os.environ | dict.fromkeys(THREADS, "1"), check=False
    ).returncode


def rows_of(measured: Mapping[str, Any]) -> dict[str, Row]:
    """Name -> row of a pytest-benchmark JSON."""
    rows = {}
    for entry in measured["benchmarks"]:
        stats = entry["stats"]
        rows[entry["name"]] = Row(
            entry["name"],
            stats["median"],
            stats["iqr"],
            stats["min"],
            stats["max"],
            stats["rounds"],
            entry["extra_info"],
        )
    return rows


def machine(on: date, load: float | None) -> str:
    """One line: what the figures were measured on, and when."""
    parts = [
        f"Measured on {on.isoformat()}",
        f"{processor()}, {os.cpu_count()} cores, one used",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        *(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "steelyard")),
    ]
    return ", ".join(parts) + (
        "." if load is None else f". Load of the machine before: {load:.1f}."
    )


def processor() -> str:
    """The processor as the system names it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def write(page: Path, text: str) -> None:
    """Put the text between the markers of a page.

    Raises ValueError if the page has not exactly one of each.
    """
    old = page.read_text(encoding="utf-8")
    if old.count(START) != 1 or old.count(END) != 1:
        raise ValueError(
            f"{page} must have each of these lines once: {START} and {END}. Nothing was written."
        )
    before, rest = old.split(START)
    page.write_text(f"{before}{START}\n\n{text}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")


def tables(rows: Mapping[str, Row], where: str) -> str:
    """All that is generated, as Markdown."""
    return "\n\n".join(
        [
            where + " Times are medians, in brackets the distance between the quartiles, then the"
            " fastest; rates are of the fastest round.",
            "### Planning",
            planning_table(rows),
            "### Sequences a second",
            kernel_table(rows),
            "### The search on random tables",
            search_table(rows),
            (
                "![Time of the search against securities, orders and depth, logarithmic scales; "
                f"hollow: not all proven]({PICTURE})"
            ),
            "### The recorded inputs: time",
            time_table(rows),
            "### The recorded inputs: what the plans are worth",
            worth_table(rows),
        ]
    )


def planning_table(rows: Mapping[str, Row]) -> str:
    """One plan in a warm process, and commands as processes."""
    growth = rows["test_growth"]
    lines = [
        (f"`plan()` on `growth`, warm: {_plan_facts(growth)}", growth, ""),
        (
            "`steelyard plan --json` as a process",
            rows["test_process[plan]"],
            f"{1e3 * AIMS['plan']:.0f}",
        ),
        (
            "`steelyard --help` as a process",
            rows["test_process[help]"],
            f"{1e3 * AIMS['help']:.0f}",
        ),
    ]
    return _table(
        ["what", "ms", "rounds", "aim, ms"],
        [[what, row.milliseconds, str(row.rounds), aim] for what, row, aim in lines],
    )


def kernel_table(rows: Mapping[str, Row]) -> str:
    """The kernel and the reference evaluator, five orders a sequence."""
    reference = rows["test_reference_on_growth"]
    fast = rows["test_kernel_on_growth"]
    lines = [
        [f"random table, m = {row.facts['m']}, {row.facts['work']}", _rate(row), ""]
        for row in rows.values()
        if row.name.startswith("test_kernel[")
    ]
    lines.append(
        [
            f"`growth`, m = {fast.facts['m']}, score",
            _rate(fast),
            f"{reference.each / fast.each:,.0f} × the reference",
        ]
    )
    lines.append(
        [
            f"`growth`, m = {reference.facts['m']}, the readable reference evaluator",
            _rate(reference),
            "1 ×",
        ]
    )
    return _table(["what", "sequences/s", "in the same run"], lines)


def time_table(rows: Mapping[str, Row]) -> str:
    """Ours here beside theirs on another machine; no ratio."""
    lines = []
    for row in _recorded(rows):
        facts, n = row.facts, int(row.facts["n"])
        lines.append(
            [
                str(n),
                f"{1e3 * facts['recorded_seconds']:.0f}",
                _middle_and_fastest(facts["first_seconds"]) or "not reached",
                _middle_and_fastest(facts["searched_seconds"]),
                f"{1e3 * PROOF_AIMS[n]:.0f}",
                row.milliseconds,
                _plan_facts(row),
            ]
        )
    head = [
        "n",
        "first implementation, ms, recorded on another machine",
        "first set worth as much, ms",
        "search done, ms",
        "aim of that, ms",
    ]
    return _table([*head, "all of `plan()`, ms", "what it did"], lines)


def search_table(rows: Mapping[str, Row]) -> str:
    """The search on random tables, and what lists made without it miss."""
    lines = []
    for row in rows.values():
        if row.name.startswith("test_search["):
            facts = row.facts
            lines.append(
                [
                    facts["label"],
                    "" if facts["aim"] is None else f"{1e3 * facts['aim']:.0f}",
                    f"{1e3 * row.fastest:.0f}, {1e3 * row.median:.0f}, {1e3 * row.slowest:.0f}",
                    f"{facts['proven']} of {facts['count']}",
                    f"{facts['nodes']:,.0f}",
                    f"{100 * facts['largest_gap']:.1f}",
                    (
                        f"{100 * facts['enumeration_median']:.1f}, "
                        f"{100 * facts['enumeration_largest']:.1f}"
                    ),
                    f"{100 * facts['greed_median']:.1f}, {100 * facts['greed_largest']:.1f}",
                ]
            )
    head = [
        "tables",
        "aim, ms",
        "fastest, median, slowest, ms",
        "proven",
        "nodes, median",
        "largest gap left, %",
    ]
    return _table(
        [*head, "1,000 made lists miss, median, most, %", "greed misses, median, most, %"], lines
    )


def panels(rows: Mapping[str, Row]) -> list[Panel]:
    """The curves of the picture, in the order in which they were measured."""
    curves: dict[tuple[str, str], list[Point]] = {}
    for row in rows.values():
        if row.name.startswith("test_curve["):
            facts = row.facts
            curves.setdefault((facts["varies"], facts["fixed"]), []).append(
                Point(facts["x"], row.median, row.slowest, facts["proven"])
            )
    return [
        Panel(varies, fixed, tuple(sorted(points, key=lambda p: p.x)))
        for (varies, fixed), points in curves.items()
    ]


def worth_table(rows: Mapping[str, Row]) -> str:
    """Both plans under both scores, and what theirs breaks of our rules."""
    lines = []
    for row in _recorded(rows):
        facts = row.facts
        lines.append(
            [
                str(facts["n"]),
                f"{100 * facts['hold']:.2f}",
                f"{100 * facts['net']:+.2f}",
                f"{100 * facts['recorded_net']:+.2f}",
                f"{facts['recorded_off_lot']} of {facts['recorded_orders']}",
                f"{facts['recorded_cash_after']:,.0f}"
                + (
                    f", {facts['recorded_cash_missing']:,.0f} short"
                    if facts["recorded_cash_missing"]
                    else ""
                ),
                f"{facts['original_hold']:.3f}",
                f"{facts['original_ours']:.3f}",
                f"{facts['original_recorded']:.3f}",
            ]
        )
    ours, theirs = "under our score, points", "under theirs, 0..1"
    return _table(
        [
            "n",
            f"hold, {ours}",
            "our plan, net",
            "recorded plan, net",
            "recorded: orders off lot",
            "recorded: cash after costs, EUR, and what our reserve lacks",
            f"hold, {theirs}",
            "our plan",
            "recorded plan",
        ],
        lines,
    )


def _recorded(rows: Mapping[str, Row]) -> list[Row]:
    return sorted(
        (row for row in rows.values() if row.name.startswith("test_recorded_input[")),
        key=lambda row: int(row.facts["n"]),
    )


def _middle_and_fastest(seconds: Sequence[float]) -> str:
    """Median and fastest, in milliseconds; nothing of nothing."""
    return f"{1e3 * statistics.median(seconds):.0f}, {1e3 * min(seconds):.0f}" if seconds else ""


def _plan_facts(row: Row) -> str:
    """What a plan says of itself, in a few words."""
    facts = row.facts
    orders = f"{facts['orders']} order" + ("" if facts["orders"] == 1 else "s")
    gap = "" if not facts["gap"] else f", gap {100 * facts['gap']:.2f} points"
    searched = "" if facts["nodes"] is None else f", {facts['nodes']:,d} nodes"
    status = "not proven" if facts["status"] == "none" else facts["status"]
    return (
        f"{orders} out of {facts['candidates']} candidates, scope {facts['scope']}, "
        f"{status}{gap}{searched}"
    )


def _rate(row: Row) -> str:
    rate = 1 / row.each
    return f"{rate / 1e6:.1f} million" if rate >= 1e6 else f"{rate:,.0f}"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(
        "| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *lines]
    )


if __name__ == "__main__":
    sys.exit(main())
