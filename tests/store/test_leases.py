"""Rows of work: one holder at a time, one result, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from steelyard.errors import InternalError
from steelyard.store import leases
from steelyard.store.schema import event, run, run_slice
from steelyard.store.store import Store
from steelyard.telemetry.events import DatabaseUpgraded


@pytest.fixture
def work(store: Store) -> Store:
    """A run of five free slices."""
    with store.writing() as transaction:
        at = transaction.stamp
        row = {"bucket": "core", "parts": "{}", "created_at": at, "touched_at": at, "final": 0}
        transaction.connection.execute(run.insert().values(id=1, run_key="k", **row))
        for k in range(5):
            values = {"run_id": 1, "slice": k, "part": "0", "start": k, "stop": k + 1}
            transaction.connection.execute(run_slice.insert().values(state="free", **values))
    return store


def claim(store: Store, holder: str, most: int = 1, seconds: float = 600) -> list[leases.Lease]:
    with store.writing(alone=False) as transaction:
        return leases.claim(transaction, run_slice, holder, seconds, most=most)


def finish(store: Store, lease: leases.Lease, digest: str) -> leases.Outcome:
    with store.writing(alone=False) as transaction:
        return leases.finish(transaction, run_slice, lease, digest, body=b"result")


def slices(claimed: list[leases.Lease]) -> list[int]:
    return [lease.key["slice"] for lease in claimed]


def test_a_row_is_claimed_once_until_its_lease_is_over(work: Store):
    first = claim(work, "a", most=2, seconds=2)

    assert (slices(first), slices(claim(work, "b"))) == ([0, 1], [2])
    assert first[0].values["start"] == 0
    assert slices(claim(work, "c", most=9)) == [0, 1, 3, 4]  # the clock of the tests went on
    assert claim(work, "d") == []


def test_only_its_holder_finishes_a_row_also_late(work: Store):
    (late,) = claim(work, "a", seconds=0)
    assert finish(work, late, "same") == "finished"

    (over,) = claim(work, "a", seconds=0)
    (taken_over,) = claim(work, "b")
    assert over.key == taken_over.key
    assert finish(work, over, "same") == "lost"
    assert finish(work, taken_over, "same") == "finished"
    assert finish(work, over, "same") == "again"
    with pytest.raises(InternalError, match="calculated twice with different results"):
        finish(work, over, "other")
    with work.reading() as connection:
        rows = sa.select(run_slice.c.slice).where(run_slice.c.body == b"result")
        assert connection.scalars(rows.order_by(run_slice.c.slice)).all() == [0, 1]


def test_a_lease_goes_on_while_it_is_extended_and_is_free_once_released(work: Store):
    (lease, lost) = claim(work, "a", most=2, seconds=2)
    with work.writing(alone=False) as transaction:
        sooner = sa.update(run_slice).where(run_slice.c.slice == 1).values(holder="b")
        transaction.connection.execute(sooner)
        longer = leases.extend(transaction, run_slice, [lease, lost], 600)
        assert [entry.key for entry in longer] == [lease.key]
        assert longer[0].until - transaction.at == timedelta(seconds=600)
        assert leases.claim(transaction, run_slice, "c", 600)[0].key != lease.key
        assert leases.release(transaction, run_slice, [lease, lost]) == 1
    assert 0 in slices(claim(work, "d", most=9))


def test_a_row_is_written_as_it_is_claimed(work: Store):
    values = {"run_id": 1, "slice": 9, "part": "0", "start": 9, "stop": 12, "body": None}
    with work.writing() as transaction:
        lease = leases.add(transaction, run_slice, "a", 600, values)

    assert 9 not in slices(claim(work, "b", most=9))
    assert finish(work, lease, "d") == "finished"


def test_many_claim_at_once_and_none_gets_what_another_has(work: Store):
    barrier = threading.Barrier(4)

    def one(name: str) -> list[int]:
        barrier.wait(10)
        return slices(claim(work, name)) + slices(claim(work, name))

    with ThreadPoolExecutor(4) as pool:
        answers = [k for each in pool.map(one, "abcd") for k in each]

    assert sorted(answers) == [0, 1, 2, 3, 4]


# on SQLite one writes at a time: it would wait
@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_nobody_waits_for_a_claim_that_is_not_committed_yet(work: Store):
    with work.writing(alone=False) as transaction:
        ours = leases.claim(transaction, run_slice, "a", 600)
        with ThreadPoolExecutor(1) as pool:
            other = Store(work.engine, work.place, work.now)  # another process has its own turn
            theirs = pool.submit(claim, other, "b").result(timeout=5)

    assert (slices(ours), slices(theirs)) == ([0], [1])


def test_beside_other_writers_no_event_is_written(work: Store):
    with pytest.raises(InternalError) as caught, work.writing(alone=False) as transaction:
        transaction.tell(DatabaseUpgraded(None, "0003"))

    assert caught.value.fault.code == "event_out_of_turn"
    with work.reading() as connection:
        kinds = connection.scalars(sa.select(event.c.data)).all()
    assert len(kinds) == 1  # of the tables that were made
