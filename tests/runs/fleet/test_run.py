"""A run goes on where it stopped, is the same however it was done, and says why it is another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from builders.fleets import account, accounts, asked, ids, opened, planned
from steelyard.store import fleets
from steelyard.store.store import Store


class Killed(Exception):
    """What a test ends a run with."""


@pytest.fixture
def store(tmp_path: Path):
    with opened(tmp_path) as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return accounts(tmp_path / "fleet", 5)


def killed_after(count: int):
    def watch(fleet):
        def seen(progress):
            if progress.done >= count:
                raise Killed

        return seen

    return watch


def test_one_that_was_stopped_goes_on_and_plans_nothing_twice(store: Store, folder: Path):
    with pytest.raises(Killed):
        planned(store, asked(folder), watch=killed_after(3))

    began, rows = planned(store, asked(folder))

    assert (began.resumed, began.run.because) == (3, "")
    assert list(ids(rows)) == [f"a00{k}" for k in range(5)]
    assert len({*ids(rows).values()}) == 5
    again, same = planned(store, asked(folder))
    assert (again.resumed, again.run.run_id, same) == (5, began.run.run_id, rows)
    assert again.run.finished_at is not None


def test_slices_of_a_process_that_is_gone_are_free_after_a_while(store: Store, folder: Path):
    def vanish(fleet):
        def seen(progress):
            if progress.done >= 2:
                fleet._mine.clear()  # as a process that is killed leaves its slices
                raise Killed

        return seen

    with pytest.raises(Killed):
        planned(store, asked(folder), watch=vanish, lease_s=0.4)
    with store.writing() as transaction:  # what it was working at
        run = fleets.runs(transaction.connection, str(folder))[0]
    fleets.claim(store, run.run_id, "gone", 0.4)

    _, rows = planned(store, asked(folder), lease_s=0.4)

    assert len(rows) == 5


def test_an_account_that_fails_stops_no_other_and_is_tried_again_when_it_is_mended(
    store: Store, folder: Path
):
    account(folder, "bad", "symbol,quantity\nAAA,x\n")
    began, rows = planned(store, asked(folder))
    failed = [row for row in rows if row.error]
    assert [(row.folder, row.plan_id, row.code) for row in failed] == [
        ("bad", None, "rows_rejected")
    ]

    account(folder, "bad", "symbol,quantity\nAAA,7\n")
    mended, after = planned(store, asked(folder))

    assert mended.run.run_id != began.run.run_id
    assert mended.run.because == "the files of bad changed"
    assert mended.resumed == 5
    assert {**ids(rows), "bad": None} == {**ids(after), "bad": None}
    assert all(row.plan_id for row in after)


def test_a_new_run_says_what_is_different(store: Store, tmp_path: Path):
    folder = accounts(tmp_path / "fleet", 1)

    def because(**changes):
        began, _ = planned(store, asked(folder, **changes))
        assert began.resumed == 0
        return began.run.because

    assert because() == ""
    (folder / "prices.csv").write_text("date,AAA,BBB,CCC\n2026-01-09,11,20,5\n")
    assert because() == "prices.csv of --prices changed"
    assert because(strategy="aggressive") == "the strategy changed"
    assert because(strategy="aggressive", today=date(2026, 1, 12)) == (
        "the one before is of 2026-01-09"
    )
    assert because(as_of=date(2026, 1, 9)) == "an option, the strategy changed"


def test_accounts_come_and_go(store: Store, folder: Path):
    planned(store, asked(folder))
    account(folder, "new", "symbol,quantity\nAAA,1\n")
    (folder / "a000" / "holdings.csv").unlink()

    began, rows = planned(store, asked(folder))

    assert began.run.because == "new: new; gone: a000"
    assert (began.resumed, [row.folder for row in rows]) == (
        4, ["a001", "a002", "a003", "a004", "new"],
    )  # fmt: skip


def test_pages_are_written_under_the_name_of_each_account_and_again_where_one_is_missing(
    store: Store, tmp_path: Path
):
    from steelyard.report.page import of_account

    folder, out = accounts(tmp_path / "fleet", 1), tmp_path / "out"
    out.mkdir()
    account(folder, "smith", "symbol,quantity\nAAA,9\n", 'name = "Ada <Smith>"')
    planned(store, asked(folder))
    request = asked(folder, page=of_account)

    planned(store, request, pages=out)
    assert "· Ada &lt;Smith&gt; ·" in (out / "smith.html").read_text().partition("</title>")[0]

    (out / "smith.html").unlink()
    began, _ = planned(store, request, pages=out)
    assert (began.resumed, sorted(path.name for path in out.iterdir())) == (
        1, ["a000.html", "smith.html"],
    )  # fmt: skip


def test_an_account_plans_by_its_own_strategy(store: Store, folder: Path):
    account(folder, "own", "symbol,quantity\nAAA,9\n", 'strategy = "mine.toml"')
    account(folder, "bad", "symbol,quantity\nAAA,9\n", 'strategy = "nonsense"')
    (folder / "mine.toml").write_text("[limits]\nallow_sell = false\n")

    _, rows = planned(store, asked(folder))

    verdicts = {row.folder: (row.verdict, row.code) for row in rows}
    assert verdicts["own"] == ("hold", None)
    assert verdicts["bad"] == (None, "no_such_strategy")
    assert verdicts["a000"] == ("act", None)


def test_the_strategy_of_one_account_is_nothing_to_the_others(store: Store, folder: Path):
    account(folder, "own", "symbol,quantity\nAAA,9\n", 'strategy = "mine.toml"')
    account(folder, "too", "symbol,quantity\nAAA,9\n", 'strategy = "mine.toml"')
    (folder / "mine.toml").write_text("[limits]\nallow_sell = false\n")
    planned(store, asked(folder))

    (folder / "mine.toml").write_text("[limits]\nallow_buy = false\n")
    assert planned(store, asked(folder))[0].resumed == 5
    (folder / "own" / "mine.toml").write_text("[limits]\nmax_orders = 1\n")
    began, _ = planned(store, asked(folder))
    assert began.resumed == 6
    (folder / "own" / "mine.toml").unlink()
    (folder / "mine.toml").write_text("[limits]\nmax_orders = 2\n")
    assert planned(store, asked(folder))[0].resumed == 5
    common, _ = planned(store, asked(folder, strategy="aggressive"))
    assert common.resumed == 2


def test_a_run_is_the_same_from_wherever_its_command_is_given(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    account(folder, "own", "symbol,quantity\nAAA,9\n", 'strategy = "mine.toml"')
    (folder / "mine.toml").write_text("[limits]\nallow_buy = false\n")
    first, _ = planned(store, asked(folder))
    monkeypatch.chdir(folder)

    again, _ = planned(store, asked(Path()))

    assert again.run.run_id == first.run.run_id


def test_old_runs_of_a_folder_go(store: Store, folder: Path):
    began, _ = planned(store, asked(folder))
    for k in range(fleets.MOST_RUNS):
        later = replace(began.run, run_id=f"{k}", day=date(2026, 1, 10) + timedelta(days=k))
        with store.writing() as transaction:
            fleets.begin(transaction, later, {"a000": "x"}, 1)

    with store.reading() as connection:
        left = [run.run_id for run in fleets.runs(connection, str(folder))]
        assert (len(left), began.run.run_id in left) == (fleets.MOST_RUNS, False)
        assert fleets.results(connection, began.run.run_id) == []
