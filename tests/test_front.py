"""`steelyard.plan` of plain Python: what it takes, by which checks, and how it names a slip."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import steelyard
from steelyard import importers, strategies
from steelyard.errors import SteelyardError
from steelyard.importers import Inputs
from steelyard.planning import planner
from steelyard.samples import sample

DAY = date(2022, 12, 28)
FILES = sample("growth")
BOTH: dict[str, Any] = {
    "holdings": {"VT": 100, "BND": 50},
    "prices": {"VT": 90.5, "BND": 71.2},
    "targets": {"VT": 0.6, "BND": 0.4},
    "cash": {"USD": 5000},
    "as_of": DAY,
}


def records(inputs: Inputs) -> list[Any]:
    """All that does not name where it is from."""
    market = inputs.market
    quotes = {symbol: (quote.price, quote.on) for symbol, quote in market.quotes.items()}
    closes = market.closes.tobytes(), market.dates.tobytes(), market.symbols
    return [inputs.snapshot, inputs.targets, inputs.as_of_from, quotes, closes]


def told(**changes: Any) -> str:
    """The refusal of data with changes."""
    with pytest.raises(SteelyardError) as error:
        steelyard.plan(**{**BOTH, **changes})
    return str(error.value)


@pytest.fixture(scope="module")
def by_files() -> Inputs:
    read = importers.read(
        FILES.holdings, prices=FILES.prices, targets=FILES.targets, securities=FILES.securities
    )
    return importers.assemble(read)


def test_data_in_every_form_is_read_as_the_files_are(by_files):
    held, prices = pd.read_csv(FILES.holdings), pd.read_csv(FILES.prices)
    targets, listed = pd.read_csv(FILES.targets), pd.read_csv(FILES.securities)
    dated = prices.set_index("date")
    dated.index = pd.to_datetime(dated.index)
    by_symbol = targets.set_index("symbol")["weight"]
    forms: dict[str, tuple[Any, Any, Any, Any]] = {
        "paths as text": tuple(
            map(str, (FILES.holdings, FILES.prices, FILES.targets, FILES.securities))
        ),
        "open files": (
            io.StringIO(FILES.holdings.read_text()), io.BytesIO(Path(FILES.prices).read_bytes()),
            io.StringIO(FILES.targets.read_text()), FILES.securities,
        ),
        "pandas": (held, prices, targets, listed),
        "pandas, indexed": (held.set_index("symbol"), dated, by_symbol, listed),
        "polars": (
            pl.read_csv(FILES.holdings), pl.read_csv(FILES.prices, try_parse_dates=True),
            pl.read_csv(FILES.targets), pl.read_csv(FILES.securities),
        ),
        "rows": (
            held.to_dict("records"), prices.to_dict("records"), targets.to_dict("records"),
            listed.to_dict("records"),
        ),
        "columns": (
            held.to_dict("list"), prices.to_dict("list"), targets.to_dict("list"),
            listed.to_dict("list"),
        ),
        "dicts": (
            held.to_dict("records"), {name: dated[name] for name in dated}, dict(by_symbol),
            {row["symbol"]: row for row in listed.to_dict("records")},
        ),
        "days": (
            held.to_dict("records"), {day.date(): dict(row) for day, row in dated.iterrows()},
            dict(by_symbol), listed,
        ),
    }  # fmt: skip
    wrong = [
        form
        for form, (owned, closes, weights, securities) in forms.items()
        if records(steelyard.inputs(owned, prices=closes, targets=weights, securities=securities))
        != records(by_files)
    ]

    assert wrong == []


def test_a_few_figures_are_enough_and_floats_are_the_decimals_that_they_read_as():
    plan = steelyard.plan(**BOTH)

    assert {row.symbol: row.price for row in plan.holdings} == {
        "BND": Decimal("71.2"), "VT": Decimal("90.5"),
    }  # fmt: skip
    assert plan.cash == {"USD": 5000}
    assert plan.as_of == DAY
    assert plan.strategy.name == "default"
    assert plan.verdict.action == "act"


def test_lots_fields_and_rates_are_told_as_dicts():
    lots = [
        {"quantity": 10, "acquired": date(2020, 1, 2), "average_cost": 80.25},
        {"quantity": 5, "acquired": date(2021, 1, 4), "average_cost": Decimal("90.10")},
    ]
    inputs = steelyard.inputs(
        {"VT": lots, "EUNL": {"quantity": 7, "currency": "EUR"}},
        prices={"VT": 90.5, "EUNL": 71.2},
        fx={"EUR": 1.0625},
        cash=[{"currency": "USD", "amount": 10}, {"currency": "EUR", "amount": 20.5}],
        securities={"VT": {"product_type": "ETF", "sector": ("Tech", "Energy")}},
        base_currency="USD",
        as_of=DAY,
    )
    owned = {holding.symbol: holding for holding in inputs.snapshot.holdings}
    security = inputs.snapshot.security("VT")
    rate = inputs.market.fx.latest("EUR", DAY)

    assert [lot.unit_cost for lot in owned["VT"].lots] == [Decimal("80.25"), Decimal("90.10")]
    assert inputs.snapshot.balances == {"EUR": Decimal("20.5"), "USD": Decimal(10)}
    assert security is not None
    assert (security.product_type, security.sectors) == ("ETF", ("Tech", "Energy"))
    assert rate is not None
    assert rate.rate == Decimal("1.0625")


def test_deposits_and_withdrawals_are_flows_of_the_plan():
    plan = steelyard.plan(
        **BOTH, deposit={"USD": 1200.5}, withdraw={"USD": (300, date(2023, 1, 9))}
    )

    assert [(flow.date, flow.amount) for flow in plan.flows] == [
        (DAY, Decimal("1200.5")), (date(2023, 1, 9), Decimal(-300)),
    ]  # fmt: skip
    assert "give a dict of currencies" in told(deposit=1200)
    assert "the amount must be above 0" in told(withdraw={"USD": -5})


def test_a_slip_is_told_with_the_sentence_of_the_files_and_its_place_in_python():
    text = told(
        holdings={"VT": "abc", "BND": 50},
        prices={"VT": 90.5, "BND": 0},
        targets={"VT": float("nan"), "BND": 0.4},
    )

    assert text.splitlines() == [
        "3 rows were rejected, nothing was planned. Correct the data and plan again.",
        "holdings['VT']: quantity 'abc' is not a number",
        "prices['2022-12-28']: the price of BND '0' must be above 0",
        "targets['VT']: weight '' is missing",
    ]


def test_rows_of_a_list_and_of_a_frame_are_named_by_their_number():
    rows = [{"symbol": "VT", "quantity": 1}, {"symbol": "BND", "quantity": 1e13}]

    assert "holdings[1]: quantity '10000000000000.0' is over" in told(holdings=rows)
    assert "holdings[1]: quantity" in told(holdings=pd.DataFrame(rows))


def test_what_no_form_is_and_what_is_missing_is_said_with_what_to_do():
    cases: dict[str, tuple[str, dict[str, Any]]] = {
        "a number": ("targets is an int; give a dict, a list of dicts", {"targets": 7}),
        "an object": ("holdings['VT']: an object is no text", {"holdings": {"VT": object()}}),
        "no day": ("Say as_of=date(2022, 12, 28)", {"as_of": None}),
        "no currency": ("Write cash={'USD': 5}", {"cash": 5}),
        "a text": ("Write holdings=io.StringIO(text)", {"holdings": "symbol,quantity\nVT,1"}),
        "lengths": (
            "The columns of holdings have 1 and 2 values",
            {"holdings": {"symbol": ["VT"], "quantity": [1, 2]}},
        ),
        "levels": (
            "prices has a column named ('Close', 'VT')",
            {"prices": pd.DataFrame({("Close", "VT"): [1.0]}, index=[DAY])},
        ),
        "no file": ("nowhere.csv does not exist", {"holdings": "nowhere.csv"}),
        "no preset": ("There is no preset 'fast'", {"strategy": "fast"}),
        "infinite": ("is not a finite number", {"holdings": {"VT": float("inf")}}),
        "strategy": ("strategy is an int; give a preset's name", {"strategy": 5}),
        "over": ("is 1.2; a weight is a fraction of value", {"targets": {"VT": 1.2}}),
    }
    wrong = {}
    for name, (due, changes) in cases.items():
        text = told(**changes)
        if due not in text:
            wrong[name] = text

    assert wrong == {}


def test_an_argument_that_nobody_knows_is_an_error_of_python():
    with pytest.raises(TypeError, match="unexpected keyword argument 'price'"):
        steelyard.plan({"VT": 1}, price={"VT": 1})


def test_records_go_straight_to_the_planner_and_bear_no_data_beside_them():
    inputs = steelyard.inputs(**BOTH)
    direct = planner.plan(
        inputs.snapshot, inputs.market, strategies.default(), targets=inputs.targets
    )

    assert steelyard.plan(inputs).plan_id == direct.plan_id
    for targets in (inputs.targets, BOTH["targets"]):
        plan = steelyard.plan(
            snapshot=inputs.snapshot, market=inputs.market, strategy=None, targets=targets
        )
        assert plan.plan_id == direct.plan_id
    with pytest.raises(SteelyardError, match="cash stands beside records"):
        steelyard.plan(inputs, cash=5)


def test_a_strategy_may_be_a_name_a_dict_or_a_file(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('preset = "aggressive"\n', encoding="utf-8")
    plans = [
        steelyard.plan(**BOTH, strategy=strategy).strategy.sha256
        for strategy in ("aggressive", {"preset": "aggressive"}, path, str(path))
    ]

    assert len(set(plans)) == 1
    assert steelyard.plan(**BOTH).strategy.sha256 not in plans


def test_neither_pandas_nor_polars_is_imported():
    import subprocess
    import sys

    code = (
        "import sys, steelyard, datetime; steelyard.plan({'VT': 1}, {'VT': 9}, targets={'VT': 1},"
        " as_of=datetime.date(2022, 12, 28)); print({'pandas', 'polars'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_the_day_may_be_text_and_what_is_no_day_is_refused():
    prices = {"AAA": {"2026-11-19": 10, "2026-11-20": 11}}

    made = steelyard.plan({"AAA": 10}, prices, targets={"AAA": 1}, as_of="2026-11-20")

    assert made.as_of == date(2026, 11, 20)
    for wrong in ("2026-13-01", "tomorrow", 20261120, datetime(2026, 11, 20, tzinfo=UTC)):
        with pytest.raises(SteelyardError, match="which is no day"):
            steelyard.plan({"AAA": 10}, prices, targets={"AAA": 1}, as_of=wrong)
