"""Dividends: credited first; then kept, set aside for what paid them, or handed to the core."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.buckets import account, core, satellite
from builders.world import only, world
from steelyard.buckets import PRESETS, SatelliteSettings, apply_dividends
from steelyard.errors import InputError
from steelyard.modules.registry import Kind
from steelyard.portfolio import BucketState
from steelyard.strategies import default

HELD = world("DD 10 @ 50", "EE 0 @ 25", cash="9000", foreign=["EE"], sessions=30)
PAID = {"DD": Decimal("400"), "EE": Decimal("12.50")}


def test_cash_that_accumulates_is_the_buckets_currency_by_currency():
    credit = apply_dividends(HELD.snapshot, PAID, "accumulate_cash")

    assert dict(credit.snapshot.cash) == {"USD": Decimal(9400), "EUR": Decimal("12.50")}
    assert (dict(credit.transfers), dict(credit.set_aside)) == ({}, {})


def test_what_goes_to_the_core_leaves_the_bucket_as_it_was():
    credit = apply_dividends(HELD.snapshot, PAID, "send_to_core")

    assert credit.snapshot == HELD.snapshot
    assert dict(credit.transfers) == {"USD": Decimal(400), "EUR": Decimal("12.50")}
    assert dict(credit.set_aside) == {}


def test_what_is_reinvested_is_cash_and_set_aside_for_what_paid_it():
    credit = apply_dividends(HELD.snapshot, PAID, "reinvest_same")

    assert dict(credit.snapshot.cash) == {"USD": Decimal(9400), "EUR": Decimal("12.50")}
    assert dict(credit.set_aside) == PAID
    assert dict(credit.transfers) == {}


amounts = st.dictionaries(
    st.sampled_from(["DD", "EE"]), st.decimals(Decimal("0.01"), Decimal(9999), places=2)
)


@given(paid=amounts, handling=st.sampled_from(["reinvest_same", "send_to_core", "accumulate_cash"]))
def test_no_money_appears_or_is_lost_between_bucket_and_core(paid, handling):
    credit = apply_dividends(HELD.snapshot, paid, handling)

    for symbol, currency in (("DD", "USD"), ("EE", "EUR")):
        before = HELD.snapshot.cash.get(currency, Decimal(0)) + paid.get(symbol, Decimal(0))
        assert (
            credit.snapshot.cash.get(currency, Decimal(0))
            + credit.transfers.get(currency, Decimal(0))
            == before
        )


@pytest.mark.parametrize(
    ("paid", "told"),
    [
        (
            {"DD": Decimal(1), "AA": Decimal(1)},
            "The dividend of AA is not of a security of bucket core",
        ),
        ({"DD": Decimal(0)}, "The dividend of DD is 0; it must be above 0"),
        ({"DD": Decimal("NaN")}, "The dividend of DD is NaN"),
    ],
)
def test_a_dividend_of_a_stranger_or_of_nothing_is_refused(paid, told):
    with pytest.raises(InputError, match=told):
        apply_dividends(HELD.snapshot, paid, "accumulate_cash")


def test_the_core_keeps_its_dividends_and_a_satellite_sends_them_there_unless_it_is_set():
    assert core().dividends == "accumulate_cash"
    assert satellite(rules=default()).dividends == "send_to_core"
    assert satellite().dividends == "send_to_core"
    assert (
        satellite(rules=SatelliteSettings(satellite_id="s", preset="dip_buyer")).dividends
        == "reinvest_same"
    )
    assert (
        satellite(
            rules=SatelliteSettings(
                satellite_id="s", dividend_handling="accumulate_cash", preset="dip_buyer"
            )
        ).dividends
        == "accumulate_cash"
    )
    assert PRESETS["dividend_catcher"].dividend_handling == "accumulate_cash"


def paid_to(handling, amount="400"):
    """The plan after a dividend of DD, by a strategy that finds nothing else to buy."""
    credit = apply_dividends(HELD.snapshot, {"DD": Decimal(amount)}, handling)
    strategy = only(default(), Kind.OPPORTUNITY, "opportunity_buys")
    return replace(
        HELD, snapshot=credit.snapshot, strategy=strategy,
        state=BucketState(dividends=credit.set_aside),
    ).plan()  # fmt: skip


def test_each_handling_makes_another_plan():
    sent, kept, reinvested = (
        paid_to(handling) for handling in ("send_to_core", "accumulate_cash", "reinvest_same")
    )

    assert [plan.value for plan in (sent, kept, reinvested)] == [
        Decimal(9500), Decimal(9900), Decimal(9900),
    ]  # fmt: skip
    assert (sent.candidates, kept.candidates) == ((), ())
    (bought,) = reinvested.candidates
    assert (bought.symbol, bought.side, bought.quantity) == ("DD", "buy", Decimal(8))
    assert len({sent.inputs_sha256, kept.inputs_sha256, reinvested.inputs_sha256}) == 3


def test_a_dividend_under_the_least_order_waits_and_the_plan_says_so():
    plan = paid_to("reinvest_same", amount="60")

    assert plan.candidates == ()
    assert [(row.symbol, row.rule) for row in plan.not_traded if row.stage == "sizing"] == [
        ("DD", "min_order")
    ]


def test_a_dividend_of_the_core_is_not_a_satellites():
    with pytest.raises(InputError, match="AA"):
        apply_dividends(
            replace(account().snapshot, securities=(), bucket="growth"),
            {"AA": Decimal(1)},
            "send_to_core",
        )


def test_what_waits_adds_up_until_it_makes_an_order():
    first = apply_dividends(HELD.snapshot, {"DD": Decimal(60)}, "reinvest_same")
    second = apply_dividends(
        first.snapshot, {"DD": Decimal(340)}, "reinvest_same", waiting=first.set_aside
    )

    assert dict(second.set_aside) == {"DD": Decimal(400)}
    assert dict(second.snapshot.cash) == {"USD": Decimal(9400)}
    assert dict(
        apply_dividends(first.snapshot, {}, "reinvest_same", waiting=first.set_aside).set_aside
    ) == {"DD": Decimal(60)}
