"""Whether a database was changed since it was looked at, told without reading it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from steelyard.store.opening import open_store, path_of
from steelyard.store.presets import used
from steelyard.store.state import ABSENT, State


def test_a_state_stays_until_something_is_written_here_or_elsewhere(tmp_path: Path):
    store = open_store(str(tmp_path / "store.db"))
    state = State(path_of(store))
    seen = [state.now(), state.now()]
    with store.reading():
        seen.append(state.now())

    used(store, "a", "a", "a test")
    seen.append(state.now())
    code = "import sqlite3; c = sqlite3.connect('store.db', isolation_level=None); "
    code += "c.execute('DELETE FROM event')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    seen.append(state.now())

    assert seen[0] == seen[1] == seen[2] != seen[3] != seen[4] != seen[0]
    state.close()


def test_another_file_in_its_place_is_another_state_also_when_the_first_comes_back(tmp_path: Path):
    place, aside = tmp_path / "store.db", tmp_path / "aside.db"
    open_store(str(place)).close()
    state = State(place)
    first = state.now()
    place.replace(aside)
    gone = state.now()
    sqlite3.connect(place).close()
    place.touch()
    second = state.now()
    aside.replace(place)
    back = state.now()

    assert gone == ABSENT
    assert len({first, gone, second, back}) == 4
    state.close()


def test_of_a_server_and_of_what_is_no_database_nothing_is_told(tmp_path: Path):
    (tmp_path / "text.db").write_text("no database" * 1000)

    assert State(None).now() is None
    assert State(tmp_path).now() is None
