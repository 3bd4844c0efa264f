"""What would change the plan, and how sure it is; each solves again with one thing changed.

    what_if.py      beside the plan, where the strategy has generators on that ask: fills, loosened
    explain.py      after the plan, when asked for: stability, loosened, thresholds
    fills.py        the plan partly filled
    loosened.py     one rule changed, what then
    stability.py    the plan under re-estimates of returns and risk
    thresholds.py   the price at which each order leaves

In: a Solution, and the Steps that solve again. Out: records of `plans.answers`.
"""
