"""Rates: sorted, exact, plain or gzip."""

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

from builders.files import written
from steelyard.importers import read_fx


def test_rates_are_sorted_and_exact(tmp_path: Path):
    rows = ["2022-12-28,USD,0.9398496241", "2022-12-27,usd,0.94", "2022-12-28,GBP,1.13"]
    text = "\n".join(["date,currency,rate", *rows, ""])
    file = read_fx(written(tmp_path, gzip.compress(text.encode(), mtime=0)))

    assert [(rate.on, rate.rate) for rate in file.rates["USD"]] == [
        (date(2022, 12, 27), Decimal("0.94")),
        (date(2022, 12, 28), Decimal("0.9398496241")),
    ]
    assert list(file.rates) == ["GBP", "USD"]
