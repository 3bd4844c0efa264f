"""Write the yearly ranges of exchange rates that the rates of a file are judged by.

    PYTHONPATH=build/data python scripts/make_rate_ranges.py

Reads the history of the European Central Bank out of the pinned distribution that make_data.py
reads, and writes src/steelyard/importers/rate_ranges.csv: currency, year, low, high, in units of
currency for one EUR. `make data` runs it.
"""

import csv
import io
import zipfile
from decimal import Decimal
from pathlib import Path

from make_data import ECB, read_source

TARGET = Path(__file__).resolve().parents[1] / "src/steelyard/importers/rate_ranges.csv"


def ranges(content: bytes) -> dict[tuple[str, int], tuple[Decimal, Decimal]]:
    """(currency, year) -> lowest and highest rate."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("eurofxref-hist.csv").decode("ascii")
    widths: dict[tuple[str, int], tuple[Decimal, Decimal]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        year = int(row.pop("Date")[:4])
        for currency, cell in row.items():
            if cell and cell != "N/A":
                low, high = widths.get((currency, year), (Decimal(cell), Decimal(cell)))
                widths[currency, year] = min(low, Decimal(cell)), max(high, Decimal(cell))
    return widths


def main() -> None:
    """Write the table."""
    rows = ranges(read_source(ECB))
    lines = [f"{c},{y},{low},{high}" for (c, y), (low, high) in sorted(rows.items())]
    TARGET.write_text("\n".join(["currency,year,low,high", *lines]) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(lines)} ranges of {len({c for c, _ in rows})} currencies")


if __name__ == "__main__":
    main()
