"""The accounts of a fleet in windows of every width: worst first, nothing cut, the sums right."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from steelyard.report.terminal.fleet import draw
from steelyard.runs.fleet.results import STANDINGS, standing, totals_of, worst_first
from steelyard.store.fleets import AccountRow


def row(account: str, **changes: Any) -> AccountRow:
    usual = {
        "folder": account, "account": account, "digest": "", "seconds": 0.1, "plan_id": "id",
        "verdict": "hold", "orders": 0, "improvement": 0.0, "turnover": 0.0, "drift_before": 0.02,
        "drift_after": 0.02, "cost": Decimal(0), "value": Decimal(1_000_000),
        "base_currency": "USD", "as_of": date(2026, 1, 9),
    }  # fmt: skip
    return AccountRow(**usual | changes)


ACTS = {"verdict": "act", "orders": 3, "improvement": 0.05, "turnover": 0.1, "cost": Decimal(7)}
ROWS = [
    row("holds"),
    row("trades little", **ACTS, drift_before=0.03),
    row("trades much", **ACTS, drift_before=0.09),
    row("has new money", **ACTS, occasions=("new_money",)),
    row("is outside", **ACTS, occasions=("band",)),
    row("lacks cash", **ACTS, occasions=("shortfall", "band"), note="It lacks USD 50."),
    row("is doubtful", problems=2, note="A filter did not work."),
    AccountRow(folder="f", account="Ada Smith-Featherstonehaugh, joint", digest="", seconds=0.1,
               error="holdings.csv line 2: the quantity 'x' is not a number. " * 3, code="c"),
]  # fmt: skip


def test_the_worst_is_first_and_of_the_same_kind_the_one_that_drifted_most():
    ordered = worst_first(ROWS)

    assert [standing(each) for each in ordered[:6]] == list(STANDINGS[:6])
    assert [each.account for each in ordered[-3:]] == ["trades much", "trades little", "holds"]


def test_the_totals_are_the_sums_of_what_has_a_plan():
    totals = totals_of(ROWS)

    assert (totals.accounts, totals.orders, totals.standings["trade"]) == (8, 15, 2)
    (money,) = totals.money
    assert (money.accounts, money.value, money.cost) == (7, Decimal(7_000_000), Decimal(35))
    assert money.traded == Decimal(500_000)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_window_shows_every_account_and_why_it_needs_a_look(width: int):
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        draw(ROWS, console)

    text = capture.get()
    assert max(map(len, text.splitlines())) <= width
    whole = " ".join(text.split())
    assert whole.startswith("8 accounts as of 2026-01-09: 1 failed, 1 with a problem, 1 short of")
    assert "It lacks USD 50." in whole
    assert "A filter did not work." in whole
    assert ("Turnover, %" in whole) == (width == 200)
