"""Who owns what: books of strategies and buckets in one account, from its executions.

1. which book a symbol is of                        rules
2. owners of each order, before it is sent          owners
3. each execution shared out exactly                allocate
4. first in, first out: lots, gains                 lots
5. the books of an account, from all that happened  books
6. what they are worth                              gains

In: executions, owners, activities. Out: `Books`. They are derived anew from the executions each
time, so that one that is told twice counts once, and the order of telling changes nothing.
"""

from steelyard.buckets.books import UNASSIGNED
from steelyard.execution.attribution.allocate import shared
from steelyard.execution.attribution.books import Books, Entered, Transferred, derive
from steelyard.execution.attribution.gains import Performance, performance
from steelyard.execution.attribution.owners import (
    Netted,
    OwnedOrder,
    Transfer,
    Wish,
    netted,
    owners_of,
)
from steelyard.execution.attribution.rules import Rules, owner_in, read_rules

__all__ = [
    "UNASSIGNED",
    "Books",
    "Entered",
    "Netted",
    "OwnedOrder",
    "Performance",
    "Rules",
    "Transfer",
    "Transferred",
    "Wish",
    "derive",
    "netted",
    "owner_in",
    "owners_of",
    "performance",
    "read_rules",
    "shared",
]
