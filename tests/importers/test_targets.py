"""Targets: weights by symbol."""

from pathlib import Path

from builders.files import written
from steelyard.importers import read_targets


def test_targets_are_weights_by_symbol_and_0_is_one(tmp_path: Path):
    file = read_targets(written(tmp_path, "weight,symbol\n0.25,aaa\n0,BBB\n1e-2,CCC\n"))

    assert dict(file.weights) == {"AAA": 0.25, "BBB": 0.0, "CCC": 0.01}
