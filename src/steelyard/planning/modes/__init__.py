"""Ways to choose among the best lists besides the score of today; one way, one file.

In: `Contenders`, the best lists that the search brings back, hold first. Out: figures (k, q) of
each, by `compare`, independent of each other so that any part of them may be made elsewhere and
earlier; then `judged` picks. What is drawn at random is drawn from the inputs of the plan.

    contenders     end states of the lists, as arrays
    scenes         the score of many scenarios at once
    draws          normals in antithetic pairs, and factors of a covariance
    monte_carlo    correlated paths over a horizon
    stochastic     shocks of the whole market, today
    timeframes     expected growth over several horizons
    objectives     the frontier of score, diversification, risk and cost
    tails          mean, CVaR and their errors
    compare        figures by mode
    judge          from figures to the choice

A new way is a file here, a value of `evaluation.mode` and a line in `compare` and `judge`.
"""
