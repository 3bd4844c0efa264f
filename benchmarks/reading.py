"""Reading files: seconds and peak memory, each file in a process of its own.

    python -m benchmarks.reading     makes the files, prints the table, and writes README.md

The files are of made-up prices of four decimals. Seconds are those of the processor. Memory is the
most that the process had at once, as the system counts it, less what it had when all was imported;
Linux alone tells it.
"""

from __future__ import annotations

import argparse
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.run import machine
from steelyard.importers import assemble, read, read_prices
from steelyard.importers.reading import open_source
from steelyard.samples import sample

AS_OF = date(2024, 3, 15)
FEW, MANY, HELD = 50, 3_000, 5_000
"""Symbols in use, of a large price file, and of a large account."""
TEN_YEARS, TWENTY_YEARS = 2_520, 5_040
"""Sessions."""
ROUNDS = 50
"""Times that the small file is read."""
MB = 1e6
PAGE = Path(__file__).with_name("README.md")
START, END = "<!-- reading: written by reading.py -->", "<!-- reading: end -->"


def symbol(k: int) -> str:
    """The name of the k-th security."""
    return f"S{k:05d}"


def closes_of(sessions: int, n: int) -> Iterator[tuple[str, list[float]]]:
    """Day and closes (n,) of made-up prices, one seed, oldest first."""
    rng = np.random.default_rng(n)
    prices = rng.uniform(10, 300, n)
    days = np.busday_offset(np.datetime64(AS_OF), np.arange(1 - sessions, 1), roll="backward")
    for day in days:
        prices *= np.exp(rng.normal(0, 0.012, n))
        yield str(day), np.round(prices, 4).tolist()


def write_wide(path: Path, sessions: int, n: int) -> None:
    """A price file as CSV."""
    with path.open("w", encoding="ascii") as file:
        file.write("date," + ",".join(map(symbol, range(n))) + "\n")
        for day, closes in closes_of(sessions, n):
            file.write(f"{day},{','.join(map(repr, closes))}\n")


def write_parquet(path: Path, sessions: int, n: int) -> None:
    """The same as Parquet."""
    days, rows = zip(*closes_of(sessions, n), strict=True)
    closes = np.array(rows)
    columns = {"date": pa.array([date.fromisoformat(day) for day in days])}
    columns |= {symbol(k): pa.array(closes[:, k]) for k in range(n)}
    parquet.write_table(pa.table(columns), path)


def write_gzip(source: Path) -> Path:
    """The file packed, beside it."""
    path = source.with_name(source.name + ".gz")
    with source.open("rb") as file, gzip.open(path, "wb", compresslevel=6) as packed:
        packed.writelines(iter(lambda: file.read(1 << 20), b""))
    return path


def write_holdings(path: Path, n: int) -> None:
    """An account of n securities."""
    rows = "".join(f"{symbol(k)},{k % 90 + 10},USD\n" for k in range(n))
    path.write_text(f"symbol,quantity,currency\n{rows}CASH:USD,100000,\n", encoding="ascii")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a worker tells: seconds, bytes over those after the imports, bytes in all, closes."""

    seconds: float
    over: int
    whole: int
    closes: int

    @classmethod
    def of(cls, *arguments: object) -> Reading:
        """Read in a new process."""
        command = [sys.executable, "-m", "benchmarks.reading", "--worker", *map(str, arguments)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seconds, over, whole, closes = output.split()
        return cls(float(seconds), int(over), int(whole), int(closes))

    def row(self, name: str, size: int, aim: str) -> str:
        """A row of the table."""
        ratio = f"{self.over / (8 * self.closes):.2f}" if self.closes else ""
        figures = [f"{self.seconds:.3f}", f"{self.over / MB:.1f}", f"{8 * self.closes / MB:.1f}"]
        cells = [name, f"{size / MB:.1f}", *figures, ratio, f"{self.whole / MB:.0f}", aim]
        return f"| {' | '.join(cells)} |"


def memory(line: str) -> int:
    """Bytes of a line of the process's status: VmRSS now, VmHWM the most so far."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    kilobytes = next(row for row in text.splitlines() if row.startswith(line)).split()[1]
    return 1024 * int(kilobytes)


def work(kind: str, paths: Sequence[str]) -> Reading:
    """Read in this process."""
    first = Path(paths[0])
    if kind == "small":
        rounds = [timed(lambda: read(first)) for _ in range(ROUNDS)]
        return Reading(statistics.median(rounds), 0, memory("VmHWM"), 0)
    before = memory("VmRSS")
    closes = 0

    def prices() -> None:
        nonlocal closes
        names = {symbol(k): symbol(k) for k in range(0, MANY, MANY // FEW)}
        closes = read_prices(first, names=names.get if kind == "few" else None).closes.size

    def account() -> None:
        nonlocal closes
        inputs = assemble(read(first, prices=Path(paths[1])), today=AS_OF)
        closes = inputs.market.closes.size

    seconds = timed(account if kind == "account" else prices)
    whole = memory("VmHWM")
    return Reading(seconds, whole - before, whole, closes)


def timed(action: Callable[[], object]) -> float:
    """Seconds of the processor that an action takes."""
    start = time.process_time()
    action()
    return time.process_time() - start


def rows_of(folder: Path) -> Iterator[str]:
    """Make the files, read them, and tell the table row by row."""
    small = sample("growth").holdings
    size = len(open_source(small).content)
    yield Reading.of("small", small).row("14 holdings", size, "0.005 s")
    account, ten = folder / "held.csv", folder / "ten.csv"
    write_holdings(account, HELD)
    write_wide(ten, TEN_YEARS, HELD)
    reading = Reading.of("account", account, ten)
    name = f"{HELD:,} holdings, {TEN_YEARS:,} sessions of each, ready to plan"
    yield reading.row(name, ten.stat().st_size, "10 s, 1,074 MB in all")
    ten.unlink()
    wide, columnar = folder / "wide.csv", folder / "wide.parquet"
    write_wide(wide, TWENTY_YEARS, MANY)
    write_parquet(columnar, TWENTY_YEARS, MANY)
    for path in (wide, write_gzip(wide), columnar):
        form = path.suffix.removeprefix(".")
        for kind, count in (("few", FEW), ("all", MANY)):
            name = (
                f"prices of {MANY:,} symbols, {TWENTY_YEARS:,} sessions, {form}: {count:,} in use"
            )
            aim = "3 × the closes" if kind == "all" else ""
            yield Reading.of(kind, path).row(name, path.stat().st_size, aim)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        reading = work(options.worker[0], options.worker[1:])
        print(reading.seconds, reading.over, reading.whole, reading.closes)
        return 0
    lines = [
        machine(datetime.now().astimezone().date(), os.getloadavg()[0]),
        "",
        "| what | file, MB | s | memory, MB | closes kept, MB | ratio | process, MB | aim |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for row in rows_of(Path(folder)):
            lines.append(row)
            print(row, flush=True)
    head, rest = PAGE.read_text(encoding="utf-8").split(START)
    table = "\n".join(lines)
    PAGE.write_text(f"{head}{START}\n\n{table}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
