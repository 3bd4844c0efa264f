"""Tables that are not what the events tell are noticed, whatever was done to them."""

import shutil
import sqlite3

import pytest
from typer.testing import CliRunner

from builders.plans import growth
from steelyard.cli import app
from steelyard.errors import ChainBroken
from steelyard.execution.journal import tables
from steelyard.execution.journal.chain import KEY_FILE
from steelyard.execution.journal.opening import FILE, open_journal


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    """A folder in which a plan was executed."""
    home = tmp_path_factory.mktemp("home")
    (home / "plan.json").write_text(growth().to_json(), "utf-8")
    environment = {"STEELYARD_HOME": str(home), "STEELYARD_PAPER_PACE": "0"}
    done = CliRunner().invoke(app, ["execute", str(home / "plan.json"), "--yes"], env=environment)
    assert done.exit_code == 0, done.output
    return home


def copied(traded, folder, statement):
    for name in (FILE, KEY_FILE):
        shutil.copy2(traded / name, folder)
    with sqlite3.connect(folder / FILE) as file:
        assert file.execute(statement).rowcount
    return open_journal(folder)


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE run SET mode = 'live'", "run r-"),
        ("UPDATE run SET outcome = 'failed'", "run r-"),
        ("UPDATE leg SET state = 'PLANNED' WHERE rowid = 1", "order p1"),
        ("UPDATE leg SET qty_e9 = qty_e9 + 1 WHERE rowid = 1", "order p1"),
        ("UPDATE fill SET price = '1' WHERE rowid = 1", "execution "),
        ("UPDATE fill SET fee_e4 = fee_e4 + 1 WHERE rowid = 1", "execution "),
        ("DELETE FROM fill WHERE rowid = 1", "execution "),
        ("DELETE FROM posting WHERE rowid = 1", "posting 1 does not balance"),
        ("UPDATE posting SET amount = 2 * amount", "postings of "),
        ("DELETE FROM event WHERE kind = 'RunEnded'", "run r-"),
    ],
)
def test_a_row_that_was_changed_past_the_events_is_named(traded, tmp_path, statement, place):
    journal = copied(traded, tmp_path, statement)

    with pytest.raises(ChainBroken, match=f"not what its events tell: {place}") as caught:
        tables.check(journal)
    assert caught.value.fault.code == "tables_differ"


def test_events_cut_off_the_end_are_missed_by_the_tables_and_nothing_else_is(traded, tmp_path):
    whole = copied(traded, tmp_path, "UPDATE lease SET fence = fence")
    tables.check(whole)
    whole.connection.execute("DELETE FROM event WHERE seq > 9")

    whole.verify()
    with pytest.raises(ChainBroken, match="run r-"):
        tables.check(whole)
