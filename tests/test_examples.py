"""Every example runs in an empty folder, offline, and says what is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import steelyard
from builders.paths import ROOT
from steelyard import importers, strategies
from steelyard.importers import Inputs
from steelyard.planning import planner
from steelyard.plans.plan import Plan
from steelyard.samples import sample

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
MOST_LINES = 95
WIDTH = 80
NO_NETWORK = """
import runpy, socket, sys
def refused(*_):
    raise OSError("an example went to the network")
socket.socket.connect = socket.getaddrinfo = refused
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    files = sample("growth")
    return importers.assemble(
        importers.read(
            files.holdings, prices=files.prices, targets=files.targets, securities=files.securities
        )
    )


def plan(inputs: Inputs, **changes: dict[str, object]) -> Plan:
    strategy = strategies.overlay(strategies.default(), changes, "test")
    return planner.plan(
        inputs.snapshot, inputs.market, strategy, targets=inputs.targets, warnings=inputs.warnings
    )


def run(path: Path, folder: Path) -> str:
    """What an example prints; fails for an error, for anything on stderr, for any connection."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("COLUMNS", "FORCE_COLOR", "STEELYARD"))
    }
    environment |= {
        "COLUMNS": str(WIDTH),
        "PYTHONUTF8": "1",
        "STEELYARD_HOME": str(folder / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK, str(path)], cwd=folder, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def rows(output: str) -> list[list[str]]:
    """Cells of the lines of a table; two spaces or more part them."""
    return [
        re.split(r"\s{2,}", line.strip())
        for line in output.splitlines()
        if re.search(r"\S\s{2,}\S", line)
    ]


def basic(output: str, folder: Path, inputs: Inputs) -> None:
    made = plan(inputs)

    assert " ".join(made.verdict.text.split()) in " ".join(output.split())
    assert [line.split()[:4] for line in output.splitlines() if re.match(r"  [ \d]\d  ", line)] == [
        [str(step.n), step.side.value, step.symbol, str(step.quantity)] for step in made.steps
    ]
    assert f"costs {made.costs.total:,.2f} USD" in output
    assert made.plan_id[:12] in (folder / "basic.html").read_text(encoding="utf-8")


def custom_configuration(output: str, folder: Path, inputs: Inputs) -> None:
    found = {row[0]: row[1:] for row in rows(output)}
    two = plan(
        inputs,
        search={"max_depth": 2},
        opportunity_calculators={"weight_based": {"min_gap_threshold": 0.03}},
    )

    assert int(found["two trades"][0]) == len(two.steps) <= 2
    assert found["two trades"][2] == f"{two.drift.after:.1%}"
    assert found["default"][2] == f"{plan(inputs).drift.after:.1%}"
    assert len({tuple(row) for name, row in found.items() if name != "strategy"}) >= 4
    careful = planner.plan(
        inputs.snapshot, inputs.market, strategies.load(folder / "careful.toml"),
        targets=inputs.targets,
    )  # fmt: skip
    assert all(step.notional_base >= 3000 for step in careful.steps)
    assert found["careful"][0] == str(len(careful.steps))
    assert "Did you mean min_trade_base?" in output


def performance_comparison(output: str, folder: Path, inputs: Inputs) -> None:
    table = [row for row in rows(output) if row[0] in {"proposals", "candidates", "quantities"}]
    gains = {(row[0], int(row[1])): float(row[3]) for row in table}

    assert len(table) == 9
    assert all(gains["quantities", depth] >= gains["candidates", depth] for depth in (2, 4, 6))
    assert all(gains["candidates", depth] >= gains["proposals", depth] for depth in (2, 4, 6))
    assert gains["candidates", 6] >= gains["candidates", 4] >= gains["candidates", 2] > 0
    proposed = plan(inputs, search={"scope": "proposals", "max_depth": 4})
    assert f"{gains['proposals', 4]:.2f}" == f"{100 * proposed.score.improvement:.2f}"
    assert all(float(row[6]) > 0 for row in table)
    assert "Slowest modules: " in output


def satellites(output: str, folder: Path, inputs: Inputs) -> None:
    universes = {"momentum": {"AMD", "LLY", "MRK"}, "steady": {"KO", "PG", "PEP", "WMT"}}
    books = {part.partition(":")[0]: part for part in output.split("\n\n")}
    worth = {
        name: float(part.partition(": ")[2].partition(" USD")[0].replace(",", ""))
        for name, part in books.items()
        if name[:2] != "in"
    }
    ge = next(held for held in plan(inputs).holdings if held.symbol == "GE")

    assert "traded by nobody: GE" in output
    assert set(worth) == {"core", *universes}
    assert abs(sum(worth.values()) + float(ge.value) - float(plan(inputs).value)) < 0.05
    for name, part in books.items():
        traded = set(re.findall(r"^  (?:buy|sell) [\d.]+ (\w+):", part, re.MULTILINE))
        assert traded <= universes.get(name, traded - set().union(*universes.values()) - {"GE"}), (
            name
        )
    assert "slider risk_appetite" in books["momentum"]
    assert "preset momentum_hunter" in books["momentum"]


def walk_forward(output: str, folder: Path, inputs: Inputs) -> None:
    lines = [row for row in rows(output) if row[0].startswith("202")]
    drifts = [tuple(map(float, re.findall(r"(\d+\.\d)%", row))) for row in output.splitlines()[:8]]
    targets = {"QUAL": 0.4, "MSFT": 0.2, "JNJ": 0.2, "KO": 0.15}
    files, first = sample("growth"), date(2021, 1, 1)
    start = steelyard.inputs(
        cash={"USD": 100_000}, prices=files.prices, targets=targets,
        securities=files.securities, as_of=first,
    )  # fmt: skip
    made = steelyard.plan(start)
    closes = importers.read_prices(files.prices)
    quotes = {row.symbol: closes.quote(row.symbol, date(2021, 4, 1)) for row in made.steps}
    worth = sum(row.quantity * quotes[row.symbol].price for row in made.holdings_after)

    assert len(lines) == 8
    assert lines[0][1] == "100,000.00 USD"
    assert lines[1][1] == f"{worth + made.cash_after['USD']:,.2f} USD"
    assert all(after <= before for before, after in drifts)
    assert sum(int(row[-1].removesuffix(" orders")) for row in lines) > 4


def first_hour(output: str, folder: Path, inputs: Inputs) -> None:
    files = sample("growth")
    held = {"QUAL": 300, "AAPL": {"quantity": 250, "average_cost": 31.5}, "KO": 150}
    made = steelyard.plan(
        held, files.prices, targets={"QUAL": 0.6, "AAPL": 0.2, "KO": 0.1, "PG": 0.05},
        securities={"QUAL": {"product_type": "ETF"}}, cash={"USD": 5000}, as_of=date(2022, 11, 28),
    )  # fmt: skip
    orders = [line.split()[:4] for line in output.splitlines() if re.match(r"\d  (buy|sell)", line)]

    assert orders == [
        [str(step.n), step.side.value, step.symbol, str(step.quantity)] for step in made.steps
    ]
    for step in made.steps:
        assert re.search(rf"^{step.symbol} .* {step.costs.total:.2f} ", output, re.MULTILINE)
    assert re.search(r"At most 5 % turnover: [0-5]\.\d%", output)
    assert "Registered, the plan is the same: True" in output
    assert "halve_winners asks for AAPL" in output
    assert "2022-12-28, from 4 holdings" in output


def rebalance_and_execute(output: str, folder: Path, inputs: Inputs) -> None:
    assert "Done. All orders are filled." in output
    assert "Broker agrees" in output


def events_to_webhook(output: str, folder: Path, inputs: Inputs) -> None:
    # with both addresses it is run over sockets: tests/services/api/test_events.py
    assert output == "Say from where and to where: events_to_webhook.py SERVICE WEBHOOK\n"
    assert [*folder.iterdir()] == []


CHECKS: dict[str, Callable[[str, Path, Inputs], None]] = {
    "basic": basic, "custom_configuration": custom_configuration,
    "events_to_webhook": events_to_webhook,
    "first_hour": first_hour, "performance_comparison": performance_comparison,
    "rebalance_and_execute": rebalance_and_execute, "satellites": satellites,
    "walk_forward": walk_forward,
}  # fmt: skip


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_in_an_empty_folder_and_says_what_is_true(
    path: Path, tmp_path: Path, inputs: Inputs
):
    output = run(path, tmp_path)

    assert "Traceback" not in output
    assert [line for line in output.splitlines() if len(line) > WIDTH] == []
    CHECKS[path.stem](output, tmp_path, inputs)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_says_what_it_is(path: Path):
    text = path.read_text(encoding="utf-8")

    assert len(text.splitlines()) < MOST_LINES
    assert text.startswith('"""')


def test_the_examples_of_the_usage_guide_are_all_there():
    assert {path.stem for path in EXAMPLES} >= set(CHECKS)
