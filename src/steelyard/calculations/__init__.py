"""Expensive calculations, done once: results kept for a while, under the hash of what they are of.

cache.py    the results: for how long, how many bytes, one calculation at a time of each key
digest.py   the canonical hash of any inputs
closed.py   a result that nobody can change, and how many bytes it has

Whoever plans more than once makes a `Calculations` and hands it to `plan`; a plan is the same with
it as without. What a plan is made of alone imports none of these files.
"""
