"""A bucket after a run: lots by the plan's order, days and cash as they were filled; once."""

import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from builders.commands import own_files, run
from steelyard.execution.journal.rows import FillRow
from steelyard.orders import Side
from steelyard.plans.account import LotShown
from steelyard.portfolio import Holding, Security, Snapshot, TaxLot
from steelyard.runs.filled import after

D = Decimal
OLD, NEW = date(2020, 1, 2), date(2025, 6, 3)
LOTS = (TaxLot(D(10), NEW, D(90)), TaxLot(D(10), OLD, D(120)))


def snapshot() -> Snapshot:
    return Snapshot(
        as_of=date(2026, 1, 8), base_currency="USD", cash={"USD": D(100)},
        holdings=(Holding("AA", D(20), LOTS),),
        securities=(Security("AA", "AA"), Security("BB", "BB")),
    )  # fmt: skip


def fill(side: Side, symbol: str, shares: str, price: str, day: int) -> FillRow:
    quantity, at = D(shares), datetime(2026, 1, day, 15, tzinfo=UTC)
    return FillRow(
        account="core", exec_id=f"{symbol}{shares}{day}", client_order_id="c", quantity=quantity,
        value=quantity * D(price), fee=D(0), currency="USD", at=at, symbol=symbol, side=side,
        price=D(price), settles=None,
    )  # fmt: skip


def shown(lot: TaxLot) -> LotShown:
    return LotShown(acquired=lot.acquired, quantity=lot.quantity, unit_cost=lot.unit_cost)


def test_a_sale_takes_the_plans_lots_in_its_order_as_far_as_it_was_filled():
    sold = [fill(Side.SELL, "AA", "4", "100", 9), fill(Side.SELL, "AA", "8", "100", 12)]

    (holding,) = after(snapshot(), sold, {"AA": [*map(shown, LOTS)]}, {"USD": D(1300)}).holdings

    assert (holding.quantity, holding.lots) == (D(8), (TaxLot(D(8), OLD, D(120)),))
    assert holding.last_sold == holding.lost_on == date(2026, 1, 12)


def test_without_a_choice_of_lots_the_oldest_goes_first_and_a_gain_is_no_loss():
    (holding,) = after(snapshot(), [fill(Side.SELL, "AA", "10", "130", 9)], {}, {}).holdings

    assert holding.lots == (TaxLot(D(10), NEW, D(90)),)
    assert (holding.last_sold, holding.last_loss) == (date(2026, 1, 9), None)


def test_a_purchase_is_a_lot_of_its_day_at_what_was_paid_and_the_cash_is_the_brokers():
    bought = [fill(Side.BUY, "BB", "2", "10", 9), fill(Side.BUY, "BB", "1", "13", 9)]

    result = after(snapshot(), bought, {}, {"USD": D(67), "EUR": D(5)})

    (_, holding) = result.holdings
    assert holding.lots == (TaxLot(D(3), date(2026, 1, 9), D(11)),)
    assert holding.last_bought == date(2026, 1, 9)
    assert (result.cash, result.as_of) == ({"EUR": D(5), "USD": D(67)}, date(2026, 1, 8))


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEELYARD_PAPER_PACE", "0")
    run("bucket", "load", "core", *own_files(tmp_path), "--as-of", "2026-01-09")
    (tmp_path / "p.json").write_text(run("plan", "--bucket", "core", "--json").stdout)
    return tmp_path / "p.json"


def cash() -> str:
    return json.loads(run("bucket", "show", "core", "--json").stdout)["cash"]["USD"]


def test_the_next_plan_starts_from_what_was_filled_and_holds(plan: Path):
    result = run("execute", plan, "--yes")
    assert (result.exit_code, "owns what was filled" in result.stderr) == (0, True)

    books = json.loads(run("reconcile", "--json").stdout)
    assert (books["clean"], books["cash"]["USD"]) == (True, cash())
    following = json.loads(run("plan", "--bucket", "core", "--json").stdout)
    assert (following["verdict"]["action"], following["steps"]) == ("hold", [])
    again = {row["symbol"]: row["quantity"] for row in following["holdings"]}
    assert again == {row["symbol"]: row["quantity"] for row in books["holdings"]}


def test_a_bucket_that_could_not_follow_at_once_does_so_later_and_once(plan: Path, monkeypatch):
    database = Path(os.environ["STEELYARD_HOME"]) / "steelyard.db"
    database.rename(database.with_name("away.db"))
    assert run("execute", plan, "--account", "core", "--yes").exit_code == 0
    database.with_name("away.db").rename(database)
    before = cash()

    assert "owns what was filled" in run("resume").stderr
    after_it = cash()
    assert after_it != before
    assert "owns" not in run("resume").stderr
    assert cash() == after_it


def test_a_bucket_that_was_loaded_anew_meanwhile_stays_as_it_is_and_that_is_told(plan: Path):
    Path("h.csv").write_text("symbol,quantity,price\nAAA,99,10\nBBB,10,20\nCASH:USD,300,\n")
    run("bucket", "load", "core", "--holdings", "h.csv", "--targets", "t.csv",
        "--as-of", "2026-01-09", "--moved", "USD=0")  # fmt: skip
    assert cash() == "300"

    result = run("execute", plan, "--yes")

    assert (result.exit_code, cash()) == (0, "300")
    assert "not brought up to date" in result.stderr
