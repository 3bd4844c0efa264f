"""One portfolio under rules of your own: a preset, a TOML file, and changes in code. Offline:
python custom_configuration.py

The strategy file is written to careful.toml.
"""

from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from steelyard import importers, strategies
from steelyard.errors import SettingsError
from steelyard.planning import planner
from steelyard.samples import sample
from steelyard.strategies import Strategy

CAREFUL = """
name = "careful"
preset = "conservative"       # what is not named here is as the preset has it

[limits]
min_trade_base = 3000         # no order under 3,000
cash_reserve_weight = 0.08    # and 8 % stays in cash

[opportunity_calculators]
opportunity_buys = false      # a module switched off
"""
SLIP = "[limits]\nmin_trade_bas = 3000\n"


def rules() -> list[Strategy]:
    """Four strategies: the default, a preset, a file, and the default with two changes."""
    path = Path("careful.toml")
    path.write_text(CAREFUL, encoding="utf-8")
    changes = {
        "search": {"max_depth": 2},
        "opportunity_calculators": {"weight_based": {"min_gap_threshold": 0.03}},
    }
    two_trades = strategies.overlay(strategies.default(), changes, "example")
    return [
        strategies.default(),
        strategies.preset("aggressive"),
        strategies.load(path),
        two_trades,
    ]


def main() -> None:
    """Plan under each and print them side by side."""
    console, files = Console(highlight=False), sample("growth")
    inputs = importers.assemble(
        importers.read(
            files.holdings, prices=files.prices, targets=files.targets, securities=files.securities
        )
    )
    table = Table(
        "strategy",
        "orders",
        "turnover",
        "drift after",
        "costs",
        "cash after",
        "least order",
        box=SIMPLE,
    )
    for strategy, name in zip(
        rules(), ("default", "aggressive", "careful", "two trades"), strict=True
    ):
        plan = planner.plan(inputs.snapshot, inputs.market, strategy, targets=inputs.targets)
        cash = float(plan.cash_after[plan.base_currency] / plan.value)
        least = min((step.notional_base for step in plan.steps), default=0)
        cells = (
            f"{plan.turnover:.1%}",
            f"{plan.drift.after:.1%}",
            f"{plan.costs.total:,.2f}",
            f"{cash:.1%}",
            f"{least:,.0f}",
        )
        table.add_row(name, f"{len(plan.steps)}", *cells)
    console.print("One portfolio, four strategies", table)
    try:
        strategies.parse(SLIP, "slip")
    except SettingsError as error:
        console.print(f"A slip in a file never goes unseen:\n{error}")


if __name__ == "__main__":
    main()
