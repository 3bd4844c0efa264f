"""What the store promises, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.world import world
from steelyard.errors import InputError, NotStored, StoreError
from steelyard.importers import Inputs
from steelyard.plans.plan import Plan
from steelyard.store import (
    assignments,
    buckets,
    events,
    plans,
    presets,
    schema,
    sqlite,
    strategies,
)
from steelyard.store import inputs as kept_inputs
from steelyard.store.opening import open_store
from steelyard.store.snapshots import pack
from steelyard.store.store import Store
from steelyard.store.strategies import Draft
from steelyard.telemetry.events import PlannerEvent

PLAIN = "[search]\nmax_depth = 3\n"


def draft(name: str = "momentum", depth: int = 3, **more: Any) -> Draft:
    return Draft(
        name=name, toml=f"[search]\nmax_depth = {depth}\n", rules_sha256=f"{depth:064x}", **more
    )


def saved(store: Store, *depths: int, name: str = "momentum") -> None:
    for depth in depths:
        strategies.save(store, draft(name, depth))


def save_and_fail(store: Store) -> None:
    with store.writing() as transaction:
        strategies.append(transaction, draft(depth=2))
        raise ZeroDivisionError


def numbers(store: Store, name: str = "momentum") -> list[tuple[int, bool]]:
    """(version, active), oldest first."""
    return [(v.version, v.active) for v in reversed(strategies.history(store, name))]


def inputs_of(cash: str = "1000", price: int = 100) -> tuple[Inputs, Plan]:
    made = world(f"AA 40 @ {price}", "BB 0 @ 50", cash=cash, targets={"AA": 0.5})
    inputs = Inputs(
        snapshot=made.snapshot, market=made.market, targets=made.targets, warnings=(),
        as_of_from="prices",
    )  # fmt: skip
    return inputs, made.plan()


def loaded(store: Store, name: str, **cash: str) -> None:
    """A bucket with cash and nothing else of interest."""
    inputs, _ = inputs_of()
    money = {currency: Decimal(amount) for currency, amount in cash.items()}
    inputs = replace(inputs, snapshot=replace(inputs.snapshot, cash=MappingProxyType(money)))
    buckets.load(store, name, buckets.Load(inputs=inputs, packed=pack(inputs), value=Decimal(5000)))


def moved(store: Store, source: str, target: str, currency: str, amount: str) -> None:
    money = buckets.Money(currency, Decimal(amount), Decimal(amount))
    buckets.transfer(store, source, target, money)


# versions


def test_the_first_version_is_number_1_and_active_and_has_no_parent(store):
    version = strategies.save(store, draft(), by="ann", reason="first").version

    assert (version.version, version.active, version.parent) == (1, True, None)
    assert (version.title, version.created_by, version.reason) == ("Momentum", "ann", "first")
    assert strategies.version(store, "momentum") == version


def test_each_save_appends_the_next_number_and_moves_the_active_one(store):
    saved(store, 1, 2, 3)

    assert numbers(store) == [(1, False), (2, False), (3, True)]
    assert [v.parent for v in strategies.history(store, "momentum")] == [2, 1, None]


def test_every_name_counts_for_itself(store):
    saved(store, 1, 2)
    saved(store, 5, name="other")

    assert numbers(store, "other") == [(1, True)]
    assert [v.name for v in strategies.active(store)] == ["momentum", "other"]


def test_what_was_saved_is_read_again_as_it_was_and_not_changed_by_a_later_save(store):
    text = "# größer \u202e 'x' \"y\"\r\n[search]\nmax_depth = 3\n"
    title, words = "Two\nlines # \u202e \U0001f40e", "a\ttab \x1b[31m"
    first = strategies.save(
        store, Draft(name="m", toml=text, rules_sha256="a" * 64, title=title, description=words)
    ).version
    strategies.save(store, draft("m"))

    again = strategies.version(store, "m", 1)

    assert again == replace(first, active=False)
    assert (again.toml, again.title, again.description) == (text, title, words)


def test_a_title_that_is_not_given_stays(store):
    strategies.save(store, draft(title="Mine", description="why"))

    version = strategies.save(store, draft(depth=4)).version

    assert (version.title, version.description) == ("Mine", "why")


def test_two_edits_of_one_parent_are_both_there_and_the_second_is_told(store):
    saved(store, 1)

    first = strategies.save(store, draft(depth=2), parent=1)
    second = strategies.save(store, draft(depth=3), parent=1)

    assert (first.meanwhile, second.meanwhile) == ((), (2,))
    assert numbers(store) == [(1, False), (2, False), (3, True)]


def test_a_rollback_appends_and_has_the_old_one_as_its_parent(store):
    saved(store, 1, 2)

    version = strategies.rollback(store, "momentum", 1)

    assert (version.version, version.parent, version.rules_sha256) == (3, 1, f"{1:064x}")
    assert version.reason == "rollback to version 1"
    assert numbers(store) == [(1, False), (2, False), (3, True)]


@pytest.mark.parametrize(
    ("ask", "code", "words"),
    [
        (lambda s: strategies.version(s, "momentun"), "no_such_stored_strategy", "momentum"),
        (lambda s: strategies.history(s, "zzz"), "no_such_stored_strategy", "strategy list"),
        (lambda s: strategies.version(s, "momentum", 9), "no_such_version", "version 1 alone"),
        (lambda s: strategies.rollback(s, "momentum", 9), "no_such_version", "version 1 alone"),
        (lambda s: assignments.assign(s, "core", "momentun"), "no_such_stored_strategy", "Did you"),
        (lambda s: assignments.assign(s, "cora", "momentum"), "no_such_bucket", "core"),
        (lambda s: plans.load(s, "abcdef12"), "no_such_plan", "plans list"),
        (lambda s: kept_inputs.load(s, "0" * 64, "1" * 64), "no_such_inputs", "0000"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest_and_changes_nothing(store, ask, code, words):
    saved(store, 1)
    loaded(store, "core", USD="1")
    before = contents(store)

    with pytest.raises(NotStored, match=words) as caught:
        ask(store)

    assert caught.value.fault.code == code
    assert contents(store) == before


@pytest.mark.parametrize("name", ["", "a b", "../x", "ä", "x" * 65, "-x"])
def test_a_name_that_could_be_a_path_or_an_option_is_refused(store, name):
    with pytest.raises(InputError, match="cannot be the name"):
        strategies.save(store, draft(name))

    assert strategies.active(store) == []


def test_a_nul_in_a_title_is_refused_on_both(store):
    with pytest.raises(InputError, match="NUL"):
        strategies.save(store, draft(title="a\0b"))

    assert strategies.active(store) == []


def test_what_fails_within_a_transaction_leaves_nothing_of_it(store):
    saved(store, 1)
    before = contents(store)

    with pytest.raises(ZeroDivisionError):
        save_and_fail(store)

    assert contents(store) == before


# what the database itself refuses

VERSION = {
    "name": "momentum", "version": 1, "toml": "", "sha256": "", "rules_sha256": "",
    "active": 0, "created_at": "", "created_by": "",
}  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        {"version": 1},
        {"version": 2, "active": 1},
        {"version": 0},
        {"version": 2, "active": 2},
        {"version": 2, "sha256": None},
    ],
    ids=["a number twice", "a second active one", "number 0", "active 2", "no hash"],
)
def test_the_database_itself_refuses_a_version_that_may_not_be(store, row):
    saved(store, 1)
    before = contents(store)

    with pytest.raises(StoreError, match="Nothing was written"), store.writing() as transaction:
        transaction.connection.execute(schema.strategy_version.insert().values(**VERSION | row))

    assert contents(store) == before


def test_the_database_itself_refuses_a_second_assignment_and_one_of_no_bucket(store):
    saved(store, 1)
    assignments.assign(store, "core", "momentum")
    row = {"name": "momentum", "assigned_at": "", "assigned_by": ""}

    for name in ("core", "nowhere"):
        with pytest.raises(StoreError), store.writing() as transaction:
            transaction.connection.execute(schema.assignment.insert().values(bucket=name, **row))

    assert assignments.followers(store, "momentum") == ["core"]


def test_the_database_itself_refuses_a_plan_without_its_inputs(store):
    _, plan = inputs_of()
    packed = pack(inputs_of(cash="1")[0])
    plans.save(store, plan, packed, (), 0.1)

    with pytest.raises(StoreError), store.writing() as transaction:
        transaction.connection.execute(sa.delete(schema.snapshot))

    assert plans.load(store, plan.plan_id).plan.to_json() == plan.to_json()


# buckets and what they plan by


def test_a_follower_moves_with_every_version_and_a_pinned_bucket_stays(store):
    saved(store, 1)
    buckets.create(store, "sat")
    assignments.assign(store, "core", "momentum")
    assignments.assign(store, "sat", "momentum", 1)

    saved(store, 2)
    strategies.rollback(store, "momentum", 1)

    assert assignments.planned_by(store, "core").version == 3
    assert assignments.planned_by(store, "sat").version == 1
    assert assignments.followers(store, "momentum") == ["core"]


def test_the_rollback_of_a_bucket_appends_and_pins_what_was_pinned_to_the_new_version(store):
    saved(store, 1, 2)
    buckets.create(store, "sat")
    assignments.assign(store, "core", "momentum")
    assignments.assign(store, "sat", "momentum", 2)

    assignments.rollback_bucket(store, "sat", 1, "momentum")

    assert numbers(store)[-1] == (3, True)
    assert assignments.assigned(store, "sat").version == 3
    assert assignments.assigned(store, "core").version is None
    assert assignments.planned_by(store, "core").version == 3


def test_a_bucket_is_rolled_back_to_the_strategy_that_it_plans_by_and_to_no_other(store):
    saved(store, 1)
    saved(store, 1, name="other")
    assignments.assign(store, "core", "momentum")
    before = contents(store)

    with pytest.raises(InputError, match="not by other"):
        assignments.rollback_bucket(store, "core", 1, "other")

    assert contents(store) == before


def test_the_cash_of_the_buckets_is_the_account_after_loads_and_transfers(store):
    buckets.create(store, "sat")
    loaded(store, "core", USD="1000.10", EUR="7")
    loaded(store, "sat", USD="0.05")

    moved(store, "core", "sat", "USD", "999.99")
    loaded(store, "core", USD="3")

    assert buckets.bucket_of(store, "core").cash == {"EUR": Decimal(0), "USD": Decimal(3)}
    assert buckets.bucket_of(store, "sat").cash == {"USD": Decimal("1000.04")}
    assert buckets.balances(store) == {
        "EUR": (Decimal(0), Decimal(0)), "USD": (Decimal("1003.04"), Decimal("1003.04")),
    }  # fmt: skip


def test_files_that_were_split_by_satellites_of_before_are_not_loaded(store):
    buckets.create(store, "sat")
    loaded(store, "core", USD="1000")
    split_by = [buckets.bucket_of(store, "sat")]
    buckets.transfer(store, "core", "sat", buckets.Money("USD", Decimal(10), Decimal(10)))
    inputs, _ = inputs_of()
    load = buckets.Load(inputs=inputs, packed=pack(inputs), value=Decimal(5000))
    before = contents(store)

    with pytest.raises(InputError, match=r"changed by another process.*Nothing was loaded"):
        buckets.load_all(store, {"core": load}, split_by)

    assert contents(store) == before


@pytest.mark.parametrize("amount", ["0", "-1", "1000.11", "NaN", "Infinity"])
def test_more_than_there_is_or_nothing_is_not_moved(store, amount):
    buckets.create(store, "sat")
    loaded(store, "core", USD="1000.10")
    before = contents(store)

    with pytest.raises(InputError, match="Nothing was moved"):
        moved(store, "core", "sat", "USD", amount)

    assert contents(store) == before


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["core", "one", "two"]), st.sampled_from(["core", "one", "two"]),
            st.sampled_from(["USD", "EUR"]), st.decimals("0.01", 900, places=2),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_after_any_transfers_the_buckets_sum_to_the_account_and_none_is_negative(store, moves):
    for name in ("one", "two"):
        if name not in [b.name for b in buckets.buckets(store)]:
            buckets.create(store, name)
    for name in ("core", "one", "two"):
        loaded(store, name, USD="500", EUR="100.01")
    for source, target, currency, amount in moves:
        with suppress(InputError):  # more than there is, or to itself
            moved(store, source, target, currency, str(amount))

    booked = buckets.balances(store)

    assert booked == {"EUR": (Decimal("300.03"),) * 2, "USD": (Decimal(1500),) * 2}
    assert min(a for b in buckets.buckets(store) for a in b.cash.values()) >= 0


def test_a_bucket_reads_back_what_it_was_loaded_with(store):
    inputs, _ = inputs_of()
    packed = pack(inputs)
    files = ({"option": "--holdings", "name": "h.csv", "sha256": "ab"},)

    buckets.load(
        store, "core", buckets.Load(inputs=inputs, packed=packed, value=Decimal(5000), files=files)
    )

    bucket = buckets.bucket_of(store, "core")
    assert (bucket.kind, bucket.base_currency, bucket.value) == ("core", "USD", Decimal(5000))
    assert bucket.files == files
    again = kept_inputs.load(store, bucket.portfolio, bucket.market)
    assert pack(again) == packed


def test_there_is_one_core_and_no_name_twice(store):
    loaded(store, "core", USD="1")
    buckets.create(store, "sat")

    for name, kind in (("sat", "satellite"), ("core2", "core")):
        with pytest.raises(InputError, match="Nothing was made"):
            buckets.create(store, name, kind=kind)

    assert [bucket.name for bucket in buckets.buckets(store)] == ["core", "sat"]


def test_settings_are_versions_and_the_strategy_that_they_make_is_followed(store):
    buckets.create(store, "sat")

    last = {"risk": 0.4, "target_weight": 0.1}
    with store.writing() as transaction:
        buckets.configure_in(transaction, "sat", {"risk": 0.2}, draft("sat_config", 1))
    with store.writing() as transaction:
        buckets.configure_in(transaction, "sat", last, draft("sat_config", 2))

    bucket = buckets.bucket_of(store, "sat")
    assert (bucket.settings, bucket.target_weight) == ({"risk": 0.4}, 0.1)
    assert assignments.planned_by(store, "sat").version == 2
    with store.reading() as connection:
        rows = connection.execute(sa.select(schema.bucket_settings.c.version))
        assert [number for (number,) in rows] == [1, 2]


# plans and their inputs


def test_a_plan_comes_back_as_it_was_by_its_id_and_by_its_first_digits(store):
    inputs, plan = inputs_of()
    files = ({"option": "--prices", "name": "p.csv", "sha256": "cd"},)

    assert plans.save(store, plan, pack(inputs), files, 0.25)

    for digits in (plan.plan_id, plan.plan_id[:8], plan.plan_id[:6].upper()):
        assert plans.load(store, digits).plan.to_json() == plan.to_json()
    row = plans.listed(store)[0]
    assert (row.plan_id, row.files, row.seconds) == (plan.plan_id, files, 0.25)
    assert (row.strategy_sha256, row.cost) == (plan.strategy.sha256, plan.costs.total)


def test_the_same_plan_is_there_once_and_a_digit_too_few_names_none(store):
    inputs, plan = inputs_of()
    plans.save(store, plan, pack(inputs), (), 0.1)

    assert not plans.save(store, plan, pack(inputs), (), 0.2)
    assert len(plans.listed(store)) == 1
    for digits in (plan.plan_id[:5], "%", "", "______"):
        with pytest.raises(NotStored):
            plans.load(store, digits)


def test_inputs_are_kept_once_by_hash_and_plans_of_one_market_share_it(store):
    for cash in ("1000", "2000", "1000"):
        inputs, plan = inputs_of(cash)
        plans.save(store, plan, pack(inputs), (), 0.1)

    with store.reading() as connection:
        kinds = sorted(connection.scalars(sa.select(schema.snapshot.c.kind)))
    assert kinds == ["market", "portfolio", "portfolio"]


def test_plans_are_listed_newest_first_and_by_bucket_and_by_strategy(store):
    ids = []
    for cash in ("1000", "2000", "3000"):
        inputs, plan = inputs_of(cash)
        plans.save(store, plan, pack(inputs), (), 0.1)
        ids.insert(0, plan.plan_id)

    assert [row.plan_id for row in plans.listed(store)] == ids
    assert len(plans.listed(store, bucket="core", strategy=plan.strategy.name)) == 3
    assert plans.listed(store, bucket="sat") == []
    assert plans.listed(store, strategy="other") == []


# presets and events


def test_a_preset_is_there_once_by_its_name_with_its_tags_and_uses(store):
    preset = presets.add(store, "mine", PLAIN, author="ann", tags=["b", "a", "b"], rating=4.5)

    with pytest.raises(InputError, match="Nothing was added"):
        presets.add(store, "mine", PLAIN)
    for _ in range(3):
        presets.used(store, preset.id, "mine", "core")

    assert presets.own(store) == [preset]
    assert (preset.tags, preset.rating, preset.author) == (("a", "b"), 4.5, "ann")
    assert presets.uses(store) == {preset.id: 3}


def test_events_are_read_in_the_order_of_commits_and_by_bucket_and_type(store):
    at, before = store.now(), events.last(store)
    entries = [
        PlannerEvent(at + timedelta(seconds=-k), bucket, kind, {"k": k, "text": "ä\n\u202e"}, "run")
        for k, (bucket, kind) in enumerate([("core", "A"), ("sat", "B"), ("core", "B")])
    ]
    events.append(store, entries)

    assert [entry.event for entry in events.since(store, before)] == entries
    assert [e.event.data["k"] for e in events.since(store, bucket="core")] == [0, 2]
    assert [e.event.data["k"] for e in events.since(store, event_type="B", newest=1)] == [2]
    first = events.since(store, before)[0].id
    assert [e.event.data["k"] for e in events.since(store, first)] == [1, 2]
    assert {"A", "B"} < {*events.types(store)}
    assert events.last(store) == events.since(store)[-1].id


def test_what_is_written_is_told_in_the_same_transaction_and_heard_after_it(place):
    heard: list[str] = []
    store = open_store(place, heard=lambda entry: heard.append(entry.event_type))
    saved(store, 1)
    heard.clear()

    with pytest.raises(ZeroDivisionError):
        save_and_fail(store)
    last = events.last(store)
    assert heard == []
    saved(store, 2)

    assert heard[0] == "StrategySaved"
    assert [entry.event.event_type for entry in events.since(store, last)] == heard
    store.close()


# several at once


def test_one_reading_sees_one_state_however_many_it_asks(place, store):
    saved(store, 1)
    other = open_store(place)
    query = sa.select(sa.func.count()).select_from(schema.strategy_version)

    with ThreadPoolExecutor(1) as pool, store.reading() as connection:
        before = connection.scalar(query)
        writer = pool.submit(saved, other, 2)
        # a rollback journal waits for readers, and lets none in between; a server writes at once
        if other.engine.dialect.name == "postgresql":
            writer.result()
        after = connection.scalar(query)

    assert (before, after) == (1, 1)
    assert [number for number, _ in numbers(store)] == [1, 2]
    other.close()


def test_writers_of_many_threads_leave_no_gap_and_no_double_and_one_active(place, store):
    def write(first: int) -> None:
        own = open_store(place)
        barrier.wait()
        saved(own, *range(first, first + 5))
        own.close()

    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [10, 20, 30, 40]))

    rows = numbers(store)
    assert [number for number, _ in rows] == list(range(1, 21))
    assert [number for number, active in rows if active] == [20]


def test_a_thread_waits_its_turn_however_long_another_one_of_the_process_writes(place, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    store = open_store(place)
    begun = threading.Event()

    def write_long() -> None:
        with store.writing() as transaction:
            strategies.append(transaction, draft(depth=1))
            begun.set()
            time.sleep(0.5)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(write_long)
        begun.wait()
        second = pool.submit(saved, store, 2)
        first.result()
        second.result()

    assert numbers(store) == [(1, False), (2, True)]
    store.close()


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with store.reading() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(sa.select(table)))
            for table in schema.metadata.sorted_tables
        }


def test_what_is_no_text_is_not_kept_and_is_no_fault_of_the_database(store):
    for more in ({"title": "a\udcffb"}, {"description": "a\udcff"}):
        with pytest.raises(InputError, match=r"no UTF-8.*Nothing was written"):
            strategies.save(store, replace(draft(), **more))
    with pytest.raises(InputError, match="reason of momentum is not usable"):
        strategies.save(store, draft(), reason="a\0b")
    with pytest.raises(InputError, match="Nothing was read"):
        buckets.bucket_of(store, "a\udcffb")
