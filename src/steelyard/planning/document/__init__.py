"""From a solution to the plan document: exact money, weights, ladders, the ledger of what stopped.

    account.py        prices, holdings, drift, cash by day, whose rules
    orders.py         candidates, steps with their lots and costs, conversions, what was not traded
    alternatives.py   what else was weighed
    certificate.py    how far the plan is from the best, and its neighbours
    score.py          the score by term and part
    write.py          all of it, sealed by its id

In: a Solution and its Guard. Out: records of `plans`, in the files of the same names there. Decimal
in, decimal out: quantities x prices x rates are never rounded here.
"""
