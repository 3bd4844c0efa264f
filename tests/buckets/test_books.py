"""Books: a bucket's snapshot has its own holdings, securities and cash, and no other's."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.buckets import account, core, satellite
from builders.worlds import FEWER
from steelyard.buckets import UNASSIGNED, Budgets, SatelliteSettings, split, targets_of
from steelyard.errors import InputError, SettingsError
from steelyard.orders import Order, Side
from steelyard.planning.planner import plan
from steelyard.portfolio import Settling
from steelyard.strategies import default
from steelyard.targets import Targets

BUDGETS = Budgets(satellites_weight=0.30)


def symbols(snapshot):
    return [holding.symbol for holding in snapshot.holdings], [
        security.symbol for security in snapshot.securities
    ]


def test_each_bucket_gets_its_own_holdings_securities_and_cash():
    books = split(account().snapshot, [core(), satellite()], BUDGETS)

    assert set(books) == {"core", "growth"}
    assert symbols(books["core"]) == (["AA", "BB"], ["AA", "BB", "CC"])
    assert symbols(books["growth"]) == (["DD"], ["DD", "EE", "FF"])
    assert dict(books["core"].cash) == {"USD": Decimal(8000)}
    assert dict(books["growth"].cash) == {"USD": Decimal(2000)}
    assert [book.bucket for book in books.values()] == ["core", "growth"]


def test_money_on_its_way_is_the_cores_and_is_counted_once():
    snapshot = replace(
        account().snapshot, settling=(Settling("USD", Decimal(5), date(2030, 1, 2)),)
    )

    books = split(snapshot, [core(), satellite()], BUDGETS)

    assert (books["core"].settling, books["growth"].settling) == (snapshot.settling, ())


def test_open_orders_and_exclusions_go_where_their_symbol_is():
    order = Order("o1", "EE", Side.BUY, Decimal(3), None)
    snapshot = replace(account().snapshot, open_orders=(order,), excluded=("CC",))

    books = split(snapshot, [core(), satellite()], BUDGETS)

    assert (books["core"].open_orders, books["growth"].open_orders) == ((), (order,))
    assert (books["core"].excluded, books["growth"].excluded) == (("CC",), ())


def test_what_is_in_no_universe_is_unassigned_and_never_the_cores():
    books = split(account().snapshot, [core(universe={"AA", "CC"}), satellite()], BUDGETS)

    assert symbols(books[UNASSIGNED]) == (["BB"], ["BB"])
    assert set(books[UNASSIGNED].cash.values()) == {Decimal(0)}
    assert symbols(books["core"]) == (["AA"], ["AA", "CC"])


def test_a_security_in_two_universes_is_an_error_that_names_both():
    with pytest.raises(InputError, match="CC is in the universe of core and of growth"):
        split(account().snapshot, [core(), satellite(universe={"CC", "DD"})], BUDGETS)


def test_a_symbol_that_the_account_does_not_know_is_an_error():
    with pytest.raises(
        InputError,
        match=r"AAA in the universe of growth is not a security of the account\. Did you mean AA",
    ):
        split(account().snapshot, [core(), satellite(universe={"AAA"})], BUDGETS)


@pytest.mark.parametrize("cash", ["2000.01", "1999.99"])
def test_cash_may_differ_by_a_cent(cash):
    assert split(account().snapshot, [core(), satellite(cash=cash)], BUDGETS)


@pytest.mark.parametrize(
    ("cash", "told"),
    [
        ("2000.011", r"10000\.011 USD and the account 10000: 0\.011 too much"),
        ("0", "-2000 too little"),
    ],
)
def test_cash_that_does_not_add_up_is_an_error_with_the_difference(cash, told):
    with pytest.raises(InputError, match=told):
        split(account().snapshot, [core(), satellite(cash=cash)], BUDGETS)


def test_cash_in_a_currency_that_no_bucket_has_is_missing():
    snapshot = replace(account().snapshot, cash={"USD": Decimal(10000), "EUR": Decimal(5)})

    with pytest.raises(InputError, match="0 EUR and the account 5"):
        split(snapshot, [core(), satellite()], BUDGETS)


def test_without_a_budget_there_is_no_satellite():
    with pytest.raises(
        SettingsError, match=r"aimed at 10\.00% of the account; their budget is 0\.00%"
    ):
        split(account().snapshot, [core(), satellite()])


def test_the_budget_of_all_satellites_has_a_hard_cap():
    assert Budgets(satellites_weight=0.30).satellites_weight == 0.30
    with pytest.raises(ValueError, match="satellites_weight"):
        Budgets(satellites_weight=0.31)


@pytest.mark.parametrize(
    ("target", "status", "fits"),
    [
        (0.02, "active", True), (0.15, "active", True), (0.0199, "active", False),
        (0.1501, "active", False), (0.0, "accumulating", True), (0.1501, "accumulating", False),
    ],
)  # fmt: skip
def test_a_satellite_has_a_least_and_a_greatest_target(target, status, fits):
    buckets = [core(target_weight=0.7), satellite(target_weight=target, status=status)]

    if fits:
        assert split(account().snapshot, buckets, BUDGETS)
    else:
        with pytest.raises(SettingsError, match="Bucket growth is aimed at"):
            split(account().snapshot, buckets, BUDGETS)


def test_satellites_share_their_budget():
    more = satellite(name="more", universe={"FF"}, cash="0")

    with pytest.raises(SettingsError, match=r"20\.00% of the account; their budget is 15\.00%"):
        split(
            account().snapshot,
            [core(target_weight=0.8), satellite(), more],
            Budgets(satellites_weight=0.15),
        )


def test_an_account_has_one_core_and_every_name_once():
    with pytest.raises(SettingsError, match="0 core buckets"):
        split(account().snapshot, [satellite()], BUDGETS)
    with pytest.raises(SettingsError, match="2 buckets called core"):
        split(account().snapshot, [core(), core(universe={"BB"})], BUDGETS)
    with pytest.raises(SettingsError, match="No bucket may be called UNASSIGNED"):
        split(account().snapshot, [core(), satellite(name=UNASSIGNED)], BUDGETS)


def test_all_buckets_together_are_aimed_at_the_account_at_most():
    with pytest.raises(SettingsError, match=r"110\.00% of the account"):
        split(account().snapshot, [core(target_weight=1.0), satellite()], BUDGETS)


def test_a_least_target_over_the_greatest_is_refused():
    with pytest.raises(ValueError, match="no target lies between them"):
        Budgets(least_weight=0.2)


def test_targets_of_a_bucket_stay_in_its_universe_and_are_not_rescaled():
    own = Targets({"DD": 0.5, "EE": 0.2, "AA": 0.0})

    assert targets_of(satellite(), own) is own
    with pytest.raises(
        InputError, match="The targets of bucket growth name AA, not in its universe"
    ):
        targets_of(satellite(), Targets({"AA": 0.1, "DD": 0.5}))


def test_a_bucket_plans_with_its_strategy_or_with_that_of_its_settings():
    settings = SatelliteSettings(satellite_id="growth", risk_appetite=1.0)

    assert core().strategy is default()
    assert satellite(rules=settings).strategy.planner.priority_threshold == pytest.approx(0.2)


@FEWER
@given(
    aa=st.integers(0, 900), bb=st.integers(0, 900), price=st.sampled_from(["1", "99", "1500"]),
    cash=st.integers(-3000, 90_000),
)  # fmt: skip
def test_nothing_in_the_core_changes_a_plan_of_a_satellite(aa, bb, price, cash):
    usual, other = account(), account(aa=aa, bb=bb, price=price, cash=2000 + cash)

    plans = [
        plan(
            split(of.snapshot, [core(cash=core_cash), satellite()], BUDGETS)["growth"],
            of.market,
            satellite().strategy,
        )
        for of, core_cash in ((usual, "8000"), (other, str(cash)))
    ]

    assert plans[0].plan_id == plans[1].plan_id
    assert plans[0].verdict.action == "act"
    assert {step.symbol for step in plans[0].steps} <= satellite().universe


@pytest.mark.parametrize("odd", [{"kind": "sattelite"}, {"status": "paused"}])
def test_a_kind_or_a_status_that_does_not_exist_is_an_error(odd):
    ((name, value),) = odd.items()

    with pytest.raises(SettingsError, match=f"Bucket growth has the {name} '{value}'; it may be"):
        split(account().snapshot, [core(), replace(satellite(), **odd)], BUDGETS)


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), 2000.0])
def test_cash_that_is_no_amount_of_money_is_an_error(amount):
    with pytest.raises(InputError, match=r"Bucket growth has .* USD: that is no amount of money"):
        split(account().snapshot, [core(), replace(satellite(), cash={"USD": amount})], BUDGETS)


def test_what_was_sold_out_and_is_in_no_universe_makes_no_book():
    snapshot = account().snapshot
    held = tuple(
        replace(one, quantity=Decimal(0), lots=()) if one.symbol == "BB" else one
        for one in snapshot.holdings
    )

    assert UNASSIGNED not in split(
        replace(snapshot, holdings=held), [core(universe={"AA", "CC"}), satellite()], BUDGETS
    )


def test_the_prices_of_the_core_are_nothing_to_a_satellite():
    whole, own = account(), satellite()
    book = split(whole.snapshot, [core(), own], BUDGETS)["growth"]
    closes = whole.market.closes.copy()
    closes[:, whole.market.symbols.index("AA")] *= np.linspace(0.2, 1, len(closes))
    quotes = {**whole.market.quotes, "AA": replace(whole.market.quotes["AA"], price=Decimal(7))}

    other = plan(book, replace(whole.market, closes=closes).at_prices(quotes), own.strategy)

    assert other.plan_id == plan(book, whole.market, own.strategy).plan_id
