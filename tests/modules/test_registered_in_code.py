"""What a script or a notebook registers is known, and runs only where a strategy says so."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = '''
from datetime import date
import steelyard
from steelyard import Candidate, ModuleParams, SteelyardError, opportunity_calculator, say
from steelyard.orders import Side

CELL = """
class Params(ModuleParams):
    'None.'

@opportunity_calculator("all_out", version="{version}", params=Params)
def all_out(ctx, params):
    'Sell whatever is held.'
    return [
        Candidate(Side.SELL, symbol, (-float(weight),), 1.0, say("sold, by {version}"))
        for symbol, weight in zip(ctx.symbols, ctx.weights) if weight > 0
    ]
"""
data = {"holdings": {"VT": 10}, "prices": {"VT": 100, "BND": 50}, "cash": {"USD": 100},
        "as_of": date(2022, 12, 28), "targets": {"VT": 0.5, "BND": 0.5}}
before = steelyard.plan(**data)
exec(CELL.replace("{version}", "1.0.0"))
after = steelyard.plan(**data)
exec(CELL.replace("{version}", "1.1.0"))
again = steelyard.plan(**data)
print(before.plan_id == after.plan_id == again.plan_id)
on = steelyard.plan(**data, strategy={"opportunity_calculators": {"all_out": {}}})
print([(run.name, run.version, run.outcome) for run in on.modules if run.name == "all_out"])
print([run.name for run in again.modules if run.name == "all_out"])
try:
    opportunity_calculator("all_out", version="2.0.0", params=Params)(lambda ctx, params: [])
except SteelyardError as error:
    print(error)
'''


def test_registered_is_not_enabled_and_a_cell_that_is_run_again_replaces_its_module():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    same, on, off, second = done.stdout.splitlines()
    assert same == "True"
    assert on.startswith("[('all_out', '1.1.0', '")
    assert off == "[]"
    assert "all_out is registered already (1.1.0, __main__.all_out)" in second
    assert "give it another name" in second
