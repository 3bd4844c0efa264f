"""Portfolio Performance: the statement of assets as CSV, in English or German.

The user chooses the columns. A quote carries its currency where that is not the reporting one
(`USD 149,30`); values are in the reporting currency. Accounts of cash have a name and a value.
"""

from __future__ import annotations

from steelyard.importers.tables.columns import importer
from steelyard.importers.tables.sheet import Form

FORM = Form(
    name="portfolio-performance",
    broker="Portfolio Performance",
    columns={
        "symbol": ("symbol", "ticker symbol", "ticker", "tickersymbol"),
        "isin": ("isin",),
        "wkn": ("wkn",),
        "name": ("name",),
        "quantity": ("shares", "bestand", "anzahl", "stück"),
        "price": ("quote", "kurs", "latest price", "letzter kurs"),
        "average_cost": ("purchase price", "einstandskurs", "einstandspreis", "kaufpreis"),
        "value": ("market value", "marktwert"),
    },
    required=("quantity",),
    signs=frozenset({"shares", "bestand", "quote", "kurs", "market value", "marktwert", "wkn"}),
    enough=2,
    totals=frozenset({"sum", "summe", "summen", "total", "totals", "gesamt", "gesamtsumme"}),
    closing="total row",
    uncounted=True,
)
IMPORTER = importer(FORM)
