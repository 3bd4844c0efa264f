"""Engines: the same plans by each, and what becomes of an account whose worker dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from builders.fleets import accounts, asked, ids, opened, planned
from steelyard.errors import InputError, ServiceError
from steelyard.runs.fleet import engines
from steelyard.runs.fleet.engines.processes import Processes


def test_processes_give_the_same_and_a_worker_that_is_killed_costs_nothing(tmp_path: Path):
    folder = accounts(tmp_path / "fleet", 6)
    with opened(tmp_path) as store:
        _, alone = planned(store, asked(folder))
    (tmp_path / "other").mkdir()
    victims: list[int] = []

    def kill_one(fleet):
        def seen(progress):
            children = [child.pid for child in multiprocessing.active_children()]
            if progress.done and children and not victims:
                victims.append(children[0])
                os.kill(children[0], signal.SIGKILL)

        return seen

    with opened(tmp_path / "other") as store:
        _, rows = planned(store, asked(folder), Processes(1), watch=kill_one)

    assert victims
    assert ids(rows) == ids(alone)
    assert [row.error for row in rows] == [None] * 6
    assert multiprocessing.active_children() == []


def deadly(*_: object) -> str:
    """A page that ends the process that makes it."""
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


@pytest.mark.nightly
def test_an_account_that_kills_its_worker_fails_alone_and_is_tried_again(tmp_path: Path):
    folder = accounts(tmp_path / "fleet", 1)
    with opened(tmp_path) as store:
        _, rows = planned(store, asked(folder, page=deadly), Processes(1))
        assert [row.code for row in rows] == ["fleet_worker_died"]

        began, rows = planned(store, asked(folder), Processes(1))

    assert (began.resumed, [row.error for row in rows]) == (0, [None])


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (("processes", None, 0), "--workers is 0: from 1 to 1,024"),
        (("dask", None, 5000), "--workers is 5000: from 1 to 1,024"),
        (("serial", "tcp://x:1", None), "add --engine dask"),
        (("dask", "tcp://x:1", 2), "the cluster at --address has its own workers"),
        (("serial", None, 2), "--engine serial is one process"),
    ],
)
def test_what_does_not_go_together_is_refused(chosen, says: str):
    with pytest.raises(InputError, match="Nothing was planned") as refused:
        engines.engine_of(*chosen)

    assert says in str(refused.value)


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "steelyard.runs.fleet.engines.cluster", raising=False)

    with pytest.raises(InputError, match=r"pip install 'steelyard\[distributed\]'"):
        engines.engine_of("dask")


def test_where_no_scheduler_answers_is_said_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from steelyard.runs.fleet.engines import cluster

    folder = accounts(tmp_path / "fleet", 1)
    assert cluster.CONNECT_S <= 5
    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    with (
        opened(tmp_path) as store,
        pytest.raises(ServiceError, match=r"No scheduler of Dask answers at tcp://127\.0\.0\.1:9"),
    ):
        planned(store, asked(folder), engines.engine_of("dask", "tcp://127.0.0.1:9"))
