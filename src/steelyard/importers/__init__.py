"""Files to a snapshot, a market and targets: paths and arguments in, records out, nothing printed.

    opening.py       a path → its content, by limits.py; reading.py cuts it into rows
    values.py        a cell → a symbol, a number, a day, a unit; amounts.py as brokers write them
    statement.py     what any file of holdings says; holdings.py reads our own form, brokers/ theirs
    registry.py      importers by name
    book.py          a statement → holdings with lots, cash
    spelling.py      the several names of a security → its symbol; mapping.py the user's aliases
    targets.py       symbol, weight        → weights of symbols and classes, bands
    prices.py        wide, long, Parquet   → closes of what is in use; history.py judges them
    securities.py    symbol, name, …       → what may be traded
    fx.py            date, currency, rate  → rates; rates.py judges them
    index.py         like prices           → levels of market indices
    files.py         all of them
    quotes.py        everything owned      → prices; disagreements.py and doubts.py judge them
    owned_rates.py   everything owned      → rates
    closes.py        what is quoted        → market, its newest changes judged
    classes.py       targets of classes that no security is in
    unpriced.py      targets without a price: a slip, a class, or not bought yet
    assemble.py      files and arguments   → what `plan` takes

Every line that cannot be used comes back with its number and reason, over all files at once, and
while there is one nothing is planned. To add a form of holdings: see `registry.py`.

>>> from steelyard.samples import sample
>>> files = sample("growth")
>>> read_files = read(files.holdings, prices=files.prices, targets=files.targets)
>>> inputs = assemble(read_files)
>>> inputs.snapshot.as_of.isoformat(), inputs.snapshot.base_currency, len(inputs.snapshot.holdings)
('2022-12-28', 'USD', 14)
"""

from steelyard.importers.assemble import Inputs, assemble
from steelyard.importers.book import HoldingsFile
from steelyard.importers.files import Files, Reading, parse_cash, read
from steelyard.importers.flows import AskedFlow, amount_of, deposits, withdrawals
from steelyard.importers.fx import FxFile, read_fx
from steelyard.importers.index import read_index
from steelyard.importers.prices import PriceTable, read_prices
from steelyard.importers.securities import SecuritiesFile, read_securities
from steelyard.importers.targets import TargetsFile, read_targets

__all__ = [
    "AskedFlow",
    "Files",
    "FxFile",
    "HoldingsFile",
    "Inputs",
    "PriceTable",
    "Reading",
    "SecuritiesFile",
    "TargetsFile",
    "amount_of",
    "assemble",
    "deposits",
    "parse_cash",
    "read",
    "read_fx",
    "read_index",
    "read_prices",
    "read_securities",
    "read_targets",
    "withdrawals",
]
