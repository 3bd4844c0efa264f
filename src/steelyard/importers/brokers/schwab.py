"""Schwab: positions of one account or of all, as its site exports them.

Header cells changed about 2023 (`Qty (Quantity)` for `Quantity`); both are read.
"""

from __future__ import annotations

import re

from steelyard.importers.amounts import Notation
from steelyard.importers.tables.columns import importer, types_of
from steelyard.importers.tables.sheet import Form

FORM = Form(
    name="schwab",
    broker="Schwab",
    columns={
        "symbol": ("symbol",),
        "name": ("description",),
        "quantity": ("qty (quantity)", "quantity", "qty"),
        "price": ("price",),
        "value": ("mkt val (market value)", "market value", "mkt val"),
        "cost_basis": ("cost basis",),
        "product_type": ("security type", "asset type"),
    },
    required=("symbol", "quantity", "price", "value"),
    signs=frozenset(
        {"qty (quantity)", "mkt val (market value)", "market value", "cost basis"}
        | {"price chng $ (price change $)", "price change $", "price chng % (price change %)"}
        | {"price change %", "day chng $ (day change $)", "day change $", "day change %"}
        | {"day chng % (day change %)", "gain $ (gain/loss $)", "gain/loss $", "gain/loss %"}
        | {"gain % (gain/loss %)", "ratings", "reinvest?", "reinvest dividends?"}
        | {"reinvest capital gains?", "capital gains?", "% of acct (% of account)"}
        | {"% of account", "security type"}
    ),
    enough=3,
    types=types_of(
        {
            "EQUITY": ("equity", "stock", "stocks", "adr"),
            "ETF": ("etfs & closed end funds", "etf", "etfs"),
            "MUTUALFUND": ("mutual fund", "mutual funds"),
            "BOND": ("fixed income", "bond", "bonds"),
            "OPTION": ("option", "options"),
            "FUTURE": ("future", "futures"),
            "CASH": ("cash and money market", "cash", "money market fund", "money market"),
        }
    ),
    currency="USD",
    notation=Notation.POINT,
    account=re.compile(r"positions for (?:account )?(?P<account>.+?) as of\b", re.IGNORECASE),
    dated=(
        re.compile(r"\b(?P<y>[0-9]{4})/(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})\b"),
        re.compile(r"\b(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})\b"),
    ),
    sections=True,
    totals=frozenset({"positions total", "account total"}),
    closing="total row",
)
IMPORTER = importer(FORM)
