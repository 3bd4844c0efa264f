"""DEGIRO: `Portfolio.csv`, in the language and the base currency of the account.

The currency of a row stands under "Local value", its amount in the column without a name behind
it; older files have both in one cell. No cell says what kind a security is, and none what it cost.
"""

from __future__ import annotations

from steelyard.importers.tables.columns import importer
from steelyard.importers.tables.sheet import AFTER, Form

LOCAL = (
    *("local value", "lokale waarde", "wert", "lokaler wert", "valeur locale", "montant local"),
    *("valor local", "valore locale", "currency", "valuta", "währung", "devise", "divisa"),
)
"""Local value in EN, NL, DE, FR, ES and IT; the column after it has no name."""
BASE = (
    *("value in {cur}", "waarde in {cur}", "wert in {cur}", "montant en {cur}", "valeur en {cur}"),
    *("valor en {cur}", "valore in {cur}"),
)
IDS = ("symbol/isin", "symbool/isin", "symbole/isin", "símbolo/isin", "simbolo/isin", "ticker/isin")
CLOSE = (
    *("closing", "slotkoers", "schlußkurs", "schlusskurs", "clôture", "cours de clôture"),
    *("precio de cierre", "precio de", "cierre", "chiusura", "prezzo di chiusura", "ultimo"),
)
FORM = Form(
    name="degiro",
    broker="DEGIRO",
    columns={
        "symbol": IDS,
        "name": ("product", "produkt", "produit", "producto", "prodotto"),
        "quantity": ("amount", "quantity", "aantal", "anzahl", "quantité", "cantidad", "quantità"),
        "price": CLOSE,
        "currency": LOCAL,
        "value": tuple(AFTER + name for name in LOCAL),
        "base_value": BASE,
    },
    required=("symbol", "name", "quantity", "price", "currency", "base_value"),
    signs=frozenset({*IDS, *CLOSE, *LOCAL[:6], "valor local", "valore locale", *BASE}),
    enough=3,
)
IMPORTER = importer(FORM)
