"""The journal: runs, legs, fills, double-entry postings, events in a keyed chain.

In: changes, each one transaction with its event. Out: rows, and the head of the chain. A table more
is one more statement in `schema` and a file of functions over `Change`.
"""
