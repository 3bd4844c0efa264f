"""`steelyard plan` and `why` with money that comes or goes, and one side closed."""

import json
from pathlib import Path

from builders.commands import run
from builders.each import each
from steelyard.cli.options import Options, read

HERE = Path(__file__).parents[1] / "cases" / "new_cash_only"
FILES = [
    part
    for form, name in (
        ("holdings", "holdings.csv"), ("targets", "targets.csv"), ("securities", "securities.csv"),
    )
    for part in (f"--{form}", str(HERE / name))
]  # fmt: skip
DAY = ("--as-of", "2026-01-09")


def planned(*more, command=("plan",)):
    result = run(*command, *FILES, *DAY, *more, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_each_option_is_in_the_plan():
    plan = planned(
        *("--deposit", "USD=1000", "--deposit", "USD=1000"),
        *("--withdraw", "USD=500@2026-01-20", "--no-sell", "--realised", "USD=450"),
    )

    amounts = [(flow["date"], flow["amount"]) for flow in plan["flows"]]
    assert amounts == [("2026-01-09", "1000"), ("2026-01-09", "1000"), ("2026-01-20", "-500")]
    assert {step["side"] for step in plan["steps"]} == {"buy"}
    assert plan["rules"]["limits"]["allow_sell"] is False
    sold = planned("--withdraw", "USD=20000", "--realised", "USD=450")
    assert sold["realised_gain"]["before"] == "450"


def test_a_withdrawal_without_a_day_leaves_once_the_sales_have_settled():
    plan = planned("--withdraw", "USD=12000")

    assert [flow["date"] for flow in plan["flows"]] == ["2026-01-12"]
    assert plan["problems"] == []


def test_nothing_is_bought_where_the_command_line_says_so_and_it_is_told_who_did():
    plan, strategy = planned("--no-buy"), read(Options(no_buy=True)).strategy

    assert all(step["side"] == "sell" for step in plan["steps"])
    assert strategy.sources["limits.allow_buy"] == "the command line"


def test_why_takes_them_too():
    story = planned("--withdraw", "USD=12000", "--no-buy", command=("why", "BND"))

    assert all(step["side"] == "sell" for step in story.get("steps", []))


def test_what_cannot_be_planned_is_one_error_with_its_code():
    def refused(more, code, place):
        result = run("plan", *FILES, *DAY, *more, "--json")
        assert result.exit_code == 1
        error = json.loads(result.stdout)["error"]
        assert (error["code"], error["place"]) == (code, place)
        assert error["hint"]

    each(
        {
            "rate": (["--deposit", "CHF=5"], "flow_without_rate", "--deposit"),
            "form": (["--deposit", "USD"], "bad_flow", "--deposit"),
            "past": (["--withdraw", "USD=5@2026-01-08"], "flow_past", "--withdraw"),
            "much": (["--withdraw", "USD=64957.25"], "withdrawal_too_large", "--withdraw"),
            "gain": (["--realised", "CHF=5"], "realised_without_rate", "--realised"),
            "no side": (["--no-sell", "--no-buy"], "no_side", "--no-sell --no-buy"),
        },
        refused,
    )
