"""Fidelity: portfolio positions, one row for each security of each account.

`SPAXX**` is the cash of an account; `Type` is Cash or Margin, not the kind of a security.
"""

from __future__ import annotations

import re

from steelyard.importers.amounts import Notation
from steelyard.importers.tables.columns import importer
from steelyard.importers.tables.sheet import Form

FORM = Form(
    name="fidelity",
    broker="Fidelity",
    columns={
        "account": ("account number", "account name/number"),
        "symbol": ("symbol",),
        "name": ("description",),
        "quantity": ("quantity",),
        "price": ("last price",),
        "value": ("current value",),
        "average_cost": ("average cost basis", "cost basis per share"),
        "cost_basis": ("cost basis total", "cost basis"),
    },
    required=("account", "symbol", "quantity", "price", "value"),
    signs=frozenset(
        {"account number", "account name", "account name/number", "last price", "current value"}
        | {"last price change", "today's gain/loss dollar", "today's gain/loss percent"}
        | {"total gain/loss dollar", "total gain/loss percent", "percent of account"}
        | {"cost basis total", "average cost basis", "cost basis per share"}
    ),
    enough=3,
    currency="USD",
    notation=Notation.POINT,
    dated=(
        re.compile(
            r"downloaded:? (?P<m>[a-z]{3})[a-z]*[- ](?P<d>[0-9]{1,2})[-, ]+(?P<y>[0-9]{4})",
            re.IGNORECASE,
        ),
        re.compile(r"downloaded:? (?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})", re.I),
    ),
    footer=re.compile(r"date downloaded", re.IGNORECASE),
    closing="footer",
)
IMPORTER = importer(FORM)
