"""A cluster of Dask of which parts are killed: nothing that was planned is lost or done again."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.clusters import machines
from builders.fleets import accounts, asked, ids, opened, planned
from steelyard.errors import ServiceError
from steelyard.runs.fleet.engines import engine_of


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
def test_a_worker_and_the_scheduler_are_killed_and_the_same_command_finishes(tmp_path: Path):
    folder = accounts(tmp_path / "fleet", 12)
    for name in ("alone", "cluster"):
        (tmp_path / name).mkdir()
    with opened(tmp_path / "alone") as store:
        _, alone = planned(store, asked(folder))

    with machines(tmp_path) as every, opened(tmp_path / "cluster") as store:
        address = every.scheduler()
        for name in ("one", "two"):
            every.worker(name, address)

        def kill(fleet):
            def seen(progress):
                if progress.done >= 2:
                    every.kill("one")
                if progress.done >= 5:
                    every.kill("scheduler")

            return seen

        with pytest.raises(ServiceError, match=r"is gone\. What was planned is kept"):
            planned(store, asked(folder), engine_of("dask", address), watch=kill)
        every.kill("two")
        assert every.scheduler() == address
        every.worker("three", address)

        began, rows = planned(store, asked(folder), engine_of("dask", address))

    assert 5 <= began.resumed < 12
    assert ids(rows) == ids(alone)
    assert [row.error for row in rows] == [None] * 12
