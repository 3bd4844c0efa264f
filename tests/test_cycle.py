"""A cycle of a stored bucket: planned by the active engine, traded, and owned afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

import steelyard
from steelyard.brokers.opening import Fees, Opening, PaperPrice
from steelyard.brokers.paper import PaperBroker, Script, open_paper
from steelyard.cycle import Cycle, run_cycle
from steelyard.engine import EngineSettings
from steelyard.errors import NotExecuted
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.opening import leased, open_journal
from steelyard.execution.journal.rows import balances
from steelyard.execution.room import Room, request_in
from steelyard.rebalance.shadow import Agreement, same_settlement, worst
from steelyard.runs.engines import settled
from steelyard.runs.stored import inputs_of, load
from steelyard.store.buckets import bucket_of
from steelyard.store.opening import open_store
from steelyard.store.store import Store

INPUTS = steelyard.inputs(
    {"ACME": 120, "BOLT": 50, "CRUX": 10},
    prices={"ACME": 100, "BOLT": 80, "CRUX": 20},
    targets={"ACME": 0.5, "BOLT": 0.4, "CRUX": 0.05},
    cash={"USD": 3000},
    as_of="2026-01-09",
)


@dataclass
class Desk:
    """A store with a loaded core, a paper account that owns the same, and a journal."""

    home: Path
    store: Store
    broker: PaperBroker
    journal: Journal

    def cycle(self, engine: EngineSettings | None = None, *, yes: bool = True) -> Cycle:
        room = Room(home=self.home, journal=self.journal, broker=self.broker, account="core")
        with leased(self.journal, self.home, "core") as lease:
            return run_cycle(
                "core",
                room=room,
                lease=lease,
                store=self.store,
                approve=lambda plan: yes,
                engine=engine,
            )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with built(tmp_path) as fresh:
        yield fresh


@contextmanager
def built(home: Path, script: Script | None = None) -> Iterator[Desk]:
    store = open_store(str(home / "steelyard.db"))
    load(store, "core", INPUTS, [])
    snapshot = INPUTS.snapshot
    opening = Opening(
        as_of=snapshot.as_of,
        base_currency="USD",
        positions={each.symbol: each.quantity for each in snapshot.holdings},
        cash=dict(snapshot.cash),
        prices={
            symbol: PaperPrice(Decimal(price), "USD", lot_size=Decimal(1))
            for symbol, price in {"ACME": 100, "BOLT": 80, "CRUX": 20}.items()
        },
        fees=Fees(),
    )
    broker = open_paper(home / "paper.db", "core", opening, script)
    journal = open_journal(home)
    yield Desk(home, store, broker, journal)
    journal.close()
    broker.close()
    store.close()


def test_what_is_planned_is_traded_and_owned_and_the_next_cycle_holds(desk: Desk):
    first = desk.cycle()
    second = desk.cycle()

    assert first.run is not None
    assert (first.run.state, first.run.outcome) == ("DONE", "done")
    snapshot = inputs_of(desk.store, bucket_of(desk.store, "core")).snapshot
    stock, cash = balances(desk.journal, "core")
    account = desk.broker.account()
    owned = {each.symbol: each.quantity for each in snapshot.holdings if each.quantity}
    assert owned == stock == {each.symbol: each.quantity for each in account.positions}
    assert dict(snapshot.cash) == cash == {"USD": account.balance("USD").amount}
    assert second.run is None
    assert second.plan.verdict.action == "hold"


def test_nothing_is_traded_that_nobody_approved(desk: Desk):
    cycle = desk.cycle(yes=False)

    assert cycle.plan.steps
    assert cycle.run is None
    assert desk.broker.orders(desk.broker.clock().now.replace(hour=0)) == ()


def test_going_to_the_other_engine_and_back_changes_the_next_run_and_no_other(tmp_path: Path):
    scopes: list[str] = []
    records, settlements = [], []
    for name, active in (("a", "fast"), ("b", "reference"), ("c", "fast")):
        (tmp_path / name).mkdir()
        with built(tmp_path / name, Script(instant=True, wobble_bps=0.0, midpoint=1.0)) as desk:
            cycle = desk.cycle(EngineSettings(active=active))
            assert cycle.run is not None
            scopes.append(cycle.plan.certificate.scope)
            records.append(request_in(desk.journal, cycle.run.run_id).engine)
            settlements.append(settled(desk.journal, cycle.run.run_id))

    assert scopes == ["quantities", "targets", "quantities"]
    assert [record["active"] for record in records] == ["fast", "reference", "fast"]
    assert all(record["unexplained"] == [] and record["compared"] == 3 for record in records)
    assert records[0]["fast_orders"] == records[1]["reference_orders"]
    assert all(record["sequence"] == "equal" for record in records)
    fast, reference, again = settlements
    assert worst(same_settlement(fast, reference, {})) is Agreement.EQUAL
    assert fast == again
    assert all(record["fast_seconds"] > 0 < record["reference_seconds"] for record in records)


def test_a_bucket_that_owns_something_else_than_the_account_is_not_planned(desk: Desk):
    other = steelyard.inputs(
        {"ACME": 121, "BOLT": 50, "CRUX": 10},
        prices={"ACME": 100, "BOLT": 80, "CRUX": 20},
        targets={"ACME": 0.5, "BOLT": 0.4, "CRUX": 0.05},
        cash={"USD": 3000},
        as_of="2026-01-09",
    )
    load(desk.store, "core", other, [])

    with pytest.raises(NotExecuted) as raised:
        desk.cycle()

    assert raised.value.fault.code == "account_differs"


def test_prices_of_another_source_are_planned_with(desk: Desk):
    asked = []

    class Same:
        def history(self, symbols, until):
            asked.append((tuple(symbols), until.as_of))
            return INPUTS.market

    room = Room(home=desk.home, journal=desk.journal, broker=desk.broker, account="core")
    with leased(desk.journal, desk.home, "core") as lease:
        run_cycle(
            "core",
            room=room,
            lease=lease,
            store=desk.store,
            approve=lambda plan: False,
            prices=Same(),
        )

    assert asked == [(("ACME", "BOLT", "CRUX"), INPUTS.snapshot.as_of)]
