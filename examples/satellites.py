"""A core and two satellites in one account: sliders to rules, budgets to aggression, and a plan for
each.
"""

import textwrap
from decimal import Decimal

from steelyard import importers, strategies
from steelyard.buckets import (
    UNASSIGNED,
    Bucket,
    Budgets,
    SatelliteSettings,
    mark,
    open_units,
    split,
    state_of,
)
from steelyard.planning.planner import plan
from steelyard.samples import sample
from steelyard.strategies.writing import settings

FILES = sample("growth")
ACCOUNT = importers.assemble(
    importers.read(FILES.holdings, prices=FILES.prices, securities=FILES.securities),
    base_currency="USD",
)
SATELLITES = {"momentum": {"AMD", "LLY", "MRK"}, "steady": {"KO", "PG", "PEP", "WMT"}}
CORE = {security.symbol for security in ACCOUNT.snapshot.securities}.difference(
    *SATELLITES.values(), {"GE"}
)  # GE is in no bucket
SETTINGS = {
    "momentum": SatelliteSettings(
        satellite_id="momentum", preset="momentum_hunter", risk_appetite=0.9
    ),
    "steady": SatelliteSettings(
        satellite_id="steady",
        hold_duration=0.5,
        position_spread=1.0,
        dividend_handling="reinvest_same",
    ),
}


def bucket(name, kind, universe, cash, weight, rules):
    return Bucket(
        name=name,
        kind=kind,
        universe=frozenset(universe),
        cash={"USD": Decimal(cash)},
        target_weight=weight,
        rules=rules,
    )


def worth_of(snapshot):
    """What a book is worth: everything here is in USD."""
    return sum(
        (h.quantity * ACCOUNT.market.quotes[h.symbol].price for h in snapshot.holdings),
        snapshot.cash["USD"],
    )


def say(text):
    print(textwrap.fill(text, 80, initial_indent="  ", subsequent_indent="    "))


BUCKETS = [
    bucket("core", "core", CORE, "5374", 0.70, strategies.default()),
    bucket("momentum", "satellite", SATELLITES["momentum"], "3000", 0.15, SETTINGS["momentum"]),
    bucket("steady", "satellite", SATELLITES["steady"], "2000", 0.15, SETTINGS["steady"]),
]

books = split(ACCOUNT.snapshot, BUCKETS, Budgets(satellites_weight=0.30))
print(
    f"in no bucket, and traded by nobody: {', '.join(h.symbol for h in books[UNASSIGNED].holdings)}"
)
for own in BUCKETS:
    snapshot, strategy = books[own.name], own.strategy
    worth = worth_of(snapshot)
    units = mark(open_units(worth), worth)
    state = state_of(own, units, worth, worth_of(ACCOUNT.snapshot))
    proposal = plan(snapshot, ACCOUNT.market, strategy, state=state)
    funding = "" if state.funding is None else f", {state.funding:.0%} of its budget"
    print(f"\n{own.name}: {worth:,.2f} USD{funding}; buys are scaled by {state.aggression:g}")
    for setting in settings(strategy):
        if setting.source.startswith(("slider", "preset")) and setting.key != "enabled":
            table = setting.table.rpartition(".")[2]
            print(f"  {setting.source:<24} {table}.{setting.key} = {setting.value}")
    for step in proposal.steps:
        say(f"{step.side} {step.quantity} {step.symbol}: {step.reason}")
    say(proposal.verdict.text)
