"""A case in, a plan out; pure: no clock, network, store or randomness that is not passed in.

    case.py           all that a plan is a function of, and its hash
    guard.py          who runs a module; findings.py: what the steps report, and nobody reads
    1 valuation.py    what everything is worth, or a refusal
    2 planning_set.py what is looked at, and its Context
    3 score/          the objective: terms, weights, charges; the readable evaluator and the arrays
    4 wishes.py       calculators; sizing.py, table.py, draws.py, costs.py: orders, their table
    5 proposals.py    patterns and generators, in batches; keep.py: the best few of them
    6 search/         the whole table: beam, bound, branch and bound; collapse.py: the score on it
    7 proof.py        how far the plan is from the best
    8 choice.py       act or hold; rejections.py: why everything else is not in it
    solve.py          steps 1 to 8: a Case to its Solution; `Steps`, LOCAL
    9 questions/      what would change it
    10 narrative.py   sentences; document.py: the plan document
    planner.py        plan(): solve, consider, write

To add a step: a file with one function that takes what the step before gave, its place in `solve`,
its row in the contract `steps` of pyproject.toml.
"""
