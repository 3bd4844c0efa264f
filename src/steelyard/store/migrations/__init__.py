"""How the tables came to be: one file in `versions/` for each change, named by its number.

To change a table: a new file with the next number, the same change in `schema.py`, and the number
at the end of `REVISIONS`. A test holds the two to the same tables on both databases.
"""

from typing import Final

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""Every state of the tables, oldest first; the last is the one that this code reads and writes."""
