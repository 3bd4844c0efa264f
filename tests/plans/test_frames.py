"""A plan on one screen, and its lists as frames with columns of numbers."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import date

import pandas as pd
import polars as pl
import pytest

import steelyard
from steelyard.errors import InputError
from steelyard.plans import frames
from steelyard.plans.plan import Plan
from steelyard.samples import sample


@pytest.fixture(scope="module")
def plan() -> Plan:
    files = sample("growth")
    return steelyard.plan(
        files.holdings, files.prices, targets=files.targets, securities=files.securities
    )


def many(plan: Plan) -> Plan:
    """The plan with its orders four times over, of a security with a name that is markup."""
    step = plan.steps[0].model_copy(update={"symbol": "<b>&"})
    return plan.model_copy(update={"steps": (step, *plan.steps * 4)})


def test_a_plan_fits_on_one_screen_and_says_verdict_money_and_orders(plan):
    for shown in (repr(plan), str(plan), repr(many(plan))):
        lines = shown.splitlines()
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 80

    assert plan.plan_id[:12] in repr(plan)
    assert plan.verdict.text.split(",")[0] in repr(plan)
    assert f"{plan.value:,.2f} USD" in repr(plan)
    for step in plan.steps:
        assert f"{step.side.value:<4}  {step.symbol}" in repr(plan)
    assert f"and {4 * len(plan.steps) + 1 - 12} more orders" in repr(many(plan))


def test_what_is_wrong_with_a_plan_is_said_shortly_and_on_one_screen(plan):
    short = steelyard.plan(
        {"VT": 10, "BND": 5}, prices={"VT": 100, "BND": 70}, targets={"VT": 0.6, "BND": 0.4},
        cash={"USD": 100}, withdraw={"USD": 500}, strategy={"limits": {"allow_sell": False}},
        as_of=date(2026, 3, 3),
    )  # fmt: skip
    problems = {"problems": short.problems * 9}
    noted, crowded = (of.model_copy(update=problems) for of in (short, many(plan)))

    for page in (str(short).replace("\n", " "), short._repr_html_()):
        assert "Problem: Cash ends at USD −400.00: 400.00 is missing" in page
        assert "Warning: The cap of 20.0 % on a single name" in page
    for page in (str(noted), noted._repr_html_(), str(crowded)):
        assert "Problem: Cash ends at USD −400.00" in page
        assert "more: plan.problems, plan.warnings" in page
    assert len(str(crowded).splitlines()) <= 24


def test_a_plan_that_holds_shows_its_verdict_and_no_table(plan):
    hold = plan.model_copy(update={"steps": ()})

    assert "symbol" not in repr(hold)
    assert "<table" not in hold._repr_html_()
    assert plan.verdict.text.split(",")[0] in repr(hold)


def test_a_notebook_shows_the_head_and_the_orders_and_runs_nothing(plan):
    page = many(plan)._repr_html_()

    assert page.count("<tr>") == 13
    assert "&lt;b&gt;&amp;" in page
    assert "<b>&" not in page
    assert "<script" not in page
    assert plan.verdict.text.split(",")[0] in page


def test_frames_have_numbers_where_the_document_has_decimals(plan):
    steps = plan.to_frame("steps")
    holdings = plan.to_frame("holdings", "polars")

    assert isinstance(steps, pd.DataFrame)
    assert isinstance(holdings, pl.DataFrame)
    assert math.isclose(steps["costs.total"].sum(), float(plan.costs.total), abs_tol=0.01)
    assert math.isclose(float(holdings["weight"].sum()), 1 - 0.0636, abs_tol=0.01)
    assert holdings.schema["band.0"] == pl.Float64
    assert [str(steps[name].dtype) for name in ("quantity", "refined_from", "adds.score")] == [
        "float64"
    ] * 3


def test_every_list_of_the_document_is_a_table_with_its_rows(plan):
    wrong = [
        name
        for name in frames.tables(Plan)
        if {len(column) for column in plan.columns(name).values()} != {len(getattr(plan, name))}
    ]

    assert {"steps", "holdings", "candidates", "not_traded"} <= frames.tables(Plan).keys()
    assert wrong == []


def test_another_table_is_refused_with_the_nearest(plan):
    with pytest.raises(InputError, match=r"no table 'step'\. Did you mean steps"):
        plan.to_frame("step")
    with pytest.raises(InputError, match="A frame needs dask"):
        plan.to_frame("steps", "dask")


def test_without_pandas_it_is_polars_and_without_both_it_says_what_needs_neither():
    code = """
import sys
from steelyard.errors import InputError
from steelyard.plans.frames import frame_of
sys.modules["pandas"] = None
print(type(frame_of({"a": [1.0]}, None)).__module__.split(".")[0])
sys.modules["polars"] = None
try:
    frame_of({"a": [1.0]}, None)
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[0] == "polars"
    assert "use plan.columns(), which needs neither" in done.stdout
