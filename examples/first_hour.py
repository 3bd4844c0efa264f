"""A quant's first hour, cell by cell. Needs pandas; offline: python first_hour.py

Data in memory, a plan, frames of it, a calculator of one's own, a month later.
"""

# %% Data in memory: whatever is a table or a dict
from datetime import date

import pandas as pd

import steelyard
from steelyard import Candidate, Context, ModuleParams, opportunity_calculator, say
from steelyard.orders import Side
from steelyard.samples import sample

prices = pd.read_csv(sample("growth").prices, index_col="date", parse_dates=True)
held = {"QUAL": 300, "AAPL": {"quantity": 250, "average_cost": 31.5}, "KO": 150}
weights = pd.Series({"QUAL": 0.6, "AAPL": 0.2, "KO": 0.1, "PG": 0.05})
funds = {"QUAL": {"product_type": "ETF"}}

data = {"prices": prices, "targets": weights, "securities": funds, "cash": 5_000}
today = {"as_of": date(2022, 11, 28), "base_currency": "USD"}
plan = steelyard.plan(held, **data, **today)

# %% A plan shows itself; in a notebook as a table
print(plan)

# %% Its lists are frames with columns of numbers
steps = plan.to_frame("steps").set_index("symbol")
print("\nWhat each order costs and adds")
print(steps[["side", "quantity", "notional_base", "costs.total", "adds.score"]].round(2))

# %% The strategy: a preset's name, a dict, or a file
careful = {"preset": "conservative", "limits": {"max_turnover_weight": 0.05}}
less = steelyard.plan(held, **data, **today, strategy=careful)
print(f"\nAt most 5 % turnover: {less.turnover:.1%} in {len(less.steps)} orders")


# %% A calculator of one's own. Registered, it is off until a strategy names it; run this
# cell again, and it replaces itself.
class Params(ModuleParams):
    """What counts as too good."""

    times: float = 2.0


@opportunity_calculator("halve_winners", version="1.0.0", params=Params)
def halve_winners(ctx: Context, params: Params) -> list[Candidate]:
    """Halve what is worth a multiple of its cost."""
    return [
        Candidate(
            Side.SELL,
            symbol,
            (-float(ctx.weights[i]) / 2,),
            1.0,
            say("worth over {times} times its cost", times=params.times),
        )
        for i, symbol in enumerate(ctx.symbols)
        if ctx.held[i] and ctx.prices[i] > params.times * ctx.average_cost[i]
    ]


again = steelyard.plan(held, **data, **today)
own = {"opportunity_calculators": {"halve_winners": {"times": 3.0}}}
mine = steelyard.plan(held, **data, **today, strategy=own)
asked = mine.to_frame("candidates").query("sources.str.contains('halve_winners')")
print(f"\nRegistered, the plan is the same: {again.plan_id == plan.plan_id}")
print(f"Named in a strategy, halve_winners asks for {', '.join(asked.symbol)}")

# %% A month later: the plan is done, its lots are owned, prices have moved
inputs = steelyard.inputs(held, **data, **today)
owned = inputs.snapshot.after(steelyard.plan(inputs))
later = steelyard.plan(
    owned, prices=prices, targets=weights, securities=funds, as_of=date(2022, 12, 28)
)
print(f"\n{later.as_of}, from {len(owned.holdings)} holdings: {later.verdict.action}")
