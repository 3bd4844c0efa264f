"""Plan the bundled portfolio and print what came out. Offline, in any folder: python basic.py

The report of the same plan is written to basic.html.
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path

from steelyard import importers, strategies
from steelyard.planning import planner
from steelyard.plans.plan import Plan
from steelyard.report import page
from steelyard.samples import sample

REPORT = Path("basic.html")
WIDTH = 80


def make_plan() -> Plan:
    """The plan of the bundled portfolio under the default strategy; your own files are read the
    same way.
    """
    files = sample("growth")
    read = importers.read(
        files.holdings, prices=files.prices, targets=files.targets, securities=files.securities
    )
    inputs = importers.assemble(read, base_currency=files.base_currency)
    return planner.plan(
        inputs.snapshot,
        inputs.market,
        strategies.default(),
        targets=inputs.targets,
        warnings=inputs.warnings,
    )


def told(plan: Plan) -> Iterator[str]:
    """The plan in lines: the verdict, the orders with their reasons, cash, how good it is."""
    yield f"As of {plan.as_of}, value {plan.value:,.2f} {plan.base_currency}"
    yield plan.verdict.text
    yield ""
    for step in plan.steps:
        amount = f"{step.notional_base:>9,.0f} {plan.base_currency}"
        weights = f"{step.weight_before:6.1%} → {step.weight_after:5.1%}"
        yield (
            f"  {step.n:>2}  {step.side:<4}  {step.symbol:<5} {step.quantity:>4}  {amount}"
            f" {weights}  adds {100 * step.adds.score:5.2f} points"
        )
        yield f"     {step.reason}"
    after = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in plan.cash_after.items())
    yield ""
    yield f"Cash after {after}; costs {plan.costs.total:,.2f} {plan.base_currency}"
    yield f"Certificate: {plan.certificate.status}, {plan.certificate.covers}"


def main() -> None:
    """Print the plan and write its report."""
    plan = make_plan()
    for line in told(plan):
        print(textwrap.fill(line, WIDTH))
    REPORT.write_text(page.render(plan), encoding="utf-8")
    print(f"Report written: {REPORT}. Nothing was sent anywhere.")


if __name__ == "__main__":
    main()
