"""From an approved plan to fills: journal, rails, legs, recovery, reconcile, attribution.

In: a sealed plan, a broker and a journal. Out: a run with an outcome, every order of it on disk
before it was sent. Nothing here plans, and nothing here knows a strategy.
"""
