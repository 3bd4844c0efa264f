# ruff: noqa: PLC0415 each library is imported by its own function: importing is timed
"""One other library on one problem, timed: run by `peers`, in the environment that has these
libraries and not ours.

    python peers_worker.py PEER PROBLEM.npz      prints {"import": s, "seconds": [...], "version":
    "...", "shares": [...]}

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
import numpy.typing as npt

RUNS, PATIENCE = 7, 3.0
"""Counted runs, and seconds after which fewer are enough (at least three)."""
FEWEST = 3
RISK_AVERSION = 5.0
HORIZON = 504
"""Days over which a cost is spread: two years, as our charge does."""
AGREEMENT, RANK = 1e-5, 1e-12

Floats = npt.NDArray[np.float64]
Problem = dict[str, Any]
Work = Callable[[], Floats]
"""Gives the shares (n,) that the account ends with."""


def discrete_allocation(problem: Problem, solver: str) -> Work:
    """Whole lots nearest to the targets: PyPortfolioOpt DiscreteAllocation."""
    import pandas as pd
    from pypfopt import DiscreteAllocation

    targets, value = problem["targets"], float(problem["value"])
    weights = {i: float(w / targets.sum()) for i, w in enumerate(targets) if w > 0}
    prices = pd.Series(problem["lots"] * value)[list(weights)]

    def work() -> Floats:
        allocation = DiscreteAllocation(
            weights, prices, total_portfolio_value=value * float(targets.sum())
        )
        answer, _ = (
            allocation.greedy_portfolio() if solver == "greedy" else allocation.lp_portfolio()
        )
        shares = np.zeros(len(targets))
        shares[list(answer)] = list(answer.values())
        return shares

    return work


def continuous_score(problem: Problem) -> Work:
    """Our score without lots, fixed fees and hurdle, percentage costs charged: cvxpy with Clarabel.

    Raises AssertionError where its value is not our score of the same weights.
    """
    import cvxpy as cp

    start, curvature, variance, k = (
        problem[key] for key in ("start", "curvature", "variance", "norm")
    )
    own, n = problem["separable"], len(problem["start"]) - 1

    def work() -> Floats:
        common, spread = factor(curvature - np.diag(own)), factor(variance)
        w, c = cp.Variable(n, nonneg=True), cp.Variable()
        z = cp.hstack([w, c])
        cost = problem["cost"] @ cp.abs(w - start[:-1])
        squares = cp.sum_squares(cp.multiply(np.sqrt(own), z)) + cp.sum_squares(common @ z)
        score = problem["slope"] @ z - squares - float(k) * cp.norm2(spread @ z)
        asked = cp.Problem(
            cp.Maximize(score - float(problem["cost_rate"]) * cost),
            [cp.sum(w) + c == start.sum(), c - cost >= float(problem["floor"])],
        )
        asked.solve(solver=cp.CLARABEL)
        end = np.append(w.value, c.value)
        ours = problem["slope"] @ end - end @ curvature @ end - k * np.sqrt(end @ variance @ end)
        if abs(ours - score.value) > AGREEMENT:
            raise AssertionError(f"this is not our score: {score.value} instead of {ours}")
        return np.asarray(w.value / problem["lots"])

    return work


def factor(matrix: Floats) -> Floats:
    """(r, n) rows of which the squares sum to the matrix."""
    values, vectors = np.linalg.eigh(matrix)
    large = values > RANK * values[-1]
    return np.asarray((vectors[:, large] * np.sqrt(values[large])).T)


def single_period(problem: Problem) -> Work:
    """Tracking variance and costs, continuous: cvxportfolio SinglePeriodOptimization, full
    covariance from the history.
    """
    import cvxportfolio as cvx
    import pandas as pd

    history = pd.DataFrame(
        problem["returns"],
        index=pd.bdate_range("2020-01-01", periods=len(problem["returns"]), tz="UTC"),
    )
    history.columns = [f"S{i}" for i in range(history.shape[1])]
    history["cash"] = 0.0
    market = cvx.UserProvidedMarketData(
        returns=history, cash_key="cash", min_history=pd.Timedelta("1d"), online_usage=True
    )
    value, targets = float(problem["value"]), problem["targets"]
    holdings = pd.Series(problem["start"] * value, index=history.columns)
    aims = pd.Series(np.append(targets, 1 - targets.sum()), index=history.columns)
    cost = float(problem["cost"].mean())

    def work() -> Floats:
        costs = (1 / HORIZON) * cvx.TransactionCost(a=cost, b=None)
        goal = -RISK_AVERSION * cvx.FullCovariance() - costs
        policy = cvx.SinglePeriodOptimization(
            goal,
            [cvx.LongOnly(), cvx.LeverageLimit(1)],
            include_cash_return=False,
            benchmark=cvx.FixedWeights(aims),
        )
        trades = policy.execute(holdings, market)[0]
        end = (holdings + trades).to_numpy()[:-1] / value
        return np.asarray(np.maximum(end, 0) / problem["lots"])

    return work


def tracker(problem: Problem) -> Work:
    """Tracking error and costs, continuous: skfolio BenchmarkTracker, moments from the history."""
    import pandas as pd
    from skfolio.optimization import BenchmarkTracker

    returns, invested = problem["returns"], float(problem["targets"].sum())
    history = pd.DataFrame(returns, columns=[f"S{i}" for i in range(returns.shape[1])])
    benchmark = pd.Series(returns @ problem["targets"]) / invested

    def work() -> Floats:
        model = BenchmarkTracker(
            transaction_costs=float(problem["cost"].mean()) / HORIZON,
            previous_weights=problem["start"][:-1] / invested,
        )
        model.fit(history, benchmark)
        return np.asarray(np.maximum(model.weights_, 0) * invested / problem["lots"])

    return work


PEERS: dict[str, tuple[str, Callable[[Problem], Work]]] = {
    "discrete_greedy": ("pyportfolioopt", lambda problem: discrete_allocation(problem, "greedy")),
    "discrete_lp": ("pyportfolioopt", lambda problem: discrete_allocation(problem, "lp")),
    "continuous": ("cvxpy", continuous_score),
    "single_period": ("cvxportfolio", single_period),
    "tracker": ("skfolio", tracker),
}


def main() -> None:
    """Import, prepare, warm up, time."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    name, path = sys.argv[1:]
    package, prepare = PEERS[name]
    with np.load(path) as file:
        problem: Problem = {key: file[key] for key in file.files}
    start = time.perf_counter()
    work = prepare(problem)
    imported = time.perf_counter() - start
    seconds: list[float] = []
    shares = work()
    while len(seconds) < RUNS and (len(seconds) < FEWEST or sum(seconds) < PATIENCE):
        start = time.perf_counter()
        shares = work()
        seconds.append(time.perf_counter() - start)
    print(
        json.dumps(
            {
                "import": imported,
                "seconds": seconds,
                "version": version(package),
                "shares": shares.tolist(),
            }
        )
    )


if __name__ == "__main__":
    main()
