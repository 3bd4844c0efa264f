"""One process looks at a time, and a kill between plan and telling loses and doubles nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy

from builders.commands import run
from builders.stored import PROGRAM, environment, until
from builders.told import by_mail, mails
from steelyard.errors import ChangedMeanwhile
from steelyard.store import leases, schedules
from steelyard.store.opening import open_store
from steelyard.store.schema import scheduler as table
from steelyard.watch import board, scheduler, turn
from steelyard.watch.turn import holding, looking, turn_of

BASE = "http://127.0.0.1:8011"


def test_of_two_that_look_at_once_one_has_the_turn_and_its_name_is_told(watched):
    barrier = threading.Barrier(4)

    def one(_: int) -> turn.Turn | None:
        store = open_store(str(watched.home / "steelyard.db"), now=lambda: watched.now)
        barrier.wait(10)
        return turn_of(store)

    with ThreadPoolExecutor(4) as pool:
        turns = [each for each in pool.map(one, range(4)) if each is not None]

    assert len(turns) == 1
    assert looking(watched.store) == f"process {os.getpid()} on {os.uname().nodename}"
    assert scheduler.once(watched.store, os.environ, BASE, print) is None
    held = holding(watched.store)
    assert held is not None
    assert (held[1] - watched.now).total_seconds() == turn.LEASE_SECONDS
    assert schedules.last_look(watched.store) is None
    watched.later(seconds=5)
    turns[0].release()
    assert looking(watched.store) is None
    assert schedules.last_look(watched.store) == watched.now
    assert watched.look().ticks == []


def test_a_turn_that_was_slept_through_writes_nothing_into_that_of_another(watched):
    mine = turn_of(watched.store)
    assert mine is not None
    watched.later(minutes=2)
    theirs = turn_of(watched.store)
    assert theirs is not None

    words = r"Another process looks .* Nothing more was"
    with pytest.raises(ChangedMeanwhile, match=words), mine.writing() as transaction:
        schedules.changed(transaction, "core", muted_until="x")
    mine.release()
    assert looking(watched.store) is not None
    with theirs.writing():
        pass


def test_a_turn_is_extended_while_a_plan_takes_long(watched, monkeypatch):
    monkeypatch.setattr(turn, "EXTENDED_EACH_SECONDS", 0.02)
    mine = turn_of(watched.store)
    assert mine is not None
    with mine.going_on():
        for _ in range(4):  # each longer than half a lease
            watched.later(seconds=turn.LEASE_SECONDS * 0.6)
            at = watched.now
            until(lambda at=at: mine.lease.until > at)

    assert turn_of(watched.store) is None
    mine.release()


def test_a_scheduler_looks_again_and_again_and_waits_for_another(watched, monkeypatch):
    monkeypatch.setattr(scheduler, "LOOK_SECONDS", 0.02)
    watched.due(every="daily", at="09:30")
    over, looks, remarks = threading.Event(), [], []
    with watched.store.writing() as transaction:
        other = schedules.hold(transaction, "elsewhere-7-x", 600)
    going = threading.Thread(
        target=scheduler.run, args=(watched.store, dict(os.environ), BASE),
        kwargs={"over": over, "heard": looks.append, "remark": remarks.append},
    )  # fmt: skip
    going.start()
    until(lambda: bool(remarks))
    time.sleep(0.1)
    assert remarks == ["process 7 on elsewhere looks already. This one waits until it ends."]
    with watched.store.writing() as transaction:
        leases.release(transaction, table, [other])
    until(lambda: len(looks) > 1)
    watched.at("2026-03-10T09:30")
    until(lambda: any(looked.ticks for looked in looks))
    (watched.home / "notify.toml").write_text("[smtp")  # it goes on, and says so
    until(lambda: len(remarks) > 1)
    (watched.home / "notify.toml").unlink()
    over.set()
    going.join(20)

    assert not going.is_alive()
    assert remarks[1].startswith("This look is passed over: ")
    assert sum(len(looked.ticks) for looked in looks) == 1
    assert looking(watched.store) is None


def test_a_database_that_takes_nothing_for_a_while_ends_no_scheduler(watched, monkeypatch):
    monkeypatch.setattr(scheduler, "LOOK_SECONDS", 0.02)
    watched.due(every="daily", at="09:30")
    over, looks, remarks, refusing = threading.Event(), [], [], threading.Event()

    def refuse(connection, *_):
        connection.execute(f"PRAGMA query_only = {int(refusing.is_set())}")

    sqlalchemy.event.listen(watched.store.engine, "checkout", refuse)
    going = threading.Thread(
        target=scheduler.run, args=(watched.store, dict(os.environ), BASE),
        kwargs={"over": over, "heard": looks.append, "remark": remarks.append},
    )  # fmt: skip
    going.start()
    until(lambda: bool(looks))
    refusing.set()
    watched.at("2026-03-10T09:30")
    until(lambda: bool(remarks))
    refusing.clear()
    until(lambda: any(looked.ticks for looked in looks))
    over.set()
    going.join(20)

    assert not going.is_alive()
    assert remarks[0].startswith("This look is passed over: ")
    assert sum(len(looked.ticks) for looked in looks) == 1
    assert looking(watched.store) is None


def test_killed_while_it_tells_the_next_look_tells_and_plans_nothing_again(watched):
    watched.due(bands=True)
    with mails(silent=True) as server:
        by_mail(watched.home, server.port)
        process = subprocess.Popen(
            [*PROGRAM, "watch", "--once"], env=environment(watched.home),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert server.begun.wait(60)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    (before,) = board.ticks(watched.store)
    assert (before.deliveries["smtp"].state, before.deliveries["smtp"].tries) == ("waiting", 1)
    meanwhile = run("watch", "--once")
    assert f"process {process.pid} on " in meanwhile.stdout  # until its lease is over
    assert meanwhile.exit_code == 0

    with watched.store.writing() as transaction:
        transaction.connection.execute(table.update().values(lease_until=""))
    with mails() as server:
        by_mail(watched.home, server.port)
        after = run("watch", "--once")

    assert after.exit_code == 0, after.output
    (tick,) = board.ticks(watched.store)
    assert (tick.id, tick.plan_id) == (before.id, before.plan_id)
    assert (tick.deliveries["smtp"].state, tick.deliveries["smtp"].tries) == ("told", 2)
    assert len(server.letters) == 1
    assert watched.plans() <= 0  # the plan is the one that was stored already
