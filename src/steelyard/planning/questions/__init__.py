"""What would change the plan, and how sure it is; each solves again with one thing changed.

    what_if.py           beside the plan, where generators are on that ask: fills, loosened
    explain.py           after the plan, when asked for: the four below
    again.py             the plan that is asked about, and its case solved again in its own scope
    rules.py             the rules in force, and a case with one of them changed
    fills.py             the plan partly filled
    loosened.py          one rule loosened for a generator, and what that is worth
    stability.py         the plan under re-estimates of returns and risk
    counterfactuals.py   what one looser rule would gain
    thresholds.py        the price at which each order leaves
    relaxations.py       of a hold plan the smallest loosening that lets one through
    judge.py             what a plan's orders are worth under another strategy's rules

In: a plan with its case, and the Steps that solve again. Out: records of `plans.answers`.
"""
