"""Limits of files, in the commands."""

import pytest

from builders.commands import own_files, run


def test_a_limit_that_the_environment_sets_holds_for_every_file(
    folder, monkeypatch: pytest.MonkeyPatch
):
    options = own_files(folder)
    prices = folder / "p.csv"
    prices.write_text("date,AAA,BBB\n2022-12-28,1,2\n2022-12-29,1,2\n")
    cases = {
        "STEELYARD_MAX_FILE_BYTES": ("20", "h.csv has 33 bytes; at most 20 are read"),
        "STEELYARD_MAX_FILE_ROWS": ("1", "t.csv has more than 1 rows"),
        "STEELYARD_MAX_PRICE_BYTES": ("20", "p.csv has 43 bytes; at most 20 are read"),
        "STEELYARD_MAX_PRICE_CELLS": ("3", "p.csv gives more than 3 closes"),
    }
    (folder / "h.csv").write_text("symbol,quantity,price\nAAA,100,10\n")

    wrong = {}
    for variable, (value, message) in cases.items():
        with monkeypatch.context() as environment:
            environment.setenv(variable, value)
            result = run("plan", *options, "--prices", prices)
        if result.exit_code != 1 or message not in result.stderr or variable not in result.stderr:
            wrong[variable] = result.stderr
    assert not wrong
