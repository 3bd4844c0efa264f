"""A person stands behind a plan: what there is to see before, and what their word sets going.

facts.py     everything the page shows, gathered now; `armable`, and why not
money.py     totals of a plan in base currency, and the number that is typed
changes.py   what is no longer as it was when the plan was made
notes.py     what has to be read before
approve.py   validates again, records, hands over to the runner: `approve`
handing.py   the runner asked, and its answer in words
"""

from __future__ import annotations

from steelyard.runs.approval.approve import Answer, ChangedSince, Word, approve
from steelyard.runs.approval.facts import ApprovalFacts, Surroundings, facts, facts_of
from steelyard.runs.approval.handing import runner_now

__all__ = [
    "Answer",
    "ApprovalFacts",
    "ChangedSince",
    "Surroundings",
    "Word",
    "approve",
    "facts",
    "facts_of",
    "runner_now",
]
