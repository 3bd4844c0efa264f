"""A calculated plan changed by hand: what an edit costs, and which limits it breaks.

    sheets     the sheets that are open, for many threads; `opened` makes one of a stored plan
    opening    the case of a stored plan made again, and held to the plan's own figures
    sheet      the case, and any orders in the place of the plan's
    typed      what a person types, to edits
    figures    before, calculated and edited side by side
    standing   score, drift, costs, cash and bands under some orders
    broken     every limit that orders break
    words      the sentences
    again      the rest planned again around locked orders
    export     the orders as CSV
    listed     the figures as plain values

    sheets = Sheets()                                   # one for the process
    sheet = sheets.of(store, plan_id)                   # seconds, the first time
    edits = edits_of(sheet, {"AA": "30", "BB": "0"})    # InputError, a fault for each symbol
    result = figures(sheet, edits)                      # milliseconds
    edits = replanned(sheet, Edits(edits.quantities, frozenset({"AA"})))   # seconds

Nothing here approves, sends or stores anything: a sheet is thought, the plan stays as it was made.
"""

from steelyard.runs.worksheet.again import replanned
from steelyard.runs.worksheet.export import csv_of
from steelyard.runs.worksheet.figures import figures
from steelyard.runs.worksheet.listed import document
from steelyard.runs.worksheet.opening import opened
from steelyard.runs.worksheet.records import Against, Broken, Edits, Figures, Lowest, Row, Standing
from steelyard.runs.worksheet.sheet import Sheet
from steelyard.runs.worksheet.sheets import Sheets
from steelyard.runs.worksheet.typed import edits_of, field_of, symbol_of, typed_of

__all__ = [
    "Against",
    "Broken",
    "Edits",
    "Figures",
    "Lowest",
    "Row",
    "Sheet",
    "Sheets",
    "Standing",
    "csv_of",
    "document",
    "edits_of",
    "field_of",
    "figures",
    "opened",
    "replanned",
    "symbol_of",
    "typed_of",
]
