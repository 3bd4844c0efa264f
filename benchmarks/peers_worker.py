# ruff: noqa: PLC0415 each library is imported by its own function: importing is timed
"""One other library on one problem, timed: run by `peers`, in the environment that has these
libraries and not ours.

    python peers_worker.py PEER PROBLEM.npz      prints {"import": s, "seconds": [...], "version":
    "...", "note": "..."}

Building the problem is part of what is timed, since a planner would build it every time. The first
run is not counted.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

RUNS, PATIENCE = 7, 3.0
"""Counted runs, and seconds after which fewer are enough (at least three)."""
FEWEST = 3
COST = 0.002
VALUE_PER_SECURITY = 2_500.0
RISK_AVERSION = 5.0
AGREEMENT = 1e-5

Problem = dict[str, Any]
Work = Callable[[], str]


def discrete_allocation(problem: Problem, solver: str) -> Work:
    """Whole lots nearest to given weights: PyPortfolioOpt DiscreteAllocation."""
    import pandas as pd
    from pypfopt import DiscreteAllocation

    n = len(problem["targets"])
    weights = {i: float(weight) for i, weight in enumerate(problem["targets"]) if weight > 0}
    prices = pd.Series(problem["lots"] * VALUE_PER_SECURITY * n)[list(weights)]

    def work() -> str:
        allocation = DiscreteAllocation(
            weights, prices, total_portfolio_value=VALUE_PER_SECURITY * n
        )
        answer, rest = (
            allocation.greedy_portfolio() if solver == "greedy" else allocation.lp_portfolio()
        )
        return (
            f"{len(answer)} positions, {100 * rest / (VALUE_PER_SECURITY * n):.2f} % of value left "
            "in cash"
        )

    return work


def continuous_score(problem: Problem) -> Work:
    """Our score without lots, depth, fixed fees and hurdle, percentage costs charged: cvxpy with
    Clarabel.
    """
    import cvxpy as cp

    start, mix, each = problem["start"], problem["mix"], problem["coefficients"]
    volatility = np.sqrt((problem["loadings"] ** 2).sum(axis=1) + problem["own"] ** 2)
    common, own = problem["loadings"] / volatility[:, None], problem["own"] / volatility

    def work() -> str:
        w, c = cp.Variable(len(mix), nonneg=True), cp.Variable()
        u = w + mix * c
        cost = COST * cp.norm1(w - start[:-1])
        squares = (
            each["fit"] * (cp.sum_squares(w) + cp.square(c))
            + each["conc"] * cp.sum_squares(u)
            + each["ind"] * cp.sum_squares(problem["sectors"].T @ u)
            + each["country"] * cp.sum_squares(problem["countries"].T @ u)
            + each["rao"] * (cp.sum_squares(common.T @ u) + cp.sum_squares(cp.multiply(own, u)))
        )
        risk = cp.norm2(cp.hstack([problem["loadings"].T @ w, cp.multiply(problem["own"], w)]))
        score = problem["slope"][:-1] @ w + problem["slope"][-1] * c - squares - each["vol"] * risk
        solved = cp.Problem(
            cp.Maximize(score - problem["cost_rate"] * cost),
            [cp.sum(w) + c == 1, c - cost >= problem["reserve"]],
        )
        solved.solve(solver=cp.CLARABEL)
        z = np.append(w.value, c.value)
        ours = (
            problem["slope"] @ z
            - z @ problem["curvature"] @ z
            - each["vol"] * np.sqrt(z @ problem["variance"] @ z)
        )
        if abs(ours - score.value) > AGREEMENT:
            raise AssertionError(f"this is not our score: {score.value} instead of {ours}")
        return f"{int((np.abs(w.value - start[:-1]) > 1e-4).sum())} securities traded"

    return work


def single_period(problem: Problem) -> Work:
    """Return less risk less costs, continuous: cvxportfolio SinglePeriodOptimization, full
    covariance from the history.
    """
    import cvxportfolio as cvx
    import pandas as pd

    history = pd.DataFrame(
        problem["returns"],
        index=pd.bdate_range("2020-01-01", periods=len(problem["returns"]), tz="UTC"),
    )
    history.columns = [f"S{i}" for i in range(history.shape[1])]
    history["cash"] = problem["risk_free"] / 252
    market = cvx.UserProvidedMarketData(
        returns=history, cash_key="cash", min_history=pd.Timedelta("1d"), online_usage=True
    )
    value = VALUE_PER_SECURITY * len(problem["mix"])
    holdings = pd.Series(problem["start"] * value, index=history.columns)

    def work() -> str:
        aim = (
            cvx.ReturnsForecast()
            - RISK_AVERSION * cvx.FullCovariance()
            - cvx.TransactionCost(a=COST, b=None)
        )
        policy = cvx.SinglePeriodOptimization(
            aim, [cvx.LongOnly(), cvx.LeverageLimit(1)], include_cash_return=False
        )
        trades = policy.execute(holdings, market)[0]
        return f"{int((trades.iloc[:-1].abs() > 1e-4 * value).sum())} securities traded"

    return work


def mean_risk(problem: Problem) -> Work:
    """Return less variance less costs, continuous: skfolio MeanRisk, moments from the history."""
    import pandas as pd
    from skfolio.optimization import MeanRisk, ObjectiveFunction

    history = pd.DataFrame(
        problem["returns"], columns=[f"S{i}" for i in range(problem["returns"].shape[1])]
    )
    before = problem["start"][:-1]

    def work() -> str:
        model = MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_UTILITY,
            risk_aversion=RISK_AVERSION,
            transaction_costs=COST / 252,
            previous_weights=before,
            budget=float(before.sum()),
        )
        model.fit(history)
        return f"{int((np.abs(model.weights_ - before) > 1e-4).sum())} securities traded"

    return work


PEERS: dict[str, tuple[str, Callable[[Problem], Work]]] = {
    "discrete_greedy": ("pyportfolioopt", lambda problem: discrete_allocation(problem, "greedy")),
    "discrete_lp": ("pyportfolioopt", lambda problem: discrete_allocation(problem, "lp")),
    "continuous": ("cvxpy", continuous_score),
    "single_period": ("cvxportfolio", single_period),
    "mean_risk": ("skfolio", mean_risk),
}


def main() -> None:
    """Import, prepare, warm up, time."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    name, path = sys.argv[1:]
    package, prepare = PEERS[name]
    with np.load(path) as file:
        problem: Problem = {key: file[key] for key in file.files}
    names, values = problem.pop("coefficient_names"), problem.pop("coefficient_values")
    problem["coefficients"] = dict(zip(names.tolist(), values.tolist(), strict=True))
    start = time.perf_counter()
    work = prepare(problem)
    imported = time.perf_counter() - start
    seconds: list[float] = []
    note = work()
    while len(seconds) < RUNS and (len(seconds) < FEWEST or sum(seconds) < PATIENCE):
        start = time.perf_counter()
        note = work()
        seconds.append(time.perf_counter() - start)
    print(
        json.dumps(
            {"import": imported, "seconds": seconds, "version": version(package), "note": note}
        )
    )


if __name__ == "__main__":
    main()
