"""Vanguard: `OfxDownload.csv`, a table of positions, then one of transactions.

Every row ends in a comma. The transactions are passed over: what is owned stands in the first.
"""

from __future__ import annotations

from steelyard.importers.amounts import Notation
from steelyard.importers.tables.columns import importer
from steelyard.importers.tables.sheet import Form

FORM = Form(
    name="vanguard",
    broker="Vanguard",
    columns={
        "account": ("account number", "fund account number"),
        "name": ("investment name", "fund name"),
        "symbol": ("symbol",),
        "quantity": ("shares",),
        "price": ("share price", "price"),
        "value": ("total value",),
    },
    required=("account", "symbol", "quantity", "price", "value"),
    signs=frozenset(
        {"account number", "fund account number", "investment name", "fund name"}
        | {"shares", "share price", "total value"}
    ),
    enough=3,
    currency="USD",
    notation=Notation.POINT,
    next_table=frozenset(
        {"trade date", "settlement date", "process date", "transaction type", "net amount"}
    ),
    next_rows="transaction",
    closing="table of transactions",
)
IMPORTER = importer(FORM)
