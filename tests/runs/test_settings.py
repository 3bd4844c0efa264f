"""What an owner sets of a bucket, by several at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from steelyard.errors import InputError
from steelyard.runs.settings import configure
from steelyard.store import buckets
from steelyard.store.opening import open_store

SLIDERS = ("risk_appetite", "hold_duration", "entry_style", "position_spread", "profit_taking")


def test_settings_that_several_write_at_once_are_all_there(tmp_path: Path):
    store = open_store(str(tmp_path / "s.db"))
    buckets.create(store, "tech")

    with ThreadPoolExecutor(len(SLIDERS)) as pool:
        list(pool.map(lambda name: configure(store, "tech", [f"{name}=0.9"]), SLIDERS))

    assert buckets.bucket_of(store, "tech").settings == dict.fromkeys(SLIDERS, 0.9)


def test_satellites_that_are_aimed_at_once_stay_within_their_budget(tmp_path: Path):
    store = open_store(str(tmp_path / "s.db"))
    names = ("a", "b", "c", "d")
    for name in names:
        buckets.create(store, name)

    def aim(name: str) -> bool:
        try:
            configure(store, name, ["target_weight=0.14"])
        except InputError:
            return False
        return True

    with ThreadPoolExecutor(len(names)) as pool:
        done = list(pool.map(aim, names))

    assert sum(done) == 2
    assert sum(row.target_weight for row in buckets.buckets(store)) == 0.28
