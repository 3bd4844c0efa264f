"""Files to a snapshot, a market and targets: paths and arguments in, records out, nothing printed.

    reading.py      any file: looked at, read under a cap, cut into rows
    values.py       a cell → a symbol, a number, a day
    holdings.py     symbol, quantity, …   → holdings with lots, cash
    targets.py      symbol, weight        → weights
    prices.py       wide or long          → closes and exact newest prices
    securities.py   symbol, name, …       → what may be traded
    fx.py           date, currency, rate  → rates
    index.py        like prices           → levels of market indices
    files.py        all of them
    quotes.py       everything owned      → prices, rates, market
    assemble.py     files and arguments   → what `plan` takes

Every line that cannot be used comes back with its number and reason, over all files at once, and
while there is one nothing is planned. To add a form: a file here with one function from a path to a
frozen record that has `file`, `rejected` and `warnings`; a broker's export gives a `HoldingsFile`.

>>> from steelyard.samples import sample
>>> files = sample("growth")
>>> read_files = read(files.holdings, prices=files.prices, targets=files.targets)
>>> inputs = assemble(read_files)
>>> inputs.snapshot.as_of.isoformat(), inputs.snapshot.base_currency, len(inputs.snapshot.holdings)
('2022-12-28', 'USD', 14)
"""

from steelyard.importers.assemble import Inputs, assemble
from steelyard.importers.files import Files, parse_cash, read
from steelyard.importers.fx import FxFile, read_fx
from steelyard.importers.holdings import HoldingsFile, read_holdings
from steelyard.importers.index import read_index
from steelyard.importers.prices import PriceTable, read_prices
from steelyard.importers.securities import SecuritiesFile, read_securities
from steelyard.importers.targets import TargetsFile, read_targets

__all__ = [
    "Files",
    "FxFile",
    "HoldingsFile",
    "Inputs",
    "PriceTable",
    "SecuritiesFile",
    "TargetsFile",
    "assemble",
    "parse_cash",
    "read",
    "read_fx",
    "read_holdings",
    "read_index",
    "read_prices",
    "read_securities",
    "read_targets",
]
