"""Rows of a fleet: each account once, whoever finishes its slice, on both databases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from steelyard.errors import InternalError
from steelyard.store import fleets
from steelyard.store.fleets import AccountRow, FleetRun, Progress
from steelyard.store.store import Store

ACCOUNTS = {"a": "1", "b": "2", "c": "3"}


@pytest.fixture
def run(store: Store) -> FleetRun:
    """A run of three accounts, two of them in a slice."""
    with store.writing() as transaction:
        run = FleetRun(
            run_id="r", folder="/f", parts={"p": "1"}, day=date(2026, 1, 9), accounts=3,
            because="", created_at=transaction.at,
        )  # fmt: skip
        fleets.begin(transaction, run, ACCOUNTS, 2)
    return run


def row(folder: str, plan_id: str = "id") -> AccountRow:
    return AccountRow(folder=folder, account=folder, digest=ACCOUNTS[folder], seconds=0.5,
                      plan_id=plan_id, cost=Decimal("1.50"), value=Decimal(10), verdict="act",
                      occasions=("band",), as_of=date(2026, 1, 9))  # fmt: skip


def test_what_a_slice_came_to_is_there_once_also_from_one_who_lost_it(store: Store, run: FleetRun):
    (late,) = fleets.claim(store, "r", "late", 0)
    (mine,) = fleets.claim(store, "r", "me", 600)
    assert fleets.folders_of(mine) == fleets.folders_of(late) == ["a", "b"]

    assert fleets.finish(store, mine, [row("a"), row("b")]) == "finished"
    assert fleets.finish(store, late, [row("a"), row("b")]) == "again"
    with pytest.raises(InternalError, match="calculated twice with different results"):
        fleets.finish(store, late, [row("a"), row("b", "other")])

    with store.reading() as connection:
        assert fleets.results(connection, "r") == [row("a"), row("b")]
        assert fleets.digests(connection, "r") == ACCOUNTS
        assert [each.run_id for each in fleets.runs(connection, "/f")] == ["r"]
    assert fleets.progress(store, run) == Progress(2, 0, 3)
    assert not fleets.close(store, "r")


def test_a_run_is_over_when_all_slices_are_and_open_again_for_accounts_that_are_to_be_anew(
    store: Store, run: FleetRun
):
    while leases := fleets.claim(store, "r", "me", 600):
        fleets.finish(store, leases[0], [row(folder) for folder in fleets.folders_of(leases[0])])
    assert fleets.close(store, "r")
    with store.writing() as transaction:
        assert fleets.runs(transaction.connection, "/f")[0].finished_at is not None
        fleets.again(transaction, run, ["b"], 5)

    with store.reading() as connection:
        assert [each.folder for each in fleets.results(connection, "r")] == ["a", "c"]
        assert fleets.runs(connection, "/f")[0].finished_at is None
    (lease,) = fleets.claim(store, "r", "me", 600)
    assert fleets.folders_of(lease) == ["b"]
    fleets.release(store, [lease])
    assert [each.key for each in fleets.claim(store, "r", "you", 600)] == [lease.key]
