"""How much a service grants, and the file that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.errors import SettingsError
from steelyard.services.reading.file import read_topology
from steelyard.services.security.limits import MIB, Limits, largest_body


def read(home: Path, text: str) -> Limits:
    (home / "services.toml").write_text(text)
    return read_topology({"STEELYARD_HOME": str(home)}).limits


def test_what_the_file_says_is_granted_and_all_else_is_as_usual(tmp_path: Path):
    limits = read(tmp_path, "[services.limits]\nrequests_per_second = 200\nin_flight = 8\n")

    assert limits == Limits(requests_per_second=200, in_flight=8)
    assert (limits.burst, limits.failures, limits.lock_seconds) == (60, 5, 60)


@pytest.mark.parametrize(
    "line", ["burst = 0", "requests_per_second = nan", "lock_seconds = -1", "bursts = 3"]
)
def test_a_limit_that_is_none_is_refused_with_its_place(tmp_path: Path, line: str):
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, f"[services.limits]\n{line}\n")

    assert line.split(maxsplit=1)[0] in str(caught.value)
    assert "Nothing was started." in str(caught.value)


def test_a_context_alone_may_be_large():
    assert largest_body("PUT", "/evaluator/contexts/abc") == 16 * MIB
    others = (("POST", "/evaluator/contexts/abc"), ("PUT", "/evaluator/contexts/a/b"))
    assert [largest_body(*each) for each in (*others, ("POST", "/configs"))] == [MIB] * 3
