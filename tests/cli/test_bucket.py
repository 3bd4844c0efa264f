"""`steelyard bucket`, and `plan --bucket`."""

from __future__ import annotations

import json
import os
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from builders.commands import of_sample, own_files, run
from steelyard.buckets import SatelliteSettings, strategy_of
from steelyard.environment import database
from steelyard.store.buckets import bucket_of
from steelyard.store.opening import open_store


def stored() -> Path:
    return Path(database(os.environ))


def entry(name: str) -> dict:
    result = run("bucket", "show", name, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def listed() -> dict[str, dict]:
    return {row["bucket"]: row for row in json.loads(run("bucket", "list", "--json").stdout)}


def setting(name: str, key: str) -> tuple[object, str]:
    return next(
        (row["value"], row["from"]) for row in entry(name)["settings"] if row["name"] == key
    )


def test_a_bucket_plans_what_the_same_files_plan(folder: Path):
    options = of_sample("growth")
    loaded = run("bucket", "load", "core", *options)
    by_files = json.loads(run("plan", *options, "--json").stdout)

    by_bucket = json.loads(run("plan", "--bucket", "core", "--json").stdout)

    assert loaded.exit_code == 0
    assert by_bucket["steps"] == by_files["steps"]
    assert by_bucket["score"] == by_files["score"]
    assert by_bucket["plan_id"] == by_files["plan_id"]


def test_a_plan_of_a_bucket_is_kept_unless_told_not_to_and_one_of_files_only_if_told(folder: Path):
    options = own_files(folder)

    run("plan", *options)
    assert not stored().exists()
    run("bucket", "load", "core", *options)
    run("plan", "--bucket", "core", "--no-save")
    nothing = json.loads(run("events", "--type", "PlanSaved", "--json").stdout)
    run("plan", "--bucket", "core")
    run("plan", *options, "--save", "--seed", "1")
    kept = json.loads(run("events", "--type", "PlanSaved", "--json").stdout)

    assert (len(nothing), len(kept)) == (0, 2)


def test_a_flow_given_to_a_plan_never_changes_the_cash_of_the_bucket(folder: Path):
    run("bucket", "load", "core", *own_files(folder))
    before = listed()["core"]

    plan = json.loads(run("plan", "--bucket", "core", "--deposit", "USD=500", "--json").stdout)

    assert plan["flows"][0]["amount"] == "500"
    assert listed()["core"] == before
    assert json.loads(run("plan", "--bucket", "core", "--json").stdout)["flows"] == []


def test_newer_prices_are_planned_with_the_stored_holdings_and_targets(folder: Path):
    run("bucket", "load", "core", *own_files(folder))
    (folder / "p.csv").write_text("date,AAA,BBB\n2026-11-26,10,20.5\n2026-11-27,10,21\n")

    plan = json.loads(run("plan", "--bucket", "core", "--prices", "p.csv", "--json").stdout)

    prices = {row["symbol"]: (row["price"], row["target"]) for row in plan["holdings"]}
    assert prices == {"AAA": ("10", 0.5), "BBB": ("21", 0.4)}
    assert entry("core")["value"] == "1500"


def test_what_is_of_the_bucket_is_not_taken_beside_it(folder: Path):
    run("bucket", "load", "core", *own_files(folder))

    for option in (("--holdings", "h.csv"), ("--cash", "USD=1"), ("--targets", "t.csv")):
        refused = run("plan", "--bucket", "core", *option)
        assert refused.exit_code == 2, option
        assert "bucket" in refused.stderr, option


def test_a_bucket_without_holdings_is_refused_with_what_to_type(folder: Path):
    run("bucket", "create", "tech")

    refused = run("plan", "--bucket", "tech")

    assert refused.exit_code == 1
    assert "steelyard bucket load tech" in refused.stderr


def test_settings_say_where_each_value_is_from_and_every_change_is_a_version(folder: Path):
    run("bucket", "create", "tech", "--budget", "0.1")
    assert setting("tech", "risk_appetite") == (None, "default")

    run("bucket", "settings", "tech", "--preset", "momentum_hunter")
    assert setting("tech", "risk_appetite") == (0.7, "preset")
    run("bucket", "settings", "tech", "--set", "risk_appetite=0.9")
    assert setting("tech", "risk_appetite") == (0.9, "slider")
    assert setting("tech", "entry_style") == (0.8, "preset")

    rows = json.loads(run("strategy", "history", "tech_config", "--json").stdout)
    sliders = SatelliteSettings(satellite_id="tech", preset="momentum_hunter", risk_appetite=0.9)
    assert [row["version"] for row in rows] == [2, 1]
    assert rows[0]["rules_sha256"] == strategy_of(sliders).sha256
    assert entry("tech")["strategy"]["version"] == 2
    presets = json.loads(run("strategy", "presets", "--json").stdout)
    uses = {(row["name"], row["kind"]): row["uses"] for row in presets}
    assert uses["momentum_hunter", "satellite"] == 1


def test_settings_that_are_no_use_say_what_they_may_be_and_change_nothing(folder: Path):
    run("bucket", "create", "tech")
    cases = {
        "risk_apetite=0.5": "Did you mean risk_appetite?",
        "risk_appetite=2": "less than or equal to 1",
        "risk_appetite=nan": "a number",
        "trailing_stops=perhaps": "true or false",
        "target_weight=0.2": "0 to 0.15",
        "status=actve": "Did you mean active?",
        "dividend_handling=burn": "dividend_handling",
        "universe": "NAME=VALUE",
    }

    for text, words in cases.items():
        refused = run("bucket", "settings", "tech", "--set", text)
        assert refused.exit_code == 1, text
        assert words in refused.stderr, (text, refused.stderr)
    assert entry("tech")["strategy"] is None
    assert run("bucket", "settings", "core", "--set", "target_weight=.5").exit_code == 1


def test_satellites_have_at_most_their_budget_together_and_the_core_the_rest(folder: Path):
    run("bucket", "load", "core", *own_files(folder))
    assert run("bucket", "create", "a", "--budget", "0.15").exit_code == 0
    assert run("bucket", "create", "b", "--budget", "0.15").exit_code == 0

    refused = run("bucket", "create", "c", "--budget", "0.05")

    assert refused.exit_code == 1
    assert "0.3 of the account" in refused.stderr
    assert listed()["core"]["budget_weight"] == 0.7
    assert run("bucket", "create", "a").exit_code == 1


def test_money_moved_between_buckets_is_gone_from_one_and_planned_by_the_other(folder: Path):
    run("bucket", "load", "core", *own_files(folder))
    run("bucket", "create", "tech")

    moved = run("bucket", "transfer", "core", "tech", "USD=100", "--json")

    rows = listed()
    assert json.loads(moved.stdout) == [rows["core"], rows["tech"]]
    assert rows["core"]["cash"] == {"USD": "200"}
    assert rows["tech"]["cash"] == {"USD": "100"}
    assert Decimal(rows["core"]["value"]) == 1400
    plan = json.loads(run("plan", "--bucket", "core", "--json").stdout)
    assert plan["cash"] == {"USD": "200"}
    for money in ("USD=500", "EUR=1", "USD=0"):
        assert run("bucket", "transfer", "core", "tech", money).exit_code == 1, money


def test_the_files_of_the_account_go_to_their_buckets_and_sum_to_it(folder: Path):
    options = own_files(folder)
    run("bucket", "load", "core", *options)
    run("bucket", "create", "tech", "--universe", "BBB")
    run("bucket", "transfer", "core", "tech", "USD=100")
    (folder / "t.csv").write_text("symbol,weight\nAAA,0.5\n")

    alone = run("bucket", "load", "core", *options)
    assert "counted twice: load it with --whole" in alone.stdout
    whole = run("bucket", "load", "core", "--whole", *options)

    assert whole.exit_code == 0, whole.stderr
    assert "tech is worth USD 300.00" in whole.stdout
    rows = listed()
    assert sum(Decimal(row["cash"]["USD"]) for row in rows.values()) == 300
    assert Decimal(rows["core"]["value"]) == 1200
    assert Decimal(rows["tech"]["value"]) == 300
    (folder / "h.csv").write_text("symbol,quantity,price\nAAA,100,10\nBBB,12,20\nCASH:USD,300,\n")
    again = run("bucket", "load", "core", "--whole", *options)
    assert "tech holds 2 BBB more" in again.stdout
    (folder / "t.csv").write_text("symbol,weight\nBBB,0.5\n")
    refused = run("bucket", "load", "core", "--whole", *options)
    assert refused.exit_code == 1
    assert "not in its universe" in refused.stderr


def test_a_load_that_is_refused_changes_nothing(folder: Path):
    run("bucket", "load", "core", *own_files(folder))
    before = entry("core")
    (folder / "h.csv").write_text("symbol,quantity,price\nAAA,-x,10\n")

    refused = run("bucket", "load", "core", "--holdings", "h.csv")

    assert refused.exit_code == 1
    assert "nothing was loaded" in refused.stderr
    assert entry("core") == before


def test_a_bucket_is_not_made_without_the_preset_it_was_to_begin_with(folder: Path):
    refused = run("bucket", "create", "tech", "--preset", "momentum_huntr")

    assert (refused.exit_code, listed()) == (1, {})


def test_a_preset_is_not_applied_beside_a_setting_that_is_refused(folder: Path):
    run("bucket", "create", "tech")
    before = entry("tech")

    both = ("--preset", "momentum_hunter", "--set", "risk_appetite=nan")
    refused = run("bucket", "settings", "tech", *both)

    assert refused.exit_code == 1
    assert entry("tech") == before
    presets = json.loads(run("strategy", "presets", "--json").stdout)
    assert sum(row["uses"] for row in presets) == 0


@pytest.mark.parametrize(
    ("amount", "why"),
    [("5." + "0" * 33 + "1", "fewer decimals"), ("0.004", "0.01 is the least")],
)
def test_an_amount_that_would_lose_digits_or_is_no_cent_is_not_moved(folder: Path, amount, why):
    run("bucket", "load", "core", *own_files(folder))
    run("bucket", "create", "tech")

    refused = run("bucket", "transfer", "core", "tech", f"USD={amount}")

    assert refused.exit_code == 1
    assert why in refused.stderr
    assert listed()["tech"]["cash"] == {}


def test_buckets_in_two_base_currencies_are_no_account(folder: Path):
    run("bucket", "load", "core", *own_files(folder))
    run("bucket", "create", "tech")
    (folder / "e.csv").write_text("symbol,quantity,price\nCCC,1,10\nCASH:EUR,5,\n")

    refused = run("bucket", "load", "tech", "--holdings", "e.csv", "--base", "EUR")

    assert refused.exit_code == 1
    assert "one base currency. Nothing was loaded" in refused.stderr
    assert entry("tech")["loaded_at"] is None


def test_money_that_came_to_an_empty_bucket_goes_on_at_its_rate(folder: Path):
    (folder / "fx.csv").write_text("date,currency,rate\n2026-01-02,EUR,1.1\n")
    (folder / "h.csv").write_text("symbol,quantity,price\nAAA,10,10\nCASH:EUR,100,\n")
    files = ("--holdings", "h.csv", "--fx", "fx.csv", "--base", "USD", "--as-of", "2026-01-02")
    run("bucket", "load", "core", *files)
    run("bucket", "create", "tech")
    run("bucket", "transfer", "core", "tech", "EUR=100")

    back = run("bucket", "transfer", "tech", "core", "EUR=100")

    assert back.exit_code == 0, back.stderr
    assert Decimal(listed()["core"]["value"]) == 210


def test_sliders_that_are_not_what_acts_are_told_to_rest_at_any_width(folder: Path):
    run("bucket", "create", "tech", "--budget", "0.1", "--preset", "momentum_hunter")
    run("bucket", "settings", "tech", "--set", "risk_appetite=0.9")
    assert "rest" not in run("bucket", "show", "tech").stdout

    run("strategy", "rollback", "tech_config", "1")
    assert "Its sliders rest" in run("bucket", "show", "tech").stdout

    changed = run("bucket", "settings", "tech", "--set", "risk_appetite=0.8")
    assert "rest" not in run("bucket", "show", "tech").stdout
    sentence = "It plans by Tech: settings (v4) of tech_config from now on, and not by"
    assert sentence in changed.stdout


def test_a_slider_that_ends_a_pin_says_so(folder: Path):
    run("bucket", "create", "tech", "--budget", "0.1", "--preset", "momentum_hunter")
    run("bucket", "settings", "tech", "--set", "risk_appetite=0.9")
    run("strategy", "assign", "tech_config", "--version", "1", "--bucket", "tech")
    assert "Its sliders rest" in run("bucket", "show", "tech").stdout

    changed = run("bucket", "settings", "tech", "--set", "risk_appetite=0.8")
    aim = run("bucket", "settings", "tech", "--set", "target_weight=0.12")

    assert "not by Tech: settings (v1) of tech_config" in changed.stdout
    assert "from now on" not in aim.stdout


def test_shares_that_a_satellite_bought_come_with_the_command_that_pays_for_them(folder: Path):
    account = "symbol,quantity,price\nAAA,100,10\nBBB,{},20.5\nCASH:USD,{},\n"
    (folder / "h.csv").write_text(account.format(10, 300))
    options = ("--holdings", "h.csv", "--whole")
    run("bucket", "create", "tech", "--budget", "0.1", "--universe", "BBB")
    run("bucket", "load", "core", *options)
    run("bucket", "transfer", "core", "tech", "USD=100")

    (folder / "h.csv").write_text(account.format(14, 218))
    bought = run("bucket", "load", "core", *options)
    (folder / "h.csv").write_text(account.format(13, "238.5"))
    sold = run("bucket", "load", "core", *options)

    assert "tech holds 4 BBB more" in bought.stdout
    assert "steelyard bucket transfer tech core USD=82.00 (at 20.5" in bought.stdout
    assert "steelyard bucket transfer core tech USD=20.50 (at 20.5" in sold.stdout
    paid = run("bucket", "transfer", "tech", "core", "USD=82.00")
    assert paid.exit_code == 0
    assert listed()["tech"]["cash"] == {"USD": "18"}


def test_money_that_came_to_a_satellite_is_no_gain_unless_it_is_said_to_be(folder: Path):
    run("bucket", "create", "tech", "--budget", "0.1")
    account = "symbol,quantity,price\nAAA,10,10\nCASH:USD,{},\n"
    (folder / "h.csv").write_text(account.format(100))
    run("bucket", "load", "tech", "--holdings", "h.csv")
    (folder / "h.csv").write_text(account.format(600))

    unsaid = run("bucket", "load", "tech", "--holdings", "h.csv")
    before = entry("tech")
    brought = run("bucket", "load", "tech", "--holdings", "h.csv", "--moved", "USD=500")
    (folder / "h.csv").write_text(account.format(650))
    earned = run("bucket", "load", "tech", "--holdings", "h.csv", "--moved", "USD=0")

    assert unsaid.exit_code == 1
    assert "USD +500" in unsaid.stderr
    assert before["cash"] == {"USD": "100"}
    assert (brought.exit_code, earned.exit_code) == (0, 0)
    with closing(open_store(database(os.environ))) as store:
        units = bucket_of(store, "tech").units
    assert units is not None
    assert units.high_water_mark == Decimal(750) / 700


def test_money_is_told_to_the_cent(folder: Path):
    loaded = run("bucket", "load", "core", *own_files(folder))
    run("bucket", "create", "tech", "--budget", "0.1")
    moved = run("bucket", "transfer", "core", "tech", "USD=100.5")
    refused = run("bucket", "transfer", "core", "tech", "USD=5000")

    assert "of it USD 300.00 in cash" in loaded.stdout
    assert "USD 100.50 went from core to tech" in moved.stdout
    assert "Cash: USD 199.50." in run("bucket", "show", "core").stdout
    assert "5,000 USD cannot go from core to tech: core has 199.5 USD" in refused.stderr


def test_a_load_without_holdings_never_empties_a_bucket_that_has_some(folder: Path):
    run("bucket", "load", "core", *own_files(folder))
    before = entry("core")
    (folder / "p.csv").write_text("date,AAA,BBB\n2026-01-30,11,21\n")

    for more in ((), ("--cash", "USD=500")):
        refused = run("bucket", "load", "core", "--prices", "p.csv", *more)
        assert refused.exit_code == 1
        assert "holds 2 securities, and no holdings were named" in " ".join(refused.stderr.split())
        assert entry("core") == before

    (folder / "none.csv").write_text("symbol,quantity,price\n")
    emptied = run("bucket", "load", "core", "--holdings", "none.csv", "--cash", "USD=500")
    assert emptied.exit_code == 0, emptied.stderr
    assert entry("core")["value"] == "500"


def test_a_load_that_names_no_targets_keeps_those_of_the_load_before(folder: Path):
    (folder / "s.csv").write_text("symbol,product_type\nAAA,ETF\nBBB,EQUITY\n")
    run("bucket", "load", "core", *own_files(folder), "--securities", "s.csv")
    asked = json.loads(run("plan", "--bucket", "core", "--no-save", "--json").stdout)
    (folder / "h2.csv").write_text("symbol,quantity,price\nAAA,100,10\nBBB,10,20\nCASH:USD,350,\n")

    loaded = run("bucket", "load", "core", "--holdings", "h2.csv")

    assert "No targets were given: those of t.csv stay." in loaded.stdout
    assert "No securities were given: those of s.csv stay." in loaded.stdout
    plan = json.loads(run("plan", "--bucket", "core", "--no-save", "--json").stdout)
    targets = [[row["target"] for row in each["holdings"]] for each in (asked, plan)]
    types = [[row["product_type"] for row in each["holdings"]] for each in (asked, plan)]
    assert targets[0] == targets[1] == [0.5, 0.4]
    assert types[0] == types[1] == ["ETF", "EQUITY"]
    assert {row["name"] for row in entry("core")["files"]} == {"h2.csv", "t.csv", "s.csv"}


def test_a_running_reader_of_lists_makes_no_database(folder: Path):
    assert json.loads(run("bucket", "list", "--json").stdout) == []
    assert "bucket load core" in run("bucket", "list").stdout
    assert run("strategy", "list").exit_code == 0
    assert run("strategy", "presets").exit_code == 0
    assert not stored().exists()


def test_a_bucket_is_not_called_what_would_be_taken_for_another(folder: Path):
    for name, kind in (("core", "satellite"), ("main", "core"), ("x" * 58, "satellite")):
        refused = run("bucket", "create", name, "--kind", kind)
        assert (refused.exit_code, "is not usable" in refused.stderr) == (1, True), name
    assert run("bucket", "create", "x" * 57).exit_code == 0
    assert run("bucket", "settings", "x" * 57, "--set", "risk_appetite=0.3").exit_code == 0
    assert run("bucket", "create", "core", "--kind", "core").exit_code == 0


def test_newer_prices_go_with_the_stored_rates_and_older_ones_are_refused(folder: Path):
    (folder / "fx.csv").write_text("date,currency,rate\n2026-01-08,EUR,1.1\n2026-01-09,EUR,1.2\n")
    (folder / "h.csv").write_text("symbol,quantity,price,currency\nAAA,10,10,EUR\nCASH:USD,100,,\n")
    files = ("--holdings", "h.csv", "--fx", "fx.csv", "--base", "USD", "--as-of", "2026-01-09")
    assert run("bucket", "load", "core", *files).exit_code == 0
    rows = {
        "new.csv": ("2026-01-09,10", "2026-01-12,11"),
        "old.csv": ("2026-01-07,9", "2026-01-08,9"),
    }
    for name, days in rows.items():
        lines = [f"{day.split(',')[0]},AAA,{day.split(',')[1]},EUR" for day in days]
        (folder / name).write_text("\n".join(["date,symbol,close,currency", *lines]) + "\n")

    newer = run("plan", "--bucket", "core", "--prices", "new.csv", "--json")
    older = run("plan", "--bucket", "core", "--prices", "old.csv")

    assert newer.exit_code == 0, newer.stderr
    assert Decimal(json.loads(newer.stdout)["value"]) == 232
    assert older.exit_code == 1
    assert "was loaded as of 2026-01-09: it was another one on that day" in older.stderr
