"""Small files as people write them, and what they are read into."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from steelyard.importers import Files, Inputs, assemble, read

TODAY = date(2023, 1, 4)
LAST = date(2022, 12, 28)
PRICES = "date,AAA,BBB,CCC\n2022-12-23,9,20,5\n2022-12-27,10,21,5\n2022-12-28,11,22,5\n"


def written(folder: Path, content: str | bytes, name: str = "f.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def files(folder: Path, **texts: str | bytes) -> Files:
    return read(**{form: written(folder, text, f"{form}.csv") for form, text in texts.items()})


def inputs(
    folder: Path,
    holdings: str = "symbol,quantity\nAAA,10\nCASH:USD,100\n",
    prices: str | None = PRICES,
    as_of: date | None = None,
    **others: str | bytes,
) -> Inputs:
    priced = {"prices": prices} if prices else {}
    return assemble(files(folder, holdings=holdings, **priced, **others), as_of=as_of, today=TODAY)
