"""Targets to fills: a plan of plain Python data, traded on the paper broker, and its result.

    python examples/rebalance_and_execute.py

Nothing is sent anywhere: the paper broker is a file in a temporary folder, and so is the journal.
"""

from __future__ import annotations

import tempfile
import textwrap
from pathlib import Path

from rich.console import Console

from steelyard import plan
from steelyard.brokers.paper import Script, open_paper
from steelyard.cycle import carry_out
from steelyard.execution.approved import approved
from steelyard.execution.begin import start
from steelyard.execution.journal.opening import leased, open_journal
from steelyard.execution.paper import opening_of
from steelyard.execution.report import run_report
from steelyard.execution.room import Room
from steelyard.report.terminal.run import draw

HOLDINGS = {"ACME": 120, "BOLT": 50, "CRUX": 10}
PRICES = {"ACME": 100.00, "BOLT": 80.00, "CRUX": 20.00}
TARGETS = {"ACME": 0.50, "BOLT": 0.40, "CRUX": 0.05}
ACCOUNT = "demo"
WIDTH = 80


def main() -> None:
    """Plan, trade, show."""
    chosen = plan(HOLDINGS, prices=PRICES, targets=TARGETS, cash={"USD": 3000}, as_of="2026-01-09")
    print(textwrap.fill(chosen.verdict.text, WIDTH))
    orders = approved(chosen)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        broker = open_paper(home / "paper.db", ACCOUNT, opening_of(orders), Script(seed=7))
        journal = open_journal(home)
        room = Room(home=home, journal=journal, broker=broker, account=ACCOUNT)
        with leased(journal, home, ACCOUNT) as lease:
            run = carry_out(start(room, lease, chosen.to_json()))
        draw(run_report(journal, run.run_id), Console(width=WIDTH))
        journal.close()


if __name__ == "__main__":
    main()
