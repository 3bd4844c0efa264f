"""The reference engine beside a plan: quiet where both agree, and every difference has a class."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings

from builders.world import World, world
from builders.worlds import NIGHTLY, worlds
from steelyard.planning.case import Case
from steelyard.planning.contexts import context_of
from steelyard.planning.findings import Findings
from steelyard.portfolio import BucketState
from steelyard.rebalance.planned import Account
from steelyard.rebalance.shadow import KNOWN
from steelyard.rebalance.watch import Watched, watch


def watched(small: World) -> Watched | None:
    case = Case(
        snapshot=small.snapshot, market=small.market, strategy=small.strategy,
        targets=small.targets, state=small.state or BucketState(), seed=0, disabled={},
    )  # fmt: skip
    return watch(Account.of(*context_of(case, Findings())))


def classes(small: World) -> dict[str, str]:
    seen = watched(small)
    assert seen is not None
    return {row.symbol: row.known or row.agreement for row in seen.rows}


def test_both_engines_ask_for_the_same_before_any_choice():
    small = world(
        "AA 40 @ 100", "BB 40 @ 100", "CC 0 @ 50", cash="2000",
        targets={"AA": 0.5, "BB": 0.2, "CC": 0.1},
    )  # fmt: skip

    assert classes(small) == dict.fromkeys(("AA", "BB", "CC"), "equal")


def test_a_small_holding_without_a_target_is_a_known_difference():
    small = world("AA 99 @ 100", "ZZ 1 @ 20", cash="80", targets={"AA": 1.0})

    assert classes(small) == {"AA": "equal", "ZZ": "small_exit"}


def test_without_targets_there_is_nothing_to_compare():
    assert watched(world("AA 40 @ 100", cash="100")) is None


def test_a_target_without_a_price_is_in_both():
    small = world("AA 40 @ 100", cash="4000", targets={"AA": 0.5, "NO": 0.3})

    assert classes(small)["NO"] == "equal"


@settings(max_examples=1000 if NIGHTLY else 100)
@given(worlds())
def test_f07_no_difference_between_the_engines_is_unexplained(small: World):
    seen = watched(small) if small.targets is not None else None
    if seen is None:
        return

    assert seen.unexplained == ()
    assert {row.known for row in seen.rows} <= {"", *KNOWN}
    assert min(seen.fast_seconds, seen.reference_seconds) >= 0
    for row in seen.rows:
        assert row.fast is not None
        assert row.fast.quantity >= Decimal(0)
