"""What is not traded, money on its way, and where prices are from, as a reader sees them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from rich.console import Console

from builders.changes import USUAL
from builders.positions import with_position, with_settling
from builders.world import AS_OF, world
from steelyard.report.exhibits.ladder import cash
from steelyard.report.exhibits.prices import prices
from steelyard.report.exhibits.trades import trades
from steelyard.report.exhibits.weights import weights
from steelyard.report.page import render
from steelyard.report.terminal import show, show_why
from steelyard.targets import Targets

HELD = with_settling(
    with_position(with_position(USUAL, "SHRT", "-20", "40"), "FUT", "2", None, "FUTURE"),
    ("USD", "-500", 3), ("USD", "90", 5),
)  # fmt: skip


def printed(plan, symbol: str | None = None) -> str:
    console = Console(width=120, record=True, force_terminal=False)
    with console.capture() as text:
        if symbol is None:
            show(plan, console, explain=True)
        else:
            show_why(plan, symbol, console)
    return text.get()


def test_positions_that_are_not_traded_have_their_rows_and_all_rows_are_the_whole_value():
    exhibit = weights(HELD.planned)

    rows = [(row.symbol, row.now == row.after, row.target, row.state) for row in exhibit.kept_out]
    assert rows == [("SHRT", True, 0.0, "not traded"), ("FUT", True, 0.0, "not traded")]
    assert exhibit.kept_out[0].now == pytest.approx(-800 / float(HELD.planned.value))
    assert exhibit.total.now == pytest.approx(1)
    assert exhibit.total.after == pytest.approx(1)
    assert "Two positions not traded." in exhibit.said
    assert weights(HELD.planned, None, 1).rest_said == "1 more position not traded"
    text = printed(HELD.planned)
    assert "−800.00" in printed(HELD.planned, "SHRT").replace("\u2212", "−")
    assert "SHRT" in text
    assert "not traded" in render(HELD.planned)


def test_a_short_with_a_target_has_a_single_row_and_its_distance_is_what_drift_counts():
    short = with_position(world("BND 50 @ 70", cash="1000"), "VT", "-10", "100")
    plan = replace(short, targets=Targets({"VT": 0.6, "BND": 0.4})).plan()
    exhibit = weights(plan)
    (row,) = exhibit.kept_out
    rows = (*exhibit.rows, *exhibit.absent, row, exhibit.cash)

    assert (row.symbol, row.target, row.state) == ("VT", 0.6, "short position, not traded")
    assert exhibit.absent == ()
    assert sum(abs(row.off_now) for row in rows) / 2 == pytest.approx(plan.drift.before)
    assert exhibit.total.target == pytest.approx(1)
    assert printed(plan).split("Weights, %")[1].split("Cash after")[0].count("VT") == 1


def test_the_cash_account_is_a_sum_with_what_is_on_its_way():
    plan = HELD.planned
    said = trades(plan).cash_said

    assert "going out 410.00" in said
    assert f"= {plan.cash_after['USD']:,.2f} USD." in said
    exhibit = cash(plan)
    assert exhibit.said.endswith("Money on its way settles on its own day.")
    assert exhibit.ladders[0].days[0].settled == Decimal(9000)


def test_prices_of_one_file_and_day_are_one_line_and_others_have_their_rows():
    quotes = {s: replace(q, source="p.csv") for s, q in USUAL.market.quotes.items()}
    alike = prices(USUAL.having(quotes=quotes).plan())
    assert (alike.said, alike.rows) == ("All prices are of 15\u00a0Mar\u00a02024, from p.csv.", ())

    own = replace(quotes["BB"], source="h.csv", unit="USc")
    plan = USUAL.having(quotes={**quotes, "BB": own}).plan()
    exhibit = prices(plan)
    said = "Two prices are of 15\u00a0Mar\u00a02024, from p.csv. One is of another file or day."
    assert exhibit.said == said
    assert [(r.symbol, r.unit, r.source) for r in exhibit.rows] == [("BB", "USc", "h.csv")]
    assert plan.holdings[1].price_on == AS_OF
    for text in (printed(plan), render(plan)):
        assert "h.csv" in text
        assert "USc" in text
