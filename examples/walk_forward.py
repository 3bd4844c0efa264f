"""Walk forward: every quarter the plan of that day, done, and on with what is owned then.

Offline, in any folder: python walk_forward.py
"""

from datetime import date

import steelyard
from steelyard.samples import sample

FILES = sample("growth")
TARGETS = {"QUAL": 0.4, "MSFT": 0.2, "JNJ": 0.2, "KO": 0.15}
DAYS = [date(year, month, 1) for year in (2021, 2022) for month in (1, 4, 7, 10)]


def main() -> None:
    """One line for each quarter."""
    owned, cash = None, {"USD": 100_000}
    for day in DAYS:
        inputs = steelyard.inputs(
            owned, cash=cash, prices=FILES.prices, targets=TARGETS,
            securities=FILES.securities, as_of=day,
        )  # fmt: skip
        plan = steelyard.plan(inputs)
        owned, cash = inputs.snapshot.after(plan), None
        drift = f"{plan.drift.before:6.1%} → {plan.drift.after:5.1%}"
        print(f"{day}  {plan.value:>11,.2f} USD  drift {drift}  {len(plan.steps)} orders")
    print("Lots at the end:", sum(len(holding.lots) for holding in owned.holdings))


if __name__ == "__main__":
    main()
